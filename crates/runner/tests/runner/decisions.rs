//! Decisions about joins over real runs: the past stays what it was, and an undo leaves alone what changed hands.

use std::collections::BTreeMap;

use identitymesh_model::{
    Clock as _, DecisionId, LinkMode, MeshId, MeshState, Object, SpaceId, SpaceRecord, Timestamp, Uid,
};
use identitymesh_runner::{
    Agreement, JoinAsk, JoinDecided, LinkDecision, Moment, RunError, UndoScope, again, decide_join,
    plan_undo, undo, why_link,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, linked_at, mesh_at};

use crate::place::{Place, Target, id, name};
use crate::undo::{accounts, exports_after, settled};

const PEOPLE: usize = 6;
pub(crate) const A_WEEK_AND_A_DAY: i64 = 8 * 24 * 3_600;

/// A mesh object with what is linked to it, without what differs between two ways of asking.
pub(crate) type Shape = (Object, MeshState, BTreeMap<SpaceId, (bool, Object, Option<LinkMode>)>);
pub(crate) type Shapes = BTreeMap<Uid, Shape>;

fn shape(doc: Object, state: MeshState, linked: Vec<SpaceRecord>) -> Shape {
    let linked = linked.into_iter().map(|space| {
        let mode = space.link.map(|link| link.mode);
        (space.id, (space.deleted, space.doc, mode))
    });
    (doc, state, linked.collect())
}

pub(crate) fn now(place: &Place) -> Shapes {
    let mut reader = place.mesh.store.read().unwrap();
    let ids = reader.mesh_after(MeshId(0), 1_000).unwrap();
    let views = reader.views(&ids).unwrap().into_iter().flatten();
    views.map(|view| (view.record.uid, shape(view.record.doc, view.record.state, view.linked))).collect()
}

fn at(place: &Place, moment: Timestamp) -> Shapes {
    let mut reader = place.mesh.store.read().unwrap();
    let mut ids = reader.mesh_after(MeshId(0), 1_000).unwrap();
    ids.extend(reader.purges(0, 1_000).unwrap().into_iter().map(|row| row.mesh));
    let mut shapes = Shapes::new();
    for id in ids {
        let Some(past) = mesh_at(reader.as_mut(), id, Cut::At(moment)).unwrap() else { continue };
        let linked = linked_at(reader.as_mut(), id, Cut::At(moment)).unwrap();
        let twice = shapes.insert(past.uid, shape(past.doc, past.state, linked));
        assert_eq!(twice, None, "one public id, one mesh object at a time");
    }
    shapes
}

pub(crate) fn mesh_of(place: &Place, number: usize) -> MeshId {
    let ids = place.mesh.store.read().unwrap().mesh_find(&id(number), 2).unwrap();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0]
}

pub(crate) fn object_of(place: &Place, connector: &str, number: usize) -> SpaceId {
    let connector = place.mesh.in_force().unwrap().id(name(connector)).unwrap();
    let ids = place.mesh.store.read().unwrap().space_find(connector, &id(number)).unwrap();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0]
}

async fn decide(place: &Place, ask: JoinAsk) -> Result<JoinDecided, RunError> {
    decide_join(&place.mesh, ask, "two numbers, one person".to_owned()).await
}

async fn revert(place: &Place, decision: DecisionId) {
    decide(place, JoinAsk::Revert(decision)).await.unwrap();
}

/// What the mesh was, by the time at which it was looked at.
#[derive(Default)]
struct Diary(Vec<(Timestamp, Shapes)>);

impl Diary {
    fn write(&mut self, place: &Place) {
        self.0.push((place.clock.now(), now(place)));
        place.pass_seconds(60);
    }

    async fn cycle(&mut self, place: &Place) {
        place.good_cycle().await;
        self.write(place);
        place.pass_seconds(A_WEEK_AND_A_DAY);
        place.good_cycle().await;
        self.write(place);
    }
}

#[tokio::test]
async fn the_past_is_what_it_was_across_a_merge_a_split_and_their_taking_back() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let mut diary = Diary::default();
        diary.write(&place);
        let (one, two) = (mesh_of(&place, 1), mesh_of(&place, 2));
        let merge = decide(&place, JoinAsk::Merge(one, two)).await.unwrap();
        diary.write(&place);
        diary.cycle(&place).await;
        assert_eq!(now(&place).len(), PEOPLE - 1, "the other one is gone for good once its account is");
        let row = object_of(&place, "hr", 2);
        let split = decide(&place, JoinAsk::Split(one, vec![row], None)).await.unwrap();
        diary.write(&place);
        diary.cycle(&place).await;
        assert_eq!(accounts(&place).len(), PEOPLE);
        revert(&place, split.id).await;
        diary.write(&place);
        diary.cycle(&place).await;
        revert(&place, merge.id).await;
        diary.write(&place);
        diary.cycle(&place).await;
        let (begin, end) = (&diary.0[0].1, now(&place));
        assert_eq!(begin.keys().collect::<Vec<_>>(), end.keys().collect::<Vec<_>>(), "with its public id");

        for (moment, seen) in &diary.0 {
            assert_eq!(&at(&place, *moment), seen, "{target:?} at {moment}");
        }
        let rows = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
        for row in rows.iter().filter(|row| matches!(row.kind, ChangeKind::Create | ChangeKind::Update)) {
            let made = again(&place.mesh, row.mesh, Moment::Row(row.seq)).unwrap().unwrap();
            assert_eq!(made.agreement, Agreement::Same, "row {} {:?}: {}", row.seq, row.kind, made.text);
        }
        let decided = rows.iter().filter(|row| row.kind == ChangeKind::Decide && row.mesh == one);
        assert_eq!(decided.count(), 4, "each decision is in the history of whom it is about");
    }
}

#[tokio::test]
async fn what_changed_hands_is_not_undone_for_whoever_had_it() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let before = place.newest_run().id;
        assert!(place.hr.set(name("person"), &id(0), name("sn"), Some("Wrong".into())));
        place.good_cycle().await;
        let scope = UndoScope::Run(exports_after(&place, before)[0]);
        let plan = plan_undo(&place.mesh, &scope).unwrap();
        assert_eq!((plan.entries.len(), plan.stays.len()), (1, 0));

        let mesh = mesh_of(&place, 0);
        let account = plan.entries[0].seen.unwrap().0;
        let anchor = Some("X-0".into());
        let split = decide(&place, JoinAsk::Split(mesh, vec![account], anchor)).await.unwrap();
        let plan = plan_undo(&place.mesh, &scope).unwrap();
        assert_eq!(plan.entries, []);
        assert_eq!(plan.stays[0].why, "its object there does not belong to it any more");

        revert(&place, split.id).await;
        let plan = plan_undo(&place.mesh, &scope).unwrap();
        assert_eq!((plan.entries.len(), plan.stays.len()), (1, 0), "it is theirs again");
    }
}

#[tokio::test]
async fn nothing_changes_hands_while_an_undo_waits() {
    let place = settled(Target::Flat, PEOPLE).await;
    let before = place.newest_run().id;
    assert!(place.hr.set(name("person"), &id(0), name("sn"), Some("Wrong".into())));
    place.good_cycle().await;
    undo(&place.mesh, &UndoScope::Run(exports_after(&place, before)[0]), None, "a mistake").unwrap();
    let ask = JoinAsk::Merge(mesh_of(&place, 1), mesh_of(&place, 0));
    let refused = decide(&place, ask.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("RUN-019") && refused.contains("an undo of user p00000 waits"), "{refused}");
    place.export().await.unwrap();
    decide(&place, ask).await.unwrap();
}

#[tokio::test]
async fn why_not_linked_says_what_people_said() {
    let place = settled(Target::Flat, PEOPLE).await;
    let row = object_of(&place, "hr", 3);
    let uid = {
        let mut reader = place.mesh.store.read().unwrap();
        reader.views(&[mesh_of(&place, 3)]).unwrap().remove(0).unwrap().record.uid
    };
    decide(&place, JoinAsk::Unlink(row)).await.unwrap();
    let reason = why_link(&place.mesh, row).unwrap().unwrap();
    assert_eq!(reason.rulings, [(uid, false)]);
    assert!(reason.link.is_none(), "{reason:?}");
    assert!(matches!(reason.decision, Some(LinkDecision::Stays(_))), "its anchor is another's: {reason:?}");

    decide(&place, JoinAsk::Link(row, mesh_of(&place, 4))).await.unwrap();
    let reason = why_link(&place.mesh, row).unwrap().unwrap();
    let link = reason.link.unwrap().link;
    assert_eq!(
        (link.mode, link.matched.as_str(), reason.decision),
        (LinkMode::Manual, "linked by hand", None)
    );
    assert_eq!(reason.rulings.iter().filter(|(_, belongs)| *belongs).count(), 1);
}
