//! A source whose rows may go without harm to the person, and whose rows come back.

use identitymesh_model::rules::SourceLeave;
use identitymesh_model::{MeshId, Value};
use identitymesh_runner::{Agreement, CycleReport, Moment, apply_configuration, link_again};
use identitymesh_store::SpaceFilter;

use crate::place::{Place, Target, id, name, person};

const DAY_SECONDS: i64 = 86_400;
const GRACE_DAYS: i64 = 5;
const GONE: usize = 1;

/// Twelve people with accounts; losing the row in HR means nothing for the person, who is found again for five days.
async fn settled() -> Place {
    let place = Place::new(Target::Flat, 12).await;
    let mut configuration = place.configuration();
    let hr = configuration.connectors.iter_mut().find(|known| known.connector.name == name("hr")).unwrap();
    hr.leave[0].mesh_object = SourceLeave::Nothing;
    hr.leave[0].grace = format!("{GRACE_DAYS}d").parse().unwrap();
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
    place.good_cycle().await;
    place
}

fn state(place: &Place) -> Option<Value> {
    let account = place.accounts.object(name("account"), &id(GONE)).unwrap();
    account.single(name("state")).cloned()
}

fn anchored(place: &Place) -> Vec<MeshId> {
    place.people().into_iter().filter(|row| row.anchor == id(GONE)).map(|row| row.id).collect()
}

/// The row goes, and is back after so many seconds.
async fn away_for(place: &Place, seconds: i64) -> CycleReport {
    assert!(place.hr.remove(name("person"), &id(GONE)));
    place.good_cycle().await;
    assert_eq!((place.held(GONE, "sn"), state(place)), (None, Some("off".into())));
    place.pass_seconds(seconds);
    place.hr.put(name("person"), &id(GONE), person(GONE));
    place.good_cycle().await
}

fn codes(place: &Place, report: &CycleReport) -> Vec<String> {
    let findings = report.runs.iter().flat_map(|run| place.findings(run));
    findings.map(|row| row.finding.code.as_str().to_owned()).collect()
}

#[tokio::test]
async fn within_the_grace_of_nothing_the_row_is_the_same_persons() {
    let place = settled().await;
    let before = anchored(&place);
    let report = away_for(&place, GRACE_DAYS * DAY_SECONDS - 1).await;
    assert_eq!(codes(&place, &report), Vec::<String>::new());
    assert_eq!((anchored(&place), before.len()), (before, 1));
    assert_eq!((place.held(GONE, "sn"), state(&place)), (Some("Surname 1".into()), Some("on".into())));

    // Whoever asks why is told, and what the past says leads to the same answer again.
    let mut reader = place.mesh.store.read().unwrap();
    let connector = Some(place.mesh.in_force().unwrap().id(name("hr")).unwrap());
    let hr = SpaceFilter { connector, ..SpaceFilter::default() };
    let spaces = reader.space_list(&hr, None, 100).unwrap().items;
    let space = spaces.iter().find(|space| space.external_id == id(GONE)).unwrap().id;
    drop(reader);
    let made = link_again(&place.mesh, space, Moment::At(place.mesh.clock.now())).unwrap().unwrap();
    assert_eq!(made.link.matched, "joined again within its grace");
    assert_eq!(made.agreement, Some(Agreement::Same), "{:?}", made.decision);

    // It can go and come back once more.
    away_for(&place, DAY_SECONDS).await;
    assert_eq!(state(&place), Some("on".into()));
}

#[tokio::test]
async fn after_the_grace_of_nothing_somebody_decides() {
    let place = settled().await;
    let report = away_for(&place, GRACE_DAYS * DAY_SECONDS).await;
    assert_eq!(codes(&place, &report), ["JOI-004"]);
    assert_eq!((anchored(&place).len(), place.held(GONE, "sn")), (1, None));
    assert_eq!(state(&place), Some("off".into()));
}
