//! Stored plans that bring a configuration: looked at together, agreed on together, put in force together.

use std::collections::BTreeMap;

use identitymesh_model::rules::{Configuration, FlowRule, JoinRule};
use identitymesh_runner::{
    ImportKind, PlanDirectory, PlanHead, Question, RunError, SyncScope, apply_configuration, apply_plan,
    preview, sync,
};
use identitymesh_testkit::failing::Failure;

use crate::place::{Place, Target, id, name, over_failing};

const PEOPLE: usize = 12;

/// Rules by which names are told otherwise, with a rule and an index that there were not before.
fn changed(place: &Place) -> Configuration {
    #[derive(serde::Deserialize)]
    struct Rules {
        join: Vec<JoinRule>,
        flow: Vec<FlowRule>,
    }
    let text = "[[join]]\nname = 'by mail'\nobject_type = 'person'\nmatch = [{ source = 'mail', mesh = 'mail' }]\n\
                [[flow]]\nname = 'loud'\nobject_type = 'person'\ntarget = 'sn'\ntransform = 'ToUpper(sn)'\n\
                confidence = 95";
    let rules: Rules = toml::from_str(text).unwrap();
    let mut configuration = place.configuration();
    let [target, source] = &mut configuration.connectors[..] else { panic!("a target and a source") };
    source.join.extend(rules.join);
    source.flow.extend(rules.flow);
    target.projection[0].scope = Some(format!("active && employeeId != '{}'", id(7)));
    configuration
}

async fn prepared(people: usize) -> (Place, tempfile::TempDir, PlanDirectory) {
    let place = Place::new(Target::Flat, people).await;
    place.good_cycle().await;
    let folder = tempfile::tempdir().unwrap();
    let plans = PlanDirectory::below(folder.path());
    (place, folder, plans)
}

/// Keeps what these rules would do to everybody, with the rules.
async fn keep(place: &Place, plans: &PlanDirectory, configuration: Configuration) -> PlanHead {
    let (sandbox, _folder) = place.sandbox();
    let base = place.mesh.in_force().unwrap().version;
    let before = place.bytes();
    apply_configuration(&sandbox.copy, configuration, BTreeMap::new()).await.unwrap();
    let mut writer = plans.begin(sandbox.real.clone()).unwrap();
    writer.bring(&sandbox.copy, base).unwrap();
    let everything = Question::Syncs(vec![SyncScope::Everything]);
    let foreseen = preview(&sandbox, everything, writer).await.unwrap();
    let head = PlanHead {
        hash: String::new(),
        configuration: sandbox.copy.in_force().unwrap().version,
        base: None,
        question: "everybody".to_owned(),
        at: place.mesh.clock.now(),
        actor: "ada".to_owned(),
        objects: 0,
        preview: serde_json::Value::Null,
    };
    let head = foreseen.sink.finish(head).unwrap();
    assert!(place.bytes() == before, "keeping a plan writes nothing into the store");
    head
}

/// Everybody with what waits for the target.
fn end(place: &Place) -> (Vec<String>, Vec<String>) {
    let people = place.people().into_iter().map(|row| format!("{} {} {:?}", row.anchor, row.doc, row.state));
    let queue = place.queue().into_iter();
    let queue = queue.map(|row| format!("{} {} {:?}", row.connector, row.operation, row.state));
    let (mut people, mut queue): (Vec<_>, Vec<_>) = (people.collect(), queue.collect());
    people.sort();
    queue.sort();
    (people, queue)
}

async fn applied_and_synced(people: usize) -> (Vec<String>, Vec<String>) {
    let (place, _folder, _) = prepared(people).await;
    apply_configuration(&place.mesh, changed(&place), BTreeMap::new()).await.unwrap();
    sync(&place.mesh, SyncScope::Everything).await.unwrap();
    end(&place)
}

#[tokio::test]
async fn what_is_agreed_on_is_what_applying_and_syncing_would_do() {
    let (place, _folder, plans) = prepared(PEOPLE).await;
    let head = keep(&place, &plans, changed(&place)).await;
    assert_eq!((head.base, head.configuration, head.objects), (Some(1), 2, PEOPLE as u64));
    assert_eq!(head, keep(&place, &plans, changed(&place)).await, "the same plan has the same name");
    let mut other = changed(&place);
    other.connectors[1].flow.last_mut().unwrap().confidence = 96;
    let other = keep(&place, &plans, other).await;
    assert_ne!(other.hash, head.hash, "the name is of the configuration too");
    assert_eq!(place.held(4, "sn"), Some("Surname 4".into()));

    let plan = plans.open(&head.hash).unwrap();
    assert_eq!(plan.configuration().unwrap(), Some(changed(&place)));
    let run = apply_plan(&place.mesh, plan, "agreed with the staff office").await.unwrap();
    assert_eq!((run.count("applied"), run.count("left_out")), (PEOPLE as u64, 0));
    assert!(run.message.unwrap().starts_with("put version 2 of the configuration in force"));
    assert_eq!(end(&place), applied_and_synced(PEOPLE).await);
    let again = sync(&place.mesh, SyncScope::Everything).await.unwrap();
    assert_eq!(again.counters, BTreeMap::new(), "nothing is left to do");
    // The other one was compared with rules that are in force no more.
    let refused = apply_plan(&place.mesh, plans.open(&other.hash).unwrap(), "no").await.unwrap_err();
    assert!(matches!(refused, RunError::ComparedWithOther { base: 1, now: 2, .. }), "{refused}");
}

#[tokio::test]
async fn who_moved_is_left_out_and_the_rules_are_in_force_all_the_same() {
    let (place, _folder, plans) = prepared(PEOPLE).await;
    let head = keep(&place, &plans, changed(&place)).await;
    assert!(place.hr.set(name("person"), &id(3), name("sn"), Some("Newer".into())));
    place.import(ImportKind::Full).await.unwrap();
    let run = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await.unwrap();
    assert_eq!((run.count("applied"), run.count("left_out")), (PEOPLE as u64 - 1, 1));
    assert_eq!(place.held(3, "sn"), Some("Surname 3".into()));
    assert_eq!(place.held(4, "sn"), Some("SURNAME 4".into()));
    place.good_cycle().await;
    assert_eq!(place.held(3, "sn"), Some("NEWER".into()), "the next sync looks at them under the new rules");
}

#[tokio::test]
async fn under_another_configuration_or_with_another_one_in_its_file_nothing_is_done() {
    let (place, folder, plans) = prepared(PEOPLE).await;
    let head = keep(&place, &plans, changed(&place)).await;
    let file = folder.path().join(format!("plans/{}.configuration", head.hash));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ToUpper", "ToLower")).unwrap();
    assert!(matches!(plans.open(&head.hash), Err(RunError::ForeignPlan { .. })));
    std::fs::write(&file, text).unwrap();

    let mut configuration = place.configuration();
    configuration.connectors[0].connector.priority += 1;
    apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
    let before = end(&place);
    let refused = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await.unwrap_err();
    assert!(matches!(refused, RunError::ComparedWithOther { base: 1, now: 2, .. }), "{refused}");
    assert!(refused.to_string().contains("preview --config DIR --save"), "{refused}");
    assert_eq!((end(&place), place.mesh.in_force().unwrap().version), (before, 2));
}

#[tokio::test]
async fn a_process_that_dies_leaves_all_of_the_configuration_or_none_and_goes_on() {
    let expected = applied_and_synced(5).await;
    for failure in [Failure::DiesBefore, Failure::DiesAfter] {
        let (mut nth, mut seen) = (0, [0_usize; 3]);
        loop {
            nth += 1;
            let (place, _folder, plans) = prepared(5).await;
            let head = keep(&place, &plans, changed(&place)).await;
            let before = end(&place);
            let (place, failing) = over_failing(place);
            failing.fail(nth, failure);
            let first = apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await;
            if !failing.is_dead() {
                assert!(first.is_ok(), "{first:?}");
                break;
            }
            let place = place.reopen();
            let (version, now) = (place.mesh.in_force().unwrap().version, end(&place));
            let part = match version {
                1 => 0,
                _ if now == before => 1,
                _ => 2,
            };
            seen[part] += 1;
            assert!(part > 0 || now == before, "call {nth}: changes without their rules");
            apply_plan(&place.mesh, plans.open(&head.hash).unwrap(), "as agreed").await.unwrap();
            assert_eq!(end(&place), expected, "call {nth}, {failure:?}");
        }
        assert!(seen.iter().all(|count| *count > 0), "{failure:?}: {seen:?} of {nth} calls");
    }
}
