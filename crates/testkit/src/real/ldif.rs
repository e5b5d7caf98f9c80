//! LDIF as `ldapsearch -LLL -o ldif-wrap=no` prints it, read for comparison in tests.
//!
//! The product has a reader of its own for LDIF; this one is independent of it on purpose, knows only what the
//! command prints (unfolded lines, base64 after `::`), and refuses everything else.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Attribute name, as the server spells it, to its values in the order of arrival.
pub type Attributes = BTreeMap<String, Vec<Vec<u8>>>;

/// Distinguished name, as the server spells it, to the entry's attributes.
pub type Entries = BTreeMap<String, Attributes>;

/// Reads entries separated by empty lines; comments and search references are left out.
///
/// # Errors
/// When a line is neither `name: value` nor `name:: base64`, when a value stands before the first `dn`, or
/// when one distinguished name comes twice.
pub fn parse_ldif(text: &str) -> Result<Entries> {
    let mut entries = Entries::new();
    for (index, block) in text.split("\n\n").enumerate() {
        let lines: Vec<&str> =
            block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let (Some(first), rest) = (lines.first(), lines.get(1..).unwrap_or_default()) else { continue };
        let (name, value) = name_and_value(first).with_context(|| format!("block {}", index + 1))?;
        if name == "ref" {
            continue;
        }
        if name != "dn" {
            bail!("block {} begins with {name} and not with its dn", index + 1);
        }
        let dn = String::from_utf8(value).context("a dn is not UTF-8")?;
        let attributes = attributes(rest).with_context(|| format!("entry {dn}"))?;
        if entries.contains_key(&dn) {
            bail!("{dn} comes twice");
        }
        entries.insert(dn, attributes);
    }
    Ok(entries)
}

fn attributes(lines: &[&str]) -> Result<Attributes> {
    let mut attributes = Attributes::new();
    for line in lines {
        let (name, value) = name_and_value(line)?;
        attributes.entry(name.to_owned()).or_default().push(value);
    }
    Ok(attributes)
}

fn name_and_value(line: &str) -> Result<(&str, Vec<u8>)> {
    let (name, rest) = line.split_once(':').with_context(|| format!("no colon in {line:?}"))?;
    let value = match rest.strip_prefix(':') {
        Some(encoded) => {
            STANDARD.decode(encoded.trim()).with_context(|| format!("bad base64 in {line:?}"))?
        }
        None => rest.strip_prefix(' ').unwrap_or(rest).as_bytes().to_vec(),
    };
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_encoded_empty_and_repeated_values_are_read() {
        let text =
            "dn: cn=a,dc=t\ncn: a\nmail: x@t\nmail: y:z@t\nsn:: w6k=\nempty:\n\ndn:: Y249w6k=\ncn:: AP8=\n\n";
        let entries = parse_ldif(text).unwrap();
        let first = &entries["cn=a,dc=t"];
        assert_eq!(first["mail"], [b"x@t".to_vec(), b"y:z@t".to_vec()]);
        assert_eq!((first["sn"][0].as_slice(), first["empty"][0].as_slice()), ("é".as_bytes(), &b""[..]));
        assert_eq!(entries["cn=é"]["cn"], [vec![0, 255]]);
    }

    #[test]
    fn nothing_comments_and_references_are_no_entries() {
        assert!(parse_ldif("").unwrap().is_empty());
        assert!(parse_ldif("# note\n\nref: ldap://other.test/dc=t\n\n").unwrap().is_empty());
    }

    #[test]
    fn what_the_command_never_prints_is_refused() {
        for text in ["cn: a\n", "dn: a\nno colon\n", "dn: a\ncn:: %%\n", "dn: a\n\ndn: a\n", "dn:: /w==\n"] {
            assert!(parse_ldif(text).is_err(), "{text:?}");
        }
    }
}
