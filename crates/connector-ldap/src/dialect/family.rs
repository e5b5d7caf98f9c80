//! Families of servers: how one is recognised, and what differs between them.

use super::{active_directory, ds389, openldap};
use crate::delta::Delta;
use crate::transport::Entry;
use crate::value::Form;

/// A family of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Active Directory of Microsoft or Samba.
    ActiveDirectory,
    /// OpenLDAP.
    OpenLdap,
    /// 389 Directory Server and what is made of it.
    Ds389,
    /// A server that is none of these; it is taken at its word.
    Plain,
}

/// How a password is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    /// As the quoted UTF-16 value of `unicodePwd`, over an encrypted connection.
    UnicodePwd,
    /// By the operation of RFC 3062, so that the server hashes it.
    ModifyOperation,
    /// As a value of `userPassword`.
    Attribute,
}

/// What differs between families.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) title: &'static str,
    /// The attribute that identifies an entry for good, unless the configuration names another.
    pub(crate) external_id: &'static str,
    /// How that id is shown.
    pub(crate) external_id_form: Form,
    pub(crate) password: Password,
    /// An entry can be named by its id wherever a name is asked for.
    pub(crate) names_by_id: bool,
}

impl Dialect {
    /// The family of the server with this root entry.
    pub(crate) fn of(root: &Entry) -> Self {
        if active_directory::is_it(root) {
            Self::ActiveDirectory
        } else if ds389::is_it(root) {
            Self::Ds389
        } else if openldap::is_it(root) {
            Self::OpenLdap
        } else {
            Self::Plain
        }
    }

    /// Its facts.
    pub(crate) fn facts(self) -> &'static Facts {
        match self {
            Self::ActiveDirectory => &active_directory::FACTS,
            Self::OpenLdap => &openldap::FACTS,
            Self::Ds389 => &ds389::FACTS,
            Self::Plain => &PLAIN,
        }
    }

    /// How it is read by changes, where that is possible.
    pub(crate) fn delta(self) -> Option<&'static dyn Delta> {
        match self {
            Self::ActiveDirectory => active_directory::delta(),
            Self::OpenLdap => openldap::delta(),
            Self::Ds389 => ds389::delta(),
            Self::Plain => None,
        }
    }
}

const PLAIN: Facts = Facts {
    title: "an LDAP server",
    external_id: "entryUUID",
    external_id_form: Form::Plain,
    password: Password::Attribute,
    names_by_id: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_recognised_by_their_root_entries() {
        let root = |attributes: &[(&str, &str)]| Entry {
            dn: String::new(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]))
                .collect(),
        };
        for (attributes, expected) in [
            (&[("supportedCapabilities", "1.2.840.113556.1.4.800")][..], Dialect::ActiveDirectory),
            (&[("objectClass", "OpenLDAProotDSE")], Dialect::OpenLdap),
            (&[("vendorName", "389 Project"), ("vendorVersion", "389-Directory/2.3.1")], Dialect::Ds389),
            (&[("vendorName", "Somebody")], Dialect::Plain),
            (&[], Dialect::Plain),
        ] {
            assert_eq!(Dialect::of(&root(attributes)), expected, "{attributes:?}");
        }
    }
}
