//! Groups with more members than go in one request, on servers that refuse a value that is there already.

use std::collections::BTreeSet;

use identitymesh_connector::{AttributeChange, Identity, Outcome};
use identitymesh_model::{Value, Values};
use identitymesh_testkit::real::{Ds389, Ds389Options};
use serde_json::json;

use crate::changes::session;
use crate::subject::Server;
use crate::support::{add_remove, create, created, name, object, replace, send_one, set, start, update};

const COUNT: usize = 2_500;
const GROUP: &str = "cn=all,ou=groups,dc=mesh,dc=test";
const STAND_IN: &str = "cn=no-members";

fn dn(at: usize) -> String {
    format!("uid=p{at:05},ou=people,dc=mesh,dc=test")
}

fn members(from: usize, to: usize) -> Values {
    Values::set((from..to).map(|at| Value::reference(dn(at))).collect()).unwrap()
}

fn changed(add: (usize, usize), remove: (usize, usize)) -> Vec<AttributeChange> {
    let texts = |(from, to): (usize, usize)| (from..to).map(dn).collect::<Vec<String>>();
    let (add, remove) = (texts(add), texts(remove));
    let add: Vec<&str> = add.iter().map(String::as_str).collect();
    let remove: Vec<&str> = remove.iter().map(String::as_str).collect();
    vec![add_remove("member", &add, &remove)]
}

fn held(server: &dyn Server) -> BTreeSet<String> {
    let entries = server.find(GROUP, "(objectClass=*)", &["member"]).unwrap();
    let values = entries.values().next().unwrap().get("member").into_iter().flatten().cloned();
    values.map(|value| String::from_utf8(value).unwrap()).collect()
}

fn names(from: usize, to: usize) -> BTreeSet<String> {
    (from..to).map(dn).collect()
}

/// `emptied` is what a group without members holds here.
async fn every_way_of_filling_and_emptying(server: &dyn Server, emptied: &[&str]) {
    let mut session = session(server, json!({})).await;
    let empty = object(&[("dn", Values::from(GROUP)), ("cn", set(&["all"]))]);
    let group = created(&send_one(session.as_mut(), "group", create(empty)).await, GROUP);
    let mut send = async |identity: &Identity, changes| {
        send_one(session.as_mut(), "group", update(identity, changes)).await
    };
    let fill = || vec![replace("member", None, Some(members(0, COUNT)))];
    let outcome = send(&group, fill()).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(server), names(0, COUNT));
    let outcome = send(&group, fill()).await;
    assert!(matches!(outcome, Outcome::AlreadySo(_)), "{outcome:?}");

    // A third of them is there already, and some are gone already.
    let outcome = send(&group, changed((1_500, 4_000), (4_100, 5_200))).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(server), names(0, 4_000));

    let outcome = send(&group, changed((0, 0), (0, 4_000))).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(server), emptied.iter().map(|dn| (*dn).to_owned()).collect());

    // Members that come one by one take the place of the stand-in too.
    let outcome = send(&group, changed((0, 1), (0, 0))).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(server), names(0, 1));
    let outcome = send(&group, changed((1, COUNT), (0, 1))).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(held(server), names(1, COUNT));
}

async fn a_new_group(server: &dyn Server) {
    let other = GROUP.replace("all", "new");
    let attributes =
        object(&[("dn", Values::from(other.as_str())), ("cn", set(&["new"])), ("member", members(0, COUNT))]);
    let mut session = session(server, json!({})).await;
    let outcome = send_one(session.as_mut(), "group", create(attributes)).await;
    let identity = created(&outcome, &other);
    let back = session.exporter().unwrap().read_back(name("group"), &identity).await.unwrap().unwrap();
    assert_eq!(back.attributes.get(name("member")), Some(&members(0, COUNT)));
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_takes_groups_of_any_size() {
    let Some(slapd) = start("") else { return };
    every_way_of_filling_and_emptying(&slapd, &[STAND_IN]).await;
    a_new_group(&slapd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ds389_takes_groups_of_any_size() {
    let initial_ldif =
        "dn: ou=groups,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: groups\n\n".to_owned();
    let Some(server) = Ds389::start(Ds389Options { initial_ldif, ..Ds389Options::default() }) else { return };
    // Its groupOfNames may be empty.
    every_way_of_filling_and_emptying(&server, &[]).await;
    a_new_group(&server).await;
}
