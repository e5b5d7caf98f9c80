//! Previews of rules that are not in force: tried in the copy over everybody, then put in force.

use std::collections::BTreeMap;

use identitymesh_model::rules::{Configuration, FlowRule, LeaveStep, ScopeRule};
use identitymesh_runner::{ImportKind, Question, SyncScope, apply_configuration, preview};
use proptest::prelude::*;

use super::check::{Parts, then};
use super::people::{Event, PEOPLE, event, happen};
use crate::place::{Place, Target, name};

/// A change of the rules.
#[derive(Clone, Debug)]
enum Change {
    /// Whom the target holds.
    Scope(Option<&'static str>),
    /// Which records of the HR system are looked at.
    SourceScope(&'static str),
    /// How a value is made from a record.
    Flow(&'static str),
    /// A value is not taken any more.
    NoFlow,
    /// A second rule for the surname, with this confidence and priority: below, level with, or above the first.
    Second(u8, i32),
    /// What the target gets.
    Sent(&'static str),
    /// What becomes of whoever leaves the target's scope.
    Leave(&'static str),
    /// What becomes of whoever leaves the HR system.
    Gone(&'static str),
}

fn change() -> impl Strategy<Value = Change> {
    use prop::sample::select;
    let scopes =
        [None, Some("sn != 'Name 7'"), Some("active && EndsWith(employeeId, '1') == false"), Some("false")];
    prop_oneof![
        select(scopes.to_vec()).prop_map(Change::Scope),
        select(vec!["EndsWith(id, '3') == false", "active"]).prop_map(Change::SourceScope),
        select(vec!["ToUpper(sn)", "sn + ' ' + id"]).prop_map(Change::Flow),
        Just(Change::NoFlow),
        (select(vec![10, 90, 95]), -1..=1)
            .prop_map(|(confidence, priority)| Change::Second(confidence, priority)),
        select(vec!["sn + ' of ' + employeeId", "ToUpper(sn)"]).prop_map(Change::Sent),
        select(vec![
            "leave = []",
            "leave = [{ do = 'keep' }]",
            "leave = [{ do = 'delete' }]",
            "leave = [{ after = '2d', do = 'disable' }]",
        ])
        .prop_map(Change::Leave),
        select(vec!["nothing", "delete_when_last"]).prop_map(Change::Gone),
    ]
}

fn make(configuration: &mut Configuration, change: &Change) {
    #[derive(serde::Deserialize)]
    struct Leave {
        leave: Vec<LeaveStep>,
    }
    let [target, source] = &mut configuration.connectors[..] else { panic!("a target and a source") };
    let projection = &mut target.projection[0];
    let is_surname = |flow: &FlowRule| flow.target == name("sn");
    match change {
        Change::Scope(scope) => projection.scope = scope.map(str::to_owned),
        Change::SourceScope(when) => {
            source.scope = vec![ScopeRule { object_type: name("person"), when: (*when).to_owned() }];
        }
        Change::Flow(transform) => {
            for flow in source.flow.iter_mut().filter(|flow| is_surname(flow) && flow.name.is_none()) {
                (flow.source, flow.transform) = (None, Some((*transform).to_owned()));
            }
        }
        Change::NoFlow => source.flow.retain(|flow| flow.target != name("mail")),
        Change::Second(confidence, priority) => {
            let first = source.flow.iter().find(|flow| is_surname(flow)).unwrap().clone();
            source.flow.retain(|flow| flow.name.is_none());
            let (name, transform) = (Some("second".to_owned()), Some("'Second ' + id".to_owned()));
            let (confidence, priority) = (*confidence, *priority);
            source.flow.push(FlowRule { name, source: None, transform, confidence, priority, ..first });
        }
        Change::Sent(value) => {
            let sent = projection.attributes.iter_mut().find(|sent| sent.target == name("sn")).unwrap();
            (sent.source, sent.value) = (None, Some((*value).to_owned()));
        }
        Change::Leave(text) => projection.leave = toml::from_str::<Leave>(text).unwrap().leave,
        Change::Gone(word) => {
            source.leave[0].mesh_object = serde_json::from_value((*word).into()).unwrap();
        }
    }
}

async fn previewed_rules_are_what_happens(target: Target, rounds: Vec<(Vec<Event>, Vec<Change>, bool)>) {
    let place = Place::new(target, PEOPLE).await;
    place.good_cycle().await;
    let mut configuration = place.configuration();
    for (events, changes, is_synced) in rounds {
        events.iter().for_each(|event| happen(&place, event));
        if is_synced {
            place.cycle().await.unwrap();
        } else {
            place.import(ImportKind::Full).await.unwrap();
        }
        changes.iter().for_each(|change| make(&mut configuration, change));
        let before = place.bytes();
        let foreseen = {
            let (sandbox, _folder) = place.sandbox();
            apply_configuration(&sandbox.copy, configuration.clone(), BTreeMap::new()).await.unwrap();
            let everything = Question::Syncs(vec![SyncScope::Everything]);
            preview(&sandbox, everything, Parts::of(&place.mesh)).await.unwrap()
        };
        assert!(place.bytes() == before, "a preview writes nothing, nor does it put rules in force");
        apply_configuration(&place.mesh, configuration.clone(), BTreeMap::new()).await.unwrap();
        then(&place.mesh, SyncScope::Everything, name("accounts"), &foreseen).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_previewed_of_other_rules_is_what_happens_under_them(
        in_a_tree in any::<bool>(),
        rounds in prop::collection::vec(
            (prop::collection::vec(event(), 0..30), prop::collection::vec(change(), 0..4), any::<bool>()),
            1..4,
        ),
    ) {
        let target = if in_a_tree { Target::Tree } else { Target::Flat };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(previewed_rules_are_what_happens(target, rounds));
    }
}
