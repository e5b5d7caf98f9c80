//! Active Directory, as a Samba domain.

use identitymesh_testkit::real::{AgeKey, Entries, SambaAd, SambaAdOptions};

use super::mesh::{Mesh, Target};
use super::story::{Directory, everything_works};
use crate::papers::active_directory::{KEY, SERVICE_PASSWORD, example};
use crate::papers::page::the_block;
use crate::papers::windows;

impl Directory for SambaAd {
    fn search(&self, filter: &str, attributes: &[&str]) -> Entries {
        self.search(&self.base, filter, attributes).unwrap()
    }

    fn modify(&self, ldif: &str) {
        self.modify(ldif).unwrap();
    }

    fn binds(&self, account: &str, _: &str, password: &str) -> bool {
        self.binds(&format!("{account}@mesh.test"), password)
    }
}

/// A domain with those lines of the page that are wanted.
fn domain(is_wanted: fn(&&str) -> bool) -> Option<SambaAd> {
    let ad = SambaAd::start(&SambaAdOptions::default())?;
    let written = example(&ad, KEY);
    for words in ["New-ADUser", "CCDC;contact"] {
        let block = the_block(&written, "powershell", words);
        let wanted: Vec<&str> = block.lines().filter(is_wanted).collect();
        windows::carry_out(&ad, &wanted.join("\n"), SERVICE_PASSWORD);
    }
    // Something was deleted in every domain that is not a minute old.
    ad.add_account("was-there", SERVICE_PASSWORD).unwrap();
    ad.modify(&format!("dn: CN=was-there,CN=Users,{}\nchangetype: delete\n", ad.base)).unwrap();
    Some(ad)
}

/// Does this with the domain as the account of the page.
fn as_the_account(ad: &SambaAd, settings: &str, does: impl FnOnce(&Target<'_>)) {
    let people = format!("OU=Staff,{}", ad.base);
    let settings = format!(
        "include = [\"{people}\"]\n{settings}\n\n[connector.settings.types.user]\n\n[connector.settings.types.group]\n\n\
         [connector.settings.types.orgUnit]\n\n[connector.settings.types.contact]\n\n[connector.settings.types.computer]\n"
    );
    does(&Target {
        kind: "active-directory",
        url: &ad.ldaps_url,
        ca_file: &ad.ca_file,
        base: &ad.base,
        bind: ("identitymesh@mesh.test", SERVICE_PASSWORD),
        settings: &settings,
        people: &people,
        disable: "[projection.disable]\nattribute = \"accountDisabled\"\ndisabled = true\nenabled = false\n",
        account: "sAMAccountName",
        things: &[
            ("group", &people, Some("name")),
            ("contact", &people, None),
            ("computer", &people, Some("name + '$'")),
        ],
    });
}

/// Everything works, and nothing is written beside the two OUs.
fn suffice(ad: &SambaAd, settings: &str) {
    as_the_account(ad, settings, |target| {
        everything_works(ad, target);
        let other = format!("dn: CN=Guest,CN=Users,{}\nchangetype: modify\nadd: title\ntitle: x\n", ad.base);
        let refused = ad.modify_as(target.bind, &other).unwrap_err();
        assert!(refused.to_string().contains("Insufficient access (50)"), "{refused}");
    });
}

#[test]
fn the_rights_for_active_directory_suffice() {
    let Some(ad) = domain(|_| true) else { return };
    suffice(&ad, "changes = \"auto\"");
}

#[test]
fn the_rights_for_sequence_numbers_suffice_without_those_for_dirsync() {
    let Some(ad) = domain(|line| !line.contains("Replicating Directory Changes")) else { return };
    suffice(&ad, "changes = \"auto\"");
}

#[test]
fn an_account_that_sees_no_deleted_objects_is_warned_of() {
    let Some(ad) = domain(|line| !line.contains("Deleted Objects")) else { return };
    let Some(key) = AgeKey::make() else { return };
    as_the_account(&ad, "", |target| {
        let mesh = Mesh::over(target, &key);
        let told = mesh.place.json(&["connector", "test", "target"]);
        let [warning] = &told["warnings"].as_array().unwrap()[..] else { panic!("{told}") };
        assert!(
            warning.as_str().unwrap().starts_with("no deleted object is shown to this account"),
            "{told}"
        );
    });
}
