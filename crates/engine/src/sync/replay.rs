//! Attributes made again from recorded inputs, by the stages that a sync runs.

use identitymesh_expr::Evaluator;
use identitymesh_model::{Finding, MeshView, Object, Provenance};

use super::neighbours::Neighbours;
use super::part::Part;
use super::planner::PlanContext;
use super::work::Work;
use crate::rules::RuleSet;

/// What recorded inputs make of a mesh object.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Its attributes.
    pub doc: Object,
    /// Where they come from.
    pub provenance: Provenance,
    /// What was wrong with single rules.
    pub findings: Vec<Finding>,
}

/// Makes the attributes of the mesh object in `view` again: its attributes before the change, its state and links after
/// it. `None` when the rules do not know its type.
///
/// # Errors
/// Only those of `neighbours`.
pub fn replay<N: Neighbours>(
    rules: &RuleSet,
    view: MeshView,
    context: &PlanContext<'_>,
    neighbours: &mut N,
) -> Result<Option<Replayed>, N::Error> {
    if rules.mesh_type(view.record.mesh_type).is_none() {
        return Ok(None);
    }
    let mut evaluator = Evaluator::new();
    let mut part = Part::new(rules, &mut evaluator, context, neighbours);
    let at = part.works.add(Work::of(view));
    part.works.list[at].is_dirty = true;
    part.follow_references()?;
    part.resolve()?;
    let resolved = part.works.list[at].resolved.take().unwrap_or_default();
    Ok(Some(Replayed { doc: resolved.doc, provenance: resolved.provenance, findings: part.findings }))
}
