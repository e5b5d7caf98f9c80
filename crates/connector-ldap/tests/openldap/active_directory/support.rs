//! A domain with some people, and a session with it.

use std::collections::BTreeMap;
use std::path::Path;

use identitymesh_connector::{
    Change, ConnectorError, ConnectorKind, Context, Identity, ImportMode, ImportRequest, Page, Session,
    Watermark,
};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{Object, Value, Values};
use identitymesh_testkit::real::{SambaAd, SambaAdOptions};
use serde_json::{Value as Json, json};

use crate::support::{context, name, object};

pub(super) const PEOPLE: &str = "OU=people,DC=mesh,DC=test";
pub(super) const GROUPS: &str = "OU=groups,DC=mesh,DC=test";

/// Two containers.
pub(super) const TREE: &str = "dn: OU=people,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n\
    dn: OU=groups,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n";

pub(super) fn person(at: usize) -> String {
    format!(
        "dn: CN=Person {at:05},{PEOPLE}\nobjectClass: user\nsAMAccountName: p{at:05}\nmail: p{at:05}@mesh.test\n\
         displayName: Person {at:05}\n\n"
    )
}

pub(super) fn people(count: usize) -> String {
    (0..count).map(person).collect()
}

pub(super) fn start(entries: &str) -> Option<SambaAd> {
    let initial_ldif = format!("{TREE}{entries}");
    SambaAd::start(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() })
}

pub(super) fn written(ad: &SambaAd, changes: &Json) -> BTreeMap<String, Json> {
    let mut written = json!({
        "servers": [ad.ldaps_url], "ca_file": ad.ca_file, "base": ad.base,
        "bind_dn": ad.bind_name, "bind_password": ad.password, "include": [PEOPLE, GROUPS],
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Json::Null => drop(written.as_object_mut().unwrap().remove(name)),
            value => written[name] = value.clone(),
        }
    }
    serde_json::from_value(written).unwrap()
}

pub(super) async fn connect(
    ad: &SambaAd,
    context: &Context,
    changes: Json,
) -> Result<Box<dyn Session>, ConnectorError> {
    let kind = Ldap::active_directory();
    let settings = kind.prepare(&written(ad, &changes), Path::new("/")).unwrap();
    kind.connect(&settings, context).await
}

pub(super) async fn session(ad: &SambaAd) -> Box<dyn Session> {
    connect(ad, &context(), json!({})).await.unwrap()
}

/// All pages of an import.
pub(super) async fn read(
    session: &mut dyn Session,
    mode: ImportMode,
    types: &[&str],
) -> Result<Vec<Page>, ConnectorError> {
    read_while(session, mode, types, || ()).await
}

/// All pages of an import; what happens meanwhile, happens before the first of them is there.
async fn read_while(
    session: &mut dyn Session,
    mode: ImportMode,
    types: &[&str],
    meanwhile: impl FnOnce(),
) -> Result<Vec<Page>, ConnectorError> {
    let object_types = types.iter().map(|text| name(text)).collect();
    let importer = session.importer().unwrap();
    importer.begin(ImportRequest { mode, object_types, page_size_max: 500 }).await?;
    meanwhile();
    let mut pages = Vec::new();
    while let Some(page) = importer.next_page().await? {
        pages.push(page);
    }
    Ok(pages)
}

/// What somebody holds who follows imports: objects by type and id.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Followed {
    pub(super) objects: BTreeMap<(String, String), Object>,
    pub(super) mark: Option<Watermark>,
}

impl Followed {
    pub(super) async fn full(session: &mut dyn Session, types: &[&str]) -> Self {
        Self::full_while(session, types, || ()).await
    }

    /// A full import during which something happens: types after the first are read after it.
    pub(super) async fn full_while(
        session: &mut dyn Session,
        types: &[&str],
        meanwhile: impl FnOnce(),
    ) -> Self {
        let mut followed = Self::default();
        let pages = read_while(session, ImportMode::Full, types, meanwhile).await.unwrap();
        assert!(
            pages.iter().flat_map(|page| &page.certificates).all(|certificate| certificate.is_complete())
        );
        pages.into_iter().for_each(|page| followed.apply(page));
        followed
    }

    /// Follows a delta; how many changes it had.
    pub(super) async fn delta(&mut self, session: &mut dyn Session, types: &[&str]) -> usize {
        let since = self.mark.clone().expect("there is a mark to start from");
        let pages = read(session, ImportMode::Delta { since }, types).await.unwrap();
        let count = pages.iter().map(|page| page.changes.len()).sum();
        pages.into_iter().for_each(|page| self.apply(page));
        count
    }

    fn apply(&mut self, page: Page) {
        assert_eq!(page.findings, []);
        for change in page.changes {
            let (object_type, id) = change.subject();
            let key = (object_type.to_string(), id.to_owned());
            match change {
                Change::Upsert(object) => drop(self.objects.insert(key, object.attributes)),
                Change::Delete { .. } | Change::Left { .. } => drop(self.objects.remove(&key)),
                Change::Patch(patch) => {
                    let object = self.objects.get_mut(&key).expect("a patch is about a known object");
                    for (attribute, values) in patch.set {
                        object.put(attribute, values);
                    }
                    for (attribute, values) in patch.add {
                        let mut held =
                            object.get(attribute).map_or(Vec::new(), |known| known.as_slice().to_vec());
                        held.extend(values);
                        object.put(attribute, Values::set(held));
                    }
                    for (attribute, values) in patch.remove {
                        let held = object.get(attribute).map_or(&[][..], Values::as_slice);
                        let left = held.iter().filter(|value| !values.contains(value)).cloned().collect();
                        object.put(attribute, Values::set(left));
                    }
                }
            }
        }
        self.mark = page.watermark.or(self.mark.take());
    }

    /// That what is held is what a full import tells; what differs is printed.
    pub(super) async fn is_as_full(&self, session: &mut dyn Session, types: &[&str]) {
        let full = Self::full(session, types).await;
        let differs =
            |(key, held): &(&(String, String), &Object), other: &Self| other.objects.get(*key) != Some(*held);
        let held: Vec<_> = self.objects.iter().filter(|known| differs(known, &full)).collect();
        let told: Vec<_> = full.objects.iter().filter(|known| differs(known, self)).collect();
        assert_eq!(held, told, "what is held, and what a full import tells");
    }

    /// The object with this address.
    pub(super) fn at(&self, dn: &str) -> Option<&Object> {
        let is_it = |object: &&Object| object.single(name("dn")) == Some(&Value::text(dn));
        self.objects.values().find(is_it)
    }

    pub(super) fn identity(&self, dn: &str) -> Identity {
        let is_it = |object: &Object| object.single(name("dn")) == Some(&Value::text(dn));
        let found = self.objects.iter().find(|(_, object)| is_it(object)).expect("the object was imported");
        Identity { external_id: found.0.1.as_str().into(), address: Some(dn.into()) }
    }
}

pub(super) fn dn(at: usize) -> String {
    format!("CN=Person {at:05},{PEOPLE}")
}

pub(super) fn new_person(account: &str) -> Object {
    object(&[
        ("dn", Values::from(format!("CN={account},{PEOPLE}").as_str())),
        ("sAMAccountName", Values::from(account)),
        ("displayName", Values::from(format!("Person {account}").as_str())),
    ])
}

/// The texts that `ldapsearch` sees.
pub(super) fn seen(ad: &SambaAd, dn: &str, attribute: &str) -> Vec<String> {
    let entries = ad.search(dn, "(objectClass=*)", &[attribute]).unwrap();
    let held = entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(dn));
    let values = held.and_then(|(_, entry)| entry.get(attribute)).into_iter().flatten();
    let mut texts: Vec<String> = values.map(|value| String::from_utf8(value.clone()).unwrap()).collect();
    texts.sort();
    texts
}

pub(super) fn exists(ad: &SambaAd, dn: &str) -> bool {
    ad.search(dn, "(objectClass=*)", &["cn"]).is_ok()
}
