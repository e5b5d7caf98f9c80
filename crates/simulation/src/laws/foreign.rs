//! What somebody else changed is not overwritten before the product has seen it.

use std::collections::BTreeMap;

use identitymesh_model::{Name, Text, Value};

use super::{Scene, Targets, Verdict, broken};
use crate::outside::Outside;
use crate::step::{Step, Work};
use crate::systems::{Which, name};

/// Attributes of which administrators change single values.
const CHANGED: [&str; 2] = ["mail", "phone"];

/// What administrators wrote that no import and no export has met yet.
#[derive(Default)]
pub(crate) struct Foreign {
    unseen: BTreeMap<(Which, Name, Text, &'static str), Option<Value>>,
}

impl Foreign {
    /// Takes down what somebody else changed. Objects of which the product may not know yet that it made them are left
    /// out: it asks the target about those before it writes.
    pub(super) fn note(&mut self, before: &Targets, after: &Targets, outside: &Outside) {
        for ((which, object_type, id), object) in &after.0 {
            let Some(was) = before.0.get(&(*which, *object_type, id.clone())) else { continue };
            for attribute in CHANGED.into_iter().filter(|_| !outside.is_fresh(object)) {
                let of = |object: &identitymesh_connector::ImportedObject| {
                    object.attributes.single(name(attribute)).cloned()
                };
                if of(was) != of(object) {
                    self.unseen.insert((*which, *object_type, id.clone(), attribute), of(object));
                }
            }
        }
    }

    /// An export reads nothing before it writes, and leaves in the target what somebody else wrote. From then on the
    /// product may know it, as the conflict has told it. A cycle reads what it wrote to, and may write once more.
    pub(super) fn check(&mut self, scene: &Scene<'_>, targets: &Targets) -> Verdict {
        let Step::Work(work, _) = scene.step else { return Ok(()) };
        self.unseen.retain(|(which, ..), _| !work.imports(*which));
        if matches!(work, Work::Cycle(..)) {
            self.unseen.clear();
        }
        for ((which, object_type, id, attribute), value) in &self.unseen {
            let object = targets.0.get(&(*which, *object_type, id.clone()));
            let now = object.map(|object| object.attributes.single(name(attribute)).cloned());
            if now.as_ref().is_some_and(|now| now != value) {
                let what = format_args!(
                    "{} {object_type} {id} {attribute} was {value:?}, now {now:?}",
                    which.word()
                );
                return broken("what somebody else changed is not overwritten unseen", what);
            }
        }
        if let Work::Export(which) = work {
            self.unseen.retain(|(of, ..), _| of != which);
        }
        Ok(())
    }
}
