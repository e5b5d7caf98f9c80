//! Stored plans: carried out exactly, but for what moved in between.

use identitymesh_runner::{
    ImportKind, PlanDirectory, PlanHead, Question, RunError, SyncScope, apply_configuration, apply_plan,
    preview, sync,
};
use identitymesh_store::RunState;
use identitymesh_store::audit::ChangeKind;

use crate::place::{Place, Target, id, name};

const PEOPLE: usize = 40;

/// Keeps what a sync of the HR system would do.
pub(crate) async fn keep(place: &Place, plans: &PlanDirectory) -> PlanHead {
    let (sandbox, _folder) = place.sandbox();
    let sink = plans.begin(sandbox.real.clone()).unwrap();
    let question = Question::Syncs(vec![SyncScope::Pending(name("hr"))]);
    let foreseen = preview(&sandbox, question, sink).await.unwrap();
    let configuration = place.mesh.in_force().unwrap().version;
    let (hash, question, preview) = (String::new(), "hr".to_owned(), serde_json::Value::Null);
    let (at, actor, objects) = (place.mesh.clock.now(), "ada".to_owned(), 0);
    let base = None;
    let head = PlanHead { hash, configuration, base, question, at, actor, objects, preview };
    foreseen.sink.finish(head).unwrap()
}

fn rename(place: &Place, number: usize, word: &str) {
    assert!(place.hr.set(name("person"), &id(number), name("sn"), Some(word.into())));
}

async fn prepared() -> (Place, tempfile::TempDir, PlanDirectory) {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    for number in 0..10 {
        rename(&place, number, "Planned");
    }
    place.hire(PEOPLE..PEOPLE + 5);
    place.import(ImportKind::Full).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plans = PlanDirectory::below(folder.path());
    (place, folder, plans)
}

#[tokio::test]
async fn a_plan_is_carried_out_as_it_was_kept_and_what_moved_is_left_out() {
    let (place, _folder, plans) = prepared().await;
    let head = keep(&place, &plans).await;
    assert_eq!(head, keep(&place, &plans).await, "the same plan has the same name");
    assert_eq!((plans.list().unwrap().len(), head.objects), (1, 15));

    // One of them gets another name before the plan is carried out, and somebody who is not in the plan too.
    rename(&place, 3, "Newer");
    rename(&place, 20, "Other");
    place.import(ImportKind::Full).await.unwrap();
    let run = apply_plan(&place.mesh, plans.open(&head.hash[..8]).unwrap(), "as agreed").await.unwrap();
    assert_eq!((run.step, run.count("applied"), run.count("left_out")), ("apply-plan", 14, 1));
    assert_eq!(run.state, RunState::SucceededWithFindings);
    let rows = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
    let approvals: Vec<_> = rows.iter().filter(|row| row.kind == ChangeKind::Plan).collect();
    assert_eq!(approvals.len(), 14, "one for each that was carried out, none for what was left out");
    let told: serde_json::Value = serde_json::from_str(&approvals[0].before).unwrap();
    assert_eq!(told, serde_json::json!({ "plan": head.hash, "reason": "as agreed" }));
    let finding = place.findings(&run).remove(0).finding;
    assert_eq!(finding.code, "RUN-014");
    assert!(finding.subject.unwrap().contains(&id(3)) && finding.message.contains("changed since"));
    assert_eq!(
        (place.held(3, "sn"), place.held(4, "sn")),
        (Some("Surname 3".into()), Some("Planned".into()))
    );
    assert_eq!((place.held(20, "sn"), place.people().len()), (Some("Surname 20".into()), PEOPLE + 5));
    let run = place.export().await.unwrap();
    assert_eq!((run.count("create"), run.count("update")), (5, 9));

    // Again nothing of it is as it was, so nothing is done.
    let run = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await.unwrap();
    assert_eq!((run.count("applied"), run.count("left_out")), (0, 15));

    // The next sync finds what is left, and only that.
    let run = sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    assert_eq!(
        (run.count("queued_update"), run.count("queued_create"), run.count("mesh_created")),
        (2, 0, 0)
    );
    place.good_cycle().await;
    assert_eq!(place.held(3, "sn"), Some("Newer".into()));
}

#[tokio::test]
async fn an_anchor_that_was_given_away_leaves_its_newcomer_out() {
    let (place, _folder, plans) = prepared().await;
    let head = keep(&place, &plans).await;
    // The sync runs all the same, and makes the five itself.
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    let people = place.people().len();
    let run = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await.unwrap();
    assert_eq!((run.count("applied"), run.count("left_out"), place.people().len()), (0, 15, people));
}

#[tokio::test]
async fn a_plan_of_other_rules_or_with_other_content_is_refused() {
    let (place, folder, plans) = prepared().await;
    let head = keep(&place, &plans).await;
    assert!(matches!(plans.open("00"), Err(RunError::UnknownPlan { .. })));
    let file = folder.path().join(format!("plans/{}.parts", head.hash));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("Planned", "Forged!")).unwrap();
    assert!(matches!(plans.open(&head.hash), Err(RunError::ForeignPlan { .. })));
    std::fs::write(&file, text).unwrap();

    let plan = plans.open(&head.hash).unwrap();
    let mut configuration = place.configuration();
    configuration.connectors[0].connector.priority += 1;
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
    let refused = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), " ").await.unwrap_err();
    assert!(matches!(refused, RunError::NoReason), "{refused}");
    let refused = apply_plan(&place.mesh, plan, "as agreed").await.unwrap_err();
    assert!(matches!(refused, RunError::OtherConfiguration { made: 1, now: 2, .. }), "{refused}");
    assert_eq!(place.held(4, "sn"), Some("Surname 4".into()));
}
