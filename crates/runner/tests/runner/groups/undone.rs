//! Whatever cycles did to people and their groups in a target, undoing their exports brings back what was there.

use std::collections::BTreeMap;

use identitymesh_model::{Object, RunId};
use identitymesh_runner::{UndoScope, apply_configuration, undo};
use proptest::prelude::*;

use super::histories::{Event, GROUPS, MEMBERS, PEOPLE, cases, event, play};
use super::place::{Fed, Looks, Rules, Shape, configuration, person_dn};
use crate::place::name;

/// What happens on the side of the source: what others do in the target is theirs, and an undo leaves it alone.
fn in_the_source() -> impl Strategy<Value = Event> {
    event().prop_filter("the second directory and the runs are left alone", |event| {
        !matches!(
            event,
            Event::OutMember(..)
                | Event::OutAccountGone(_)
                | Event::Sync
                | Event::FullImport
                | Event::Export
                | Event::ReadBack
        )
    })
}

fn objects(fed: &Fed) -> BTreeMap<String, Object> {
    let objects = fed.out.objects().into_iter();
    objects
        .map(|object| (object.attributes.single(name("cn")).unwrap().to_string(), object.attributes))
        .collect()
}

fn newest_run(fed: &Fed) -> RunId {
    fed.mesh.store.read().unwrap().run_list(None, 1).unwrap()[0].id
}

/// Runs since `after` that sent something, newest first.
fn exports_after(fed: &Fed, after: RunId) -> Vec<RunId> {
    let runs = fed.mesh.store.read().unwrap().run_list(None, 100).unwrap().into_iter();
    let sent = runs.filter(|run| run.id > after && run.step == "export" && !run.counters.is_empty());
    sent.map(|run| run.id).collect()
}

async fn lived(fed: &Fed, events: &[Event]) {
    for event in events {
        play(fed, event).await;
    }
    // Members that come later than their groups take another round.
    for _ in 0..3 {
        fed.round().await;
    }
}

async fn undone(rules: Rules, before: &[Event], after: &[Event]) -> Result<(), TestCaseError> {
    let fed = Fed::new(Looks::ByMember, rules).await;
    // What is gone for good has no undo; whoever left may come back.
    let mut configuration = configuration(Shape::Trees, rules);
    let leaves = configuration.connectors.iter_mut().flat_map(|known| &mut known.leave);
    leaves.for_each(|leave| leave.grace = "30d".parse().unwrap());
    apply_configuration(&fed.mesh, configuration, BTreeMap::new()).await.unwrap();
    (0..PEOPLE).for_each(|person| fed.put_person(person, "a"));
    (0..GROUPS).for_each(|group| fed.put_group(group, (0..MEMBERS).map(|at| person_dn(group + at, "a"))));
    lived(&fed, before).await;
    let was = objects(&fed);
    let last = newest_run(&fed);
    lived(&fed, after).await;
    for run in exports_after(&fed, last) {
        let report = undo(&fed.mesh, &UndoScope::Run(run), None, "because a property says so");
        let report = report.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(report.count("stays"), 0, "{:?}", report);
        fed.export().await;
    }
    prop_assert_eq!(&objects(&fed), &was, "it goes back");
    for _ in 0..2 {
        fed.round().await;
    }
    prop_assert_eq!(&objects(&fed), &was, "it stays so");
    Ok(())
}

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![3 => Just(Rules::Plain), 1 => Just(Rules::Merge), 1 => Just(Rules::Transform)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undoing_what_became_of_groups_brings_back_what_was_there(
        rules in rules(),
        before in prop::collection::vec(in_the_source(), 0..6),
        after in prop::collection::vec(in_the_source(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(undone(rules, &before, &after))?;
    }
}

/// A group leaves, and in the same cycle it comes into another one.
#[tokio::test]
async fn a_group_that_left_and_its_membership_go_back_together() {
    let after = [Event::Active(1, false), Event::Nested(0, 1)];
    undone(Rules::Plain, &[], &after).await.unwrap();
}
