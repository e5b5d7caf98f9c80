//! The schema as Active Directory keeps it: one entry for each attribute and class.
//!
//! The subschema entry that every directory has says too little here: not which attributes the controller computes,
//! which differ between controllers, or which are the other end of a link. Those are known to no type unless the
//! configuration names them, because they would look like changes that nobody made.

use identitymesh_connector::ConnectorError;
use identitymesh_model::{AttributeType, ValueType};

use crate::page;
use crate::schema::{AttributeFacts, Catalog, Definition};
use crate::transport::{Entry, Reach, Search, Transport};
use crate::value::Form;

/// `systemFlags`: kept by each controller for itself.
const NOT_REPLICATED: i64 = 1;
/// `systemFlags`: computed when it is asked for.
const CONSTRUCTED: i64 = 4;

/// Attributes whose large integer is a moment and not a number.
const MOMENTS: [&str; 9] = [
    "accountExpires",
    "badPasswordTime",
    "creationTime",
    "lastLogoff",
    "lastLogon",
    "lastLogonTimestamp",
    "lastSetTime",
    "lockoutTime",
    "msDS-LastSuccessfulInteractiveLogonTime",
];
/// Attributes that only the controller writes although its schema does not say so.
const READ_ONLY: [&str; 7] =
    ["distinguishedName", "name", "objectCategory", "objectGUID", "objectSid", "whenChanged", "whenCreated"];
/// An attribute of this connector's own: the bit of `userAccountControl` that says "disabled".
const DISABLED: &str = "accountDisabled";

/// Asks the controller for its schema.
pub(crate) async fn load(transport: &dyn Transport, root: &Entry) -> Result<Catalog, ConnectorError> {
    let base = root.texts("schemaNamingContext").next().unwrap_or("CN=Schema,CN=Configuration").to_owned();
    let search = |class: &str, attributes: &[&str]| Search {
        base: base.clone(),
        reach: Reach::OneLevel,
        filter: format!("(objectClass={class})"),
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        page: None,
        controls: Vec::new(),
    };
    let attributes = search(
        "attributeSchema",
        &[
            "lDAPDisplayName",
            "attributeID",
            "attributeSyntax",
            "isSingleValued",
            "systemFlags",
            "systemOnly",
            "linkID",
        ],
    );
    let classes = search(
        "classSchema",
        &[
            "lDAPDisplayName",
            "governsID",
            "subClassOf",
            "auxiliaryClass",
            "systemAuxiliaryClass",
            "mustContain",
            "systemMustContain",
            "mayContain",
            "systemMayContain",
        ],
    );
    let attributes = page::all(transport, "reading the schema", attributes).await?;
    let classes = page::all(transport, "reading the schema", classes).await?;
    let attributes = attributes.iter().filter_map(facts).chain([disabled()]);
    Ok(Catalog::known(attributes, classes.iter().filter_map(class)))
}

fn disabled() -> AttributeFacts {
    AttributeFacts {
        name: DISABLED.to_owned(),
        aliases: Vec::new(),
        kind: AttributeType { value: ValueType::Boolean, multi: false },
        ignore_case: false,
        read_only: false,
        has_equality: true,
        is_transferred_binary: false,
        form: Form::DisabledBit,
        by_default: true,
        mended: false,
    }
}

fn one<'a>(entry: &'a Entry, attribute: &str) -> Option<&'a str> {
    entry.texts(attribute).next()
}

fn facts(entry: &Entry) -> Option<AttributeFacts> {
    let name = one(entry, "lDAPDisplayName")?;
    let number = |attribute: &str| one(entry, attribute).and_then(|text| text.parse::<i64>().ok());
    let flags = number("systemFlags").unwrap_or(0);
    let link = number("linkID");
    let is_back_link = link.is_some_and(|link| link % 2 == 1);
    let is = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    let syntax = one(entry, "attributeSyntax")?;
    let (mut value, mut form, ignore_case) = typed(syntax);
    let mut multi = one(entry, "isSingleValued") != Some("TRUE");
    if value == ValueType::Integer && is(&MOMENTS) {
        (value, form) = (ValueType::DateTime, Form::FileTime);
    } else if value == ValueType::Binary && name.to_ascii_lowercase().ends_with("guid") {
        (value, form) = (ValueType::String, Form::Guid);
    } else if name.eq_ignore_ascii_case("unicodePwd") {
        (value, form, multi) = (ValueType::String, Form::QuotedPassword, false);
    }
    Some(AttributeFacts {
        name: name.to_owned(),
        aliases: one(entry, "attributeID").map(str::to_owned).into_iter().collect(),
        kind: AttributeType { value, multi },
        ignore_case,
        read_only: one(entry, "systemOnly") == Some("TRUE")
            || flags & CONSTRUCTED != 0
            || is_back_link
            || is(&READ_ONLY),
        // A moment is kept more finely than the mesh knows it, so its old value cannot be named.
        has_equality: !matches!(form, Form::FileTime | Form::QuotedPassword),
        is_transferred_binary: false,
        form,
        by_default: flags & (CONSTRUCTED | NOT_REPLICATED) == 0
            && !is_back_link
            // Security descriptors need rights and a control of their own.
            && syntax != "2.5.5.15",
        mended: link.is_some() && !is_back_link,
    })
}

/// A syntax's type, form, and whether case says nothing.
fn typed(syntax: &str) -> (ValueType, Form, bool) {
    match syntax {
        "2.5.5.1" => (ValueType::Reference, Form::Plain, true),
        "2.5.5.8" => (ValueType::Boolean, Form::Plain, false),
        "2.5.5.9" | "2.5.5.16" => (ValueType::Integer, Form::Plain, false),
        "2.5.5.10" | "2.5.5.15" => (ValueType::Binary, Form::Plain, false),
        "2.5.5.11" => (ValueType::DateTime, Form::Plain, false),
        "2.5.5.17" => (ValueType::String, Form::Sid, false),
        "2.5.5.2" | "2.5.5.4" | "2.5.5.12" => (ValueType::String, Form::Plain, true),
        _ => (ValueType::String, Form::Plain, false),
    }
}

fn class(entry: &Entry) -> Option<Definition> {
    let all = |attributes: &[&str]| -> Vec<String> {
        attributes.iter().flat_map(|attribute| entry.texts(attribute)).map(str::to_owned).collect()
    };
    let mut may = all(&["mayContain", "systemMayContain"]);
    if may.iter().any(|name| name == "userAccountControl") {
        may.push(DISABLED.to_owned());
    }
    Some(Definition::new(
        one(entry, "governsID")?,
        vec![
            ("NAME", all(&["lDAPDisplayName"])),
            ("SUP", all(&["subClassOf", "auxiliaryClass", "systemAuxiliaryClass"])),
            ("MUST", all(&["mustContain", "systemMustContain"])),
            ("MAY", may),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, syntax: &str, more: &[(&str, &str)]) -> Entry {
        let pairs = [("lDAPDisplayName", name), ("attributeSyntax", syntax), ("isSingleValued", "TRUE")];
        let attributes = pairs.iter().chain(more);
        let attributes =
            attributes.map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]));
        Entry { dn: String::new(), attributes: attributes.collect() }
    }

    #[test]
    fn attributes_have_types_that_people_know() {
        for (name, syntax, kind, form) in [
            ("mail", "2.5.5.12", "string", Form::Plain),
            ("manager", "2.5.5.1", "reference", Form::Plain),
            ("userAccountControl", "2.5.5.9", "integer", Form::Plain),
            ("uSNChanged", "2.5.5.16", "integer", Form::Plain),
            ("accountExpires", "2.5.5.16", "datetime", Form::FileTime),
            ("pwdLastSet", "2.5.5.16", "integer", Form::Plain),
            ("objectGUID", "2.5.5.10", "string", Form::Guid),
            ("thumbnailPhoto", "2.5.5.10", "binary", Form::Plain),
            ("objectSid", "2.5.5.17", "string", Form::Sid),
            ("whenCreated", "2.5.5.11", "datetime", Form::Plain),
            ("unicodePwd", "2.5.5.10", "string", Form::QuotedPassword),
            ("isDeleted", "2.5.5.8", "boolean", Form::Plain),
        ] {
            let facts = facts(&entry(name, syntax, &[])).unwrap();
            assert_eq!((facts.kind.to_string().as_str(), facts.form), (kind, form), "{name}");
        }
    }

    #[test]
    fn what_no_two_controllers_agree_on_is_not_there_by_default() {
        for (more, by_default, read_only) in [
            (&[][..], true, false),
            (&[("systemFlags", "4")], false, true),
            (&[("systemFlags", "1")], false, false),
            (&[("linkID", "2")], true, false),
            (&[("linkID", "3")], false, true),
            (&[("systemOnly", "TRUE")], true, true),
        ] {
            let facts = facts(&entry("x", "2.5.5.12", more)).unwrap();
            assert_eq!((facts.by_default, facts.read_only), (by_default, read_only), "{more:?}");
        }
        assert_eq!(facts(&Entry::default()), None);
    }
}
