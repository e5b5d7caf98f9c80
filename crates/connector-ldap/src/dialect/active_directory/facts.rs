//! How a domain controller is recognised, what is particular about it, and whose changes matter.

use std::sync::Arc;

use crate::delta::{Around, Delta};
use crate::dialect::{Facts, Password};
use crate::transport::Entry;
use crate::value::Form;

/// The capability that says "this is Active Directory"; its lightweight form without a domain has 1851.
const CAPABILITIES: [&str; 2] = ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1851"];

pub(crate) const FACTS: Facts = Facts {
    title: "Active Directory",
    external_id: "objectGUID",
    external_id_form: Form::Guid,
    password: Password::UnicodePwd,
    names_by_id: true,
};

/// Whether a server with this root entry is one.
pub(crate) fn is_it(root: &Entry) -> bool {
    root.texts("supportedCapabilities").any(|capability| CAPABILITIES.contains(&capability))
}

/// How it is read by changes.
pub(crate) fn delta() -> Option<&'static dyn Delta> {
    Some(&super::delta::ByChanges)
}

/// Entries whose changes matter: those of the types by their class, because a filter that an object no longer matches
/// would hide that; containers, because their names are part of others'; and what was deleted.
pub(super) fn classes_filter(around: &Around) -> String {
    let types = around.types.iter().filter_map(|map| map.config.object_class.first().map(String::as_str));
    let mut classes: Vec<&str> = types.chain(["organizationalUnit", "container"]).collect();
    classes.sort_unstable();
    classes.dedup();
    let classes: String = classes.iter().map(|class| format!("(objectClass={class})")).collect();
    format!("(|{classes}(isDeleted=TRUE))")
}

/// Attributes whose changes matter.
pub(super) fn changing_attributes(around: &Around) -> Arc<[String]> {
    let own = ["objectGUID", "objectClass", "name", "isDeleted"].map(str::to_owned);
    let mut names: Vec<String> =
        around.types.iter().flat_map(|map| map.wanted.iter().cloned()).chain(own).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}
