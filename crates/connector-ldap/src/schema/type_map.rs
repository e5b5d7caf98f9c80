//! One object type with all that reading and writing its entries needs: its schema, how its attributes travel.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use identitymesh_model::{AttributeSchema, AttributeType, Name, ObjectSchema, Value, ValueType};

use super::catalog::{AttributeFacts, Catalog};
use crate::filter;
use crate::settings::TypeConfig;
use crate::value::{self, Form};

/// The attribute of documents that holds an entry's own name.
pub(crate) const ADDRESS: &str = "dn";
/// The attribute of Active Directory whose bits say what an account may do.
pub(crate) const ACCOUNT_CONTROL: &str = "userAccountControl";
/// Attributes that hold passwords in one form or another: known only where the configuration names them, and never
/// read.
const SECRETS: [&str; 20] = [
    "userPassword",
    "authPassword",
    "krbPrincipalKey",
    "sambaNTPassword",
    "sambaLMPassword",
    "unicodePwd",
    "unixUserPassword",
    "dBCSPwd",
    "lmPwdHistory",
    "ntPwdHistory",
    "supplementalCredentials",
    "initialAuthIncoming",
    "initialAuthOutgoing",
    "trustAuthIncoming",
    "trustAuthOutgoing",
    "ms-Mcs-AdmPwd",
    "msLAPS-Password",
    "msLAPS-EncryptedPassword",
    "msDS-ManagedPassword",
    "msFVE-RecoveryPassword",
];

/// One object type.
#[derive(Clone, Debug)]
pub(crate) struct TypeMap {
    pub(crate) config: TypeConfig,
    pub(crate) schema: ObjectSchema,
    /// The attribute with the external id.
    pub(crate) external_id: String,
    /// How that id travels.
    pub(crate) external_id_form: Form,
    /// The attribute that stands for the "disabled" bit of `userAccountControl`.
    pub(crate) disabled_bit: Option<Name>,
    /// What a search asks for.
    pub(crate) wanted: Arc<[String]>,
    /// References without which an entry is refused, such as the members of a `groupOfNames`.
    pub(crate) required_references: Vec<Name>,
    by_description: HashMap<String, usize>,
    without_equality: HashSet<Name>,
    transferred_binary: HashSet<Name>,
    forms: HashMap<Name, Form>,
}

impl TypeMap {
    /// Builds the type from what the server says, or from `configured` where a person said otherwise.
    pub(crate) fn new(
        config: TypeConfig,
        external_id: (&str, Form),
        catalog: &Catalog,
        configured: Option<&ObjectSchema>,
    ) -> Self {
        let (external_id, external_id_form) = external_id;
        let schema = configured.cloned().unwrap_or_else(|| discover(&config, external_id, catalog));
        let facts: Vec<Option<AttributeFacts>> =
            schema.attributes.iter().map(|attribute| catalog.attribute(attribute.name.as_str())).collect();
        let named = |test: fn(&AttributeFacts) -> bool| -> HashSet<Name> {
            let pairs = schema.attributes.iter().zip(&facts);
            pairs
                .filter(|(_, facts)| facts.as_ref().is_some_and(test))
                .map(|(attribute, _)| attribute.name)
                .collect()
        };
        let forms = schema.attributes.iter().zip(&facts).filter_map(|(attribute, facts)| {
            let form = facts.as_ref().map(|facts| facts.form)?;
            (form != Form::Plain).then_some((attribute.name, form))
        });
        let mut forms: HashMap<Name, Form> = forms.collect();
        if let Some(known) =
            schema.attributes.iter().find(|one| one.name.as_str().eq_ignore_ascii_case(external_id))
        {
            forms.insert(known.name, external_id_form);
        }
        let transferred_binary = named(|facts| facts.is_transferred_binary);
        let without_equality = named(|facts| !facts.has_equality);
        let mut by_description = HashMap::new();
        for (at, attribute) in schema.attributes.iter().enumerate() {
            let aliases = facts[at].iter().flat_map(|facts| facts.aliases.iter().chain([&facts.name]));
            for alias in aliases {
                by_description.entry(alias.to_ascii_lowercase()).or_insert(at);
            }
            by_description.insert(attribute.name.folded().to_owned(), at);
            // As servers write it, so that nothing is folded for the usual answer.
            by_description.insert(attribute.name.as_str().to_owned(), at);
        }
        let required = catalog.content(config.object_class.iter().map(String::as_str)).must;
        let required_references = schema
            .attributes
            .iter()
            .filter(|attribute| attribute.kind.value == ValueType::Reference && !attribute.read_only)
            .filter(|attribute| {
                required.iter().any(|name| name.eq_ignore_ascii_case(attribute.name.as_str()))
            })
            .map(|attribute| attribute.name)
            .collect();
        let address = Name::literal(ADDRESS);
        let disabled_bit = forms.iter().find(|(_, form)| **form == Form::DisabledBit).map(|(name, _)| *name);
        let read = schema
            .attributes
            .iter()
            .filter(|one| one.name != address && !one.sensitive && Some(one.name) != disabled_bit);
        let mut wanted: Vec<String> = read.map(|one| described(one.name, &transferred_binary)).collect();
        let bits = disabled_bit.map(|_| ACCOUNT_CONTROL);
        for needed in [external_id].into_iter().chain(bits) {
            if !wanted.iter().any(|name| name.eq_ignore_ascii_case(needed)) {
                wanted.push(needed.to_owned());
            }
        }
        Self {
            config,
            external_id: external_id.to_owned(),
            external_id_form,
            disabled_bit,
            forms,
            wanted: wanted.into(),
            required_references,
            by_description,
            without_equality,
            transferred_binary,
            schema,
        }
    }

    /// The same type, as far as it lies below `container`.
    pub(crate) fn based_at(&self, container: &str) -> Self {
        let mut map = self.clone();
        container.clone_into(&mut map.config.base);
        map
    }

    /// The attribute that a description such as `userCertificate;binary` means; other options are other attributes.
    pub(crate) fn attribute(&self, description: &str) -> Option<&AttributeSchema> {
        if let Some(at) = self.by_description.get(description) {
            return Some(&self.schema.attributes[*at]);
        }
        let description = description.to_ascii_lowercase();
        let name = description.strip_suffix(";binary").unwrap_or(&description);
        self.by_description.get(name).map(|at| &self.schema.attributes[*at])
    }

    /// How the attribute is written in requests.
    pub(crate) fn description(&self, name: Name) -> String {
        described(name, &self.transferred_binary)
    }

    /// How the attribute's values travel.
    pub(crate) fn form(&self, name: Name) -> Form {
        self.forms.get(&name).copied().unwrap_or_default()
    }

    /// A filter for the entry with this external id; what is no id matches nothing.
    pub(crate) fn filter_for(&self, id: &str) -> String {
        let bytes = value::encode(self.external_id_form, &Value::text(id));
        filter::equals(&self.external_id, &bytes.unwrap_or_else(|_| id.as_bytes().to_vec()))
    }

    /// Whether single values can be taken out of the attribute; unknown attributes are supposed to be ordinary.
    pub(crate) fn has_equality(&self, name: Name) -> bool {
        !self.without_equality.contains(&name)
    }
}

fn described(name: Name, transferred_binary: &HashSet<Name>) -> String {
    let option = if transferred_binary.contains(&name) { ";binary" } else { "" };
    format!("{name}{option}")
}

fn discover(config: &TypeConfig, external_id: &str, catalog: &Catalog) -> ObjectSchema {
    let classes = config.object_class.iter().chain(&config.extra_object_class);
    let content = catalog.content(classes.map(String::as_str));
    let address = AttributeSchema {
        ignore_case: true,
        ..AttributeSchema::new(Name::literal(ADDRESS), AttributeType::STRING)
    };
    let mut attributes = vec![address];
    let mut seen = HashSet::from([Name::literal(ADDRESS)]);
    let is_shown = |name: &&str| {
        let facts = catalog.attribute(name);
        let is_written = facts.as_ref().is_some_and(|facts| facts.form == Form::QuotedPassword);
        (is_written || !is_secret(name)) && facts.is_none_or(|facts| facts.by_default)
    };
    let names = content.must.iter().chain(&content.may).map(String::as_str).filter(is_shown);
    for name in config.attributes.keys().map(String::as_str).chain([external_id]).chain(names) {
        let Some(attribute) = attribute(name, config, external_id, catalog) else { continue };
        if seen.insert(attribute.name) {
            attributes.push(attribute);
        }
    }
    attributes.sort_by_key(|attribute| attribute.name);
    ObjectSchema { object_type: config.name, address: Some(Name::literal(ADDRESS)), attributes }
}

fn attribute(
    name: &str,
    config: &TypeConfig,
    external_id: &str,
    catalog: &Catalog,
) -> Option<AttributeSchema> {
    let facts = catalog.attribute(name);
    let declared = config.attributes.iter().find(|(known, _)| {
        let is_alias = |facts: &AttributeFacts| facts.name.eq_ignore_ascii_case(known);
        known.eq_ignore_ascii_case(name) || facts.as_ref().is_some_and(is_alias)
    });
    let kind = declared.map(|(_, kind)| *kind);
    let spelling = facts.as_ref().map_or(name, |facts| facts.name.as_str());
    let refers_by = config.refers_by(spelling);
    let discovered = facts.as_ref().map(|facts| match refers_by {
        Some(_) => AttributeType { value: ValueType::Reference, ..facts.kind },
        None => facts.kind,
    });
    // An attribute that only the configuration knows has the type written there; the external id is text.
    let kind = kind.or(discovered).or((name == external_id).then_some(AttributeType::STRING))?;
    Some(AttributeSchema {
        name: Name::new(spelling).ok()?,
        kind,
        ignore_case: facts.as_ref().is_some_and(|facts| facts.ignore_case),
        read_only: facts.as_ref().is_some_and(|facts| facts.read_only)
            || name.eq_ignore_ascii_case(external_id),
        sensitive: is_secret(spelling),
        refers_by: refers_by.filter(|_| kind.value == ValueType::Reference),
        mended: kind.value == ValueType::Reference
            && refers_by.is_none()
            && facts.as_ref().is_some_and(|facts| facts.mended),
    })
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::transport::Entry;

    const ATTRIBUTES: [&str; 5] = [
        "( 1.1 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreIA5Match )",
        "( 1.2 NAME 'member' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )",
        "( 1.3 NAME 'photo' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 )",
        "( 1.4 NAME 'cert' SYNTAX 1.3.6.1.4.1.1466.115.121.1.8 )",
        "( 1.5 NAME 'userPassword' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
    ];

    fn catalog() -> Catalog {
        let values = |list: &[&str]| list.iter().map(|text| text.as_bytes().to_vec()).collect();
        let class =
            "( 2.1 NAME 'team' MUST member MAY ( rfc822Mailbox $ photo $ cert $ userPassword $ unknown ) )";
        Catalog::new(&Entry {
            dn: String::new(),
            attributes: vec![
                ("attributeTypes".to_owned(), values(&ATTRIBUTES)),
                ("objectClasses".to_owned(), values(&[class])),
            ],
        })
    }

    fn map(attributes: &str) -> TypeMap {
        let config = TypeConfig {
            name: Name::literal("team"),
            object_class: vec!["team".to_owned()],
            extra_object_class: vec![],
            filter: "(objectClass=team)".to_owned(),
            base: "dc=t".to_owned(),
            attributes: serde_json::from_str(attributes).unwrap(),
            refers_by: BTreeMap::new(),
        };
        TypeMap::new(config, ("entryUUID", Form::Plain), &catalog(), None)
    }

    /// A type with mail, member (which it must have), photo (without equality) and a certificate.
    pub(crate) fn test_map() -> TypeMap {
        map("{}")
    }

    #[test]
    fn attributes_have_one_spelling_and_passwords_are_not_among_them() {
        let map = test_map();
        let names: Vec<&str> = map.schema.attributes.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["cert", "dn", "entryUUID", "mail", "member", "photo"]);
        assert_eq!(map.wanted.to_vec(), ["cert;binary", "entryUUID", "mail", "member", "photo"]);
        assert_eq!(map.attribute("RFC822mailbox").map(|one| one.name.as_str()), Some("mail"));
        assert_eq!(map.attribute("cert;binary").map(|one| one.name.as_str()), Some("cert"));
        assert!(map.attribute("mail;lang-de").is_none());
        assert_eq!(map.required_references, [Name::literal("member")]);
    }

    #[test]
    fn a_declared_password_can_be_written_and_is_never_read() {
        let map = map(r#"{"userPassword": "string[]", "rfc822Mailbox": "string"}"#);
        let password = map.attribute("userpassword").unwrap();
        assert!(password.sensitive && !map.wanted.iter().any(|name| name == "userPassword"));
        assert_eq!(map.attribute("mail").unwrap().kind, AttributeType::STRING);
    }

    #[test]
    fn members_of_a_unix_group_refer_by_uid_unless_declared_to_be_text() {
        let seen = |attributes: &str| {
            let member = map(attributes).attribute("memberUid").unwrap().clone();
            (member.kind.to_string(), member.refers_by.map(|by| by.to_string()))
        };
        assert_eq!(
            seen(r#"{"memberuid": "reference[]"}"#),
            ("reference[]".to_owned(), Some("uid".to_owned()))
        );
        assert_eq!(seen(r#"{"memberUid": "string[]"}"#), ("string[]".to_owned(), None));
    }

    #[test]
    fn a_configured_schema_stands() {
        let mail = AttributeSchema::new(Name::literal("rfc822Mailbox"), AttributeType::STRING);
        let schema =
            ObjectSchema { object_type: Name::literal("team"), address: None, attributes: vec![mail] };
        let map = TypeMap::new(test_map().config, ("entryUUID", Form::Plain), &catalog(), Some(&schema));
        assert_eq!(map.schema, schema);
        assert_eq!(map.attribute("mail").map(|one| one.name.as_str()), Some("rfc822Mailbox"));
    }
}
