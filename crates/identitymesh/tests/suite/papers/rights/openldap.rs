//! OpenLDAP.

use identitymesh_testkit::real::{Entries, Slapd};

use super::mesh::Target;
use super::story::{Directory, SINGLE, everything_works};
use crate::papers::ldap::{BASE, SERVICE, SERVICE_PASSWORD, keep_log, open_ldap};

impl Directory for Slapd {
    fn search(&self, filter: &str, attributes: &[&str]) -> Entries {
        self.search(BASE, filter, attributes).unwrap()
    }

    fn modify(&self, ldif: &str) {
        self.modify(ldif).unwrap();
    }

    fn binds(&self, _: &str, dn: &str, password: &str) -> bool {
        self.search_as((dn, password), dn, "(objectClass=*)").is_ok()
    }
}

/// Everything works with the page's rights and `settings`, no password is shown, and nothing else is written.
fn suffice(slapd: &Slapd, settings: &str) {
    let people = format!("ou=people,{BASE}");
    let groups = format!("ou=groups,{BASE}");
    let target = Target {
        kind: "ldap",
        url: &slapd.ldaps_url,
        ca_file: &slapd.ca_file,
        base: BASE,
        bind: (SERVICE, SERVICE_PASSWORD),
        settings: &format!("{settings}\n{SINGLE}"),
        people: &people,
        disable: "",
        account: "uid",
        things: &[("group", &groups, None)],
    };
    everything_works(slapd, &target);
    shows_no_password(&slapd.search_as(target.bind, &people, "(uid=*)").unwrap());
    let other = format!("dn: ou=services,{BASE}\nchangetype: modify\nadd: description\ndescription: x\n");
    let refused = slapd.modify_as(target.bind, &other).unwrap_err();
    assert!(refused.to_string().contains("Insufficient access (50)"), "{refused}");
}

#[test]
fn the_rights_for_openldap_suffice_and_show_no_password() {
    let Some(slapd) = open_ldap("") else { return };
    suffice(&slapd, "");
}

#[test]
fn the_rights_for_openldap_suffice_with_its_log_of_writes_too() {
    let Some(slapd) = open_ldap("") else { return };
    let folder = tempfile::tempdir().unwrap();
    keep_log(&slapd, folder.path());
    suffice(&slapd, "changes = \"accesslog\"");
}

/// Somebody was found, and nothing of a password in it.
pub(super) fn shows_no_password(found: &Entries) {
    assert!(!found.is_empty());
    for (dn, entry) in found {
        assert!(entry.contains_key("cn") && !entry.contains_key("userPassword"), "{dn}: {:?}", entry.keys());
    }
}
