//! Clauses on wakes: who is looked at again, and who is not.

use identitymesh_model::plan::{EdgeChange, Note, NoteKind, SpacePlan, Wake};
use identitymesh_model::{SpaceId, Text, Value};

use super::Harness;
use super::sample::{
    Scene, body, body_with_members, create, insert, keep, key, link, mesh, name, person, uid, unlink, update,
};
use crate::{ReferenceForm, StageBatch, StageInsert, StageUpdate, Todo};

fn waiting(scene: &Scene<'_>, external_id: &str, keys: &[&str]) -> SpaceId {
    let space = scene.users(scene.source, &[external_id])[0];
    let note = Note::new(NoteKind::Unjoined, "nobody has this id");
    let waits = keys.iter().map(|text| key(scene.index, text)).collect();
    let mut batch = scene.batch(vec![]);
    batch.plan.spaces.push(SpacePlan { space, note: Some(note), waits, purge: false });
    let _ = scene.store.apply(batch).wait().unwrap();
    space
}

pub fn waiting_objects_wake_for_their_key(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let one = waiting(&scene, "1", &["e-1", "e-2"]);
    let two = waiting(&scene, "2", &["e-2"]);
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.index, "e-3") }]), 0);
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.addresses, "e-1") }]), 0);
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.index, "e-1") }]), 1);
    assert_eq!(scene.todos(9), [Todo::Space(one)]);
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.index, "e-2") }]), 1);
    assert_eq!(scene.todos(9), [Todo::Space(one), Todo::Space(two)]);
}

pub fn a_linked_object_waits_no_more(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let one = waiting(&scene, "1", &["e-1"]);
    scene.linked(1, "E-1", one);
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.index, "e-1") }]), 0);
    let listed = scene.store.read().unwrap().space_list(&crate::SpaceFilter::default(), None, 9).unwrap();
    assert_eq!(listed.items[0].note, None);
    let two = waiting(&scene, "2", &["e-2"]);
    let mut batch = scene.batch(vec![]);
    batch.plan.spaces.push(SpacePlan { space: two, note: None, waits: vec![], purge: false });
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.wake(vec![Wake::Waiting { key: key(scene.index, "e-2") }]), 0);
}

/// An object that refers to others, with a mesh object of its own.
fn referring(scene: &Scene<'_>, number: u64, to: &[&str]) -> SpaceId {
    let external_id = format!("team-{number}");
    let (stored, _) = body_with_members(&person(&external_id), "member", to);
    let space = scene.stage(scene.source, vec![StageInsert { body: stored, ..insert(&external_id) }])[0];
    scene.linked(number, &format!("G-{number}"), space);
    space
}

pub fn referrers_wake_by_id(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ada = scene.users(scene.source, &["ada", "bob"])[0];
    let team = referring(&scene, 7, &["ada", "eve"]);
    let _ = referring(&scene, 8, &["bob"]);
    let mut single = body(&person("clerk"));
    single.references.push((name("manager"), Text::from("ada"), ReferenceForm::Single));
    let clerk = scene.stage(scene.source, vec![StageInsert { body: single, ..insert("clerk") }])[0];
    scene.linked(9, "E-9", clerk);
    assert_eq!(scene.wake(vec![Wake::Referrers { space: ada }]), 2);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(7)), Todo::Mesh(mesh(9))]);
    // Another connector's object of the same id is nobody's member.
    let other = scene.users(scene.target, &["bob"])[0];
    assert_eq!(scene.wake(vec![Wake::Referrers { space: other }]), 0);
    // A reference that went wakes nobody.
    scene.update(scene.source, update(team, body(&person("team-7"))));
    let mut batch = scene.batch(vec![]);
    batch.done = scene.todos(9);
    batch.plan.wakes = vec![Wake::Referrers { space: ada }];
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(9))]);
}

pub fn referrers_wake_by_address(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut doc = person("Ada");
    doc.set(name("dn"), "CN=Ada,DC=x");
    let mut stored = body(&doc);
    stored.names.push(key(scene.addresses, "cn=ada,dc=x"));
    let ada = scene.stage(scene.source, vec![StageInsert { body: stored, ..insert("guid-1") }])[0];
    let _ = referring(&scene, 7, &["CN=Ada,DC=x"]);
    assert_eq!(scene.wake(vec![Wake::Referrers { space: ada }]), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(7))]);
}

pub fn referrers_of_a_purged_object_wake(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ada = scene.users(scene.source, &["ada"])[0];
    let _ = referring(&scene, 7, &["ada"]);
    scene.linked(1, "E-1", ada);
    let mut plan = keep(1);
    plan.links.push(unlink(ada, true));
    let mut batch = scene.batch(vec![plan]);
    batch.plan.wakes.push(Wake::Referrers { space: ada });
    assert_eq!(scene.store.apply(batch).wait().unwrap().woken, 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(7))]);
}

pub fn referrers_that_see_it_anyway_are_not_woken(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ada = scene.users(scene.source, &["ada"])[0];
    let (stored, _) = body_with_members(&person("team"), "member", &["ada"]);
    let team = scene.stage(scene.source, vec![StageInsert { body: stored, ..insert("team") }])[0];
    // Without a mesh object it follows its references when it is linked.
    assert_eq!(scene.wake(vec![Wake::Referrers { space: ada }]), 0);
    // Linked by the same plan that wakes it.
    let mut plan = create(7, "G-1", person("team"));
    plan.links.push(link(team));
    let mut batch = scene.batch(vec![plan]);
    batch.plan.wakes.push(Wake::Referrers { space: ada });
    assert_eq!(scene.store.apply(batch).wait().unwrap().woken, 0);
    assert_eq!(scene.todos(9), []);
}

pub fn holders_wake(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let holds = |number: u64, attribute: &str, member: u64| {
        let mut doc = person("holder");
        doc.set(name(attribute), Value::reference(uid(member).to_string()));
        let mut plan = create(number, &format!("E-{number}"), doc);
        plan.edges.push(EdgeChange { attribute: name(attribute), member: uid(member), add: true });
        plan
    };
    scene.apply(vec![
        create(1, "E-1", person("Ada")),
        holds(2, "manager", 1),
        holds(3, "owner", 1),
        holds(4, "manager", 2),
    ]);
    assert_eq!(scene.wake(vec![Wake::Holders { id: mesh(1) }]), 2);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(2)), Todo::Mesh(mesh(3))]);
    // An object that goes wakes its holders too, and so does one whose holder comes with it.
    let mut batch = scene.batch(vec![
        super::sample::purge(2, 1, "E-2"),
        create(5, "E-5", person("new")),
        holds(6, "manager", 5),
    ]);
    batch.plan.wakes = vec![Wake::Holders { id: mesh(2) }, Wake::Holders { id: mesh(5) }];
    let _ = scene.store.apply(batch).wait().unwrap();
    assert_eq!(scene.todos(9), [3, 4, 6].map(|number| Todo::Mesh(mesh(number))));
}

fn wait(scene: &Scene<'_>, owner: u64, member: u64) -> Wake {
    Wake::Address { connector: scene.target, owner: mesh(owner), member: uid(member) }
}

pub fn an_address_wakes_with_the_link(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada")), create(2, "G-1", person("team"))]);
    assert_eq!(scene.wake(vec![wait(&scene, 2, 1)]), 0);
    let elsewhere = scene.users(scene.source, &["a"])[0];
    let there = scene.users(scene.target, &["a"])[0];
    let mut plan = keep(1);
    plan.links.push(link(elsewhere));
    assert_eq!(scene.apply(vec![plan]), 0, "another connector's object is no address there");
    let mut plan = keep(1);
    plan.links.push(link(there));
    assert_eq!(scene.apply(vec![plan]), 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(2))]);
}

pub fn an_address_that_is_there_wakes_at_once(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let there = scene.users(scene.target, &["a"])[0];
    scene.apply(vec![create(2, "G-1", person("team"))]);
    let mut plan = create(1, "E-1", person("Ada"));
    plan.links.push(link(there));
    let mut batch = scene.batch(vec![plan]);
    batch.plan.wakes.push(wait(&scene, 2, 1));
    assert_eq!(scene.store.apply(batch).wait().unwrap().woken, 1);
    assert_eq!(scene.todos(9), [Todo::Mesh(mesh(2))]);
}

pub fn waking_nobody_costs_nothing(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["ada"])[0];
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let wakes = vec![
        Wake::Waiting { key: key(scene.index, "e-1") },
        Wake::Referrers { space },
        Wake::Referrers { space: SpaceId(i64::MAX) },
        Wake::Holders { id: mesh(1) },
        Wake::Holders { id: mesh(99) },
    ];
    assert_eq!(scene.wake(wakes), 0);
    assert_eq!(scene.todos(9), []);
}

pub fn referrers_wake_by_a_name_that_comes_or_goes(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let called = |text: &str| {
        let mut stored = body(&person(text));
        stored.names.push(key(scene.addresses, text));
        stored
    };
    let ada = scene.stage(scene.source, vec![StageInsert { body: called("ada"), ..insert("1") }])[0];
    let _ = referring(&scene, 7, &["ada"]);
    let _ = referring(&scene, 8, &["adele", "bob"]);
    let _ = referring(&scene, 9, &["bob"]);
    let rename = |to: &str, referred: Vec<i64>| {
        let updates = vec![StageUpdate { touch: false, ..update(ada, called(to)) }];
        let _ =
            scene.store.stage(StageBatch { updates, referred, ..scene.page(scene.source) }).wait().unwrap();
        scene.todos(9)
    };
    // References by name are looked up in other indexes.
    assert_eq!(rename("adele", vec![scene.index]), []);
    assert_eq!(rename("ada", vec![scene.addresses]), [Todo::Mesh(mesh(7)), Todo::Mesh(mesh(8))]);
}
