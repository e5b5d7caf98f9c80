//! Sending one wave of items, and finding out what became of each.

use std::collections::HashMap;

use identitymesh_connector::{Exporter, ImportedObject, NewPassword, Outcome, Written};
use identitymesh_engine::export::{self, Found, found};
use identitymesh_model::plan::ItemAction;
use identitymesh_model::{ItemId, LinkMode, Name, SpaceRecord, Uid};
use identitymesh_store::LeasedItem;

use super::owner::{leave_to_others, without_others};
use super::settle::{Answer, settle};
use super::state::TargetForm;
use super::work::is_passing;
use crate::RunError;
use crate::password::{AtHand, make};
use crate::run::Run;

/// An item with what is really sent for it, and the mesh objects that it goes without.
pub(super) type Ready = (LeasedItem, ItemAction, Vec<Uid>);

/// Attributes of which nobody knows what an earlier attempt wrote.
pub(super) fn open((item, _, waits): &Ready) -> Vec<Name> {
    let is_again = item.unsettled || item.attempts > 0;
    if is_again { export::open(&item.action, waits) } else { Vec::new() }
}

/// What the target says of an item whose answer was lost.
enum Said {
    /// What became of it.
    Answer(Answer),
    /// It was not applied, and may be sent.
    NotApplied,
    /// Its object was made and not filled. Sending it again fills it.
    Begun,
}

/// Sends waves.
pub(super) struct Sender<'a, 'f> {
    pub(super) form: &'a TargetForm<'f>,
    pub(super) run: &'a mut Run,
    /// Passwords that came with new objects and are to be delivered.
    pub(super) at_hand: &'a mut AtHand,
}

impl Sender<'_, '_> {
    /// Sends a wave and settles every item of it.
    pub(super) async fn send(
        &mut self,
        exporter: &mut dyn Exporter,
        mut wave: Vec<Ready>,
    ) -> Result<(), (RunError, Vec<LeasedItem>)> {
        let mut answers: Vec<(Ready, Answer)> = Vec::with_capacity(wave.len());
        match without_others(self.run, &mut wave) {
            Ok(others) => answers.extend(others.into_iter().map(|ready| (ready, Answer::Dropped))),
            Err(error) => return Err((error, wave.into_iter().map(|(item, ..)| item).collect())),
        }
        let mut operations = Vec::with_capacity(wave.len());
        let mut sent: HashMap<ItemId, Ready> = HashMap::with_capacity(wave.len());
        let mut passwords: HashMap<ItemId, NewPassword> = HashMap::new();
        for mut ready in wave {
            if ready.0.unsettled {
                let said = self.ask(exporter, &ready).await;
                if matches!(said, Said::NotApplied | Said::Answer(Answer::Conflict { .. } | Answer::Dropped))
                {
                    // Where there was no name to ask for, an import may still show what was made.
                    ready.0.unsettled = self.form.lost_identity(&ready.0, &ready.1).is_none();
                }
                if let Said::Answer(answer) = said {
                    answers.push((ready, answer));
                    continue;
                }
                tracing::debug!(item = ready.0.id.0, "not seen to be applied whole before; sent again");
            }
            let password = match self.password(&ready) {
                Ok(password) => password,
                Err(refused) => {
                    answers.push((ready, refused));
                    continue;
                }
            };
            passwords.extend(password.clone().map(|password| (ready.0.id, password)));
            match self.form.operation(&ready.0, &ready.1, password) {
                Some(operation) => {
                    operations.push(operation);
                    sent.insert(ready.0.id, ready);
                }
                None => answers.push((ready, Answer::Dropped)),
            }
        }
        let failed = self.exchange(exporter, operations, &mut sent, &mut answers).await;
        for ((item, _, _), answer) in &answers {
            if let Answer::Applied { written: Written { has_password: true, .. }, .. } = answer {
                self.at_hand.extend(passwords.remove(&item.id).map(|password| (item.mesh, password)));
            }
        }
        drop(passwords);
        let settled = leave_to_others(self.form, self.run, &mut answers);
        if let Err(error) = settled.and_then(|()| settle(self.form, self.run, answers)) {
            return Err((error, Vec::new()));
        }
        match failed {
            Some(error) => Err((error, sent.into_values().map(|(item, _, _)| item).collect())),
            None => Ok(()),
        }
    }

    /// A password for the object that an item makes, where it is to have one.
    fn password(&self, (item, action, _): &Ready) -> Result<Option<NewPassword>, Answer> {
        let Some(rule) = self.form.password_rule(item, action) else { return Ok(None) };
        let ItemAction::Create { attributes, .. } = action else { return Ok(None) };
        make(rule, attributes).map(Some).map_err(|error| {
            let reason = error.to_string();
            Answer::Refused { code: "PWD-001", reason, attributes: Vec::new() }
        })
    }

    async fn exchange(
        &mut self,
        exporter: &mut dyn Exporter,
        operations: Vec<identitymesh_connector::Operation>,
        sent: &mut HashMap<ItemId, Ready>,
        answers: &mut Vec<(Ready, Answer)>,
    ) -> Option<RunError> {
        if operations.is_empty() {
            return None;
        }
        let outcomes = match exporter.export(operations).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let reason = error.to_string();
                let passing = is_passing(error.class);
                // Nobody knows what was done: each item is asked about before it is sent again.
                answers.extend(sent.drain().map(|(_, ready)| {
                    let reason = reason.clone();
                    (ready, Answer::Unknown { reason })
                }));
                tracing::warn!(passing, %error, "the target gave no answers for a batch");
                return Some(error.into());
            }
        };
        for (item, outcome) in outcomes {
            let Some(ready) = sent.remove(&item) else { continue };
            let answer = self.understand(exporter, &ready, outcome).await;
            answers.push((ready, answer));
        }
        // A connector that forgets an item breaks its contract; the item counts as sent with its answer lost.
        answers.extend(sent.drain().map(|(_, ready)| {
            (ready, Answer::Unknown { reason: "the connector gave no answer for this item".to_owned() })
        }));
        None
    }

    async fn understand(&mut self, exporter: &mut dyn Exporter, ready: &Ready, outcome: Outcome) -> Answer {
        match outcome {
            Outcome::Applied(written) => Answer::Applied { written, already: false, is_ours: true },
            Outcome::AlreadySo(written) => {
                // An object that we sent before and could not find by its id is most likely ours.
                let is_ours = ready.0.unsettled || ready.0.attempts > 0;
                Answer::Applied { written, already: true, is_ours }
            }
            Outcome::Refused { code, reason, attributes } => Answer::Refused { code, reason, attributes },
            Outcome::Transient { reason, retry_after_seconds, .. } => {
                Answer::Transient { reason, after_seconds: retry_after_seconds }
            }
            Outcome::NotSent { reason, .. } => Answer::NotSent { reason },
            Outcome::Conflict { reason, .. } => {
                let now = self.read_back(exporter, ready).await.unwrap_or(None);
                Answer::Conflict { reason, now }
            }
            // Without a name to ask for it stays open: an import may show it before it is sent again.
            Outcome::Unknown { reason, .. } if self.form.lost_identity(&ready.0, &ready.1).is_none() => {
                Answer::Unknown { reason }
            }
            Outcome::Unknown { reason, .. } => match self.ask(exporter, ready).await {
                Said::Answer(answer) => answer,
                Said::NotApplied => Answer::Lost { reason },
                Said::Begun => Answer::Unknown { reason },
            },
        }
    }

    /// Asks the target whether an item was applied.
    async fn ask(&mut self, exporter: &mut dyn Exporter, ready: &Ready) -> Said {
        let now = match self.read_back(exporter, ready).await {
            Ok(now) => now,
            Err(reason) => return Said::Answer(Answer::Unknown { reason }),
        };
        let address = self.form.address(ready.0.object_type);
        let seen = now.as_ref().map(|object| (&object.attributes, object.unread.as_slice()));
        let is_done = match found(&ready.1, seen, address, &open(ready)) {
            Found::AsWanted => true,
            // An import showed what this create made, and now it is gone: somebody removed it, and the next import says so.
            Found::AsBefore if known_space(&ready.0, &ready.1).is_some() => {
                return Said::Answer(Answer::Dropped);
            }
            Found::AsBefore => return Said::NotApplied,
            Found::Begun => return Said::Begun,
            Found::Otherwise => is_known(ready, now.as_ref()),
        };
        Said::Answer(if is_done {
            let external_id = now.as_ref().map(|object| object.external_id.clone());
            let written = Written { external_id, object: now, has_password: false };
            Answer::Applied { written, already: true, is_ours: true }
        } else {
            let reason = "the target's object is neither as before nor as wanted".to_owned();
            Answer::Conflict { reason, now }
        })
    }

    async fn read_back(
        &mut self,
        exporter: &mut dyn Exporter,
        ready: &Ready,
    ) -> Result<Option<ImportedObject>, String> {
        let Some(identity) = self.form.lost_identity(&ready.0, &ready.1) else { return Ok(None) };
        exporter.read_back(ready.0.object_type, &identity).await.map_err(|error| error.to_string())
    }
}

/// The object that an import showed since a create was sent, while its answer is still out.
pub(super) fn known_space<'r>(item: &'r LeasedItem, action: &ItemAction) -> Option<&'r SpaceRecord> {
    let is_ours = |space: &&SpaceRecord| space.link.is_some_and(|link| link.mesh == item.mesh);
    let space = item.space.as_ref().filter(|space| !space.deleted).filter(is_ours);
    space.filter(|_| matches!(action, ItemAction::Create { .. }))
}

/// Whether what stands in the target is the object that an import showed as made by this very create: what differs
/// since is somebody else's change of an object of ours.
fn is_known((item, action, _): &Ready, now: Option<&ImportedObject>) -> bool {
    known_space(item, action).zip(now).is_some_and(|(space, now)| {
        let is_projected = space.link.is_some_and(|link| link.mode == LinkMode::Projected);
        is_projected && space.external_id == now.external_id
    })
}
