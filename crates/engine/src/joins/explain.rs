//! Why a candidate scores as it does: every comparison with both sides.

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::rules::Comparator;
use identitymesh_model::{MeshView, Name, SpaceRecord, Timestamp};

use crate::likeness::Ready;
use crate::rules::{JoinBy, RuleSet};
use crate::sync::{Prober, parts, prepare, score};

/// How one rule scores one candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateScore {
    /// The rule's name.
    pub rule: String,
    /// 0 to 100.
    pub score: u8,
    /// The least score that links.
    pub threshold: u8,
    /// How much better than all others the best has to be.
    pub margin: u8,
    /// Each comparison, in the rule's order.
    pub parts: Vec<PartScore>,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct PartScore {
    /// The mesh attribute.
    pub mesh: Name,
    /// The source attribute or expression.
    pub source: String,
    /// How they compare.
    pub with: Comparator,
    /// Its share in the score.
    pub weight: u32,
    /// The source's values, as compared.
    pub left: Vec<String>,
    /// The candidate's values, as compared.
    pub right: Vec<String>,
    /// How alike they are, in thousandths; `None` where it is left out of the score.
    pub likeness: Option<u32>,
}

/// How the fuzzy rules of an object's type score a mesh object, those that are not enabled too.
#[must_use]
pub fn score_candidates(
    rules: &RuleSet,
    space: &SpaceRecord,
    candidate: &MeshView,
    now: Timestamp,
) -> Vec<CandidateScore> {
    let Some(object_type) = rules.object_type(space.connector, space.object_type) else { return Vec::new() };
    let mut evaluator = Evaluator::new();
    let mut findings = Vec::new();
    let mut prober = Prober { now, evaluator: &mut evaluator, findings: &mut findings };
    let scope = Scope::at(now).with_source(&space.doc);
    let mut scores = Vec::new();
    for join in &object_type.joins {
        let JoinBy::Likeness(fuzzy) = &join.by else { continue };
        let left = prober.compared(fuzzy, &scope, space);
        let right = prepare(fuzzy, &candidate.record.doc);
        let told = fuzzy.compared.iter().zip(parts(fuzzy, &left, &right)).zip(left.iter().zip(&right));
        let texts = |values: &[Ready]| values.iter().map(ToString::to_string).collect();
        let told = told.map(|((compared, likeness), (left, right))| PartScore {
            mesh: compared.mesh,
            source: compared.source.text().to_owned(),
            with: compared.with,
            weight: compared.weight,
            left: texts(left),
            right: texts(right),
            likeness,
        });
        scores.push(CandidateScore {
            rule: rules.rule_name(join.rule),
            score: score(fuzzy, &left, &right),
            threshold: fuzzy.threshold,
            margin: fuzzy.margin,
            parts: told.collect(),
        });
    }
    scores
}
