//! Delivery of one password, and what is written down of it.

use std::collections::BTreeMap;

use identitymesh_connector::NewPassword;
use identitymesh_model::rules::PasswordRule;
use identitymesh_model::{MeshRecord, Name, SpaceRecord, Timestamp, Value};
use identitymesh_passwords::{Notice, PasswordError, Recipient, deliver};
use serde_json::json;

use crate::force::InForce;

/// Whose password it is.
pub(super) struct Whose<'a> {
    pub(super) connector: Name,
    pub(super) space: &'a SpaceRecord,
    pub(super) mesh: &'a MeshRecord,
    /// The attribute of addresses, in a tree.
    pub(super) address: Option<Name>,
}

/// Seals the password for the rule's recipients; what the audit says of it, as JSON.
pub(super) fn to_sealed_file(
    in_force: &InForce,
    rule: &PasswordRule,
    whose: &Whose<'_>,
    password: &NewPassword,
    at: Timestamp,
) -> Result<String, PasswordError> {
    let recipients = Recipient::all(&rule.sealed_file.recipients)?;
    let directory = in_force.base(whose.connector).join(&rule.sealed_file.directory);
    let address = whose.address.and_then(|name| whose.space.doc.single(name)).and_then(Value::as_text);
    let attributes: BTreeMap<String, Vec<String>> = rule
        .include
        .iter()
        .filter_map(|name| {
            let values = whose.space.doc.get(*name)?.as_slice().iter().map(ToString::to_string).collect();
            Some((name.as_str().to_owned(), values))
        })
        .collect();
    let notice = Notice {
        format: Notice::FORMAT,
        connector: whose.connector.as_str(),
        object_type: whose.space.object_type.as_str(),
        account: address.unwrap_or(&whose.space.external_id),
        anchor: &whose.mesh.anchor,
        attributes,
        password: password.expose(),
        must_change: password.must_change(),
        set_at: at.to_string(),
    };
    // Colons are no good in names of files elsewhere.
    let called = format!("{}-{}", at.to_string().replace(':', ""), whose.mesh.uid);
    let file = deliver(&directory, &recipients, &called, &notice)?;
    let told = json!({
        "op": "password", "by": "rule", "must_change": password.must_change(), "channel": "sealed_file",
        "recipients": recipients.iter().map(Recipient::as_str).collect::<Vec<_>>(), "file": file,
    });
    Ok(told.to_string())
}
