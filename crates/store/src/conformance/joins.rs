//! Clauses on blocks of fuzzy joins, and on what people decide about joins.

use identitymesh_model::joins::{Bond, DecisionKind, JoinDecision, Member, Move, RulingChange};
use identitymesh_model::plan::{Note, NoteKind, SpacePlan};
use identitymesh_model::{DecisionId, LinkMode, MeshState, Ruling, SpaceId};

use super::Harness;
use super::sample::{Scene, add_key, create, keep, key, link, mesh, person, uid, unlink, user};
use crate::audit::ChangeKind;
use crate::{JoinBatch, StoreClass, SyncBatch};

fn member(scene: &Scene<'_>, external_id: &str) -> Member {
    Member { connector: scene.source, object_type: user(), external_id: external_id.into() }
}

fn said(scene: &Scene<'_>, external_id: &str, number: u64, after: Option<bool>) -> JoinDecision {
    let ruling = RulingChange { member: member(scene, external_id), mesh: uid(number), before: None, after };
    JoinDecision {
        kind: DecisionKind::Never,
        moves: Vec::new(),
        rulings: vec![ruling],
        born: Vec::new(),
        losing: Vec::new(),
        gone: Vec::new(),
    }
}

fn batch(sync: SyncBatch, decision: JoinDecision) -> JoinBatch {
    JoinBatch { sync, decision, reason: "two people".into(), reverts: None }
}

pub fn a_block_says_when_it_holds_too_many(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let block = key(scene.index, "s530");
    let mut plans: Vec<_> = (1..=4).map(|at| create(at, &format!("E-{at}"), person("Ada"))).collect();
    plans.iter_mut().for_each(|plan| plan.keys.push(add_key(block.clone(), true)));
    scene.apply(plans);
    let mut reader = scene.store.read().unwrap();
    let asked = [key(scene.index, "other"), block];
    assert_eq!(reader.blocks(&asked, 2).unwrap(), [vec![], vec![mesh(1), mesh(2), mesh(3)]]);
    assert_eq!(reader.blocks(&asked, 4).unwrap()[1].len(), 4);
}

pub fn mesh_objects_are_read_alone(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let cards = scene.store.read().unwrap().cards(&[mesh(9), mesh(1)]).unwrap();
    assert_eq!(cards[0], None);
    let card = cards[1].as_ref().unwrap();
    assert_eq!((card.mesh_type, card.state, &card.doc), (user(), MeshState::Active, &person("Ada")));
}

pub fn a_decision_is_carried_out_and_kept(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["1"])[0];
    scene.linked(1, "E-1", space);
    scene.apply(vec![create(2, "E-2", person("Bob"))]);
    let (mut loses, mut gains) = (keep(1), keep(2));
    loses.links.push(unlink(space, false));
    gains.links.push(link(space));
    let bond = |number| Bond { mode: LinkMode::Joined, ..Bond::by_hand(uid(number)) };
    let moved = Move { member: member(&scene, "1"), from: Some(bond(1)), to: Some(bond(2)) };
    let mut decision = said(&scene, "1", 2, Some(true));
    (decision.kind, decision.moves) = (DecisionKind::Link, vec![moved]);
    let id =
        scene.store.decide_join(batch(scene.batch(vec![loses, gains]), decision.clone())).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.spaces(&[space]).unwrap()[0].as_ref().unwrap().link.unwrap().mesh, mesh(2));
    let row = reader.decision(id).unwrap().unwrap();
    assert_eq!((row.reason.as_str(), row.actor.as_str(), row.reverted_by), ("two people", "cli", None));
    assert_eq!(row.decision, decision);
    assert_eq!(reader.decision_list(None, 9).unwrap(), [row]);
    assert_eq!(reader.decision_list(Some(id), 9).unwrap(), []);
    for number in [1, 2] {
        let history = reader.history(mesh(number), None, 1).unwrap();
        assert_eq!(history[0].kind, ChangeKind::Decide);
        assert!(history[0].before.contains("two people"));
    }
}

pub fn what_is_said_outlives_the_object(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["1"])[0];
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let decision = said(&scene, "1", 1, Some(false));
    let _ = scene.store.decide_join(batch(scene.batch(Vec::new()), decision)).wait().unwrap();
    let mut purge = scene.batch(Vec::new());
    purge.plan.spaces.push(SpacePlan { space, note: None, waits: vec![], purge: true });
    let _ = scene.store.apply(purge).wait().unwrap();
    let again = scene.users(scene.source, &["1", "2"]);
    let mut reader = scene.store.read().unwrap();
    let records: Vec<_> = reader.spaces(&again).unwrap().into_iter().flatten().collect();
    let never = Ruling { mesh: mesh(1), belongs: false };
    assert_eq!(reader.rulings(&records).unwrap(), [vec![never], vec![]]);
    let asked = [member(&scene, "2"), member(&scene, "1")];
    assert_eq!(reader.rulings_of(&asked).unwrap(), [vec![], vec![(uid(1), false)]]);
    assert_eq!(reader.rulings_on(uid(1)).unwrap(), [(member(&scene, "1"), false)]);
    assert_eq!(reader.rulings_on(uid(2)).unwrap(), []);
}

pub fn a_decision_is_taken_back_once(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let decide = |decision, reverts| {
        let batch = JoinBatch { reverts, ..batch(scene.batch(Vec::new()), decision) };
        scene.store.decide_join(batch).wait()
    };
    let first = decide(said(&scene, "1", 1, Some(false)), None).unwrap();
    let back = decide(said(&scene, "1", 1, None), Some(first)).unwrap();
    for (reverts, what) in [(first, "twice"), (DecisionId(99), "what is not there")] {
        let error = decide(said(&scene, "1", 1, None), Some(reverts)).unwrap_err();
        assert_eq!((error.code, error.class), ("STO-019", StoreClass::Conflict), "{what}");
    }
    let mut reader = scene.store.read().unwrap();
    let rows = reader.decision_list(None, 9).unwrap();
    assert_eq!((rows[0].id, rows[0].reverts, rows[1].reverted_by), (back, Some(first), Some(back)));
    assert_eq!(reader.rulings_of(&[member(&scene, "1")]).unwrap(), [vec![]]);
}

pub fn a_decision_needs_a_reason_and_is_whole_or_nothing(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let decision = || said(&scene, "1", 1, Some(false));
    let silent = JoinBatch { reason: " ".into(), ..batch(scene.batch(Vec::new()), decision()) };
    assert_eq!(scene.store.decide_join(silent).wait().unwrap_err().code, "STO-019");
    let mut plan = keep(1);
    plan.links.push(link(SpaceId(99)));
    let impossible = batch(scene.batch(vec![plan]), decision());
    assert_eq!(scene.store.decide_join(impossible).wait().unwrap_err().class, StoreClass::Conflict);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.decision_list(None, 9).unwrap(), []);
    assert_eq!(reader.rulings_of(&[member(&scene, "1")]).unwrap(), [vec![]]);
}

pub fn conflicts_are_listed_apart(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let spaces = scene.users(scene.source, &["1", "2", "3"]);
    let others = scene.users(scene.target, &["1"]);
    let conflict = || Note {
        candidates: vec![mesh(1), mesh(2)],
        scores: vec![93, 90],
        ..Note::new(NoteKind::Conflict, "two")
    };
    let noted = |space, note| SpacePlan { space, note: Some(note), waits: vec![], purge: false };
    let mut batch = scene.batch(Vec::new());
    batch.plan.spaces = vec![
        noted(spaces[0], conflict()),
        noted(spaces[1], Note::new(NoteKind::Unjoined, "nobody")),
        noted(spaces[2], conflict()),
        noted(others[0], conflict()),
    ];
    let _ = scene.store.apply(batch).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    let mut ids = |connector, after, limit| -> Vec<SpaceId> {
        let rows = reader.conflicts(connector, after, limit).unwrap();
        assert!(rows.iter().all(|row| row.note == Some(conflict())));
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(None, None, 9), [spaces[0], spaces[2], others[0]]);
    assert_eq!(ids(Some(scene.source), Some(spaces[0]), 9), [spaces[2]]);
    assert_eq!(ids(None, None, 1), [spaces[0]]);
}
