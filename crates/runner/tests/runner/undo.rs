//! Undo over real runs: what a run wrote is taken back, stays taken back, and comes when it is another change.

use std::collections::BTreeMap;

use identitymesh_model::plan::Operation;
use identitymesh_model::{HoldId, Object, RunId, Value};
use identitymesh_runner::{RunError, UndoScope, plan_undo, preview_undo, undo};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{ItemState, RunState};

use crate::guard::{decide, holds};
use crate::place::{Place, Target, id, name};

const PEOPLE: usize = 20;

pub(crate) async fn settled(target: Target, people: usize) -> Place {
    let place = Place::new(target, people).await;
    place.good_cycle().await;
    place
}

/// What the target holds, by the number of the person; ids that the target gives itself do not count.
pub(crate) fn accounts(place: &Place) -> BTreeMap<String, Object> {
    let objects = place.accounts.objects().into_iter();
    let keyed = objects.map(|object| {
        let key =
            ["id", "uid"].iter().find_map(|key| object.attributes.single(name(key))).unwrap().to_string();
        (key, object.attributes)
    });
    keyed.collect()
}

/// Runs since `after` that sent something, newest first.
pub(crate) fn exports_after(place: &Place, after: RunId) -> Vec<RunId> {
    let runs = place.mesh.store.read().unwrap().run_list(None, 100).unwrap();
    let sent =
        runs.into_iter().filter(|run| run.id > after && run.step == "export" && !run.counters.is_empty());
    sent.map(|run| run.id).collect()
}

/// The export run of a cycle.
async fn exported(place: &Place) -> RunId {
    let before = place.newest_run().id;
    place.good_cycle().await;
    exports_after(place, before)[0]
}

fn take_back(place: &Place, run: RunId) -> identitymesh_runner::RunReport {
    undo(&place.mesh, &UndoScope::Run(run), None, "it was a mistake").unwrap()
}

fn rename(place: &Place, numbers: std::ops::Range<usize>, word: &str) {
    for number in numbers {
        let new = format!("{word} {number}");
        assert!(place.hr.set(name("person"), &id(number), name("sn"), Some(new.as_str().into())));
    }
}

#[tokio::test]
async fn what_a_run_changed_goes_back_and_stays_so_until_it_is_another_change() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let before = accounts(&place);
        rename(&place, 0..3, "Wrong");
        let run = exported(&place).await;
        let changed = accounts(&place);
        assert_ne!(changed, before);

        let plan = plan_undo(&place.mesh, &UndoScope::Run(run)).unwrap();
        assert_eq!((plan.entries.len(), plan.stays.len()), (3, 0));
        assert!(
            plan.entries.iter().all(|entry| entry.next.is_some_and(|(next, _)| next == Operation::Update))
        );
        assert_eq!((accounts(&place), place.queue().len()), (changed, 0), "a plan writes nothing");
        let report = take_back(&place, run);
        assert_eq!((report.state, report.count("queued"), report.step), (RunState::Succeeded, 3, "undo"));
        place.export().await.unwrap();
        assert_eq!(accounts(&place), before, "{target:?}");

        // The source still says otherwise: that is planned, and not done.
        for _ in 0..2 {
            place.good_cycle().await;
            assert_eq!(accounts(&place), before, "{target:?}");
        }
        let held = place.queue();
        assert!(held.len() == 3 && held.iter().all(|item| item.rejected && item.state == ItemState::Held));
        rename(&place, 0..1, "Right");
        place.good_cycle().await;
        let now = accounts(&place);
        assert_eq!(now[&id(0)].single(name("sn")), Some(&Value::text("Right 0")));
        assert_eq!(now[&id(1)], before[&id(1)]);
    }
}

#[tokio::test]
async fn the_preview_of_an_undo_says_what_the_guard_would_hold() {
    let place = settled(Target::Flat, PEOPLE).await;
    let created = exports_after(&place, RunId(0))[0];
    let scope = UndoScope::Run(created);
    let bytes = place.bytes();
    let (sandbox, _folder) = place.sandbox();
    let foreseen = preview_undo(&sandbox, &scope).unwrap();
    assert_eq!(place.bytes(), bytes, "a preview writes nothing");
    assert_eq!(foreseen.plan, plan_undo(&place.mesh, &scope).unwrap());
    let [flow] = &foreseen.flows[..] else { panic!("{:?}", foreseen.flows) };
    assert_eq!((flow.operation, flow.sent, flow.held), (Operation::Delete, 0, PEOPLE as u64));
    assert_eq!(foreseen.holds.len(), 1, "{:?}", foreseen.holds);

    take_back(&place, created);
    place.export().await.unwrap();
    assert_eq!(accounts(&place).len(), PEOPLE, "and that is what it does");
    assert!(place.queue().iter().all(|item| item.state == ItemState::Held));
}

#[tokio::test]
async fn a_sync_waits_for_what_a_person_asked_for() {
    let place = settled(Target::Flat, PEOPLE).await;
    let before = accounts(&place);
    rename(&place, 0..3, "Wrong");
    let run = exported(&place).await;
    take_back(&place, run);
    rename(&place, 3..4, "Other");
    rename(&place, 0..1, "Newer");
    place.good_cycle().await;
    place.good_cycle().await;
    let now = accounts(&place);
    assert_eq!(
        now[&id(0)].single(name("sn")),
        Some(&Value::text("Newer 0")),
        "another change comes after it"
    );
    assert_eq!(now[&id(1)], before[&id(1)]);
    assert_eq!(now[&id(3)].single(name("sn")), Some(&Value::text("Other 3")));
}

#[tokio::test]
async fn newcomers_go_again_and_only_those_that_we_made() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let before = accounts(&place);
        place.hire(PEOPLE..PEOPLE + 2);
        let run = exported(&place).await;
        let report = take_back(&place, run);
        assert_eq!(report.count("queued"), 2);
        place.export().await.unwrap();
        assert_eq!(accounts(&place), before, "{target:?}");
        place.good_cycle().await;
        assert_eq!(accounts(&place), before, "{target:?}");
        // Their file changes: that is another question, and it is asked.
        rename(&place, PEOPLE..PEOPLE + 1, "Really");
        place.good_cycle().await;
        assert_eq!(accounts(&place), before, "{target:?}");
        let hold = holds(&place).remove(0);
        assert!(hold.again.is_some() && hold.waiting == 1, "{hold:?}");
        decide(&place, hold.id, true, vec![]).unwrap();
        place.good_cycle().await;
        assert_eq!(accounts(&place).len(), PEOPLE + 1);
    }
}

#[tokio::test]
async fn the_disabled_are_enabled_and_the_deleted_come_back() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let before = accounts(&place);
        assert!(place.hr.set(name("person"), &id(4), name("active"), Some(false.into())));
        let run = exported(&place).await;
        let off = accounts(&place);
        assert_eq!(off[&id(4)].single(name("state")), Some(&Value::text("off")));
        take_back(&place, run);
        assert_eq!(place.queue()[0].operation, Operation::Enable);
        place.export().await.unwrap();
        place.good_cycle().await;
        assert_eq!(accounts(&place), before, "{target:?}");

        // A week later the next step is due: another change, which is undone in its turn.
        place.pass_seconds(7 * 24 * 3_600);
        let run = exported(&place).await;
        assert_eq!(accounts(&place).len(), PEOPLE - 1);
        let plan = plan_undo(&place.mesh, &UndoScope::Run(run)).unwrap();
        assert_eq!(plan.entries[0].operation, Operation::Create);
        take_back(&place, run);
        place.export().await.unwrap();
        assert_eq!(accounts(&place), before, "{target:?}");
        place.good_cycle().await;
        assert_eq!(accounts(&place), before, "{target:?}: it is not deleted again");
    }
}

#[tokio::test]
async fn an_undo_can_be_undone() {
    let place = settled(Target::Flat, PEOPLE).await;
    rename(&place, 0..3, "Right");
    let run = exported(&place).await;
    let right = accounts(&place);
    take_back(&place, run);
    let back = place.export().await.unwrap().run;
    assert_ne!(accounts(&place), right);
    take_back(&place, back);
    place.export().await.unwrap();
    assert_eq!(accounts(&place), right);
    place.good_cycle().await;
    assert_eq!((accounts(&place), place.queue().len()), (right, 0));
}

#[tokio::test]
async fn what_changed_again_since_stays() {
    let place = settled(Target::Flat, PEOPLE).await;
    rename(&place, 0..3, "Wrong");
    let run = exported(&place).await;
    rename(&place, 1..2, "Corrected");
    exported(&place).await;
    let plan = plan_undo(&place.mesh, &UndoScope::Run(run)).unwrap();
    assert_eq!((plan.entries.len(), plan.stays.len()), (2, 1));
    assert_eq!(
        (plan.stays[0].attribute, plan.stays[0].why),
        (Some(name("sn")), "it was changed again since")
    );
    take_back(&place, run);
    place.export().await.unwrap();
    let now = accounts(&place);
    assert_eq!(now[&id(1)].single(name("sn")), Some(&Value::text("Corrected 1")));
    assert_eq!(now[&id(0)].single(name("sn")), Some(&Value::text("Surname 0")));
}

#[tokio::test]
async fn an_undo_passes_the_guard() {
    let place = settled(Target::Flat, 40).await;
    place.hire(40..60);
    let run = exported(&place).await;
    take_back(&place, run);
    let report = place.export().await.unwrap();
    assert_eq!((report.state, report.count("held"), accounts(&place).len()), (RunState::Held, 20, 60));
    let cause =
        identitymesh_store::Cause { run: RunId(0), actor: "ada".to_owned(), at: place.mesh.clock.now() };
    let (subjects, reason) = (Vec::new(), "they were a test".to_owned());
    let holds = place.mesh.store.read().unwrap().hold_list(&Default::default(), None, 9).unwrap();
    let open = holds.iter().find(|hold| hold.waiting > 0).unwrap().id;
    let decision = identitymesh_store::HoldDecision { cause, hold: open, approve: true, subjects, reason };
    place.mesh.store.decide(decision).wait().unwrap();
    place.export().await.unwrap();
    assert_eq!(accounts(&place).len(), 40);
}

#[tokio::test]
async fn only_the_plan_that_was_seen_is_carried_out() {
    let place = settled(Target::Flat, PEOPLE).await;
    rename(&place, 0..3, "Wrong");
    let run = exported(&place).await;
    let scope = UndoScope::Run(run);
    let seen = plan_undo(&place.mesh, &scope).unwrap().content_hash();
    rename(&place, 0..1, "Corrected");
    exported(&place).await;
    let error = undo(&place.mesh, &scope, Some(seen), "x").unwrap_err();
    assert!(matches!(error, RunError::Undo { .. }), "{error}");
    assert_eq!(place.queue(), []);
    let seen = plan_undo(&place.mesh, &scope).unwrap().content_hash();
    assert_eq!(undo(&place.mesh, &scope, Some(seen), "x").unwrap().count("queued"), 2);
    let rows = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
    let asked: Vec<_> = rows.iter().filter(|row| row.kind == ChangeKind::Undo).collect();
    assert!(asked.len() == 2 && asked[0].before.contains("run"), "{asked:?}");
}

#[tokio::test]
async fn an_object_goes_back_to_a_time_and_a_sync_by_what_followed_from_it() {
    let place = settled(Target::Flat, PEOPLE).await;
    let before = accounts(&place);
    let then = place.mesh.clock.now();
    for word in ["One", "Two"] {
        place.pass_seconds(60);
        rename(&place, 5..6, word);
        exported(&place).await;
    }
    let mesh = place.people().into_iter().find(|row| row.anchor == id(5)).unwrap().id;
    let scope = UndoScope::Object { mesh, to: then };
    assert_eq!(plan_undo(&place.mesh, &scope).unwrap().entries.len(), 1);
    undo(&place.mesh, &scope, None, "x").unwrap();
    place.export().await.unwrap();
    assert_eq!(accounts(&place), before);

    rename(&place, 6..8, "Three");
    exported(&place).await;
    let runs = place.mesh.store.read().unwrap().run_list(None, 50).unwrap();
    let sync =
        runs.iter().find(|run| run.step == "sync" && run.counters.get("mesh_updated") == Some(&2)).unwrap();
    take_back(&place, sync.id);
    place.export().await.unwrap();
    assert_eq!(accounts(&place), before);
    let import = runs.iter().find(|run| run.step == "full-import").unwrap();
    let error = undo(&place.mesh, &UndoScope::Run(import.id), None, "x").unwrap_err();
    assert!(error.to_string().contains("writes to no target"), "{error}");
    assert!(undo(&place.mesh, &UndoScope::Run(RunId(9_999)), None, "x").is_err());
}

#[tokio::test]
async fn single_changes_are_undone_by_their_rows() {
    let place = settled(Target::Flat, PEOPLE).await;
    let before = accounts(&place);
    rename(&place, 0..2, "Wrong");
    let run = exported(&place).await;
    let rows = place.mesh.store.read().unwrap().run_changes(run, 0, 10).unwrap();
    undo(&place.mesh, &UndoScope::Changes(vec![rows[0].seq]), None, "x").unwrap();
    place.export().await.unwrap();
    let now = accounts(&place);
    assert_eq!((now[&id(0)] == before[&id(0)], now[&id(1)] == before[&id(1)]), (true, false));
    assert!(
        undo(&place.mesh, &UndoScope::Changes(vec![1]), None, "x").is_err(),
        "a mesh change is no export"
    );
    assert!(place.mesh.store.read().unwrap().hold(HoldId(1)).unwrap().is_some());
}
