//! From "these objects changed" to changes of the contract.
//!
//! An object of a type is handed over whole, as it is now; where only links changed, the links. An object that is of no
//! type any more, or lies outside of what is read, is gone. When an object was renamed or moved, everything below it
//! has another name, and whatever refers to any of them says so now: both are read again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use identitymesh_connector::{Change, ConnectorError, ObjectFinding, Patch};
use identitymesh_model::{Name, Text, Value, Values, dn};

use super::referrers::{Renamed, referrers};
use super::values;
use crate::delta::Around;
use crate::filter;
use crate::page;
use crate::presence::{self, Gone};
use crate::ranges;
use crate::read;
use crate::schema::TypeMap;
use crate::transport::{Bytes, Entry, Reach, Search};
use crate::value;

/// Objects asked for at a time: their ids make a filter, whose length servers limit.
pub(super) const ASKED_COUNT_MAX: usize = 100;
/// Classes of entries that others lie below.
const CONTAINERS: [&str; 4] = ["organizationalUnit", "container", "domainDNS", "builtinDomain"];

/// What a controller says about one object.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// The text of its GUID.
    pub(super) id: String,
    pub(super) is_deleted: bool,
    /// It was made since, and nobody was told of it yet.
    pub(super) is_new: bool,
    /// Its name or place changed.
    pub(super) is_renamed: bool,
    /// Links that came and went, when nothing else changed: the attribute, whether they came, the names.
    pub(super) links: Option<Vec<(String, bool, Vec<Bytes>)>>,
}

/// The changes, in the order in which they have to be applied.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) changes: Vec<Change>,
    pub(super) findings: Vec<ObjectFinding>,
}

/// Finds out what became of objects.
pub(super) async fn resolve(around: &Around, changed: Vec<Changed>) -> Result<Resolved, ConnectorError> {
    let mut resolved = Resolved::default();
    let (mut linked, mut whole, mut renamed) = (HashMap::new(), HashMap::new(), Vec::new());
    for one in changed {
        if one.is_deleted {
            gone(around, &one.id, Gone::Deleted, &mut resolved);
        } else if let Some(links) = one.links {
            linked.entry(one.id).or_insert_with(Vec::new).extend(links);
        } else {
            // Nobody knows a new one by another name.
            if one.is_renamed && !one.is_new {
                renamed.push(one.id.clone());
            }
            whole.insert(one.id, one.is_new);
        }
    }
    // A link change of an object that is read whole is part of what is read.
    linked.retain(|id, _| !whole.contains_key(id));
    links(around, linked, &mut resolved).await?;
    objects(around, whole, &mut resolved).await?;
    if !renamed.is_empty() {
        renames(around, renamed, &mut resolved).await?;
    }
    Ok(resolved)
}

/// An object that is not there is of no type, whatever it was.
fn gone(around: &Around, id: &str, gone: Gone, resolved: &mut Resolved) {
    let types = around.types.iter().map(|map| map.config.name);
    resolved.changes.extend(types.map(|object_type| gone.change(object_type, Text::new(id))));
}

async fn links(
    around: &Around,
    mut linked: HashMap<String, Vec<(String, bool, Vec<Bytes>)>>,
    resolved: &mut Resolved,
) -> Result<(), ConnectorError> {
    let ids: Vec<String> = linked.keys().cloned().collect();
    for map in &around.types {
        for entry in with_ids(around, map, &ids, [map.external_id.clone()].into()).await? {
            let Ok(external_id) = read::external_id(map, &entry) else { continue };
            if !is_inside(around, map, &entry.dn) {
                continue;
            }
            let links = linked.remove(external_id.as_str()).unwrap_or_default();
            resolved.changes.extend(patched(map, external_id, &links).map(Change::Patch));
        }
    }
    Ok(())
}

/// Links that came and went, as one change. Of a single-valued one the value that came is all there is.
fn patched(map: &TypeMap, external_id: Text, links: &[(String, bool, Vec<Bytes>)]) -> Option<Patch> {
    let (mut add, mut remove) = (values_of(map, links, true), values_of(map, links, false));
    let is_single = |(name, _): &mut (Name, Vec<Value>)| {
        map.schema.attribute(*name).is_some_and(|known| !known.kind.multi)
    };
    let came: Vec<(Name, Vec<Value>)> = add.extract_if(.., is_single).collect();
    let went: Vec<(Name, Vec<Value>)> = remove.extract_if(.., is_single).collect();
    let is_left_empty = |(name, _): &(Name, Vec<Value>)| came.iter().all(|(other, _)| other != name);
    let mut set: Vec<(Name, Option<Values>)> =
        went.into_iter().filter(is_left_empty).map(|(name, _)| (name, None)).collect();
    set.extend(
        came.into_iter().filter_map(|(name, mut values)| Some((name, Some(Values::One(values.pop()?))))),
    );
    let is_any = !set.is_empty() || !add.is_empty() || !remove.is_empty();
    is_any.then(|| Patch { object_type: map.config.name, external_id, set, add, remove })
}

fn values_of(map: &TypeMap, links: &[(String, bool, Vec<Bytes>)], came: bool) -> Vec<(Name, Vec<Value>)> {
    let links = links.iter().filter(|(_, has_come, _)| *has_come == came);
    let values = links.filter_map(|(attribute, _, names)| {
        let attribute = map.attribute(attribute)?;
        let values = names.iter().filter_map(|name| {
            value::decode(map.form(attribute.name), attribute.kind.value, name).ok().flatten()
        });
        Some((attribute.name, values.collect()))
    });
    values.collect()
}

async fn objects(
    around: &Around,
    mut whole: HashMap<String, bool>,
    resolved: &mut Resolved,
) -> Result<(), ConnectorError> {
    let ids: Vec<String> = whole.keys().cloned().collect();
    for map in &around.types {
        for entry in with_ids(around, map, &ids, Arc::clone(&map.wanted)).await? {
            if is_inside(around, map, &entry.dn)
                && let Some(id) = upsert(around, map, entry, resolved).await?
            {
                whole.remove(&id);
            }
        }
    }
    // What was made since and is nothing of ours never was.
    let ours = whole.into_iter().filter(|(_, is_new)| !is_new);
    let missing: Vec<Text> = ours.map(|(id, _)| Text::from(id)).collect();
    let Some(map) = around.types.first() else { return Ok(()) };
    // Somebody may have deleted it since the controller told of its change.
    let held = presence::held(around.transport.as_ref(), &around.directory, map, &missing).await?;
    for id in missing {
        let what = if held.contains(&id) { Gone::Left } else { Gone::Deleted };
        gone(around, &id, what, resolved);
    }
    Ok(())
}

/// Hands an entry over whole; the id when it is an object.
async fn upsert(
    around: &Around,
    map: &TypeMap,
    mut entry: Entry,
    resolved: &mut Resolved,
) -> Result<Option<String>, ConnectorError> {
    if ranges::is_partial(&entry) {
        let name = entry.dn.clone();
        if !ranges::complete(around.transport.as_ref(), &name, &mut entry).await? {
            return Ok(None);
        }
    }
    let read = read::entry(map, &around.config.empty_member, &entry);
    resolved.findings.extend(read.findings);
    let Some(object) = read.object else { return Ok(None) };
    let id = object.external_id.to_string();
    resolved.changes.push(Change::Upsert(object));
    Ok(Some(id))
}

fn is_inside(around: &Around, map: &TypeMap, name: &str) -> bool {
    dn::is_within(name, &map.config.base) && around.config.scope.contains(name)
}

/// The entries of a type that have these ids.
pub(super) async fn with_ids(
    around: &Around,
    map: &TypeMap,
    ids: &[String],
    attributes: Arc<[String]>,
) -> Result<Vec<Entry>, ConnectorError> {
    let mut entries = Vec::new();
    for ids in ids.chunks(ASKED_COUNT_MAX) {
        let ids: String = ids.iter().map(|id| map.filter_for(id)).collect();
        let filter = format!("(&{}(|{ids}))", map.config.filter);
        entries.extend(search(around, &map.config.base, filter, Arc::clone(&attributes)).await?);
    }
    Ok(entries)
}

/// The entries that have these GUIDs, of whatever type.
pub(super) async fn with_guids(
    around: &Around,
    base: &str,
    ids: &[impl AsRef<str> + Sync],
    attributes: &Arc<[String]>,
) -> Result<Vec<Entry>, ConnectorError> {
    let mut entries = Vec::new();
    for ids in ids.chunks(ASKED_COUNT_MAX) {
        let guids = ids.iter().filter_map(|id| values::guid_bytes(id.as_ref()));
        let any: String = guids.map(|guid| filter::equals("objectGUID", &guid)).collect();
        entries.extend(search(around, base, format!("(|{any})"), Arc::clone(attributes)).await?);
    }
    Ok(entries)
}

/// All entries that match, wherever they lie below `base`.
pub(super) async fn search(
    around: &Around,
    base: &str,
    filter: String,
    attributes: Arc<[String]>,
) -> Result<Vec<Entry>, ConnectorError> {
    let search = Search {
        base: base.to_owned(),
        reach: Reach::Subtree,
        filter,
        attributes,
        page: None,
        controls: Vec::new(),
    };
    page::all_changed(around.transport.as_ref(), search).await
}

async fn renames(around: &Around, ids: Vec<String>, resolved: &mut Resolved) -> Result<(), ConnectorError> {
    // What was handed over whole already says all; links alone do not, because names of others have changed.
    let is_whole = |change: &&Change| !matches!(change, Change::Patch(_));
    let mut seen: HashSet<String> =
        resolved.changes.iter().filter(is_whole).map(|change| change.subject().1.to_owned()).collect();
    let mut renamed = Renamed::default();
    let wanted = ["objectClass".to_owned()].into();
    for entry in with_guids(around, &around.config.base, &ids, &wanted).await? {
        if entry.texts("objectClass").any(|class| CONTAINERS.contains(&class)) {
            below(around, &entry.dn, &mut seen, &mut renamed.names, resolved).await?;
            renamed.containers.push(entry.dn.clone());
        }
        renamed.names.push(entry.dn);
    }
    renamed.ids = ids;
    for (map, entries) in referrers(around, &renamed).await? {
        for entry in entries {
            let Ok(id) = read::external_id(&map, &entry) else { continue };
            if is_inside(around, &map, &entry.dn) && seen.insert(id.to_string()) {
                upsert(around, &map, entry, resolved).await?;
            }
        }
    }
    Ok(())
}

/// Everything below a container that has another name now.
async fn below(
    around: &Around,
    container: &str,
    seen: &mut HashSet<String>,
    names: &mut Vec<String>,
    resolved: &mut Resolved,
) -> Result<(), ConnectorError> {
    for map in &around.types {
        let filter = map.config.filter.clone();
        for entry in search(around, container, filter, Arc::clone(&map.wanted)).await? {
            names.push(entry.dn.clone());
            let Ok(id) = read::external_id(map, &entry) else { continue };
            if !seen.insert(id.to_string()) {
                continue;
            }
            if is_inside(around, map, &entry.dn) {
                upsert(around, map, entry, resolved).await?;
            } else {
                gone(around, &id, Gone::Left, resolved);
            }
        }
    }
    Ok(())
}
