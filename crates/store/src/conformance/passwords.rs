//! Clauses on passwords that are owed.

use identitymesh_model::{ContentHash, SpaceId};

use super::Harness;
use super::sample::{RULE, Scene, at, exported, mesh, uid};
use crate::audit::{ChangeKind, ChangeRow};
use crate::{PasswordBatch, PasswordDue, PasswordOwed, PasswordSettle, Settle};

fn due(scene: &Scene<'_>, now: Option<i64>) -> Vec<PasswordDue> {
    let now = now.map(at);
    scene.store.read().unwrap().passwords_due(Some(scene.target), now, None, 99).unwrap()
}

/// A new object in the target that owes a password, or does not.
fn made(scene: &Scene<'_>, number: u64, external_id: &str, owes_password: bool) -> SpaceId {
    scene.queued(number);
    let lease = scene.lease(10);
    let (state, row) = (exported(external_id, "Ada"), scene.export_row(number));
    scene.settle(&lease, number, Settle::Created { rule: RULE, state, is_ours: true, owes_password, row });
    scene.store.read().unwrap().space_find(scene.target, external_id).unwrap()[0]
}

fn settle(scene: &Scene<'_>, space: SpaceId, what: PasswordSettle) {
    let batch = PasswordBatch {
        cause: scene.cause(9),
        settled: vec![(space, what)],
        findings: Vec::new(),
        counters: [("password".to_owned(), 1)].into(),
    };
    scene.store.settle_passwords(batch).wait().unwrap();
}

fn row(scene: &Scene<'_>, number: u64) -> ChangeRow {
    let before = r#"{"op":"password","channel":"sealed_file"}"#.to_owned();
    let (kind, connector) = (ChangeKind::Password, Some(scene.target));
    let after = Some(ContentHash::of("{}"));
    ChangeRow::new(mesh(number), uid(number), scene.run, at(9), "cli", kind, connector, before, after)
}

pub fn a_created_object_owes_a_password_until_it_is_done(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    made(&scene, 1, "CN=Ada", false);
    assert_eq!(due(&scene, None), []);
    let space = made(&scene, 2, "CN=Bob", true);
    let found = due(&scene, Some(5));
    assert_eq!(found.len(), 1);
    let PasswordDue { since, not_before, .. } = found[0].clone();
    assert_eq!(since, not_before);
    let (connector, mesh, rule) = (scene.target, mesh(2), RULE);
    let expected = PasswordDue { space, connector, mesh, rule, since, attempts: 0, not_before, reason: None };
    assert_eq!(found, [expected]);
    settle(&scene, space, PasswordSettle::Done { row: row(&scene, 2) });
    assert_eq!(due(&scene, None), []);
    let changes = scene.store.read().unwrap().changes(0, 99).unwrap();
    let last = changes.last().unwrap();
    assert_eq!((last.kind, last.uid), (ChangeKind::Password, uid(2)));
    assert_eq!(last.before, r#"{"op":"password","channel":"sealed_file"}"#);
}

pub fn a_password_that_failed_waits_for_its_time(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = made(&scene, 1, "CN=Ada", true);
    let again =
        |not_before| PasswordSettle::Again { not_before: at(not_before), reason: "too short".to_owned() };
    settle(&scene, space, again(50));
    assert_eq!(due(&scene, Some(49)), []);
    settle(&scene, space, again(60));
    let found = due(&scene, Some(60));
    assert_eq!((found[0].attempts, found[0].reason.as_deref()), (2, Some("too short")));
    settle(&scene, space, PasswordSettle::Dropped);
    assert_eq!(due(&scene, None), []);
    let kinds = scene.store.read().unwrap().changes(0, 99).unwrap();
    assert!(kinds.iter().all(|change| change.kind != ChangeKind::Password), "nothing was set");
}

pub fn a_password_that_is_asked_for_is_due_at_once(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = made(&scene, 1, "CN=Ada", true);
    settle(&scene, space, PasswordSettle::Again { not_before: at(900), reason: "no".to_owned() });
    let owed = PasswordOwed { space, connector: scene.target, mesh: mesh(1), rule: RULE };
    scene.store.owe_password(owed, scene.cause(9)).wait().unwrap();
    let now = scene.cause(9).at;
    let found = scene.store.read().unwrap().passwords_due(None, Some(now), None, 99).unwrap();
    assert_eq!((found[0].attempts, found[0].reason.as_deref()), (0, None));
    // What is owed is of one target, and read by key.
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.passwords_due(Some(scene.source), None, None, 99).unwrap(), []);
    assert_eq!(reader.passwords_due(None, None, Some(space), 99).unwrap(), []);
    assert_eq!(reader.passwords_due(None, None, None, 0).unwrap(), []);
}

pub fn a_debt_goes_with_its_object(harness: &mut impl Harness) {
    use identitymesh_model::plan::ItemAction;

    let scene = Scene::new(harness.store());
    let space = made(&scene, 1, "CN=Ada", true);
    let mut plan = super::sample::keep(1);
    plan.items.push(super::sample::item_of(scene.target, ItemAction::Delete { space }));
    scene.apply(vec![plan]);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Deleted { space, row: scene.export_row(1) });
    assert_eq!(due(&scene, None), []);
}

pub fn debts_survive_the_process(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    made(&scene, 1, "CN=Ada", true);
    let (before, target) = (due(&scene, None), scene.target);
    harness.reopen();
    let after = harness.store().read().unwrap().passwords_due(Some(target), None, None, 9).unwrap();
    assert_eq!(after, before);
}
