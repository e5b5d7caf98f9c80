//! The mass-change guard over real runs: what is over its limit waits, everything else flows, and what a person
//! decided is what happens.

use std::collections::BTreeSet;

use identitymesh_model::rules::{Limit, Limits};
use identitymesh_model::{HoldId, RunId, Value};
use identitymesh_runner::{RunReport, apply_configuration};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{
    Cause, Decided, HoldDecision, HoldFilter, HoldRow, HoldState, ItemState, RunState, StoreError,
};

use crate::place::{Place, Target, id, name};

const PEOPLE: usize = 200;

/// Two hundred people with their accounts, exported and confirmed.
async fn settled() -> Place {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    assert_eq!((place.accounts.objects().len(), place.queue().len()), (PEOPLE, 0));
    place
}

pub(crate) async fn limited(place: &Place, limits: Limits) {
    let mut configuration = place.configuration();
    let target = configuration.connectors.iter_mut().find(|known| known.connector.name == name("accounts"));
    target.unwrap().connector.limits = limits;
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
}

fn five_percent() -> Option<Limit> {
    Some(Limit { percent: Some(5), count: None })
}

pub(crate) fn leave(place: &Place, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| {
        assert!(place.hr.set(name("person"), &id(number), name("active"), Some(false.into())))
    });
}

pub(crate) fn rename(place: &Place, numbers: std::ops::Range<usize>, word: &str) {
    for number in numbers {
        let new = format!("{word} {number}");
        assert!(place.hr.set(name("person"), &id(number), name("sn"), Some(new.as_str().into())));
    }
}

pub(crate) fn renamed(place: &Place, word: &str) -> usize {
    let is_it =
        |value: Option<&Value>| value.and_then(Value::as_text).is_some_and(|text| text.starts_with(word));
    place.accounts.objects().iter().filter(|object| is_it(object.attributes.single(name("sn")))).count()
}

pub(crate) fn disabled(place: &Place) -> BTreeSet<String> {
    let objects = place.accounts.objects().into_iter();
    let off = objects.filter(|object| object.attributes.single(name("state")) == Some(&Value::text("off")));
    off.map(|object| object.external_id.to_string()).collect()
}

pub(crate) fn holds(place: &Place) -> Vec<HoldRow> {
    place.mesh.store.read().unwrap().hold_list(&HoldFilter::default(), None, 100).unwrap()
}

pub(crate) fn decide(
    place: &Place,
    hold: HoldId,
    approve: bool,
    subjects: Vec<i64>,
) -> Result<Decided, StoreError> {
    let cause = Cause { run: RunId(0), actor: "ada".to_owned(), at: place.mesh.clock.now() };
    let reason = "the reorganisation of March".to_owned();
    place.mesh.store.decide(HoldDecision { cause, hold, approve, subjects, reason }).wait()
}

pub(crate) async fn exported(place: &Place) -> RunReport {
    let report = place.good_cycle().await;
    report.runs.into_iter().find(|run| run.step == "export").unwrap()
}

#[tokio::test]
async fn the_class_over_its_limit_is_held_and_the_others_flow() {
    let place = settled().await;
    leave(&place, 0..100);
    rename(&place, 150..160, "Renamed");
    place.hire(PEOPLE..PEOPLE + 5);
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("held")), (RunState::Held, 100));
    assert_eq!((run.count("create"), run.count("update"), run.count("disable")), (5, 10, 0));
    assert_eq!((renamed(&place, "Renamed"), disabled(&place).len()), (10, 0));
    let message = run.message.unwrap();
    for wanted in
        ["hold 1", "100 of 200 account", "disable", "limit of 20", "holds show 1", "holds approve 1", "run "]
    {
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    let held = place.queue();
    assert!(held.len() == 100 && held.iter().all(|item| item.state == ItemState::Held), "{held:?}");
    let hold = &holds(&place)[0];
    assert_eq!(
        (hold.state, hold.count, hold.waiting, hold.allowed, hold.population),
        (HoldState::Open, 100, 100, 20, 200)
    );

    // The same queue again: the run says so again, and nothing new is held or sent.
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("held"), holds(&place).len()), (RunState::Held, 0, 1));
    assert_eq!(disabled(&place).len(), 0);
}

#[tokio::test]
async fn what_is_approved_is_what_happens() {
    let place = settled().await;
    leave(&place, 0..60);
    exported(&place).await;
    let hold = holds(&place).remove(0);
    assert!(decide(&place, HoldId(7), true, vec![]).is_err_and(|error| error.code == "STO-018"));

    // First a part of them.
    let items = place.mesh.store.read().unwrap().hold_items(hold.id, None, 100).unwrap();
    let some: Vec<i64> = items.iter().take(25).map(|item| item.subject).collect();
    let done = decide(&place, hold.id, true, some.clone()).unwrap();
    assert_eq!(done, Decided { decided: 25, changed: 0, left: 35 });
    assert!(decide(&place, hold.id, true, some).is_err(), "that was decided");
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("disable"), disabled(&place).len()), (RunState::Held, 25, 25));

    // What is left stays held, although few enough are left by now for the limit.
    decide(&place, hold.id, true, items.iter().skip(25).take(20).map(|item| item.subject).collect()).unwrap();
    exported(&place).await;
    exported(&place).await;
    assert_eq!(disabled(&place).len(), 45);
    decide(&place, hold.id, false, vec![]).unwrap();
    let run = exported(&place).await;
    assert_eq!((run.state, disabled(&place).len()), (RunState::Succeeded, 45));

    let hold = holds(&place).remove(0);
    assert_eq!((hold.state, hold.approved, hold.rejected, hold.waiting), (HoldState::Rejected, 45, 15, 0));
    assert_eq!(hold.decisions.iter().map(|known| known.count).collect::<Vec<_>>(), [25, 20, 15]);
    let changes = place.mesh.store.read().unwrap().changes(0, 50_000).unwrap();
    let approvals: Vec<_> = changes.iter().filter(|change| change.kind == ChangeKind::Approve).collect();
    assert!(
        approvals.len() == 45
            && approvals.iter().all(|row| row.actor == "ada" && row.before.contains("March"))
    );
}

#[tokio::test]
async fn a_change_that_became_another_is_left_out_and_held_anew() {
    let place = settled().await;
    limited(&place, Limits { update: five_percent(), ..Limits::default() }).await;
    rename(&place, 0..50, "First");
    assert_eq!(exported(&place).await.count("held"), 50);
    rename(&place, 0..20, "Second");
    let run = exported(&place).await;
    assert_eq!((run.count("held"), holds(&place).len()), (20, 2), "what changed is a question of its own");
    let done = decide(&place, HoldId(1), true, vec![]).unwrap();
    assert_eq!(done, Decided { decided: 30, changed: 20, left: 0 });
    exported(&place).await;
    assert_eq!((renamed(&place, "First"), renamed(&place, "Second")), (30, 0));
    decide(&place, HoldId(2), true, vec![]).unwrap();
    exported(&place).await;
    assert_eq!((renamed(&place, "First"), renamed(&place, "Second"), place.queue().len()), (30, 20, 0));
}

#[tokio::test]
async fn what_is_rejected_stays_rejected_until_it_is_another_change() {
    let place = settled().await;
    limited(&place, Limits { update: five_percent(), ..Limits::default() }).await;
    rename(&place, 0..50, "Wrong");
    exported(&place).await;
    decide(&place, HoldId(1), false, vec![]).unwrap();
    for _ in 0..2 {
        let run = exported(&place).await;
        assert_eq!((run.state, run.count("held"), renamed(&place, "Wrong")), (RunState::Succeeded, 0, 0));
    }
    let rows = place.queue();
    assert!(rows.len() == 50 && rows.iter().all(|item| item.rejected && item.state == ItemState::Held));

    // Taken back and planned again word for word: the answer is still no.
    rename(&place, 0..50, "Surname");
    exported(&place).await;
    assert_eq!(place.queue().len(), 0);
    rename(&place, 0..50, "Wrong");
    let run = exported(&place).await;
    assert_eq!((run.count("rejected"), run.count("held"), holds(&place).len()), (50, 0, 1));
    assert_eq!(renamed(&place, "Wrong"), 0);

    // Five of another content are no mass change.
    rename(&place, 0..5, "Right");
    exported(&place).await;
    assert_eq!((renamed(&place, "Right"), renamed(&place, "Wrong")), (5, 0));
}

#[tokio::test]
async fn whoever_is_not_to_leave_is_not_deleted_later_either() {
    let place = Place::new(Target::Flat, 20).await;
    place.good_cycle().await;
    leave(&place, 0..11);
    assert_eq!(exported(&place).await.count("held"), 11);
    decide(&place, HoldId(1), false, vec![]).unwrap();
    // Some come back, and for the others it is time for the policy's next step: few enough for the limit.
    let is_active = |numbers: std::ops::Range<usize>, active: bool| {
        for number in numbers {
            assert!(place.hr.set(name("person"), &id(number), name("active"), Some(active.into())));
        }
    };
    is_active(5..11, true);
    exported(&place).await;
    place.pass_seconds(8 * 24 * 3_600);
    for _ in 0..2 {
        exported(&place).await;
        assert_eq!((disabled(&place).len(), place.accounts.objects().len()), (0, 20));
    }
    let rows = place.queue();
    assert!(rows.len() == 5 && rows.iter().all(|item| item.rejected), "{rows:?}");

    // Who comes back and leaves again is asked about anew, and few flow.
    is_active(0..5, true);
    exported(&place).await;
    place.pass_seconds(60);
    is_active(0..3, false);
    exported(&place).await;
    assert_eq!((disabled(&place).len(), place.queue().len()), (3, 0));
}

#[tokio::test]
async fn ten_of_a_dozen_flow_and_eleven_are_held() {
    for (leavers, flow) in [(10, true), (11, false)] {
        let place = Place::new(Target::Flat, 12).await;
        place.good_cycle().await;
        leave(&place, 0..leavers);
        exported(&place).await;
        assert_eq!(disabled(&place).len(), if flow { leavers } else { 0 });
    }
}

#[tokio::test]
async fn the_first_load_is_exempt_and_the_second_is_not() {
    let place = Place::new(Target::Flat, PEOPLE).await;
    limited(&place, Limits { create: five_percent(), ..Limits::default() }).await;
    place.good_cycle().await;
    assert_eq!(place.accounts.objects().len(), PEOPLE);
    place.hire(PEOPLE..PEOPLE + 50);
    let run = exported(&place).await;
    assert_eq!((run.count("held"), place.accounts.objects().len()), (50, PEOPLE));
    decide(&place, HoldId(1), true, vec![]).unwrap();
    exported(&place).await;
    assert_eq!(place.accounts.objects().len(), PEOPLE + 50);
}

#[tokio::test]
async fn a_class_within_its_limit_again_is_let_go() {
    let place = settled().await;
    leave(&place, 0..60);
    exported(&place).await;
    // Fifty of them come back before anybody decides.
    for number in 0..50 {
        assert!(place.hr.set(name("person"), &id(number), name("active"), Some(true.into())));
    }
    let run = exported(&place).await;
    assert_eq!((run.state, disabled(&place).len()), (RunState::Succeeded, 10));
    assert_eq!(holds(&place)[0].state, HoldState::Withdrawn);
}

#[tokio::test]
async fn nothing_that_was_held_is_lost_or_sent_when_the_process_ends() {
    let place = settled().await;
    leave(&place, 0..60);
    exported(&place).await;
    let place = place.reopen();
    assert_eq!(holds(&place)[0].waiting, 60);
    exported(&place).await;
    assert_eq!((holds(&place).len(), disabled(&place).len()), (1, 0));
    decide(&place, HoldId(1), true, vec![]).unwrap();
    let place = place.reopen();
    exported(&place).await;
    assert_eq!(disabled(&place).len(), 60);
}
