//! Names of entries where this connector must look inside: first components with their values, and containers.

use identitymesh_model::dn;

use crate::dialect::Dialect;

/// The attribute and value pairs of an entry's first component; several are joined by `+`. `None` when a part has
/// no `=`, which no directory takes.
pub(crate) fn rdn(dn: &str) -> Option<Vec<(String, String)>> {
    let (first, _) = dn::split_first(dn.trim());
    split_plus(first)
        .into_iter()
        .map(|part| {
            let (attribute, value) = dn::attribute_and_value(trim(part))?;
            let is_name = !attribute.is_empty()
                && attribute.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
            is_name.then(|| (attribute.to_owned(), value))
        })
        .collect()
}

/// Without surrounding blanks, except one that an escape protects.
fn trim(part: &str) -> &str {
    let trimmed = part.trim();
    if trimmed.ends_with('\\') { part.trim_start() } else { trimmed }
}

fn split_plus(component: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in component.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'+' => {
                parts.push(&component[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&component[start..]);
    parts
}

/// The object classes of a container that is made because an entry below it needs it, by its naming attribute.
pub(crate) fn container_classes(attribute: &str, dialect: Dialect) -> Option<&'static [&'static str]> {
    match attribute.to_ascii_lowercase().as_str() {
        "ou" | "organizationalunitname" => Some(&["organizationalUnit"]),
        "o" | "organizationname" => Some(&["organization"]),
        "dc" | "domaincomponent" => Some(&["domain"]),
        "l" | "localityname" => Some(&["locality"]),
        "c" | "countryname" => Some(&["country"]),
        "cn" | "commonname" if dialect == Dialect::ActiveDirectory => Some(&["container"]),
        "cn" | "commonname" => Some(&["applicationProcess"]),
        _ => None,
    }
}

/// Whether two names are spellings of one.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a == b || dn::normalise(a) == dn::normalise(b)
}

/// Whether a rename is left to do: another place, or other letters in the entry's own component. Escapes and the
/// spelling of containers may differ.
pub(crate) fn is_renamed(from: &str, to: &str) -> bool {
    let values = |dn: &str| {
        let pairs = rdn(dn).unwrap_or_default().into_iter();
        pairs.map(|(attribute, value)| (attribute.to_ascii_lowercase(), value)).collect::<Vec<_>>()
    };
    !same(dn::parent(from), dn::parent(to)) || values(from) != values(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(attribute: &str, value: &str) -> (String, String) {
        (attribute.to_owned(), value.to_owned())
    }

    #[test]
    fn first_components_are_taken_apart() {
        assert_eq!(rdn("uid=a,dc=t"), Some(vec![pair("uid", "a")]));
        assert_eq!(
            rdn("cn=Smith\\, J\\+x + uid=7,dc=t"),
            Some(vec![pair("cn", "Smith, J+x"), pair("uid", "7")])
        );
        for text in ["", "uid", "=a", "a b=c", "uid=a+b"] {
            assert_eq!(rdn(text), None, "{text}");
        }
    }

    #[test]
    fn containers_have_the_class_of_their_name() {
        assert_eq!(container_classes("OU", Dialect::Plain), Some(&["organizationalUnit"][..]));
        assert_eq!(container_classes("uid", Dialect::Plain), None);
    }

    #[test]
    fn a_rename_changes_more_than_escapes() {
        assert!(!is_renamed("UID=Smith\\2C J,ou=x", "uid=Smith\\, J,OU=X"));
        assert!(is_renamed("uid=smith,ou=x", "uid=Smith,ou=x"));
        assert!(is_renamed("uid=a,ou=x", "uid=a,ou=y"));
    }
}
