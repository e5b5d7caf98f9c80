//! The set-up of docs/connectors/ldap.md, block for block: an account with the page's rights, what lets the server tell
//! what changed, and a mesh from HR to the directory.

use std::collections::BTreeMap;
use std::path::Path;

use identitymesh_testkit::real::{Attributes, Slapd, SlapdOptions};

use super::page::{Block, blocks, page, part, the_block};
use crate::process::Place;

const PAGE: &str = "docs/connectors/ldap.md";
pub(super) const BASE: &str = "dc=example,dc=com";
pub(super) const SERVICE: &str = "cn=identitymesh,ou=services,dc=example,dc=com";
pub(super) const SERVICE_PASSWORD: &str = "s3rvice-of-the-page";

/// What the page says that the directory has already.
pub(super) fn containers() -> String {
    let container = |ou| format!("dn: ou={ou},{BASE}\nobjectClass: organizationalUnit\nou: {ou}\n\n");
    ["people", "groups", "services"].map(container).concat()
}

/// The blocks of the set-up, for a server at this address.
pub(super) fn set_up(url: &str, log: &str) -> Vec<Block> {
    let own = [
        ("ldaps://ldap1.example.com", url),
        ("{SSHA}made-with-slappasswd", SERVICE_PASSWORD),
        ("long-and-random", SERVICE_PASSWORD),
        ("/var/lib/ldap/accesslog", log),
    ];
    blocks(part(&page(PAGE), "## Set-up", "\n## Settings"), &own)
}

/// The block of LDIF that holds these words.
fn ldif<'a>(written: &'a [Block], words: &str) -> &'a str {
    let block = written.iter().find(|block| block.language == "ldif" && block.text.contains(words));
    &block.unwrap_or_else(|| panic!("the page has no {words}")).text
}

/// Lets OpenLDAP keep a log of its writes, in a folder that is there.
pub(super) fn keep_log(slapd: &Slapd, folder: &Path) {
    let written = set_up(&slapd.ldaps_url, &folder.display().to_string());
    slapd.modify(ldif(&written, "olcSuffix: cn=accesslog")).unwrap();
}

/// OpenLDAP with the page's rights, which tells what changed.
pub(super) fn open_ldap(further_entries: &str) -> Option<Slapd> {
    let initial_ldif = containers() + further_entries;
    let suffix = BASE.to_owned();
    let slapd =
        Slapd::start(SlapdOptions { suffix, initial_ldif, id_index: false, ..SlapdOptions::default() })?;
    let written = set_up(&slapd.ldaps_url, "-");
    for words in ["objectClass: organizationalRole", "add: olcAccess", "olcOverlay: syncprov"] {
        slapd.modify(ldif(&written, words)).unwrap();
    }
    Some(slapd)
}

fn people(slapd: &Slapd) -> Vec<String> {
    let wanted = ["uid", "cn", "mail", "title", "employeeNumber", "employeeType", "manager"];
    let found = slapd.search(BASE, "(employeeNumber=*)", &wanted).unwrap();
    let text = |entry: &Attributes, name: &str| {
        let values = entry.get(name).map_or(&[][..], Vec::as_slice);
        assert!(values.len() < 2, "{name} has {} values", values.len());
        values.first().map_or_else(|| "-".to_owned(), |value| String::from_utf8(value.clone()).unwrap())
    };
    let line = |(dn, entry): (String, Attributes)| {
        let values = ["cn", "title", "mail", "employeeType", "manager"].map(|name| text(&entry, name));
        let line = format!("{dn} | {}", values.join(" | "));
        let line = line.replace(",ou=people,dc=example,dc=com", "").replace("@corp.example", "@…");
        (text(&entry, "employeeNumber"), line)
    };
    found.into_iter().map(line).collect::<BTreeMap<_, _>>().into_values().collect()
}

#[test]
fn a_mesh_from_hr_to_the_directory_works_as_it_is_written() {
    let there = format!(
        "dn: uid=marta,ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: marta\ncn: Marta\nsn: Keller\n\
         employeeNumber: 100001\ntelephoneNumber: +49 30 1\n\n"
    );
    let Some(slapd) = open_ldap(&there) else { return };
    let place = Place::new();
    std::fs::copy(&slapd.ca_file, place.path().join("company-ca.pem")).unwrap();
    let id = |slapd: &Slapd| slapd.search(BASE, "(uid=marta)", &["entryUUID"]).unwrap().into_values().next();
    let before = id(&slapd);
    let written = set_up(&slapd.ldaps_url, "-");
    place.shell(the_block(&written, "sh", "identitymesh init mesh"), "");
    let rules = the_block(&written, "toml", "name = \"directory\"");
    std::fs::write(place.path().join("mesh/connectors/directory.toml"), rules).unwrap();
    let said = place.shell(the_block(&written, "sh", "secrets set directory/service"), SERVICE_PASSWORD);
    assert!(said.contains("changes are read by syncrepl"), "{said}");
    let loaded = people(&slapd);
    assert_eq!(
        loaded,
        [
            "uid=marta,ou=Operations | Marta Keller | Head of Operations | marta.keller@… | - | -",
            "uid=joneill,ou=Operations | Jonas O'Neill | Planner | jonas.oneill@… | active | uid=marta,ou=Operations",
            "uid=zdewit,ou=Finance | Zoë de Wit | Accountant | zoe.dewit@… | active | uid=marta,ou=Operations",
            "uid=lbrandt,ou=Finance | Łukasz Brandt | Controller | - | active | uid=zdewit,ou=Finance",
            "uid=icarvalho,ou=Operations | Ines Carvalho | Planner | ines.carvalho@… | active | uid=marta,ou=Operations",
        ]
    );
    assert_eq!(id(&slapd), before, "the entry that was there is the same entry");

    let quiet = versions(&slapd);
    place.good(&["run", "cycle"]);
    assert_eq!(versions(&slapd), quiet, "a second cycle sends nothing");
    let said = place.shell(the_block(&written, "sh", "sed -i '/^100003"), "");
    assert!(said.contains("+49 30 1") && said.contains("directory"), "{said}");
    let mut expected = loaded;
    expected[2] = expected[2].replacen("ou=Finance", "ou=Operations", 1);
    expected[3] = expected[3].replace("uid=zdewit,ou=Finance", "uid=zdewit,ou=Operations");
    expected[4] = expected[4].replace("| active |", "| left |");
    assert_eq!(people(&slapd), expected);
}

/// A mark that the server changes with each write, by name.
fn versions(slapd: &Slapd) -> BTreeMap<String, Attributes> {
    slapd.search(BASE, "(objectClass=*)", &["entryCSN"]).unwrap()
}
