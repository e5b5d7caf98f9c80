//! What changed according to the retro changelog, as pages.
//!
//! The log says which entries were touched; what they are now is asked of the directory itself, so that reading is right
//! however much is still happening. Only changes of memberships are taken from the log, because a group may be large and
//! its change small. Numbers are given before a change can be seen, so a number that is missing is looked for once more by
//! the next delta. A log that was trimmed past the mark, or that is another server's, refuses it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::{Change, ConnectorError, ObjectFinding, Page, Patch, Progress, Watermark};
use identitymesh_model::{Name, Text, Value, ValueType, dn};
use serde::{Deserialize, Serialize};

use super::FACTS;
use super::record::{self, Kind, Record, Step, StepKind};
use crate::below::Subtrees;
use crate::delta::{self, Around, Delta, Pages};
use crate::error;
use crate::filter;
use crate::read;
use crate::result;
use crate::schema::TypeMap;
use crate::transport::{Entry, Found, Reach, Search};

/// The word in marks.
const STYLE: &str = "retro-changelog";
/// Records in one window at most.
const WINDOW_MAX: u64 = 500;
/// Entries asked for in one search.
const ENTRIES_ASKED: usize = 50;
/// How often somebody who follows looks at the log: one small search.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Numbers that are missing in the log and looked for again, at most.
const HOLE_COUNT_MAX: usize = 100;
/// What the server writes into every modification by itself.
const BOOKKEEPING: [&str; 6] = [
    "modifiersName",
    "modifyTimestamp",
    "internalModifiersName",
    "internalModifyTimestamp",
    "entryusn",
    "nsUniqueId",
];

/// Where a delta starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Which log: the unique id of its root.
    log: String,
    /// The highest number that was seen.
    number: u64,
    /// Lower ones that were not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holes: Vec<u64>,
}

/// The log as the server describes it.
struct Log {
    base: String,
    id: String,
    first: u64,
    last: u64,
}

/// The retro changelog of 389 Directory Server.
pub(super) struct RetroChangelog;

#[async_trait]
impl Delta for RetroChangelog {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        let is_by_unique_id =
            around.types.iter().all(|map| map.external_id.eq_ignore_ascii_case(FACTS.external_id));
        if !is_by_unique_id {
            return Ok(None);
        }
        let Some(log) = Log::look(around).await? else { return Ok(None) };
        let place = Place { log: log.id, number: log.last, holes: Vec::new() };
        Ok(delta::mark(STYLE, around, &place))
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        Ok(Box::new(Changes::start(around, since, false).await?))
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        Ok(Some(Box::new(Changes::start(around, since, true).await?)))
    }
}

impl Changes {
    async fn start(around: Around, since: &Watermark, stays: bool) -> Result<Self, ConnectorError> {
        let place: Place = delta::unmark(STYLE, &around, since)?;
        let log = Log::look(&around).await?;
        let log =
            log.ok_or_else(|| delta::refused("the changelog is not there, or this account may not read it"))?;
        log.check(&place)?;
        Ok(Self {
            around,
            stays,
            next: place.number + 1,
            place,
            log,
            containers: Vec::new(),
            below: None,
            concluded: None,
            is_over: false,
            done: 0,
        })
    }

    /// Looks at the log again and again until it goes on.
    async fn wait(&mut self) -> Result<(), ConnectorError> {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let log = Log::look(&self.around).await?;
            self.log = log.ok_or_else(|| delta::refused("the changelog is not there any more"))?;
            self.log.check(&self.place)?;
            if self.log.last > self.place.number {
                self.next = self.place.number + 1;
                self.is_over = false;
                return Ok(());
            }
        }
    }
}

impl Log {
    /// Asks the server; nothing when it keeps no log or shows none.
    async fn look(around: &Around) -> Result<Option<Self>, ConnectorError> {
        let names = ["changelog", "firstChangeNumber", "lastChangeNumber"].map(str::to_owned);
        let Some(root) = one(around, Search::entry("", Arc::from(names))).await? else { return Ok(None) };
        let number = |name: &str| root.texts(name).next().and_then(|text| text.parse().ok());
        let (Some(base), Some(first), Some(last)) =
            (root.texts("changelog").next(), number("firstChangeNumber"), number("lastChangeNumber"))
        else {
            return Ok(None);
        };
        let top = one(around, Search::entry(base, Arc::from([FACTS.external_id.to_owned()]))).await?;
        let id = top.as_ref().and_then(|top| top.texts(FACTS.external_id).next());
        Ok(id.map(|id| Self { base: base.to_owned(), id: id.to_owned(), first, last }))
    }

    /// Whether everything after the place is still there.
    fn check(&self, place: &Place) -> Result<(), ConnectorError> {
        if self.id != place.log {
            return Err(delta::refused("another server answers, whose changelog counts differently"));
        }
        if self.last < place.number {
            return Err(delta::refused(&format!(
                "the changelog ends at change {}, before change {} that was seen: it was restored or made anew",
                self.last, place.number
            )));
        }
        if self.last > place.number && self.first > place.number + 1 {
            return Err(delta::refused(&format!(
                "the changelog begins at change {} and was trimmed after change {}, the last that was seen",
                self.first, place.number
            )));
        }
        Ok(())
    }
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

/// A delta under way.
struct Changes {
    around: Around,
    /// Whether to wait for more at the end of the log.
    stays: bool,
    log: Log,
    /// As it will stand in the next mark.
    place: Place,
    /// The first number of the next window.
    next: u64,
    /// Containers whose names changed.
    containers: Vec<String>,
    below: Option<Subtrees>,
    /// The page that ends a window, kept until what lies below renamed containers was told.
    concluded: Option<Page>,
    is_over: bool,
    done: u64,
}

#[async_trait]
impl Pages for Changes {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        if let Some(below) = &mut self.below {
            if let Some(page) = below.next_page().await? {
                return Ok(Some(page));
            }
            self.below = None;
        }
        if let Some(page) = self.concluded.take() {
            return Ok(Some(page));
        }
        if self.is_over && !self.stays {
            return Ok(None);
        }
        if self.is_over {
            self.wait().await?;
        }
        let records = self.window().await?;
        let touched = self.touched(&records)?;
        let mut page = self.tell(touched).await?;
        self.done += records.len() as u64;
        page.progress = Progress { done: self.done, total: None };
        self.is_over = self.next > self.log.last;
        let containers = std::mem::take(&mut self.containers);
        if containers.is_empty() {
            page.watermark = delta::mark(STYLE, &self.around, &self.place);
            return Ok(Some(page));
        }
        self.below = Some(Subtrees::new(&self.around, containers).await?);
        let watermark = delta::mark(STYLE, &self.around, &self.place);
        self.concluded = Some(Page { watermark, progress: page.progress, ..Page::default() });
        Ok(Some(page))
    }
}

impl Changes {
    /// The records of the next window, in the order of their numbers; the place moves to its end.
    async fn window(&mut self) -> Result<Vec<Record>, ConnectorError> {
        // An entry that is gone is a change of each type.
        let per_page = self.around.page_size / self.around.types.len().max(1);
        let size = WINDOW_MAX.min(per_page.max(1) as u64);
        let end = self.log.last.min(self.next.saturating_add(size - 1));
        let old_holes = std::mem::take(&mut self.place.holes);
        let mut parts = vec![format!("(&(changeNumber>={})(changeNumber<={end}))", self.next)];
        parts.extend(old_holes.iter().map(|number| format!("(changeNumber={number})")));
        let search = Search {
            base: self.log.base.clone(),
            reach: Reach::OneLevel,
            filter: filter::any(&parts),
            attributes: record::ATTRIBUTES.map(str::to_owned).into(),
            page: None,
            controls: Vec::new(),
        };
        let found = ask(&self.around, search, "reading the changelog").await?;
        let mut records: Vec<Record> = found.entries.iter().filter_map(record::read).collect();
        records.sort_by_key(|record| record.number);
        if let Some(highest) = records.last() {
            self.place.number = self.place.number.max(highest.number);
        }
        let seen: std::collections::BTreeSet<u64> = records.iter().map(|record| record.number).collect();
        let holes = (self.next..=self.place.number).filter(|number| !seen.contains(number));
        self.place.holes = holes.take(HOLE_COUNT_MAX).collect();
        self.next = end + 1;
        Ok(records)
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
            let Some(id) = &record.unique_id else {
                return Err(delta::refused(
                    "the changelog does not say which entries it means; set nsslapd-attribute: nsuniqueid:targetUniqueId on the Retro Changelog Plugin",
                ));
            };
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
            if BOOKKEEPING.iter().any(|known| known.eq_ignore_ascii_case(name)) {
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

    /// The page of what happened.
    async fn tell(&mut self, touched: BTreeMap<String, Touched>) -> Result<Page, ConnectorError> {
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
        changes.extend(
            self.around
                .types
                .iter()
                .map(|map| Change::Delete { object_type: map.config.name, external_id: Text::new(id) }),
        );
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
        let ids: Vec<String> =
            ids.iter().map(|id| filter::equals(FACTS.external_id, id.as_bytes())).collect();
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
        for map in &self.around.types {
            let search =
                self.by_ids(ids, &map.config.base, Some(&map.config.filter), Arc::clone(&map.wanted));
            let what = format!("reading changed entries of {}", map.config.name);
            let found = ask(&self.around, search, &what).await?;
            let there = self.upserts(map, &found, changes, findings);
            changes.extend(
                ids.iter()
                    .filter(|id| !there.contains(&id.as_str()))
                    .map(|id| Change::Delete { object_type: map.config.name, external_id: Text::new(id) }),
            );
        }
        Ok(())
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
            there.extend(entry.texts(FACTS.external_id).next());
        }
        there
    }
}

/// The only entry of a search by name, if it is there and may be read.
async fn one(around: &Around, search: Search) -> Result<Option<Entry>, ConnectorError> {
    let what = "looking at the changelog";
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    match found.answer.code {
        result::SUCCESS => Ok(found.entries.into_iter().next()),
        result::NO_SUCH_OBJECT | result::INSUFFICIENT_ACCESS_RIGHTS => Ok(None),
        _ => Err(error::search_refused(what, &search.base, &found.answer)),
    }
}

async fn ask(around: &Around, search: Search, what: &str) -> Result<Found, ConnectorError> {
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(what, &search.base, &found.answer));
    }
    Ok(found)
}
