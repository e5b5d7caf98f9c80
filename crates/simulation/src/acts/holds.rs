//! Deciding on what is held.

use identitymesh_model::{HoldId, MeshId, MeshState, SpaceId};
use identitymesh_store::{
    HoldDecision, HoldFilter, HoldItemRow, HoldRow, HoldStanding, HoldState, MeshFilter, MeshRow, Reader,
    StoreError,
};

use super::{Outcome, Person, ROWS_MAX};
use crate::extent::Extent;
use crate::systems::Which;

/// A change that waits in a hold.
struct Waiting {
    subject: i64,
    /// Whose it is.
    anchor: String,
    /// What is to happen is what happened outside.
    is_true: bool,
}

/// A hold with what waits in it.
struct Held {
    hold: HoldId,
    /// The target; `None` for a hold of an import.
    target: Option<Which>,
    waiting: Vec<Waiting>,
}

impl Person<'_> {
    pub(super) fn approve(&mut self, in_part: bool) -> Outcome {
        let mut told = Vec::new();
        for mut held in self.held()? {
            held.waiting.retain(|waiting| waiting.is_true || self.extent == Extent::Plain);
            halve(&mut held, in_part);
            if let Some(which) = held.target {
                held.waiting.iter().for_each(|waiting| self.guard.approve(which, &waiting.anchor));
            }
            told.extend(self.decide_on(&held, true)?);
        }
        Ok(told)
    }

    /// What is rejected waits until it is another change. So what becomes of its object is for people to say.
    pub(super) fn reject(&mut self, mistakes: bool) -> Outcome {
        let mut told = Vec::new();
        for mut held in self.held()? {
            held.waiting.retain(|waiting| waiting.is_true != mistakes);
            halve(&mut held, !mistakes);
            self.decides_about(held.waiting.iter().map(|waiting| waiting.anchor.as_str()));
            told.extend(self.decide_on(&held, false)?);
        }
        Ok(told)
    }

    fn decide_on(&self, held: &Held, approve: bool) -> Result<Option<String>, StoreError> {
        if held.waiting.is_empty() {
            return Ok(None);
        }
        let subjects = held.waiting.iter().map(|waiting| waiting.subject).collect();
        let (hold, reason) = (held.hold, "somebody looked".to_owned());
        let decision = HoldDecision { cause: self.cause(), hold, approve, subjects, reason };
        let decided = self.process.mesh.store.decide(decision).wait()?;
        Ok(Some(format!("hold {hold}: {decided:?}")))
    }

    fn held(&self) -> Result<Vec<Held>, StoreError> {
        let mut reader = self.reader()?;
        let holds = reader.hold_list(
            &HoldFilter { standing: HoldStanding::Open, ..HoldFilter::default() },
            None,
            ROWS_MAX,
        )?;
        holds.into_iter().map(|hold| self.look(reader.as_mut(), &hold)).collect()
    }

    fn look(&self, reader: &mut dyn Reader, hold: &HoldRow) -> Result<Held, StoreError> {
        use identitymesh_model::rules::HoldClass;
        let target = match hold.class {
            HoldClass::ImportDelete => None,
            _ => self.ground.which(hold.connector),
        };
        let open = reader.hold_items(hold.id, None, ROWS_MAX)?;
        let mut waiting = Vec::new();
        for item in open.iter().filter(|item| item.state == HoldState::Open) {
            waiting.push(match target {
                Some(_) => self.change(reader, item)?,
                None => self.missing(reader, item)?,
            });
        }
        Ok(Held { hold: hold.id, target, waiting })
    }

    /// A deletion or disabling in a target.
    fn change(&self, reader: &mut dyn Reader, item: &HoldItemRow) -> Result<Waiting, StoreError> {
        let view = reader.views(&[MeshId(item.subject)])?.pop().flatten();
        let anchor = view.map(|view| view.record.anchor.to_string()).unwrap_or_default();
        let is_true = !self.outside.is_wanted(&anchor) || is_former(reader, MeshId(item.subject), &anchor)?;
        Ok(Waiting { subject: item.subject, is_true, anchor })
    }

    /// An object that an import did not see.
    fn missing(&self, reader: &mut dyn Reader, item: &HoldItemRow) -> Result<Waiting, StoreError> {
        let space = reader.spaces(&[SpaceId(item.subject)])?.pop().flatten();
        let Some(space) = space else {
            return Ok(Waiting { subject: item.subject, anchor: String::new(), is_true: true });
        };
        let system = self.ground.which(space.connector).map(|which| self.ground.systems.get(which));
        let there = system.and_then(|system| system.object(space.object_type, &space.external_id));
        let mesh = space.link.map(|link| link.mesh);
        let view = reader.views(mesh.as_slice())?.pop().flatten();
        let anchor =
            view.map_or_else(|| space.external_id.to_string(), |view| view.record.anchor.to_string());
        Ok(Waiting { subject: item.subject, anchor, is_true: there.is_none() })
    }
}

/// Whether somebody came back too late to be the same mesh object, and lives on in another.
fn is_former(reader: &mut dyn Reader, mesh: MeshId, anchor: &str) -> Result<bool, StoreError> {
    let rows = reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items;
    let is_active = |row: &MeshRow| row.state == MeshState::Active;
    let of_anchor = || rows.iter().filter(|row| row.anchor == *anchor);
    Ok(of_anchor().any(|row| row.id != mesh && is_active(row))
        && of_anchor().any(|row| row.id == mesh && matches!(row.state, MeshState::Deleted { .. })))
}

fn halve(held: &mut Held, in_part: bool) {
    if in_part {
        held.waiting.truncate(held.waiting.len() / 2);
    }
}
