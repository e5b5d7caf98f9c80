//! One record of the retro changelog, and the modifications that it holds as LDIF.
//!
//! The server ends the text of every modify with a NUL byte, folds long lines, and writes values that are not plain
//! text in base64. A record of a kind that is not known is a change of its entry all the same. Modifications that cannot
//! be understood are none: the caller then reads the entry itself, which is always right and only costs more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::log::{Kind, Record, Step, StepKind};
use crate::transport::{Bytes, Entry};

/// Most modifications of one record that are looked at; with more the entry is read.
const STEP_COUNT_MAX: usize = 10_000;

/// The attributes of a record that are asked for.
pub(super) const ATTRIBUTES: [&str; 5] =
    ["changeNumber", "targetDN", "targetUniqueId", "changeType", "changes"];

/// Reads an entry of the changelog, with its number; nothing when it has no number or no target.
pub(super) fn read(entry: &Entry) -> Option<(u64, Record)> {
    let one = |name: &str| entry.texts(name).next().map(|text| text.trim_end_matches('\0'));
    let number = one("changeNumber")?.parse().ok()?;
    let target = one("targetDN")?.to_owned();
    let id = one("targetUniqueId").filter(|id| !id.is_empty()).map(str::to_owned);
    let kind = match one("changeType").unwrap_or_default().to_ascii_lowercase().as_str() {
        "modify" => Kind::Modify(entry.values("changes").first().and_then(|changes| steps(changes))),
        "modrdn" | "moddn" => Kind::Rename,
        "delete" => Kind::Delete,
        _ => Kind::Whole,
    };
    Some((number, Record { target, id, kind }))
}

/// The modifications in the text of a record, `None` when it is not understood to the end.
pub(super) fn steps(changes: &[u8]) -> Option<Vec<Step>> {
    let lines = unfolded(changes)?;
    let (mut steps, mut current): (Vec<Step>, Option<Step>) = (Vec::new(), None);
    for line in &lines {
        if line == b"-" {
            steps.push(current.take()?);
            if steps.len() > STEP_COUNT_MAX {
                return None;
            }
            continue;
        }
        let (name, value) = name_and_value(line)?;
        match &mut current {
            Some(step) if step.attribute.eq_ignore_ascii_case(name) => step.values.push(value),
            Some(_) => return None,
            None => {
                let is = match name.to_ascii_lowercase().as_str() {
                    "add" => StepKind::Add,
                    "delete" => StepKind::Delete,
                    "replace" => StepKind::Replace,
                    _ => return None,
                };
                let attribute = String::from_utf8(value).ok().filter(|name| !name.is_empty())?;
                current = Some(Step { attribute, values: Vec::new(), is });
            }
        }
    }
    // The last separator may be missing.
    steps.extend(current);
    Some(steps)
}

/// Lines without their folds; empty ones and the final NUL are nothing.
fn unfolded(text: &[u8]) -> Option<Vec<Bytes>> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let mut lines: Vec<Bytes> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.strip_prefix(b" ") {
            Some(rest) => lines.last_mut()?.extend_from_slice(rest),
            None if line.is_empty() => {}
            None => lines.push(line.to_vec()),
        }
    }
    Some(lines)
}

fn name_and_value(line: &[u8]) -> Option<(&str, Bytes)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    let rest = &line[colon + 1..];
    if let Some(encoded) = rest.strip_prefix(b":") {
        return Some((name, STANDARD.decode(encoded.trim_ascii()).ok()?));
    }
    // A value at a URL is nothing that a server writes.
    if rest.starts_with(b"<") {
        return None;
    }
    let start = rest.iter().take_while(|byte| **byte == b' ').count();
    Some((name, rest[start..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(is: StepKind, attribute: &str, values: &[&str]) -> Step {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        Step { attribute: attribute.to_owned(), values, is }
    }

    fn entry(attributes: &[(&str, &[u8])]) -> Entry {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), vec![value.to_vec()]));
        Entry { dn: "changenumber=7,cn=changelog".to_owned(), attributes: attributes.collect() }
    }

    #[test]
    fn modifications_are_read_as_the_server_writes_them() {
        let text = "replace: mail\nmail: a@t\n-\nadd: member\nmember: cn=a,dc=t\nmember:: Y249w6ksZGM9dA==\n-\n\
            delete: telephoneNumber\n-\nreplace: modifiersName\nmodifiersName: cn=dire\n ctory manager\n-\n\n\0";
        let expected = vec![
            step(StepKind::Replace, "mail", &["a@t"]),
            step(StepKind::Add, "member", &["cn=a,dc=t", "cn=é,dc=t"]),
            step(StepKind::Delete, "telephoneNumber", &[]),
            step(StepKind::Replace, "modifiersName", &["cn=directory manager"]),
        ];
        assert_eq!(steps(text.as_bytes()), Some(expected.clone()));
        assert_eq!(steps(text.replace('\n', "\r\n").as_bytes()), Some(expected));
        let unfinished = steps(b"add: cn\ncn: a").unwrap();
        assert_eq!(unfinished, [step(StepKind::Add, "cn", &["a"])]);
        assert_eq!(steps(b"\0"), Some(vec![]));
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for text in [
            "increment: uidNumber\nuidNumber: 1\n-\n",
            "add: cn\nsn: a\n-\n",
            "-\n",
            " folded\n",
            "no colon\n-\n",
            "add: cn\ncn:: %%%%\n-\n",
            "add: cn\ncn:: YQ\n-\n",
            "add: cn\ncn:< file:///etc/passwd\n-\n",
            "add: \n-\n",
        ] {
            assert_eq!(steps(text.as_bytes()), None, "{text:?}");
        }
        let many = "delete: cn\n-\n".repeat(STEP_COUNT_MAX + 1);
        assert_eq!(steps(many.as_bytes()), None);
    }

    #[test]
    fn records_say_what_happened_to_which_entry() {
        let base: [(&str, &[u8]); 3] =
            [("changenumber", b"7"), ("targetdn", b"cn=a,dc=t"), ("targetuniqueid", b"1-2-3-4")];
        let kind = |change: &[u8], changes: &[u8]| {
            let mut attributes = base.to_vec();
            attributes.extend([("changetype", change), ("changes", changes)]);
            let (number, record) = read(&entry(&attributes)).unwrap();
            assert_eq!((number, record.target.as_str()), (7, "cn=a,dc=t"));
            assert_eq!(record.id.as_deref(), Some("1-2-3-4"));
            record.kind
        };
        assert_eq!(kind(b"add", b"objectClass: top\n"), Kind::Whole);
        assert_eq!(kind(b"delete", b""), Kind::Delete);
        assert_eq!(kind(b"modrdn", b""), Kind::Rename);
        assert_eq!(kind(b"modify", b"what"), Kind::Modify(None));
        let modified = kind(b"modify", b"add: cn\ncn: b\n-\n\0");
        assert_eq!(modified, Kind::Modify(Some(vec![step(StepKind::Add, "cn", &["b"])])));
        assert_eq!(kind(b"something", b""), Kind::Whole);
        assert_eq!(read(&entry(&base[..2])).unwrap().1.id, None);
        assert_eq!(read(&entry(&base[1..])), None);
        assert_eq!(read(&entry(&[("changeNumber", b"x"), ("targetDN", b"cn=a")])), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_end_the_task(bytes: Vec<u8>, text in "(add|delete|replace)?:{0,2} ?[a-z=\n -]{0,60}\0?") {
            let _read = steps(&bytes);
            let _read = steps(text.as_bytes());
            let _read = read(&entry(&[("changeNumber", &bytes), ("changes", &bytes), ("targetDN", &bytes)]));
        }

        #[test]
        fn what_is_written_reads_back(values in proptest::collection::vec("[ -9;-~]{1,80}", 0..5)) {
            let mut text = String::from("add: description\n");
            for value in &values {
                let folded = value.as_bytes().chunks(20).map(|part| std::str::from_utf8(part).unwrap());
                text += &format!("description: {}\n", folded.collect::<Vec<_>>().join("\n "));
            }
            let read = steps(format!("{text}-\n\0").as_bytes()).unwrap();
            let kept: Vec<Vec<u8>> =
                values.iter().map(|value| value.trim_start_matches(' ').as_bytes().to_vec()).collect();
            proptest::prop_assert_eq!(&read[0].values, &kept);
        }
    }
}
