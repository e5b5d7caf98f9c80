//! Writing into a domain.

use identitymesh_connector::{Identity, NewPassword, OperationKind, Outcome};
use identitymesh_model::{Value, Values};
use serde_json::json;

use super::support::{
    Followed, GROUPS, PEOPLE, connect, dn, exists, new_person, people, seen, session, start,
};
use crate::support::{
    add_remove, context, create, created, name, object, rename, replace, send, send_one, update,
};

fn text(value: &str) -> Option<Values> {
    Some(Values::from(value))
}

fn truth(value: bool) -> Option<Values> {
    Some(Values::One(Value::Boolean(value)))
}

#[tokio::test]
async fn an_account_lives_its_whole_life() {
    let Some(ad) = start("") else { return };
    let mut session = session(&ad).await;
    let place = format!("CN=ana,OU=new,OU=deep,{PEOPLE}");
    let mut wanted = new_person("ana");
    wanted.set(name("dn"), Values::from(place.as_str()));
    wanted.set(name("unicodePwd"), Values::from("First-4711"));
    wanted.set(name("accountDisabled"), truth(false).unwrap());
    let made = OperationKind::Create { attributes: wanted.clone(), create_container: true, password: None };
    let outcome = send_one(session.as_mut(), "user", made.clone()).await;
    let ana = created(&outcome, &place);
    assert_eq!(seen(&ad, &place, "userAccountControl"), ["512"]);
    assert!(ad.binds("ana@mesh.test", "First-4711"));
    assert!(matches!(send_one(session.as_mut(), "user", made).await, Outcome::AlreadySo(_)));

    let moment = |text: &str| text.parse().map(Value::DateTime).map(Values::One).ok();
    let until = moment("2030-01-01T00:00:00Z");
    let changes = vec![
        replace("displayName", text("Person ana"), text("Ana Añez")),
        replace("accountExpires", None, until.clone()),
        replace("unicodePwd", None, text("Second-4711")),
    ];
    let outcome = send_one(session.as_mut(), "user", update(&ana, changes)).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &place, "displayName"), ["Ana Añez"]);
    assert_eq!(seen(&ad, &place, "accountExpires"), ["135379296000000000"]);
    assert!(ad.binds("ana@mesh.test", "Second-4711") && !ad.binds("ana@mesh.test", "First-4711"));

    // Somebody else says until when; where that is known it gives way, finer than anybody reads as it is.
    ad.modify(&format!(
        "dn: {place}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 135382752000000007\n"
    ))
    .unwrap();
    let later = moment("2030-01-05T00:00:00Z");
    let too_late =
        update(&ana, vec![replace("accountExpires", until.clone(), moment("2031-01-01T00:00:00Z"))]);
    let outcome = send_one(session.as_mut(), "user", too_late).await;
    assert!(
        matches!(&outcome, Outcome::Conflict { reason, .. } if reason.contains("accountExpires")),
        "{outcome:?}"
    );
    assert_eq!(seen(&ad, &place, "accountExpires"), ["135382752000000007"]);
    let known = update(&ana, vec![replace("accountExpires", later, until.clone())]);
    assert!(matches!(send_one(session.as_mut(), "user", known.clone()).await, Outcome::Applied(_)));
    assert_eq!(seen(&ad, &place, "accountExpires"), ["135379296000000000"]);
    assert!(matches!(send_one(session.as_mut(), "user", known).await, Outcome::AlreadySo(_)));

    // She leaves: disabled and moved in one operation; a bit that somebody else set stays.
    ad.modify(&format!(
        "dn: {place}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 66048\n"
    ))
    .unwrap();
    let left = format!("CN=ana,OU=leavers,{PEOPLE}");
    let leave = rename(&ana, &left, vec![replace("accountDisabled", truth(false), truth(true))]);
    let outcome = send_one(session.as_mut(), "user", leave.clone()).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &left, "userAccountControl"), ["66050"]);
    assert!(!exists(&ad, &place) && !ad.binds("ana@mesh.test", "Second-4711"));
    // Once more, with the address of before: a controller renames an entry to the name that it has without a word.
    let outcome = send_one(session.as_mut(), "user", leave).await;
    assert!(matches!(outcome, Outcome::Applied(_) | Outcome::AlreadySo(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &left, "userAccountControl"), ["66050"]);

    // She comes back under another name, and "never" is written again.
    let back = format!("CN=Ana Nuñez,{PEOPLE}");
    let changes = vec![
        replace("accountDisabled", truth(true), truth(false)),
        replace("accountExpires", until, None),
        replace("displayName", text("Ana Añez"), None),
    ];
    let outcome = send_one(session.as_mut(), "user", rename(&ana, &back, changes)).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &back, "accountExpires"), ["0"]);
    assert_eq!(seen(&ad, &back, "displayName"), Vec::<String>::new());
    assert!(ad.binds("ana@mesh.test", "Second-4711"));
    let gone = OperationKind::Delete { identity: ana.clone() };
    assert!(matches!(send_one(session.as_mut(), "user", gone.clone()).await, Outcome::Applied(_)));
    assert!(matches!(send_one(session.as_mut(), "user", gone).await, Outcome::AlreadySo(_)));
    assert!(session.exporter().unwrap().read_back(name("user"), &ana).await.unwrap().is_none());
}

#[tokio::test]
async fn members_come_and_go_in_pieces() {
    let Some(ad) = start(&people(2_500)) else { return };
    let mut session = session(&ad).await;
    let team = format!("CN=team,{GROUPS}");
    let attributes = object(&[("dn", Values::from(team.as_str())), ("sAMAccountName", Values::from("team"))]);
    let identity = created(&send_one(session.as_mut(), "group", create(attributes)).await, &team);
    let names: Vec<String> = (0..2_500).map(dn).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let outcome =
        send_one(session.as_mut(), "group", update(&identity, vec![add_remove("member", &all, &[])])).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &team, "member").len(), 2_500);
    // Some are there already, some are not there, one is nobody any more.
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(9))).unwrap();
    let change = add_remove("member", &[&dn(1), &dn(2)], &[&dn(3), &dn(4), &dn(9)]);
    let outcome = send_one(session.as_mut(), "group", update(&identity, vec![change.clone()])).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &team, "member").len(), 2_497);
    let outcome = send_one(session.as_mut(), "group", update(&identity, vec![change])).await;
    assert!(matches!(outcome, Outcome::Applied(_) | Outcome::AlreadySo(_)), "{outcome:?}");
    // Nobody can be a member who is not there, and the server says so.
    let nobody = add_remove("member", &["CN=nobody,DC=mesh,DC=test"], &[]);
    let outcome = send_one(session.as_mut(), "group", update(&identity, vec![nobody])).await;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert_eq!(seen(&ad, &team, "member").len(), 2_497);

    // All at once, into a group that was empty and into one that was not there.
    let everybody: Vec<Value> =
        all.iter().filter(|member| **member != dn(9)).map(|member| Value::reference(*member)).collect();
    let second = format!("CN=second,{GROUPS}");
    let attributes =
        object(&[("dn", Values::from(second.as_str())), ("sAMAccountName", Values::from("second"))]);
    let identity = created(&send_one(session.as_mut(), "group", create(attributes)).await, &second);
    let fill = replace("member", None, Values::set(everybody.clone()));
    let outcome = send_one(session.as_mut(), "group", update(&identity, vec![fill])).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &second, "member").len(), 2_499);
    let third = format!("CN=third,{GROUPS}");
    let attributes = object(&[
        ("dn", Values::from(third.as_str())),
        ("sAMAccountName", Values::from("third")),
        ("member", Values::set(everybody).unwrap()),
    ]);
    let made = create(attributes);
    created(&send_one(session.as_mut(), "group", made.clone()).await, &third);
    assert_eq!(seen(&ad, &third, "member").len(), 2_499);
    assert!(matches!(send_one(session.as_mut(), "group", made).await, Outcome::AlreadySo(_)));
}

#[tokio::test]
async fn what_somebody_else_changed_is_a_conflict_and_another_entry_is_never_meant() {
    let Some(ad) = start(&people(3)) else { return };
    let mut session = session(&ad).await;
    let followed = Followed::full(session.as_mut(), &["user"]).await;
    let first = followed.identity(&dn(0));
    ad.modify(&format!("dn: {}\nchangetype: modify\nreplace: mail\nmail: other@mesh.test\n", dn(0))).unwrap();
    let change = vec![replace("mail", text("p00000@mesh.test"), text("new@mesh.test"))];
    let outcome = send_one(session.as_mut(), "user", update(&first, change.clone())).await;
    assert!(matches!(&outcome, Outcome::Conflict { reason, .. } if reason.contains("mail")), "{outcome:?}");
    assert_eq!(seen(&ad, &dn(0), "mail"), ["other@mesh.test"]);
    // The second takes the name of the first, which is gone.
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(0))).unwrap();
    ad.modify(&format!("dn: {}\nchangetype: modrdn\nnewrdn: CN=Person 00000\ndeleteoldrdn: 1\n", dn(1)))
        .unwrap();
    let change = vec![replace("mail", text("p00001@mesh.test"), text("new@mesh.test"))];
    let outcome = send_one(session.as_mut(), "user", update(&first, change)).await;
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{outcome:?}");
    let outcome = send_one(session.as_mut(), "user", OperationKind::Delete { identity: first }).await;
    assert!(matches!(outcome, Outcome::AlreadySo(_)), "{outcome:?}");
    assert_eq!(seen(&ad, &dn(0), "mail"), ["p00001@mesh.test"]);
}

#[tokio::test]
async fn refusals_carry_the_controllers_words_and_name_the_attribute() {
    let Some(ad) = start(&people(2)) else { return };
    let mut session = session(&ad).await;
    let followed = Followed::full(session.as_mut(), &["user"]).await;
    let first = followed.identity(&dn(0));
    let twice = Values::set(vec![Value::text("a"), Value::text("b")]);
    let outcome =
        send_one(session.as_mut(), "user", update(&first, vec![replace("title", None, twice)])).await;
    let Outcome::Refused { reason, attributes, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("the attribute has one value only"), "{reason}");
    assert_eq!(attributes, [name("title")]);
    let taken = object(&[
        ("dn", Values::from(format!("CN=other,{PEOPLE}").as_str())),
        ("sAMAccountName", Values::from("p00001")),
    ]);
    let outcomes = send(session.as_mut(), "user", vec![create(taken), create(new_person("fine"))]).await;
    assert!(!matches!(outcomes[0], Outcome::Applied(_) | Outcome::AlreadySo(_)), "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::Applied(_)), "{outcomes:?}");
}

#[tokio::test]
async fn a_password_never_leaves_on_a_connection_that_others_can_read() {
    let Some(ad) = start(&people(1)) else { return };
    let mut session = connect(&ad, &context(), json!({"servers": [ad.url]})).await.unwrap();
    let person = Identity { external_id: "".into(), address: Some(dn(0).as_str().into()) };
    let person = session.exporter().unwrap().read_back(name("user"), &person).await.unwrap().unwrap();
    let person = Identity { external_id: person.external_id, address: Some(dn(0).as_str().into()) };
    let change = update(&person, vec![replace("unicodePwd", None, text("Secret-4711"))]);
    let mut wanted = new_person("x");
    wanted.set(name("unicodePwd"), Values::from("Secret-4711"));
    let password = NewPassword::new("Secret-4711".to_owned(), true);
    let mut with_password = create(new_person("x"));
    if let OperationKind::Create { password: first, .. } = &mut with_password {
        *first = Some(password.clone());
    }
    for operation in [change, create(wanted), with_password] {
        let outcome = send_one(session.as_mut(), "user", operation).await;
        let Outcome::Refused { code, reason, .. } = outcome else { panic!("{outcome:?}") };
        assert!(code == "LDP-034" && reason.contains("encrypted") && !reason.contains("4711"), "{reason}");
    }
    let set = session.passwords().unwrap().set_password(name("user"), &person, &password).await.unwrap();
    let Outcome::Refused { code, reason, .. } = set else { panic!("{set:?}") };
    assert!(code == "LDP-034" && reason.contains("encrypted") && !reason.contains("4711"), "{reason}");
    assert!(!ad.binds("p00000@mesh.test", "Secret-4711") && !exists(&ad, &format!("CN=x,{PEOPLE}")));
}
