//! 389 Directory Server.

use identitymesh_testkit::real::{Ds389, Ds389Options, Entries};

use super::mesh::Target;
use super::openldap::shows_no_password;
use super::story::{Directory, SINGLE, everything_works};
use crate::papers::ldap::{BASE, SERVICE, SERVICE_PASSWORD, containers, set_up};
use crate::papers::page::the_block;

impl Directory for Ds389 {
    fn search(&self, filter: &str, attributes: &[&str]) -> Entries {
        self.search(BASE, filter, attributes).unwrap()
    }

    fn modify(&self, ldif: &str) {
        self.modify(ldif).unwrap();
    }

    fn binds(&self, _: &str, dn: &str, password: &str) -> bool {
        // Signing in is all that is asked; what somebody may see is not.
        self.search_as((dn, password), "", "(objectClass=nothing)").is_ok()
    }
}

/// A server with the page's rights, which tells what changed.
fn with_the_page_s_rights() -> Option<Ds389> {
    let options = Ds389Options {
        suffix: BASE.to_owned(),
        initial_ldif: containers(),
        changelog: false,
        ..Ds389Options::default()
    };
    let mut server = Ds389::start(options)?;
    let written = set_up(&server.ldaps_url, "-");
    server.modify(the_block(&written, "ldif", "objectClass: applicationProcess")).unwrap();
    server.modify(the_block(&written, "ldif", "cn=Retro Changelog Plugin")).unwrap();
    server.restart().unwrap();
    server.modify(the_block(&written, "ldif", "dn: cn=changelog")).unwrap();
    Some(server)
}

#[test]
fn the_rights_for_389_directory_server_suffice_and_show_no_password() {
    let Some(server) = with_the_page_s_rights() else { return };
    let people = format!("ou=people,{BASE}");
    let groups = format!("ou=groups,{BASE}");
    let target = Target {
        kind: "ldap",
        url: &server.ldaps_url,
        ca_file: &server.ca_file,
        base: BASE,
        bind: (SERVICE, SERVICE_PASSWORD),
        settings: SINGLE,
        people: &people,
        disable: "",
        account: "uid",
        things: &[("group", &groups, None)],
    };
    everything_works(&server, &target);
    shows_no_password(&server.search_as(target.bind, &people, "(uid=*)").unwrap());
    let other = format!("dn: ou=services,{BASE}\nchangetype: modify\nadd: description\ndescription: x\n");
    let refused = server.modify_as(target.bind, &other).unwrap_err();
    assert!(refused.to_string().contains("Insufficient access (50)"), "{refused}");
}
