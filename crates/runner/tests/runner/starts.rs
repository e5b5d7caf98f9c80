//! Two starts at once: the second is refused by name and does nothing.

use identitymesh_connector_fake::Fault;
use identitymesh_runner::{ImportKind, SyncScope, export, import, sync};
use identitymesh_store::RunState;

use crate::place::{Place, Target, name};

#[tokio::test]
async fn a_connector_that_is_at_work_is_not_started_again() {
    let mut place = Place::new(Target::Flat, 10).await;
    place.good_cycle().await;
    place.hr.inject(Fault::HangPage(1));
    let mesh = place.mesh.clone();
    let first = tokio::spawn(async move { import(&mesh, name("hr"), ImportKind::Full).await });
    while place.newest_run().state != RunState::Running {
        tokio::task::yield_now().await;
    }
    let running = place.newest_run().id;

    let said = place.import(ImportKind::Delta).await.unwrap_err().to_string();
    assert!(said.contains("RUN-011") && said.contains("hr") && said.contains(&running.to_string()), "{said}");
    assert_eq!(place.newest_run().id, running, "the second start left no run behind");

    // Others are not kept waiting.
    import(&place.mesh, name("accounts"), ImportKind::Full).await.unwrap();
    export(&place.mesh, name("accounts")).await.unwrap();
    sync(&place.mesh, SyncScope::Pending(name("accounts"))).await.unwrap();

    place.mesh.cancel.cancel();
    assert!(first.await.unwrap().unwrap_err().is_cancelled());
    place.go_on();
    place.hr.clear_faults();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("unchanged")), (RunState::Succeeded, 10));
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_its_place() {
    let place = Place::new(Target::Flat, 10).await;
    place.hr.inject(Fault::HangPage(1));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), place.import(ImportKind::Full));
    assert!(waited.await.is_err(), "the read hangs");
    place.hr.clear_faults();
    // What the dropped run had started ends by itself, and then the place is free.
    loop {
        match place.import(ImportKind::Full).await {
            Ok(run) => break assert_eq!(run.count("added"), 10),
            Err(error) => assert!(error.to_string().contains("RUN-011"), "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
