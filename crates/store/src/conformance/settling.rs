//! Clauses on settling: the expected object, the queue and the audit in one.

use identitymesh_model::plan::{EdgeChange, ItemAction, Wake};
use identitymesh_model::{LinkMode, SpaceId, Values};

use super::Harness;
use super::sample::{
    RULE, Scene, at, body, create, exported, item_of, keep, mesh, name, person, uid, update, user,
};
use crate::audit::ChangeKind;
use crate::{Cursor, ExportedState, ItemFilter, Settle, Settled, SpaceFilter, StageUpdate, StoreClass, Todo};

fn created(scene: &Scene<'_>, number: u64, external_id: &str) -> Settle {
    Settle::Created {
        rule: RULE,
        state: exported(external_id, "Ada"),
        is_ours: true,
        owes_password: false,
        row: scene.export_row(number),
    }
}

pub fn a_created_object_is_expected(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, created(&scene, 1, "CN=Ada"));
    let mut reader = scene.store.read().unwrap();
    let view = reader.views(&[mesh(1)]).unwrap()[0].clone().unwrap();
    assert_eq!(view.items, []);
    let object = &view.linked[0];
    assert_eq!(
        (object.external_id.as_str(), object.object_type, object.connector),
        ("CN=Ada", user(), scene.target)
    );
    assert_eq!((object.unconfirmed, object.deleted, &object.doc), (true, false, &person("Ada")));
    assert_eq!((object.link.unwrap().mode, object.link.unwrap().rule), (LinkMode::Projected, RULE));
    let waiting = SpaceFilter { unconfirmed: Some(true), ..SpaceFilter::default() };
    let listed = reader.space_list(&waiting, None, 9).unwrap().items;
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [object.id]);
    assert_eq!(object.snapshot(name("displayName")), Some(Some(&Values::from("Ada"))));
    let known = reader.known(scene.target, user(), &["CN=Ada"]).unwrap()[0].unwrap();
    assert_eq!((known.id, known.exported, known.hash), (object.id, true, body(&person("Ada")).hash));
    // What we wrote ourselves is no news, and the intent is closed.
    assert_eq!(reader.pending(scene.target, Cursor::default(), 9, None).unwrap(), []);
    assert_eq!(reader.changes(0, 9).unwrap().last().unwrap().kind, ChangeKind::Export);
    drop(reader);
    assert_eq!(scene.lease(1_000).items, []);
}

pub fn a_created_object_that_is_known_is_adopted(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let spaces = scene.users(scene.target, &["CN=Ada", "CN=Bob"]);
    scene.linked(9, "E-9", spaces[1]);
    scene.queued(1);
    scene.queued(2);
    let lease = scene.lease(10);
    let (rule, state, row) = (RULE, exported("CN=Ada", "Ada"), scene.export_row(1));
    let found = Settle::Created { rule, state, is_ours: false, owes_password: false, row };
    assert_eq!(scene.settle(&lease, 1, found), 0);
    let view = scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap();
    assert_eq!((view.linked[0].id, view.linked[0].unconfirmed), (spaces[0], true));
    assert_eq!(view.linked[0].doc, person("Ada"));
    assert_eq!(view.linked[0].link.unwrap().mode, LinkMode::Adopted, "somebody else made it");
    // The one that loses its object is looked at again.
    assert_eq!(scene.settle(&lease, 2, created(&scene, 2, "CN=Bob")), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(9))]);
    assert_eq!(scene.store.read().unwrap().views(&[mesh(9)]).unwrap()[0].as_ref().unwrap().linked, []);
}

fn queued_update(scene: &Scene<'_>, space: SpaceId) {
    let mut plan = keep(1);
    let changes = vec![];
    let action = ItemAction::Update { space, address: None, create_container: false, changes };
    plan.items.push(item_of(scene.target, action));
    scene.apply(vec![plan]);
}

pub fn what_no_import_showed_goes_on_waiting(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    queued_update(&scene, space);
    let lease = scene.lease(10);
    let state = exported("CN=Ada", "Ada Lovelace");
    scene.settle(&lease, 1, Settle::Updated { space, state, row: scene.export_row(1) });
    let is_waiting = || scene.store.read().unwrap().spaces(&[space]).unwrap()[0].clone().unwrap().unconfirmed;
    scene.update(scene.target, StageUpdate { shown: false, ..update(space, body(&person("Ada"))) });
    assert!(is_waiting());
    scene.update(scene.target, update(space, body(&person("Ada"))));
    assert!(!is_waiting());
}

pub fn an_updated_object_is_expected(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    queued_update(&scene, space);
    let lease = scene.lease(10);
    let state = exported("CN=Ada Lovelace", "Ada Lovelace");
    scene.settle(&lease, 1, Settle::Updated { space, state, row: scene.export_row(1) });
    let mut reader = scene.store.read().unwrap();
    let object = reader.spaces(&[space]).unwrap()[0].clone().unwrap();
    assert_eq!((object.external_id.as_str(), object.unconfirmed), ("CN=Ada Lovelace", true));
    assert_eq!((object.doc, object.link.unwrap().mesh), (person("Ada Lovelace"), mesh(1)));
    assert_eq!(reader.known(scene.target, user(), &["CN=Ada"]).unwrap(), [None]);
    assert_eq!(reader.item_list(&ItemFilter::default(), None, 9).unwrap().items, []);
}

pub fn a_deleted_object_goes(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    let mut plan = keep(1);
    plan.items.push(item_of(scene.target, ItemAction::Delete { space }));
    scene.apply(vec![plan]);
    let lease = scene.lease(10);
    // Its mesh object may have waited for this.
    assert_eq!(scene.settle(&lease, 1, Settle::Deleted { space, row: scene.export_row(1) }), 1);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.spaces(&[space]).unwrap(), [None]);
    assert_eq!(reader.views(&[mesh(1)]).unwrap()[0].as_ref().unwrap().linked, []);
    assert_eq!(reader.changes(0, 9).unwrap().last().unwrap().kind, ChangeKind::Export);
    drop(reader);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
}

pub fn a_deleted_object_wakes_who_refers_to_its_mesh_object(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    let mut team = create(2, "G-1", person("team"));
    team.edges.push(EdgeChange { attribute: name("member"), member: uid(1), add: true });
    let mut plan = keep(1);
    plan.items.push(item_of(scene.target, ItemAction::Delete { space }));
    scene.apply(vec![team, plan]);
    let lease = scene.lease(10);
    assert_eq!(scene.settle(&lease, 1, Settle::Deleted { space, row: scene.export_row(1) }), 2);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1)), Todo::Mesh(mesh(2))]);
}

pub fn a_dropped_item_wakes_its_mesh_object(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    assert_eq!(scene.settle(&lease, 1, Settle::Dropped), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
    assert_eq!(scene.lease(1_000).items, []);
    assert_eq!(scene.store.read().unwrap().changes(0, 9).unwrap().len(), 1);
}

pub fn only_leased_items_are_settled(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    scene.queued(2);
    let lease = scene.lease(10);
    let one = |what| Settled { item: lease.items[0].id, mesh: mesh(1), what };
    let two = || Settled { item: lease.items[1].id, mesh: mesh(2), what: Settle::Dropped };
    scene.settle(&lease, 1, Settle::Retry { not_before: at(20), reason: "busy".into() });
    // Not leased any more: nothing of the batch is kept, the good part neither.
    let batch = scene.settle_batch(vec![two(), one(created(&scene, 1, "CN=Ada"))]);
    assert_eq!(scene.store.settle(batch).wait().unwrap_err().class, StoreClass::Conflict);
    let wrong_mesh = Settled { mesh: mesh(9), ..two() };
    let batch = scene.settle_batch(vec![wrong_mesh]);
    assert_eq!(scene.store.settle(batch).wait().unwrap_err().class, StoreClass::Conflict);
    let mut batch = scene.settle_batch(vec![two()]);
    batch.connector = scene.source;
    assert_eq!(scene.store.settle(batch).wait().unwrap_err().class, StoreClass::Conflict);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.item_list(&ItemFilter::default(), None, 9).unwrap().items.len(), 2);
    assert_eq!(reader.space_find(scene.target, "CN=Ada").unwrap(), []);
    assert_eq!(reader.changes(0, 9).unwrap().len(), 2);
    drop(reader);
    let _ = scene.store.settle(scene.settle_batch(vec![two()])).wait().unwrap();
}

pub fn whoever_waits_for_a_created_object_wakes(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(2, "G-1", person("team"))]);
    scene.queued(1);
    let wait = Wake::Address { connector: scene.target, owner: mesh(2), member: uid(1) };
    assert_eq!(scene.wake(vec![wait]), 0);
    let lease = scene.lease(10);
    assert_eq!(scene.settle(&lease, 1, created(&scene, 1, "CN=Ada")), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(2))]);
}

pub fn a_created_object_waits_for_others(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    scene.queued(2);
    let lease = scene.lease(10);
    let state = ExportedState { waits_for: vec![uid(2)], ..exported("CN=team", "Ada") };
    let what =
        Settle::Created { rule: RULE, state, is_ours: true, owes_password: false, row: scene.export_row(1) };
    assert_eq!(scene.settle(&lease, 1, what), 0);
    assert_eq!(scene.settle(&lease, 2, created(&scene, 2, "CN=Ada")), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
}

pub fn what_an_answer_shows_besides_is_looked_at(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    let state = ExportedState { is_news: true, ..exported("CN=Ada", "Ada") };
    assert_eq!(
        scene.settle(
            &lease,
            1,
            Settle::Created {
                rule: RULE,
                state,
                is_ours: true,
                owes_password: false,
                row: scene.export_row(1)
            }
        ),
        1
    );
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(1))]);
}

pub fn what_an_answer_to_an_update_shows_besides_is_looked_at(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    queued_update(&scene, space);
    let lease = scene.lease(10);
    let state = ExportedState { is_news: true, ..exported("CN=Ada", "Ada") };
    assert_eq!(scene.settle(&lease, 1, Settle::Updated { space, state, row: scene.export_row(1) }), 1);
}

pub fn an_updated_object_may_have_gone(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let space = SpaceId(i64::MAX);
    queued_update(&scene, space);
    let lease = scene.lease(10);
    let what = Settle::Updated { space, state: exported("CN=Ada", "Ada"), row: scene.export_row(1) };
    assert_eq!(scene.settle(&lease, 1, what), 1, "its mesh object is looked at again");
    assert_eq!(scene.store.read().unwrap().changes(0, 9).unwrap().len(), 2, "what was done is in the audit");
    assert_eq!(scene.lease(1_000).items, []);
}
