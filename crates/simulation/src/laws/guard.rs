//! Nothing large happens without a person: what is over a limit is held, that class of changes only, before the first of
//! them is sent.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::rules::HoldClass;
use identitymesh_model::{HoldId, MeshId, Name, RunId, Text, Value};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{HoldFilter, HoldState, ItemRow, ItemState, Reader};

use super::absence::Key;
use super::store::{ROWS_MAX, Tables};
use super::{Scene, Targets, Verdict, broken, owner, unreadable};
use crate::said::GONE_MAX;
use crate::step::Step;
use crate::systems::{Which, name};

/// So many are allowed however few there are, where no limit is written.
const ALWAYS_ALLOWED: u64 = 10;
/// More are never allowed, however many there are.
const NEVER_ALLOWED: u64 = 500;

/// Holds that were seen, and what people approved.
#[derive(Default)]
pub(crate) struct Guard {
    newest: Option<HoldId>,
    approved: BTreeSet<(Which, String)>,
    /// Objects of which a change was on its way after the step before: it passed the guard when it was sent first.
    passed: BTreeSet<(Which, Name, Text)>,
}

/// A class of changes.
type Class = (Which, Name, Operation);

/// How many of a class were sent without a person, by the run that sent them; `None` where the answer was lost with it.
#[derive(Default)]
struct Sent(BTreeMap<Class, BTreeMap<Option<RunId>, u64>>);

impl Sent {
    fn add(&mut self, class: Class, run: Option<RunId>) {
        *self.0.entry(class).or_default().entry(run).or_default() += 1;
    }

    /// At most so many by one run.
    fn by(&self, class: Class, run: RunId) -> u64 {
        let Some(runs) = self.0.get(&class) else { return 0 };
        [Some(run), None].iter().filter_map(|run| runs.get(run)).sum()
    }

    /// Each class with the most that one run sent.
    fn most(&self) -> impl Iterator<Item = (&Class, u64)> {
        self.0.iter().map(|(class, runs)| {
            let lost = runs.get(&None).copied().unwrap_or_default();
            let most = runs.iter().filter(|(run, _)| run.is_some()).map(|(_, count)| *count).max();
            (class, most.unwrap_or_default() + lost)
        })
    }
}

impl Guard {
    /// A person is about to approve a change of this person's or team's object in a target.
    pub(crate) fn approve(&mut self, which: Which, anchor: &str) {
        self.approved.insert((which, anchor.to_owned()));
    }

    pub(super) fn check(
        &mut self,
        reader: &mut dyn Reader,
        tables: &Tables,
        scene: &Scene<'_>,
        gone: &[Key],
        [before, after]: [&Targets; 2],
    ) -> Verdict {
        let done = self.unasked(tables, scene, before, after);
        if matches!(scene.step, Step::Work(..)) {
            for ((which, object_type, operation), count) in done.most() {
                let population =
                    before.0.keys().filter(|key| (key.0, key.1) == (*which, *object_type)).count();
                if count > allowed(population as u64) {
                    let what = format_args!("{count} {object_type} in {}: {operation}", which.word());
                    return broken("nothing large happens without a person", what);
                }
            }
            self.few_are_gone(scene, gone)?;
        }
        only_limited_classes_are_held(reader, tables)?;
        self.passed = on_their_way(tables, scene);
        self.holds_come_first(reader, scene, &done)
    }

    /// What was done in the targets that nobody had approved.
    fn unasked(&self, tables: &Tables, scene: &Scene<'_>, before: &Targets, after: &Targets) -> Sent {
        let anchors: BTreeMap<MeshId, &str> =
            tables.meshes.iter().map(|row| (row.id, row.anchor.as_str())).collect();
        let runs: BTreeMap<(Which, &str), RunId> = tables
            .changes
            .iter()
            .filter(|row| row.kind == ChangeKind::Export)
            .filter_map(|row| {
                let which = scene.connectors.get(&row.connector?)?;
                Some(((*which, *anchors.get(&row.mesh)?), row.run))
            })
            .collect();
        let off = Value::text("off");
        let is_off = |object: &identitymesh_connector::ImportedObject| {
            object.attributes.single(name("state")) == Some(&off)
        };
        let mut done = Sent::default();
        for (key, was) in &before.0 {
            let operation = match after.0.get(key) {
                None => Operation::Delete,
                Some(now) if is_off(now) && !is_off(was) => Operation::Disable,
                Some(_) => continue,
            };
            let whose = (key.0, owner(was));
            if !self.approved.contains(&whose) && !self.passed.contains(key) {
                done.add((key.0, key.1, operation), runs.get(&(whose.0, whose.1.as_str())).copied());
            }
        }
        done
    }

    /// HR is read by imports alone, so what counts as gone there was taken so by one import.
    fn few_are_gone(&self, scene: &Scene<'_>, gone: &[Key]) -> Verdict {
        let mut counts: BTreeMap<Name, u64> = BTreeMap::new();
        for (connector, object_type, _) in gone {
            if scene.connectors.get(connector) == Some(&Which::Hr) {
                *counts.entry(*object_type).or_default() += 1;
            }
        }
        let limit = GONE_MAX as u64;
        match counts.into_iter().find(|(_, count)| *count > limit) {
            Some((object_type, count)) => {
                let what = format_args!("{count} {object_type} of HR count as gone");
                broken("nothing large happens without a person", what)
            }
            None => Ok(()),
        }
    }

    /// A hold is made where the limit is crossed, and nothing of its class was sent before.
    fn holds_come_first(&mut self, reader: &mut dyn Reader, scene: &Scene<'_>, done: &Sent) -> Verdict {
        let holds = reader.hold_list(&HoldFilter::default(), None, ROWS_MAX).map_err(unreadable)?;
        let newest = self.newest;
        for hold in holds.iter().filter(|hold| newest.is_none_or(|newest| hold.id > newest)) {
            self.newest = self.newest.max(Some(hold.id));
            // What an undo keeps from being done again is rejected from the beginning.
            if hold.state == HoldState::Rejected {
                continue;
            }
            if let Some(again) = hold.again {
                repeats_what_was_not_let_go(reader, hold.id, again)?;
                continue;
            }
            let Some(which) = scene.connectors.get(&hold.connector) else { continue };
            let limit = match hold.class {
                HoldClass::ImportDelete | HoldClass::Export(_) => allowed(hold.population),
                HoldClass::Change | HoldClass::Clear => 0,
            };
            let sent = match hold.class {
                // Of what is within its limit by now, what is left goes on its way.
                HoldClass::Export(operation) if hold.state != HoldState::Withdrawn => {
                    done.by((*which, hold.object_type, operation), hold.run)
                }
                _ => 0,
            };
            if hold.size <= limit || sent > 0 {
                let what = format_args!("limit {limit}, {sent} were sent: {hold:?}");
                return broken("what is over its limit is held, and before the first is sent", what);
            }
        }
        Ok(())
    }
}

fn on_their_way(tables: &Tables, scene: &Scene<'_>) -> BTreeSet<(Which, Name, Text)> {
    let items =
        tables.items.iter().filter(|item| matches!(item.state, ItemState::Leased | ItemState::RetryWait));
    let object = |item: &ItemRow| {
        let (ItemAction::Update { space, .. } | ItemAction::Delete { space }) = &item.action else {
            return None;
        };
        let object = tables.spaces.iter().find(|row| row.id == *space)?;
        let which = scene.connectors.get(&item.connector)?;
        Some((*which, object.object_type, object.external_id.clone()))
    };
    items.filter_map(object).collect()
}

/// No limit is written for other operations, so what is held of them repeats what was not let go.
fn only_limited_classes_are_held(reader: &mut dyn Reader, tables: &Tables) -> Verdict {
    let is_limited = |operation| matches!(operation, Operation::Disable | Operation::Delete);
    let held = tables.items.iter().filter(|item| item.state == ItemState::Held && !item.rejected);
    for item in held.filter(|item| !is_limited(item.operation)) {
        let hold = item.hold.map(|hold| reader.hold(hold)).transpose().map_err(unreadable)?.flatten();
        if hold.is_none_or(|hold| hold.again.is_none()) {
            return broken("only the class over its limit is held", format_args!("{item:?}"));
        }
    }
    Ok(())
}

/// Whom a hold asks about again, somebody decided about before, or left when others were decided about.
fn repeats_what_was_not_let_go(reader: &mut dyn Reader, hold: HoldId, again: HoldId) -> Verdict {
    let earlier = reader.hold(again).map_err(unreadable)?;
    let items = reader.hold_items(again, None, ROWS_MAX).map_err(unreadable)?;
    let now = reader.hold_items(hold, None, ROWS_MAX).map_err(unreadable)?;
    let stands =
        |subject| items.iter().any(|item| item.subject == subject && item.state != HoldState::Approved);
    let is_decided = earlier.is_some_and(|earlier| !earlier.decisions.is_empty());
    match now.iter().find(|item| !is_decided || !stands(item.subject)) {
        Some(item) => broken(
            "only what was not let go is asked about again",
            format_args!("hold {hold} after {again}: {item:?}"),
        ),
        None => Ok(()),
    }
}

/// How many of a class may go without a person, where no limit is written.
fn allowed(population: u64) -> u64 {
    (population / 10).clamp(ALWAYS_ALLOWED, NEVER_ALLOWED)
}
