//! Plans that are kept, and carried out later by their hash.

use identitymesh_model::Clock as _;
use identitymesh_runner::{PlanHead, Question, SyncScope, apply_plan, preview};

use super::{Outcome, Person};
use crate::step::Failed;
use crate::systems::Which;

impl Person<'_> {
    /// Keeps what a sync of all systems would do now.
    pub(super) async fn keep_plan(&mut self) -> Outcome {
        let (sandbox, _folder) = self.ground.sandbox(self.process).map_err(Failed)?;
        let writer = self.ground.plans().begin(sandbox.real.clone())?;
        let syncs = Which::ALL.into_iter().map(|which| SyncScope::Pending(which.name())).collect();
        let foreseen = preview(&sandbox, Question::Syncs(syncs), writer).await?;
        let configuration = self.process.mesh.in_force()?.version;
        let (hash, question, preview) = (String::new(), "everything".to_owned(), serde_json::Value::Null);
        let (at, actor, objects) = (self.ground.clock.now(), "operator".to_owned(), 0);
        let head = PlanHead { hash, configuration, base: None, question, at, actor, objects, preview };
        let head = foreseen.sink.finish(head)?;
        let told = format!("plan {} with {} objects", &head.hash[..8], head.objects);
        self.plans.push(head.hash);
        Ok(vec![told])
    }

    pub(super) async fn carry_out_plan(&mut self) -> Outcome {
        let Some(hash) = self.plans.pop() else { return Ok(vec!["no plan was kept".to_owned()]) };
        let run = apply_plan(&self.process.mesh, self.ground.plans().open(&hash)?, "as agreed").await?;
        let (applied, left_out) = (run.count("applied"), run.count("left_out"));
        Ok(vec![format!("plan {}: {applied} carried out, {left_out} left out", &hash[..8])])
    }
}
