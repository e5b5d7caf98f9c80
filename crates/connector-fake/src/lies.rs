//! Reads that are whole and wrong: the system says that all went well, its numbers agree, and what it shows is not what
//! it holds.

use std::collections::BTreeMap;

use identitymesh_connector::ImportedObject;
use identitymesh_model::{Name, Object};

/// Every second object of each type is left out, the second of them first.
pub(crate) fn halved(objects: Vec<ImportedObject>) -> Vec<ImportedObject> {
    let mut counts: BTreeMap<Name, usize> = BTreeMap::new();
    let mut is_shown = |object: &ImportedObject| {
        let count = counts.entry(object.object_type).or_default();
        *count += 1;
        !count.is_multiple_of(2)
    };
    objects.into_iter().filter(|object| is_shown(object)).collect()
}

/// Each object that has the key gets everything but the key from the next one of its type, and the last from the first:
/// a table of which one column was sorted alone.
pub(crate) fn shuffled(mut objects: Vec<ImportedObject>, key: Name) -> Vec<ImportedObject> {
    let mut places: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate().filter(|(_, object)| object.attributes.get(key).is_some())
    {
        places.entry(object.object_type).or_default().push(at);
    }
    for places in places.values() {
        let rows: Vec<Object> = places.iter().map(|at| objects[*at].attributes.clone()).collect();
        for (at, mut row) in places.iter().zip(rows.into_iter().cycle().skip(1)) {
            row.put(key, objects[*at].attributes.get(key).cloned());
            objects[*at].attributes = row;
        }
    }
    objects
}
