//! Targets that refuse, are busy, lose answers, or are changed by others.

use std::collections::BTreeMap;

use identitymesh_connector_fake::Fault;
use identitymesh_model::Value;
use identitymesh_model::plan::Operation;
use identitymesh_runner::{CycleReport, ImportKind, RunReport, SyncScope, sync};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{ItemRow, ItemState, RunState};

use crate::place::{Place, Target, id, name};

/// The first wait before an item is sent again, in seconds.
const RETRY_SECONDS: i64 = 30;

fn exported(report: &CycleReport) -> &RunReport {
    report.runs.iter().find(|run| run.step == "export" && !run.counters.is_empty()).unwrap()
}

fn accounts(place: &Place) -> usize {
    place.accounts.objects().len()
}

/// How often the audit says that each person's account was written.
fn writes(place: &Place) -> BTreeMap<String, usize> {
    let mut reader = place.mesh.store.read().unwrap();
    let changes = reader.changes(0, 50_000).unwrap();
    let mut counts = BTreeMap::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Export) {
        *counts.entry(change.uid.to_string()).or_insert(0) += 1;
    }
    counts
}

#[tokio::test]
async fn one_in_a_thousand_refused_is_put_aside_and_the_others_go_on() {
    let place = Place::new(Target::Flat, 2_500).await;
    place.accounts.inject(Fault::RefuseEvery(1_000));
    let report = place.good_cycle().await;
    let run = exported(&report);
    assert_eq!(run.state, RunState::SucceededWithFindings);
    assert_eq!((run.count("create"), run.count("refused"), run.count("findings")), (2_498, 2, 2));
    assert_eq!(accounts(&place), 2_498);
    let findings = place.findings(run);
    assert_eq!(findings[0].finding.code, "XPT-001");
    assert!(findings[0].finding.message.contains("this item was told to fail"), "{:?}", findings[0]);
    let dead = place.queue();
    assert!(dead.iter().all(|item| item.state == ItemState::Dead), "{dead:?}");
    let told =
        |item: &ItemRow| item.answer.as_deref().unwrap_or_default().contains("this item was told to fail");
    assert!(dead.iter().all(told), "{dead:?}");

    // What was refused for good is not sent again by itself, only when somebody says so.
    place.accounts.clear_faults();
    place.pass_seconds(24 * 3_600);
    place.good_cycle().await;
    assert_eq!((accounts(&place), place.queue().len()), (2_498, 2));
    let cause = identitymesh_store::Cause {
        run: place.newest_run().id,
        actor: "test".to_owned(),
        at: place.mesh.clock.now(),
    };
    assert_eq!(place.mesh.store.retry_items(cause, None, Vec::new()).wait().unwrap(), 2);
    place.good_cycle().await;
    assert_eq!((accounts(&place), place.queue().len()), (2_500, 0));
    assert!(writes(&place).values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_busy_target_is_asked_again_later_and_later() {
    let place = Place::new(Target::Flat, 1).await;
    place.accounts.inject(Fault::TransientEvery(1));
    let report = place.good_cycle().await;
    assert_eq!((exported(&report).count("retry"), accounts(&place)), (1, 0));
    for (wait, attempts) in [(RETRY_SECONDS, 1), (2 * RETRY_SECONDS, 2)] {
        let item = &place.queue()[0];
        assert_eq!((item.state, item.attempts), (ItemState::RetryWait, attempts));
        assert_eq!(item.not_before, Some(place.mesh.clock.now().saturating_add_seconds(wait)));
        assert_eq!(item.answer.as_deref(), Some("this item was told to fail"));
        place.pass_seconds(wait - 1);
        assert!(place.export().await.unwrap().counters.is_empty(), "not before its time");
        place.pass_seconds(1);
        if attempts == 2 {
            place.accounts.clear_faults();
        }
        place.export().await.unwrap();
    }
    assert_eq!((accounts(&place), place.queue().len()), (1, 0));
    assert_eq!(writes(&place).into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_target_that_stays_busy_is_left_alone_after_three_attempts() {
    let place = Place::new(Target::Flat, 1).await;
    place.accounts.inject(Fault::TransientEvery(1));
    place.good_cycle().await;
    for wait in [RETRY_SECONDS, 2 * RETRY_SECONDS] {
        place.pass_seconds(wait);
        place.export().await.unwrap();
    }
    let item = &place.queue()[0];
    assert_eq!((item.state, item.attempts), (ItemState::Dead, 3));
    assert_eq!(item.answer.as_deref(), Some("XPT-002: this item was told to fail"));
    assert_eq!(place.known_people(), 1);
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_found_out_by_reading_back() {
    let place = Place::new(Target::Tree, 10).await;
    place.accounts.inject(Fault::LoseAnswerOf(3));
    let report = place.good_cycle().await;
    let run = exported(&report);
    // The third was applied and its answer lost; those behind it in the batch were never sent, and are by the next export.
    assert_eq!((run.count("create"), run.count("already_so"), run.count("not_sent")), (2, 1, 7), "{run:?}");
    assert_eq!((accounts(&place), place.queue().len()), (10, 0));
    assert!(writes(&place).values().all(|count| *count == 1), "{:?}", writes(&place));
}

/// A flat target cannot be asked for an object that has no id yet. It is told to make the object once more, and says
/// that it is there: clause 31 of the connector contract.
#[tokio::test]
async fn a_lost_answer_to_a_create_without_an_address_makes_no_second_object() {
    let place = Place::new(Target::Flat, 10).await;
    place.accounts.inject(Fault::LoseAnswerOf(3));
    place.good_cycle().await;
    assert_eq!((accounts(&place), place.queue().len()), (10, 1));
    place.pass_seconds(RETRY_SECONDS);
    let report = place.good_cycle().await;
    assert_eq!(exported(&report).count("already_so"), 1);
    assert_eq!((accounts(&place), place.queue().len()), (10, 0));
    assert!(writes(&place).values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_lost_answer_to_an_update_is_found_out_by_reading_back() {
    for target in [Target::Flat, Target::Tree] {
        let place = Place::new(target, 5).await;
        place.good_cycle().await;
        place.hr.set(name("person"), &id(2), name("mail"), None);
        place.accounts.clear_faults();
        place.accounts.inject(Fault::LoseAnswerOf(1));
        let report = place.good_cycle().await;
        assert_eq!(exported(&report).count("already_so"), 1, "{target:?}");
        assert_eq!(place.queue(), []);
        let without_mail =
            |object: &identitymesh_connector::ImportedObject| object.attributes.get(name("mail")).is_none();
        assert_eq!(place.accounts.objects().iter().filter(|object| without_mail(object)).count(), 1);
    }
}

#[tokio::test]
async fn a_target_that_goes_away_in_the_middle_loses_and_doubles_nothing() {
    // Calls of a cycle at the target: connect, export, then read backs; each of the first four fails once.
    for nth in 1..=4 {
        let place = Place::new(Target::Tree, 5).await;
        place.accounts.clear_faults();
        let class = identitymesh_connector::Class::Transient;
        place.accounts.inject(Fault::FailCall { nth, class });
        let report = place.cycle().await.unwrap();
        if let Some((target, why)) = report.failed.first() {
            assert_eq!(*target, name("accounts"));
            assert!(why.contains("FAK-001"), "{why}");
        }
        place.accounts.clear_faults();
        place.pass_seconds(3_600);
        place.good_cycle().await;
        assert_eq!((accounts(&place), place.queue().len()), (5, 0), "call {nth}");
        assert!(writes(&place).values().all(|count| *count == 1), "call {nth}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_in_between_is_not_overwritten_unseen() {
    let place = Place::new(Target::Flat, 3).await;
    place.good_cycle().await;
    place.hr.set(name("person"), &id(1), name("mail"), Some("new@corp.example".into()));
    place.import(identitymesh_runner::ImportKind::Full).await.unwrap();
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    assert_eq!(place.queue()[0].operation, Operation::Update);
    let foreign = Value::text("somebody@else.example");
    place.accounts.set(name("account"), &id(1), name("mail"), Some(foreign.clone().into()));
    let run = place.export().await.unwrap();
    assert_eq!((run.state, run.count("conflict")), (RunState::SucceededWithFindings, 1));
    let account = place.accounts.object(name("account"), &id(1)).unwrap();
    assert_eq!(account.single(name("mail")), Some(&foreign), "nothing was written over it");
    // The rule says `reassert`: with the foreign value known, the next cycle writes ours.
    place.good_cycle().await;
    let account = place.accounts.object(name("account"), &id(1)).unwrap();
    assert_eq!(account.single(name("mail")), Some(&Value::text("new@corp.example")));
}

#[tokio::test]
async fn a_leaver_is_disabled_before_newcomers_who_were_queued_earlier() {
    let place = Place::new(Target::Flat, 20).await;
    place.good_cycle().await;
    place.hire(20..40);
    place.import(ImportKind::Full).await.unwrap();
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    assert!(place.hr.set(name("person"), &id(7), name("active"), Some(false.into())));
    place.import(ImportKind::Full).await.unwrap();
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    // The connection is lost behind the second change.
    place.accounts.inject(Fault::LoseAnswerOf(place.accounts.items() + 2));
    drop(place.export().await);
    let state = place
        .accounts
        .objects()
        .into_iter()
        .filter(|account| account.attributes.single(name("state")) == Some(&Value::text("off")));
    assert_eq!((state.count(), accounts(&place)), (1, 21));
    place.accounts.clear_faults();
    place.pass_seconds(RETRY_SECONDS);
    place.good_cycle().await;
    assert_eq!((accounts(&place), place.queue().len()), (40, 0));
}
