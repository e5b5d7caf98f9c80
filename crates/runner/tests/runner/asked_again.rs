//! What a person did not let go does not slip out with something else, or as another step.

use std::ops::Range;

use identitymesh_model::HoldId;
use identitymesh_model::rules::{Limit, Limits};
use identitymesh_runner::RunReport;
use identitymesh_store::{HoldState, RunState};

use crate::guard::{decide, disabled, exported, holds, leave, limited, rename, renamed};
use crate::place::{Place, Target, id, name};

const PEOPLE: usize = 40;

/// Twenty people got another name by mistake, and somebody said so.
async fn rejected() -> Place {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    let update = Some(Limit { percent: None, count: Some(10) });
    limited(&place, Limits { update, ..Limits::default() }).await;
    rename(&place, 0..20, "Wrong");
    assert_eq!(exported(&place).await.count("held"), 20);
    decide(&place, HoldId(1), false, vec![]).unwrap();
    place
}

fn write(place: &Place, numbers: Range<usize>, mail: &str) {
    for number in numbers {
        let new = format!("{mail}{number}@corp.example");
        assert!(place.hr.set(name("person"), &id(number), name("mail"), Some(new.as_str().into())));
    }
}

fn is_held(run: &RunReport) -> bool {
    run.state == RunState::Held
}

#[tokio::test]
async fn a_rejected_value_does_not_go_out_with_another_attribute() {
    let place = rejected().await;
    write(&place, 0..3, "new");
    // Somebody whose name nobody touched.
    write(&place, 30..31, "new");
    let run = exported(&place).await;
    assert_eq!((is_held(&run), run.count("held"), run.count("update")), (true, 3, 1));
    assert_eq!(renamed(&place, "Wrong"), 0);
    let message = run.message.unwrap();
    for wanted in ["hold 2: 3 of 40 account", "repeats what was not let go in hold 1", "holds approve 2"] {
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    assert!(!message.contains("limit"), "{message}");
    let hold = holds(&place).remove(0);
    assert_eq!((hold.again, hold.count, hold.state), (Some(HoldId(1)), 3, HoldState::Open));

    // It waits for as long as nobody says anything, also in another form.
    write(&place, 0..1, "newer");
    for held in [1, 0] {
        let run = exported(&place).await;
        assert_eq!((is_held(&run), run.count("held"), renamed(&place, "Wrong")), (true, held, 0));
    }
    assert_eq!(holds(&place)[0].again, Some(HoldId(1)));

    // Once the name is right again, nothing is left to ask.
    rename(&place, 0..1, "Surname");
    let run = exported(&place).await;
    assert_eq!((run.count("update"), renamed(&place, "Wrong")), (1, 0));
    assert_eq!(holds(&place)[0].state, HoldState::Withdrawn);
}

#[tokio::test]
async fn who_approves_later_is_not_asked_a_third_time() {
    let place = rejected().await;
    write(&place, 0..3, "new");
    exported(&place).await;
    decide(&place, HoldId(2), true, vec![]).unwrap();
    exported(&place).await;
    assert_eq!(renamed(&place, "Wrong"), 3);
    // Another name, and that one again.
    rename(&place, 0..3, "Other");
    exported(&place).await;
    assert_eq!(renamed(&place, "Wrong"), 0);
    rename(&place, 0..3, "Wrong");
    let run = exported(&place).await;
    assert_eq!((is_held(&run), renamed(&place, "Wrong"), holds(&place).len()), (false, 3, 2));
}

#[tokio::test]
async fn whom_nobody_decided_about_is_not_deleted_later() {
    let place = Place::new(Target::Flat, 20).await;
    place.good_cycle().await;
    leave(&place, 0..11);
    assert_eq!(exported(&place).await.count("held"), 11);
    let items = place.mesh.store.read().unwrap().hold_items(HoldId(1), None, 100).unwrap();
    decide(&place, HoldId(1), true, items.iter().take(6).map(|item| item.subject).collect()).unwrap();
    exported(&place).await;
    assert_eq!(disabled(&place).len(), 6);
    // Those come back, so that few enough are left for the limit when the policy's next step is due.
    for number in 0..6 {
        assert!(place.hr.set(name("person"), &id(number), name("active"), Some(true.into())));
    }
    exported(&place).await;
    place.pass_seconds(8 * 24 * 3_600);
    for _ in 0..2 {
        exported(&place).await;
        assert_eq!((disabled(&place).len(), place.accounts.objects().len()), (0, 20));
    }
    let hold = holds(&place).remove(0);
    assert_eq!((hold.again, hold.waiting), (Some(HoldId(1)), 5));
    decide(&place, hold.id, true, vec![]).unwrap();
    exported(&place).await;
    assert_eq!(place.accounts.objects().len(), 15);
}

#[tokio::test]
async fn what_was_undone_is_not_done_again_with_another_attribute() {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    rename(&place, 0..3, "Wrong");
    let run = exported(&place).await;
    assert_eq!(renamed(&place, "Wrong"), 3);
    let scope = identitymesh_runner::UndoScope::Run(run.run);
    identitymesh_runner::undo(&place.mesh, &scope, None, "a mistake").unwrap();
    exported(&place).await;
    assert_eq!(renamed(&place, "Wrong"), 0);
    write(&place, 0..1, "new");
    let run = exported(&place).await;
    assert_eq!((is_held(&run), run.count("held"), renamed(&place, "Wrong")), (true, 1, 0));
}
