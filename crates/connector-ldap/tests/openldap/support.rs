//! A server with some people, a session with it, and short ways of saying operations.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use identitymesh_connector::{
    AttributeChange, Certificate, Change, ChangeKind, ConnectorError, ConnectorKind, Context, Identity,
    ImportMode, ImportRequest, ImportedObject, ObjectFinding, Operation, OperationKind, Outcome, Session,
};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{ItemId, Name, Object, Text, Value, Values};
use identitymesh_testkit::real::{Slapd, SlapdOptions};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

pub(crate) const TREE: &str = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
    dn: ou=groups,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: groups\n\n\
    dn: cn=reader,dc=mesh,dc=test\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
    cn: reader\nuserPassword: reader-secret\n\n";

pub(crate) fn person(uid: &str) -> String {
    format!(
        "dn: uid={uid},ou=people,dc=mesh,dc=test\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: Person {uid}\nsn: {uid}\n\
         mail: {uid}@mesh.test\n\n"
    )
}

pub(crate) fn people(count: usize) -> String {
    (0..count).map(|at| person(&format!("p{at:05}"))).collect()
}

pub(crate) fn start(entries: &str) -> Option<Slapd> {
    Slapd::start(SlapdOptions { initial_ldif: format!("{TREE}{entries}"), ..SlapdOptions::default() })
}

/// Freezes the server and waits until it really says nothing: the signal reaches its threads one after the other.
pub(crate) fn freeze(slapd: &Slapd) {
    slapd.freeze().unwrap();
    while answers(slapd) {}
}

fn answers(slapd: &Slapd) -> bool {
    // An anonymous bind, message 1: the shortest request that is answered.
    const BIND: [u8; 14] = [0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0];
    let mut socket = TcpStream::connect(slapd.url.trim_start_matches("ldap://")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    socket.write_all(&BIND).unwrap();
    socket.read(&mut [0; 64]).is_ok()
}

pub(crate) fn context() -> Context {
    Context {
        cancel: CancellationToken::new(),
        request_timeout: Duration::from_secs(20),
        schema: None,
        reads_only: false,
    }
}

pub(crate) async fn connect(
    slapd: &Slapd,
    context: &Context,
    changes: Json,
) -> Result<Box<dyn Session>, ConnectorError> {
    let mut written = json!({
        "servers": [slapd.ldaps_url], "ca_file": slapd.ca_file, "base": slapd.suffix,
        "bind_dn": slapd.bind_dn, "bind_password": slapd.password,
    });
    for (name, value) in changes.as_object().unwrap() {
        written[name] = value.clone();
    }
    let written: BTreeMap<String, Json> = serde_json::from_value(written).unwrap();
    let kind = Ldap::new();
    let settings = kind.prepare(&written, Path::new("/")).unwrap();
    kind.connect(&settings, context).await
}

pub(crate) async fn session(slapd: &Slapd) -> Box<dyn Session> {
    connect(slapd, &context(), json!({})).await.unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[derive(Default)]
pub(crate) struct Imported {
    pub(crate) objects: Vec<ImportedObject>,
    pub(crate) findings: Vec<ObjectFinding>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) pages: usize,
}

impl Imported {
    pub(crate) fn object(&self, dn: &str) -> &Object {
        let is_it = |object: &&ImportedObject| object.attributes.single(name("dn")) == Some(&Value::text(dn));
        &self.objects.iter().find(is_it).expect("the object was imported").attributes
    }
}

pub(crate) async fn import(session: &mut dyn Session, types: &[&str]) -> Result<Imported, ConnectorError> {
    let object_types = types.iter().map(|text| name(text)).collect();
    let importer = session.importer().unwrap();
    importer.begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max: 1_000 }).await?;
    let mut imported = Imported::default();
    while let Some(page) = importer.next_page().await? {
        imported.pages += 1;
        imported.findings.extend(page.findings);
        imported.certificates.extend(page.certificates);
        for change in page.changes {
            let Change::Upsert(object) = change else { panic!("a full import only knows whole objects") };
            imported.objects.push(object);
        }
    }
    Ok(imported)
}

pub(crate) fn object(attributes: &[(&str, Values)]) -> Object {
    attributes.iter().map(|(attribute, values)| (name(attribute), values.clone())).collect()
}

pub(crate) fn set(values: &[&str]) -> Values {
    Values::set(values.iter().map(Value::text).collect()).unwrap()
}

pub(crate) fn references(values: &[&str]) -> Values {
    Values::set(values.iter().map(Value::reference).collect()).unwrap()
}

pub(crate) fn new_person(uid: &str) -> Object {
    object(&[
        ("dn", Values::from(format!("uid={uid},ou=people,dc=mesh,dc=test").as_str())),
        ("uid", set(&[uid])),
        ("cn", set(&[&format!("Person {uid}")])),
        ("sn", set(&[uid])),
    ])
}

pub(crate) fn create(attributes: Object) -> OperationKind {
    OperationKind::Create { attributes, create_container: false, password: None }
}

pub(crate) fn update(identity: &Identity, changes: Vec<AttributeChange>) -> OperationKind {
    OperationKind::Update { identity: identity.clone(), new_address: None, create_container: false, changes }
}

pub(crate) fn rename(identity: &Identity, to: &str, changes: Vec<AttributeChange>) -> OperationKind {
    let new_address = Some(Text::new(to));
    OperationKind::Update { identity: identity.clone(), new_address, create_container: true, changes }
}

pub(crate) fn replace(attribute: &str, old: Option<Values>, new: Option<Values>) -> AttributeChange {
    AttributeChange { name: name(attribute), kind: ChangeKind::Replace { old, new } }
}

pub(crate) fn add_remove(attribute: &str, add: &[&str], remove: &[&str]) -> AttributeChange {
    let values = |texts: &[&str]| texts.iter().map(Value::reference).collect();
    AttributeChange {
        name: name(attribute),
        kind: ChangeKind::AddRemove { add: values(add), remove: values(remove) },
    }
}

pub(crate) async fn send(
    session: &mut dyn Session,
    object_type: &str,
    kinds: Vec<OperationKind>,
) -> Vec<Outcome> {
    let count = kinds.len();
    let operations = kinds.into_iter().zip(1..);
    let operations = operations
        .map(|(kind, item)| Operation { item: ItemId(item), object_type: name(object_type), kind })
        .collect();
    let mut outcomes = session.exporter().unwrap().export(operations).await.unwrap();
    outcomes.sort_by_key(|(item, _)| *item);
    assert_eq!(outcomes.len(), count, "each operation has one outcome");
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

pub(crate) async fn send_one(session: &mut dyn Session, object_type: &str, kind: OperationKind) -> Outcome {
    send(session, object_type, vec![kind]).await.remove(0)
}

/// The id that a create gave.
pub(crate) fn created(outcome: &Outcome, dn: &str) -> Identity {
    let Outcome::Applied(written) = outcome else { panic!("{outcome:?}") };
    Identity { external_id: written.external_id.clone().unwrap(), address: Some(dn.into()) }
}

/// The texts that `ldapsearch` sees.
pub(crate) fn seen(slapd: &Slapd, dn: &str, attribute: &str) -> Vec<String> {
    let entries = slapd.search(dn, "(objectClass=*)", &[attribute]).unwrap();
    let mut texts: Vec<String> = entries
        .values()
        .next()
        .and_then(|entry| entry.get(attribute))
        .into_iter()
        .flatten()
        .map(|value| String::from_utf8(value.clone()).unwrap())
        .collect();
    texts.sort();
    texts
}
