//! The made-up population.

use std::collections::BTreeMap;

use identitymesh_connector::{Change, ImportMode, ImportedObject, Page, Watermark};
use identitymesh_connector_fake::FakeSystem;
use identitymesh_model::canonical::object_to_string;

use crate::faults::read;

fn by_id(pages: &[Page]) -> BTreeMap<String, ImportedObject> {
    let changes = pages.iter().flat_map(|page| &page.changes);
    changes
        .map(|change| match change {
            Change::Upsert(object) => (object.external_id.to_string(), object.clone()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn mark(pages: &[Page]) -> Watermark {
    pages.last().unwrap().watermark.clone().unwrap()
}

#[tokio::test]
async fn people_are_distinct_repeatable_and_of_real_size() {
    let system = FakeSystem::generated(2_000, 20, 7);
    let first = read(&system, ImportMode::Full, 300).await.unwrap();
    let objects = by_id(&first);
    assert_eq!(objects.len(), 2_000);
    assert_eq!(first, read(&FakeSystem::generated(2_000, 20, 7), ImportMode::Full, 300).await.unwrap());
    let other = by_id(&read(&FakeSystem::generated(2_000, 20, 8), ImportMode::Full, 300).await.unwrap());
    assert!(objects.keys().all(|id| !other.contains_key(id)));
    let bytes: usize = objects.values().map(|object| object_to_string(&object.attributes).len()).sum();
    assert!((540..=620).contains(&(bytes / 2_000)), "{} bytes an object", bytes / 2_000);
    let managers_known = objects.values().all(|object| {
        let manager = object.attributes.single(identitymesh_model::Name::literal("manager"));
        manager.is_none_or(|manager| objects.contains_key(&manager.to_string()))
    });
    assert!(managers_known);
    assert!(first.last().unwrap().certificates[0].is_complete());
}

#[tokio::test]
async fn a_delta_has_exactly_as_many_objects_as_changed() {
    for attributes in [1, 5, 20] {
        let system = FakeSystem::generated(1_000, attributes, 7);
        let full = read(&system, ImportMode::Full, 1_000).await.unwrap();
        let before = by_id(&full);
        for count in [0, 1, 37, 600, 5_000] {
            let since = mark(&read(&system, ImportMode::Full, 1_000).await.unwrap());
            system.advance(count);
            let pages = read(&system, ImportMode::Delta { since }, 10).await.unwrap();
            let changed = by_id(&pages);
            assert_eq!(changed.len() as u64, count.min(1_000), "{attributes} attributes");
            assert!(changed.iter().all(|(id, object)| before[id] != *object));
        }
        // All rounds at once: each object as it is now, and only once.
        let all = read(&system, ImportMode::Delta { since: mark(&full) }, 64).await.unwrap();
        let count: usize = all.iter().map(|page| page.changes.len()).sum();
        assert_eq!(count, 1_000);
        let now = by_id(&read(&system, ImportMode::Full, 1_000).await.unwrap());
        assert_eq!(by_id(&all), now);
    }
}
