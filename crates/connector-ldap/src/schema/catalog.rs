//! All definitions of a server, found by every name that they have, with what they inherit.

use std::collections::{HashMap, HashSet};

use identitymesh_model::{AttributeType, ValueType};

use super::definition::Definition;
use crate::transport::Entry;
use crate::value::Form;

/// Most definitions of one kind; directories have a few thousand.
const DEFINITION_COUNT_MAX: usize = 50_000;
/// Longest chain of superiors.
const SUPERIOR_DEPTH_MAX: usize = 32;

const SYNTAXES: &str = "1.3.6.1.4.1.1466.115.121.1.";

/// What is known of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributeFacts {
    /// Its first name.
    pub(crate) name: String,
    /// Its other names.
    pub(crate) aliases: Vec<String>,
    pub(crate) kind: AttributeType,
    pub(crate) ignore_case: bool,
    pub(crate) read_only: bool,
    /// Single values can be taken out and compared.
    pub(crate) has_equality: bool,
    /// Travels with `;binary` (RFC 4522).
    pub(crate) is_transferred_binary: bool,
    /// How its values travel.
    pub(crate) form: Form,
    /// Types have it without being told to.
    pub(crate) by_default: bool,
    /// A value goes with the entry that it names, and no delta says so.
    pub(crate) mended: bool,
}

/// Attributes that a class asks for and allows, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) must: Vec<String>,
    pub(crate) may: Vec<String>,
}

/// The definitions.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    attributes: HashMap<String, Definition>,
    classes: HashMap<String, Definition>,
    /// Attributes of a server that says more than definitions do.
    known: HashMap<String, AttributeFacts>,
    /// Attributes that the administrator says the server keeps in step with deletions, in lower case.
    kept_in_step: HashSet<String>,
}

impl Catalog {
    /// From a subschema entry.
    pub(crate) fn new(entry: &Entry) -> Self {
        let index = |attribute: &str| {
            let mut index = HashMap::new();
            for text in entry.texts(attribute).take(DEFINITION_COUNT_MAX) {
                let Some(definition) = Definition::parse(text) else {
                    tracing::warn!(
                        attribute,
                        text = text.chars().take(80).collect::<String>(),
                        "definition left out"
                    );
                    continue;
                };
                for name in definition.all("NAME").iter().chain([&definition.oid]) {
                    index.entry(name.to_ascii_lowercase()).or_insert_with(|| definition.clone());
                }
            }
            index
        };
        Self { attributes: index("attributeTypes"), classes: index("objectClasses"), ..Self::default() }
    }

    /// From what a server says in another form.
    pub(crate) fn known(
        attributes: impl Iterator<Item = AttributeFacts>,
        classes: impl Iterator<Item = Definition>,
    ) -> Self {
        let mut catalog = Self::default();
        for facts in attributes.take(DEFINITION_COUNT_MAX) {
            catalog.known.insert(facts.name.to_ascii_lowercase(), facts);
        }
        for class in classes.take(DEFINITION_COUNT_MAX) {
            for name in class.all("NAME").iter().chain([&class.oid]) {
                catalog.classes.entry(name.to_ascii_lowercase()).or_insert_with(|| class.clone());
            }
        }
        catalog
    }

    /// The same, of a server that takes deleted entries out of these attributes and says so nowhere.
    pub(crate) fn keeping_in_step(mut self, attributes: &[String]) -> Self {
        self.kept_in_step = attributes.iter().map(|name| name.to_ascii_lowercase()).collect();
        self
    }

    /// Whether nothing is known at all.
    pub(crate) fn is_empty(&self) -> bool {
        (self.attributes.is_empty() && self.known.is_empty()) || self.classes.is_empty()
    }

    /// Whether the class is defined.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.classes.contains_key(&class.to_ascii_lowercase())
    }

    /// An attribute with what it inherits.
    pub(crate) fn attribute(&self, name: &str) -> Option<AttributeFacts> {
        if let Some(facts) = self.known.get(&name.to_ascii_lowercase()) {
            return Some(facts.clone());
        }
        let definition = self.attributes.get(&name.to_ascii_lowercase())?;
        let syntax = self.inherited(definition, "SYNTAX").unwrap_or_default();
        let syntax = syntax.split('{').next().unwrap_or_default();
        let equality = self.inherited(definition, "EQUALITY").unwrap_or_default();
        let names = definition.all("NAME");
        let value = value_type(syntax);
        Some(AttributeFacts {
            name: names.first().unwrap_or(&definition.oid).clone(),
            aliases: names.iter().skip(1).cloned().chain([definition.oid.clone()]).collect(),
            kind: AttributeType { value, multi: !definition.has("SINGLE-VALUE") },
            ignore_case: value == ValueType::Reference || ignores_case(equality),
            read_only: definition.has("NO-USER-MODIFICATION") || definition.has("COLLECTIVE"),
            has_equality: !equality.is_empty(),
            is_transferred_binary: matches!(syntax.strip_prefix(SYNTAXES), Some("8" | "9" | "10")),
            form: Form::Plain,
            by_default: true,
            mended: names.iter().any(|name| self.kept_in_step.contains(&name.to_ascii_lowercase())),
        })
    }

    /// What entries of these classes hold, superiors included.
    pub(crate) fn content<'a>(&self, classes: impl Iterator<Item = &'a str>) -> Content {
        let mut content = Content::default();
        let (mut seen, mut waiting) =
            (HashSet::new(), classes.map(str::to_ascii_lowercase).collect::<Vec<_>>());
        while let Some(class) = waiting.pop() {
            let Some(definition) = self.classes.get(&class) else { continue };
            // The set makes the walk end however the superiors point at each other.
            if seen.insert(definition.oid.clone()) {
                waiting.extend(definition.all("SUP").iter().map(|class| class.to_ascii_lowercase()));
                content.must.extend(definition.all("MUST").iter().cloned());
                content.may.extend(definition.all("MAY").iter().cloned());
            }
        }
        content
    }

    fn inherited<'a>(&'a self, definition: &'a Definition, keyword: &str) -> Option<&'a str> {
        let mut definition = definition;
        for _ in 0..SUPERIOR_DEPTH_MAX {
            if let Some(value) = definition.one(keyword) {
                return Some(value);
            }
            definition = self.attributes.get(&definition.one("SUP")?.to_ascii_lowercase())?;
        }
        None
    }
}

fn value_type(syntax: &str) -> ValueType {
    match syntax.strip_prefix(SYNTAXES) {
        Some("27") => ValueType::Integer,
        Some("7") => ValueType::Boolean,
        Some("24") => ValueType::DateTime,
        // Audio, binary, certificates, fax, JPEG, octet string.
        Some("4" | "5" | "8" | "9" | "10" | "23" | "28" | "40") => ValueType::Binary,
        Some("12" | "34") => ValueType::Reference,
        _ => ValueType::String,
    }
}

fn ignores_case(equality: &str) -> bool {
    let rule = equality.to_ascii_lowercase();
    rule.starts_with("caseignore") || rule == "telephonenumbermatch" || rule == "objectidentifiermatch"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(attributes: &[&str], classes: &[&str]) -> Catalog {
        let values = |list: &[&str]| list.iter().map(|text| text.as_bytes().to_vec()).collect();
        Catalog::new(&Entry {
            dn: "cn=Subschema".to_owned(),
            attributes: vec![
                ("attributeTypes".to_owned(), values(attributes)),
                ("objectClasses".to_owned(), values(classes)),
            ],
        })
    }

    #[test]
    fn attributes_inherit_syntax_and_equality() {
        let catalog = catalog(
            &[
                "( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
                "( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )",
                "( 1.1 NAME 'at' SYNTAX '1.3.6.1.4.1.1466.115.121.1.24' SINGLE-VALUE NO-USER-MODIFICATION )",
                "( 1.2 NAME 'boss' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )",
                "( 1.3 NAME 'loop' SUP loop )",
                "( 2.5.4.36 NAME 'userCertificate' SYNTAX 1.3.6.1.4.1.1466.115.121.1.8 )",
            ],
            &["( 9.1 NAME 'x' )"],
        );
        let sn = catalog.attribute("SURNAME").unwrap();
        assert_eq!((sn.name.as_str(), sn.ignore_case, sn.has_equality), ("sn", true, true));
        assert_eq!(sn.kind.to_string(), "string[]");
        let at = catalog.attribute("at").unwrap();
        assert_eq!((at.kind.to_string().as_str(), at.read_only, at.has_equality), ("datetime", true, false));
        assert_eq!(catalog.attribute("boss").unwrap().kind.value, ValueType::Reference);
        assert_eq!(catalog.attribute("loop").unwrap().kind.value, ValueType::String);
        assert!(catalog.attribute("usercertificate").unwrap().is_transferred_binary);
        assert!(catalog.attribute("other").is_none() && !catalog.is_empty() && !catalog.has_class("y"));
    }

    #[test]
    fn content_is_gathered_along_superiors_even_in_circles() {
        let catalog = catalog(
            &["( 1.1 NAME 'a' )"],
            &[
                "( 2.1 NAME 'top' ABSTRACT MUST objectClass )",
                "( 2.2 NAME 'person' SUP top MUST ( sn $ cn ) MAY mail )",
                "( 2.3 NAME 'worker' SUP ( person $ worker ) MAY number )",
                "( 2.4 NAME 'broken' MUST ( cn",
            ],
        );
        let content = catalog.content(["worker", "WORKER", "missing", "broken"].into_iter());
        assert_eq!(content.must, ["sn", "cn", "objectClass"]);
        assert_eq!(content.may, ["number", "mail"]);
    }
}
