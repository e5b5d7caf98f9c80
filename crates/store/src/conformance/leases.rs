//! Clauses on leases: an intent before the effect, and what is found after a crash.

use identitymesh_model::plan::{ItemAction, ItemPlan, Operation, Turn};
use identitymesh_model::{ItemId, SpaceId};

use super::Harness;
use super::sample::{Scene, at, create, item, item_of, keep, link, mesh, person, uid};
use crate::{
    Cause, ItemFilter, ItemState, Lease, LeaseRequest, RunStart, Settle, SettleBatch, Settled, StoreClass,
};

fn ids(lease: &Lease) -> Vec<i64> {
    lease.items.iter().map(|item| item.mesh.0).collect()
}

pub fn items_are_leased_in_order(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in [3, 1, 2] {
        scene.queued(number);
    }
    let first = LeaseRequest { limit: 2, ..scene.lease_request(10) };
    let lease = scene.store.lease(first).wait().unwrap();
    assert_eq!(ids(&lease), [3, 1]);
    assert!(lease.items[0].id < lease.items[1].id);
    let item = &lease.items[0];
    assert_eq!((item.uid, item.attempts, item.unsettled, &item.space), (uid(3), 0, false, &None));
    assert_eq!(item.action, ItemAction::Create { attributes: person("exported"), create_container: false });
    let rest = LeaseRequest { after: Some(lease.items[1].id), ..scene.lease_request(10) };
    assert_eq!(ids(&scene.store.lease(rest).wait().unwrap()), [2]);
    let none = LeaseRequest { after: Some(ItemId(i64::MAX)), ..scene.lease_request(1_000) };
    assert_eq!(ids(&scene.store.lease(none).wait().unwrap()), [0; 0]);
}

pub fn a_disable_has_its_turn_before_older_items(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = SpaceId(99);
    scene.queued(1);
    let disable = |number: u64, address: Option<&str>| {
        let address = address.map(Into::into);
        let changes = Vec::new();
        let action = ItemAction::Update { space, address, create_container: false, changes };
        let mut plan = create(number, &format!("d{number}"), person("Leaver"));
        plan.items.push(ItemPlan { operation: Operation::Disable, action, ..item(scene.target) });
        scene.apply(vec![plan]);
    };
    disable(2, None);
    disable(3, Some("cn=x,ou=gone"));
    scene.queued(4);
    let of_turn = |turn| scene.store.lease(LeaseRequest { turn, ..scene.lease_request(10) }).wait().unwrap();
    assert_eq!(ids(&of_turn(Turn::First)), [2], "one that moves waits for the container that it may need");
    assert_eq!(ids(&of_turn(Turn::Usual)), [1, 3, 4]);
    assert_eq!(ids(&of_turn(Turn::First)), [0; 0]);
}

pub fn a_leased_item_is_not_leased_again(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    assert_eq!(ids(&scene.lease(10)), [1]);
    assert_eq!(ids(&scene.lease(69)), [0; 0]);
}

pub fn a_lease_ends_by_itself(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    scene.lease(10);
    let again = scene.lease(70);
    assert_eq!((ids(&again), again.items[0].unsettled, again.items[0].attempts), (vec![1], true, 1));
}

pub fn a_lease_survives_the_process(harness: &mut impl Harness) {
    let request = {
        let scene = Scene::new(harness.store());
        scene.queued(1);
        scene.lease(10);
        scene.lease_request(69)
    };
    harness.reopen();
    assert_eq!(ids(&harness.store().lease(request.clone()).wait().unwrap()), [0; 0]);
    let later = LeaseRequest { cause: Cause { at: at(70), ..request.cause.clone() }, ..request };
    let lease = harness.store().lease(later).wait().unwrap();
    assert!(lease.items[0].unsettled);
}

pub fn who_lost_a_lease_settles_nothing(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let mine = scene.lease(10);
    let start = RunStart { connector: None, step: "export".into(), actor: "cli".into(), at: at(70) };
    let other = scene.store.begin_run(start).wait().unwrap();
    assert!(other > scene.run, "later runs have higher numbers");
    let cause = Cause { run: other, ..scene.cause(70) };
    let request = LeaseRequest { cause: cause.clone(), ..scene.lease_request(70) };
    let taken = scene.store.lease(request).wait().unwrap();
    assert!(taken.items[0].unsettled);
    // Whether the outcome ends the item or only postpones it.
    for what in [Settle::Dropped, Settle::Retry { not_before: at(80), reason: "busy".into() }] {
        let settled = Settled { item: mine.items[0].id, mesh: mesh(1), what };
        let late = scene.store.settle(scene.settle_batch(vec![settled.clone()])).wait().unwrap_err();
        assert_eq!(late.class, StoreClass::Conflict);
        assert_eq!(ids(&scene.lease(71)), [0; 0], "the other's lease goes on");
        if settled.what == Settle::Dropped {
            continue;
        }
        let batch = SettleBatch { cause: cause.clone(), ..scene.settle_batch(vec![settled]) };
        let _ = scene.store.settle(batch).wait().unwrap();
    }
    let rows = scene.store.read().unwrap().item_list(&ItemFilter::default(), None, 9).unwrap();
    assert_eq!(rows.items[0].state, ItemState::RetryWait);
}

pub fn a_retry_waits_for_its_time(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    for round in 1..4_u32 {
        let now = i64::from(round) * 100;
        let lease = scene.lease(now);
        assert_eq!((lease.items[0].attempts, lease.items[0].unsettled), (round - 1, false));
        scene.settle(&lease, 1, Settle::Retry { not_before: at(now + 100), reason: "büsy".into() });
        assert_eq!(ids(&scene.lease(now + 99)), [0; 0]);
        let row =
            scene.store.read().unwrap().item_list(&ItemFilter::default(), None, 9).unwrap().items[0].clone();
        assert_eq!(
            (row.state, row.attempts, row.not_before),
            (ItemState::RetryWait, round, Some(at(now + 100)))
        );
        assert_eq!(row.answer.as_deref(), Some("büsy"));
    }
}

pub fn a_lost_answer_is_unsettled(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Unknown { not_before: at(20), reason: "cut".into() });
    assert_eq!(ids(&scene.lease(19)), [0; 0]);
    assert!(scene.lease(20).items[0].unsettled);
}

pub fn a_dead_item_rests_until_it_is_retried(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Dead { code: "XPT-001".into(), reason: "refused".into() });
    assert_eq!(ids(&scene.lease(1_000_000)), [0; 0]);
    let row =
        scene.store.read().unwrap().item_list(&ItemFilter::default(), None, 9).unwrap().items[0].clone();
    assert_eq!(row.state, ItemState::Dead);
    let answer = row.answer.unwrap();
    assert!(answer.contains("XPT-001") && answer.contains("refused"), "{answer}");
    assert_eq!(scene.store.retry_items(scene.cause(20), None, vec![]).wait().unwrap(), 1);
    let lease = scene.lease(20);
    assert_eq!((ids(&lease), lease.items[0].attempts, lease.items[0].unsettled), (vec![1], 0, false));
}

pub fn retrying_names_items_or_takes_all(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in 1..=4 {
        scene.queued(number);
    }
    let lease = scene.lease(10);
    let late = at(1_000);
    scene.settle(&lease, 1, Settle::Retry { not_before: late, reason: "busy".into() });
    scene.settle(&lease, 2, Settle::Dead { code: "XPT-001".into(), reason: "no".into() });
    scene.settle(&lease, 3, Settle::Unknown { not_before: late, reason: "cut".into() });
    let retry = |connector, items| scene.store.retry_items(scene.cause(20), connector, items).wait().unwrap();
    assert_eq!(retry(Some(scene.source), vec![]), 0);
    assert_eq!(retry(Some(scene.source), vec![lease.items[0].id]), 0);
    assert_eq!(retry(None, vec![lease.items[0].id, ItemId(i64::MAX)]), 1);
    assert_eq!(retry(Some(scene.target), vec![]), 2, "the one that is being sent is let be");
    let again = scene.lease(20);
    assert_eq!(ids(&again), [1, 2, 3]);
    assert_eq!(again.items.iter().map(|item| item.unsettled).collect::<Vec<_>>(), [false, false, true]);
}

pub fn an_unanswered_create_brings_what_was_linked_since(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.queued(1);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Unknown { not_before: at(20), reason: "cut".into() });
    let lease = scene.lease(20);
    assert_eq!((lease.items[0].unsettled, &lease.items[0].space), (true, &None));
    scene.settle(&lease, 1, Settle::Unknown { not_before: at(30), reason: "cut".into() });
    let mut plan = keep(1);
    plan.links.push(link(space));
    scene.apply(vec![plan]);
    let lease = scene.lease(30);
    let record = lease.items[0].space.as_ref().unwrap();
    assert_eq!((record.id, record.link.unwrap().mesh), (space, mesh(1)));
}

pub fn an_update_brings_its_object(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    scene.apply(vec![create(2, "E-2", person("Bob"))]);
    for (number, space) in [(1, space), (2, SpaceId(i64::MAX))] {
        let mut plan = keep(number);
        plan.items.push(item_of(scene.target, ItemAction::Delete { space }));
        scene.apply(vec![plan]);
    }
    let lease = scene.lease(10);
    let record = lease.items[0].space.as_ref().unwrap();
    assert_eq!((record.id, record.external_id.as_str()), (space, "CN=Ada"));
    assert_eq!(record.link.unwrap().mesh, mesh(1));
    assert_eq!(lease.items[1].space, None);
}

fn returned(unsettled: bool) -> Settle {
    Settle::Returned { unsettled, reason: "no connection".into() }
}

pub fn what_was_never_sent_is_no_attempt(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    for now in [10, 20, 30, 40] {
        let lease = scene.lease(now);
        assert_eq!((lease.items[0].attempts, lease.items[0].unsettled), (0, false));
        scene.settle(&lease, 1, returned(false));
    }
    let lease = scene.lease(50);
    scene.settle(&lease, 1, Settle::Unknown { not_before: at(50), reason: "cut".into() });
    let lease = scene.lease(60);
    scene.settle(&lease, 1, returned(true));
    // An answer that was lost before is still to be asked for.
    let lease = scene.lease(70);
    assert_eq!((lease.items[0].attempts, lease.items[0].unsettled), (1, true));
}
