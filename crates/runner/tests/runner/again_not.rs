//! Why something was not done at an earlier time: what there was then, by the rules of then, whatever came after.

use std::collections::BTreeMap;

use identitymesh_model::plan::NoteKind;
use identitymesh_model::{Clock as _, MeshId, MeshState, Timestamp};
use identitymesh_runner::{
    LinkDecision, LinkThen, Moment, NotThen, ObjectThen, apply_configuration, not_linked, not_sent,
};

use crate::decisions::{mesh_of, object_of};
use crate::place::{Place, Target, id, name};
use crate::undo::settled;

const PEOPLE: usize = 6;
const DAY: i64 = 24 * 3_600;

fn sent(place: &Place, mesh: MeshId, moment: Moment) -> (i64, ObjectThen) {
    match not_sent(&place.mesh, mesh, moment).unwrap() {
        NotThen::Found { version, told, .. } => (version, told),
        NotThen::Absent => panic!("it was there"),
        NotThen::NotKept(what) => panic!("{what}"),
    }
}

fn linked(place: &Place, number: usize, moment: Moment) -> (i64, LinkThen) {
    match not_linked(&place.mesh, object_of(place, "hr", number), moment).unwrap() {
        NotThen::Found { version, told, .. } => (version, told),
        NotThen::Absent => panic!("it was there"),
        NotThen::NotKept(what) => panic!("{what}"),
    }
}

/// Everything at rest, and the time; the next thing happens later.
async fn rest(place: &Place) -> Timestamp {
    place.good_cycle().await;
    place.good_cycle().await;
    let at = place.clock.now();
    place.pass_seconds(60);
    at
}

#[tokio::test]
async fn what_was_not_sent_is_told_by_the_state_and_rules_of_then() {
    for target in [Target::Flat, Target::Tree] {
        let place = settled(target, PEOPLE).await;
        let mut moments = vec![rest(&place).await];
        assert!(place.hr.set(name("person"), &id(3), name("active"), Some(false.into())));
        moments.push(rest(&place).await);
        place.hr.remove(name("person"), &id(4));
        moments.push(rest(&place).await);
        let meshes: Vec<MeshId> = (0..PEOPLE).map(|number| mesh_of(&place, number)).collect();
        place.pass_seconds(8 * DAY);
        moments.push(rest(&place).await);

        // From here on everybody is in scope, whatever they are.
        let mut configuration = place.configuration();
        configuration.connectors[0].projection[0].scope = None;
        apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
        let last = rest(&place).await;

        for (at, mesh) in moments.iter().flat_map(|at| meshes.iter().map(move |mesh| (*at, *mesh))) {
            let (version, then) = sent(&place, mesh, Moment::At(at));
            assert_eq!((version, then.targets.len()), (1, 1));
            assert_eq!(then.targets[0].planned, None, "{target:?}: at rest nothing was wanted at {at}");
        }
        let why = |number: usize, at| {
            let (_, then) = sent(&place, meshes[number], Moment::At(at));
            (then.view.record.state, then.targets.into_iter().next().unwrap())
        };
        assert_eq!(why(3, moments[0]).1.verdict, "the target holds what it should");
        let (state, reason) = why(3, moments[1]);
        assert_eq!((state, &reason.rules[0].holds), (MeshState::Active, &Ok(false)));
        assert!(reason.verdict.starts_with("it is in no rule's scope"), "{}", reason.verdict);
        assert!(reason.object.is_some() && why(3, moments[3]).1.object.is_none(), "deleted after a week");
        let (state, reason) = why(4, moments[2]);
        assert!(
            matches!(state, MeshState::Leaving { .. }) && reason.verdict.contains("leaving"),
            "{reason:?}"
        );
        let (_, then) = sent(&place, meshes[4], Moment::At(moments[2]));
        assert!(then.holders.iter().all(|holder| !holder.is_source) && then.grace_end.is_some());
        let steps: Vec<bool> = then.leaves[0].steps.iter().map(|(_, _, taken)| *taken).collect();
        assert_eq!(steps, [true, false], "disabled, and not deleted yet");
        assert_eq!(sent(&place, meshes[3], Moment::At(last)).0, 2);
        let before = place.clock.now().saturating_add_seconds(-400 * DAY);
        assert!(matches!(not_sent(&place.mesh, meshes[3], Moment::At(before)).unwrap(), NotThen::Absent));
    }
}

#[tokio::test]
async fn what_was_not_linked_is_told_by_the_rules_of_then() {
    let place = settled(Target::Flat, PEOPLE).await;
    let mut configuration = place.configuration();
    configuration.connectors[1].create[0].when = Some("active".to_owned());
    apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
    place.hire(7..8);
    assert!(place.hr.set(name("person"), &id(7), name("active"), Some(false.into())));
    let unjoined = rest(&place).await;
    let run = place.newest_run().id;
    place.configure().await.unwrap();
    let joined = rest(&place).await;

    for moment in [Moment::At(unjoined), Moment::Run(run)] {
        let (version, then) = linked(&place, 7, moment);
        assert_eq!((version, then.space.link), (2, None));
        let Some(LinkDecision::Stays(note)) = then.decision else { panic!("{:?}", then.decision) };
        assert_eq!(note.kind, NoteKind::Unjoined);
    }
    let (version, then) = linked(&place, 7, Moment::At(joined));
    assert!(version == 3 && then.space.link.is_some() && then.decision.is_none());
    let early = place.clock.now().saturating_add_seconds(-400 * DAY);
    let early = not_linked(&place.mesh, object_of(&place, "hr", 7), Moment::At(early)).unwrap();
    assert!(matches!(early, NotThen::Absent));
}
