//! Sessions over a transport that fails on demand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use identitymesh_connector::{
    AttributeChange, Certificate, Change, ChangeKind, Class, ConnectorError, Context, Exporter, Identity,
    ImportMode, ImportRequest, Importer, Operation, OperationKind, Outcome,
};
use identitymesh_model::{ItemId, Name, Object, Value, Values};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::import::PAGES_WITHOUT_NEWS_MAX;
use crate::session::LdapSession;
use crate::settings::{Config, Family, descriptor};
use crate::transport::fake::{Fake, FakeDial, Fault};

pub(crate) async fn session(fake: &Arc<Fake>) -> LdapSession {
    let written =
        json!({"servers": ["ldaps://ldap.test"], "base": "dc=t", "page_size": 10, "types": {"user": {}}});
    let written = serde_json::from_value(written).unwrap();
    let (settings, problems) = descriptor(Family::Any).settings.read(&written, Path::new("/"));
    assert_eq!(problems, []);
    let config = Arc::new(Config::read(&settings, Family::Any).ok().unwrap());
    let context = Context {
        cancel: CancellationToken::new(),
        request_timeout: Duration::from_secs(5),
        schema: None,
        reads_only: false,
    };
    LdapSession::open(Arc::new(FakeDial(Arc::clone(fake))), config, context).await.unwrap()
}

fn failing(count: usize, faults: &[Fault]) -> Arc<Fake> {
    let fake = Fake::with_people(count);
    fake.faults.lock().unwrap().extend(faults);
    Arc::new(fake)
}

async fn import(session: &mut LdapSession) -> (Vec<String>, Vec<Certificate>, Result<(), ConnectorError>) {
    let object_types = vec![Name::literal("user")];
    let request = ImportRequest { mode: ImportMode::Full, object_types, page_size_max: 100 };
    session.begin(request).await.unwrap();
    let (mut ids, mut certificates) = (Vec::new(), Vec::new());
    loop {
        match session.next_page().await {
            Ok(Some(page)) => {
                ids.extend(page.changes.iter().map(|change: &Change| change.subject().1.to_owned()));
                certificates.extend(page.certificates);
            }
            Ok(None) => return (ids, certificates, Ok(())),
            Err(error) => return (ids, certificates, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_connection_that_closes_at_any_page_certifies_nothing() {
    for page in 1..=5 {
        let fake = failing(45, &[Fault::CloseAtPage(page)]);
        let mut session = session(&fake).await;
        let (ids, certificates, end) = import(&mut session).await;
        let error = end.unwrap_err();
        assert_eq!((ids.len(), certificates.len()), ((page - 1) * 10, 0));
        assert_eq!((error.code, error.class), ("LDP-012", Class::Transient));
        let (ids, certificates, end) = import(&mut session).await;
        assert_eq!((ids.len(), certificates[0].is_complete(), end.is_ok()), (45, true, true));
    }
}

#[tokio::test]
async fn a_repeated_page_is_visible_and_proves_nothing() {
    let fake = failing(45, &[Fault::RepeatPage(2)]);
    let (ids, certificates, end) = import(&mut session(&fake).await).await;
    assert!(end.is_ok());
    assert_eq!(ids.len(), 55, "both deliveries are handed on");
    assert!(certificates[0].gaps[0].contains("came twice"), "{certificates:?}");
    assert!(!certificates[0].is_complete());
}

#[tokio::test]
async fn a_server_that_runs_in_circles_is_left() {
    let fake = failing(45, &[Fault::RepeatForEver]);
    let (ids, certificates, end) = import(&mut session(&fake).await).await;
    assert_eq!((end.unwrap_err().code, certificates.len()), ("LDP-014", 0));
    assert_eq!(ids.len(), 10 * (PAGES_WITHOUT_NEWS_MAX as usize + 1));
}

#[tokio::test]
async fn a_part_that_lives_elsewhere_is_a_gap() {
    let fake = failing(5, &[Fault::Reference]);
    let (ids, certificates, end) = import(&mut session(&fake).await).await;
    assert_eq!((ids.len(), end.is_ok()), (5, true));
    assert!(certificates[0].gaps[0].contains("ldap://other.test/ou=x"));
}

#[tokio::test]
async fn an_entry_without_an_id_is_a_finding_and_a_gap() {
    let fake = failing(3, &[]);
    fake.entries
        .lock()
        .unwrap()
        .insert("uid=q,dc=t".to_owned(), vec![("sn".to_owned(), vec![b"q".to_vec()])]);
    let mut session = session(&fake).await;
    let object_types = vec![Name::literal("user")];
    session.begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max: 100 }).await.unwrap();
    let page = session.next_page().await.unwrap().unwrap();
    assert_eq!((page.changes.len(), page.findings.len(), page.findings[0].code), (3, 1, "LDP-020"));
    assert_eq!((page.certificates[0].objects, page.certificates[0].gaps.len()), (4, 1));
}

fn create(at: usize) -> Operation {
    let dn = format!("uid=n{at},dc=t");
    let set = |text: &str| Values::set(vec![Value::text(text)]).unwrap();
    let attributes = [("dn", Values::from(dn.as_str())), ("cn", set("n")), ("sn", set("n"))];
    let attributes: Object =
        attributes.into_iter().map(|(name, values)| (Name::literal(name), values)).collect();
    let kind = OperationKind::Create { attributes, create_container: false, password: None };
    Operation { item: ItemId(i64::try_from(at).unwrap()), object_type: Name::literal("user"), kind }
}

#[tokio::test]
async fn one_refusal_in_a_thousand_is_that_one() {
    let mut fake = Fake::default();
    fake.refused.push("uid=n437,dc=t".to_owned());
    let fake = Arc::new(fake);
    let outcomes = session(&fake).await.export((0..1_000).map(create).collect()).await.unwrap();
    assert_eq!(outcomes.len(), 1_000);
    for (item, outcome) in outcomes {
        match (item, outcome) {
            (ItemId(437), Outcome::Refused { reason, attributes, .. }) => {
                assert!(reason.contains("not by this policy"));
                assert_eq!(attributes, [Name::literal("sn")]);
            }
            (ItemId(at), outcome) => {
                assert!(at != 437 && matches!(outcome, Outcome::Applied(_)), "{at} {outcome:?}")
            }
        }
    }
    assert_eq!(fake.entries.lock().unwrap().len(), 999);
}

#[tokio::test]
async fn an_answer_lost_after_the_write_is_unknown_and_reading_back_shows_it_done() {
    let fake = failing(1, &[Fault::AppliedWithoutAnswer]);
    let mut session = session(&fake).await;
    let identity = Identity { external_id: "id-1".into(), address: Some("uid=p0000,dc=t".into()) };
    let set = |text: &str| Values::set(vec![Value::text(text)]);
    let change = AttributeChange {
        name: Name::literal("sn"),
        kind: ChangeKind::Replace { old: set("p0000"), new: set("New") },
    };
    let operation = || Operation {
        item: ItemId(1),
        object_type: Name::literal("user"),
        kind: OperationKind::Update {
            identity: identity.clone(),
            new_address: None,
            create_container: false,
            changes: vec![change.clone()],
        },
    };
    let outcomes = session.export(vec![operation()]).await.unwrap();
    assert!(matches!(&outcomes[0].1, Outcome::Unknown { code: "LDP-033", .. }), "{outcomes:?}");
    let object = session.read_back(Name::literal("user"), &identity).await.unwrap().unwrap();
    assert_eq!(object.attributes.get(Name::literal("sn")), set("New").as_ref());
    let outcomes = session.export(vec![operation()]).await.unwrap();
    assert!(matches!(&outcomes[0].1, Outcome::AlreadySo(_)), "{outcomes:?}");
}

#[tokio::test]
async fn a_busy_server_is_asked_later_and_a_conflict_names_what_differs() {
    let fake = failing(1, &[Fault::Answered(51), Fault::Answered(9_999)]);
    let mut session = session(&fake).await;
    let outcomes = session.export(vec![create(1)]).await.unwrap();
    assert!(matches!(&outcomes[0].1, Outcome::Transient { code: "LDP-031", .. }), "{outcomes:?}");
    let outcomes = session.export(vec![create(1)]).await.unwrap();
    assert!(
        matches!(&outcomes[0].1, Outcome::Refused { reason, .. } if reason.contains("9999")),
        "{outcomes:?}"
    );
    let unknown_type = Operation { object_type: Name::literal("printer"), ..create(2) };
    let outcomes = session.export(vec![unknown_type]).await.unwrap();
    assert!(matches!(&outcomes[0].1, Outcome::Refused { code: "LDP-016", .. }), "{outcomes:?}");
}
