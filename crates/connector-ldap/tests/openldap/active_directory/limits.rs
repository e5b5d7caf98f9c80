//! What Microsoft's controllers limit and Samba does not, against a stand-in.

use std::path::Path;

use identitymesh_connector::{Class, ConnectorKind, Identity, ImportMode, Outcome, Session};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{Value, Values};
use serde_json::json;

use super::fake::{Attributes, Fake, PAGE_MAX, VALUES_MAX, attributes};
use super::support::{Followed, read};
use crate::support::{context, name, replace, send_one, update};

const TYPES: &[&str] = &["user", "group"];

fn id(at: usize) -> String {
    format!("id-{at:013}")
}

fn user(at: usize) -> (String, Attributes) {
    let mail = format!("u{at}@t");
    let attributes = attributes(&[
        ("objectClass", &["top", "user"]),
        ("objectCategory", &["person"]),
        ("objectGUID", &[&id(at)]),
        ("mail", &[&mail]),
    ]);
    (format!("CN=u{at},DC=t"), attributes)
}

pub(super) fn group(members: usize) -> (String, Attributes) {
    let names: Vec<String> = (0..members).map(|at| format!("CN=u{at},DC=t")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let attributes = attributes(&[
        ("objectClass", &["top", "group"]),
        ("objectCategory", &["group"]),
        ("objectGUID", &[&id(9_999)]),
        ("member", &names),
    ]);
    ("CN=g,DC=t".to_owned(), attributes)
}

pub(super) async fn session(fake: &Fake) -> Box<dyn Session> {
    let kind = Ldap::active_directory();
    let settings = json!({"servers": [fake.url], "base": "DC=t", "bind_dn": "x@t", "bind_password": "x"});
    let settings = kind.prepare(&serde_json::from_value(settings).unwrap(), Path::new("/")).unwrap();
    kind.connect(&settings, &context()).await.unwrap()
}

#[tokio::test]
async fn pages_and_values_are_as_large_as_the_controller_likes() {
    for members in [VALUES_MAX, VALUES_MAX + 1, 4 * VALUES_MAX, 95] {
        let entries = (0..95).map(user).chain([group(members)]).collect();
        let fake = Fake::start(entries);
        let mut session = session(&fake).await;
        let pages = read(session.as_mut(), ImportMode::Full, TYPES).await.unwrap();
        assert!(pages.iter().all(|page| page.changes.len() <= PAGE_MAX));
        let followed = Followed::full(session.as_mut(), TYPES).await;
        assert_eq!(followed.objects.len(), 96);
        let held = followed.at("CN=g,DC=t").unwrap().get(name("member")).unwrap().as_slice().len();
        assert_eq!(held, members);
        assert_eq!(fake.world().unpaged, 0, "nothing larger than one entry is asked for without pages");
    }
}

#[tokio::test]
async fn changes_come_in_as_many_answers_as_the_controller_likes() {
    let fake = Fake::start((0..30).map(user).chain([group(20)]).collect());
    // Two rounds of what was there before: asking for the place walks through them.
    fake.world().rounds = vec![vec![user(0)], vec![]];
    let mut session = session(&fake).await;
    let mut followed = Followed::full(session.as_mut(), TYPES).await;
    assert!(fake.world().asked >= 2);
    let changed = |at: usize, more: &[(&str, &[&str])]| {
        (format!("CN=u{at},DC=t"), [attributes(&[("objectGUID", &[&id(at)])]), attributes(more)].concat())
    };
    {
        let mut world = fake.world();
        let entry = world.entries.iter_mut().find(|(dn, _)| dn == "CN=u3,DC=t").unwrap();
        entry.1.retain(|(name, _)| name != "mail");
        world.entries.retain(|(dn, _)| dn != "CN=u4,DC=t");
        let links = [
            attributes(&[("objectGUID", &[&id(9_999)])]),
            attributes(&[("member;range=1-1", &["CN=u25,DC=t"])]),
        ];
        world.rounds.push(vec![changed(3, &[("mail", &[])])]);
        // An answer may be empty and not the last.
        world.rounds.push(vec![]);
        world.rounds.push(vec![
            (
                format!("CN=u4\\0ADEL:{},CN=Deleted Objects,DC=t", id(4)),
                changed(4, &[("isDeleted", &["TRUE"])]).1,
            ),
            ("CN=g,DC=t".to_owned(), links.concat()),
        ]);
    }
    let since = followed.mark.clone().unwrap();
    followed.delta(session.as_mut(), TYPES).await;
    assert_eq!(followed.objects.len(), 30);
    assert_eq!(followed.at("CN=u3,DC=t").unwrap().get(name("mail")), None);
    let members = followed.at("CN=g,DC=t").unwrap().get(name("member")).unwrap().clone();
    assert_eq!(members.as_slice().len(), 21);
    assert!(members.as_slice().contains(&Value::reference("CN=u25,DC=t")));
    assert_eq!(followed.delta(session.as_mut(), TYPES).await, 0);
    // The controller forgets; the mark is refused by its name, so that the caller reads everything.
    fake.world().oldest = 4;
    let error = read(session.as_mut(), ImportMode::Delta { since }, TYPES).await.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-010", Class::Conflict));
    assert!(error.message.contains("too old"), "{error}");
}

#[tokio::test]
async fn a_refusal_for_good_is_told_once_with_what_it_means() {
    let fake = Fake::start(vec![user(1)]);
    fake.world().is_read_only = true;
    let mut session = session(&fake).await;
    let guid = Followed::full(session.as_mut(), &["user"]).await.identity("CN=u1,DC=t");
    let guid = Identity { external_id: guid.external_id, address: Some("CN=u1,DC=t".into()) };
    let new = Some(Values::from("other@t"));
    let change = update(&guid, vec![replace("mail", Some(Values::from("u1@t")), new)]);
    let outcome = send_one(session.as_mut(), "user", change).await;
    let Outcome::Refused { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("often because the connection is not encrypted"), "{reason}");
}
