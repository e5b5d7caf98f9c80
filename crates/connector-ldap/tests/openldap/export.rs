//! Writing, and what the server then holds.

use identitymesh_connector::{OperationKind, Outcome};
use identitymesh_model::{Value, Values};
use identitymesh_testkit::real::{Ds389, Ds389Options};
use serde_json::json;

use crate::support::{
    add_remove, connect, context, create, created, import, name, new_person, object, person, references,
    rename, replace, seen, send, send_one, session, set, start, update,
};

const ANA: &str = "uid=ana,ou=people,dc=mesh,dc=test";
const ALL: &str = "cn=all,ou=groups,dc=mesh,dc=test";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lives_through_everything() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let mut attributes = new_person("ana");
    attributes.set(name("jpegPhoto"), Values::set(vec![Value::Binary(vec![0xff, 0xd8, 0].into())]).unwrap());
    let ana = created(&send_one(session.as_mut(), "user", create(attributes.clone())).await, ANA);
    assert_eq!(seen(&slapd, ANA, "entryUUID"), [ana.external_id.as_str()]);

    let again = send_one(session.as_mut(), "user", create(attributes)).await;
    assert!(
        matches!(&again, Outcome::AlreadySo(written) if written.external_id.as_ref() == Some(&ana.external_id))
    );
    let mut other = new_person("ana");
    other.set(name("sn"), set(&["Other"]));
    let taken = send_one(session.as_mut(), "user", create(other)).await;
    assert!(matches!(&taken, Outcome::Conflict { reason, .. } if reason.contains("sn")), "{taken:?}");

    let mail = || replace("mail", None, Some(set(&["a@mesh.test"])));
    assert!(matches!(
        send_one(session.as_mut(), "user", update(&ana, vec![mail()])).await,
        Outcome::Applied(_)
    ));
    assert!(matches!(
        send_one(session.as_mut(), "user", update(&ana, vec![mail()])).await,
        Outcome::AlreadySo(_)
    ));
    let stale = replace("mail", Some(set(&["old@mesh.test"])), Some(set(&["b@mesh.test"])));
    let stale = send_one(session.as_mut(), "user", update(&ana, vec![stale])).await;
    assert!(matches!(&stale, Outcome::Conflict { reason, .. } if reason.contains("mail")), "{stale:?}");
    let late = replace("mail", None, Some(set(&["b@mesh.test"])));
    assert!(matches!(
        send_one(session.as_mut(), "user", update(&ana, vec![late])).await,
        Outcome::Conflict { .. }
    ));
    assert_eq!(seen(&slapd, ANA, "mail"), ["a@mesh.test"]);
    let photo = replace("jpegPhoto", None, None);
    assert!(matches!(
        send_one(session.as_mut(), "user", update(&ana, vec![photo])).await,
        Outcome::Applied(_)
    ));
    assert!(seen(&slapd, ANA, "jpegPhoto").is_empty());

    let gone = || OperationKind::Delete { identity: ana.clone() };
    assert!(matches!(send_one(session.as_mut(), "user", gone()).await, Outcome::Applied(_)));
    assert!(matches!(send_one(session.as_mut(), "user", gone()).await, Outcome::AlreadySo(_)));
    let error = slapd.search(ANA, "(objectClass=*)", &[]).unwrap_err().to_string();
    assert!(error.contains("No such object"));
    assert_eq!(session.exporter().unwrap().read_back(name("user"), &ana).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_and_move_keeps_the_object_and_makes_containers() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let ana = created(&send_one(session.as_mut(), "user", create(new_person("ana"))).await, ANA);
    let to = "uid=anna,ou=Left\\, 2026,ou=old,dc=mesh,dc=test";
    let changes = || {
        vec![
            replace("uid", Some(set(&["ana"])), Some(set(&["anna"]))),
            replace("sn", Some(set(&["ana"])), Some(set(&["Anna"]))),
        ]
    };
    assert!(matches!(
        send_one(session.as_mut(), "user", rename(&ana, to, changes())).await,
        Outcome::Applied(_)
    ));
    assert_eq!(seen(&slapd, to, "entryUUID"), [ana.external_id.as_str()]);
    assert_eq!(
        (seen(&slapd, to, "uid"), seen(&slapd, to, "sn")),
        (vec!["anna".to_owned()], vec!["Anna".to_owned()])
    );
    // The same again under the old address: found by its id, and nothing is left to do.
    let again = send_one(session.as_mut(), "user", rename(&ana, to, changes())).await;
    assert!(matches!(again, Outcome::AlreadySo(_)), "{again:?}");
    let back = session.exporter().unwrap().read_back(name("user"), &ana).await.unwrap().unwrap();
    assert_eq!(back.external_id, ana.external_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_took_a_name_over_is_left_alone() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let ana = created(&send_one(session.as_mut(), "user", create(new_person("ana"))).await, ANA);
    let gone = OperationKind::Delete { identity: ana.clone() };
    let outcomes = send(session.as_mut(), "user", vec![gone.clone(), create(new_person("ana"))]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))), "{outcomes:?}");
    let change = replace("sn", Some(set(&["ana"])), Some(set(&["X"])));
    let change = send_one(session.as_mut(), "user", update(&ana, vec![change])).await;
    assert!(matches!(change, Outcome::Conflict { .. }), "{change:?}");
    assert!(matches!(send_one(session.as_mut(), "user", gone).await, Outcome::AlreadySo(_)));
    assert_eq!(seen(&slapd, ANA, "sn"), ["ana"]);
}

/// 389 Directory Server does not check ids itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_389_server_that_took_a_name_over_is_neither_removed_nor_renamed() {
    let tree = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n";
    let initial_ldif = format!("{tree}{}", person("bob"));
    let Some(server) = Ds389::start(Ds389Options { initial_ldif, ..Ds389Options::default() }) else { return };
    let mut session = crate::changes::session(&server, json!({})).await;
    let ana = created(&send_one(session.as_mut(), "user", create(new_person("ana"))).await, ANA);
    // The one is renamed, and another one gets its name.
    let renamed = "uid=anna,ou=people,dc=mesh,dc=test";
    for record in [
        format!("dn: {ANA}\nchangetype: modrdn\nnewrdn: uid=anna\ndeleteoldrdn: 1\n"),
        "dn: uid=bob,ou=people,dc=mesh,dc=test\nchangetype: modrdn\nnewrdn: uid=ana\ndeleteoldrdn: 1\n"
            .to_owned(),
    ] {
        server.modify(&record).unwrap();
    }
    let moved = "uid=moved,ou=people,dc=mesh,dc=test";
    let change = replace("uid", Some(set(&["ana"])), Some(set(&["moved"])));
    send_one(session.as_mut(), "user", rename(&ana, moved, vec![change])).await;
    let count_at = |dn: &str| server.search(dn, "(objectClass=person)", &["sn"]).map(|found| found.len());
    assert!(count_at(ANA).is_ok_and(|count| count == 1), "whoever has the name now is left alone");
    let gone = OperationKind::Delete { identity: ana };
    assert!(matches!(send_one(session.as_mut(), "user", gone).await, Outcome::Applied(_)));
    assert!(count_at(ANA).is_ok_and(|count| count == 1), "whoever has the name now is left alone");
    assert!([renamed, moved].iter().all(|dn| count_at(dn).is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_never_empty_and_never_shows_it() {
    let Some(slapd) = start(&person("ana")) else { return };
    let mut session = session(&slapd).await;
    let attributes = object(&[("dn", Values::from(ALL)), ("cn", set(&["all"]))]);
    let all = created(&send_one(session.as_mut(), "group", create(attributes)).await, ALL);
    assert_eq!(seen(&slapd, ALL, "member"), ["cn=no-members"]);

    let fill = replace("member", None, Some(references(&[ANA, "uid=bob,dc=mesh,dc=test"])));
    assert!(matches!(
        send_one(session.as_mut(), "group", update(&all, vec![fill])).await,
        Outcome::Applied(_)
    ));
    assert_eq!(seen(&slapd, ALL, "member"), [ANA, "uid=bob,dc=mesh,dc=test"]);

    let swap = vec![add_remove(
        "member",
        &["UID=Ana,ou=people,dc=mesh,dc=test", "uid=eve,dc=mesh,dc=test"],
        &["uid=bob,dc=mesh,dc=test", "uid=nobody,dc=mesh,dc=test"],
    )];
    assert!(matches!(
        send_one(session.as_mut(), "group", update(&all, swap.clone())).await,
        Outcome::Applied(_)
    ));
    assert_eq!(seen(&slapd, ALL, "member"), [ANA, "uid=eve,dc=mesh,dc=test"]);
    assert!(matches!(send_one(session.as_mut(), "group", update(&all, swap)).await, Outcome::AlreadySo(_)));

    let empty = vec![add_remove("member", &[], &[ANA, "uid=eve,dc=mesh,dc=test"])];
    let emptied = send_one(session.as_mut(), "group", update(&all, empty)).await;
    assert!(matches!(emptied, Outcome::Applied(_)), "{emptied:?}");
    assert_eq!(seen(&slapd, ALL, "member"), ["cn=no-members"]);
    let imported = import(session.as_mut(), &["group"]).await.unwrap();
    assert_eq!(imported.object(ALL).get(name("member")), None);

    let fill = replace("member", None, Some(references(&[ANA])));
    assert!(matches!(
        send_one(session.as_mut(), "group", update(&all, vec![fill])).await,
        Outcome::Applied(_)
    ));
    let empty = replace("member", Some(references(&[ANA])), None);
    assert!(matches!(
        send_one(session.as_mut(), "group", update(&all, vec![empty])).await,
        Outcome::Applied(_)
    ));
    assert_eq!(seen(&slapd, ALL, "member"), ["cn=no-members"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_group_comes_and_goes_in_pieces_and_is_never_empty() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let names: Vec<String> = (0..2_500).map(|number| format!("uid=p{number:05},dc=mesh,dc=test")).collect();
    let everybody: Vec<&str> = names.iter().map(String::as_str).collect();
    let attributes =
        [("dn", Values::from(ALL)), ("cn", set(&["all"])), ("member", references(&everybody[..2_400]))];
    let made = create(object(&attributes));
    let all = created(&send_one(session.as_mut(), "group", made.clone()).await, ALL);
    let members = || seen(&slapd, ALL, "member").len();
    assert_eq!(members(), 2_400);
    assert!(matches!(send_one(session.as_mut(), "group", made.clone()).await, Outcome::AlreadySo(_)));

    // As if the connection had ended after the second piece: the same is asked for again, and the rest comes.
    slapd.modify(&without(ALL, &everybody[2_000..2_400])).unwrap();
    assert!(matches!(send_one(session.as_mut(), "group", made.clone()).await, Outcome::AlreadySo(_)));
    assert_eq!(members(), 2_400);
    // With a stranger among the members it is not taken to be ours.
    slapd.modify(&format!("dn: {ALL}\nchangetype: modify\nadd: member\nmember: cn=stranger\n")).unwrap();
    let outcome = send_one(session.as_mut(), "group", made).await;
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{outcome:?}");
    slapd.modify(&without(ALL, &["cn=stranger"])).unwrap();

    // Some of those that come are there already, some of those that go are gone already.
    slapd.modify(&without(ALL, &everybody[5..7])).unwrap();
    let swap = vec![add_remove("member", &everybody[1_100..], &everybody[..1_100])];
    let outcome = send_one(session.as_mut(), "group", update(&all, swap.clone())).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(members(), 1_400);
    assert!(matches!(send_one(session.as_mut(), "group", update(&all, swap)).await, Outcome::AlreadySo(_)));

    let empty = vec![add_remove("member", &[], &everybody)];
    let outcome = send_one(session.as_mut(), "group", update(&all, empty)).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&slapd, ALL, "member"), ["cn=no-members"]);
    let fill = replace("member", None, Some(references(&everybody)));
    let outcome = send_one(session.as_mut(), "group", update(&all, vec![fill])).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(members(), 2_500);
}

/// LDIF that takes members out of a group.
fn without(group: &str, members: &[&str]) -> String {
    let mut text = format!("dn: {group}\nchangetype: modify\ndelete: member\n");
    members.iter().for_each(|member| text.push_str(&format!("member: {member}\n")));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_carry_the_servers_words_and_the_attribute() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let mut nameless = new_person("ana");
    nameless.remove(name("sn"));
    let refused = send_one(session.as_mut(), "user", create(nameless)).await;
    let Outcome::Refused { code, reason, attributes } = refused else { panic!("{refused:?}") };
    assert_eq!((code, attributes), ("LDP-030", vec![name("sn")]));
    assert!(reason.contains("requires attribute 'sn'"), "{reason}");

    let mut lost = new_person("ana");
    lost.set(name("dn"), "uid=ana,ou=nowhere,dc=mesh,dc=test");
    let refused = send_one(session.as_mut(), "user", create(lost)).await;
    assert!(
        matches!(&refused, Outcome::Refused { reason, .. } if reason.contains("container")),
        "{refused:?}"
    );
    let mut placeless = new_person("ana");
    placeless.remove(name("dn"));
    let refused = send_one(session.as_mut(), "user", create(placeless)).await;
    assert!(matches!(&refused, Outcome::Refused { code: "LDP-034", .. }), "{refused:?}");

    let reader = json!({"bind_dn": "cn=reader,dc=mesh,dc=test", "bind_password": "reader-secret"});
    let mut reader = connect(&slapd, &context(), reader).await.unwrap();
    let refused = send_one(reader.as_mut(), "user", create(new_person("ana"))).await;
    assert!(
        matches!(&refused, Outcome::Refused { reason, .. } if reason.contains("insufficientAccess")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_containers_people_and_one_refusal_is_done_but_for_that_one() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let batch: Vec<OperationKind> = (0..500)
        .map(|at| {
            let mut person = new_person(&format!("p{at}"));
            let dn = format!("uid=p{at},ou=team {},ou=people,dc=mesh,dc=test", at % 7);
            person.set(name("dn"), dn.as_str());
            if at == 250 {
                person.remove(name("sn"));
            }
            OperationKind::Create { attributes: person, create_container: true, password: None }
        })
        .collect();
    let outcomes = send(session.as_mut(), "user", batch).await;
    for (at, outcome) in outcomes.iter().enumerate() {
        match at {
            250 => assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}"),
            _ => assert!(matches!(outcome, Outcome::Applied(_)), "{at}: {outcome:?}"),
        }
    }
    assert_eq!(slapd.search("dc=mesh,dc=test", "(uid=p*)", &["uid"]).unwrap().len(), 499);
    let imported = import(session.as_mut(), &["user", "orgUnit"]).await.unwrap();
    assert_eq!(imported.certificates.iter().map(|one| one.objects).collect::<Vec<_>>(), [499, 9]);

    // Everybody moves into containers that the first of each makes, while others already ask for them.
    let moves = outcomes.iter().enumerate().filter(|(at, _)| *at != 250).map(|(at, outcome)| {
        let person = created(outcome, &format!("uid=p{at},ou=team {},ou=people,dc=mesh,dc=test", at % 7));
        rename(&person, &format!("uid=p{at},ou=floor {},ou=people,dc=mesh,dc=test", at % 3), vec![])
    });
    let outcomes = send(session.as_mut(), "user", moves.collect()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))), "{outcomes:?}");
}
