//! Objects that a create finds in the target as wanted: whose they are, and who may delete them.

use std::collections::BTreeMap;

use identitymesh_model::LinkMode;
use identitymesh_model::rules::LeaveStep;
use identitymesh_runner::{
    JoinAsk, RunReport, UndoScope, apply_configuration, decide_join, plan_undo, why_link,
};

use crate::decisions::{A_WEEK_AND_A_DAY, mesh_of, object_of};
use crate::place::{Place, Target, id, name};
use crate::undo::{accounts, settled};

const PEOPLE: usize = 3;

/// Whoever leaves loses the account at once.
async fn deleting() -> Place {
    #[derive(serde::Deserialize)]
    struct Rules {
        leave: Vec<LeaveStep>,
    }
    let place = Place::new(Target::Flat, PEOPLE).await;
    let rules: Rules = toml::from_str("leave = [{ do = 'delete' }]").unwrap();
    let mut configuration = place.configuration();
    configuration.connectors[0].projection[0].leave = rules.leave;
    apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
    place.good_cycle().await;
    place
}

/// A person gives the first account to a mesh object of which no source knows, so that it is to be deleted.
async fn part(place: &Place) {
    let ask = JoinAsk::Split(mesh_of(place, 0), vec![object_of(place, "accounts", 0)], Some("X-0".into()));
    decide_join(&place.mesh, ask, "it is somebody else's".to_owned()).await.unwrap();
}

fn mode(place: &Place, number: usize) -> Option<(LinkMode, bool)> {
    let reason = why_link(&place.mesh, object_of(place, "accounts", number)).unwrap().unwrap();
    let link = reason.space.link?;
    Some((link.mode, link.mesh == mesh_of(place, number)))
}

fn counts<const N: usize>(run: &RunReport, words: [&str; N]) -> [u64; N] {
    words.map(|word| run.count(word))
}

#[tokio::test]
async fn what_somebody_else_made_is_linked_and_stays_when_its_person_goes() {
    let ours = settled(Target::Flat, 1).await;
    let theirs = ours.accounts.objects().remove(0).attributes;
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.accounts.put(name("account"), &id(0), theirs);
    let report = place.good_cycle().await;
    let run = report.runs.iter().find(|run| run.step == "export").unwrap();
    assert_eq!(counts(run, ["create", "already_so"]), [2, 1]);
    assert_eq!(
        [0, 1].map(|number| mode(&place, number)),
        [Some((LinkMode::Adopted, true)), Some((LinkMode::Projected, true))]
    );

    let undo = plan_undo(&place.mesh, &UndoScope::Run(run.run)).unwrap();
    let undone: Vec<_> = undo.entries.iter().map(|entry| entry.anchor.as_str()).collect();
    assert_eq!((undone, undo.stays.len()), (vec!["p00001", "p00002"], 1));

    for number in [0, 1] {
        place.hr.remove(name("person"), &id(number));
    }
    // The grace period, then the time until a deletion.
    for _ in 0..4 {
        place.good_cycle().await;
        place.pass_seconds(A_WEEK_AND_A_DAY);
    }
    assert_eq!(accounts(&place).keys().collect::<Vec<_>>(), ["p00000", "p00002"], "what we made alone goes");
    assert_eq!(accounts(&place)["p00000"].single(name("state")), Some(&"off".into()));
}

#[tokio::test]
async fn an_object_that_belongs_to_somebody_else_is_not_taken_over() {
    let place = deleting().await;
    part(&place).await;
    let run = place.export().await.unwrap();
    assert_eq!(counts(&run, ["taken", "already_so", "delete"]), [1, 0, 1]);
    let finding = &place.findings(&run)[0].finding;
    assert_eq!(finding.code, "XPT-004");
    assert!(finding.message.contains("p00000 is there as wanted, and belongs to X-0"), "{}", finding.message);
    // The new one is made once the old one is gone.
    place.good_cycle().await;
    assert_eq!(accounts(&place).len(), PEOPLE);
    assert_eq!(mode(&place, 0), Some((LinkMode::Projected, true)));
    place.good_cycle().await;
    assert_eq!((place.queue().len(), accounts(&place).len()), (0, PEOPLE));
}

#[tokio::test]
async fn a_deletion_does_not_meet_what_was_made_anew_under_the_same_key() {
    let place = deleting().await;
    part(&place).await;
    place.accounts.remove(name("account"), &id(0));
    let run = place.export().await.unwrap();
    assert_eq!(counts(&run, ["create", "delete", "dropped"]), [1, 0, 1]);
    assert_eq!(mode(&place, 0), Some((LinkMode::Projected, true)));
    place.good_cycle().await;
    assert_eq!((place.queue().len(), accounts(&place).len()), (0, PEOPLE));
}

#[tokio::test]
async fn what_a_person_ruled_out_is_not_linked_by_an_export() {
    let place = settled(Target::Flat, PEOPLE).await;
    let ask = JoinAsk::Unlink(object_of(&place, "accounts", 0));
    decide_join(&place.mesh, ask, "it is not theirs".to_owned()).await.unwrap();
    let run = place.export().await.unwrap();
    assert_eq!(counts(&run, ["taken", "already_so"]), [1, 0]);
    let finding = &place.findings(&run)[0].finding;
    assert!(finding.message.contains("a person said whose it is"), "{}", finding.message);
    assert_eq!((mode(&place, 0), accounts(&place).len()), (None, PEOPLE));
}
