//! How the server is recognised, and what is particular about it.

use crate::delta::Delta;
use crate::dialect::{Facts, Password};
use crate::transport::Entry;
use crate::value::Form;

pub(crate) const FACTS: Facts = Facts {
    title: "389 Directory Server",
    external_id: "nsUniqueId",
    external_id_form: Form::Plain,
    password: Password::ModifyOperation,
    names_by_id: false,
};

/// Whether a server with this root entry is one.
pub(crate) fn is_it(root: &Entry) -> bool {
    root.texts("vendorVersion").any(|version| version.starts_with("389-Directory/"))
}

/// How it is read by changes.
pub(crate) fn delta() -> Option<&'static dyn Delta> {
    Some(&super::changelog::RetroChangelog)
}
