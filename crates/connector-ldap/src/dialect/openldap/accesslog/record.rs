//! Records of the log: which entry, and for a modification of which attributes.
//!
//! A value of `reqMod` is `ATTRIBUTE:+ VALUE`, with `-` for values that go, `=` for those that come instead of all others
//! and `#` for an increment; a lone `:` sets two modifications of one attribute apart. What cannot be understood is no
//! list of modifications: the caller then reads the entry itself, which is always right and only costs more.

use crate::log::{Kind, Record, Step, StepKind};
use crate::transport::Entry;

/// Most values of one record that are looked at; with more the entry is read.
const VALUE_COUNT_MAX: usize = 200_000;

/// The attributes of a record that are asked for.
pub(super) const ATTRIBUTES: [&str; 5] = ["reqType", "reqDN", "reqEntryUUID", "reqMod", "entryCSN"];

/// Reads a record, with its change number; nothing when it has none or means no entry.
pub(super) fn read(entry: &Entry) -> Option<(String, Record)> {
    let one = |name: &str| entry.texts(name).next();
    let (csn, target) = (one("entryCSN")?.to_owned(), one("reqDN")?.to_owned());
    let id = one("reqEntryUUID").filter(|id| !id.is_empty()).map(str::to_ascii_lowercase);
    let kind = match one("reqType").unwrap_or_default().to_ascii_lowercase().as_str() {
        "modify" => Kind::Modify(steps(entry.values("reqMod"))),
        "modrdn" => Kind::Rename,
        "delete" => Kind::Delete,
        _ => Kind::Whole,
    };
    Some((csn, Record { target, id, kind }))
}

fn steps(values: &[Vec<u8>]) -> Option<Vec<Step>> {
    if values.len() > VALUE_COUNT_MAX {
        return None;
    }
    let (mut steps, mut is_apart): (Vec<Step>, bool) = (Vec::new(), true);
    for value in values {
        if value == b":" {
            is_apart = true;
            continue;
        }
        let colon = value.iter().position(|byte| *byte == b':')?;
        let attribute = std::str::from_utf8(&value[..colon]).ok().filter(|name| !name.is_empty())?;
        let (sign, rest) = value[colon + 1..].split_first()?;
        let is = match sign {
            b'+' => StepKind::Add,
            b'-' => StepKind::Delete,
            // What an increment comes to, only the entry says.
            b'=' | b'#' => StepKind::Replace,
            _ => return None,
        };
        let held = match rest {
            [] => None,
            [b' ', held @ ..] => Some(held.to_vec()),
            _ => return None,
        };
        match steps.last_mut() {
            Some(step) if !is_apart && step.is == is && step.attribute.eq_ignore_ascii_case(attribute) => {
                step.values.extend(held);
            }
            _ => steps.push(Step { attribute: attribute.to_owned(), values: held.into_iter().collect(), is }),
        }
        is_apart = false;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSN: &str = "20261127023728.300063Z#000000#000#000000";

    fn step(is: StepKind, attribute: &str, values: &[&str]) -> Step {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        Step { attribute: attribute.to_owned(), values, is }
    }

    fn mods(values: &[&str]) -> Option<Vec<Step>> {
        steps(&values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn modifications_are_read_as_the_server_writes_them() {
        let read = mods(&[
            "member:+ uid=b,dc=t",
            "member:+ uid=ü,dc=t",
            "member:- uid=a,dc=t",
            ":",
            "member:- uid=c,dc=t",
            "description:-",
            "title:= A: b",
            "uidNumber:# 1",
            "seeAlso:+ ",
        ]);
        let expected = vec![
            step(StepKind::Add, "member", &["uid=b,dc=t", "uid=ü,dc=t"]),
            step(StepKind::Delete, "member", &["uid=a,dc=t"]),
            step(StepKind::Delete, "member", &["uid=c,dc=t"]),
            step(StepKind::Delete, "description", &[]),
            step(StepKind::Replace, "title", &["A: b"]),
            step(StepKind::Replace, "uidNumber", &["1"]),
            step(StepKind::Add, "seeAlso", &[""]),
        ];
        assert_eq!(read, Some(expected));
        for wrong in ["no colon", "member:", "member:* x", "member:+x", ":+ x"] {
            assert_eq!(mods(&[wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn records_say_what_happened_to_which_entry() {
        let entry = |kind: &str, id: &str| {
            let attributes =
                [("entryCSN", CSN), ("reqDN", "cn=g,dc=t"), ("reqType", kind), ("reqEntryUUID", id)];
            let attributes =
                attributes.map(|(name, value)| (name.to_owned(), vec![value.as_bytes().to_vec()]));
            Entry { dn: "reqStart=1,cn=accesslog".to_owned(), attributes: attributes.into() }
        };
        let kind = |kind: &str| read(&entry(kind, "3B43")).unwrap().1.kind;
        assert_eq!(kind("add"), Kind::Whole);
        assert_eq!(kind("modify"), Kind::Modify(Some(vec![])));
        assert_eq!(kind("modrdn"), Kind::Rename);
        assert_eq!(kind("delete"), Kind::Delete);
        let (csn, record) = read(&entry("delete", "3B43")).unwrap();
        assert_eq!(
            (csn.as_str(), record.target.as_str(), record.id.as_deref()),
            (CSN, "cn=g,dc=t", Some("3b43"))
        );
        assert_eq!(read(&entry("add", "")).unwrap().1.id, None);
        assert_eq!(read(&Entry::default()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_end_the_task(values: Vec<Vec<u8>>, text in "[a-z:+=# -]{0,20}") {
            let _read = steps(&values);
            let _read = steps(&[text.into_bytes()]);
        }
    }
}
