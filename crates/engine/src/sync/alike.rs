//! Fuzzy joins: which mesh objects share a block with an object, and how alike they are (sync semantics, section 3).
//!
//! Everything is looked up in bulk and bounded: a block larger than its rule allows is told and not compared, mesh
//! objects are read without what is around them, and of those that were compared only the ones that can matter to the
//! decision are kept.

use std::collections::{HashMap, HashSet};

use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::Comparator;
use identitymesh_model::{Finding, MeshCard, MeshId, MeshState, Object, RuleId, SpaceRecord, Values};

use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::{Alike, LooksBy, Probe};
use crate::likeness::{Ready, likeness, ready};
use crate::rules::{Fuzzy, Join, JoinBy};

/// Objects whose blocks are looked up together.
const OBJECTS_AT_ONCE: usize = 500;
/// Mesh objects that are held in memory together to be compared.
const CARDS_AT_ONCE: usize = 20_000;
/// The best candidates that are kept; a decision needs two, a person wants to see some more.
const CANDIDATES_KEPT: usize = 20;
/// Values of one attribute that are compared.
const VALUES_COMPARED_MAX: usize = 16;

/// The values of one attribute on each side, made ready, in the order of the rule's comparisons.
pub(crate) type Prepared = Vec<Vec<Ready>>;

/// What of a mesh object `fuzzy` compares.
pub(crate) fn prepare(fuzzy: &Fuzzy, doc: &Object) -> Prepared {
    fuzzy.compared.iter().map(|compared| prepare_values(compared.with, doc.get(compared.mesh))).collect()
}

/// Values of a source object for one comparison, made ready.
pub(crate) fn prepare_values(with: Comparator, values: Option<&Values>) -> Vec<Ready> {
    let values = values.map_or(&[][..], Values::as_slice).iter().take(VALUES_COMPARED_MAX);
    values.filter_map(|value| ready(with, value)).collect()
}

/// How alike the two sides are in each comparison, in thousandths; `None` where it is left out of the score.
pub(crate) fn parts<'v>(
    fuzzy: &'v Fuzzy,
    left: &'v Prepared,
    right: &'v Prepared,
) -> impl Iterator<Item = Option<u32>> + 'v {
    fuzzy.compared.iter().zip(left).zip(right).map(|((compared, left), right)| {
        if compared.optional && (left.is_empty() || right.is_empty()) {
            return None;
        }
        let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
        Some(pairs.map(|(left, right)| likeness(compared.with, left, right)).max().unwrap_or(0))
    })
}

/// The score of the two sides, 0 to 100, rounded down.
pub(crate) fn score(fuzzy: &Fuzzy, left: &Prepared, right: &Prepared) -> u8 {
    let (mut sum, mut weights) = (0_u64, 0_u64);
    for (compared, part) in fuzzy.compared.iter().zip(parts(fuzzy, left, right)) {
        let Some(part) = part else { continue };
        sum += u64::from(part) * u64::from(compared.weight);
        weights += u64::from(compared.weight);
    }
    u8::try_from(sum / (weights * 10).max(1)).expect("a mean of thousandths over ten is at most 100")
}

/// The score below which a candidate cannot matter: it is neither good enough nor close to one that is.
pub(super) const fn least(fuzzy: &Fuzzy) -> u8 {
    fuzzy.threshold.saturating_sub(fuzzy.margin)
}

/// The best first; equal ones in the order of their ids.
pub(super) fn rank(found: &mut Vec<(MeshId, u8)>) {
    found.sort_unstable_by_key(|(id, score)| (u8::MAX - score, *id));
    found.dedup();
    found.truncate(CANDIDATES_KEPT);
}

/// One object's question to one rule.
struct Question<'p, 'r> {
    space: &'p SpaceRecord,
    join: &'r Join,
    fuzzy: &'r Fuzzy,
    alike: &'p mut Alike,
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// Finds what is stored and alike for every fuzzy rule that an earlier rule does not make needless, and brings it
    /// to work.
    pub(super) fn look_for_alike(
        &mut self,
        unlinked: &[SpaceRecord],
        probes: &mut [Probe],
    ) -> Result<(), N::Error> {
        let rules = self.rules;
        let mut questions = Vec::new();
        for (space, probe) in unlinked.iter().zip(probes) {
            let Some(object_type) = rules.object_type(space.connector, space.object_type) else { continue };
            let mut is_decided = self.belongs_by_hand(space.id).is_some();
            for looked in &mut probe.joins {
                let join = &object_type.joins[looked.at];
                match (&mut looked.by, &join.by) {
                    (LooksBy::Keys(keys), _) => {
                        is_decided =
                            is_decided || !self.decider(space.id).candidates(space, join, keys).is_empty();
                    }
                    (LooksBy::Likeness(alike), JoinBy::Likeness(fuzzy)) if !is_decided => {
                        questions.push(Question { space, join, fuzzy, alike });
                    }
                    _ => {}
                }
            }
        }
        let mut crowded = HashSet::new();
        for chunk in questions.chunks_mut(OBJECTS_AT_ONCE) {
            self.compare(chunk, &mut crowded)?;
        }
        let kept = questions.iter().flat_map(|question| &question.alike.found).map(|(id, _)| *id);
        let kept = kept.collect();
        self.load_missing(kept)
    }

    fn compare(
        &mut self,
        questions: &mut [Question<'_, '_>],
        crowded: &mut HashSet<(RuleId, IndexKey)>,
    ) -> Result<(), N::Error> {
        let mut keys: Vec<IndexKey> =
            questions.iter().flat_map(|question| question.alike.blocks.iter().cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        let limit = questions.iter().map(|question| question.fuzzy.block_max).max().unwrap_or(0);
        let found = self.neighbours.blocks(&keys, limit)?;
        let blocks: HashMap<IndexKey, Vec<MeshId>> = keys.into_iter().zip(found).collect();
        let mut cards: HashMap<MeshId, Option<MeshCard>> = HashMap::new();
        let mut waiting: Vec<(usize, Vec<MeshId>)> = Vec::new();
        for at in 0..questions.len() {
            let ids = self.in_blocks(&mut questions[at], &blocks, crowded);
            for id in &ids {
                cards.entry(*id).or_default();
            }
            waiting.push((at, ids));
            if cards.len() >= CARDS_AT_ONCE {
                self.score(questions, std::mem::take(&mut waiting), std::mem::take(&mut cards))?;
            }
        }
        self.score(questions, waiting, cards)
    }

    /// The mesh objects that share a block with the object. A block that is too large is told once and left out.
    fn in_blocks(
        &mut self,
        question: &mut Question<'_, '_>,
        blocks: &HashMap<IndexKey, Vec<MeshId>>,
        crowded: &mut HashSet<(RuleId, IndexKey)>,
    ) -> Vec<MeshId> {
        let Question { space, join, fuzzy, alike } = question;
        let mut ids = Vec::new();
        let rules = self.rules;
        let findings = &mut self.findings;
        alike.blocks.retain(|key| {
            let found = blocks.get(key).map_or(&[][..], Vec::as_slice);
            if found.len() <= fuzzy.block_max {
                ids.extend_from_slice(found);
                return true;
            }
            if crowded.insert((join.rule, key.clone())) {
                let message = format!(
                    "more than {} mesh objects are in the block {:?} of the rule {}, so none of them is compared",
                    fuzzy.block_max,
                    key.key.replace('\u{1f}', " + "),
                    rules.rule_name(join.rule)
                );
                let finding = Finding::new("JOI-007", message);
                findings.push(finding.about(space.connector, space.id, &space.external_id));
            }
            false
        });
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn score(
        &mut self,
        questions: &mut [Question<'_, '_>],
        waiting: Vec<(usize, Vec<MeshId>)>,
        mut cards: HashMap<MeshId, Option<MeshCard>>,
    ) -> Result<(), N::Error> {
        let mut ids: Vec<MeshId> = cards.keys().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Ok(());
        }
        cards.extend(ids.iter().copied().zip(self.neighbours.cards(&ids)?));
        let mut prepared: HashMap<(RuleId, MeshId), Prepared> = HashMap::new();
        for (at, ids) in waiting {
            let Question { space, join, fuzzy, alike } = &mut questions[at];
            for id in ids {
                let Some(card) = cards.get(&id).and_then(Option::as_ref) else { continue };
                let is_candidate = !matches!(card.state, MeshState::Deleted { .. })
                    && join.mesh_type.is_none_or(|only| only == card.mesh_type)
                    && !self.is_never(space.id, id);
                if !is_candidate {
                    continue;
                }
                let right = prepared.entry((join.rule, id)).or_insert_with(|| prepare(fuzzy, &card.doc));
                let score = score(fuzzy, &alike.values, right);
                if score >= least(fuzzy) {
                    alike.found.push((id, score));
                }
            }
            rank(&mut alike.found);
        }
        Ok(())
    }
}
