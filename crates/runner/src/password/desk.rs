//! Working off what is owed: set, deliver, write down.
//!
//! A password that came with a new object, or was set just now, is delivered and then written down as done. It is not
//! written down as set before that: a password that nobody received is worth as little as none.

use std::collections::HashMap;

use identitymesh_connector::{Class, Identity, NewPassword, Outcome, Session};
use identitymesh_engine::retry;
use identitymesh_model::{ConnectorId, Finding, MeshId, MeshRecord, Name, SpaceId, SpaceRecord, Text, Value};
use identitymesh_passwords::PasswordError;
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{Cause, PasswordBatch, PasswordDue, PasswordSettle, Ticket};

use super::deliver::{Whose, to_sealed_file};
use crate::RunError;
use crate::force::InForce;
use crate::run::Run;

/// Most objects that are worked off between two looks at what is owed.
const PART_MAX: usize = 100;

/// Passwords that came with new objects and wait to be delivered, by mesh object.
pub(crate) type AtHand = HashMap<MeshId, NewPassword>;

/// Where passwords of one target are set and delivered.
pub(crate) struct Desk<'a> {
    pub(crate) in_force: &'a InForce,
    pub(crate) name: Name,
    pub(crate) connector: ConnectorId,
}

/// Why a password has to be made again.
pub(super) struct Failed {
    code: &'static str,
    reason: String,
    /// A person has to know: it does not mend itself.
    is_finding: bool,
}

impl Failed {
    pub(super) fn reason(self) -> String {
        self.reason
    }

    fn set(reason: String, is_finding: bool) -> Self {
        Self { code: "PWD-004", reason, is_finding }
    }
}

impl Desk<'_> {
    /// Whether the target has rules with passwords.
    pub(crate) fn is_used(&self) -> bool {
        let connector = self.in_force.connector(self.name);
        connector.is_ok_and(|known| known.projection.iter().any(|rule| rule.password.is_some()))
    }

    /// Whether any password is owed and due.
    pub(crate) fn has_work(&self, run: &Run) -> Result<bool, RunError> {
        Ok(!self.due(run, 1)?.is_empty())
    }

    /// Works off everything that is due.
    pub(crate) async fn work_off(
        &self,
        run: &mut Run,
        session: &mut dyn Session,
        at_hand: &mut AtHand,
    ) -> Result<(), RunError> {
        // What was made a moment ago owes too.
        run.settled()?;
        loop {
            let due = self.due(run, PART_MAX)?;
            if due.is_empty() {
                // What is left at hand belongs to objects that went in the meantime.
                at_hand.clear();
                return Ok(());
            }
            let records = records(run, &due)?;
            let mut written: Vec<Ticket<()>> = Vec::with_capacity(due.len());
            for (due, record) in due.iter().zip(records) {
                run.mesh.check_cancelled()?;
                let password = at_hand.remove(&due.mesh);
                let settled = match record {
                    Some((space, mesh)) => self.one(run, session, due, &space, &mesh, password).await?,
                    None => (PasswordSettle::Dropped, None),
                };
                written.push(self.write_down(run, due.space, settled));
            }
            written.into_iter().try_for_each(Ticket::wait)?;
        }
    }

    fn due(&self, run: &Run, limit: usize) -> Result<Vec<PasswordDue>, RunError> {
        let now = Some(run.mesh.clock.now());
        Ok(run.mesh.store.read()?.passwords_due(Some(self.connector), now, None, limit)?)
    }

    async fn one(
        &self,
        run: &mut Run,
        session: &mut dyn Session,
        due: &PasswordDue,
        space: &SpaceRecord,
        mesh: &MeshRecord,
        came_with_it: Option<NewPassword>,
    ) -> Result<(PasswordSettle, Option<Finding>), RunError> {
        let done = self.set_and_deliver(run, session, due, space, mesh, came_with_it).await?;
        Ok(match done {
            Ok(told) => {
                run.count("password", 1);
                (PasswordSettle::Done { row: row(&run.cause(), self.connector, mesh, told) }, None)
            }
            Err(failed) => {
                run.count("password_retry", 1);
                let now = run.mesh.clock.now();
                // It is owed for as long as it takes; only the wait grows.
                let not_before = retry::again(now, due.attempts + 1, true, None).unwrap_or(now);
                let finding = failed.is_finding.then(|| self.finding(&failed, space, mesh));
                (PasswordSettle::Again { not_before, reason: failed.reason }, finding)
            }
        })
    }

    async fn set_and_deliver(
        &self,
        run: &Run,
        session: &mut dyn Session,
        due: &PasswordDue,
        space: &SpaceRecord,
        mesh: &MeshRecord,
        came_with_it: Option<NewPassword>,
    ) -> Result<Result<String, Failed>, RunError> {
        let Some(rule) = self.in_force.rules.password(due.rule) else {
            let reason =
                "the rule that wanted a password is not in force any more; set one by `password reset`";
            return Ok(Err(Failed::set(reason.to_owned(), true)));
        };
        let password = match came_with_it {
            Some(password) => password,
            None => {
                let password = match super::make(rule, &space.doc) {
                    Ok(password) => password,
                    Err(error) => return Ok(Err(undelivered(&error))),
                };
                if let Err(failed) = self.set(session, space, &password).await? {
                    return Ok(Err(failed));
                }
                password
            }
        };
        let whose = Whose { connector: self.name, space, mesh, address: self.address(space) };
        let told = to_sealed_file(self.in_force, rule, &whose, &password, run.mesh.clock.now());
        Ok(told.map_err(|error| undelivered(&error)))
    }

    /// Sets a password in the target.
    pub(super) async fn set(
        &self,
        session: &mut dyn Session,
        space: &SpaceRecord,
        password: &NewPassword,
    ) -> Result<Result<(), Failed>, RunError> {
        let Some(passwords) = session.passwords() else {
            let reason = "the connected system offers no way to set passwords".to_owned();
            return Ok(Err(Failed::set(reason, true)));
        };
        let address = self.address(space).and_then(|name| space.doc.single(name)).and_then(Value::as_text);
        let identity = Identity { external_id: space.external_id.clone(), address: address.map(Text::new) };
        let outcome = match passwords.set_password(space.object_type, &identity, password).await {
            Ok(outcome) => outcome,
            Err(error) if matches!(error.class, Class::Transient | Class::Cancelled) => {
                return Err(error.into());
            }
            // What is wrong with one object, or with its type, must not keep everything else from being sent.
            Err(error) => return Ok(Err(Failed::set(crate::force::in_full(&error), true))),
        };
        Ok(match outcome {
            Outcome::Applied(_) | Outcome::AlreadySo(_) => Ok(()),
            Outcome::Refused { code, reason, .. } => Err(Failed::set(format!("{code}: {reason}"), true)),
            Outcome::Conflict { code, reason } => Err(Failed::set(format!("{code}: {reason}"), true)),
            Outcome::Transient { code, reason, .. } | Outcome::NotSent { code, reason } => {
                Err(Failed::set(format!("{code}: {reason}"), false))
            }
            // Whether it was set does not matter: the next attempt sets another one.
            Outcome::Unknown { code, reason } => Err(Failed::set(format!("{code}: {reason}"), false)),
        })
    }

    fn address(&self, space: &SpaceRecord) -> Option<Name> {
        self.in_force.rules.connector(self.connector)?.object_type(space.object_type)?.address()
    }

    fn write_down(
        &self,
        run: &mut Run,
        space: SpaceId,
        (what, finding): (PasswordSettle, Option<Finding>),
    ) -> Ticket<()> {
        let findings = run.findings(finding.into_iter().collect());
        let (cause, counters) = (run.cause(), run.counters.clone());
        let batch = PasswordBatch { cause, settled: vec![(space, what)], findings, counters };
        run.mesh.store.settle_passwords(batch)
    }

    fn finding(&self, failed: &Failed, space: &SpaceRecord, mesh: &MeshRecord) -> Finding {
        let mut finding = Finding::new(failed.code, format!("the password is still owed: {}", failed.reason));
        finding.connector = Some(self.connector);
        finding.mesh = Some(mesh.id);
        finding.space = Some(space.id);
        finding.subject = Some(space.external_id.to_string());
        finding
    }
}

/// It was made, and perhaps set, and reached nobody.
fn undelivered(error: &PasswordError) -> Failed {
    Failed { code: "PWD-005", reason: crate::force::in_full(error), is_finding: true }
}

/// The objects that owe, with their mesh objects; `None` for those that went.
fn records(run: &Run, due: &[PasswordDue]) -> Result<Vec<Option<(SpaceRecord, MeshRecord)>>, RunError> {
    let mut reader = run.mesh.store.read()?;
    let ids: Vec<SpaceId> = due.iter().map(|due| due.space).collect();
    let spaces = reader.spaces(&ids)?;
    let ids: Vec<MeshId> = due.iter().map(|due| due.mesh).collect();
    let meshes = reader.views(&ids)?.into_iter().map(|view| view.map(|view| view.record));
    let is_there = |space: &SpaceRecord| !space.deleted;
    Ok(spaces.into_iter().zip(meshes).map(|(space, mesh)| space.filter(is_there).zip(mesh)).collect())
}

/// The audit row of a password that was set.
pub(super) fn row(cause: &Cause, connector: ConnectorId, mesh: &MeshRecord, told: String) -> ChangeRow {
    let (kind, connector) = (ChangeKind::Password, Some(connector));
    ChangeRow::new(mesh.id, mesh.uid, cause.run, cause.at, &cause.actor, kind, connector, told, None)
}
