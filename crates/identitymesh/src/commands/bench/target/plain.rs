//! What the plain client sends: what the product wrote, once more, in the other half.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use identitymesh_connector_ldap::raw::{RawAttribute, RawEntry, RawWrite};
use identitymesh_model::dn;

/// What the product writes, by the rules.
pub(super) const WRITTEN: [&str; 16] = [
    "objectClass",
    "cn",
    "sn",
    "givenName",
    "mail",
    "employeeNumber",
    "departmentNumber",
    "title",
    "mobile",
    "st",
    "l",
    "uid",
    "telephoneNumber",
    "description",
    "postalAddress",
    "preferredLanguage",
];
/// What identifies an entry for good.
pub(super) const ID: &str = "entryUUID";

/// The same entries below another container.
pub(super) fn adds(entries: &[RawEntry], container: &str) -> Vec<RawWrite> {
    let copy = |entry: &RawEntry| {
        let name = dn::split_first(&entry.dn).0;
        RawWrite::Add(RawEntry { dn: format!("{name},{container}"), attributes: entry.attributes.clone() })
    };
    entries.iter().map(copy).collect()
}

/// The changes that make entries equal to those of the same names in `wanted`.
pub(super) fn modifies(there: &[RawEntry], wanted: &[RawEntry]) -> anyhow::Result<Vec<RawWrite>> {
    let by_name: HashMap<&str, &RawEntry> =
        wanted.iter().map(|entry| (dn::split_first(&entry.dn).0, entry)).collect();
    let mut writes = Vec::with_capacity(there.len());
    for entry in there {
        let name = dn::split_first(&entry.dn).0;
        let new = by_name.get(name).with_context(|| format!("the product has no entry {name}"))?;
        let id = entry.values(ID).first().and_then(|id| String::from_utf8(id.clone()).ok());
        let (out, into) = (missing(entry, new), missing(new, entry));
        ensure!(!into.is_empty(), "nothing changed in {name}");
        writes.push(RawWrite::Modify { dn: entry.dn.clone(), id: id.unwrap_or_default(), out, into });
    }
    Ok(writes)
}

/// The values of `from` that `other` does not have.
fn missing(from: &RawEntry, other: &RawEntry) -> Vec<RawAttribute> {
    let attributes = WRITTEN.iter().filter_map(|name| {
        let there = other.values(name);
        let values: Vec<Vec<u8>> =
            from.values(name).iter().filter(|value| !there.contains(value)).cloned().collect();
        (!values.is_empty()).then(|| ((*name).to_owned(), values))
    });
    attributes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> RawEntry {
        let attributes = attributes.iter().map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect())
        });
        RawEntry { dn: dn.to_owned(), attributes: attributes.collect() }
    }

    #[test]
    fn a_copy_is_changed_by_what_differs_and_nothing_else() {
        let before = entry("uid=a,ou=x", &[("sn", &["A"]), ("title", &["Old"]), (ID, &["1"])]);
        let after = entry("uid=a,ou=y", &[("sn", &["A"]), ("title", &["New"]), (ID, &["2"])]);
        let writes = modifies(std::slice::from_ref(&before), std::slice::from_ref(&after)).unwrap();
        let change = |value: &str| vec![("title".to_owned(), vec![value.as_bytes().to_vec()])];
        let (dn, id) = ("uid=a,ou=x".to_owned(), "1".to_owned());
        assert_eq!(writes, [RawWrite::Modify { dn, id, out: change("Old"), into: change("New") }]);
        assert!(modifies(std::slice::from_ref(&after), std::slice::from_ref(&after)).is_err());
        let RawWrite::Add(copy) = &adds(&[before], "ou=z")[0] else { panic!("a copy is an add") };
        assert_eq!(copy.dn, "uid=a,ou=z");
    }
}
