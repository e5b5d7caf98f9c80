//! Clauses on the to-do list.

use identitymesh_model::plan::{ItemAction, Wake};
use identitymesh_model::{SpaceId, Timestamp};

use super::Harness;
use super::sample::{Scene, at, item_of, keep, key, mesh};
use crate::Todo;

const fn wake(number: u64, at: Option<Timestamp>) -> Wake {
    Wake::Mesh { id: mesh(number), at }
}

pub fn entries_come_in_order_by_key(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["waits"])[0];
    let waits = vec![key(scene.index, "e-1")];
    let plan = identitymesh_model::plan::SpacePlan { space, note: None, waits: waits.clone(), purge: false };
    let mut batch = scene.batch(vec![]);
    batch.plan.spaces.push(plan);
    batch.plan.wakes = vec![wake(5, None), Wake::Waiting { key: waits[0].clone() }, wake(2, None)];
    assert_eq!(scene.store.apply(batch).wait().unwrap().woken, 3);
    let all = [Todo::Space(space), Todo::Mesh(mesh(2)), Todo::Mesh(mesh(5))];
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.todos(at(9), None, 9).unwrap(), all);
    assert_eq!(reader.todos(at(9), None, 2).unwrap(), all[..2]);
    assert_eq!(reader.todos(at(9), Some(all[0]), 9).unwrap(), all[1..]);
    assert_eq!(reader.todos(at(9), Some(all[1]), 9).unwrap(), all[2..]);
    assert_eq!(reader.todos(at(9), Some(all[2]), 9).unwrap(), []);
    assert_eq!(reader.todos(at(9), Some(Todo::Space(SpaceId(i64::MAX))), 9).unwrap(), all[1..]);
}

pub fn entries_wait_for_their_time(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.wake(vec![wake(1, Some(at(100))), wake(2, Some(at(50)))]);
    assert_eq!(scene.todos(49), []);
    assert_eq!(scene.todos(50), [Todo::Mesh(mesh(2))]);
    assert_eq!(scene.todos(100), [Todo::Mesh(mesh(1)), Todo::Mesh(mesh(2))]);
}

pub fn the_earlier_time_stays(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    assert_eq!(scene.wake(vec![wake(1, Some(at(100)))]), 1);
    assert_eq!(scene.wake(vec![wake(1, Some(at(200)))]), 0, "it is on the list already");
    assert_eq!(scene.todos(100).len(), 1);
    assert_eq!(scene.wake(vec![wake(1, Some(at(60)))]), 0);
    assert_eq!(scene.todos(60).len(), 1);
    scene.wake(vec![wake(1, None)]);
    assert_eq!(scene.todos(0).len(), 1);
    scene.wake(vec![wake(1, Some(at(60)))]);
    assert_eq!(scene.todos(0).len(), 1);
}

pub fn done_entries_go(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.wake(vec![wake(1, None), wake(2, None)]);
    let mut batch = scene.batch(vec![]);
    batch.done = vec![Todo::Mesh(mesh(1)), Todo::Space(SpaceId(2)), Todo::Mesh(mesh(3))];
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(2))]);
    harness.reopen();
    assert_eq!(harness.store().read().unwrap().totals().unwrap().todos, 1);
}

pub fn an_entry_woken_in_the_batch_that_is_done_stays(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.wake(vec![wake(1, None), wake(2, None)]);
    let mut batch = scene.batch(vec![]);
    batch.done = vec![Todo::Mesh(mesh(1)), Todo::Mesh(mesh(2))];
    batch.plan.wakes = vec![wake(1, Some(at(70)))];
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.todos(69), []);
    assert_eq!(scene.todos(70), [Todo::Mesh(mesh(1))]);
}

pub fn what_a_plan_wakes_by_itself_stays_though_it_is_done(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let _ = scene.lease(10);
    scene.wake(vec![wake(1, None)]);
    // The newer wish cannot take the place of the item that is on its way, so the object is looked at again.
    let mut plan = keep(1);
    plan.items.push(item_of(scene.target, ItemAction::Delete { space: SpaceId(9) }));
    let mut batch = scene.batch(vec![plan]);
    batch.done = vec![Todo::Mesh(mesh(1))];
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
}
