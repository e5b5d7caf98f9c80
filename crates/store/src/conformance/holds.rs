//! Clauses on holds: what is held is not leased, and a decision covers exactly what was held.

use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{HoldId, ItemId, Uid};

use super::Harness;
use super::sample::{Scene, at, body, item_of, keep, mesh, person, uid, update, user};
use crate::audit::ChangeKind;
use crate::{
    Decided, HoldBatch, HoldClass, HoldDecision, HoldFilter, HoldItem, HoldState, ItemFilter, ItemState,
    LeaseRequest, NewHold, QueueClass, Settle, StageBatch,
};

fn new_hold(class: HoldClass, items: Vec<HoldItem>) -> NewHold {
    let (object_type, common) = (user(), vec!["all 2 below ou=ö".to_owned()]);
    NewHold {
        object_type,
        class,
        within: None,
        size: 9,
        population: 20,
        allowed: 1,
        inferred: false,
        again: None,
        common,
        items,
    }
}

fn batch(scene: &Scene<'_>, holds: Vec<NewHold>) -> HoldBatch {
    let (rejected, withdrawn, returned) = (Vec::new(), Vec::new(), Vec::new());
    HoldBatch { cause: scene.cause(3), connector: scene.target, holds, rejected, withdrawn, returned }
}

/// Holds every free create of the target.
fn hold_all(scene: &Scene<'_>) -> Vec<HoldId> {
    let queued = scene
        .store
        .read()
        .unwrap()
        .queued(scene.target, user(), Operation::Create, None, 100)
        .unwrap()
        .into_iter()
        .filter(|item| !item.held)
        .map(|item| HoldItem {
            subject: item.mesh.0,
            uid: Some(item.uid),
            item: Some(item.id),
            hash: item.hash,
        })
        .collect();
    let class = HoldClass::Export(Operation::Create);
    scene.store.hold(batch(scene, vec![new_hold(class, queued)])).wait().unwrap()
}

fn decision(scene: &Scene<'_>, hold: HoldId, approve: bool, subjects: &[i64]) -> HoldDecision {
    let reason = "they moved".to_owned();
    HoldDecision { cause: scene.cause(4), hold, approve, subjects: subjects.to_vec(), reason }
}

fn decide(scene: &Scene<'_>, hold: HoldId, approve: bool, subjects: &[i64]) -> Decided {
    scene.store.decide(decision(scene, hold, approve, subjects)).wait().unwrap()
}

fn leased(scene: &Scene<'_>) -> Vec<i64> {
    scene.lease(10).items.iter().map(|item| item.mesh.0).collect()
}

fn sizes(scene: &Scene<'_>) -> Vec<(u64, u64)> {
    let queue = scene.store.read().unwrap().queue(scene.target).unwrap();
    queue.classes.iter().map(|class| (class.free, class.held)).collect()
}

pub fn the_queue_is_counted_by_kind(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    assert_eq!(scene.store.read().unwrap().queue(scene.target).unwrap(), crate::Queue::default());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(9, "E-9", space);
    let mut plan = keep(9);
    plan.items.push(item_of(scene.target, ItemAction::Delete { space }));
    for number in 1..=4 {
        scene.queued(number);
    }
    scene.apply(vec![plan]);
    let lease = scene.store.lease(LeaseRequest { limit: 3, ..scene.lease_request(10) }).wait().unwrap();
    scene.settle(&lease, 1, Settle::Dead { code: "XPT-001".into(), reason: "no".into() });
    scene.settle(&lease, 2, Settle::Retry { not_before: at(99), reason: "busy".into() });
    let mut reader = scene.store.read().unwrap();
    let queue = reader.queue(scene.target).unwrap();
    let class = |operation, free| QueueClass { object_type: user(), operation, free, held: 0 };
    assert_eq!(queue.classes, [class(Operation::Create, 2), class(Operation::Delete, 1)]);
    let items = reader.queued(scene.target, user(), Operation::Create, None, 9).unwrap();
    assert_eq!(items.iter().map(|item| item.mesh).collect::<Vec<_>>(), [mesh(2), mesh(4)]);
    let deleted = &reader.queued(scene.target, user(), Operation::Delete, None, 9).unwrap()[0];
    assert_eq!((queue.last, deleted.space, deleted.uid), (Some(deleted.id), Some(space), uid(9)));
    assert_eq!(reader.queued(scene.source, user(), Operation::Create, None, 9).unwrap(), []);
}

pub fn what_is_newer_than_the_count_is_not_leased(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    let last = scene.store.read().unwrap().queue(scene.target).unwrap().last;
    scene.queued(2);
    let lease = scene.store.lease(LeaseRequest { upto: last, ..scene.lease_request(10) }).wait().unwrap();
    assert_eq!(lease.items.iter().map(|item| item.mesh).collect::<Vec<_>>(), [mesh(1)]);
}

pub fn held_items_are_not_leased_until_they_are_approved(harness: &mut impl Harness) {
    {
        let scene = Scene::new(harness.store());
        for number in 1..=3 {
            scene.queued(number);
        }
        assert_eq!(hold_all(&scene), [HoldId(1)]);
        scene.queued(4);
        assert_eq!((leased(&scene), sizes(&scene)), (vec![4], vec![(0, 3)]));
        assert_eq!(decide(&scene, HoldId(1), true, &[1, 3]), Decided { decided: 2, changed: 0, left: 1 });
        assert_eq!((leased(&scene), sizes(&scene)), (vec![1, 3], vec![(0, 1)]));
        assert_eq!(decide(&scene, HoldId(1), false, &[]), Decided { decided: 1, changed: 0, left: 0 });
        assert_eq!(leased(&scene), [0; 0]);
    }
    harness.reopen();
    let mut reader = harness.store().read().unwrap();
    let row = reader.hold(HoldId(1)).unwrap().unwrap();
    assert_eq!(
        (row.count, row.approved, row.rejected, row.waiting, row.state),
        (3, 2, 1, 0, HoldState::Rejected)
    );
    assert_eq!((row.size, row.population, row.allowed, row.at), (9, 20, 1, at(3)));
    assert_eq!(row.common, ["all 2 below ou=ö"]);
    let told: Vec<_> =
        row.decisions.iter().map(|known| (known.state, known.count, known.reason.as_str())).collect();
    assert_eq!(told, [(HoldState::Approved, 2, "they moved"), (HoldState::Rejected, 1, "they moved")]);
    let states: Vec<_> =
        reader.hold_items(HoldId(1), Some(1), 9).unwrap().iter().map(|item| item.state).collect();
    assert_eq!(states, [HoldState::Rejected, HoldState::Approved]);
    let item =
        reader.item_list(&ItemFilter { state: Some(ItemState::Held), ..ItemFilter::default() }, None, 9);
    let item = item.unwrap().items.remove(0);
    assert_eq!((item.mesh, item.hold, item.rejected), (mesh(2), Some(HoldId(1)), true));
}

pub fn a_decision_is_in_the_audit(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    hold_all(&scene);
    let hash = scene.store.read().unwrap().hold_items(HoldId(1), None, 9).unwrap()[0].hash;
    let content = scene.store.read().unwrap().hold(HoldId(1)).unwrap().unwrap().hash;
    decide(&scene, HoldId(1), true, &[]);
    let mut reader = scene.store.read().unwrap();
    let row = reader.history(mesh(1), None, 1).unwrap().remove(0);
    assert_eq!((row.kind, row.uid, row.after), (ChangeKind::Approve, uid(1), Some(hash)));
    assert_eq!(row.before, format!(r#"{{"content":"{content}","hold":1,"reason":"they moved"}}"#));
    assert_eq!(crate::audit::ChangeRow::from(&row).leaf(), row.leaf);
}

pub fn a_replaced_item_is_not_covered(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in 1..=2 {
        scene.queued(number);
    }
    hold_all(&scene);
    let mut plan = keep(1);
    let action = ItemAction::Create { attributes: person("newer"), create_container: false };
    plan.items.push(item_of(scene.target, action));
    scene.apply(vec![plan]);
    let row = scene.store.read().unwrap().hold(HoldId(1)).unwrap().unwrap();
    assert_eq!((row.waiting, row.withdrawn, sizes(&scene)), (1, 1, vec![(1, 1)]));
    assert_eq!(decide(&scene, HoldId(1), true, &[]), Decided { decided: 1, changed: 1, left: 0 });
}

pub fn a_rejected_change_is_known_again(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    hold_all(&scene);
    decide(&scene, HoldId(1), false, &[]);
    let mut cancelled = keep(1);
    cancelled.cancelled.push(scene.target);
    scene.apply(vec![cancelled]);
    for (text, is_known) in [("exported", true), ("other", false)] {
        let mut plan = keep(1);
        let action = ItemAction::Create { attributes: person(text), create_container: false };
        plan.items.push(item_of(scene.target, action));
        scene.apply(vec![plan]);
        let queue = scene.store.read().unwrap().queue(scene.target).unwrap();
        let known: Vec<HoldId> = queue.rejected.iter().map(|(_, hold)| *hold).collect();
        assert_eq!(known, if is_known { vec![HoldId(1)] } else { vec![] });
        assert_eq!(queue.classes[0].free, u64::from(!is_known));
        let rejected = HoldBatch { rejected: queue.rejected, ..batch(&scene, vec![]) };
        assert_eq!(scene.store.hold(rejected).wait().unwrap(), []);
        if is_known {
            assert_eq!(leased(&scene), [0; 0]);
        }
    }
    assert_eq!(leased(&scene), [1]);
}

/// The create of a mesh object, planned anew.
fn plan_create(scene: &Scene<'_>, number: u64, text: &str) {
    let mut plan = keep(number);
    let action = ItemAction::Create { attributes: person(text), create_container: false };
    plan.items.push(item_of(scene.target, action));
    scene.apply(vec![plan]);
}

fn asked_again(scene: &Scene<'_>) -> Vec<HoldId> {
    let queue = scene.store.read().unwrap().queue(scene.target).unwrap();
    queue.again.iter().map(|(_, hold)| *hold).collect()
}

pub fn what_repeats_a_rejected_change_is_known(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    hold_all(&scene);
    decide(&scene, HoldId(1), false, &[]);
    assert_eq!(asked_again(&scene), []);
    plan_create(&scene, 1, "other");
    assert_eq!(asked_again(&scene), [HoldId(1)]);
    // The newest hold that says so.
    hold_all(&scene);
    assert_eq!(asked_again(&scene), [], "it waits");
    decide(&scene, HoldId(2), false, &[]);
    plan_create(&scene, 1, "once more");
    assert_eq!(asked_again(&scene), [HoldId(2)]);
    // Who approves it in the end takes back both.
    hold_all(&scene);
    decide(&scene, HoldId(3), true, &[]);
    plan_create(&scene, 1, "and again");
    assert_eq!(asked_again(&scene), []);
    let mut reader = scene.store.read().unwrap();
    for hold in [HoldId(1), HoldId(2)] {
        assert_eq!(reader.hold_items(hold, None, 9).unwrap()[0].state, HoldState::Withdrawn);
    }
}

pub fn what_was_left_is_known_when_it_is_planned_anew(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in 1..=3 {
        scene.queued(number);
    }
    hold_all(&scene);
    plan_create(&scene, 2, "before anybody decides");
    assert_eq!(asked_again(&scene), []);
    decide(&scene, HoldId(1), true, &[1]);
    assert_eq!(asked_again(&scene), [HoldId(1)]);
    plan_create(&scene, 3, "afterwards");
    assert_eq!(asked_again(&scene), [HoldId(1); 2]);
    let again = NewHold { again: Some(HoldId(1)), ..new_hold(HoldClass::Export(Operation::Create), vec![]) };
    let queued =
        scene.store.read().unwrap().queued(scene.target, user(), Operation::Create, None, 9).unwrap();
    let item = &queued[queued.len() - 1];
    let item = HoldItem { subject: item.mesh.0, uid: Some(item.uid), item: Some(item.id), hash: item.hash };
    scene.store.hold(batch(&scene, vec![NewHold { items: vec![item], ..again }])).wait().unwrap();
    assert_eq!(scene.store.read().unwrap().hold(HoldId(2)).unwrap().unwrap().again, Some(HoldId(1)));
}

pub fn a_withdrawn_hold_lets_go(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for number in 1..=2 {
        scene.queued(number);
    }
    hold_all(&scene);
    let open = HoldFilter { standing: crate::HoldStanding::Open, connector: Some(scene.target), side: None };
    let list = |filter: &HoldFilter| scene.store.read().unwrap().hold_list(filter, None, 9).unwrap();
    assert_eq!(list(&open).len(), 1);
    let elsewhere = HoldFilter { connector: Some(scene.source), ..HoldFilter::default() };
    assert_eq!(list(&elsewhere), []);
    scene.store.hold(HoldBatch { withdrawn: vec![HoldId(1)], ..batch(&scene, vec![]) }).wait().unwrap();
    assert_eq!((list(&open), leased(&scene)), (vec![], vec![1, 2]));
    assert_eq!(list(&HoldFilter::default())[0].state, HoldState::Withdrawn);
}

pub fn items_that_went_are_not_held(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    scene.lease(10);
    let hash = crate::item_hash(uid(1), user(), Operation::Create, "{}");
    let items = [ItemId(1), ItemId(i64::MAX)];
    let items = items.map(|item| HoldItem { subject: 1, uid: None::<Uid>, item: Some(item), hash });
    let hold = new_hold(HoldClass::Export(Operation::Create), items.to_vec());
    assert_eq!(scene.store.hold(batch(&scene, vec![hold])).wait().unwrap(), []);
    assert_eq!(scene.store.read().unwrap().hold_list(&HoldFilter::default(), None, 9).unwrap(), []);
}

pub fn nothing_is_decided_that_does_not_wait(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    hold_all(&scene);
    let refused = |decision| scene.store.decide(decision).wait().unwrap_err().code;
    assert_eq!(refused(decision(&scene, HoldId(2), true, &[])), "STO-018");
    assert_eq!(refused(decision(&scene, HoldId(1), true, &[1, 7])), "STO-018");
    assert_eq!(
        refused(HoldDecision { reason: " ".into(), ..decision(&scene, HoldId(1), true, &[]) }),
        "STO-018"
    );
    assert_eq!(leased(&scene), [0; 0]);
    decide(&scene, HoldId(1), true, &[]);
    assert_eq!(refused(decision(&scene, HoldId(1), false, &[])), "STO-018");
}

pub fn approved_objects_of_an_import_are_gone(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["a", "b", "c", "d"]);
    scene.linked(1, "E-1", ids[0]);
    let hashes = scene.store.read().unwrap().space_hashes(&ids).unwrap();
    assert_eq!(hashes[0].unwrap().mesh, Some(uid(1)));
    let item = |at: usize| {
        let crate::Hashed { hash, mesh: uid } = hashes[at].unwrap();
        HoldItem { subject: ids[at].0, uid, item: None, hash }
    };
    let hold = new_hold(HoldClass::ImportDelete, (0..3).map(item).collect());
    let connector = scene.source;
    scene.store.hold(HoldBatch { connector, ..batch(&scene, vec![hold]) }).wait().unwrap();
    // One of them changed in between: an import has seen it.
    scene.update(scene.source, update(ids[1], body(&person("changed"))));
    let before = scene.store.read().unwrap().moment().unwrap().change;
    assert_eq!(decide(&scene, HoldId(1), true, &[]), Decided { decided: 2, changed: 1, left: 0 });
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.population(scene.source, user()).unwrap(), 2);
    let gone: Vec<bool> =
        reader.spaces(&ids).unwrap().into_iter().map(|space| space.unwrap().deleted).collect();
    assert_eq!(gone, [true, false, true, false]);
    assert_eq!(reader.decided_gone(before).unwrap(), [ids[0], ids[2]]);
    let after = reader.moment().unwrap().change;
    assert_eq!(reader.decided_gone(after).unwrap(), []);
    let pending = reader.pending(scene.source, crate::Cursor::default(), 9, None).unwrap();
    assert_eq!(pending.len(), 4, "what is gone is news to a sync");
    assert_eq!(reader.history(mesh(1), None, 1).unwrap()[0].kind, ChangeKind::Approve);
    // Who belongs to no mesh object stands in the chain too.
    let row = reader.changes(before, 9).unwrap().pop().unwrap();
    assert_eq!((row.kind, row.mesh, row.connector), (ChangeKind::Approve, mesh(0), Some(scene.source)));
    assert!(row.before.contains(r#""hold":1,"objects":1,"reason":"they moved""#), "{}", row.before);
    assert_eq!(row.after, Some(crate::hold_hash([&item(2)])));
}

pub fn a_type_is_unseen_until_an_import_shows_it(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let is_unseen = || scene.store.read().unwrap().is_unseen(scene.target, user()).unwrap();
    assert!(is_unseen());
    let ids = scene.users(scene.target, &["a"]);
    assert!(!is_unseen());
    scene.store.stage(StageBatch { deletes: ids, ..scene.page(scene.target) }).wait().unwrap();
    assert!(is_unseen());
}
