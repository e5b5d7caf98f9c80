//! The end of a life: nothing disturbs any more, people decide what waits for them, and the mesh comes to rest.

use std::collections::BTreeMap;

use identitymesh_model::plan::NoteKind;
use identitymesh_model::rules::SourceLeave;
use identitymesh_model::{Clock as _, MeshId, RunId};
use identitymesh_runner::{ImportKind, JoinAsk, decide_join};
use identitymesh_store::{Cause, ItemFilter, ItemRow, ItemState, MeshFilter, SpaceFilter, StoreError};

use crate::acts::Act;
use crate::laws::{self, Verdict};
use crate::life::{Playing, ROWS_MAX};
use crate::process::Process;
use crate::step::{Failed, Step, Work};
use crate::systems::Which;

/// Long enough for every lease and every wait to end.
const LATER_SECONDS: i64 = 2 * 3_600;
/// Cycles until a mesh that nobody disturbs any more has to be at rest.
const CYCLES_MAX: usize = 16;

impl Playing<'_> {
    /// Goes on without disturbance until two cycles in a row wrote nothing and nothing waits.
    pub(crate) async fn rest(&mut self, process: &Process) -> Verdict {
        let everything = Step::Work(Work::Cycle(Which::ALL.to_vec(), ImportKind::Full), None);
        let Step::Work(cycle, None) = &everything else { return Ok(()) };
        let mut quiet = 0;
        for _ in 0..CYCLES_MAX {
            self.ground.pass_seconds(LATER_SECONDS);
            let approve = Act::Approve { in_part: false };
            self.decide(approve, process).await.map_err(|Failed(why)| why)?;
            self.check(process, &Step::Act(approve, None))?;
            self.wake_dead(process).map_err(laws::unreadable)?;
            self.settle_conflicts(process).await?;
            let before = self.ground.systems.written();
            cycle
                .carry_out(&process.mesh)
                .await
                .map_err(|Failed(why)| format!("what nobody disturbs does not fail: {why}"))?;
            self.check(process, &everything)?;
            let waits = !self.waiting(process).map_err(laws::unreadable)?.is_empty();
            let is_quiet = before == self.ground.systems.written() && !waits;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet == 2 {
                return Ok(());
            }
        }
        let left = self.waiting(process).map_err(laws::unreadable)?;
        Err(format!(
            "a mesh that nobody disturbs comes to rest; after {CYCLES_MAX} cycles there is {left:#?}"
        ))
    }

    /// Items that have to be done yet. What people rejected or decided about otherwise may wait for them.
    fn waiting(&self, process: &Process) -> Result<Vec<ItemRow>, StoreError> {
        let mut reader = process.store.read()?;
        let people = reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items;
        let by_hand: BTreeMap<MeshId, bool> =
            people.iter().map(|row| (row.id, self.said.is_by_hand(&row.anchor))).collect();
        let mut items = reader.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items;
        items.retain(|item| !item.rejected && !by_hand.get(&item.mesh).copied().unwrap_or_default());
        Ok(items)
    }

    /// Items that were given up are to be tried again, as an operator says after mending the cause.
    fn wake_dead(&self, process: &Process) -> Result<(), StoreError> {
        let dead = ItemFilter { state: Some(ItemState::Dead), ..ItemFilter::default() };
        let dead = process.store.read()?.item_list(&dead, None, ROWS_MAX)?.items;
        if dead.is_empty() {
            return Ok(());
        }
        let cause = Cause { run: RunId(0), actor: "operator".to_owned(), at: self.ground.clock.now() };
        process.store.retry_items(cause, None, dead.into_iter().map(|item| item.id).collect()).wait()?;
        Ok(())
    }

    /// Where the loss of a row means nothing for the person, somebody says whose a row is that is back too late.
    async fn settle_conflicts(&self, process: &Process) -> Verdict {
        if self.ground.loss != SourceLeave::Nothing {
            return Ok(());
        }
        let spaces = process.store.read().and_then(|mut reader| {
            reader.space_list(&SpaceFilter { linked: Some(false), ..SpaceFilter::default() }, None, ROWS_MAX)
        });
        for space in spaces.map_err(laws::unreadable)?.items {
            let Some(note) = space.note.filter(|note| note.kind == NoteKind::Conflict) else { continue };
            if let ([mesh], false) = (note.candidates.as_slice(), self.said.is_by_hand(&space.external_id)) {
                let reason = "it is the same person".to_owned();
                let linked = decide_join(&process.mesh, JoinAsk::Link(space.id, *mesh), reason).await;
                linked.map_err(|error| {
                    format!("whoever is back is linked by hand: {}", Failed::from(error).0)
                })?;
            }
        }
        Ok(())
    }
}
