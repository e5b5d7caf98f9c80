//! Undoing what runs wrote to targets.

use identitymesh_model::MeshState;
use identitymesh_runner::{RunError, UndoScope, plan_undo, undo};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{MeshFilter, StoreError};

use super::{CHANGES_MAX, Outcome, Person, ROWS_MAX, answered, one_of};

/// How many of the newest runs and changes somebody looks through.
const LOOKED_THROUGH: usize = 20;

impl Person<'_> {
    pub(super) fn undo_run(&mut self) -> Outcome {
        let runs = self.reader()?.run_list(None, LOOKED_THROUGH)?;
        let runs = runs.into_iter().filter(|run| run.step == "export").map(|run| UndoScope::Run(run.id));
        self.undo(runs.collect())
    }

    pub(super) fn undo_object(&mut self) -> Outcome {
        let scopes = self.objects_at_moments()?;
        self.undo(scopes)
    }

    pub(super) fn undo_change(&mut self) -> Outcome {
        let changes = self.reader()?.changes(0, ROWS_MAX)?;
        let exports = changes.into_iter().rev().filter(|row| row.kind == ChangeKind::Export);
        self.undo(exports.take(LOOKED_THROUGH).map(|row| UndoScope::Changes(vec![row.seq])).collect())
    }

    fn objects_at_moments(&mut self) -> Result<Vec<UndoScope>, StoreError> {
        let mut reader = self.process.store.read()?;
        let runs = reader.run_list(None, LOOKED_THROUGH)?;
        let people = reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items.into_iter();
        let people = people.filter(|row| row.state == MeshState::Active).collect();
        let chosen = one_of(self.die, people).zip(one_of(self.die, runs));
        let scope = chosen.map(|(person, run)| UndoScope::Object { mesh: person.id, to: run.started });
        Ok(scope.into_iter().collect())
    }

    /// Looks at what would be done first, as people do.
    fn undo(&mut self, scopes: Vec<UndoScope>) -> Outcome {
        let Some(scope) = one_of(self.die, scopes) else {
            return Ok(vec!["there is nothing to undo".to_owned()]);
        };
        let plan = match plan_undo(&self.process.mesh, &scope) {
            Ok(plan) if plan.entries.is_empty() || plan.entries.len() > CHANGES_MAX => {
                return Ok(vec![format!("{scope}: {} changes are left alone", plan.entries.len())]);
            }
            Ok(plan) => plan,
            Err(refused @ RunError::Undo { .. }) => return Ok(vec![refused.to_string()]),
            Err(error) => return Err(error.into()),
        };
        self.decides_about(plan.entries.iter().map(|entry| entry.anchor.as_str()));
        let undone = undo(&self.process.mesh, &scope, Some(plan.content_hash()), "it was a mistake");
        let anchors: Vec<&str> = plan.entries.iter().map(|entry| entry.anchor.as_str()).collect();
        answered(undone, |_| format!("{scope}: {}", anchors.join(", ")))
    }
}
