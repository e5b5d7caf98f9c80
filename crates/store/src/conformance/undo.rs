//! Clauses on undo: a sync leaves what a person asked for alone, and what was undone is not simply done again.

use identitymesh_model::plan::{ItemAction, ItemPlan, ObjectPlan, Operation};
use identitymesh_model::{ContentHash, SpaceId};

use super::Harness;
use super::sample::{
    Scene, at, body, change, configuration, create, exported, item, item_of, keep, key, link, mesh, person,
    uid, update, user,
};
use crate::audit::ChangeKind;
use crate::{
    ConfigurationWrite, HoldBatch, HoldClass, HoldState, ItemFilter, Settle, Todo, UndoBatch, UndoItem,
    UndoNext, UndoReceipt, item_hash,
};

fn action(text: &str) -> ItemAction {
    ItemAction::Create { attributes: person(text), create_container: false }
}

fn hash_of(number: u64, operation: Operation, action: &ItemAction) -> ContentHash {
    item_hash(uid(number), user(), operation, &text_of(action))
}

fn text_of(action: &ItemAction) -> String {
    serde_json::to_string(action).unwrap()
}

fn undo_item(number: u64, seen: Option<(SpaceId, ContentHash)>) -> UndoItem {
    let action = match seen {
        Some((space, _)) => ItemAction::Delete { space },
        None => action("back"),
    };
    let operation = if seen.is_some() { Operation::Delete } else { Operation::Create };
    UndoItem {
        mesh: mesh(number),
        uid: uid(number),
        rule: super::sample::RULE,
        object_type: user(),
        operation,
        action,
        seen,
        names: Vec::new(),
        next: None,
    }
}

fn undo(scene: &Scene<'_>, items: Vec<UndoItem>) -> UndoReceipt {
    let (cause, connector, reason) = (scene.cause(6), scene.target, "run 1: a mistake".to_owned());
    scene.store.undo(UndoBatch { cause, connector, items, reason }).wait().unwrap()
}

fn waiting(scene: &Scene<'_>) -> Vec<ItemAction> {
    let list = scene.store.read().unwrap().item_list(&ItemFilter::default(), None, 9).unwrap();
    list.items.into_iter().map(|item| item.action).collect()
}

pub fn an_undo_is_queued_and_in_the_audit(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let receipt = undo(&scene, vec![undo_item(1, None)]);
    assert_eq!((receipt.queued, receipt.moved.len(), receipt.holds.len()), (1, 0, 0));
    let mut reader = scene.store.read().unwrap();
    let row = reader.history(mesh(1), None, 1).unwrap().remove(0);
    assert_eq!((row.kind, row.before.as_str()), (ChangeKind::Undo, r#"{"undo":"run 1: a mistake"}"#));
    assert_eq!(row.after, Some(hash_of(1, Operation::Create, &action("back"))));
    assert!(reader.views(&[mesh(1)]).unwrap()[0].as_ref().unwrap().items[0].by_hand);
    drop(reader);
    assert_eq!(scene.lease(10).items[0].action, action("back"));
}

pub fn a_plan_neither_replaces_nor_cancels_it(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.queued(1);
    undo(&scene, vec![undo_item(1, None)]);
    assert_eq!(waiting(&scene), [action("back")], "it takes the place of what waited");
    let mut other = keep(1);
    other.items.push(item(scene.target));
    scene.apply(vec![other]);
    let mut cancelled = keep(1);
    cancelled.cancelled.push(scene.target);
    scene.apply(vec![cancelled]);
    assert_eq!(waiting(&scene), [action("back")]);
    assert_eq!(scene.todos(99), [Todo::Mesh(mesh(1))], "it is looked at again");
    undo(&scene, vec![UndoItem { action: action("again"), ..undo_item(1, None) }]);
    assert_eq!(waiting(&scene), [action("again")], "another undo takes its place");
}

pub fn a_dead_undo_is_replaced_like_any_other(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    undo(&scene, vec![undo_item(1, None)]);
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Dead { code: "XPT-001".into(), reason: "no".into() });
    let mut other = keep(1);
    other.items.push(item(scene.target));
    scene.apply(vec![other]);
    assert_eq!(waiting(&scene), [action("exported")]);
}

pub fn its_mesh_object_is_looked_at_when_it_is_done(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    undo(&scene, vec![undo_item(1, None)]);
    let lease = scene.lease(10);
    let state = exported("CN=Ada", "Ada");
    let rule = super::sample::RULE;
    scene.settle(
        &lease,
        1,
        Settle::Created { rule, state, is_ours: true, owes_password: false, row: scene.export_row(1) },
    );
    assert_eq!(scene.todos(99), [Todo::Mesh(mesh(1))]);
}

pub fn what_moved_since_is_left_out(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    scene.linked(1, "E-1", space);
    let hash = scene.store.read().unwrap().space_hashes(&[space]).unwrap()[0].unwrap().hash;
    let left_out = |receipt: UndoReceipt| (receipt.queued, receipt.moved);
    // There is an object by now; there is another mesh object; there is none at all.
    assert_eq!(left_out(undo(&scene, vec![undo_item(1, None)])), (0, vec![mesh(1)]));
    assert_eq!(left_out(undo(&scene, vec![undo_item(2, None)])), (0, vec![mesh(2)]));
    scene.apply(vec![create(2, "E-2", person("Bob"))]);
    assert_eq!(left_out(undo(&scene, vec![undo_item(2, Some((space, hash)))])), (0, vec![mesh(2)]));
    assert_eq!(left_out(undo(&scene, vec![undo_item(1, Some((space, hash)))])), (1, vec![]));
    // On its way: nobody knows what the target holds.
    scene.lease(10);
    assert_eq!(left_out(undo(&scene, vec![undo_item(1, Some((space, hash)))])), (0, vec![mesh(1)]));
    scene.update(scene.target, update(space, body(&person("changed"))));
    assert_eq!(left_out(undo(&scene, vec![undo_item(1, Some((space, hash)))])), (0, vec![mesh(1)]));
}

pub fn what_would_be_done_again_is_rejected_until_it_is_undone_itself(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    let mut plan = create(1, "E-1", person("Ada"));
    plan.links.push(link(space));
    scene.apply(vec![plan]);
    let hash = scene.store.read().unwrap().space_hashes(&[space]).unwrap()[0].unwrap().hash;
    let next = UndoNext {
        object_type: user(),
        operation: Operation::Create,
        action: text_of(&action("exported")),
        hash: hash_of(1, Operation::Create, &action("exported")),
    };
    let asked = UndoItem { next: Some(next), ..undo_item(1, Some((space, hash))) };
    let hold = undo(&scene, vec![asked]).holds[0];
    let row = scene.store.read().unwrap().hold(hold).unwrap().unwrap();
    assert_eq!((row.state, row.rejected, row.waiting), (HoldState::Rejected, 1, 0));
    assert_eq!((row.class, row.at), (HoldClass::Export(Operation::Create), at(6)));
    assert_eq!(row.decisions[0].reason, "run 1: a mistake");
    let lease = scene.lease(10);
    scene.settle(&lease, 1, Settle::Deleted { space, row: scene.export_row(1) });
    let mut again = change(1, 1, "E-1", person("Ada"));
    again.items.push(item_of(scene.target, action("exported")));
    scene.apply(vec![again]);
    let rejected = scene.store.read().unwrap().queue(scene.target).unwrap().rejected;
    assert_eq!(rejected.iter().map(|(_, hold)| *hold).collect::<Vec<_>>(), [hold]);
    let (holds, withdrawn, returned) = (Vec::new(), Vec::new(), Vec::new());
    let batch =
        HoldBatch { cause: scene.cause(7), connector: scene.target, holds, rejected, withdrawn, returned };
    scene.store.hold(batch).wait().unwrap();
    assert_eq!(scene.lease(20).items, []);
    // The undo of the undo: the same content is wanted by a person now.
    assert_eq!(undo(&scene, vec![UndoItem { action: action("exported"), ..undo_item(1, None) }]).queued, 1);
    assert_eq!(scene.store.read().unwrap().queue(scene.target).unwrap().rejected, []);
    assert_eq!(scene.lease(30).items.len(), 1);
}

pub fn what_was_undone_is_the_same_wish_in_another_spelling(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let hash = hash_of(1, Operation::Create, &action("as foreseen"));
    let known = text_of(&action("as foreseen"));
    let next = UndoNext { object_type: user(), operation: Operation::Create, action: known, hash };
    let hold = undo(&scene, vec![UndoItem { next: Some(next), ..undo_item(1, None) }]).holds[0];
    let rejected = |scene: &Scene<'_>| {
        let queue = scene.store.read().unwrap().queue(scene.target).unwrap();
        queue.rejected.iter().map(|(_, hold)| *hold).collect::<Vec<_>>()
    };
    assert_eq!(rejected(&scene), [], "what a person asked for is not what would be done again");
    let lease = scene.lease(10);
    let (state, rule) = (exported("CN=Ada", "Ada"), super::sample::RULE);
    scene.settle(
        &lease,
        1,
        Settle::Created { rule, state, is_ours: true, owes_password: false, row: scene.export_row(1) },
    );
    let wanted = |mut plan: ObjectPlan, operation| {
        plan.items.push(ItemPlan { operation, ..item_of(scene.target, action("spelled otherwise")) });
        scene.apply(vec![plan]);
        rejected(&scene)
    };
    assert_eq!(wanted(keep(1), Operation::Create), [hold]);
    assert_eq!(wanted(keep(1), Operation::Disable), [], "another operation is another wish");
    assert_eq!(
        wanted(change(1, 1, "E-1", person("Ada Byron")), Operation::Create),
        [],
        "so is another person"
    );
    assert_eq!(wanted(change(1, 2, "E-1", person("Ada")), Operation::Create), [hold]);
    let _ = scene
        .store
        .configure(ConfigurationWrite { body: "[]".into(), ..configuration(&["hr", "ad"], &[]) })
        .wait();
    assert_eq!(rejected(&scene), [], "and other rules");
}

pub fn a_name_that_comes_back_is_nobody_else_s(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let users = scene.users(scene.source, &["a", "b"]);
    scene.linked(1, "E-1", users[0]);
    scene.linked(2, "E-2", users[1]);
    let named = |number| UndoItem { names: vec![key(scene.index, "smith")], ..undo_item(number, None) };
    assert_eq!(undo(&scene, vec![named(1)]).queued, 1);
    let mut reader = scene.store.read().unwrap();
    assert!(reader.is_taken(&key(scene.index, "smith"), mesh(2)).unwrap());
    assert!(!reader.is_taken(&key(scene.index, "smith"), mesh(1)).unwrap());
    let receipt = undo(&scene, vec![named(2)]);
    assert_eq!((receipt.queued, receipt.moved), (0, vec![mesh(2)]));
}
