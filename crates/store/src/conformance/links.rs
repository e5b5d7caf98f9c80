//! Clauses on links and join keys.

use identitymesh_model::plan::LinkChange;
use identitymesh_model::{Link, LinkMode, RuleId, SpaceId};

use super::Harness;
use super::sample::{RULE, Scene, add_key, create, keep, key, link, mesh, person, unlink};
use crate::StoreClass;

pub fn a_link_reads_back_from_both_ends(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let source = scene.users(scene.source, &["E-1"])[0];
    let target = scene.users(scene.target, &["CN=Ada"])[0];
    let mut plan = create(1, "E-1", person("Ada"));
    plan.links = vec![link(target), link(source)];
    scene.apply(vec![plan]);
    let mut reader = scene.store.read().unwrap();
    let view = reader.views(&[mesh(1)]).unwrap()[0].clone().unwrap();
    assert_eq!(view.linked.iter().map(|record| record.id).collect::<Vec<_>>(), [source, target]);
    let expected = Link { mesh: mesh(1), rule: RULE, mode: LinkMode::Joined, score: None };
    assert!(view.linked.iter().all(|record| record.link == Some(expected)));
    assert_eq!(reader.unlinked_after(scene.source, SpaceId(0), 10).unwrap(), []);
    assert_eq!(reader.spaces(&[source]).unwrap()[0].as_ref().unwrap().link, Some(expected));
}

pub fn links_are_counted_by_their_rules(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    for (number, space) in (1..).zip(scene.users(scene.source, &["E-1", "E-2", "E-3"])) {
        scene.linked(number, &format!("E-{number}"), space);
    }
    let by_hand = scene.users(scene.target, &["CN=Ada"])[0];
    let mut plan = keep(1);
    let LinkChange::Add { matched, score, .. } = link(by_hand) else { panic!("a link begins") };
    let (rule, mode) = (RuleId::BY_HAND, LinkMode::Manual);
    plan.links.push(LinkChange::Add { space: by_hand, rule, mode, matched, score });
    scene.apply(vec![plan]);
    let counted = scene.store.read().unwrap().links_by_rule().unwrap();
    assert_eq!(counted, [(RuleId::BY_HAND, LinkMode::Manual, 1), (RULE, LinkMode::Joined, 3)]);
}

pub fn a_link_moves_within_one_plan(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    scene.linked(1, "E-1", space);
    let mut gains = create(2, "E-2", person("Bob"));
    gains.links.push(link(space));
    let mut loses = keep(1);
    loses.links.push(unlink(space, false));
    scene.apply(vec![gains, loses]);
    let mut reader = scene.store.read().unwrap();
    let views = reader.views(&[mesh(1), mesh(2)]).unwrap();
    assert_eq!(views[0].as_ref().unwrap().linked, []);
    assert_eq!(views[1].as_ref().unwrap().linked[0].id, space);
}

pub fn a_linked_object_is_not_linked_again(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    scene.linked(1, "E-1", space);
    let mut plan = create(2, "E-2", person("Bob"));
    plan.links.push(link(space));
    let error = scene.store.apply(scene.batch(vec![plan])).wait().unwrap_err();
    assert_eq!(error.class, StoreClass::Conflict);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.views(&[mesh(2)]).unwrap(), [None]);
    assert_eq!(reader.spaces(&[space]).unwrap()[0].as_ref().unwrap().link.unwrap().mesh, mesh(1));
}

pub fn a_missing_object_cannot_be_linked(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut plan = create(1, "E-1", person("Ada"));
    plan.links.push(link(SpaceId(99)));
    let error = scene.store.apply(scene.batch(vec![plan])).wait().unwrap_err();
    assert_eq!(error.class, StoreClass::Conflict);
    assert_eq!(scene.store.read().unwrap().views(&[mesh(1)]).unwrap(), [None]);
}

pub fn a_missing_link_cannot_end(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.source, &["E-1"])[0];
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    let mut plan = keep(1);
    plan.links.push(unlink(space, true));
    let error = scene.store.apply(scene.batch(vec![plan])).wait().unwrap_err();
    assert_eq!(error.class, StoreClass::Conflict);
    assert!(scene.store.read().unwrap().spaces(&[space]).unwrap()[0].is_some());
}

pub fn an_object_is_purged_with_its_link(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let spaces = scene.users(scene.source, &["E-1", "E-2"]);
    scene.linked(1, "E-1", spaces[0]);
    let mut plan = keep(1);
    plan.links.push(unlink(spaces[0], true));
    let mut batch = scene.batch(vec![plan]);
    let gone =
        identitymesh_model::plan::SpacePlan { space: spaces[1], note: None, waits: vec![], purge: true };
    batch.plan.spaces.push(gone);
    let _ = scene.store.apply(batch).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.spaces(&spaces).unwrap(), [None, None]);
    assert_eq!(reader.views(&[mesh(1)]).unwrap()[0].as_ref().unwrap().linked, []);
    drop(reader);
    let again = scene.users(scene.source, &["E-1"])[0];
    assert!(again > spaces[1], "an id is not given to another object");
}

pub fn join_keys_begin_and_end(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let (one, other) = (key(scene.index, "e-1"), key(scene.addresses, "e-1"));
    let mut plans = vec![create(1, "E-1", person("Ada")), create(2, "E-2", person("Bob"))];
    plans.iter_mut().for_each(|plan| plan.keys.push(add_key(one.clone(), true)));
    scene.apply(plans);
    let asked = [other.clone(), one.clone(), key(scene.index, "E-1")];
    let found = scene.store.read().unwrap().candidates(&asked).unwrap();
    assert_eq!(found, [vec![], vec![mesh(1), mesh(2)], vec![]]);
    let mut plan = keep(1);
    plan.keys = vec![add_key(one.clone(), false), add_key(other.clone(), true)];
    scene.apply(vec![plan]);
    let found = scene.store.read().unwrap().candidates(&[one, other]).unwrap();
    assert_eq!(found, [vec![mesh(2)], vec![mesh(1)]]);
}
