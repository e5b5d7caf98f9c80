//! Clauses on the queue: one live item for each mesh object and target.

use identitymesh_model::ItemId;
use identitymesh_model::plan::ItemAction;

use super::Harness;
use super::sample::{Scene, at, item, item_of, keep, mesh, person};
use crate::{ItemFilter, ItemRow, Settle, Todo};

fn items(scene: &Scene<'_>) -> Vec<ItemRow> {
    scene.store.read().unwrap().item_list(&ItemFilter::default(), None, 100).unwrap().items
}

fn newer(scene: &Scene<'_>, text: &str) -> u64 {
    let mut plan = keep(1);
    let action = ItemAction::Create { attributes: person(text), create_container: true };
    plan.items.push(item_of(scene.target, action));
    scene.apply(vec![plan])
}

fn displayed(row: &ItemRow) -> String {
    let ItemAction::Create { attributes, .. } = &row.action else { panic!("{row:?}") };
    attributes.single(super::sample::name("displayName")).unwrap().to_string()
}

pub fn a_newer_item_takes_the_place(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let before = items(&scene);
    assert_eq!(newer(&scene, "newer"), 0);
    let after = items(&scene);
    assert_eq!((after.len(), displayed(&after[0])), (1, "newer".into()));
    assert!(after[0].id > before[0].id);
    let view = scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap();
    assert_eq!((view.items.len(), view.items[0].in_flight, view.items[0].dead), (1, false, false));
    assert_eq!(view.items[0].action, after[0].action);
}

pub fn an_item_in_flight_is_not_replaced(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    assert!(scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].as_ref().unwrap().items[0].in_flight);
    assert_eq!(newer(&scene, "newer"), 1);
    assert_eq!(displayed(&items(&scene)[0]), "exported");
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
    // Nor is one whose answer was lost; one that is known not to have arrived is.
    scene.settle(&lease, 1, Settle::Unknown { not_before: at(20), reason: "lost".into() });
    newer(&scene, "newer");
    assert_eq!(displayed(&items(&scene)[0]), "exported");
    let lease = scene.lease(30);
    scene.settle(&lease, 1, Settle::Retry { not_before: at(40), reason: "busy".into() });
    newer(&scene, "newer");
    assert_eq!(displayed(&items(&scene)[0]), "newer");
}

pub fn a_cancelled_item_goes(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let mut plan = keep(1);
    plan.cancelled = vec![scene.source, scene.target];
    assert_eq!(scene.apply(vec![plan]), 0);
    assert_eq!(items(&scene), []);
    assert_eq!(scene.lease(10).items, []);
}

pub fn an_item_in_flight_is_not_cancelled(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    scene.lease(10);
    let mut plan = keep(1);
    plan.cancelled.push(scene.target);
    assert_eq!(scene.apply(vec![plan]), 1);
    assert_eq!(items(&scene).len(), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
}

pub fn targets_have_items_of_their_own(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let mut plan = keep(1);
    plan.items.push(item(scene.source));
    scene.apply(vec![plan]);
    assert_eq!(items(&scene).len(), 2);
    assert_eq!(scene.lease(10).items.len(), 1);
    let mut plan = keep(1);
    plan.cancelled.push(scene.source);
    scene.apply(vec![plan]);
    assert_eq!(items(&scene).len(), 1);
}

pub fn a_dead_item_is_replaced(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Dead { code: "XPT-001".into(), reason: "refused".into() });
    let view = scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap();
    assert_eq!((view.items[0].in_flight, view.items[0].dead), (false, true));
    newer(&scene, "newer");
    assert_eq!(displayed(&items(&scene)[0]), "newer");
    let again = scene.lease(20);
    assert_eq!((again.items[0].attempts, again.items[0].unsettled), (0, false));
}

pub fn item_ids_are_never_given_twice(harness: &mut impl Harness) {
    let mut last = ItemId(0);
    for round in 0..3 {
        {
            let scene = Scene::new(harness.store());
            if round == 0 {
                scene.queued(1);
            } else {
                newer(&scene, "newer");
            }
            let id = items(&scene)[0].id;
            assert!(id > last);
            last = id;
            let mut plan = keep(1);
            plan.cancelled.push(scene.target);
            scene.apply(vec![plan]);
        }
        harness.reopen();
    }
}
