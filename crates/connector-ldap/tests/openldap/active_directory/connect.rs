//! Reaching a controller, signing in, and what the schema says.

use std::path::Path;
use std::process::Command;

use identitymesh_connector::{Class, ConnectorKind};
use identitymesh_connector_ldap::Ldap;
use identitymesh_testkit::real::{SambaAd, SambaAdOptions, System, require};
use serde_json::json;

use super::support::{connect, start, written};
use crate::support::{context, name};

#[tokio::test]
async fn every_way_in_works_and_refusals_say_why() {
    let Some(ad) = start("") else { return };
    for settings in [
        json!({}),
        json!({"servers": [ad.url], "starttls": true}),
        json!({"bind_dn": "MESH\\administrator"}),
        json!({"servers": ["ldaps://127.0.0.1:1", ad.ldaps_url]}),
    ] {
        let mut session = connect(&ad, &context(), settings.clone()).await.unwrap();
        let report = session.test().await.unwrap();
        assert!(report.server.starts_with("Active Directory: Samba"), "{settings}: {report:?}");
        assert!(report.steps.contains(&"changes are read by dirsync".to_owned()), "{settings}: {report:?}");
    }
    let refused = connect(&ad, &context(), json!({"bind_password": "wrong"})).await.err().unwrap();
    assert_eq!((refused.code, refused.class), ("LDP-004", Class::Denied));
    assert!(refused.message.contains("the name or the password is wrong"), "{refused}");
    ad.modify(
        "dn: CN=off,OU=people,DC=mesh,DC=test\nchangetype: add\nobjectClass: user\nsAMAccountName: off\n\
         unicodePwd:: IgBQAGEAcwBzADEAMgAzACEAIgA=\nuserAccountControl: 514\n",
    )
    .unwrap();
    let login = json!({"bind_dn": "off@mesh.test", "bind_password": "Pass123!"});
    let refused = connect(&ad, &context(), login).await.err().unwrap();
    assert!(refused.message.contains("the account is disabled"), "{refused}");
}

#[tokio::test]
async fn a_controller_that_wants_encryption_is_understood() {
    let options = SambaAdOptions { strong_auth: true, ..SambaAdOptions::default() };
    let Some(ad) = SambaAd::start(&options) else { return };
    let refused = connect(&ad, &context(), json!({"servers": [ad.url]})).await.err().unwrap();
    assert_eq!((refused.code, refused.class), ("LDP-005", Class::Configuration));
    let kind = Ldap::active_directory();
    let far = json!({"servers": ["ldap://dc1.mesh.test"]});
    let problems = kind.prepare(&written(&ad, &far), Path::new("/")).unwrap_err();
    assert!(problems[0].message.contains("without encryption"), "{problems:?}");
}

#[tokio::test]
async fn the_schema_is_that_of_the_domain_with_types_people_know() {
    let Some(ad) = start("") else { return };
    let mut session = connect(&ad, &context(), json!({})).await.unwrap();
    let schema = session.schema().await.unwrap();
    let user = schema.object_type(name("user")).unwrap();
    for (attribute, kind, read_only, sensitive) in [
        ("objectGUID", "string", true, false),
        ("objectSid", "string", true, false),
        ("accountExpires", "datetime", false, false),
        ("accountDisabled", "boolean", false, false),
        ("whenCreated", "datetime", true, false),
        ("userAccountControl", "integer", false, false),
        ("manager", "reference", false, false),
        ("otherTelephone", "string[]", false, false),
        ("thumbnailPhoto", "binary", false, false),
        ("unicodePwd", "string", false, true),
    ] {
        let found = user.attribute(name(attribute)).unwrap_or_else(|| panic!("{attribute} is known"));
        assert_eq!(
            (found.kind.to_string().as_str(), found.read_only, found.sensitive),
            (kind, read_only, sensitive),
            "{attribute}"
        );
    }
    for absent in ["memberOf", "tokenGroups", "lastLogon", "nTSecurityDescriptor", "supplementalCredentials"]
    {
        assert!(user.attribute(name(absent)).is_none(), "{absent}");
    }
    let group = schema.object_type(name("group")).unwrap();
    assert_eq!(group.attribute(name("member")).unwrap().kind.to_string(), "reference[]");
    assert!(group.attribute(name("accountDisabled")).is_none());
}

/// In the environment of a test that runs as a child: what it is told.
const CHILD: &str = "IDENTITYMESH_KERBEROS_CHILD";

fn told_to_child() -> Option<serde_json::Value> {
    std::env::var(CHILD).ok().map(|told| serde_json::from_str(&told).unwrap())
}

/// What Kerberos finds by itself.
#[derive(Clone, Copy)]
enum Found<'a> {
    Nothing,
    /// A file with tickets.
    Tickets(&'a Path),
    /// A file with the keys of an account.
    Keys(&'a Path),
}

/// Runs a test once more as a child: the library takes its configuration from the environment, which a running process
/// does not change.
fn run_as_child(ad: &SambaAd, test: &str, told: &serde_json::Value, found: Found<'_>) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("active_directory::connect::{test}"), "--nocapture"]);
    child.env("KRB5_CONFIG", ad.krb5_configuration()).env(CHILD, told.to_string());
    // Whoever runs the tests may have tickets and keys of their own.
    let file = |file: &Path| format!("FILE:{}", file.display());
    let (tickets, keys) = match found {
        Found::Nothing => ("MEMORY:none".to_owned(), "FILE:/nonexistent.keytab".to_owned()),
        Found::Tickets(tickets) => (file(tickets), "FILE:/nonexistent.keytab".to_owned()),
        Found::Keys(keys) => ("MEMORY:none".to_owned(), file(keys)),
    };
    child.env("KRB5CCNAME", tickets).env("KRB5_CLIENT_KTNAME", keys);
    let output = child.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn kerberos_signs_in_with_a_keytab_sealed_or_over_tls() {
    if let Some(told) = told_to_child() {
        return kerberos_child(told).await;
    }
    let Some(ad) = start("") else { return };
    let keytab = ad.account_with_keytab("mesh-reader", "Secret-4711").unwrap();
    let told = json!({"ldap": ad.url, "ldaps": ad.ldaps_url, "ca_file": ad.ca_file, "base": ad.base, "keytab": keytab});
    run_as_child(&ad, "kerberos_signs_in_with_a_keytab_sealed_or_over_tls", &told, Found::Nothing);
}

/// Tickets that `kinit` got, as an administrator or a scheduled job has them.
#[tokio::test]
async fn kerberos_signs_in_with_the_tickets_that_are_there() {
    if let Some(told) = told_to_child() {
        for (server, principal) in [("ldaps", None), ("ldap", Some("mesh-reader@MESH.TEST"))] {
            let mut settings = json!({"servers": [told[server]], "ca_file": told["ca_file"],
                "base": told["base"], "kerberos": true});
            if let Some(principal) = principal {
                settings["principal"] = principal.into();
            }
            let kind = Ldap::active_directory();
            let settings = serde_json::from_value(settings).unwrap();
            let settings = kind.prepare(&settings, Path::new("/")).unwrap();
            let connected = kind.connect(&settings, &context()).await;
            match told["has_tickets"] == true {
                true => {
                    let report = connected.unwrap().test().await.unwrap();
                    assert!(report.steps.contains(&"signed in by Kerberos".to_owned()), "{report:?}");
                }
                false => {
                    let refused = connected.err().unwrap();
                    assert_eq!((refused.code, refused.class), ("LDP-019", Class::Denied), "{refused}");
                }
            }
        }
        return;
    }
    let system = System { name: "Kerberos", programs: &["kinit"], packages: "krb5-user" };
    if !require(&system) {
        return;
    }
    let Some(ad) = start("") else { return };
    let keytab = ad.account_with_keytab("mesh-reader", "Secret-4711").unwrap();
    let cache = keytab.with_file_name("tickets");
    let mut kinit = Command::new("kinit");
    kinit.env("KRB5_CONFIG", ad.krb5_configuration()).args([
        "-c",
        &format!("FILE:{}", cache.display()),
        "-k",
        "-t",
    ]);
    let output = kinit.arg(&keytab).arg("mesh-reader@MESH.TEST").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (found, has_tickets) in [(Found::Tickets(&cache), true), (Found::Nothing, false)] {
        let told = json!({"ldap": ad.url, "ldaps": ad.ldaps_url, "ca_file": ad.ca_file, "base": ad.base,
            "has_tickets": has_tickets});
        run_as_child(&ad, "kerberos_signs_in_with_the_tickets_that_are_there", &told, found);
    }
}

/// A machine of the domain signs in as itself: by its keytab, in which other names stand before its account, and by
/// the keys that its Kerberos finds without being told.
#[tokio::test]
async fn kerberos_signs_in_with_the_credentials_of_the_machine() {
    if let Some(told) = told_to_child() {
        for server in ["ldaps", "ldap"] {
            let mut settings = json!({"servers": [told[server]], "ca_file": told["ca_file"], "base": told["base"],
                "kerberos": true, "principal": "MESH1$@MESH.TEST"});
            if let Some(keytab) = told["keytab"].as_str() {
                settings["keytab"] = keytab.into();
            }
            signs_in(settings).await;
        }
        return;
    }
    let Some(ad) = start("") else { return };
    let keytab = ad.machine_with_keytab("MESH1", "Secret-4711").unwrap();
    let test = "kerberos_signs_in_with_the_credentials_of_the_machine";
    let mut told = json!({"ldap": ad.url, "ldaps": ad.ldaps_url, "ca_file": ad.ca_file, "base": ad.base});
    run_as_child(&ad, test, &told, Found::Keys(&keytab));
    told["keytab"] = json!(keytab);
    run_as_child(&ad, test, &told, Found::Nothing);
}

/// Signs in by Kerberos and reads something.
async fn signs_in(settings: serde_json::Value) {
    let kind = Ldap::active_directory();
    let settings = kind.prepare(&serde_json::from_value(settings).unwrap(), Path::new("/")).unwrap();
    let mut session = kind.connect(&settings, &context()).await.unwrap();
    let report = session.test().await.unwrap();
    assert!(report.steps.contains(&"signed in by Kerberos".to_owned()), "{report:?}");
    assert_eq!(session.schema().await.unwrap().object_types.len(), 3);
}

async fn kerberos_child(told: serde_json::Value) {
    for (server, principal) in [
        ("ldaps", json!("mesh-reader@MESH.TEST")),
        ("ldap", json!("mesh-reader@MESH.TEST")),
        ("ldap", json!(null)),
    ] {
        let mut settings = json!({"servers": [told[server]], "ca_file": told["ca_file"], "base": told["base"],
            "kerberos": true, "keytab": told["keytab"]});
        if !principal.is_null() {
            settings["principal"] = principal;
        }
        signs_in(settings).await;
    }
    let kind = Ldap::active_directory();
    let settings = json!({"servers": [told["ldaps"]], "ca_file": told["ca_file"], "base": told["base"],
        "kerberos": true, "keytab": "/nonexistent.keytab", "principal": "mesh-reader@MESH.TEST"});
    let settings = kind.prepare(&serde_json::from_value(settings).unwrap(), Path::new("/")).unwrap();
    let refused = kind.connect(&settings, &context()).await.err().unwrap();
    assert_eq!((refused.code, refused.class), ("LDP-019", Class::Denied), "{refused}");
}
