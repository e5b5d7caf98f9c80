//! A directory in memory behind the seam, with faults that no real server shows on demand.
//!
//! It knows names, values and the results that this connector acts on; it evaluates no filters but looks for ids.
//! Everything about real behaviour is tested against a real server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::ConnectorError;

use super::dial::Dial;
use super::requests::{
    Answer, Attribute, Bytes, Entry, Failure, Found, Item, Items, Modification, Reach, Search, Transport,
    Write, WriteRequest,
};

/// What goes wrong, each once, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends during the n-th page of the next read.
    CloseAtPage(usize),
    /// The n-th page of the next read comes again in place of the one after it.
    RepeatPage(usize),
    /// The first page comes for ever.
    RepeatForEver,
    /// A reference to another server stands in the next page.
    Reference,
    /// A write is carried out and its answer does not come.
    AppliedWithoutAnswer,
    /// A write is answered with this code and not carried out.
    Answered(u32),
}

/// The directory.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) entries: Mutex<BTreeMap<String, Vec<Attribute>>>,
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    /// Names whose writes are refused.
    pub(crate) refused: Vec<String>,
    /// What the next streams give, one list for each; a list without an end ends with the connection.
    pub(crate) scripts: Mutex<VecDeque<Vec<Item>>>,
    closed: AtomicBool,
    pages: Mutex<usize>,
    ids: Mutex<usize>,
}

impl Fake {
    /// With `count` people.
    pub(crate) fn with_people(count: usize) -> Self {
        let fake = Self::default();
        for at in 0..count {
            let attributes =
                ["uid", "cn", "sn"].map(|name| (name.to_owned(), vec![format!("p{at:04}").into()]));
            fake.put(&format!("uid=p{at:04},dc=t"), attributes.to_vec());
        }
        fake
    }

    fn put(&self, dn: &str, mut attributes: Vec<Attribute>) {
        let mut ids = self.ids.lock().unwrap();
        *ids += 1;
        attributes.push(("entryUUID".to_owned(), vec![format!("id-{ids}").into()]));
        self.entries.lock().unwrap().insert(dn.to_owned(), attributes);
    }

    fn fault(&self, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let fault = faults.front().copied().filter(|fault| wanted(*fault))?;
        if fault != Fault::RepeatForEver {
            faults.pop_front();
        }
        Some(fault)
    }

    fn page(&self, search: &Search) -> Result<Found, Failure> {
        let page = search.page.as_ref().expect("imports ask for pages");
        let mut start = std::str::from_utf8(&page.cookie).unwrap().parse::<usize>().unwrap_or(0);
        let size = usize::try_from(page.size).unwrap();
        let mut number = self.pages.lock().unwrap();
        *number = if page.cookie.is_empty() { 1 } else { *number + 1 };
        let here = *number;
        if self.fault(|fault| fault == Fault::CloseAtPage(here)).is_some() {
            self.closed.store(true, Ordering::SeqCst);
            return Err(Failure::Lost("the server closed the connection".into()));
        }
        if self.fault(|fault| fault == Fault::RepeatPage(here - 1)).is_some() {
            start -= size;
        }
        if self.fault(|fault| fault == Fault::RepeatForEver).is_some() {
            start = 0;
        }
        let entries = self.entries.lock().unwrap();
        let found = entries.iter().skip(start).take(size).map(entry).collect::<Vec<_>>();
        let next = start + found.len();
        let cookie = if next < entries.len() { next.to_string().into_bytes() } else { Bytes::new() };
        let references =
            self.fault(|fault| fault == Fault::Reference).map(|_| "ldap://other.test/ou=x".to_owned());
        Ok(Found { entries: found, references: references.into_iter().collect(), cookie, ..Found::default() })
    }

    fn apply(&self, write: &Write) -> u32 {
        match write {
            Write::Add { dn, attributes } => {
                if self.entries.lock().unwrap().contains_key(dn) {
                    return 68;
                }
                self.put(dn, attributes.clone());
            }
            Write::Delete { dn } => {
                if self.entries.lock().unwrap().remove(dn).is_none() {
                    return 32;
                }
            }
            Write::Modify { dn, changes } => {
                let mut entries = self.entries.lock().unwrap();
                let Some(entry) = entries.get_mut(dn) else { return 32 };
                return modify(entry, changes);
            }
            Write::Rename { .. } => return 53,
        }
        0
    }
}

fn entry((dn, attributes): (&String, &Vec<Attribute>)) -> Entry {
    Entry { dn: dn.clone(), attributes: attributes.clone() }
}

fn modify(entry: &mut Vec<Attribute>, changes: &[Modification]) -> u32 {
    let mut changed = entry.clone();
    for change in changes {
        let (Modification::Add(name, values)
        | Modification::Delete(name, values)
        | Modification::Replace(name, values)) = change;
        if !changed.iter().any(|(known, _)| known == name) {
            changed.push((name.clone(), Vec::new()));
        }
        let (_, held) = changed.iter_mut().find(|(known, _)| known == name).unwrap();
        match change {
            Modification::Add(..) if values.iter().any(|value| held.contains(value)) => return 20,
            Modification::Add(..) => held.extend(values.iter().cloned()),
            Modification::Delete(..) if values.iter().any(|value| !held.contains(value)) => return 16,
            Modification::Delete(..) => held.retain(|value| !values.contains(value)),
            Modification::Replace(..) => held.clone_from(values),
        }
    }
    changed.retain(|(_, values)| !values.is_empty());
    *entry = changed;
    0
}

#[async_trait]
impl Transport for Fake {
    async fn search(&self, search: &Search) -> Result<Found, Failure> {
        let text =
            |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(|one| (*one).into()).collect());
        let one = |entry: Entry| Ok(Found { entries: vec![entry], ..Found::default() });
        match (search.reach, search.base.as_str()) {
            (Reach::Base, "") => one(Entry {
                dn: String::new(),
                attributes: vec![text("supportedControl", &["1.2.840.113556.1.4.319"])],
            }),
            (Reach::Base, "cn=Subschema") => one(Entry {
                dn: "cn=Subschema".to_owned(),
                attributes: vec![
                    text(
                        "attributeTypes",
                        &[
                            "( 1.1 NAME 'uid' EQUALITY caseIgnoreMatch )",
                            "( 1.2 NAME 'cn' EQUALITY caseIgnoreMatch )",
                            "( 1.3 NAME 'sn' EQUALITY caseIgnoreMatch )",
                        ],
                    ),
                    text("objectClasses", &["( 2.1 NAME 'inetOrgPerson' MUST ( cn $ sn ) MAY uid )"]),
                ],
            }),
            (Reach::Base, dn) => {
                let found = self.entries.lock().unwrap().get_key_value(dn).map(entry);
                let code = if found.is_some() { 0 } else { 32 };
                let answer = Answer { code, ..Answer::default() };
                Ok(Found { entries: found.into_iter().collect(), answer, ..Found::default() })
            }
            (Reach::Subtree | Reach::OneLevel, _) if search.page.is_some() => self.page(search),
            (Reach::Subtree | Reach::OneLevel, _) => {
                let id =
                    search.filter.trim_matches(['(', ')']).split_once('=').unwrap().1.as_bytes().to_vec();
                let entries = self.entries.lock().unwrap();
                let entries =
                    entries.iter().map(entry).filter(|entry| entry.values("entryUUID") == [id.clone()]);
                Ok(Found { entries: entries.collect(), ..Found::default() })
            }
        }
    }

    async fn write(&self, request: &WriteRequest) -> Result<Answer, Failure> {
        let (Write::Add { dn, .. }
        | Write::Delete { dn }
        | Write::Modify { dn, .. }
        | Write::Rename { dn, .. }) = &request.write;
        if self.refused.contains(dn) {
            return Ok(Answer {
                code: 19,
                message: "sn: not by this policy".to_owned(),
                ..Answer::default()
            });
        }
        if let Some(Fault::Answered(code)) = self.fault(|fault| matches!(fault, Fault::Answered(_))) {
            return Ok(Answer { code, ..Answer::default() });
        }
        let code = self.apply(&request.write);
        if self.fault(|fault| fault == Fault::AppliedWithoutAnswer).is_some() {
            return Err(Failure::TimedOut(Duration::from_secs(1)));
        }
        Ok(Answer { code, ..Answer::default() })
    }

    async fn stream(&self, search: &Search) -> Result<Box<dyn Items>, Failure> {
        if let Some(script) = self.scripts.lock().unwrap().pop_front() {
            return Ok(Box::new(FakeItems(script.into())));
        }
        let Found { entries, references, answer, .. } = self.search(search).await?;
        let entries = entries.into_iter().map(|entry| Item::Entry(entry, Vec::new()));
        let references = (!references.is_empty()).then_some(Item::References(references));
        Ok(Box::new(FakeItems(entries.chain(references).chain([Item::Done(answer)]).collect())))
    }

    async fn extended(&self, _oid: &str, _value: Option<&[u8]>) -> Result<Answer, Failure> {
        Ok(Answer { code: 2, ..Answer::default() })
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::SeqCst)
    }

    fn is_encrypted(&self) -> bool {
        true
    }

    fn server(&self) -> &'static str {
        "ldaps://fake.test"
    }
}

struct FakeItems(VecDeque<Item>);

#[async_trait]
impl Items for FakeItems {
    async fn next(&mut self, _wait: Duration) -> Result<Item, Failure> {
        self.0.pop_front().ok_or(Failure::NotSent)
    }
}

/// Hands out the same directory each time, open again.
pub(crate) struct FakeDial(pub(crate) Arc<Fake>);

#[async_trait]
impl Dial for FakeDial {
    async fn dial(&self) -> Result<Arc<dyn Transport>, ConnectorError> {
        self.0.closed.store(false, Ordering::SeqCst);
        let fake: Arc<dyn Transport> = Arc::<Fake>::clone(&self.0);
        Ok(fake)
    }
}
