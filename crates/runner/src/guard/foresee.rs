//! What the guard would do before the next exports, tried in a copy of the mesh.

use identitymesh_model::Name;
use identitymesh_model::plan::Operation;
use identitymesh_store::{HoldFilter, HoldRow, HoldStanding};
use serde::Serialize;

use super::check_queue;
use super::told::every_hold;
use crate::run::{Run, Steps};
use crate::{Mesh, RunError};

/// What the next exports would do with the queued changes of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// The target.
    pub connector: Name,
    /// The target's object type.
    pub object_type: Name,
    /// The operation.
    pub operation: Operation,
    /// Changes that would be sent.
    pub sent: u64,
    /// Changes that would wait for a person.
    pub held: u64,
}

/// Lets the guard judge the queue of every target of a copy. Says what would be sent, and every hold that would be open,
/// the newest first.
///
/// # Errors
/// When the copy cannot be read or written.
pub(crate) fn foresee(copy: &Mesh) -> Result<(Vec<Flow>, Vec<HoldRow>), RunError> {
    let in_force = copy.in_force()?;
    let mut flows = Vec::new();
    for connector in in_force.targets() {
        let id = in_force.id(connector)?;
        let Some(rules) = in_force.rules.connector(id) else { continue };
        let mut run = Run::begin(copy, Steps::Export, Some((connector, id)))?;
        let judged = check_queue(&mut run, rules).map(drop);
        run.end(judged)?;
        let queue = copy.store.read()?.queue(id)?;
        flows.extend(queue.classes.iter().filter(|class| class.free + class.held > 0).map(|class| Flow {
            connector,
            object_type: class.object_type,
            operation: class.operation,
            sent: class.free,
            held: class.held,
        }));
    }
    let open = HoldFilter { standing: HoldStanding::Open, ..HoldFilter::default() };
    let holds = every_hold(copy.store.read()?.as_mut(), open)?;
    Ok((flows, holds))
}
