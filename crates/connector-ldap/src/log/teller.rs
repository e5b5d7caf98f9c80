//! From records to pages: what became of each entry, and what it is now.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use identitymesh_connector::{Change, ConnectorError, ObjectFinding, Page, Patch};
use identitymesh_model::{Name, Text, Value, ValueType, dn};

use super::record::{Kind, Record, Step, StepKind};
use crate::delta::{self, Around};
use crate::error;
use crate::filter;
use crate::presence::{self, Gone};
use crate::read;
use crate::result;
use crate::schema::TypeMap;
use crate::transport::{Entry, Found, Reach, Search};

/// Entries asked for in one search.
const ENTRIES_ASKED: usize = 50;

/// How a family's log is to be read.
#[derive(Clone, Copy)]
pub(crate) struct Manners {
    /// The attribute that identifies an entry for good, by which the log names it.
    pub(crate) id: &'static str,
    /// What the server writes into every modification by itself.
    pub(crate) bookkeeping: &'static [&'static str],
    /// Why a record that does not say which entry it means is of no use, and what helps.
    pub(crate) without_id: &'static str,
}

/// What happened to one entry.
enum Touched {
    /// It is gone.
    Gone,
    /// Only memberships changed, in these steps.
    Members(Vec<Step>),
    /// Something changed.
    Anyhow,
}

/// Tells what records mean.
pub(super) struct Teller {
    around: Around,
    manners: Manners,
    /// Containers whose names changed; their ids before they were looked at.
    containers: Vec<String>,
}

impl Teller {
    pub(super) fn new(around: &Around, manners: Manners) -> Self {
        Self { around: around.clone(), manners, containers: Vec::new() }
    }

    /// Containers whose names changed in what was told last.
    pub(super) fn renamed_containers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.containers)
    }

    /// What happened to each entry in all, by its id.
    fn touched(&mut self, records: &[Record]) -> Result<BTreeMap<String, Touched>, ConnectorError> {
        let base = dn::normalise(&self.around.config.base);
        let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
        for record in records {
            // Something may have been moved in from elsewhere.
            if record.kind != Kind::Rename && !dn::is_within(&record.target, &base) {
                continue;
            }
            let Some(id) = &record.id else { return Err(delta::refused(self.manners.without_id)) };
            let now = match &record.kind {
                Kind::Delete => Touched::Gone,
                Kind::Modify(Some(steps)) if self.is_about_members(steps) => match touched.remove(id) {
                    None => Touched::Members(steps.clone()),
                    Some(Touched::Members(mut before)) => {
                        before.extend(steps.iter().cloned());
                        Touched::Members(before)
                    }
                    Some(before) => before,
                },
                Kind::Rename => {
                    self.containers.push(id.clone());
                    Touched::Anyhow
                }
                Kind::Modify(_) | Kind::Whole => Touched::Anyhow,
            };
            touched.insert(id.clone(), now);
        }
        Ok(touched)
    }

    /// Whether single values of sets of references come and go and nothing else, also not who is of which type.
    fn is_about_members(&self, steps: &[Step]) -> bool {
        let mut has_any = false;
        for step in steps {
            let name = step.attribute.as_str();
            if self.manners.bookkeeping.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            let is_single = step.is != StepKind::Replace && !step.values.is_empty();
            let maps = &self.around.types;
            let is_members = maps.iter().all(|map| {
                map.attribute(name).is_none_or(|one| one.kind.multi && one.kind.value == ValueType::Reference)
            }) && maps.iter().any(|map| map.attribute(name).is_some());
            let lower = name.to_ascii_lowercase();
            let decides = maps.iter().any(|map| map.config.filter.to_ascii_lowercase().contains(&lower));
            if !is_single || !is_members || decides {
                return false;
            }
            has_any = true;
        }
        has_any
    }

    /// The page of what the records say.
    pub(super) async fn tell(&mut self, records: &[Record]) -> Result<Page, ConnectorError> {
        let touched = self.touched(records)?;
        let mut page = Page::default();
        let mut asked = Vec::new();
        for (id, what) in touched {
            match what {
                Touched::Gone => self.gone(&id, &mut page.changes),
                Touched::Members(steps) => self.members(&id, &steps, &mut page)?,
                Touched::Anyhow => asked.push(id),
            }
        }
        for ids in asked.chunks(ENTRIES_ASKED) {
            self.read(ids, &mut page.changes, &mut page.findings).await?;
        }
        let renamed = std::mem::take(&mut self.containers);
        for ids in renamed.chunks(ENTRIES_ASKED) {
            let search =
                self.by_ids(ids, &self.around.config.base, None, Arc::from(["hasSubordinates".to_owned()]));
            let found = ask(&self.around, search, "reading renamed entries").await?;
            let has_some =
                |entry: &&Entry| entry.texts("hasSubordinates").any(|text| text.eq_ignore_ascii_case("TRUE"));
            self.containers.extend(found.entries.iter().filter(has_some).map(|entry| entry.dn.clone()));
        }
        Ok(page)
    }

    fn gone(&self, id: &str, changes: &mut Vec<Change>) {
        let types = self.around.types.iter().map(|map| map.config.name);
        changes.extend(types.map(|object_type| Gone::Deleted.change(object_type, Text::new(id))));
    }

    /// Membership changes, for each type that has the attribute; what nobody knows of that type is not harmed.
    fn members(&self, id: &str, steps: &[Step], page: &mut Page) -> Result<(), ConnectorError> {
        for map in &self.around.types {
            let mut last: Option<Patch> = None;
            for step in steps {
                let Some(attribute) = map.attribute(&step.attribute) else { continue };
                let values = self.references(&step.values);
                let (name, is_add) = (attribute.name, step.is == StepKind::Add);
                // Adding and removing are told apart, so that the order of steps is kept.
                let patch = |add: Vec<(Name, Vec<Value>)>, remove| Patch {
                    object_type: map.config.name,
                    external_id: Text::new(id),
                    set: Vec::new(),
                    add,
                    remove,
                };
                let next = if is_add {
                    patch(vec![(name, values)], vec![])
                } else {
                    patch(vec![], vec![(name, values)])
                };
                page.changes.extend(last.replace(next).map(Change::Patch));
            }
            page.changes.extend(last.map(Change::Patch));
        }
        Ok(())
    }

    /// Values as references, without the stand-in of empty groups.
    fn references(&self, values: &[Vec<u8>]) -> Vec<Value> {
        let stand_in = self.around.config.empty_member.as_bytes();
        let shown = values.iter().filter(|value| !value.eq_ignore_ascii_case(stand_in));
        shown.filter_map(|value| std::str::from_utf8(value).ok()).map(Value::reference).collect()
    }

    fn by_ids(&self, ids: &[String], base: &str, also: Option<&str>, attributes: Arc<[String]>) -> Search {
        let ids: Vec<String> = ids.iter().map(|id| filter::equals(self.manners.id, id.as_bytes())).collect();
        let mut parts = vec![filter::any(&ids)];
        parts.extend(also.map(str::to_owned));
        Search {
            base: base.to_owned(),
            reach: Reach::Subtree,
            filter: filter::all(&parts),
            attributes,
            page: None,
            controls: Vec::new(),
        }
    }

    /// What these entries are now; what is not there as one of a type is gone from it.
    async fn read(
        &self,
        ids: &[String],
        changes: &mut Vec<Change>,
        findings: &mut Vec<ObjectFinding>,
    ) -> Result<(), ConnectorError> {
        let mut missing: Vec<(Name, Text)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for map in &self.around.types {
            let search =
                self.by_ids(ids, &map.config.base, Some(&map.config.filter), Arc::clone(&map.wanted));
            let what = format!("reading changed entries of {}", map.config.name);
            let found = ask(&self.around, search, &what).await?;
            let there = self.upserts(map, &found, changes, findings);
            let of_type = ids.iter().filter(|id| !there.contains(&id.as_str()));
            missing.extend(of_type.map(|id| (map.config.name, Text::new(id))));
            seen.extend(there.into_iter().map(str::to_owned));
        }
        let nowhere: Vec<Text> = ids.iter().filter(|id| !seen.contains(id.as_str())).map(Text::new).collect();
        let deleted = self.deleted(&nowhere).await?;
        changes.extend(missing.into_iter().map(|(object_type, id)| {
            let gone = if deleted.contains(&id) { Gone::Deleted } else { Gone::Left };
            gone.change(object_type, id)
        }));
        Ok(())
    }

    /// Those that the directory does not hold any more, where that matters: somebody may have deleted an entry since the
    /// log was read.
    async fn deleted(&self, ids: &[Text]) -> Result<HashSet<Text>, ConnectorError> {
        let (Some(map), true) = (self.around.types.first(), self.around.mends_references()) else {
            return Ok(HashSet::new());
        };
        let Around { transport, directory, .. } = &self.around;
        let held = presence::held(transport.as_ref(), directory, map, ids).await?;
        Ok(ids.iter().filter(|id| !held.contains(*id)).cloned().collect())
    }

    /// Tells of entries that belong to the connector, and names their ids.
    fn upserts<'a>(
        &self,
        map: &TypeMap,
        found: &'a Found,
        changes: &mut Vec<Change>,
        findings: &mut Vec<ObjectFinding>,
    ) -> Vec<&'a str> {
        let mut there = Vec::new();
        for entry in found.entries.iter().filter(|entry| self.around.config.scope.contains(&entry.dn)) {
            let read = read::entry(map, &self.around.config.empty_member, entry);
            findings.extend(read.findings);
            changes.extend(read.object.map(Change::Upsert));
            there.extend(entry.texts(self.manners.id).next());
        }
        there
    }
}

/// The only entry of a search by name, if it is there and may be read.
pub(crate) async fn one(around: &Around, search: Search) -> Result<Option<Entry>, ConnectorError> {
    let what = "looking at the log";
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    match found.answer.code {
        result::SUCCESS => Ok(found.entries.into_iter().next()),
        result::NO_SUCH_OBJECT | result::INSUFFICIENT_ACCESS_RIGHTS => Ok(None),
        _ => Err(error::search_refused(what, &search.base, &found.answer)),
    }
}

/// The answer to a search that must succeed.
pub(crate) async fn ask(around: &Around, search: Search, what: &str) -> Result<Found, ConnectorError> {
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(what, &search.base, &found.answer));
    }
    Ok(found)
}
