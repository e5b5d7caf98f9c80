//! Deltas: whoever follows them holds what a full import shows.

use std::collections::BTreeSet;

use identitymesh_connector::{Class, ImportMode, Outcome};
use identitymesh_model::{Value, Values};
use identitymesh_testkit::real::SambaAd;
use serde_json::json;

use super::support::{Followed, GROUPS, PEOPLE, connect, dn, people, read, seen, session, start};
use crate::support::{add_remove, context, name, send_one, update};

const TYPES: &[&str] = &["user", "group", "orgUnit"];

/// After what was done to the domain, the delta leads to what a full import shows.
async fn same_as_full(
    ad: &SambaAd,
    followed: &mut Followed,
    mut session: Box<dyn identitymesh_connector::Session>,
) {
    followed.delta(session.as_mut(), TYPES).await;
    let full = Followed::full(super::support::session(ad).await.as_mut(), TYPES).await;
    assert_eq!(followed.objects, full.objects);
}

fn team(count: usize) -> String {
    let members: String = (0..count).map(|at| format!("member: {}\n", dn(at))).collect();
    format!("dn: CN=team,{GROUPS}\nobjectClass: group\nsAMAccountName: team\n{members}\n")
}

#[tokio::test]
async fn every_kind_of_change_is_followed() {
    let Some(ad) = start(&format!("{}{}", people(12), team(6))) else { return };
    let mut followed = Followed::full(session(&ad).await.as_mut(), TYPES).await;
    let moved = format!("OU=moved,{PEOPLE}");
    for ldif in [
        format!(
            "dn: {}\nchangetype: modify\nreplace: mail\nmail: new@mesh.test\n-\ndelete: displayName\n",
            dn(0)
        ),
        format!("dn: CN=new,{PEOPLE}\nchangetype: add\nobjectClass: user\nsAMAccountName: new\n"),
        format!("dn: {}\nchangetype: delete\n", dn(11)),
        format!(
            "dn: CN=team,{GROUPS}\nchangetype: modify\nadd: member\nmember: {}\n-\ndelete: member\nmember: {}\n",
            dn(7),
            dn(1)
        ),
        // A renamed person who is a member, and one who leaves what is read.
        format!("dn: {}\nchangetype: modrdn\nnewrdn: CN=Renamed\ndeleteoldrdn: 1\n", dn(2)),
        format!(
            "dn: {}\nchangetype: moddn\nnewrdn: CN=Person 00009\ndeleteoldrdn: 1\nnewsuperior: {}\n",
            dn(9),
            ad.users()
        ),
        // A container with somebody in it, who is a member too.
        format!("dn: OU=wing,{PEOPLE}\nchangetype: add\nobjectClass: organizationalUnit\n"),
        format!(
            "dn: {}\nchangetype: moddn\nnewrdn: CN=Person 00003\ndeleteoldrdn: 1\nnewsuperior: OU=wing,{PEOPLE}\n",
            dn(3)
        ),
    ] {
        ad.modify(&ldif).unwrap();
    }
    same_as_full(&ad, &mut followed, session(&ad).await).await;
    assert!(followed.at(&format!("CN=Renamed,{PEOPLE}")).is_some() && followed.at(&dn(9)).is_none());
    // Now the container alone is renamed.
    ad.modify(&format!("dn: OU=wing,{PEOPLE}\nchangetype: modrdn\nnewrdn: OU=moved\ndeleteoldrdn: 1\n"))
        .unwrap();
    same_as_full(&ad, &mut followed, session(&ad).await).await;
    assert!(followed.at(&format!("CN=Person 00003,{moved}")).is_some());
    assert_eq!(followed.delta(session(&ad).await.as_mut(), TYPES).await, 0, "nothing happened since");
}

#[tokio::test]
async fn one_member_of_many_costs_one_value() {
    let Some(ad) = start(&format!("{}{}", people(2_000), team(1_900))) else { return };
    let mut session = session(&ad).await;
    let followed = Followed::full(session.as_mut(), TYPES).await;
    ad.modify(&format!("dn: CN=team,{GROUPS}\nchangetype: modify\nadd: member\nmember: {}\n", dn(1_950)))
        .unwrap();
    let since = followed.mark.clone().unwrap();
    let pages = read(session.as_mut(), ImportMode::Delta { since }, TYPES).await.unwrap();
    let changes: Vec<_> = pages.into_iter().flat_map(|page| page.changes).collect();
    let [identitymesh_connector::Change::Patch(patch)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((patch.set.len(), patch.remove.len()), (0, 0));
    assert_eq!(patch.add, [(name("member"), vec![Value::reference(dn(1_950))])]);

    // The same of somebody who is new: after everything was read, and after changes were.
    for (account, deltas) in [("first", 0), ("second", 1)] {
        let mut followed = Followed::full(session.as_mut(), TYPES).await;
        for _ in 0..deltas {
            followed.delta(session.as_mut(), TYPES).await;
        }
        let new = format!("CN={account},{PEOPLE}");
        ad.modify(&format!(
            "dn: {new}\nchangetype: add\nobjectClass: user\nsAMAccountName: {account}\n\n\
             dn: CN=team,{GROUPS}\nchangetype: modify\nadd: member\nmember: {new}\n"
        ))
        .unwrap();
        let since = followed.mark.clone().unwrap();
        let pages = read(session.as_mut(), ImportMode::Delta { since }, TYPES).await.unwrap();
        let changes: Vec<_> = pages.into_iter().flat_map(|page| page.changes).collect();
        let patches =
            changes.iter().filter(|change| matches!(change, identitymesh_connector::Change::Patch(_)));
        assert_eq!((changes.len(), patches.count()), (2, 1), "{changes:?}");
    }
}

#[tokio::test]
async fn groups_hold_groups_and_members_of_other_partitions() {
    let elsewhere = "CN=Sites,CN=Configuration,DC=mesh,DC=test";
    let group = |account: &str, members: &[&str]| {
        let members: String = members.iter().map(|member| format!("member: {member}\n")).collect();
        format!("dn: CN={account},{GROUPS}\nobjectClass: group\nsAMAccountName: {account}\n{members}\n")
    };
    let (inner, outer) = (format!("CN=inner,{GROUPS}"), format!("CN=outer,{GROUPS}"));
    let groups =
        [group("inner", &[&dn(0)]), group("third", &[]), group("outer", &[&inner, elsewhere])].concat();
    let Some(ad) = start(&format!("{}{groups}", people(3))) else { return };
    let mut followed = Followed::full(session(&ad).await.as_mut(), TYPES).await;
    let members = |followed: &Followed, of: &str| {
        let group = followed.at(of).unwrap();
        let members = group.get(name("member")).map_or(&[][..], Values::as_slice).iter();
        members.filter_map(Value::as_text).map(str::to_lowercase).collect::<BTreeSet<_>>()
    };
    let named = |names: &[&str]| names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
    assert_eq!(members(&followed, &outer), named(&[&inner, elsewhere]));

    // One comes, that of the other partition goes, and a group in a group gets another name.
    let third = format!("CN=third,{GROUPS}");
    ad.modify(&format!(
        "dn: {outer}\nchangetype: modify\nadd: member\nmember: {third}\n-\ndelete: member\nmember: {elsewhere}\n"
    ))
    .unwrap();
    same_as_full(&ad, &mut followed, session(&ad).await).await;
    assert_eq!(members(&followed, &outer), named(&[&inner, &third]));
    ad.modify(&format!("dn: {inner}\nchangetype: modrdn\nnewrdn: CN=within\ndeleteoldrdn: 1\n")).unwrap();
    same_as_full(&ad, &mut followed, session(&ad).await).await;
    let within = format!("CN=within,{GROUPS}");
    assert_eq!(members(&followed, &outer), named(&[&within, &third]));

    // Written from here: back into the other partition, and a group out of the group.
    let change = add_remove("member", &[elsewhere], &[&third]);
    let mut session = session(&ad).await;
    let outcome = send_one(session.as_mut(), "group", update(&followed.identity(&outer), vec![change])).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &outer, "member").len(), 2);
    same_as_full(&ad, &mut followed, session).await;
    assert_eq!(members(&followed, &outer), named(&[&within, elsewhere]));
}

#[tokio::test]
async fn a_manager_comes_goes_and_is_another_one() {
    let Some(ad) = start(&people(4)) else { return };
    let mut followed = Followed::full(session(&ad).await.as_mut(), TYPES).await;
    for change in [
        format!("add: manager\nmanager: {}\n", dn(1)),
        format!("replace: manager\nmanager: {}\n", dn(2)),
        "delete: manager\n".to_owned(),
        format!("add: manager\nmanager: {}\n", dn(3)),
    ] {
        ad.modify(&format!("dn: {}\nchangetype: modify\n{change}", dn(0))).unwrap();
        same_as_full(&ad, &mut followed, session(&ad).await).await;
    }
    assert_eq!(followed.at(&dn(0)).unwrap().single(name("manager")), Some(&Value::reference(dn(3))));
}

#[tokio::test]
async fn sequence_numbers_are_followed_as_well() {
    let Some(ad) = start(&format!("{}{}", people(7), team(3))) else { return };
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(6))).unwrap();
    let numbers = json!({"changes": "usn"});
    let mut session = connect(&ad, &context(), numbers).await.unwrap();
    let report = session.test().await.unwrap();
    assert!(report.steps.contains(&"changes are read by usn".to_owned()), "{report:?}");
    let mut followed = Followed::full(session.as_mut(), TYPES).await;
    for ldif in [
        format!("dn: {}\nchangetype: modify\nreplace: mail\nmail: new@mesh.test\n", dn(0)),
        format!("dn: {}\nchangetype: delete\n", dn(5)),
        format!("dn: {}\nchangetype: modrdn\nnewrdn: CN=Renamed\ndeleteoldrdn: 1\n", dn(2)),
        format!("dn: CN=team,{GROUPS}\nchangetype: modify\nadd: member\nmember: {}\n", dn(4)),
        format!("dn: OU=wing,{PEOPLE}\nchangetype: add\nobjectClass: organizationalUnit\n"),
    ] {
        ad.modify(&ldif).unwrap();
    }
    same_as_full(&ad, &mut followed, session).await;
}

#[tokio::test]
async fn an_account_that_sees_no_deletion_gets_no_mark() {
    let Some(ad) = start(&people(3)) else { return };
    ad.account_with_keytab("plain", "Secret-4711").unwrap();
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(2))).unwrap();
    let login = json!({"bind_dn": "plain@mesh.test", "bind_password": "Secret-4711"});
    let mut ordinary = connect(&ad, &context(), login).await.unwrap();
    let report = ordinary.test().await.unwrap();
    assert!(
        report.warnings.iter().any(|warning| warning.contains("every import reads everything")),
        "{report:?}"
    );
    let pages = read(ordinary.as_mut(), ImportMode::Full, TYPES).await.unwrap();
    assert!(pages.iter().all(|page| page.watermark.is_none()));
}

#[tokio::test]
async fn a_mark_of_another_place_is_refused_by_its_name() {
    let Some(ad) = start(&people(2)) else { return };
    let mut session = session(&ad).await;
    let followed = Followed::full(session.as_mut(), TYPES).await;
    let good = followed.mark.unwrap();
    let mut broken = good.clone();
    broken.body = broken.body.replace("\"cookie\":\"", "\"cookie\":\"AAAA");
    for since in [broken, identitymesh_connector::Watermark { version: 9, body: good.body.clone() }] {
        let error = read(session.as_mut(), ImportMode::Delta { since }, TYPES).await.unwrap_err();
        assert_eq!((error.code, error.class), ("CON-010", Class::Conflict), "{error}");
    }
    // Fewer types, another scope: what was not read before would be missing.
    let error = read(session.as_mut(), ImportMode::Delta { since: good }, &["user"]).await.unwrap_err();
    assert!(error.message.contains("settings"), "{error}");
}
