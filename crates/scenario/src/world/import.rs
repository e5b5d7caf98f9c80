//! Imports: pages that a connector delivers, compared with what is known, and what their end proves.
//!
//! Each page is staged before the next is read, so an import that breaks keeps what came before it. Only the end of a
//! full import says what is gone, by the same judgement as in an installation.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use identitymesh_engine::absence::{Absence, Certified, Shown, is_whole, judge};
use identitymesh_engine::rules::{ConnectorRules, Referring};
use identitymesh_engine::stage::{
    Referents, Told, compare, doubtful_references, fingerprint, id_out_of_bounds, names,
    object_out_of_bounds, patched, set_aside, staged, value_out_of_bounds, with_known,
};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::{HoldClass, Limit};
use identitymesh_model::{ConnectorId, Name, Object, SpaceId, SpaceRecord, Text, Value, Values};

use super::World;
use super::state::Space;

/// One change as a connector delivers it.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The object as it is now.
    Object(Text, Object),
    /// Some attributes are as said; the others stay.
    Patch(Text, Patch),
    /// It is gone.
    Gone(Text),
    /// It is there, and nobody can read it.
    Malformed(Text, String),
}

/// What changed of an object.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Attributes with their new values.
    pub set: Vec<(Name, Option<Values>)>,
    /// Values that were added to sets.
    pub add: Vec<(Name, Vec<Value>)>,
    /// Values that were taken from sets.
    pub remove: Vec<(Name, Vec<Value>)>,
}

/// A page of an import.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Changes with their object types, in the order in which they apply.
    pub changes: Vec<(Name, Incoming)>,
    /// Where a delta import may start that has everything up to here.
    pub mark: Option<u64>,
}

/// How an import ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was read. A full import has a certificate for each object type that was proved complete.
    Whole(BTreeMap<Name, Certified>),
    /// It broke off or was stopped; in a word, which.
    Early(&'static str),
}

impl Incoming {
    pub(super) const fn id(&self) -> &Text {
        match self {
            Self::Object(id, _) | Self::Patch(id, _) | Self::Gone(id) | Self::Malformed(id, _) => id,
        }
    }
}

/// An import at work.
#[derive(Default)]
struct Reading {
    partitions: BTreeMap<Name, Partition>,
    /// Objects whose references are in doubt until others have told their addresses, as they are now.
    doubtful: BTreeMap<(Name, Text), Vec<Incoming>>,
    /// Where a delta may start once nothing is in doubt.
    mark: Option<u64>,
    told: Vec<String>,
}

/// One object type of an import at work.
#[derive(Default)]
struct Partition {
    seen: BTreeSet<Text>,
    delivered: u64,
    malformed: u64,
    repeated: u64,
}

impl World {
    /// Imports pages; a full import covers `full`, and a delta has none. Says in words what a person should know.
    pub fn import(
        &mut self,
        connector: ConnectorId,
        full: Option<&[Name]>,
        pages: Vec<Page>,
        end: End,
    ) -> Vec<String> {
        let mut reading = Reading::default();
        for page in pages {
            self.page(connector, full.is_some(), page, &mut reading);
        }
        let doubtful = std::mem::take(&mut reading.doubtful);
        let addresses = self.told(connector, &doubtful);
        self.take_in(connector, doubtful, Some(&addresses), &mut reading);
        let Reading { mut partitions, mut told, .. } = reading;
        self.state.imported.insert(connector, matches!(end, End::Whole(_)));
        match (end, full) {
            (End::Early(how), _) => told.push(format!("{how}; what came before is kept")),
            (End::Whole(_), None) => {}
            (End::Whole(mut certificates), Some(object_types)) => {
                for object_type in object_types {
                    let partition = partitions.remove(object_type).unwrap_or_default();
                    let certified = certificates.remove(object_type);
                    self.absence(connector, *object_type, &partition, certified, &mut told);
                }
            }
        }
        told
    }

    fn page(&mut self, connector: ConnectorId, is_full: bool, page: Page, reading: &mut Reading) {
        let mut by_object = std::mem::take(&mut reading.doubtful);
        for (object_type, change) in page.changes {
            let partition = reading.partitions.entry(object_type).or_default();
            match change {
                Incoming::Malformed(..) => partition.malformed += 1,
                _ => partition.delivered += 1,
            }
            let id = change.id().clone();
            let is_new = partition.seen.insert(id.clone());
            if is_full && !is_new {
                partition.repeated += 1;
            }
            match refused(&change) {
                Some(message) => reading.told.push(format!("! {object_type} {id}: {message}")),
                None => by_object.entry((object_type, id)).or_default().push(change),
            }
        }
        reading.mark = page.mark.or(reading.mark);
        self.take_in(connector, by_object, None, reading);
    }

    fn take_in(
        &mut self,
        connector: ConnectorId,
        by_object: BTreeMap<(Name, Text), Vec<Incoming>>,
        addresses: Option<&Told>,
        reading: &mut Reading,
    ) {
        let commit = self.state.next_commit();
        for ((object_type, id), changes) in by_object {
            let doubtful =
                self.stage(connector, object_type, &id, changes, (commit, addresses), &mut reading.told);
            if let Some(now) = doubtful {
                reading.doubtful.insert((object_type, id.clone()), vec![Incoming::Object(id, now)]);
            }
        }
        if reading.doubtful.is_empty()
            && let Some(mark) = reading.mark
        {
            self.state.watermarks.insert(connector, mark);
        }
    }

    /// The end of a full import of one object type.
    fn absence(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        partition: &Partition,
        certified: Option<Certified>,
        told: &mut Vec<String>,
    ) {
        let present = self.state.spaces().map(|space| &space.record).filter(|record| {
            (record.connector, record.object_type, record.deleted) == (connector, object_type, false)
        });
        let present: Vec<(SpaceId, Text)> =
            present.map(|record| (record.id, record.external_id.clone())).collect();
        let population = present.len() as u64;
        let unseen: Vec<SpaceId> = present
            .into_iter()
            .filter(|(_, id)| !partition.seen.contains(id))
            .map(|(space, _)| space)
            .collect();
        let shown = Shown {
            delivered: partition.delivered,
            malformed: partition.malformed,
            repeated: partition.repeated,
            certified,
        };
        self.state.covered.insert((connector, object_type), is_whole(&shown, population));
        if unseen.is_empty() {
            return;
        }
        let limits = self.rules.connector(connector).map(|known| &known.limits);
        let limit = limits.and_then(|limits| limits.of(object_type, HoldClass::ImportDelete));
        let limit = limit.unwrap_or(Limit::DEFAULT);
        match judge(object_type, &shown, population, unseen.len() as u64, limit) {
            Absence::Proved => {
                let commit = self.state.next_commit();
                unseen.into_iter().for_each(|space| self.mark_gone(space, commit, told));
            }
            Absence::Unproved(words) => told.push(words),
            Absence::Held(words) => told.push(format!("held: {words}")),
        }
    }

    fn mark_gone(&mut self, space: SpaceId, commit: u64, told: &mut Vec<String>) {
        let gone = self.state.edit(space, |space| {
            if space.record.deleted {
                return None;
            }
            (space.record.deleted, space.touched) = (true, commit);
            Some(format!("gone: {} {}", space.record.object_type, space.record.external_id))
        });
        told.extend(gone.flatten());
    }

    /// What several changes of one object mean: the newest whole statement makes all older ones void, and what is
    /// neither known nor stated is no object. Hands back an object whose references are in doubt.
    fn stage(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        id: &Text,
        changes: Vec<Incoming>,
        (commit, addresses): (u64, Option<&Told>),
        told: &mut Vec<String>,
    ) -> Option<Object> {
        let known = self.state.find(connector, object_type, id);
        let record = known.and_then(|space| self.state.space(space)).map(|space| &space.record);
        let mut now = record.map(|record| record.doc.clone());
        let mut is_gone = record.is_none_or(|record| record.deleted);
        for change in changes {
            match change {
                Incoming::Object(_, mut object) => {
                    let large = set_aside(&mut object);
                    told.extend(
                        large
                            .iter()
                            .map(|name| format!("! {object_type} {id}: {}", value_out_of_bounds(*name))),
                    );
                    let known = now.unwrap_or_default();
                    (now, is_gone) = (Some(with_known(object, &large, &known)), false);
                }
                Incoming::Patch(_, Patch { set, add, remove }) => {
                    now = now.map(|now| patched(&now, &set, &add, &remove));
                }
                Incoming::Gone(_) => is_gone = true,
                Incoming::Malformed(..) => {}
            }
        }
        match (known, now) {
            (None, Some(object)) if !is_gone => self.add(connector, object_type, id, object, commit),
            (Some(space), _) if is_gone => self.mark_gone(space, commit, told),
            (Some(space), Some(object)) => {
                if addresses.is_none() && !self.doubts(space, &object).is_empty() {
                    return Some(object);
                }
                self.update(space, &object, commit, addresses.unwrap_or(&Told::new()), told);
            }
            _ => {}
        }
        None
    }

    fn doubts(&self, space: SpaceId, object: &Object) -> Vec<(Referring, Text)> {
        let record = &self.state.space(space).expect("it was found").record;
        doubtful_references(record, object, &self.rules)
    }

    /// Under which names objects in doubt are found now.
    fn told(&self, connector: ConnectorId, doubtful: &BTreeMap<(Name, Text), Vec<Incoming>>) -> Told {
        let mut told = Told::new();
        for ((object_type, id), changes) in doubtful {
            let space = self.state.find(connector, *object_type, id);
            if let (Some(space), [Incoming::Object(_, now)]) = (space, changes.as_slice()) {
                let names = names(&self.rules, connector, *object_type, now);
                told.extend(names.into_iter().map(|name| (name, space)));
            }
        }
        told
    }

    fn add(&mut self, connector: ConnectorId, object_type: Name, id: &Text, object: Object, commit: u64) {
        let names = staged(&self.rules, connector, object_type, &object, fingerprint(&object)).names;
        let record = SpaceRecord {
            id: self.state.next_space(),
            connector,
            object_type,
            external_id: id.clone(),
            doc: object,
            deleted: false,
            unconfirmed: false,
            exported: [].into(),
            drift: Vec::new(),
            link: None,
        };
        self.state.add(Space { record, touched: commit, names, note: None, waits: Vec::new() });
    }

    /// Replaces what is known of an object by what was shown.
    pub(super) fn update(
        &mut self,
        space: SpaceId,
        object: &Object,
        commit: u64,
        addresses: &Told,
        told: &mut Vec<String>,
    ) {
        let known = self.state.space(space).expect("it was found");
        let record = &known.record;
        if record.doc == *object && !record.deleted && !record.unconfirmed {
            return;
        }
        let (connector, object_type) = (record.connector, record.object_type);
        let doubts = doubtful_references(record, object, &self.rules);
        let Ok(referents) =
            Referents::of(doubts, addresses, |index, keys| self.bearers(connector, index, keys));
        let difference = compare(record, object, &self.rules, &referents);
        for (name, written) in &difference.drifted {
            told.push(format!(
                "drift: {object_type} {} {name} is {} (we wrote {})",
                record.external_id,
                shown(object.get(*name)),
                shown(written.as_ref())
            ));
        }
        let names = staged(&self.rules, connector, object_type, object, fingerprint(object)).names;
        let referred =
            self.rules.connector(connector).map_or_else(Vec::new, ConnectorRules::referred_indexes);
        let renamed: Vec<IndexKey> = names
            .iter()
            .filter(|name| !known.names.contains(name))
            .chain(known.names.iter().filter(|name| !names.contains(name)))
            .filter(|name| referred.contains(&name.index))
            .cloned()
            .collect();
        for name in renamed {
            self.wake_referrers(connector, &name.key, &[]);
        }
        self.state.edit(space, |space| {
            let record = &mut space.record;
            let was_exported = !record.exported.is_empty();
            let touch = difference.touch || (!was_exported && record.doc != *object);
            if was_exported {
                record.exported = difference.exported.names.into();
                record.drift = difference.exported.drift;
            }
            (record.doc, record.deleted, record.unconfirmed) = (object.clone(), false, false);
            if touch {
                space.touched = commit;
            }
            space.names = names;
        });
    }
}

impl World {
    /// Who is found under each of the keys, and where nobody is, who last was.
    fn bearers(
        &self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Result<Vec<Option<SpaceId>>, Infallible> {
        let is_of = |space: &SpaceId| {
            self.state.space(*space).is_some_and(|space| space.record.connector == connector)
        };
        let is_there = |space: &SpaceId| {
            is_of(space) && self.state.space(*space).is_some_and(|space| !space.record.deleted)
        };
        let each = keys.iter().map(|key| {
            let key = IndexKey { index, key: key.clone() };
            let now: Vec<SpaceId> = self.state.index.named(&key).filter(is_there).collect();
            match now[..] {
                [only] => Some(only),
                _ => self.state.former(&key).filter(is_of),
            }
        });
        Ok(each.collect())
    }
}

fn refused(change: &Incoming) -> Option<String> {
    match change {
        Incoming::Object(id, object) => id_out_of_bounds(id).or_else(|| object_out_of_bounds(object)),
        Incoming::Malformed(_, why) => Some(why.clone()),
        Incoming::Patch(id, _) | Incoming::Gone(id) => id_out_of_bounds(id),
    }
}

fn shown(values: Option<&Values>) -> String {
    values.map_or_else(|| "absent".to_owned(), |values| format!("{values:?}"))
}
