//! Clauses on what people ask: lists, counts, and that one read is of one moment.

use identitymesh_model::MeshState;
use identitymesh_model::plan::{MeshChange, Note, NoteKind, Operation, SpacePlan};

use super::Harness;
use super::sample::{
    Scene, add_key, at, change, create, insert, item, keep, key, mesh, name, person, uid, user,
};
use crate::{
    ConnectorCount, ItemCount, ItemFilter, ItemState, MeshFilter, Settle, SpaceFilter, StageBatch,
    StageInsert,
};

fn three(scene: &Scene<'_>) {
    let mut group = create(2, "G-2", person("Team"));
    group.mesh_type = name("group");
    scene.apply(vec![create(1, "E-1", person("Ada")), group, create(3, "E-3", person("Zoë ÄRGER"))]);
}

pub fn mesh_objects_by_key_and_filter(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    three(&scene);
    let mut reader = scene.store.read().unwrap();
    let all = MeshFilter::default();
    let page = reader.mesh_list(&all, None, 2).unwrap();
    assert_eq!((page.items[0].id, page.items[1].id, page.next), (mesh(1), mesh(2), Some(mesh(2))));
    assert_eq!((page.items[0].uid, page.items[0].anchor.as_str()), (uid(1), "E-1"));
    assert!(page.items[0].doc.contains("Ada"));
    let rest = reader.mesh_list(&all, page.next, 2).unwrap();
    assert_eq!((rest.items[0].id, rest.items.len(), rest.next), (mesh(3), 1, None));
    let users = MeshFilter { mesh_type: Some(user()), ..MeshFilter::default() };
    let page = reader.mesh_list(&users, None, 9).unwrap();
    assert_eq!(page.items.iter().map(|row| row.id).collect::<Vec<_>>(), [mesh(1), mesh(3)]);
    let none = MeshFilter { mesh_type: Some(name("orgUnit")), ..MeshFilter::default() };
    assert_eq!(reader.mesh_list(&none, None, 9).unwrap().items, []);
}

pub fn mesh_objects_by_what_they_contain(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    three(&scene);
    let mut reader = scene.store.read().unwrap();
    let mut find = |text: &str| {
        let filter = MeshFilter { contains: Some(text.into()), ..MeshFilter::default() };
        let page = reader.mesh_list(&filter, None, 9).unwrap();
        page.items.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(find("ada"), [1]);
    assert_eq!(find("ärger"), [3]);
    assert_eq!(find("g-2"), [2]);
    assert_eq!(find("EXAMPLE.org"), [1, 2, 3]);
    assert_eq!(find("%"), [0; 0]);
}

pub fn mesh_objects_are_found_by_name(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut plan = create(1, "E-1", person("Ada"));
    plan.keys.push(add_key(key(scene.index, "ada@x"), true));
    scene.apply(vec![plan, create(2, "e-1", person("Bob"))]);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.mesh_find("E-1", 9).unwrap(), [mesh(1), mesh(2)]);
    assert_eq!(reader.mesh_find("e-1", 1).unwrap(), [mesh(1)]);
    assert_eq!(reader.mesh_find(" Ada@X ", 9).unwrap(), [mesh(1)]);
    assert_eq!(reader.mesh_find(&uid(2).to_string().to_uppercase(), 9).unwrap(), [mesh(2)]);
    assert_eq!(reader.mesh_find("ada", 9).unwrap(), []);
}

pub fn management_space_objects_by_filter(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["a", "b"]);
    let group = StageInsert { object_type: name("group"), ..insert("g") };
    let group = scene.stage(scene.source, vec![group])[0];
    let there = scene.users(scene.target, &["t"])[0];
    scene.linked(1, "E-1", ids[0]);
    let note = Note {
        candidates: vec![mesh(1), mesh(2)],
        scores: vec![93, 90],
        ..Note::new(NoteKind::Conflict, "two")
    };
    let mut batch = scene.batch(vec![]);
    batch.plan.spaces.push(SpacePlan {
        space: ids[1],
        note: Some(note.clone()),
        waits: vec![],
        purge: false,
    });
    let _ = scene.store.apply(batch).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    let mut list = |filter: SpaceFilter| {
        reader.space_list(&filter, None, 9).unwrap().items.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let ours = SpaceFilter { connector: Some(scene.source), ..SpaceFilter::default() };
    assert_eq!(list(SpaceFilter::default()), [ids[0], ids[1], group, there]);
    assert_eq!(list(ours.clone()), [ids[0], ids[1], group]);
    assert_eq!(list(SpaceFilter { object_type: Some(name("group")), ..ours.clone() }), [group]);
    assert_eq!(list(SpaceFilter { linked: Some(true), ..ours.clone() }), [ids[0]]);
    assert_eq!(list(SpaceFilter { linked: Some(false), ..SpaceFilter::default() }), [ids[1], group, there]);
    let waits = |unconfirmed| SpaceFilter { unconfirmed: Some(unconfirmed), ..SpaceFilter::default() };
    assert_eq!(list(waits(true)), []);
    assert_eq!(list(waits(false)), [ids[0], ids[1], group, there]);
    let page = reader.space_list(&ours, None, 2).unwrap();
    assert_eq!(page.next, Some(ids[1]));
    assert_eq!((page.items[0].mesh, &page.items[1].note), (Some(mesh(1)), &Some(note)));
    let rest = reader.space_list(&ours, page.next, 2).unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

pub fn queue_items_by_filter(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in 1..=3 {
        scene.queued(number);
    }
    let mut plan = keep(1);
    plan.items.push(item(scene.source));
    scene.apply(vec![plan]);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Dead { code: "XPT-001".into(), reason: "no".into() });
    scene.settle(&lease, 2, Settle::Retry { not_before: at(20), reason: "busy".into() });
    let mut reader = scene.store.read().unwrap();
    let mut list = |filter: ItemFilter| {
        let page = reader.item_list(&filter, None, 9).unwrap();
        page.items.iter().map(|row| (row.mesh.0, row.state)).collect::<Vec<_>>()
    };
    use ItemState::{Dead, Leased, Pending, RetryWait};
    let all = ItemFilter::default;
    assert_eq!(list(all()), [(1, Dead), (2, RetryWait), (3, Leased), (1, Pending)]);
    assert_eq!(list(ItemFilter { connector: Some(scene.source), ..all() }), [(1, Pending)]);
    assert_eq!(list(ItemFilter { mesh: Some(mesh(1)), ..all() }), [(1, Dead), (1, Pending)]);
    let both = ItemFilter { mesh: Some(mesh(1)), connector: Some(scene.target), ..all() };
    assert_eq!(list(both), [(1, Dead)]);
    for (state, number) in [(Dead, 1), (RetryWait, 2), (Leased, 3), (Pending, 1)] {
        assert_eq!(list(ItemFilter { state: Some(state), ..all() }), [(number, state)]);
    }
    let page = reader.item_list(&all(), None, 3).unwrap();
    assert_eq!(page.items[2].reason, "in the scope of staff");
    let rest = reader.item_list(&all(), page.next, 3).unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

pub fn totals_count(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    assert_eq!(scene.store.read().unwrap().totals().unwrap(), crate::Totals::default());
    three(&scene);
    let mut leaves = change(3, 1, "E-3", person("Zoë"));
    if let Some(MeshChange::Update { state, .. }) = &mut leaves.change {
        *state = MeshState::Leaving { since: at(5) };
    }
    scene.apply(vec![leaves]);
    let ids = scene.users(scene.source, &["a", "b", "c", "d"]);
    scene.linked(4, "E-4", ids[0]);
    scene.linked(5, "E-5", ids[1]);
    let _ = scene
        .store
        .stage(StageBatch { deletes: vec![ids[1], ids[2]], ..scene.page(scene.source) })
        .wait()
        .unwrap();
    scene.queued(6);
    scene.queued(7);
    let lease = scene.lease(10);
    scene.settle(&lease, 6, Settle::Dead { code: "XPT-001".into(), reason: "no".into() });
    scene.wake(vec![identitymesh_model::plan::Wake::Mesh { id: mesh(1), at: None }]);
    let totals = scene.store.read().unwrap().totals().unwrap();
    assert_eq!(totals.mesh, [(name("group"), 1), (user(), 5)]);
    let count = ConnectorCount { connector: scene.source, object_type: user(), present: 2, linked: 1 };
    assert_eq!(totals.spaces, [count]);
    let item = |state| ItemCount { connector: scene.target, operation: Operation::Create, state, count: 1 };
    assert_eq!(totals.items, [item(ItemState::Leased), item(ItemState::Dead)]);
    assert_eq!((totals.todos, totals.changes), (1, 8));
}

pub fn a_reader_sees_one_moment(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.users(scene.source, &["a"]);
    let mut before = scene.store.read().unwrap();
    scene.users(scene.source, &["b"]);
    assert_eq!(before.population(scene.source, user()).unwrap(), 1);
    let mut after = scene.store.read().unwrap();
    assert_eq!(after.population(scene.source, user()).unwrap(), 2);
    assert_eq!(before.population(scene.source, user()).unwrap(), 1);
}
