//! Previews of decisions about joins, of every kind.

use identitymesh_model::DecisionId;
use identitymesh_runner::{
    JoinAsk, LinkScope, Question, SyncScope, apply_configuration, decide_join, preview, reevaluate_joins,
    sync,
};

use super::check::{Parts, done};
use crate::decisions::{A_WEEK_AND_A_DAY, mesh_of, object_of};
use crate::place::{Place, Target, name};
use crate::reevaluation::{other_rules, share_a_mail};
use crate::undo::settled;

const PEOPLE: usize = 8;

/// Looks at what would follow, decides, and demands that it follows.
async fn decided(place: &Place, ask: JoinAsk) -> DecisionId {
    let reason = "two numbers, one person".to_owned();
    let before = place.bytes();
    let foreseen = {
        let (sandbox, _folder) = place.sandbox();
        let question = Question::Decision(ask.clone(), reason.clone());
        preview(&sandbox, question, Parts::of(&place.mesh)).await.unwrap()
    };
    assert!(place.bytes() == before, "a preview writes nothing");
    assert!(!foreseen.sink.texts().is_empty(), "{ask:?} changes something");
    let mut id = None;
    let act = async |mesh| {
        let decided = decide_join(&mesh, ask, reason).await.unwrap();
        id = Some(decided.id);
        decided.report
    };
    done(&place.mesh, name("accounts"), &foreseen, act).await;
    // The account that it may have let go is deleted by then.
    place.pass_seconds(A_WEEK_AND_A_DAY);
    place.good_cycle().await;
    id.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_previewed_of_a_decision_is_what_follows() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let row = |number| object_of(&place, "hr", number);
        let unlink = decided(&place, JoinAsk::Unlink(row(3))).await;
        decided(&place, JoinAsk::Revert(unlink)).await;
        let never = decided(&place, JoinAsk::Never(row(5), mesh_of(&place, 5))).await;
        decided(&place, JoinAsk::Link(row(5), mesh_of(&place, 4))).await;
        assert!(never.0 > unlink.0);
        let (one, two) = (mesh_of(&place, 1), mesh_of(&place, 2));
        let merge = decided(&place, JoinAsk::Merge(one, two)).await;
        let split = decided(&place, JoinAsk::Split(one, vec![row(2)], Some("X-2".into()))).await;
        decided(&place, JoinAsk::Revert(split)).await;
        decided(&place, JoinAsk::Revert(merge)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_previewed_of_a_re_evaluation_is_what_follows() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        share_a_mail(&place);
        place.good_cycle().await;
        apply_configuration(&place.mesh, other_rules(&place), Default::default()).await.unwrap();
        sync(&place.mesh, SyncScope::Everything).await.unwrap();
        let (scope, reason) = (LinkScope::default(), "the rules were wrong".to_owned());
        let before = place.bytes();
        let foreseen = {
            let (sandbox, _folder) = place.sandbox();
            let question = Question::Reevaluation(scope.clone(), reason.clone());
            preview(&sandbox, question, Parts::of(&place.mesh)).await.unwrap()
        };
        assert!(place.bytes() == before, "a preview writes nothing");
        assert_eq!(foreseen.counts.get("joins_moves"), Some(&1));
        assert_eq!(foreseen.flows.iter().map(|flow| flow.sent).sum::<u64>(), 2, "{:?}", foreseen.flows);
        let act = async |mesh| reevaluate_joins(&mesh, scope, reason).await.unwrap().report;
        done(&place.mesh, name("accounts"), &foreseen, act).await;
    }
}
