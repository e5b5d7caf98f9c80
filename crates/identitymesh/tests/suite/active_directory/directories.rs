//! What the directories hold, read with OpenLDAP's commands.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_testkit::real::{Attributes, SambaAd, Slapd};

/// What is compared of an entry.
pub(super) type Entry = BTreeMap<String, BTreeSet<String>>;
/// Entries by distinguished name.
pub(super) type Content = BTreeMap<String, Entry>;

/// A directory at one moment. An entry is called by its account or, for a group, by its name.
#[derive(Default)]
pub(super) struct Found {
    pub(super) content: Content,
    /// What the directory itself knows each entry by, whatever it is called and wherever it stands.
    pub(super) ids: BTreeMap<String, String>,
    /// A mark that the directory changes with each write, by distinguished name.
    pub(super) versions: BTreeMap<String, String>,
    /// The domain's security identifiers of accounts.
    pub(super) sids: BTreeMap<String, String>,
}

/// People and groups of the domain, but its own.
pub(super) fn domain(ad: &SambaAd) -> Found {
    let wanted = [
        "sAMAccountName",
        "userPrincipalName",
        "employeeID",
        "givenName",
        "sn",
        "displayName",
        "department",
        "title",
        "userAccountControl",
        "manager",
        "telephoneNumber",
        "physicalDeliveryOfficeName",
        "member",
        "objectGUID",
        "objectSid",
        "uSNChanged",
    ];
    let filter = "(|(&(objectCategory=person)(objectClass=user))(objectCategory=group))";
    let mut found = Found::default();
    let own = [format!("CN=Users,{}", ad.base), format!("CN=Builtin,{}", ad.base)];
    for (dn, mut attributes) in ad.search(&ad.base, filter, &wanted).unwrap() {
        if own.iter().any(|own| dn.ends_with(own.as_str())) {
            continue;
        }
        let name = text(&attributes["sAMAccountName"][0]);
        found.ids.insert(name.clone(), hex(&take(&mut attributes, "objectGUID")));
        found.sids.insert(name, sid(&take(&mut attributes, "objectSid")));
        found.versions.insert(dn.clone(), text(&take(&mut attributes, "uSNChanged")));
        found.content.insert(dn, texts(attributes));
    }
    found
}

/// People and groups of the phone book.
pub(super) fn book(book: &Slapd) -> Found {
    let wanted = [
        "uid",
        "cn",
        "sn",
        "givenName",
        "title",
        "employeeNumber",
        "description",
        "physicalDeliveryOfficeName",
        "telephoneNumber",
        "manager",
        "member",
        "entryUUID",
        "entryCSN",
    ];
    let mut found = Found::default();
    let filter = "(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))";
    for (dn, mut attributes) in book.search(&book.suffix, filter, &wanted).unwrap() {
        let name = attributes.get("uid").unwrap_or(&attributes["cn"]);
        found.ids.insert(text(&name[0]), text(&take(&mut attributes, "entryUUID")));
        found.versions.insert(dn.clone(), text(&take(&mut attributes, "entryCSN")));
        found.content.insert(dn, texts(attributes));
    }
    found
}

fn take(attributes: &mut Attributes, name: &str) -> Vec<u8> {
    let mut values = attributes.remove(name).unwrap_or_else(|| panic!("no {name} in {attributes:?}"));
    assert_eq!(values.len(), 1, "{name}");
    values.remove(0)
}

fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).unwrap()
}

fn texts(attributes: Attributes) -> Entry {
    let texts = |values: Vec<Vec<u8>>| values.iter().map(|value| text(value)).collect();
    attributes.into_iter().map(|(name, values)| (name, texts(values))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Revision, number of parts, authority of six bytes with its end first, parts of four bytes with their start first.
fn sid(bytes: &[u8]) -> String {
    let authority = bytes[2..8].iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let parts = bytes[8..].chunks_exact(4).map(|part| u32::from_le_bytes(part.try_into().unwrap()));
    parts.fold(format!("S-{}-{authority}", bytes[0]), |text, part| format!("{text}-{part}"))
}
