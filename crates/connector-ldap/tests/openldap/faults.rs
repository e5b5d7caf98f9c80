//! The server dies or hangs while something is under way.

use identitymesh_connector::{Class, ImportMode, ImportRequest, Outcome};
use serde_json::json;

use crate::support::{
    connect, context, create, created, freeze, import, name, new_person, people, replace, send, send_one,
    session, set, start, update,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_during_an_import_certifies_nothing_and_is_found_again() {
    let Some(mut slapd) = start(&people(100)) else { return };
    let mut session = connect(&slapd, &context(), json!({"page_size": 10})).await.unwrap();
    let request =
        || ImportRequest { mode: ImportMode::Full, object_types: vec![name("user")], page_size_max: 10 };
    let importer = session.importer().unwrap();
    importer.begin(request()).await.unwrap();
    assert_eq!(importer.next_page().await.unwrap().unwrap().certificates, []);
    slapd.stop();
    let error = loop {
        match importer.next_page().await {
            Ok(page) => assert_eq!(page.expect("the import does not end quietly").certificates, []),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code, error.class), ("LDP-012", Class::Transient));
    assert_eq!(importer.next_page().await.unwrap_err().class, Class::Bug);
    slapd.restart().unwrap();
    let imported = import(session.as_mut(), &["user"]).await.unwrap();
    assert_eq!((imported.objects.len(), imported.certificates[0].is_complete()), (100, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_an_answer_is_unknown_until_it_is_read_back() {
    let Some(slapd) = start("") else { return };
    let mut session = connect(&slapd, &context(), json!({"request_timeout_s": 1})).await.unwrap();
    let dn = "uid=ana,ou=people,dc=mesh,dc=test";
    let ana = created(&send_one(session.as_mut(), "user", create(new_person("ana"))).await, dn);
    freeze(&slapd);
    let change = replace("sn", Some(set(&["ana"])), Some(set(&["Anna"])));
    let outcome = send_one(session.as_mut(), "user", update(&ana, vec![change])).await;
    assert!(
        matches!(&outcome, Outcome::Unknown { reason, .. } if reason.contains("within 1")),
        "{outcome:?}"
    );
    slapd.thaw().unwrap();
    let back = session.exporter().unwrap().read_back(name("user"), &ana).await.unwrap().unwrap();
    let sn = back.attributes.get(name("sn")).unwrap().clone();
    // The frozen server had the request in its socket; whether it carried it out is what reading back shows.
    assert!([set(&["ana"]), set(&["Anna"])].contains(&sn), "{sn:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_during_an_export_loses_and_doubles_nothing() {
    let Some(mut slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let first = send(session.as_mut(), "user", vec![create(new_person("ana"))]).await;
    assert!(matches!(first[0], Outcome::Applied(_)));
    slapd.stop();
    let batch = || (0..50).map(|at| create(new_person(&format!("p{at}")))).collect::<Vec<_>>();
    let failed = session.exporter().unwrap().export(vec![]).await;
    // Without a server even an empty batch may fail; with one it says nothing.
    assert!(failed.is_err() || failed.unwrap().is_empty());
    slapd.restart().unwrap();
    let outcomes = send(session.as_mut(), "user", batch()).await;
    assert!(outcomes.iter().all(|one| matches!(one, Outcome::Applied(_))), "{outcomes:?}");
    let again = send(session.as_mut(), "user", batch()).await;
    assert!(again.iter().all(|one| matches!(one, Outcome::AlreadySo(_))), "{again:?}");
    assert_eq!(slapd.search("dc=mesh,dc=test", "(uid=*)", &["uid"]).unwrap().len(), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_export_says_what_was_not_sent() {
    let Some(slapd) = start("") else { return };
    let context = context();
    let mut session = connect(&slapd, &context, json!({"window": 2})).await.unwrap();
    session.schema().await.unwrap();
    freeze(&slapd);
    let cancel = context.cancel.clone();
    let cancelling = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        cancel.cancel();
    };
    let batch = (0..10).map(|at| create(new_person(&format!("p{at}")))).collect();
    let (outcomes, ()) = tokio::join!(send(session.as_mut(), "user", batch), cancelling);
    let unknown = outcomes.iter().filter(|one| matches!(one, Outcome::Unknown { .. })).count();
    let not_sent =
        outcomes.iter().filter(|one| matches!(one, Outcome::NotSent { code: "LDP-035", .. })).count();
    assert_eq!((unknown, not_sent), (2, 8), "{outcomes:?}");
    slapd.thaw().unwrap();
}
