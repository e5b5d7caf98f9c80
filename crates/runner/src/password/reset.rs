//! Setting the password of an object because a person asks for it.

use identitymesh_connector::NewPassword;
use identitymesh_model::{MeshRecord, Name, SpaceId, SpaceRecord};
use identitymesh_store::{PasswordBatch, PasswordOwed, PasswordSettle};
use serde_json::json;

use super::desk::{AtHand, Desk, row};
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError};

/// Where the new password comes from.
pub enum ResetPassword {
    /// It is made by the object's projection rule and delivered where that says.
    ByRule,
    /// A person gives it, and knows it already.
    Given(NewPassword),
}

/// Sets the password of the target's object `space`. The report counts `password` when it was set and delivered; one made
/// by a rule that failed on the way is owed, and the next export tries again.
///
/// # Errors
/// `PWD-004` when a given password was not set, `PWD-008` when no rule says what a new one looks like; when the
/// connected system or the store fails.
pub async fn reset_password(
    mesh: &Mesh,
    name: Name,
    space: SpaceId,
    how: ResetPassword,
) -> Result<RunReport, RunError> {
    let (in_force, id) = mesh.runnable(name)?;
    let kind = mesh.registry.get(&in_force.connector(name)?.connector.kind);
    let can = kind.map(|kind| kind.descriptor().capabilities).unwrap_or_default();
    if !can.set_password {
        return Err(RunError::Unsupported { name: name.to_string(), what: "set passwords" });
    }
    if matches!(&how, ResetPassword::Given(password) if password.must_change() && !can.must_change_password) {
        let what = "have a password changed at the next sign-in";
        return Err(RunError::Unsupported { name: name.to_string(), what });
    }
    let mut run = Run::begin(mesh, Steps::PasswordReset, Some((name, id)))?;
    let desk = Desk { in_force: &in_force, name, connector: id };
    let result = carry_out(&desk, &mut run, space, how).await;
    run.end(result)
}

async fn carry_out(
    desk: &Desk<'_>,
    run: &mut Run,
    space: SpaceId,
    how: ResetPassword,
) -> Result<(), RunError> {
    let (space, mesh) = object(run, space)?;
    match how {
        ResetPassword::ByRule => {
            let rules = &desk.in_force.rules;
            let rule = rules.password_rule_for(mesh.mesh_type, desk.connector, space.object_type);
            let Some((rule, _)) = rule else {
                return Err(RunError::NoPasswordRule {
                    name: desk.name.to_string(),
                    object_type: space.object_type,
                });
            };
            let owed = PasswordOwed { space: space.id, connector: desk.connector, mesh: mesh.id, rule };
            run.mesh.store.owe_password(owed, run.cause()).wait()?;
            let mut session = run.mesh.clone().connect(desk.in_force, desk.name).await?;
            desk.work_off(run, session.as_mut(), &mut AtHand::new()).await
        }
        ResetPassword::Given(password) => {
            let mut session = run.mesh.clone().connect(desk.in_force, desk.name).await?;
            if let Err(failed) = desk.set(session.as_mut(), &space, &password).await? {
                return Err(RunError::PasswordNotSet { reason: failed.reason() });
            }
            run.count("password", 1);
            let told = json!({ "op": "password", "by": "person", "must_change": password.must_change() });
            let row = row(&run.cause(), desk.connector, &mesh, told.to_string());
            let settled = vec![(space.id, PasswordSettle::Done { row })];
            let (cause, counters) = (run.cause(), run.counters.clone());
            let batch = PasswordBatch { cause, settled, findings: Vec::new(), counters };
            Ok(run.mesh.store.settle_passwords(batch).wait()?)
        }
    }
}

/// The object, which has to be there and to belong to somebody.
fn object(run: &Run, space: SpaceId) -> Result<(SpaceRecord, MeshRecord), RunError> {
    let mut reader = run.mesh.store.read()?;
    let found = reader.spaces(&[space])?.pop().flatten().filter(|space| !space.deleted);
    let mesh = match found.as_ref().and_then(|space| space.link) {
        Some(link) => reader.views(&[link.mesh])?.pop().flatten().map(|view| view.record),
        None => None,
    };
    found.zip(mesh).ok_or(RunError::NoSuchObject)
}
