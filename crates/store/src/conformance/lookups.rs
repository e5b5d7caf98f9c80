//! Clauses on references, addresses and names.

use identitymesh_model::{Name, SpaceId, Text};

use super::Harness;
use super::sample::{
    Scene, body, body_with_members, create, insert, keep, key, link, mesh, name, person, uid,
};
use crate::past::space_when;
use crate::{ReferenceForm, Referred, StageBatch, StageInsert, StageUpdate};

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| Text::from(*text)).collect()
}

/// A target's object with an address and a key that it is found by.
fn addressed(scene: &Scene<'_>, external_id: &str, dn: &str) -> SpaceId {
    let mut doc = person(external_id);
    doc.set(name("dn"), dn);
    let mut stored = body(&doc);
    stored.names.push(key(scene.addresses, &dn.to_lowercase()));
    scene.stage(scene.target, vec![StageInsert { body: stored, ..insert(external_id) }])[0]
}

pub fn references_lead_to_objects(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["a", "b", "c"]);
    scene.linked(1, "E-1", ids[1]);
    let _ =
        scene.store.stage(StageBatch { deletes: vec![ids[2]], ..scene.page(scene.source) }).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    let found = reader.referred(scene.source, None, &texts(&["b", "nobody", "a", "c", "A"])).unwrap();
    let linked = Referred { space: ids[1], mesh: Some((mesh(1), uid(1))) };
    assert_eq!(found, [Some(linked), None, Some(Referred { space: ids[0], mesh: None }), None, None]);
    assert_eq!(reader.referred(scene.target, None, &texts(&["a"])).unwrap(), [None]);
}

pub fn an_address_of_two_leads_to_none(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let group = StageInsert { object_type: name("group"), ..insert("1") };
    scene.stage(scene.source, vec![insert("1"), group]);
    let found = scene.store.read().unwrap().referred(scene.source, None, &texts(&["1"])).unwrap();
    assert_eq!(found, [None]);
}

pub fn references_by_address(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = addressed(&scene, "guid-1", "CN=Ada,DC=x");
    let mut reader = scene.store.read().unwrap();
    let asked = texts(&["cn=ada,dc=x", "guid-1"]);
    let found = reader.referred(scene.target, Some(scene.addresses), &asked).unwrap();
    assert_eq!(found, [Some(Referred { space: id, mesh: None }), None]);
    assert_eq!(reader.referred(scene.source, Some(scene.addresses), &asked).unwrap(), [None, None]);
}

pub fn a_former_name_means_its_last_bearer(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = [addressed(&scene, "guid-1", "a"), addressed(&scene, "guid-2", "b")];
    let rename = |id, external_id: &str, dn: &str| {
        let mut doc = person(external_id);
        doc.set(name("dn"), dn);
        let mut stored = body(&doc);
        stored.names.push(key(scene.addresses, dn));
        let update = StageUpdate { id, body: stored, exported: None, touch: true, shown: true, row: None };
        let page = StageBatch { updates: vec![update], ..scene.page(scene.target) };
        let _ = scene.store.stage(page).wait().unwrap();
    };
    let bearers = |asked: &[&str]| {
        let mut reader = scene.store.read().unwrap();
        reader.bearers(scene.target, scene.addresses, &texts(asked)).unwrap()
    };
    assert_eq!(bearers(&["a", "b", "c"]), [Some(ids[0]), Some(ids[1]), None]);
    rename(ids[0], "guid-1", "c");
    assert_eq!(bearers(&["a", "b", "c"]), [Some(ids[0]), Some(ids[1]), Some(ids[0])]);
    rename(ids[1], "guid-2", "a");
    assert_eq!(bearers(&["a", "b"]), [Some(ids[1]), Some(ids[1])], "who has a name now is meant by it");
    rename(ids[1], "guid-2", "d");
    assert_eq!(bearers(&["a", "b", "d"]), [Some(ids[1]); 3], "the last one that had it");
    let mut reader = scene.store.read().unwrap();
    let mut former = reader.former_keys(scene.addresses, &ids).unwrap();
    former.sort();
    assert_eq!(former, [(ids[1], "a".into()), (ids[1], "b".into())], "who had a name last has had it");
    assert_eq!(reader.former_keys(scene.addresses + 1, &ids).unwrap(), []);
    let named = reader.named(scene.target, scene.addresses, &texts(&["d", "a"])).unwrap();
    assert_eq!(named, [vec![ids[1]], vec![]]);
    assert_eq!(reader.named(scene.source, scene.addresses, &texts(&["d"])).unwrap(), [vec![]]);
    let elsewhere = reader.bearers(scene.source, scene.addresses, &texts(&["a", "d"])).unwrap();
    assert_eq!(elsewhere, [None, None]);
    let elsewhere = reader.bearers(scene.target, scene.index, &texts(&["a", "d"])).unwrap();
    assert_eq!(elsewhere, [None, None]);
}

pub fn a_moment_tells_who_had_which_name(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let first = addressed(&scene, "guid-1", "a");
    let moment = scene.store.read().unwrap().moment().unwrap();
    assert_eq!(scene.store.read().unwrap().settled(scene.target).unwrap(), None);
    let mut doc = person("guid-1");
    doc.set(name("dn"), "b");
    let renamed =
        StageUpdate { id: first, body: body(&doc), exported: None, touch: true, shown: true, row: None };
    let page = StageBatch { updates: vec![renamed], settled: Some(moment), ..scene.page(scene.target) };
    let _ = scene.store.stage(page).wait().unwrap();
    let second = addressed(&scene, "guid-2", "a");
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.settled(scene.target).unwrap(), Some(moment));
    assert_eq!(reader.settled(scene.source).unwrap(), None);
    let mut was = |id, at| {
        let record = space_when(reader.as_mut(), id, at).unwrap();
        record.map(|record| record.doc.single(name("dn")).unwrap().as_text().unwrap().to_owned())
    };
    assert_eq!((was(first, moment), was(second, moment)), (Some("a".to_owned()), None));
    let now = scene.store.read().unwrap().moment().unwrap();
    assert_eq!((was(first, now), was(second, now)), (Some("b".to_owned()), Some("a".to_owned())));
}

pub fn an_address_leads_to_those_who_refer_to_it(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let group = |external_id: &str, members: &[&str]| StageInsert {
        object_type: name("group"),
        body: body_with_members(&person(external_id), "member", members).0,
        ..insert(external_id)
    };
    let groups = [
        group("g1", &["cn=Ada,dc=x", "cn=bob,dc=x"]),
        group("g2", &["CN=ada, DC=x"]),
        group("g3", &["cn=ada,dc=x"]),
    ];
    let ids = scene.stage(scene.target, groups.to_vec());
    let mut single = insert("s");
    single.body.references = vec![(name("manager"), "cn=ada,dc=x".into(), ReferenceForm::Single)];
    let boss = scene.stage(scene.target, vec![single])[0];
    let deletes = vec![ids[2]];
    let _ = scene.store.stage(StageBatch { deletes, ..scene.page(scene.target) }).wait().unwrap();
    let asked = texts(&["cn=ada,dc=x", "cn=nobody,dc=x", "cn=bob,dc=x"]);
    let mut reader = scene.store.read().unwrap();
    let found = reader.referrers(scene.target, &asked).unwrap();
    let told = |at: usize| -> Vec<(SpaceId, &str, &str, &str, &str)> {
        let each = found[at].iter().map(|one| {
            let (of, name) = (one.object_type.as_str(), one.attribute.as_str());
            (one.space, of, one.external_id.as_str(), name, one.reference.as_str())
        });
        each.collect()
    };
    let expected = [
        (ids[0], "group", "g1", "member", "cn=Ada,dc=x"),
        (ids[1], "group", "g2", "member", "CN=ada, DC=x"),
        (boss, "user", "s", "manager", "cn=ada,dc=x"),
    ];
    assert_eq!(told(0), expected, "who is gone refers to nobody");
    assert_eq!((told(1), told(2)), (vec![], vec![(ids[0], "group", "g1", "member", "cn=bob,dc=x")]));
    assert_eq!(reader.referrers(scene.source, &asked).unwrap(), [vec![], vec![], vec![]]);
}

pub fn addresses_in_a_target(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = addressed(&scene, "guid-1", "CN=Ada,DC=x");
    scene.linked(1, "E-1", id);
    let ask = |address: Option<Name>| {
        let mut reader = scene.store.read().unwrap();
        let found = reader.addresses(scene.target, address, &[uid(2), uid(1)]).unwrap();
        assert_eq!(found[0], None);
        found[1].clone()
    };
    assert_eq!(ask(Some(name("dn"))), Some("CN=Ada,DC=x".into()));
    assert_eq!(ask(None), Some("guid-1".into()));
    assert_eq!(ask(Some(name("absent"))), None);
    let found = scene.store.read().unwrap().addresses(scene.source, None, &[uid(1)]).unwrap();
    assert_eq!(found, [None]);
    let _ = scene.store.stage(StageBatch { deletes: vec![id], ..scene.page(scene.target) }).wait().unwrap();
    assert_eq!(ask(None), None, "what is gone has no address");
}

pub fn of_several_objects_the_eldest_that_has_an_address_counts(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let without = scene.stage(scene.target, vec![insert("guid-0")])[0];
    let elder = addressed(&scene, "guid-1", "CN=Elder,DC=x");
    let younger = addressed(&scene, "guid-2", "CN=Younger,DC=x");
    scene.linked(1, "E-1", younger);
    for id in [elder, without] {
        let mut plan = keep(1);
        plan.links.push(link(id));
        scene.apply(vec![plan]);
    }
    let mut reader = scene.store.read().unwrap();
    let mut ask = |address| reader.addresses(scene.target, address, &[uid(1)]).unwrap().remove(0);
    assert_eq!(ask(Some(name("dn"))), Some("CN=Elder,DC=x".into()));
    assert_eq!(ask(None), Some("guid-0".into()));
}

pub fn everybody_who_is_found_under_a_reference_owns_it(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let group = StageInsert { object_type: name("group"), ..insert("1") };
    let ids = scene.stage(scene.source, vec![insert("1"), group, insert("2")]);
    scene.linked(2, "E-2", ids[0]);
    scene.linked(1, "E-1", ids[1]);
    let account = addressed(&scene, "guid-1", "CN=Ada,DC=x");
    scene.linked(3, "E-3", account);
    let mut reader = scene.store.read().unwrap();
    let mut owners =
        |connector, index, asked: &[&str]| reader.owners(connector, index, &texts(asked)).unwrap();
    assert_eq!(owners(scene.source, None, &["2", "1", "nobody"]), [uid(1), uid(2)]);
    assert_eq!(owners(scene.source, None, &["2"]), [], "an object that belongs to nobody has no owner");
    assert_eq!(owners(scene.target, None, &["1"]), []);
    assert_eq!(owners(scene.target, Some(scene.addresses), &["cn=ada,dc=x", "guid-1"]), [uid(3)]);
    assert_eq!(owners(scene.source, Some(scene.addresses), &["cn=ada,dc=x"]), []);
}

pub fn names_are_taken_by_others_only(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = addressed(&scene, "guid-1", "CN=Ada,DC=x");
    let address = key(scene.addresses, "cn=ada,dc=x");
    let taken = |except: u64| scene.store.read().unwrap().is_taken(&address, mesh(except)).unwrap();
    assert!(taken(1), "an object without mesh object is somebody else's");
    let mut plan = create(1, "E-1", person("Ada"));
    plan.links.push(link(id));
    plan.names.push(address.clone());
    scene.apply(vec![plan]);
    assert!(!taken(1));
    assert!(taken(2));
    let free = key(scene.addresses, "cn=bob,dc=x");
    assert!(!scene.store.read().unwrap().is_taken(&free, mesh(2)).unwrap());
    let other_index = key(scene.index, "cn=ada,dc=x");
    assert!(!scene.store.read().unwrap().is_taken(&other_index, mesh(2)).unwrap());
}

pub fn names_are_replaced_as_a_whole(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let named = |text: &str| key(scene.addresses, text);
    let mut plan = create(1, "E-1", person("Ada"));
    plan.names = vec![named("a"), named("b")];
    scene.apply(vec![plan]);
    let mut plan = keep(1);
    plan.names = vec![named("b"), named("c")];
    scene.apply(vec![plan]);
    let mut reader = scene.store.read().unwrap();
    let taken: Vec<bool> =
        ["a", "b", "c"].iter().map(|text| reader.is_taken(&named(text), mesh(9)).unwrap()).collect();
    assert_eq!(taken, [false, true, true]);
}
