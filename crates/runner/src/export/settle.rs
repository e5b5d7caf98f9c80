//! From answers to what the store keeps.

use identitymesh_connector::{ImportedObject, Written};
use identitymesh_engine::retry;
use identitymesh_engine::stage::{Told, compare, doubtful_references, fingerprint, with_known};
use identitymesh_model::plan::ItemAction;
use identitymesh_model::{ContentHash, Finding, Name, Object, SpaceRecord};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{
    Cause, Counters, ExportedText, LeasedItem, Reader, Settle, SettleBatch, Settled, StageBatch, StageUpdate,
    StoreError,
};

use super::recorded::before_text;
use super::send::{Ready, open};
use super::state::{Sent, TargetForm};
use crate::RunError;
use crate::import::{body, referents};
use crate::run::Run;

/// What became of an item, as far as is known now.
pub(super) enum Answer {
    /// The target is as wanted: it was so `already`, or not; and `is_ours` when it is so by our sending, now or before.
    Applied { written: Written, already: bool, is_ours: bool },
    /// Refused for good.
    Refused { code: &'static str, reason: String, attributes: Vec<Name> },
    /// Not done; may work later.
    Transient { reason: String, after_seconds: Option<u32> },
    /// Sent, its answer was lost, and it is not there yet: the target may still be at it, or another server that has not
    /// heard of it has answered.
    Lost { reason: String },
    /// Never sent, and due again at once.
    NotSent { reason: String },
    /// Somebody else changed the object; nothing was done.
    Conflict { reason: String, now: Option<ImportedObject> },
    /// A create found its object there as wanted, and it belongs to somebody else: it stays so.
    Taken { reason: String },
    /// Sent, and nobody could say what became of it.
    Unknown { reason: String },
    /// Its object is not there any more, so nothing was sent.
    Dropped,
}

/// Records what became of a wave, while the next one may be sent.
pub(super) fn settle(
    form: &TargetForm<'_>,
    run: &mut Run,
    answers: Vec<(Ready, Answer)>,
) -> Result<(), RunError> {
    if answers.is_empty() {
        return Ok(());
    }
    let cause = run.cause();
    let mut part = Part {
        form,
        cause: &cause,
        settled: Vec::new(),
        findings: Vec::new(),
        foreign: Vec::new(),
        counts: Counters::new(),
        waits: None,
    };
    for (ready, answer) in answers {
        part.one(ready, answer);
    }
    let Part { settled, findings, foreign, counts, waits, .. } = part;
    for (name, by) in counts {
        run.count(&name, by);
    }
    if let Some(reason) = waits {
        let count: u64 = ["retry", "not_sent"].iter().filter_map(|name| run.counters.get(*name)).sum();
        run.message = Some(format!("{count} are to be sent again later; of the last it is said: {reason}"));
    }
    let findings = run.findings(findings);
    if !foreign.is_empty() {
        let updates = restaged(form, foreign, run.mesh.store.read()?.as_mut())?;
        let batch = StageBatch {
            cause: cause.clone(),
            connector: form.connector,
            inserts: Vec::new(),
            updates,
            referred: form.referred(),
            deletes: Vec::new(),
            watermark: None,
            covered: Vec::new(),
            settled: None,
            findings: Vec::new(),
            counters: run.counters.clone(),
        };
        run.mesh.store.stage(batch).wait()?;
    }
    let counters = run.counters.clone();
    run.settle(SettleBatch { cause, connector: form.connector, settled, findings, counters })
}

/// What somebody else changed, as an import would have shown it.
fn restaged(
    form: &TargetForm<'_>,
    foreign: Vec<(SpaceRecord, Object)>,
    reader: &mut dyn Reader,
) -> Result<Vec<StageUpdate>, StoreError> {
    let rules = &form.in_force.rules;
    let doubtful = foreign.iter().flat_map(|(record, now)| doubtful_references(record, now, rules));
    let referents = referents(form.connector, doubtful.collect(), &Told::new(), reader)?;
    let each = foreign.into_iter().map(|(record, now)| {
        let difference = compare(&record, &now, rules, &referents);
        let exported = ExportedText {
            names: difference.exported.names.clone(),
            drift: difference.exported.drift_text(),
        };
        let print = fingerprint(&now);
        let body = body(rules, form.connector, record.object_type, &now, print);
        StageUpdate { id: record.id, body, exported: Some(exported), touch: true, shown: true, row: None }
    });
    Ok(each.collect())
}

/// Items that were leased and never sent go back to the queue.
pub(super) fn give_back(
    form: &TargetForm<'_>,
    run: &mut Run,
    items: Vec<LeasedItem>,
    error: &RunError,
) -> Result<(), RunError> {
    if items.is_empty() {
        return Ok(());
    }
    let cause = run.cause();
    let settled = items
        .into_iter()
        .map(|item| {
            // What an earlier process may have sent is still to be asked about.
            let what = Settle::Returned { unsettled: item.unsettled, reason: error.to_string() };
            Settled { item: item.id, mesh: item.mesh, what }
        })
        .collect();
    let counters = run.counters.clone();
    let batch = SettleBatch { cause, connector: form.connector, settled, findings: Vec::new(), counters };
    run.mesh.store.settle(batch).wait()?;
    Ok(())
}

/// Whether an earlier process may have made what this answer is about. The answer says nothing of that, so for as long as
/// the item may be sent again the question stays open, and an import has its time to show what was made.
const fn is_open(item: &LeasedItem) -> bool {
    item.unsettled && retry::may_try(item.attempts + 1)
}

struct Part<'a, 'f> {
    form: &'a TargetForm<'f>,
    cause: &'a Cause,
    settled: Vec<Settled>,
    findings: Vec<Finding>,
    /// Objects that somebody else changed, as they are known and as they are now.
    foreign: Vec<(SpaceRecord, Object)>,
    counts: Counters,
    /// Why an item has to be sent again later, if one has.
    waits: Option<String>,
}

impl Part<'_, '_> {
    fn count(&mut self, name: &str) {
        *self.counts.entry(name.to_owned()).or_insert(0) += 1;
    }

    fn one(&mut self, ready: Ready, answer: Answer) {
        let open = open(&ready);
        let (item, action, waits) = ready;
        let what = match answer {
            Answer::Applied { written, already, is_ours } => {
                self.count(if already { "already_so" } else { item.operation.as_str() });
                let sent = Sent { waits, open: if already { open } else { Vec::new() } };
                self.applied(&item, &action, &written, sent, is_ours)
            }
            Answer::Refused { code, reason, attributes } => {
                self.count("refused");
                self.finding(
                    "XPT-001",
                    format!("the target refused it: {reason}"),
                    &item,
                    attributes.first().copied(),
                );
                if is_open(&item) {
                    self.again(&item, reason, None, true)
                } else {
                    Settle::Dead { code: code.to_owned(), reason }
                }
            }
            Answer::Transient { reason, after_seconds } => {
                self.again(&item, reason, after_seconds, is_open(&item))
            }
            // It is asked for once more before it is sent again.
            Answer::Lost { reason } => {
                let may_try = retry::may_try(item.attempts + 1);
                self.again(&item, reason, None, may_try)
            }
            Answer::Unknown { reason } => self.again(&item, reason, None, true),
            Answer::NotSent { reason } => {
                self.count("not_sent");
                self.waits = Some(reason.clone());
                // What an earlier process may have sent is still to be asked about.
                Settle::Returned { unsettled: item.unsettled, reason }
            }
            Answer::Conflict { reason, now } => {
                self.count("conflict");
                self.finding(
                    "XPT-003",
                    format!("somebody else changed the object in between: {reason}"),
                    &item,
                    None,
                );
                self.note_foreign(&item, now);
                if is_open(&item) { self.again(&item, reason, None, true) } else { Settle::Dropped }
            }
            Answer::Taken { reason } => {
                self.count("taken");
                self.finding("XPT-004", reason, &item, None);
                Settle::Dropped
            }
            Answer::Dropped => {
                self.count("dropped");
                Settle::Dropped
            }
        };
        self.settled.push(Settled { item: item.id, mesh: item.mesh, what });
    }

    fn again(
        &mut self,
        item: &LeasedItem,
        reason: String,
        after_seconds: Option<u32>,
        unknown: bool,
    ) -> Settle {
        let attempts = item.attempts + 1;
        let Some(not_before) = retry::again(self.cause.at, attempts, unknown, after_seconds) else {
            self.count("dead");
            self.finding("XPT-002", format!("put aside after {attempts} attempts: {reason}"), item, None);
            return Settle::Dead { code: "XPT-002".to_owned(), reason };
        };
        self.count("retry");
        self.waits = Some(reason.clone());
        if unknown { Settle::Unknown { not_before, reason } } else { Settle::Retry { not_before, reason } }
    }

    fn applied(
        &mut self,
        item: &LeasedItem,
        action: &ItemAction,
        written: &Written,
        sent: Sent,
        is_ours: bool,
    ) -> Settle {
        match action {
            ItemAction::Create { attributes, .. } => {
                let Some(external_id) = written.external_id.clone() else {
                    let reason = "the connector gave no external id for a new object".to_owned();
                    return Settle::Unknown { not_before: self.cause.at, reason };
                };
                let state = self.form.created(item.object_type, attributes, external_id, written, sent);
                let row = self.row(item, action, Some(state.body.hash));
                // What somebody else had made has a password that somebody uses.
                let owes_password = is_ours && self.form.password_rule(item, action).is_some();
                Settle::Created { rule: item.rule, state, is_ours, owes_password, row }
            }
            ItemAction::Update { space, .. } => {
                let Some(record) = &item.space else { return Settle::Dropped };
                let state = self.form.updated(record, action, written, sent);
                let row = self.row(item, action, Some(state.body.hash));
                Settle::Updated { space: *space, state, row }
            }
            ItemAction::Delete { space } => {
                Settle::Deleted { space: *space, row: self.row(item, action, None) }
            }
        }
    }

    fn row(&self, item: &LeasedItem, action: &ItemAction, after: Option<ContentHash>) -> ChangeRow {
        let before = before_text(self.form, action, item.space.as_ref(), item.rule);
        let Cause { run, actor, at } = self.cause;
        let connector = Some(self.form.connector);
        ChangeRow::new(item.mesh, item.uid, *run, *at, actor, ChangeKind::Export, connector, before, after)
    }

    /// The foreign value that stood in the way is news for the next sync.
    fn note_foreign(&mut self, item: &LeasedItem, now: Option<ImportedObject>) {
        let (Some(record), Some(now)) = (&item.space, now) else { return };
        let now = with_known(now.attributes, &now.unread, &record.doc);
        self.foreign.push((record.clone(), now));
    }

    fn finding(&mut self, code: &'static str, message: String, item: &LeasedItem, attribute: Option<Name>) {
        let mut finding = Finding::new(code, format!("{} not done: {message}", item.operation));
        finding.connector = Some(self.form.connector);
        finding.mesh = Some(item.mesh);
        finding.space = item.space.as_ref().map(|space| space.id);
        finding.subject = item.space.as_ref().map(|space| space.external_id.to_string());
        finding.attribute = attribute;
        self.findings.push(finding);
    }
}
