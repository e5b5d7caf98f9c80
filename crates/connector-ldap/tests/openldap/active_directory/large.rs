//! Groups with more members than a controller takes in one request.

use std::collections::BTreeSet;

use identitymesh_connector::{AttributeChange, Identity, Outcome};
use identitymesh_model::{Object, Value, Values};

use super::fake::Fake;
use super::limits::{group, session};
use super::support::Followed;
use crate::support::{add_remove, create, name, object, replace, send_one, update};

const COUNT: usize = 12_001;
const GROUP: &str = "CN=g,DC=t";

fn members() -> Values {
    Values::set((0..COUNT).map(|at| Value::reference(format!("CN=u{at},DC=t"))).collect()).unwrap()
}

fn whole() -> Object {
    object(&[("dn", Values::from(GROUP)), ("member", members())])
}

fn fill() -> Vec<AttributeChange> {
    vec![replace("member", None, Some(members()))]
}

/// What the controller holds: how many members, and how many different ones.
fn held(fake: &Fake) -> (usize, usize) {
    let world = fake.world();
    let entry = world.entries.iter().find(|(dn, _)| dn == GROUP).expect("the group is there");
    let members = entry.1.iter().find(|(name, _)| name == "member").map_or(&[][..], |(_, values)| values);
    (members.len(), members.iter().collect::<BTreeSet<_>>().len())
}

async fn empty_group() -> (Fake, Identity) {
    let fake = Fake::start(vec![group(0)]);
    fake.world()
        .entries
        .iter_mut()
        .for_each(|(_, attributes)| attributes.retain(|(_, held)| !held.is_empty()));
    let identity = Followed::full(session(&fake).await.as_mut(), &["group"]).await.identity(GROUP);
    (fake, identity)
}

#[tokio::test]
async fn a_new_group_may_have_any_number_of_members() {
    let fake = Fake::start(Vec::new());
    let outcome = send_one(session(&fake).await.as_mut(), "group", create(whole())).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(&fake), (COUNT, COUNT));
    assert_eq!(fake.world().writes, 13, "a thousand members in each request");
}

#[tokio::test]
async fn a_creation_that_was_broken_off_goes_on_where_it_was() {
    let fake = Fake::start(Vec::new());
    fake.world().writes_left = Some(4);
    let mut session = session(&fake).await;
    let outcome = send_one(session.as_mut(), "group", create(whole())).await;
    let Outcome::Applied(written) = outcome else { panic!("{outcome:?}") };
    let told = written.object.expect("what is there is told, so that the rest is the next change");
    assert_eq!(told.attributes.get(name("member")).unwrap().as_slice().len(), 4_000);
    assert_eq!(held(&fake), (4_000, 4_000));
    fake.world().writes_left = None;
    let outcome = send_one(session.as_mut(), "group", create(whole())).await;
    assert!(matches!(outcome, Outcome::AlreadySo(_)), "{outcome:?}");
    assert_eq!(held(&fake), (COUNT, COUNT));
    // A group of that name with a member that nobody asked for is another's.
    let mut smaller = whole();
    let some = members().as_slice()[1..].to_vec();
    smaller.put(name("member"), Values::set(some));
    let outcome = send_one(session.as_mut(), "group", create(smaller)).await;
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{outcome:?}");
    assert_eq!(held(&fake), (COUNT, COUNT));
}

#[tokio::test]
async fn a_first_fill_that_was_broken_off_goes_on_where_it_was() {
    let (fake, identity) = empty_group().await;
    fake.world().writes_left = Some(3);
    let mut session = session(&fake).await;
    let outcome = send_one(session.as_mut(), "group", update(&identity, fill())).await;
    assert!(matches!(outcome, Outcome::Transient { .. }), "{outcome:?}");
    assert_eq!(held(&fake), (3_000, 3_000));
    fake.world().writes_left = None;
    let outcome = send_one(session.as_mut(), "group", update(&identity, fill())).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!((held(&fake), fake.world().writes), ((COUNT, COUNT), 13));
    let outcome = send_one(session.as_mut(), "group", update(&identity, fill())).await;
    assert!(matches!(outcome, Outcome::AlreadySo(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_empty_group_is_filled_at_once_and_emptied_again() {
    let (fake, identity) = empty_group().await;
    let mut session = session(&fake).await;
    let outcome = send_one(session.as_mut(), "group", update(&identity, fill())).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!((held(&fake), fake.world().writes), ((COUNT, COUNT), 13));
    let texts: Vec<String> =
        members().as_slice().iter().map(|member| member.as_text().unwrap().to_owned()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let empty = vec![add_remove("member", &[], &texts)];
    let outcome = send_one(session.as_mut(), "group", update(&identity, empty)).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(&fake), (0, 0));
}

#[tokio::test]
async fn a_first_fill_leaves_a_group_alone_that_somebody_else_filled() {
    let (fake, identity) = empty_group().await;
    let foreign = ("member".to_owned(), vec![b"CN=somebody,DC=t".to_vec()]);
    fake.world()
        .entries
        .iter_mut()
        .filter(|(dn, _)| dn == GROUP)
        .for_each(|(_, held)| held.push(foreign.clone()));
    let outcome = send_one(session(&fake).await.as_mut(), "group", update(&identity, fill())).await;
    assert!(matches!(&outcome, Outcome::Conflict { reason, .. } if reason.contains("member")), "{outcome:?}");
    assert_eq!((held(&fake), fake.world().writes), ((1, 1), 0));
}
