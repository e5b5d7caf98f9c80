//! Limits for a part of a target's objects: a container, an attribute, an object type.

use identitymesh_model::Value;
use identitymesh_model::plan::Operation;
use identitymesh_model::rules::{HoldClass, Limit, Limits, LimitsWithin};
use identitymesh_runner::{RunReport, apply_configuration};
use identitymesh_store::{HoldFilter, HoldRow, RunState};

use crate::place::{Place, Target, id, name};

const PEOPLE: usize = 200;
/// Whose number ends with 0 works on the ward.
const PLACES: &str = "Iif(EndsWith(employeeId, '0'), 'ou=ward,ou=people,dc=x', 'ou=people,dc=x')";

async fn settled(target: Target, limits: Limits) -> Place {
    let place = Place::new(target, PEOPLE).await;
    let mut configuration = place.configuration();
    let known = configuration.connectors.iter_mut().find(|known| known.connector.name == name("accounts"));
    let known = known.unwrap();
    known.connector.limits = limits;
    if target == Target::Tree {
        known.projection[0].container = Some(PLACES.to_owned());
    }
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
    place.good_cycle().await;
    place
}

fn at_most(count: u64) -> Option<Limit> {
    Some(Limit { percent: None, count: Some(count) })
}

fn set(place: &Place, numbers: impl Iterator<Item = usize>, attribute: &str, value: Option<Value>) {
    for number in numbers {
        assert!(place.hr.set(name("person"), &id(number), name(attribute), value.clone().map(Into::into)));
    }
}

fn count(place: &Place, attribute: &str, value: Option<&Value>) -> usize {
    place
        .accounts
        .objects()
        .iter()
        .filter(|object| object.attributes.single(name(attribute)) == value)
        .count()
}

fn holds(place: &Place) -> Vec<HoldRow> {
    place.mesh.store.read().unwrap().hold_list(&HoldFilter::default(), None, 100).unwrap()
}

async fn exported(place: &Place) -> RunReport {
    let report = place.good_cycle().await;
    report.runs.into_iter().find(|run| run.step == "export").unwrap()
}

#[tokio::test]
async fn a_container_over_its_limit_is_held_and_the_rest_of_the_tree_is_not() {
    let ward = LimitsWithin {
        container: Some("OU=Ward,OU=People,DC=x".into()),
        disable: Some(Limit { percent: Some(60), count: None }),
        ..LimitsWithin::default()
    };
    let place = settled(Target::Tree, Limits { within: vec![ward], ..Limits::default() }).await;
    set(&place, (0..150).step_by(10).chain([1, 2, 3]), "active", Some(false.into()));
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("held"), run.count("disable")), (RunState::Held, 15, 3));
    let hold = holds(&place).remove(0);
    assert_eq!(hold.within.as_deref(), Some("below OU=Ward,OU=People,DC=x"));
    assert_eq!((hold.size, hold.population, hold.allowed), (15, 20, 12));
    let common = hold.common.join("; ");
    for wanted in ["all 15 below ou=ward,ou=people,dc=x", "(sync of hr)", "all 15 by "] {
        assert!(common.contains(wanted), "{wanted}: {common}");
    }
    assert!(run.message.unwrap().contains("[[connector.limits.within]]"));
    // Within the limit of the container again, and nobody had decided.
    set(&place, [0, 10, 20].into_iter(), "active", Some(true.into()));
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("disable")), (RunState::Succeeded, 12));
}

#[tokio::test]
async fn what_a_container_lets_go_may_still_be_too_much_for_the_target() {
    let ward = LimitsWithin {
        container: Some("ou=ward,ou=people,dc=x".into()),
        disable: at_most(12),
        ..LimitsWithin::default()
    };
    let place = settled(Target::Tree, Limits { within: vec![ward], ..Limits::default() }).await;
    set(&place, (0..150).step_by(10), "active", Some(false.into()));
    assert_eq!(exported(&place).await.count("held"), 15);
    // Three come back to the ward, and twenty others go: over the limit of everybody, no longer over the ward's.
    set(&place, [0, 10, 20].into_iter(), "active", Some(true.into()));
    set(&place, (1..200).step_by(10), "active", Some(false.into()));
    let run = exported(&place).await;
    assert_eq!(
        (run.state, run.count("disable"), count(&place, "state", Some(&"off".into()))),
        (RunState::Held, 0, 0)
    );
    let open: Vec<_> = holds(&place).into_iter().filter(|hold| hold.waiting > 0).collect();
    assert_eq!((open.len(), open[0].waiting, open[0].within.as_deref()), (1, 32, None));
}

#[tokio::test]
async fn an_attribute_that_would_be_emptied_is_held_and_its_other_changes_flow() {
    let mail = LimitsWithin { attribute: Some(name("mail")), clear: at_most(12), ..LimitsWithin::default() };
    let place = settled(Target::Flat, Limits { within: vec![mail], ..Limits::default() }).await;
    set(&place, 0..15, "mail", None);
    set(&place, 20..60, "mail", Some("new@corp.example".into()));
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("held"), run.count("update")), (RunState::Held, 15, 40));
    assert_eq!(
        (count(&place, "mail", None), count(&place, "mail", Some(&"new@corp.example".into()))),
        (0, 40)
    );
    let hold = holds(&place).remove(0);
    assert_eq!(
        (hold.class, hold.within.as_deref(), hold.size),
        (HoldClass::Clear, Some("attribute mail"), 15)
    );
    assert!(run.message.unwrap().contains("would lose a value (attribute mail)"));
}

#[tokio::test]
async fn a_type_may_have_limits_of_its_own() {
    let accounts = LimitsWithin {
        object_type: Some(name("account")),
        disable: Some(Limit { percent: None, count: None }),
        ..LimitsWithin::default()
    };
    let limits = Limits { within: vec![accounts], ..Limits::default() };
    assert!(limits.of(name("account"), HoldClass::Export(Operation::Delete)).is_some());
    let place = settled(Target::Flat, limits).await;
    set(&place, 0..100, "active", Some(false.into()));
    let run = exported(&place).await;
    assert_eq!((run.state, run.count("disable")), (RunState::Succeeded, 100));
}
