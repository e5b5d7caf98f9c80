//! Clauses on mesh objects: creating, versions, states, purging.

use identitymesh_model::plan::{Before, LeavePlan, MeshChange};
use identitymesh_model::{LeaveRecord, MeshId, MeshState, Object, Text};

use super::Harness;
use super::sample::{
    OTHER_RULE, RULE, Scene, add_key, at, change, create, insert, keep, key, mesh, name, person, provenance,
    purge, uid, user,
};
use crate::StoreClass;

pub fn a_created_object_reads_back(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let mut reader = scene.store.read().unwrap();
    let views = reader.views(&[mesh(2), mesh(1)]).unwrap();
    assert_eq!(views[0], None);
    let record = views[1].clone().unwrap().record;
    assert_eq!((record.id, record.uid, record.mesh_type), (mesh(1), uid(1), user()));
    assert_eq!((record.anchor.as_str(), record.version, record.state), ("E-1", 1, MeshState::Active));
    assert_eq!((record.doc, record.provenance), (person("Ada"), provenance(&person("Ada"))));
    assert_eq!(reader.mesh_by_uid(uid(1)).unwrap(), Some(mesh(1)));
    assert_eq!(reader.mesh_by_uid(uid(2)).unwrap(), None);
}

pub fn an_old_version_is_refused_and_nothing_kept(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    scene.apply(vec![change(1, 1, "E-1", person("Ada L"))]);
    let mut other = create(2, "E-2", person("Bob"));
    other.keys.push(add_key(key(scene.index, "e-2"), true));
    other.items.push(super::sample::item(scene.target));
    let mut batch = scene.batch(vec![other, change(1, 1, "E-1", person("Ada B"))]);
    batch.cursor = Some((scene.source, crate::Cursor { touched: 9, space: 9 }));
    let error = scene.store.apply(batch).wait().unwrap_err();
    assert_eq!((error.code, error.class), ("STO-010", StoreClass::Conflict));
    let mut reader = scene.store.read().unwrap();
    let views = reader.views(&[mesh(1), mesh(2)]).unwrap();
    assert_eq!(views[0].as_ref().unwrap().record.doc, person("Ada L"));
    assert_eq!(views[1], None);
    assert_eq!(reader.candidates(&[key(scene.index, "e-2")]).unwrap(), [vec![]]);
    assert_eq!(reader.cursor(scene.source).unwrap(), crate::Cursor::default());
    assert_eq!(reader.totals().unwrap().items, []);
    assert_eq!(reader.changes(0, 10).unwrap().len(), 2);
}

pub fn a_new_object_that_exists_is_refused(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let error = scene.store.apply(scene.batch(vec![create(1, "E-1", person("Bob"))])).wait().unwrap_err();
    assert_eq!((error.code, error.class), ("STO-010", StoreClass::Conflict));
    let error = scene.store.apply(scene.batch(vec![purge(1, 2, "E-1")])).wait().unwrap_err();
    assert_eq!(error.code, "STO-010");
    let error = scene.store.apply(scene.batch(vec![change(5, 1, "E-5", person("Eve"))])).wait().unwrap_err();
    assert_eq!(error.code, "STO-010");
}

pub fn an_update_moves_version_state_and_anchor(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    for (version, state) in [
        (1, MeshState::Leaving { since: at(9) }),
        (2, MeshState::Deleted { since: at(10) }),
        (3, MeshState::Active),
    ] {
        let mut plan = change(1, version, &format!("E-{}", version + 1), person("Ada"));
        if let Some(MeshChange::Update { state: after, before, .. }) = &mut plan.change {
            *after = state;
            *before = Before { anchor: Some(Text::from(format!("E-{version}"))), ..Before::default() };
        }
        scene.apply(vec![plan]);
        let record = scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap().record;
        assert_eq!((record.version, record.state), (version + 1, state));
    }
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.mesh_find("e-4", 9).unwrap(), [mesh(1)]);
    assert_eq!(reader.mesh_find("E-1", 9).unwrap(), []);
}

pub fn a_purged_object_is_gone(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut plan = create(1, "E-1", person("Ada"));
    plan.names.push(key(scene.addresses, "ada"));
    scene.apply(vec![plan]);
    scene.apply(vec![purge(1, 1, "E-1")]);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.views(&[mesh(1)]).unwrap(), [None]);
    assert_eq!(reader.mesh_find("E-1", 9).unwrap(), []);
    assert_eq!(reader.mesh_by_uid(uid(1)).unwrap(), None);
    assert!(!reader.is_taken(&key(scene.addresses, "ada"), mesh(2)).unwrap());
    assert_eq!(reader.history(mesh(1), None, 9).unwrap().len(), 2, "its history stays");
}

pub fn audit_rows_have_to_be_the_plans(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let whole = || scene.batch(vec![create(1, "E-1", person("Ada")), create(2, "E-2", person("Bob"))]);
    let mut too_few = whole();
    too_few.rows.pop();
    let mut too_many = whole();
    too_many.rows.push(scene.export_row(1));
    let mut in_disorder = whole();
    in_disorder.rows.reverse();
    for batch in [too_few, too_many, in_disorder] {
        assert_eq!(scene.store.apply(batch).wait().unwrap_err().class, StoreClass::Bug);
    }
    assert_eq!(scene.store.read().unwrap().changes(0, 9).unwrap(), []);
    let _ = scene.store.apply(whole()).wait().unwrap();
}

pub fn reserved_ids_are_never_given_twice(harness: &mut impl Harness) {
    let mut used = std::collections::HashSet::new();
    for count in [1, 70_000, 3] {
        let first = harness.store().reserve_mesh_ids(count).unwrap();
        assert!(first.0 > 0);
        assert!((0..count.cast_signed()).all(|at| used.insert(first.0 + at)), "after {}", used.len());
        harness.reopen();
    }
}

pub fn ids_in_order_by_key(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply((1..=5).map(|number| create(number, &format!("E-{number}"), person("Ada"))).collect());
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.mesh_after(MeshId(0), 3).unwrap(), [mesh(1), mesh(2), mesh(3)]);
    assert_eq!(reader.mesh_after(mesh(3), 3).unwrap(), [mesh(4), mesh(5)]);
}

pub fn leave_states_begin_go_on_and_end(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let leaving = |leave: LeavePlan| {
        let mut plan = keep(1);
        plan.leaving.push(leave);
        scene.apply(vec![plan]);
        scene.store.read().unwrap().views(&[mesh(1)]).unwrap()[0].clone().unwrap().leaving
    };
    for (rule, steps) in [(RULE, 1), (OTHER_RULE, 2)] {
        let set = LeavePlan::Set { connector: scene.target, rule, since: at(3), steps };
        assert_eq!(leaving(set), [LeaveRecord { connector: scene.target, rule, since: at(3), steps }]);
    }
    assert_eq!(leaving(LeavePlan::Clear { connector: scene.source }).len(), 1);
    assert_eq!(leaving(LeavePlan::Clear { connector: scene.target }), []);
}

pub fn odd_texts_survive(harness: &mut impl Harness) {
    let odd = "Zoë \"Q\" O'Neil \\ \u{1}\u{7f}\u{2028} 名前 😀 A\u{308}";
    let scene = Scene::new(harness.store());
    let mut doc = Object::new();
    doc.set(name("Größe ✓"), odd);
    doc.set(name("empty"), "");
    scene.apply(vec![create(1, odd, doc.clone())]);
    let mut inserted = insert(odd);
    inserted.body = super::sample::body(&doc);
    let id = scene.stage(scene.source, vec![inserted])[0];
    harness.reopen();
    let mut reader = harness.store().read().unwrap();
    let record = reader.views(&[mesh(1)]).unwrap()[0].clone().unwrap().record;
    assert_eq!((record.anchor.as_str(), &record.doc), (odd, &doc));
    assert_eq!(reader.spaces(&[id]).unwrap()[0].as_ref().unwrap().doc, doc);
    assert_eq!(reader.mesh_find(odd, 9).unwrap(), [mesh(1)]);
}
