//! The work of an export: leases, batches, waves.
//!
//! A wave is a set of items none of which refers to an object that another item of the batch still has to make.

use std::collections::HashSet;

use identitymesh_connector::{Class, Exporter, Session};
use identitymesh_engine::export::{KnownAddresses, addressed, pending};
use identitymesh_model::plan::{ItemAction, Turn};
use identitymesh_model::{ItemId, Name, Uid};
use identitymesh_store::{Lease, LeaseRequest, LeasedItem, Ticket};

use super::send::Sender;
use super::settle;
use super::state::TargetForm;
use crate::guard::{Cleared, check_queue};
use crate::password::{AtHand, Desk};
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError, Stage};

/// Most items leased at once.
const LEASE_ITEMS_MAX: usize = 5_000;
/// How long a lease lasts: long enough for the slowest batch, short enough that a dead process's items come back.
const LEASE_SECONDS: i64 = 900;

/// Runs an export to its end.
///
/// # Errors
/// When the connected system or the store fails, or the run is cancelled. What was sent is known or found out by the
/// next run.
pub async fn export(mesh: &Mesh, name: Name) -> Result<RunReport, RunError> {
    let (in_force, id) = mesh.runnable(name)?;
    let config = in_force.connector(name)?;
    let kind = mesh.registry.get(&config.connector.kind);
    if !kind.is_some_and(|kind| kind.descriptor().capabilities.export) {
        return Err(RunError::Unsupported { name: name.to_string(), what: "export" });
    }
    let run = Run::begin(mesh, Steps::Export, Some((name, id)))?;
    let form = TargetForm::new(&in_force, id);
    let mut work =
        Work { form, run, turn: Turn::First, after: None, cleared: None, done: 0, at_hand: AtHand::new() };
    let result = work.run(mesh, &in_force, name).await;
    // What was sent is recorded however the run ends.
    let settled = work.run.settled();
    work.run.end(result.and(settled))
}

struct Work<'a> {
    form: TargetForm<'a>,
    run: Run,
    turn: Turn,
    after: Option<ItemId>,
    /// The newest item that the guard counted.
    cleared: Option<Cleared>,
    done: u64,
    /// Passwords that came with new objects and are to be delivered.
    at_hand: AtHand,
}

impl Work<'_> {
    async fn run(&mut self, mesh: &Mesh, in_force: &crate::InForce, name: Name) -> Result<(), RunError> {
        // Nothing to send is the usual case, and needs no connection.
        let desk = Desk { in_force, name, connector: self.form.connector };
        let first = self.first(in_force)?;
        if first.items.is_empty() && !desk.has_work(&self.run)? {
            return Ok(());
        }
        let mut session = match mesh.connect(in_force, name).await {
            Ok(session) => session,
            Err(error) => {
                self.give_back(first.items, &error)?;
                return Err(error);
            }
        };
        let mut lease = first;
        // What an earlier run left owing goes first, so that nobody waits for a long queue.
        if let Err(error) = desk.work_off(&mut self.run, session.as_mut(), &mut self.at_hand).await {
            self.give_back_or_warn(lease.items, &error);
            return Err(error);
        }
        while !lease.items.is_empty() {
            // What comes next is leased while this is sent.
            let ahead = self.lease(LEASE_ITEMS_MAX);
            let sent = self.items(mesh, &desk, session.as_mut(), lease.items).await;
            lease = match (sent, self.leased(ahead)) {
                (Ok(()), lease) => lease?,
                (Err(error), Ok(lease)) => {
                    self.give_back_or_warn(lease.items, &error);
                    return Err(error);
                }
                (Err(error), Err(_)) => return Err(error),
            };
        }
        Ok(())
    }

    /// Sends leased items, batch by batch; those that are left when one fails go back.
    async fn items(
        &mut self,
        mesh: &Mesh,
        desk: &Desk<'_>,
        session: &mut dyn Session,
        mut items: Vec<LeasedItem>,
    ) -> Result<(), RunError> {
        while !items.is_empty() {
            let Some(exporter) = session.exporter() else {
                let what = "export as it is set up; a file needs the setting `export`";
                let error = RunError::Unsupported { name: desk.name.to_string(), what };
                self.give_back(items, &error)?;
                return Err(error);
            };
            let batch_max = exporter.batch_max().clamp(1, LEASE_ITEMS_MAX);
            let rest = items.split_off(batch_max.min(items.len()));
            let mut sent = self.batch(exporter, std::mem::replace(&mut items, rest)).await;
            if sent.is_ok() && desk.is_used() {
                sent = desk.work_off(&mut self.run, session, &mut self.at_hand).await;
            }
            if let Err(error) = sent.and_then(|()| mesh.check_cancelled()) {
                self.give_back_or_warn(items, &error);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The first items, after the guard has seen the whole queue.
    fn first(&mut self, in_force: &crate::InForce) -> Result<Lease, RunError> {
        if let Some(rules) = in_force.rules.connector(self.form.connector) {
            self.cleared = check_queue(&mut self.run, rules)?;
        }
        if self.cleared.is_none() {
            return Ok(Lease::default());
        }
        let lease = self.lease(LEASE_ITEMS_MAX);
        self.leased(lease)
    }

    fn lease(&self, limit: usize) -> Ticket<Lease> {
        let cause = self.run.cause();
        let until = cause.at.saturating_add_seconds(LEASE_SECONDS);
        let (connector, turn, after) = (self.form.connector, self.turn, self.after);
        let upto = self.cleared.map(|cleared| cleared.upto);
        self.run.mesh.store.lease(LeaseRequest { cause, connector, turn, after, upto, limit, until })
    }

    fn leased(&mut self, ticket: Ticket<Lease>) -> Result<Lease, RunError> {
        let mut lease = ticket.wait()?;
        if lease.items.is_empty() && self.turn == Turn::First {
            (self.turn, self.after) = (Turn::Usual, None);
            lease = self.lease(LEASE_ITEMS_MAX).wait()?;
        }
        self.after = lease.items.last().map(|item| item.id).or(self.after);
        Ok(lease)
    }

    /// Sends one batch, wave by wave.
    async fn batch(
        &mut self,
        exporter: &mut dyn Exporter,
        mut items: Vec<LeasedItem>,
    ) -> Result<(), RunError> {
        while !items.is_empty() {
            let known = self.addresses(&items)?;
            let coming: HashSet<Uid> = items
                .iter()
                .filter(|item| matches!(item.action, ItemAction::Create { .. }))
                .map(|item| item.uid)
                .collect();
            // What is made is there before anything is deleted: a create that meets the old object of its name may say so.
            let waits = |item: &LeasedItem| match item.action {
                ItemAction::Delete { .. } => !coming.is_empty(),
                _ => pending(&item.action)
                    .iter()
                    .any(|uid| !known.holds(uid) && coming.contains(uid) && *uid != item.uid),
            };
            let (mut wave, mut later): (Vec<LeasedItem>, Vec<LeasedItem>) =
                items.into_iter().partition(|item| !waits(item));
            if wave.is_empty() {
                // They refer to each other in a circle: the first that makes one goes without its references.
                let makes = |item: &LeasedItem| coming.contains(&item.uid);
                wave = vec![later.remove(later.iter().position(makes).unwrap_or(0))];
            }
            items = later;
            self.wave(exporter, wave, &known).await.map_err(|(error, unsent)| {
                let rest = unsent.into_iter().chain(std::mem::take(&mut items)).collect();
                self.give_back_or_warn(rest, &error);
                error
            })?;
        }
        Ok(())
    }

    async fn wave(
        &mut self,
        exporter: &mut dyn Exporter,
        wave: Vec<LeasedItem>,
        known: &KnownAddresses,
    ) -> Result<(), (RunError, Vec<LeasedItem>)> {
        let count = wave.len() as u64;
        let wave = wave
            .into_iter()
            .map(|item| {
                let (action, waits) = addressed(&item.action, known);
                (item, action, waits)
            })
            .collect();
        Sender { form: &self.form, run: &mut self.run, at_hand: &mut self.at_hand }
            .send(exporter, wave)
            .await?;
        self.done += count;
        let total = self.cleared.map(|cleared| cleared.count.max(self.done));
        self.run.mesh.observer.progressed(Stage::Export, self.done, total);
        Ok(())
    }

    fn addresses(&mut self, items: &[LeasedItem]) -> Result<KnownAddresses, RunError> {
        if items.iter().all(|item| pending(&item.action).is_empty()) {
            return Ok(KnownAddresses::default());
        }
        // What the wave before made is among what is looked up.
        self.run.settled()?;
        let (connector, address) = (self.form.connector, self.form.any_address());
        let mut reader = self.run.mesh.store.read()?;
        KnownAddresses::of(items.iter().map(|item| &item.action), |by, uids| {
            Ok(reader.addresses(connector, by.or(address), uids)?)
        })
    }

    fn give_back_or_warn(&mut self, items: Vec<LeasedItem>, error: &RunError) {
        if let Err(failed) = self.give_back(items, error) {
            tracing::warn!(error = %failed, "leased items could not be given back; their lease will end");
        }
    }

    /// Items that were leased and not sent go back into the queue.
    fn give_back(&mut self, items: Vec<LeasedItem>, error: &RunError) -> Result<(), RunError> {
        settle::give_back(&self.form, &mut self.run, items, error)
    }
}

/// Whether trying again later may help.
pub(super) const fn is_passing(class: Class) -> bool {
    matches!(class, Class::Transient | Class::Cancelled | Class::Conflict)
}
