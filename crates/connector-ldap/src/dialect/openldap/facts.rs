//! How the server is recognised, and what is particular about it.

use crate::delta::Delta;
use crate::dialect::{Facts, Password};
use crate::transport::Entry;
use crate::value::Form;

/// The word in marks.
pub(super) const STYLE: &str = "syncrepl";

pub(crate) const FACTS: Facts = Facts {
    title: "OpenLDAP",
    external_id: "entryUUID",
    external_id_form: Form::Plain,
    password: Password::ModifyOperation,
    names_by_id: false,
};

/// Whether a server with this root entry is one.
pub(crate) fn is_it(root: &Entry) -> bool {
    root.texts("objectClass").any(|class| class == "OpenLDAProotDSE")
}

/// How it is read by changes.
pub(crate) fn delta() -> Option<&'static dyn Delta> {
    Some(&super::ways::Ways)
}
