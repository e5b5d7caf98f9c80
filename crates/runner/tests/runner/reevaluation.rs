//! Re-evaluation of joins over real runs: links become what the rules in force make of them, and back.

use std::collections::BTreeMap;

use identitymesh_model::rules::{Configuration, JoinRule, Limit};
use identitymesh_model::{LinkMode, MeshState};
use identitymesh_runner::{
    JoinAsk, LinkScope, Reevaluated, RunError, SyncScope, apply_configuration, decide_join, reconsider_links,
    reevaluate_joins, sync, why_link,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{HoldFilter, ItemFilter, ItemState, RunState};

use crate::decisions::{A_WEEK_AND_A_DAY, mesh_of, now, object_of};
use crate::place::{Place, Target, id, name};
use crate::undo::{accounts, settled};

const PEOPLE: usize = 8;

/// Two of the people are one by their mail, and one has none.
pub(crate) fn share_a_mail(place: &Place) {
    assert!(place.hr.set(name("person"), &id(3), name("mail"), None));
    assert!(place.hr.set(name("person"), &id(5), name("mail"), Some("p4@corp.example".into())));
}

/// Rules that join people by their mail, and make nobody of the third.
pub(crate) fn other_rules(place: &Place) -> Configuration {
    #[derive(serde::Deserialize)]
    struct Joins {
        join: Vec<JoinRule>,
    }
    let text = "[[join]]\nname = 'by mail'\nobject_type = 'person'\nallow_many = true\n\
                match = [{ source = 'mail', mesh = 'mail' }]";
    let mut configuration = place.configuration();
    let hr = configuration.connectors.iter_mut().find(|known| known.connector.name == name("hr")).unwrap();
    hr.join = toml::from_str::<Joins>(text).unwrap().join;
    hr.create[0].when = Some(format!("id != '{}'", id(3)));
    configuration
}

async fn put_in_force(place: &Place, configuration: Configuration) {
    apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
    sync(&place.mesh, SyncScope::Everything).await.unwrap();
}

async fn reevaluate(place: &Place) -> Result<Reevaluated, RunError> {
    reevaluate_joins(&place.mesh, LinkScope::default(), "the rules were wrong".to_owned()).await
}

#[tokio::test]
async fn links_become_what_the_rules_say_and_come_back_with_whom_they_left() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        share_a_mail(&place);
        place.good_cycle().await;
        let before = now(&place);
        put_in_force(&place, other_rules(&place)).await;
        assert_eq!(now(&place), before, "a change of rules unlinks nobody");

        let done = reevaluate(&place).await.unwrap();
        let word = |number| {
            let row = object_of(&place, "hr", number);
            done.links.changes.iter().find(|change| change.space.id == row).map(|change| change.word())
        };
        assert_eq!((word(3), word(4), word(5)), (Some("unjoined"), None, Some("moves")));
        let counted = |what: &str| done.links.counts.get(what).copied().unwrap_or(0);
        assert_eq!((counted("links"), counted("stays"), counted("by_export")), (8, 6, 8));
        let in_target = |mode| {
            let views = place.mesh.store.read().unwrap().views(&[mesh_of(&place, 4)]).unwrap();
            let links = views[0].as_ref().unwrap().linked.iter().filter_map(|space| space.link);
            links.filter(|link| link.mode == mode).count()
        };
        assert_eq!((in_target(LinkMode::Created), in_target(LinkMode::Joined)), (1, 1));
        let rows = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
        let decided = rows.iter().filter(|row| row.kind == ChangeKind::Decide);
        assert_eq!(decided.count(), 3, "the one that gains, and the two that lose");

        // Nothing is left to evaluate, and a sync of everybody finds nothing to do.
        assert_eq!(reevaluate(&place).await.unwrap().decision, None);
        let again = sync(&place.mesh, SyncScope::Everything).await.unwrap();
        assert_eq!((again.count("linked"), again.count("unlinked")), (0, 0), "{again:?}");

        // Those who lost their only source are gone for good in the end, with their accounts.
        for _ in 0..4 {
            place.pass_seconds(A_WEEK_AND_A_DAY);
            place.good_cycle().await;
        }
        assert_eq!((now(&place).len(), accounts(&place).len()), (PEOPLE - 2, PEOPLE - 2));

        let (number, _) = done.decision.unwrap();
        decide_join(&place.mesh, JoinAsk::Revert(number), "they were right".to_owned()).await.unwrap();
        place.good_cycle().await;
        let after = now(&place);
        assert_eq!(
            after.keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>(),
            "with their public ids"
        );
        assert!(after.values().all(|(_, state, _)| *state == MeshState::Active));
        assert_eq!(accounts(&place).len(), PEOPLE);
    }
}

#[tokio::test]
async fn a_hold_names_the_re_evaluation_that_it_comes_from() {
    let place = settled(Target::Flat, PEOPLE).await;
    share_a_mail(&place);
    place.good_cycle().await;
    let mut configuration = other_rules(&place);
    let target =
        configuration.connectors.iter_mut().find(|known| known.connector.name != name("hr")).unwrap();
    target.connector.limits.disable = Some(Limit { percent: None, count: Some(0) });
    put_in_force(&place, configuration).await;
    reevaluate(&place).await.unwrap();
    let held = place.export().await.unwrap();
    assert_eq!((held.state, held.count("disable")), (RunState::Held, 0), "{held:?}");
    let holds = place.mesh.store.read().unwrap().hold_list(&HoldFilter::default(), None, 10).unwrap();
    let common = holds[0].common.join("\n");
    assert!(common.contains("(joins were evaluated again: the rules were wrong)"), "{common}");
}

#[tokio::test]
async fn why_linked_tells_of_it() {
    let place = settled(Target::Flat, PEOPLE).await;
    share_a_mail(&place);
    place.good_cycle().await;
    put_in_force(&place, other_rules(&place)).await;
    reevaluate(&place).await.unwrap();
    for number in [3, 5] {
        let reason = why_link(&place.mesh, object_of(&place, "hr", number)).unwrap().unwrap();
        let ended = reason.before.unwrap();
        assert_eq!(ended.link.mode, LinkMode::Created);
        assert_eq!(ended.by.step, "join-reevaluation");
        assert!(ended.by.message.unwrap().contains("the rules were wrong"));
    }
}

#[tokio::test]
async fn before_everybody_was_looked_at_nothing_is_said() {
    let place = settled(Target::Flat, PEOPLE).await;
    assert_eq!(reevaluate(&place).await.unwrap().decision, None, "under the first rules");
    apply_configuration(&place.mesh, other_rules(&place), BTreeMap::new()).await.unwrap();
    let refused = reevaluate(&place).await.unwrap_err().to_string();
    assert!(refused.contains("RUN-021") && refused.contains("run full-sync"), "{refused}");
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    assert!(
        reconsider_links(&place.mesh, &LinkScope::default()).is_err(),
        "a sync of what is pending is not enough"
    );
    sync(&place.mesh, SyncScope::Everything).await.unwrap();
    reevaluate(&place).await.unwrap();
    let scope = LinkScope { rule: Some("by post".to_owned()), ..LinkScope::default() };
    let refused = reconsider_links(&place.mesh, &scope).unwrap_err().to_string();
    assert!(refused.contains("RUN-022") && refused.contains("hr:by mail"), "{refused}");
}

#[tokio::test]
async fn only_what_is_meant_is_asked_for_and_nothing_by_hand() {
    let place = settled(Target::Flat, PEOPLE).await;
    share_a_mail(&place);
    let ask = JoinAsk::Link(object_of(&place, "hr", 3), mesh_of(&place, 2));
    decide_join(&place.mesh, ask, "one person".to_owned()).await.unwrap();
    place.good_cycle().await;
    put_in_force(&place, other_rules(&place)).await;
    let counts = |scope: LinkScope| reconsider_links(&place.mesh, &scope).unwrap().counts;
    let all = counts(LinkScope::default());
    assert_eq!(all.get("by_hand"), Some(&1));
    assert_eq!((all.get("links"), all.get("stays"), all.get("moves")), (Some(&7), Some(&6), Some(&1)));
    assert_eq!(all.get("unjoined"), None, "the one without a mail was linked by hand");
    let of = |connector, object_type, rule: Option<&str>| LinkScope {
        connector,
        object_type,
        rule: rule.map(str::to_owned),
        limit: None,
    };
    assert_eq!(counts(of(Some(name("accounts")), None, None)).get("links"), None);
    assert_eq!(counts(of(None, Some(name("account")), None)).get("links"), None);
    assert_eq!(
        counts(of(Some(name("hr")), Some(name("person")), Some("hr:person>user"))).get("links"),
        Some(&7)
    );
    assert_eq!(counts(of(None, None, Some("by mail"))).get("links"), None, "it has linked nobody yet");
}

#[tokio::test]
async fn links_that_end_by_the_hundred_are_no_way_around_the_guard() {
    let place = settled(Target::Flat, 60).await;
    let mut configuration = place.configuration();
    configuration.connectors[1].create.clear();
    configuration.connectors[1].join.clear();
    put_in_force(&place, configuration).await;
    let done = reevaluate(&place).await.unwrap();
    assert_eq!(done.links.counts.get("unjoined"), Some(&60));
    assert_eq!(done.report.count("queued_disable"), 60, "{:?}", done.report);
    let sent = place.export().await.unwrap();
    assert_eq!((sent.state, sent.count("disable")), (RunState::Held, 0), "{sent:?}");
    let held = ItemFilter { state: Some(ItemState::Held), ..ItemFilter::default() };
    assert_eq!(place.mesh.store.read().unwrap().item_list(&held, None, 100).unwrap().items.len(), 60);
    // Taken back, nothing is left of it.
    let number = done.decision.unwrap().0;
    decide_join(&place.mesh, JoinAsk::Revert(number), "not like this".to_owned()).await.unwrap();
    assert_eq!(place.queue(), []);
}
