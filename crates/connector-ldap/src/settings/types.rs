//! Object types: which entries are of a type, what they are made of, and the three that need no saying.

use std::collections::BTreeMap;

use identitymesh_connector::Problem;
use identitymesh_model::{AttributeType, Name, ValueType, dn};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::filter;

/// Most object types of one connector.
const TYPE_COUNT_MAX: usize = 64;

/// Attributes of standard schemas that refer to entries by another attribute than their names (RFC 2307).
const REFERS_BY: [(&str, &str); 1] = [("memberUid", "uid")];

/// One object type.
#[derive(Clone, Debug)]
pub(crate) struct TypeConfig {
    pub(crate) name: Name,
    /// Classes that every entry of the type has; new entries get them.
    pub(crate) object_class: Vec<String>,
    /// Classes that new entries get besides.
    pub(crate) extra_object_class: Vec<String>,
    /// Which entries are of this type.
    pub(crate) filter: String,
    /// Where they lie.
    pub(crate) base: String,
    /// Attributes with a type that differs from the discovered one, or that the classes do not name.
    pub(crate) attributes: BTreeMap<String, AttributeType>,
    /// Attributes that refer to entries by what those hold in another attribute, beside those of standard schemas.
    pub(crate) refers_by: BTreeMap<String, String>,
}

impl TypeConfig {
    /// The attribute whose values this one refers to entries by, where it does not by their names.
    pub(crate) fn refers_by(&self, attribute: &str) -> Option<Name> {
        let said = self.refers_by.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        let by = said.map(|(_, by)| by.as_str());
        let known = REFERS_BY.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        Name::new(by.or(known.map(|(_, by)| *by))?).ok()
    }
}

/// As written; what is left out comes from the type's default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    object_class: Option<Vec<String>>,
    #[serde(default)]
    extra_object_class: Vec<String>,
    filter: Option<String>,
    base: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, AttributeType>,
    #[serde(default)]
    refers_by: BTreeMap<String, String>,
}

/// Which servers the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Whatever answers.
    Any,
    /// Active Directory and nothing else.
    ActiveDirectory,
}

/// A type that needs no saying: its name, class and filter (an empty one asks for the class), and whether it is there
/// when no types are configured.
type Default = (&'static str, &'static str, &'static str, bool);

impl Family {
    const fn defaults(self) -> &'static [Default] {
        match self {
            Self::Any => &[
                ("user", "inetOrgPerson", "", true),
                ("group", "groupOfNames", "", true),
                ("orgUnit", "organizationalUnit", "", true),
            ],
            // Contacts and computers are also persons and users to their classes.
            Self::ActiveDirectory => &[
                ("user", "user", "(&(objectCategory=person)(objectClass=user))", true),
                ("group", "group", "(objectCategory=group)", true),
                ("orgUnit", "organizationalUnit", "(objectCategory=organizationalUnit)", true),
                ("contact", "contact", "(&(objectCategory=person)(objectClass=contact))", false),
                ("computer", "computer", "(objectCategory=computer)", false),
            ],
        }
    }
}

/// All types, by the setting `types` or by default.
pub(crate) fn read(
    setting: Option<&Json>,
    base: &str,
    family: Family,
) -> Result<Vec<TypeConfig>, Vec<Problem>> {
    let defaults = || {
        let there = family.defaults().iter().filter(|(.., is_there)| *is_there);
        there.map(|(name, ..)| ((*name).to_owned(), Json::Object(serde_json::Map::new())))
    };
    let tables: Vec<(String, Json)> = match setting {
        None => defaults().collect(),
        Some(Json::Object(tables)) if (1..=TYPE_COUNT_MAX).contains(&tables.len()) => {
            tables.iter().map(|(name, table)| (name.clone(), table.clone())).collect()
        }
        Some(_) => {
            let message = format!(
                "must be a table with 1 to {TYPE_COUNT_MAX} object types, such as [settings.types.user]"
            );
            return Err(vec![Problem::setting("types", message)]);
        }
    };
    let (mut types, mut problems) = (Vec::new(), Vec::new());
    for (name, table) in tables {
        match read_one(&name, table, base, family) {
            Ok(read) => types.push(read),
            Err(message) => problems.push(Problem::setting(&format!("types.{name}"), message)),
        }
    }
    if problems.is_empty() { Ok(types) } else { Err(problems) }
}

fn read_one(name: &str, table: Json, base: &str, family: Family) -> Result<TypeConfig, String> {
    let type_name = Name::new(name).map_err(|error| error.to_string())?;
    let written: Written = serde_json::from_value(table).map_err(|error| error.to_string())?;
    let default = family.defaults().iter().find(|(known, ..)| *known == name);
    // Somebody who names other classes means other entries.
    let default_filter =
        default.filter(|(.., filter, _)| written.object_class.is_none() && !filter.is_empty());
    let object_class = written
        .object_class
        .or(default.map(|(_, class, ..)| vec![(*class).to_owned()]))
        .filter(|classes| !classes.is_empty())
        .ok_or("needs object_class, such as object_class = [\"inetOrgPerson\"]")?;
    let words = object_class.iter().chain(&written.extra_object_class).chain(written.attributes.keys());
    let words = words.chain(written.refers_by.iter().flat_map(|(name, by)| [name, by]));
    if let Some(wrong) = words.into_iter().find(|word| !is_word(word)) {
        return Err(format!("{wrong:?} is no name of an object class or attribute"));
    }
    if written.attributes.keys().any(|name| name.eq_ignore_ascii_case("dn")) {
        return Err("dn is the entry's address and no attribute to declare".to_owned());
    }
    let declared = |name: &str| written.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    for name in written.refers_by.keys() {
        if declared(name).is_some_and(|(_, kind)| kind.value != ValueType::Reference) {
            return Err(format!(
                "refers_by says that {name} refers to entries, and attributes that it does not"
            ));
        }
    }
    let filter = written.filter.or(default_filter.map(|(.., filter, _)| (*filter).to_owned()));
    let filter = filter.unwrap_or_else(|| filter::of_classes(&object_class));
    if !filter::is_valid(&filter) {
        return Err(format!("{filter:?} is no filter such as (objectClass=inetOrgPerson)"));
    }
    let type_base = written.base.unwrap_or_else(|| base.to_owned());
    if !dn::is_within(&type_base, base) {
        return Err(format!("base must lie within {base}; {type_base} does not"));
    }
    Ok(TypeConfig {
        name: type_name,
        object_class,
        extra_object_class: written.extra_object_class,
        filter,
        base: type_base,
        attributes: written.attributes,
        refers_by: written.refers_by,
    })
}

/// A short name or an object identifier.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(setting: Json) -> String {
        let problems = read(Some(&setting), "dc=t", Family::Any).unwrap_err();
        format!("{} {}", problems[0].path, problems[0].message)
    }

    #[test]
    fn three_types_need_no_saying() {
        let types = read(None, "dc=t", Family::Any).unwrap();
        let seen: Vec<_> =
            types.iter().map(|one| (one.name.as_str(), one.filter.as_str(), one.base.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("user", "(objectClass=inetOrgPerson)", "dc=t"),
                ("group", "(objectClass=groupOfNames)", "dc=t"),
                ("orgUnit", "(objectClass=organizationalUnit)", "dc=t"),
            ]
        );
    }

    #[test]
    fn active_directory_has_types_of_its_own() {
        let setting = json!({"user": {}, "contact": {}, "computer": {"object_class": ["computer"]}});
        let types = read(Some(&setting), "dc=t", Family::ActiveDirectory).unwrap();
        let seen: Vec<_> = types.iter().map(|one| (one.name.as_str(), one.filter.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("computer", "(objectClass=computer)"),
                ("contact", "(&(objectCategory=person)(objectClass=contact))"),
                ("user", "(&(objectCategory=person)(objectClass=user))"),
            ]
        );
        assert_eq!(read(None, "dc=t", Family::ActiveDirectory).unwrap().len(), 3);
    }

    #[test]
    fn an_attribute_refers_by_another_one_or_is_no_reference() {
        let setting = json!({"user": {"refers_by": {"mailMember": "mail"}}});
        let user = &read(Some(&setting), "dc=t", Family::Any).unwrap()[0];
        let by = |name: &str| user.refers_by(name).map(|by| by.to_string());
        assert_eq!(
            (by("MAILMEMBER"), by("memberuid"), by("member")),
            (Some("mail".into()), Some("uid".into()), None)
        );
        let contrary =
            json!({"user": {"attributes": {"mailmember": "string"}, "refers_by": {"mailMember": "mail"}}});
        assert!(message(contrary).contains("mailMember refers to entries, and attributes that it does not"));
        assert!(message(json!({"user": {"refers_by": {"a": "b c"}}})).contains("\"b c\" is no name"));
    }

    #[test]
    fn what_is_said_replaces_the_defaults() {
        let setting = json!({"user": {"base": "ou=p,dc=t", "extra_object_class": ["posixAccount"],
            "attributes": {"cn": "string"}}});
        let types = read(Some(&setting), "dc=t", Family::Any).unwrap();
        assert_eq!((types.len(), types[0].base.as_str()), (1, "ou=p,dc=t"));
        assert_eq!(types[0].object_class, ["inetOrgPerson"]);
        assert_eq!(types[0].attributes["cn"], AttributeType::STRING);
    }

    #[test]
    fn mistakes_are_named_with_their_type() {
        assert!(message(json!([])).starts_with("settings.types must be a table"));
        assert!(message(json!({})).contains("1 to 64"));
        assert!(message(json!({"printer": {}})).contains("settings.types.printer needs object_class"));
        assert!(message(json!({"user": {"filter": "a=b"}})).contains("no filter"));
        assert!(message(json!({"user": {"base": "dc=other"}})).contains("must lie within dc=t"));
        assert!(message(json!({"user": {"bsae": "dc=t"}})).contains("bsae"));
        assert!(message(json!({"user": {"attributes": {"dn": "string"}}})).contains("address"));
        assert!(message(json!({"user": {"attributes": {"a b": "string"}}})).contains("a b"));
        assert!(message(json!({"user": {"attributes": {"cn": "text"}}})).contains("MDL-020"));
        let many: serde_json::Map<_, _> = (0..65).map(|at| (format!("t{at}"), json!({}))).collect();
        assert!(message(Json::Object(many)).contains("1 to 64"));
    }
}
