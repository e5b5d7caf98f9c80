//! How good a rule is, on pairs of which people say whether they are the same: precision and recall at every threshold.
//!
//! A rule is asked as a sync would ask it: a pair that shares no block is never compared, and of several pairs of one
//! object the best has to be better than the others by the margin. Pairs are the only candidates that are known here,
//! so in a mesh of many a margin refuses more often than in a measurement.

use std::collections::BTreeMap;

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::{ConnectorId, MeshRecord, Name, SpaceRecord, Timestamp, Value};

use crate::key::KeyKind;
use crate::rules::{IndexPart, Join, JoinBy, RuleSet};
use crate::sync::{Prober, keys_in, prepare, score};

/// A pair of which somebody says whether it is the same.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The source object.
    pub space: SpaceRecord,
    /// The mesh object.
    pub mesh: MeshRecord,
    /// They are the same.
    pub same: bool,
}

/// What the rule says of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairScore {
    /// 0 to 100; `None` when the two share no block, or the rule does not apply.
    pub score: Option<u8>,
    /// What the rule does with it at its own threshold.
    pub outcome: Outcome,
}

/// What a rule does with a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It links the two.
    Linked,
    /// Another candidate is about as alike: a person decides.
    Conflict,
    /// It does not link them.
    Apart,
}

/// How good a rule is at one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The threshold.
    pub threshold: u8,
    /// Pairs that are the same and are linked.
    pub right: u64,
    /// Pairs that are not the same and are linked.
    pub wrong: u64,
    /// Pairs that are the same and are not linked.
    pub missed: u64,
    /// Pairs that wait for a person; those that are the same count as missed too.
    pub conflicts: u64,
}

impl Measured {
    /// Of the pairs that are linked, the share that is the same, in thousandths; `None` when none is linked.
    #[must_use]
    pub fn precision(&self) -> Option<u64> {
        share(self.right, self.right + self.wrong)
    }

    /// Of the pairs that are the same, the share that is linked, in thousandths; `None` when none is the same.
    #[must_use]
    pub fn recall(&self) -> Option<u64> {
        share(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both, in thousandths.
    #[must_use]
    pub fn f1(&self) -> Option<u64> {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

fn share(part: u64, whole: u64) -> Option<u64> {
    (whole > 0).then(|| (part * 1_000 + whole / 2) / whole)
}

/// What the join rule called `name` does with each pair at its own threshold, and how good it is at every threshold from
/// 1 to 100; the own one is told first. A rule that compares keys has one threshold, 100. `None` without such a rule.
#[must_use]
pub fn measure(
    rules: &RuleSet,
    name: &str,
    pairs: &[Labelled],
    now: Timestamp,
) -> Option<(Vec<PairScore>, Vec<Measured>)> {
    let found = pairs.iter().find_map(|pair| find(rules, name, &pair.space))?;
    let (own, margin) = match &found.by {
        JoinBy::Pairs(_) => (100, 1),
        JoinBy::Likeness(fuzzy) => (fuzzy.threshold, fuzzy.margin.max(1)),
    };
    let mut evaluator = Evaluator::new();
    let scores: Vec<Option<u8>> = pairs
        .iter()
        .map(|pair| {
            let join = find(rules, name, &pair.space)?;
            score_pair(join, pair, now, &mut evaluator)
        })
        .collect();
    let outcomes = outcomes(pairs, &scores, own, margin);
    let told = scores.iter().zip(outcomes).map(|(score, outcome)| PairScore { score: *score, outcome });
    let thresholds = match &found.by {
        JoinBy::Pairs(_) => vec![own],
        JoinBy::Likeness(_) => std::iter::once(own).chain(1..=100).collect(),
    };
    let at = |threshold| count(pairs, &self::outcomes(pairs, &scores, threshold, margin), threshold);
    Some((told.collect(), thresholds.into_iter().map(at).collect()))
}

/// All join rules, those that are not enabled too: name, connector and object type, in the order of names.
#[must_use]
pub fn join_rules(rules: &RuleSet) -> Vec<(String, ConnectorId, Name)> {
    let mut found = Vec::new();
    for connector in rules.connectors() {
        for object_type in connector.object_types() {
            let joins = connector.object_type(object_type).into_iter().flat_map(|known| &known.joins);
            found.extend(joins.map(|join| (rules.rule_name(join.rule), connector.id, object_type)));
        }
    }
    found.sort_unstable();
    found
}

fn find<'r>(rules: &'r RuleSet, name: &str, space: &SpaceRecord) -> Option<&'r Join> {
    let joins = &rules.object_type(space.connector, space.object_type)?.joins;
    let is_called = |join: &&Join| {
        let full = rules.rule_name(join.rule);
        full == name || full.split_once(':').is_some_and(|(_, short)| short == name)
    };
    joins.iter().find(is_called)
}

fn score_pair(join: &Join, pair: &Labelled, now: Timestamp, evaluator: &mut Evaluator) -> Option<u8> {
    if join.mesh_type.is_some_and(|only| only != pair.mesh.mesh_type) {
        return None;
    }
    let scope = Scope::at(now).with_source(&pair.space.doc);
    let mut findings = Vec::new();
    let mut prober = Prober { now, evaluator, findings: &mut findings };
    if !prober.holds(join.when.as_ref(), &scope, &pair.space) {
        return None;
    }
    let anchor = Value::Text(pair.mesh.anchor.clone());
    match &join.by {
        JoinBy::Pairs(comparisons) => {
            let is_equal = comparisons.iter().all(|comparison| {
                let part = IndexPart { attribute: comparison.mesh, kind: KeyKind::Match(comparison.kind) };
                let theirs = keys_in(&[part], &pair.mesh.doc, &anchor);
                let ours = prober.keys(comparison, &scope, &pair.space);
                ours.iter().any(|key| theirs.contains(&key.key))
            });
            is_equal.then_some(100)
        }
        JoinBy::Likeness(fuzzy) => {
            let alike = prober.alike(fuzzy, &scope, &pair.space);
            let shares_block = fuzzy.blocks.iter().any(|block| {
                let theirs = keys_in(&block.mesh_parts(), &pair.mesh.doc, &anchor);
                let mut ours = alike.blocks.iter().filter(|key| key.index == block.index);
                ours.any(|key| theirs.contains(&key.key))
            });
            shares_block.then(|| score(fuzzy, &alike.values, &prepare(fuzzy, &pair.mesh.doc)))
        }
    }
}

/// What becomes of each pair: of the pairs of one object the best is linked, when it is good enough and clearly best.
fn outcomes(pairs: &[Labelled], scores: &[Option<u8>], threshold: u8, margin: u8) -> Vec<Outcome> {
    let mut by_object: BTreeMap<_, Vec<(u8, usize)>> = BTreeMap::new();
    for (at, (pair, score)) in pairs.iter().zip(scores).enumerate() {
        if let Some(score) = score {
            by_object.entry(pair.space.id).or_default().push((*score, at));
        }
    }
    let mut out = vec![Outcome::Apart; pairs.len()];
    for candidates in by_object.values_mut() {
        candidates.sort_unstable_by_key(|(score, at)| (u8::MAX - score, *at));
        let Some((best, first)) = candidates.first().copied().filter(|(best, _)| *best >= threshold) else {
            continue;
        };
        let close = candidates.iter().take_while(|(score, _)| best - score < margin);
        let close: Vec<usize> = close.map(|(_, at)| *at).collect();
        // The same mesh object named twice is no rival to itself.
        let is_one = close.iter().all(|at| pairs[*at].mesh.id == pairs[first].mesh.id);
        for at in close {
            out[at] = if is_one { Outcome::Linked } else { Outcome::Conflict };
        }
    }
    out
}

fn count(pairs: &[Labelled], outcomes: &[Outcome], threshold: u8) -> Measured {
    let mut measured = Measured { threshold, ..Measured::default() };
    for (pair, outcome) in pairs.iter().zip(outcomes) {
        match (pair.same, outcome) {
            (true, Outcome::Linked) => measured.right += 1,
            (false, Outcome::Linked) => measured.wrong += 1,
            (true, Outcome::Conflict) => {
                measured.conflicts += 1;
                measured.missed += 1;
            }
            (false, Outcome::Conflict) => measured.conflicts += 1,
            (true, Outcome::Apart) => measured.missed += 1,
            (false, Outcome::Apart) => {}
        }
    }
    measured
}
