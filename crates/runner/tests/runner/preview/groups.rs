//! Previews of people and groups: whatever follows from members, also where large groups are looked at by member.

use std::collections::BTreeMap;

use identitymesh_runner::{ImportKind, Question, SyncScope, apply_configuration, preview};
use proptest::prelude::*;

use super::check::{Parts, then};
use crate::groups::{
    Event, Fed, GROUPS, Looks, MEMBERS, PEOPLE, Rules, Shape, configuration, event, person_dn, play,
};
use crate::place::name;

async fn start(looks: Looks) -> Fed {
    let fed = Fed::new(looks, Rules::Plain).await;
    (0..PEOPLE).for_each(|person| fed.put_person(person, "a"));
    (0..GROUPS).for_each(|group| fed.put_group(group, (0..MEMBERS).map(|at| person_dn(group + at, "a"))));
    for _ in 0..2 {
        fed.round().await;
    }
    fed
}

async fn previewed_groups_are_what_happens(looks: Looks, rounds: Vec<(Vec<Event>, Option<Rules>)>) {
    let fed = start(looks).await;
    for (events, rules) in rounds {
        for event in &events {
            play(&fed, event).await;
        }
        fed.import("dir", ImportKind::Delta).await;
        let before = fed.bytes();
        let (sandbox, _folder) = fed.sandbox();
        let scope = match rules {
            Some(rules) => {
                apply_configuration(&sandbox.copy, configuration(Shape::Trees, rules), BTreeMap::new())
                    .await
                    .unwrap();
                SyncScope::Everything
            }
            None => SyncScope::Pending(name("dir")),
        };
        let foreseen = preview(&sandbox, Question::Syncs(vec![scope]), Parts::of(&fed.mesh)).await.unwrap();
        drop(sandbox);
        assert!(fed.bytes() == before, "a preview writes nothing");
        if let Some(rules) = rules {
            apply_configuration(&fed.mesh, configuration(Shape::Trees, rules), BTreeMap::new())
                .await
                .unwrap();
        }
        then(&fed.mesh, scope, name("out"), &foreseen).await;
        fed.round().await;
    }
}

fn rules() -> impl Strategy<Value = Option<Rules>> {
    let all = [None, Some(Rules::Plain), Some(Rules::KeepLast), Some(Rules::Transform), Some(Rules::Counted)];
    prop::sample::select(all.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_previewed_of_groups_is_what_happens(
        by_member in any::<bool>(),
        rounds in prop::collection::vec((prop::collection::vec(event(), 0..12), rules()), 1..4),
    ) {
        let looks = if by_member { Looks::ByMember } else { Looks::Untraced };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(previewed_groups_are_what_happens(looks, rounds));
    }
}
