//! Clauses on references between mesh objects.

use identitymesh_model::plan::{EdgeChange, ObjectPlan};
use identitymesh_model::{Object, Value, Values};

use super::Harness;
use super::sample::{Scene, change, create, mesh, name, person, uid};

fn with_members(doc: &Object, members: impl Iterator<Item = u64>) -> Object {
    let mut doc = doc.clone();
    let members = members.map(|number| Value::reference(uid(number).to_string())).collect();
    doc.put(name("member"), Values::set(members));
    doc
}

fn edge(number: u64, add: bool) -> EdgeChange {
    EdgeChange { attribute: name("member"), member: uid(number), add }
}

fn group(number: u64, members: std::ops::Range<u64>) -> ObjectPlan {
    let mut plan = create(number, "G", with_members(&person("group"), members.clone()));
    plan.edges = members.map(|member| edge(member, true)).collect();
    plan
}

fn read(scene: &Scene<'_>) -> Object {
    let record = scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap().record;
    assert_eq!(record.provenance.0.len(), record.doc.len());
    record.doc
}

pub fn sets_of_references_are_members(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![group(1, 10..13)]);
    assert_eq!(read(&scene), with_members(&person("group"), 10..13));
    let change_row = &scene.store.read().unwrap().changes(0, 9).unwrap()[0];
    assert_eq!(change_row.after, group(1, 10..13).content_hash(), "the hash is of the whole document");
}

pub fn single_references_stay_in_the_document(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut doc = with_members(&person("Ada"), 10..12);
    doc.set(name("manager"), Value::reference(uid(20).to_string()));
    let mut plan = create(1, "E-1", doc.clone());
    plan.edges = vec![edge(10, true), edge(11, true)];
    plan.edges.push(EdgeChange { attribute: name("manager"), member: uid(20), add: true });
    scene.apply(vec![plan]);
    assert_eq!(read(&scene), doc);
}

pub fn edges_change_one_by_one(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![group(1, 10..13)]);
    let mut plan = change(1, 1, "G", with_members(&person("group"), 11..14));
    plan.edges = vec![edge(10, false), edge(13, true)];
    scene.apply(vec![plan]);
    assert_eq!(read(&scene), with_members(&person("group"), 11..14));
    let mut plan = change(1, 2, "G", person("group"));
    plan.edges = (11..14).map(|member| edge(member, false)).collect();
    scene.apply(vec![plan]);
    assert_eq!(read(&scene), person("group"));
}

pub fn a_hundred_thousand_members(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![group(1, 10..100_010)]);
    let mut plan = change(1, 1, "G", with_members(&person("group"), 10..100_011));
    plan.edges = vec![edge(100_010, true)];
    scene.apply(vec![plan]);
    let doc = read(&scene);
    assert!(doc == with_members(&person("group"), 10..100_011));
    harness.reopen();
    let doc = harness.store().read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap().record.doc;
    assert_eq!(doc.get(name("member")).unwrap().as_slice().len(), 100_001);
}
