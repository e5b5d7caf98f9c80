//! What became of references, as one change of each object that holds them.

use std::collections::{BTreeMap, HashSet};

use identitymesh_connector::{Change, Patch};
use identitymesh_engine::rules::Referring;
use identitymesh_engine::stage::Told;
use identitymesh_model::{Name, SpaceId, Text, Value, Values};
use identitymesh_store::{Moment, Reader, Referrer};

use super::meant::Meant;
use super::subjects::{Inferred, Subject};
use crate::RunError;
use crate::import::part::{Comparer, batch};
use crate::import::presence::Asker;
use crate::import::stager::Stager;

/// Holders written in one transaction; each may be a large group.
const HOLDERS_TOGETHER: usize = 1_000;

/// What becomes of the references of one object, by attribute and as they are written: nothing, or another name.
type Becomes = BTreeMap<Name, BTreeMap<Text, Option<Text>>>;

/// What becomes of references.
#[derive(Default)]
struct Outcome {
    /// By type and external id.
    holders: BTreeMap<(Name, Text), Becomes>,
    dropped: u64,
    renamed: u64,
}

/// Whose reference is asked about.
struct Claim<'a> {
    subject: &'a Subject,
    key: &'a Text,
    /// Whether the subject is found under that key now.
    is_borne: bool,
    /// Who else is.
    others: Vec<SpaceId>,
}

impl Stager {
    /// Settles the references that the read did not show, once it is known what is gone and before that is written.
    /// `inferred` is what nobody reported.
    pub(in crate::import) fn settle_references(
        &mut self,
        asker: &Asker,
        inferred: Inferred,
    ) -> Result<(), RunError> {
        if !self.mended.is_any() {
            return Ok(());
        }
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        let (since, moment) = (reader.settled(self.connector)?, reader.moment()?);
        drop(reader);
        let in_force = self.in_force.clone();
        let mut meant = Meant::new(&in_force.rules, since);
        let mut outcome = Outcome::default();
        // A full read shows itself under which names objects are meant.
        for ids in self.shown() {
            let subjects = self.renamed(&ids)?;
            self.claim(subjects, &HashSet::new(), &mut meant, &mut outcome)?;
        }
        let deleted = self.deleted(asker, inferred, since)?;
        let going = deleted.iter().map(|subject| subject.id).collect();
        self.claim(deleted, &going, &mut meant, &mut outcome)?;
        self.settled = Some(moment);
        self.write(outcome, moment)
    }

    fn claim(
        &self,
        subjects: Vec<Subject>,
        going: &HashSet<SpaceId>,
        meant: &mut Meant<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), RunError> {
        let mut by_referring: BTreeMap<Referring, Vec<Subject>> = BTreeMap::new();
        for subject in subjects {
            by_referring.entry(subject.referring).or_default().push(subject);
        }
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        for (referring, subjects) in by_referring {
            let each =
                || subjects.iter().flat_map(|subject| subject.keys.iter().map(move |key| (subject, key)));
            let keys: Vec<Text> = each().map(|(_, key)| key.clone()).collect();
            // An external id is never another's.
            let bearers = match referring.index {
                Some(index) => reader.named(self.connector, index, &keys)?,
                None => each()
                    .map(|(subject, _)| subject.is_here.then_some(subject.id).into_iter().collect())
                    .collect(),
            };
            let referrers = reader.referrers(self.connector, &keys)?;
            for (((subject, key), bearers), referrers) in each().zip(bearers).zip(referrers) {
                let is_borne = bearers.contains(&subject.id);
                let others = bearers.into_iter().filter(|id| *id != subject.id).collect();
                let claim = Claim { subject, key, is_borne, others };
                for referrer in referrers {
                    let is_concerned = self.mended.mends(&referrer)
                        && !going.contains(&referrer.space)
                        && referring.key(&referrer.reference) == *key;
                    if is_concerned && self.holds(&claim, &referrer, meant, reader.as_mut())? {
                        outcome.take(&claim, referrer);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a reference meant the subject, and does not any more.
    fn holds(
        &self,
        claim: &Claim<'_>,
        referrer: &Referrer,
        meant: &mut Meant<'_>,
        reader: &mut dyn Reader,
    ) -> Result<bool, RunError> {
        let Claim { subject, key, is_borne, others } = claim;
        let is_deleted = subject.becomes.is_none();
        if *is_borne && (others.is_empty() || !is_deleted) {
            return Ok(is_deleted);
        }
        if self.is_full || self.mended.is_shown(referrer, key) {
            return Ok(false);
        }
        // A run that broke off between two transactions has been here.
        if !others.is_empty() && meant.is_settled(reader, referrer.space)? {
            return Ok(false);
        }
        let of = (subject.referring, *key);
        for other in others {
            let holds = match (meant.had(reader, subject.id, of)?, meant.had(reader, *other, of)?) {
                (Some(subject), Some(other)) => subject && !other,
                // Whoever was there until now is rather meant than somebody who took the name.
                _ => is_deleted && subject.is_here,
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares and writes what became of references, as if the system had said so, and with the last of it that they
    /// are settled.
    fn write(&mut self, outcome: Outcome, settled: Moment) -> Result<(), RunError> {
        let Outcome { holders, dropped, renamed } = outcome;
        for (counter, references) in [("references_dropped", dropped), ("references_renamed", renamed)] {
            if references > 0 {
                self.run.count(counter, references);
            }
        }
        let patches = holders.into_iter().map(|(holder, attributes)| self.patch(holder, attributes));
        let mut patches: Vec<Change> = patches.collect();
        while !patches.is_empty() {
            let rest = patches.split_off(patches.len().min(HOLDERS_TOGETHER));
            let is_last = rest.is_empty();
            self.write_together(patches, is_last.then_some(settled))?;
            patches = rest;
        }
        Ok(())
    }

    fn write_together(&mut self, patches: Vec<Change>, settled: Option<Moment>) -> Result<(), RunError> {
        self.run.mesh.check_cancelled()?;
        let store = self.run.mesh.store.clone();
        let cause = self.run.cause();
        // Nobody is in doubt: all others have told their addresses.
        let told = Told::new();
        let comparer = Comparer {
            rules: &self.in_force.rules,
            connector: self.connector,
            cause: &cause,
            are_new: false,
            are_shown: false,
            told: Some(&told),
        };
        let part = comparer.compare(patches, store.read()?.as_mut())?;
        self.run.count("changed", part.updates.len() as u64);
        self.run.count("drifted", part.drifted);
        let mut batch = batch(cause, self.connector, part);
        batch.settled = settled;
        batch.counters = self.run.counters.clone();
        store.stage(batch).wait()?;
        Ok(())
    }

    fn patch(&self, (object_type, external_id): (Name, Text), attributes: Becomes) -> Change {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (name, references) in attributes {
            let (mut old, new): (Vec<Text>, Vec<Option<Text>>) = references.into_iter().unzip();
            let new: Vec<Text> = new.into_iter().flatten().collect();
            if self.mended.is_set(object_type, name) {
                // One's old name may be another's new one.
                old.retain(|old| !new.contains(old));
                let values = |references: Vec<Text>| references.into_iter().map(Value::Reference).collect();
                add.push((name, values(new)));
                remove.push((name, values(old)));
            } else {
                set.push((name, new.into_iter().next().map(|new| Values::One(Value::Reference(new)))));
            }
        }
        Change::Patch(Patch { object_type, external_id, set, add, remove })
    }
}

impl Outcome {
    fn take(&mut self, claim: &Claim<'_>, referrer: Referrer) {
        let becomes = claim.subject.becomes.clone();
        let counter = if becomes.is_some() { &mut self.renamed } else { &mut self.dropped };
        *counter += 1;
        let holder = self.holders.entry((referrer.object_type, referrer.external_id)).or_default();
        let _before = holder.entry(referrer.attribute).or_default().insert(referrer.reference, becomes);
    }
}
