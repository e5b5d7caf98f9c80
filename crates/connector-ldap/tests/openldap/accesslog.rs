//! OpenLDAP's log of writes: what costs little, what is followed, and when it is not enough.

use identitymesh_connector::{Change, FollowRequest, ImportMode, ImportRequest};
use identitymesh_model::Value;
use serde_json::json;

use crate::changes::{
    BASE, Followed, TYPES, every_kind_of_change_is_followed, population, read, refusal, session,
};
use crate::subject::{Server, Wired};
use crate::support::name;

const MEMBERS: usize = 20_000;

fn modify_members(group: &str, step: &str, member: &str) -> String {
    format!("dn: {group}\nchangetype: modify\n{step}: member\nmember: {member}\n")
}

fn title(uid: &str) -> String {
    format!("dn: uid={uid},ou=people,{BASE}\nchangetype: modify\nreplace: title\ntitle: Boss\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_every_kind_of_change() {
    let Some(logged) = Wired::logged(&population()) else { return };
    every_kind_of_change_is_followed(&logged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_of_a_large_group_costs_what_one_member_is() {
    let group = format!("cn=large,ou=groups,{BASE}");
    let member = |at: usize| format!("uid=m{at},ou=people,{BASE}");
    let members: String = (0..MEMBERS).map(|at| format!("member: {}\n", member(at))).collect();
    let entries = format!("dn: {group}\nobjectClass: groupOfNames\ncn: large\n{members}\n");
    let Some(logged) = Wired::logged(&entries) else { return };
    let mut session = session(&logged, json!({})).await;
    let importer = session.importer().unwrap();
    let request = |mode| ImportRequest { mode, object_types: vec![name("group")], page_size_max: 1_000 };
    importer.begin(request(ImportMode::Full)).await.unwrap();
    let mut mark = None;
    while let Some(page) = importer.next_page().await.unwrap() {
        mark = page.watermark.or(mark);
    }
    let (_, whole) = logged.wire.take();
    assert!(whole > 20 * MEMBERS as u64, "{whole} bytes");
    for (step, changed) in [("add", member(MEMBERS)), ("delete", member(7))] {
        logged.change(&modify_members(&group, step, &changed)).unwrap();
        let _before = logged.wire.take();
        importer.begin(request(ImportMode::Delta { since: mark.clone().unwrap() })).await.unwrap();
        let mut changes = Vec::new();
        while let Some(page) = importer.next_page().await.unwrap() {
            changes.extend(page.changes);
            mark = page.watermark.or(mark);
        }
        let [Change::Patch(patch)] = &changes[..] else { panic!("{changes:?}") };
        let value = vec![(name("member"), vec![Value::reference(&changed)])];
        let (add, remove) = if step == "add" { (value, vec![]) } else { (vec![], value) };
        assert_eq!((&patch.add, &patch.remove), (&add, &remove));
        let (sent, received) = logged.wire.take();
        assert!(sent + received < 4_000, "{step}: {sent} and {received} bytes for one of {MEMBERS} members");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_began_after_the_last_import_is_refused_when_something_happened_between() {
    let Some(mut logged) = Wired::logged(&population()) else { return };
    let mut followed = Followed::full(&logged).await;
    logged.change(&title("p1")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    // Killed, and its log lost: everything in it was seen.
    lose_log(&mut logged);
    logged.change(&title("p2")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    followed.is_as_full(&logged).await;
    logged.change(&title("p3")).unwrap();
    lose_log(&mut logged);
    logged.change(&title("p4")).unwrap();
    let since = followed.mark.clone().unwrap();
    let told = refusal(read(&logged, ImportMode::Delta { since: since.clone() }).await);
    assert!(told.contains("trimmed past"), "{told}");
    // As after a backup was restored: the mark is from the server's future.
    let future =
        identitymesh_connector::Watermark { body: since.body.replace(":\"20", ":\"29"), ..since.clone() };
    assert_ne!(future, since);
    let told = refusal(read(&logged, ImportMode::Delta { since: future }).await);
    assert!(told.contains("stands before"), "{told}");
    followed = Followed::full(&logged).await;
    logged.change(&title("p5")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    followed.is_as_full(&logged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_restored_with_the_directory_is_refused_although_it_was_written_to_since() {
    let Some(mut logged) = Wired::logged(&population()) else { return };
    let mut followed = Followed::full(&logged).await;
    logged.change(&title("p1")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    logged.slapd.back_up().unwrap();
    logged.change(&title("p2")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    logged.slapd.restore().unwrap();
    // The server is ahead of the mark again, and tells nothing of the one that went back.
    logged.change(&title("p3")).unwrap();
    let since = followed.mark.clone().unwrap();
    let told = refusal(read(&logged, ImportMode::Delta { since }).await);
    assert!(told.contains("restored from a backup"), "{told}");
    followed = Followed::full(&logged).await;
    logged.change(&title("p5")).unwrap();
    assert!(followed.delta(&logged).await > 0);
    followed.is_as_full(&logged).await;
}

fn lose_log(logged: &mut Wired) {
    logged.slapd.end();
    let log = logged.slapd.ca_file.with_file_name("log-data");
    for file in std::fs::read_dir(log).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    logged.slapd.restart().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_log_hears_of_changes_and_of_renamed_containers() {
    let Some(logged) = Wired::logged(&population()) else { return };
    let mut followed = Followed::full(&logged).await;
    let mut session = session(&logged, json!({})).await;
    let follower = session.follower().unwrap();
    let since = followed.mark.clone().unwrap();
    let request = FollowRequest { since, object_types: TYPES.map(name).to_vec(), page_size_max: 100 };
    follower.follow(request).await.unwrap();
    logged.change(&modify_members(&format!("cn=all,ou=groups,{BASE}"), "add", "uid=x,dc=t")).unwrap();
    logged
        .change(&format!("dn: ou=people,{BASE}\nchangetype: modrdn\nnewrdn: ou=staff\ndeleteoldrdn: 1\n"))
        .unwrap();
    while followed.objects != Followed::full(&logged).await.objects {
        followed.apply(vec![follower.next_change().await.unwrap()]);
    }
    assert!(followed.at(&format!("uid=p3,ou=staff,{BASE}")).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_log_leaves_no_mark() {
    let Some(logged) = Wired::logged(&population()) else { return };
    let elsewhere = json!({"log_base": "cn=elsewhere"});
    let mut session = session(&logged, elsewhere).await;
    let told = session.test().await.unwrap();
    assert!(told.warnings.iter().any(|told| told.starts_with("every import reads everything")), "{told:?}");
}
