//! Clauses on the past: objects, links and what is gone, as they were.

use identitymesh_model::plan::{Before, LinkChange, MeshChange};
use identitymesh_model::{MeshState, Object, RunId, SpaceId, Values};

use super::Harness;
use super::sample::{
    Scene, at, body, body_with_members, change, configuration, create, exported, keep, link, mesh, name,
    person, uid, update, user,
};
use crate::past::{Cut, linked_at, mesh_at, space_at, spans};
use crate::{ExportedText, Settle, SpaceChangeKind, StageBatch, StageUpdate, SyncBatch};

fn update_at(scene: &Scene<'_>, seconds: i64, update: StageUpdate) {
    let page = StageBatch { cause: scene.cause(seconds), updates: vec![update], ..scene.page(scene.source) };
    let _ = scene.store.stage(page).wait().unwrap();
}

fn apply_at(scene: &Scene<'_>, seconds: i64, objects: Vec<identitymesh_model::plan::ObjectPlan>) {
    let mut batch = scene.batch(objects);
    batch.cause = scene.cause(seconds);
    for row in &mut batch.rows {
        let again = crate::audit::ChangeRow::new(
            row.mesh,
            row.uid,
            row.run,
            at(seconds),
            &row.actor,
            row.kind,
            row.connector,
            row.before.clone(),
            row.after,
        );
        *row = again;
    }
    let _ = scene.store.apply(SyncBatch { ..batch }).wait().unwrap();
}

fn doc_at(scene: &Scene<'_>, space: SpaceId, seconds: i64) -> Option<Object> {
    let mut reader = scene.store.read().unwrap();
    space_at(reader.as_mut(), space, Cut::At(at(seconds))).unwrap().map(|record| record.doc)
}

pub fn a_management_space_object_is_as_it_was_at_each_moment(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    update_at(&scene, 10, update(space, body(&person("Ada"))));
    let (stored, whole) = body_with_members(&person("Ada"), "member", &["a", "b"]);
    update_at(&scene, 20, update(space, stored));
    let (stored, last) = body_with_members(&person("Eve"), "member", &["b", "c"]);
    update_at(&scene, 30, update(space, stored));
    let deletes = vec![space];
    let page = StageBatch { cause: scene.cause(40), deletes, ..scene.page(scene.source) };
    scene.store.stage(page).wait().unwrap();
    let mut batch = scene.batch(Vec::new());
    batch.cause = scene.cause(50);
    batch.plan.spaces.push(identitymesh_model::plan::SpacePlan {
        space,
        note: None,
        waits: Vec::new(),
        purge: true,
    });
    let _ = scene.store.apply(batch).wait().unwrap();

    for (seconds, wanted) in [
        (0, None),
        (1, Some(person("E-1"))),
        (9, Some(person("E-1"))),
        (10, Some(person("Ada"))),
        (20, Some(whole.clone())),
        (29, Some(whole)),
        (30, Some(last.clone())),
        (40, Some(last)),
        (50, None),
    ] {
        assert_eq!(doc_at(&scene, space, seconds), wanted, "at {seconds}");
    }
    let mut reader = scene.store.read().unwrap();
    let gone = |reader: &mut dyn crate::Reader, seconds| {
        space_at(reader, space, Cut::At(at(seconds))).unwrap().map(|record| record.deleted)
    };
    assert_eq!((gone(reader.as_mut(), 39), gone(reader.as_mut(), 40)), (Some(false), Some(true)));
    let rows = reader.space_history(space, None, 2).unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.kind, row.at)).collect::<Vec<_>>(),
        [(SpaceChangeKind::Purge, at(50)), (SpaceChangeKind::Import, at(40))]
    );
    assert_eq!(reader.space_history(space, Some(rows[1].seq), 9).unwrap().len(), 3);
    assert_eq!(reader.space_find_gone(scene.source, "E-1").unwrap(), [space]);
    let identity = reader.space_identities(&[space, SpaceId(99)]).unwrap();
    let known = identity[0].clone().unwrap();
    assert_eq!((known.connector, known.object_type, known.purged), (scene.source, user(), true));
    assert_eq!(identity[1], None);
}

pub fn what_was_exported_and_drifted_is_part_of_the_past(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    let names = vec![name("displayName")];
    for (seconds, drift) in [(10, Some(r#"{"displayName":"ours"}"#)), (20, None)] {
        let exported = Some(ExportedText { names: names.clone(), drift: drift.map(str::to_owned) });
        update_at(&scene, seconds, StageUpdate { exported, ..update(space, body(&person("E-1"))) });
    }
    let mut reader = scene.store.read().unwrap();
    let mut was = |seconds| {
        let record = space_at(reader.as_mut(), space, Cut::At(at(seconds))).unwrap().unwrap();
        (record.exported.len(), record.drift)
    };
    assert_eq!(was(5), (0, vec![]));
    assert_eq!(was(15), (1, vec![(name("displayName"), Some(Values::from("ours")))]));
    assert_eq!(was(20), (1, vec![]));
}

pub fn an_unchanged_object_keeps_no_past(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    update_at(&scene, 10, update(space, body(&person("E-1"))));
    assert_eq!(scene.store.read().unwrap().space_history(space, None, 9).unwrap(), []);
}

pub fn links_have_a_beginning_and_an_end(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    scene.linked(1, "E-1", space);
    apply_at(&scene, 10, vec![create(2, "E-2", person("Bob"))]);
    let mut from = keep(1);
    from.links.push(LinkChange::Remove { space, purge: false });
    let mut to = keep(2);
    to.links.push(link(space));
    apply_at(&scene, 20, vec![from, to]);
    let mut reader = scene.store.read().unwrap();
    let mut linked =
        |number, seconds| linked_at(reader.as_mut(), mesh(number), Cut::At(at(seconds))).unwrap().len();
    assert_eq!((linked(1, 1), linked(1, 2), linked(1, 19), linked(1, 20)), (0, 1, 1, 0));
    assert_eq!((linked(2, 19), linked(2, 20)), (0, 1));
    let spans = reader.link_history(mesh(1)).unwrap();
    assert_eq!((spans.len(), spans[0].space, spans[0].end.unwrap().at), (1, space, at(20)));
    let mut holder = |seconds| {
        let record = space_at(reader.as_mut(), space, Cut::At(at(seconds))).unwrap().unwrap();
        record.link.map(|link| link.mesh)
    };
    assert_eq!((holder(1), holder(19), holder(20)), (None, Some(mesh(1)), Some(mesh(2))));
}

pub fn a_mesh_object_is_as_it_was(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    apply_at(&scene, 10, vec![create(1, "E-1", person("Ada"))]);
    let mut second = change(1, 1, "E-1", person("Ada"));
    if let Some(MeshChange::Update { state, before, .. }) = &mut second.change {
        *state = MeshState::Leaving { since: at(20) };
        before.state = Some(MeshState::Active);
    }
    apply_at(&scene, 20, vec![second]);
    let mut reader = scene.store.read().unwrap();
    let mut was = |cut| mesh_at(reader.as_mut(), mesh(1), cut).unwrap();
    assert_eq!(was(Cut::At(at(9))), None);
    let first = was(Cut::At(at(19))).unwrap();
    assert_eq!((first.state, first.version, first.uid), (MeshState::Active, 1, uid(1)));
    // The sample's change says that the mail was absent before.
    assert_eq!((first.doc.get(name("mail")), first.doc.len()), (None, 1));
    let now = was(Cut::At(at(20))).unwrap();
    assert_eq!((now.state, now.version), (MeshState::Leaving { since: at(20) }, 2));
    assert_eq!(was(Cut::Before(2)), Some(first));
    assert_eq!((was(Cut::After(2)), was(Cut::Before(1))), (Some(now), None));
}

pub fn what_is_gone_for_good_is_found_and_comes_back_as_it_was(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    apply_at(&scene, 10, vec![create(1, "E-1", person("Ada"))]);
    let doc = person("Ada");
    let before = Before {
        attributes: doc.iter().map(|(name, values)| (name, Some(values.clone()))).collect(),
        rules: vec![vec![super::sample::RULE]; 2],
        state: Some(MeshState::Active),
        anchor: Some("E-1".into()),
        mesh_type: Some(user()),
        sets: Vec::new(),
    };
    let mut purged = keep(1);
    purged.anchor = "E-1".into();
    purged.change = Some(MeshChange::Purge { version: 1, before });
    apply_at(&scene, 20, vec![purged]);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.mesh_find_gone("e-1", 9).unwrap(), [mesh(1)]);
    assert_eq!(reader.mesh_find_gone(&uid(1).to_string(), 9).unwrap(), [mesh(1)]);
    assert_eq!(reader.mesh_find_gone("E-2", 9).unwrap(), []);
    let rows = reader.purges(0, 9).unwrap();
    assert_eq!((rows.len(), rows[0].mesh), (1, mesh(1)));
    let was = mesh_at(reader.as_mut(), mesh(1), Cut::At(at(15))).unwrap().unwrap();
    assert_eq!((was.doc, was.anchor.as_str(), was.mesh_type), (person("Ada"), "E-1", user()));
    assert_eq!(mesh_at(reader.as_mut(), mesh(1), Cut::At(at(20))).unwrap(), None);
}

pub fn values_hold_from_one_change_to_the_next(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mail = name("mail");
    let with_mail = |mail_before: Option<&str>, version, text: &str| {
        let mut plan = change(1, version, "E-1", person(text));
        if let Some(MeshChange::Update { before, .. }) = &mut plan.change {
            before.attributes = vec![(mail, mail_before.map(Values::from))];
            before.rules = vec![vec![super::sample::OTHER_RULE]];
        }
        plan
    };
    apply_at(&scene, 10, vec![create(1, "E-1", person("Ada"))]);
    apply_at(&scene, 20, vec![with_mail(Some("Ada@example.org"), 1, "Eve")]);
    let mut reader = scene.store.read().unwrap();
    let found = spans(reader.as_mut(), mesh(1), mail).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|span| (span.values.clone(), span.rules.clone(), span.from.at, span.until))
        .collect();
    let (ada, eve) = (Some(Values::from("Ada@example.org")), Some(Values::from("Eve@example.org")));
    let (rule, other) = (vec![super::sample::RULE], vec![super::sample::OTHER_RULE]);
    assert_eq!(told, [(eve, rule, at(20), None), (ada, other, at(10), Some(at(20)))]);
}

pub fn changes_are_read_by_their_run(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada")), create(2, "E-2", person("Bob"))]);
    let mut reader = scene.store.read().unwrap();
    let rows = reader.run_changes(scene.run, 0, 1).unwrap();
    assert_eq!((rows.len(), rows[0].mesh), (1, mesh(1)));
    assert_eq!(reader.run_changes(scene.run, rows[0].seq, 9).unwrap().len(), 1);
    assert_eq!(reader.run_changes(RunId(99), 0, 9).unwrap(), []);
}

pub fn an_export_is_part_of_its_objects_past(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    let mut plan = keep(1);
    plan.items.push(super::sample::item(scene.target));
    scene.apply(vec![plan]);
    let lease = scene.lease(3);
    let state = exported("CN=Ada", "Ada Lovelace");
    scene.settle(&lease, 1, Settle::Updated { space, state, row: scene.export_row(1) });
    let mut reader = scene.store.read().unwrap();
    let row = reader.space_history(space, None, 1).unwrap().remove(0);
    assert_eq!((row.kind, row.at, row.run), (SpaceChangeKind::Export, at(5), scene.run));
    let was = space_at(reader.as_mut(), space, Cut::At(at(4))).unwrap().unwrap();
    assert_eq!((was.doc, was.unconfirmed, was.exported.len()), (person("CN=Ada"), false, 0));
}

pub fn earlier_configurations_are_kept(harness: &mut impl Harness) {
    let store = harness.store();
    let first = store.configure(configuration(&["hr"], &["a"])).wait().unwrap().version;
    let mut write = configuration(&["hr"], &["a"]);
    write.body = "{\"x\":1}".into();
    let second = store.configure(write).wait().unwrap().version;
    let mut reader = store.read().unwrap();
    let body = |reader: &mut dyn crate::Reader, version| {
        reader.configuration_of(version).unwrap().map(|stored| stored.body)
    };
    assert_eq!(body(reader.as_mut(), first), Some("{}".to_owned()));
    assert_eq!(body(reader.as_mut(), second), Some("{\"x\":1}".to_owned()));
    assert_eq!(body(reader.as_mut(), 99), None);
}
