//! Reaching a server, and failing to.

use std::time::Duration;

use identitymesh_connector::{Class, ConnectorError};
use identitymesh_testkit::real::{Slapd, SlapdOptions};
use serde_json::{Value as Json, json};

use crate::support::{connect, context, freeze, import, person, session, start};

async fn refused(slapd: &identitymesh_testkit::real::Slapd, changes: Json) -> ConnectorError {
    connect(slapd, &context(), changes).await.err().expect("the connection fails")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_tls_work_and_the_test_says_each_step() {
    let Some(slapd) = start("") else { return };
    let mut ldaps = session(&slapd).await;
    let report = ldaps.test().await.unwrap();
    assert_eq!(report.server, "OpenLDAP");
    assert_eq!(
        report.steps,
        [
            "reached the server",
            "encrypted the connection",
            "signed in as cn=admin,dc=mesh,dc=test",
            "read the schema",
            "read dc=mesh,dc=test"
        ]
    );
    let [warning] = &report.warnings[..] else { panic!("{:?}", report.warnings) };
    assert!(warning.starts_with("every import reads everything"), "{warning}");
    let starttls = json!({"servers": [slapd.url], "starttls": true});
    let mut starttls = connect(&slapd, &context(), starttls).await.unwrap();
    assert_eq!(starttls.test().await.unwrap(), report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_connection_and_an_unverified_one_are_warned_about() {
    let Some(slapd) = start("") else { return };
    let mut plain = connect(&slapd, &context(), json!({"servers": [slapd.url]})).await.unwrap();
    assert!(plain.test().await.unwrap().warnings[0].contains("not encrypted"));
    let other = start("").unwrap();
    let trusting = json!({"ca_file": other.ca_file, "trust_server_certificate": true});
    let mut trusting = connect(&slapd, &context(), trusting).await.unwrap();
    assert!(trusting.test().await.unwrap().warnings[0].contains("trust_server_certificate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_certificate_is_refused() {
    let (Some(slapd), Some(other)) = (start(""), start("")) else { return };
    for settings in [
        json!({"ca_file": other.ca_file}),
        json!({"ca_file": other.ca_file, "servers": [slapd.url], "starttls": true}),
    ] {
        let error = refused(&slapd, settings).await;
        assert_eq!((error.code, error.class), ("LDP-002", Class::Configuration));
        assert!(error.advice.unwrap().contains("ca_file"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_certificate_lacks_is_refused() {
    let Some(slapd) = start("") else { return };
    // The whole network 127.0.0.0/8 is this machine, but the server listens and is certified for one address.
    let port = slapd.ldaps_url.rsplit(':').next().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let relay = listener.local_addr().unwrap();
    let target = format!("127.0.0.1:{port}");
    std::thread::spawn(move || relay_one(&listener, &target));
    let error = refused(&slapd, json!({"servers": [format!("ldaps://{relay}")]})).await;
    assert_eq!((error.code, error.class), ("LDP-002", Class::Configuration));
    assert!(error.advice.unwrap().contains("host name"));
}

fn relay_one(listener: &std::net::TcpListener, target: &str) {
    let (mut client, _) = listener.accept().unwrap();
    let mut server = std::net::TcpStream::connect(target).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let up = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ended = std::io::copy(&mut server, &mut client);
    let _ended = client.shutdown(std::net::Shutdown::Both);
    let _joined = up.join();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_denied_on_the_first_server_already() {
    let Some(slapd) = start("") else { return };
    let wrong = json!({"bind_password": "wrong", "servers": [slapd.ldaps_url, "ldaps://127.0.0.1:1"]});
    let error = refused(&slapd, wrong).await;
    assert_eq!((error.code, error.class), ("LDP-004", Class::Denied));
    assert!(error.message.contains("invalidCredentials (49)") && !error.message.contains("wrong"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_tried_in_order() {
    let Some(mut slapd) = start(&person("ana")) else { return };
    let both = json!({"servers": ["ldaps://127.0.0.1:1", slapd.ldaps_url]});
    let mut session = connect(&slapd, &context(), both).await.unwrap();
    assert_eq!(import(session.as_mut(), &["user"]).await.unwrap().objects.len(), 1);
    slapd.stop();
    let error = refused(&slapd, json!({})).await;
    assert_eq!((error.code, error.class), ("LDP-001", Class::Transient));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_fails_is_passed_over_and_told_nothing() {
    let (Some(slapd), Some(other), Some(third)) = (start(&person("ana")), start(""), start("")) else {
        return;
    };
    let port =
        |server: &identitymesh_testkit::real::Slapd| server.ldaps_url.rsplit('/').next().unwrap().to_owned();
    let both = json!([other.ldaps_url, slapd.ldaps_url]);
    let mut session = connect(&slapd, &context(), json!({"servers": both})).await.unwrap();
    assert_eq!(import(session.as_mut(), &["user"]).await.unwrap().objects.len(), 1);

    let error = refused(&slapd, json!({"servers": both, "bind_password": "wrong"})).await;
    assert_eq!((error.code, error.class), ("LDP-004", Class::Denied), "{error}");
    assert!(error.message.contains(&port(&slapd)), "the first server was told no password: {error}");

    let error = refused(&slapd, json!({"servers": both, "ca_file": third.ca_file})).await;
    assert_eq!((error.code, error.class), ("LDP-002", Class::Configuration), "{error}");
    assert!(error.message.contains(&port(&slapd)) && error.message.contains(&port(&other)), "{error}");

    let one_is_away = json!({"servers": [other.ldaps_url, "ldaps://127.0.0.1:1"]});
    let error = refused(&slapd, one_is_away).await;
    assert_eq!((error.code, error.class), ("LDP-001", Class::Transient), "it may come back: {error}");
    assert!(error.message.contains(&port(&other)) && error.message.contains("127.0.0.1:1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_has_expired_is_passed_over_and_says_so() {
    let options = SlapdOptions { expired: true, ..SlapdOptions::default() };
    let (Some(expired), Some(good)) = (Slapd::start(options), start(&person("ana"))) else { return };
    let own = json!({"ca_file": expired.ca_file});
    for settings in
        [own.clone(), json!({"ca_file": expired.ca_file, "servers": [expired.url], "starttls": true})]
    {
        let error = refused(&expired, settings).await;
        assert_eq!((error.code, error.class), ("LDP-002", Class::Configuration), "{error}");
        let advice = error.advice.unwrap();
        assert_eq!(advice, "the server's certificate has expired: renew it, and check this machine's clock");
    }

    // Both authorities are trusted, so it is the date alone that decides.
    let both = expired.ca_file.with_file_name("both.pem");
    let pem = |file| std::fs::read_to_string(file).unwrap();
    std::fs::write(&both, pem(&expired.ca_file) + &pem(&good.ca_file)).unwrap();
    let servers = json!({"ca_file": both, "servers": [expired.ldaps_url, good.ldaps_url]});
    let mut session = connect(&good, &context(), servers).await.unwrap();
    assert_eq!(import(session.as_mut(), &["user"]).await.unwrap().objects.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_server_ends_with_the_deadline_and_a_cancelled_call_at_once() {
    let Some(slapd) = start("") else { return };
    freeze(&slapd);
    let error = refused(&slapd, json!({"request_timeout_s": 1})).await;
    assert_eq!(error.class, Class::Transient);
    let waiting = context();
    let cancel = waiting.cancel.clone();
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    };
    let (session, ()) = tokio::join!(connect(&slapd, &waiting, json!({})), cancelling);
    assert_eq!(session.err().unwrap().class, Class::Cancelled);
    slapd.thaw().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_on_a_server_without_it_is_a_matter_of_configuration() {
    let options = identitymesh_testkit::real::SlapdOptions { tls: false, ..Default::default() };
    let Some(slapd) = identitymesh_testkit::real::Slapd::start(options) else { return };
    let Some(other) = start("") else { return };
    let error =
        refused(&slapd, json!({"servers": [slapd.url], "starttls": true, "ca_file": other.ca_file})).await;
    assert_eq!((error.code, error.class), ("LDP-002", Class::Configuration));
}
