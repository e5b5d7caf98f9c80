//! The made-up population.

use std::collections::BTreeMap;

use identitymesh_connector::{Change, ImportMode, ImportedObject, Page, Watermark};
use identitymesh_connector_fake::FakeSystem;
use identitymesh_model::canonical::object_to_string;

use crate::faults::{read, read_types};

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

#[tokio::test]
async fn whoever_leaves_is_gone_and_still_named_by_groups() {
    const TYPES: [&str; 2] = ["person", "group"];
    let system = FakeSystem::generated_with_groups(400, 20, 30, 7);
    let full = read_types(&system, &TYPES, ImportMode::Full, 100).await.unwrap();
    let before = by_id(&full);
    let is_person = |object: &&ImportedObject| object.object_type.as_str() == "person";
    assert_eq!((before.len(), before.values().filter(is_person).count()), (420, 400));
    assert!(full.last().unwrap().certificates.iter().all(|certificate| certificate.is_complete()));

    system.leave(25);
    let delta = read_types(&system, &TYPES, ImportMode::Delta { since: mark(&full) }, 10).await.unwrap();
    let gone: Vec<&str> = delta
        .iter()
        .flat_map(|page| &page.changes)
        .map(|change| match change {
            Change::Delete { external_id, .. } | Change::Left { external_id, .. } => external_id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(gone.len(), 25);
    let after = by_id(&read_types(&system, &TYPES, ImportMode::Full, 100).await.unwrap());
    assert_eq!(after.len(), 395);
    assert!(gone.iter().all(|id| before.contains_key(*id) && !after.contains_key(*id)));
    let members = after
        .values()
        .filter_map(|object| object.attributes.get(identitymesh_model::Name::literal("member")))
        .flat_map(|members| members.as_slice());
    let named: Vec<String> = members.map(ToString::to_string).collect();
    assert!(named.len() > 500 && gone.iter().any(|id| named.iter().any(|named| named == id)));
}
