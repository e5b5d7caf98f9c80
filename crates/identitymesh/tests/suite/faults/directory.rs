//! A directory of one of the families, and people in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use identitymesh_testkit::real::{
    Ds389, Ds389Options, Entries, SambaAd, SambaAdOptions, SessionLog, Slapd, SlapdOptions,
};

/// The server of a test.
pub(super) enum Directory {
    Samba(SambaAd),
    Slapd(Slapd),
    Ds389(Ds389),
}

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Samba,
    Slapd,
    Ds389,
}

/// What is compared of somebody: display name, title, unit.
pub(super) type Person = [String; 3];

/// Somebody's entry as a test expects it.
pub(super) fn person(at: usize) -> Person {
    [format!("Person {at}"), format!("Worker {}", at % 7), format!("Unit {}", at % 2)]
}

impl Directory {
    /// Starts a server that holds the first `count` people.
    pub(super) fn start(family: Family, count: usize) -> Option<Self> {
        let container = match family {
            Family::Samba => "dn: OU=Staff,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n",
            _ => "dn: ou=Staff,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: Staff\n\n",
        };
        let people: String = (0..count).map(|at| entry(family, at)).collect();
        let initial_ldif = format!("{container}{people}");
        Some(match family {
            Family::Samba => {
                Self::Samba(SambaAd::start(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() })?)
            }
            Family::Slapd => {
                let sync = Some(SessionLog::Memory);
                Self::Slapd(Slapd::start(SlapdOptions { initial_ldif, sync, ..SlapdOptions::default() })?)
            }
            Family::Ds389 => {
                Self::Ds389(Ds389::start(Ds389Options { initial_ldif, ..Ds389Options::default() })?)
            }
        })
    }

    pub(super) fn family(&self) -> Family {
        match self {
            Self::Samba(_) => Family::Samba,
            Self::Slapd(_) => Family::Slapd,
            Self::Ds389(_) => Family::Ds389,
        }
    }

    /// Where it is best reached: encrypted where passwords need it.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Samba(ad) => &ad.ldaps_url,
            Self::Slapd(slapd) => &slapd.url,
            Self::Ds389(ds389) => &ds389.url,
        }
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        match self {
            Self::Samba(ad) => ad.ca_file.clone(),
            Self::Slapd(slapd) => slapd.ca_file.clone(),
            Self::Ds389(ds389) => ds389.ca_file.clone(),
        }
    }

    /// Name and password of its administrator.
    pub(super) fn bind(&self) -> (&str, &str) {
        match self {
            Self::Samba(ad) => (&ad.bind_name, &ad.password),
            Self::Slapd(slapd) => (&slapd.bind_dn, &slapd.password),
            Self::Ds389(ds389) => (&ds389.bind_dn, &ds389.password),
        }
    }

    /// As a power cut would.
    pub(super) fn kill(&mut self) {
        match self {
            Self::Samba(ad) => ad.stop(),
            Self::Slapd(slapd) => slapd.stop(),
            Self::Ds389(ds389) => ds389.kill(),
        }
    }

    pub(super) fn restart(&mut self) {
        match self {
            Self::Samba(ad) => ad.restart(),
            Self::Slapd(slapd) => slapd.restart(),
            Self::Ds389(ds389) => ds389.restart(),
        }
        .unwrap();
    }

    pub(super) fn modify(&self, ldif: &str) {
        match self {
            Self::Samba(ad) => ad.modify(ldif),
            Self::Slapd(slapd) => slapd.modify(ldif),
            Self::Ds389(ds389) => ds389.modify(ldif),
        }
        .unwrap();
    }

    pub(super) fn set_title(&self, at: usize, title: &str) {
        let dn = dn(self.family(), at);
        self.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: title\ntitle: {title}\n"));
    }

    pub(super) fn delete(&self, at: usize) {
        self.modify(&format!("dn: {}\nchangetype: delete\n", dn(self.family(), at)));
    }

    /// Lets the changelog forget all but its newest record, as its age limit does; then it keeps everything again.
    pub(super) fn trim_changelog(&mut self) {
        let set_age = |directory: &mut Self, age: &str| {
            directory.modify(&format!(
                "dn: cn=Retro Changelog Plugin,cn=plugins,cn=config\nchangetype: modify\n\
                 replace: nsslapd-changelogmaxage\nnsslapd-changelogmaxage: {age}\n-\n\
                 replace: nsslapd-changelog-trim-interval\nnsslapd-changelog-trim-interval: 1\n"
            ));
            // The limit counts from the next start.
            directory.restart();
        };
        set_age(self, "1s");
        while let Self::Ds389(ds389) = &*self
            && ds389.search("cn=changelog", "(changeNumber=*)", &["1.1"]).unwrap().len() > 1
        {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        set_age(self, "7d");
    }

    fn search(&self, filter: &str, attributes: &[&str]) -> Entries {
        match self {
            Self::Samba(ad) => ad.search(&ad.base, filter, attributes),
            Self::Slapd(slapd) => slapd.search(&slapd.suffix, filter, attributes),
            Self::Ds389(ds389) => ds389.search(&ds389.suffix, filter, attributes),
        }
        .unwrap()
    }

    /// Everybody, by account name. Two entries with one account name end the test.
    pub(super) fn people(&self) -> BTreeMap<String, Person> {
        let (account, shown, filter) = match self {
            Self::Samba(_) => {
                ("sAMAccountName", "displayName", "(&(objectCategory=person)(sAMAccountName=p*))")
            }
            _ => ("uid", "cn", "(&(objectClass=inetOrgPerson)(uid=p*))"),
        };
        let mut people = BTreeMap::new();
        for (dn, entry) in self.search(filter, &[account, shown, "title"]) {
            let text = |name: &str| {
                let values = entry.get(name).map_or(&[][..], Vec::as_slice);
                assert!(values.len() < 2, "{name} of {dn} has {} values", values.len());
                values.first().map_or_else(String::new, |value| String::from_utf8(value.clone()).unwrap())
            };
            let unit = dn.split(',').nth(1).and_then(|unit| unit.split('=').nth(1)).unwrap().to_owned();
            let before = people.insert(text(account), [text(shown), text("title"), unit]);
            assert!(before.is_none(), "{dn} is there twice");
        }
        people
    }
}

/// Where somebody stands whom the server held from the beginning.
pub(super) fn dn(family: Family, at: usize) -> String {
    match family {
        Family::Samba => format!("CN=p{at:03},OU=Staff,DC=mesh,DC=test"),
        _ => format!("uid=p{at:03},ou=Staff,dc=mesh,dc=test"),
    }
}

pub(super) fn entry(family: Family, at: usize) -> String {
    let (dn, [name, title, _]) = (dn(family, at), person(at));
    match family {
        Family::Samba => format!(
            "dn: {dn}\nobjectClass: user\nsAMAccountName: p{at:03}\ndisplayName: {name}\ntitle: {title}\n\n"
        ),
        _ => format!(
            "dn: {dn}\nobjectClass: inetOrgPerson\nuid: p{at:03}\ncn: {name}\nsn: {name}\ntitle: {title}\n\n"
        ),
    }
}
