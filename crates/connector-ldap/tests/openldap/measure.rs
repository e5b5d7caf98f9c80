//! What one member costs in a large group, told where somebody asks for it: `docs/performance.md` has the command.

#![expect(clippy::disallowed_methods, reason = "measuring is about the real time of other processes")]

use std::path::Path;
use std::time::Instant;

use identitymesh_connector::{
    Change, ConnectorKind, Identity, ImportMode, ImportRequest, ImportedObject, Outcome, Session, Watermark,
};
use identitymesh_connector_ldap::Ldap;
use identitymesh_testkit::real::{SambaAd, SambaAdOptions, SessionLog, Slapd, SlapdOptions, Wire};
use serde_json::{Value as Json, json};

use crate::support::{TREE, add_remove, context, name, send_one, update};

/// The number of members, where measuring is asked for: it takes minutes and asserts nothing about time.
fn members() -> Option<usize> {
    std::env::var_os("IDENTITYMESH_MEASURE")?;
    let members = std::env::var("IDENTITYMESH_MEASURE_MEMBERS").ok().and_then(|text| text.parse().ok());
    Some(members.unwrap_or(100_000))
}

async fn connect(kind: &dyn ConnectorKind, written: Json) -> Box<dyn Session> {
    let settings = kind.prepare(&serde_json::from_value(written).unwrap(), Path::new("/")).unwrap();
    kind.connect(&settings, &context()).await.unwrap()
}

/// What came of an import: the groups as told, how many members that were, and the place where it ended.
async fn import(session: &mut dyn Session, mode: ImportMode) -> (Vec<Change>, usize, Option<Watermark>) {
    let importer = session.importer().unwrap();
    let object_types = vec![name("group")];
    importer.begin(ImportRequest { mode, object_types, page_size_max: 1_000 }).await.unwrap();
    let (mut changes, mut mark) = (Vec::new(), None);
    while let Some(page) = importer.next_page().await.unwrap() {
        changes.extend(page.changes);
        mark = page.watermark.or(mark);
    }
    let count = |change: &Change| match change {
        Change::Upsert(object) => object.attributes.get(name("member")).map_or(0, |all| all.as_slice().len()),
        Change::Patch(patch) => patch.add.iter().chain(&patch.remove).map(|(_, values)| values.len()).sum(),
        Change::Delete { .. } | Change::Left { .. } => 0,
    };
    let told = changes.iter().map(count).sum();
    (changes, told, mark)
}

fn identity(object: &ImportedObject) -> Identity {
    let dn = object.attributes.single(name("dn")).and_then(|value| value.as_text()).unwrap();
    Identity { external_id: object.external_id.clone(), address: Some(dn.into()) }
}

/// Reads the group, adds `more` and takes `less` out, and reads what changed after each.
async fn measure(what: &str, session: &mut dyn Session, wire: &Wire, more: &str, less: &str) {
    // The schema is read with the first import; it is not what is measured.
    let (groups, ..) = import(session, ImportMode::Full).await;
    let group = groups.iter().find_map(|change| match change {
        Change::Upsert(object) if object.attributes.get(name("member")).is_some() => Some(identity(object)),
        _ => None,
    });
    let group = group.unwrap();
    let told = |step: &str, start: Instant, count: usize| {
        let (sent, received) = wire.take();
        eprintln!(
            "{what}, {step}: {:?}, {count} members, {sent} bytes sent, {received} received",
            start.elapsed()
        );
    };
    let _before = wire.take();
    let start = Instant::now();
    let (_, count, mut mark) = import(session, ImportMode::Full).await;
    told("full read", start, count);
    for (step, change) in
        [("one more", add_remove("member", &[more], &[])), ("one less", add_remove("member", &[], &[less]))]
    {
        let start = Instant::now();
        let outcome = send_one(session, "group", update(&group, vec![change])).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        told(&format!("{step} written"), start, 1);
        let start = Instant::now();
        let (_, count, next) = import(session, ImportMode::Delta { since: mark.clone().unwrap() }).await;
        told(&format!("{step} read"), start, count);
        mark = next.or(mark);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measure_a_large_group_in_openldap() {
    let Some(members) = members() else { return };
    let member = |at: usize| format!("uid=m{at},ou=people,dc=mesh,dc=test");
    let lines: String = (0..members).map(|at| format!("member: {}\n", member(at))).collect();
    let initial_ldif = format!(
        "{TREE}dn: cn=large,ou=groups,dc=mesh,dc=test\nobjectClass: groupOfNames\ncn: large\n{lines}\n"
    );
    let options = SlapdOptions { initial_ldif, sync: Some(SessionLog::AccessLog), ..SlapdOptions::default() };
    let Some(slapd) = Slapd::start(options) else { return };
    for changes in ["auto", "accesslog"] {
        let wire = Wire::to(&slapd.url);
        let written = json!({
            "servers": [wire.url], "base": slapd.suffix, "bind_dn": slapd.bind_dn, "bind_password": slapd.password,
            "changes": changes,
        });
        let mut session = connect(&Ldap::new(), written).await;
        let more = format!("uid=more-{changes},ou=people,dc=mesh,dc=test");
        let less = member(usize::from(changes == "auto"));
        measure(&format!("OpenLDAP, changes = {changes}"), session.as_mut(), &wire, &more, &less).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measure_a_large_group_in_active_directory() {
    let Some(members) = members() else { return };
    let unit = |ou: &str| format!("dn: OU={ou},DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n");
    let member = |at: usize| format!("CN=m{at},OU=people,DC=mesh,DC=test");
    let people: String = (0..=members)
        .map(|at| format!("dn: {}\nobjectClass: user\nsAMAccountName: m{at}\n\n", member(at)))
        .collect();
    let lines: String = (0..members).map(|at| format!("member: {}\n", member(at))).collect();
    let group = format!(
        "dn: CN=large,OU=groups,DC=mesh,DC=test\nobjectClass: group\nsAMAccountName: large\n{lines}\n"
    );
    let initial_ldif = format!("{}{}{people}{group}", unit("people"), unit("groups"));
    let Some(ad) = SambaAd::start(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() }) else {
        return;
    };
    let wire = Wire::to(&ad.url);
    let written = json!({
        "servers": [wire.url], "base": ad.base, "bind_dn": ad.bind_name, "bind_password": ad.password,
        "include": ["OU=groups,DC=mesh,DC=test"], "request_timeout_s": 600,
    });
    let mut session = connect(&Ldap::active_directory(), written).await;
    measure("Active Directory (Samba)", session.as_mut(), &wire, &member(members), &member(0)).await;
}
