//! One run at a time: on each connector, and over the mesh as a whole.
//!
//! Two imports of one connector would each take the other's objects for new, two syncs would plan from a state that
//! the other is changing; the store refuses what contradicts itself, so nothing would be lost, but a run would fail for
//! no reason. A second start is therefore refused before it does anything. Another process cannot be at work, because
//! the store belongs to one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identitymesh_model::{ConnectorId, RunId};

use crate::RunError;

/// A connector, or with `None` the mesh.
type Place = Option<ConnectorId>;

/// Who is at work where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy(Arc<Mutex<HashMap<Place, RunId>>>);

/// Keeps others out until it is dropped, however a run ends.
#[derive(Debug)]
pub(crate) struct Occupied {
    busy: Busy,
    place: Place,
}

impl Busy {
    /// Takes the place for the run that `begin` begins.
    pub(crate) fn occupy(
        &self,
        place: Place,
        what: impl FnOnce() -> String,
        begin: impl FnOnce() -> Result<RunId, RunError>,
    ) -> Result<(RunId, Occupied), RunError> {
        let mut at_work = self.lock();
        if let Some(run) = at_work.get(&place) {
            return Err(RunError::Busy { what: what(), run: *run });
        }
        let run = begin()?;
        at_work.insert(place, run);
        drop(at_work);
        Ok((run, Occupied { busy: self.clone(), place }))
    }

    /// A map of plain values is whole whatever happened to whoever held it.
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, RunId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.place);
    }
}
