//! Search filters (RFC 4515): values made safe, and the few forms that this connector needs.

use std::fmt::Write as _;

use crate::transport;

/// A value in which every byte that has a meaning in filters, and every byte outside ASCII, is escaped.
pub(crate) fn escape(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'*' | b'(' | b')' | b'\\' | 0..=31 | 127..=255 => {
                write!(out, "\\{byte:02x}").expect("strings grow");
            }
            _ => out.push(char::from(*byte)),
        }
    }
    out
}

/// Entries whose attribute has this value.
pub(crate) fn equals(attribute: &str, value: &[u8]) -> String {
    format!("({attribute}={})", escape(value))
}

/// Entries without this attribute.
pub(crate) fn absent(attribute: &str) -> String {
    format!("(!({attribute}=*))")
}

/// Entries for which all of `parts` hold.
pub(crate) fn all(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        parts => format!("(&{})", parts.concat()),
    }
}

/// Entries for which one of `parts` holds.
pub(crate) fn any(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        parts => format!("(|{})", parts.concat()),
    }
}

/// Entries that have all of these object classes.
pub(crate) fn of_classes(classes: &[String]) -> String {
    let parts: Vec<String> = classes.iter().map(|class| equals("objectClass", class.as_bytes())).collect();
    all(&parts)
}

/// Whether a text written by a person is a filter.
pub(crate) fn is_valid(filter: &str) -> bool {
    transport::filter::encode(filter).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(equals("uid", b"a)(uid=*"), "(uid=a\\29\\28uid=\\2a)");
        assert_eq!(equals("cn", "é\\\0".as_bytes()), "(cn=\\c3\\a9\\5c\\00)");
    }

    #[test]
    fn parts_are_joined() {
        assert_eq!(all(&[absent("mail")]), "(!(mail=*))");
        assert_eq!(all(&[absent("mail"), equals("uid", b"a")]), "(&(!(mail=*))(uid=a))");
        let classes = ["person".to_owned(), "posixAccount".to_owned()];
        assert_eq!(of_classes(&classes), "(&(objectClass=person)(objectClass=posixAccount))");
    }

    #[test]
    fn only_filters_are_filters() {
        assert!(is_valid("(&(a=b)(!(c=*)))"));
        for text in ["", "a=b", "(a=b", "(a=b))", "(&(a=b)", "()"] {
            assert!(!is_valid(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_value_makes_a_valid_filter(value: Vec<u8>) {
            assert!(is_valid(&all(&[equals("cn", &value), absent("mail")])));
        }
    }
}
