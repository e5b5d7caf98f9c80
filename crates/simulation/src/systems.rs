//! The connected systems of every life: HR, a directory and a service desk, the latter two read and written.

use identitymesh_connector_fake::FakeSystem;
use identitymesh_model::{AttributeSchema, Name, ObjectSchema, Schema};

/// One of the systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    Hr,
    Directory,
    Desk,
}

impl Which {
    pub(crate) const ALL: [Self; 3] = [Self::Hr, Self::Directory, Self::Desk];
    pub(crate) const TARGETS: [Self; 2] = [Self::Directory, Self::Desk];

    /// The connector's name.
    pub(crate) fn name(self) -> Name {
        name(self.word())
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hr => "hr",
            Self::Directory => "directory",
            Self::Desk => "desk",
        }
    }
}

/// All of them. Clones are the same systems.
#[derive(Clone, Debug)]
pub(crate) struct Systems {
    pub(crate) hr: FakeSystem,
    pub(crate) directory: FakeSystem,
    pub(crate) desk: FakeSystem,
}

impl Systems {
    pub(crate) fn new() -> Self {
        let person = ["id", "sn", "mail", "phone", "department"];
        let person = object("person", None, &person, &[("active", "boolean"), ("manager", "reference")]);
        let team = object("team", None, &["code"], &[("member", "reference[]")]);
        let account = ["dn", "uid", "login", "sn", "mail", "phone", "state"];
        let account = object("account", Some("dn"), &account, &[("manager", "reference")]);
        let group = object("group", Some("dn"), &["dn", "cn"], &[("member", "reference[]")]);
        let contact = object("contact", None, &["id", "sn", "phone"], &[]);
        let system = |object_types| FakeSystem::new(Schema { object_types });
        Self {
            hr: system(vec![person, team]).keyed_by(name("id")),
            directory: system(vec![account, group]),
            desk: system(vec![contact]).keyed_by(name("id")),
        }
    }

    pub(crate) const fn get(&self, which: Which) -> &FakeSystem {
        match which {
            Which::Hr => &self.hr,
            Which::Directory => &self.directory,
            Which::Desk => &self.desk,
        }
    }

    /// Nothing fails any more.
    pub(crate) fn calm(&self) {
        Which::ALL.into_iter().for_each(|which| self.get(which).clear_faults());
    }

    /// Where the change logs of the targets stand: the same number again means that nothing was written.
    pub(crate) fn written(&self) -> [u64; 2] {
        [self.directory.newest_change(), self.desk.newest_change()]
    }
}

fn object(word: &str, address: Option<&str>, texts: &[&str], others: &[(&str, &str)]) -> ObjectSchema {
    let texts = texts.iter().map(|text| (*text, "string"));
    let attributes = texts.chain(others.iter().copied());
    let attributes = attributes.map(|(word, kind)| {
        AttributeSchema::new(name(word), kind.parse().expect("the types in this file are types"))
    });
    ObjectSchema { object_type: name(word), address: address.map(name), attributes: attributes.collect() }
}

/// A name that stands in this crate's own source.
pub(crate) fn name(word: &str) -> Name {
    Name::new(word).expect("the names in this crate are names")
}
