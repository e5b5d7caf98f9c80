//! Re-evaluation of joins: what the rules in force make of links that rules made before is carried out as a decision.

use identitymesh_model::DecisionId;
use identitymesh_model::joins::JoinDecision;

use super::work::Work;
use crate::reconsider::{Answer, LinkScope, LinksAgain, ask};
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError};

/// A re-evaluation that was carried out.
#[derive(Debug)]
pub struct Reevaluated {
    /// What the rules made of the links.
    pub links: LinksAgain,
    /// The decision by which that was done, and what it moved; `None` when nothing changed hands.
    pub decision: Option<(DecisionId, JoinDecision)>,
    /// The run.
    pub report: RunReport,
}

/// Makes the links of `scope` what the rules in force make of them, and works off what follows. It is one decision, which
/// can be taken back like any other.
///
/// # Errors
/// As [`crate::reconsider_links`]; then nothing changes. Else when the store fails.
pub async fn reevaluate_joins(
    mesh: &Mesh,
    scope: LinkScope,
    reason: String,
) -> Result<Reevaluated, RunError> {
    let in_force = mesh.in_force()?;
    let mesh = mesh.clone();
    let work = move || {
        let run = Run::begin(&mesh, Steps::JoinReevaluation, None)?;
        let mut work = Work::new(&in_force, run);
        work.run.message = Some(format!("joins were evaluated again: {reason}"));
        let mut links = LinksAgain::default();
        let mut decision = None;
        let mut act = |work: &mut Work<'_>| {
            let Answer { links: found, evaluation, findings } = ask(&mesh, &in_force, &scope)?;
            for (name, count) in &found.counts {
                work.run.count(&format!("joins_{name}"), *count);
            }
            links = found;
            if evaluation.decision.moves.is_empty() {
                return Ok(());
            }
            let made = evaluation.decision;
            let id = work.decide(made.clone(), reason.clone(), None, evaluation.carried, findings)?;
            decision = Some((id, made));
            Ok(())
        };
        let result = act(&mut work);
        let drained = work.drain();
        let report = work.run.end(result.and(drained))?;
        Ok(Reevaluated { links, decision, report })
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| RunError::Worker)?
}
