//! Who refers to objects that have another name now.
//!
//! A controller keeps links from both ends: an account says in `memberOf` which groups hold it. So the objects that were
//! renamed say themselves who refers to them, and the cost is that of those links and not of the whole domain. The few
//! references that are no links know no other end; whoever has one is looked at.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use identitymesh_connector::ConnectorError;
use identitymesh_model::{Name, ValueType, dn};

use super::changed::{ASKED_COUNT_MAX, search, with_guids, with_ids};
use crate::delta::Around;
use crate::filter;
use crate::page;
use crate::ranges;
use crate::read;
use crate::schema::TypeMap;
use crate::transport::{Entry, Reach, Search};

/// Objects with new names.
#[derive(Debug, Default)]
pub(super) struct Renamed {
    /// The GUIDs of those that were renamed themselves.
    pub(super) ids: Vec<String>,
    /// The names of those below which others lie.
    pub(super) containers: Vec<String>,
    /// The new names of all of them and of all below.
    pub(super) names: Vec<String>,
}

/// The entries that refer to any of them, of each type.
pub(super) async fn referrers(
    around: &Around,
    renamed: &Renamed,
) -> Result<Vec<(Arc<TypeMap>, Vec<Entry>)>, ConnectorError> {
    let other_ends = other_ends(around).await?;
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    for map in &around.types {
        wanted.extend(references(map).filter_map(|name| other_ends.get(name.folded())).map(String::as_str));
    }
    let holders = holders(around, renamed, &wanted.into_iter().collect::<Vec<_>>()).await?;
    let mut found = Vec::new();
    for map in &around.types {
        let mut entries = with_names(around, map, &holders).await?;
        let unlinked: Vec<Name> =
            references(map).filter(|name| !other_ends.contains_key(name.folded())).collect();
        entries.extend(without_link(around, map, &unlinked, &renamed.names).await?);
        found.push((Arc::clone(map), entries));
    }
    Ok(found)
}

fn references(map: &TypeMap) -> impl Iterator<Item = Name> + '_ {
    let attributes = map.schema.attributes.iter();
    attributes.filter(|one| one.kind.value == ValueType::Reference && !one.read_only).map(|one| one.name)
}

/// The attributes at the other end of links, by the name of the one that is written, in lower case.
async fn other_ends(around: &Around) -> Result<HashMap<String, String>, ConnectorError> {
    let root = &around.directory.root;
    let search = Search {
        base: root.texts("schemaNamingContext").next().unwrap_or("CN=Schema,CN=Configuration").to_owned(),
        reach: Reach::OneLevel,
        filter: "(&(objectClass=attributeSchema)(linkID=*))".to_owned(),
        attributes: ["lDAPDisplayName".to_owned(), "linkID".to_owned()].into(),
        page: None,
        controls: Vec::new(),
    };
    let entries = page::all(around.transport.as_ref(), "reading the schema", search).await?;
    Ok(paired(&entries))
}

/// Links have even numbers, and their other ends the next ones.
fn paired(entries: &[Entry]) -> HashMap<String, String> {
    let numbered = entries.iter().filter_map(|entry| {
        let number: i64 = entry.texts("linkID").next()?.parse().ok()?;
        Some((number, entry.texts("lDAPDisplayName").next()?))
    });
    let by_number: HashMap<i64, &str> = numbered.collect();
    let pairs = by_number.iter().filter(|(number, _)| **number % 2 == 0);
    pairs
        .filter_map(|(number, name)| Some((name.to_lowercase(), (*by_number.get(&(number + 1))?).to_owned())))
        .collect()
}

/// The names of all that the other ends of links lead to.
async fn holders(
    around: &Around,
    renamed: &Renamed,
    other_ends: &[&str],
) -> Result<Vec<String>, ConnectorError> {
    if other_ends.is_empty() {
        return Ok(Vec::new());
    }
    let attributes: Arc<[String]> = other_ends.iter().map(|name| (*name).to_owned()).collect();
    let mut entries = with_guids(around, &around.config.base, &renamed.ids, &attributes).await?;
    let any: String = other_ends.iter().map(|name| format!("({name}=*)")).collect();
    for container in &renamed.containers {
        entries.extend(search(around, container, format!("(|{any})"), Arc::clone(&attributes)).await?);
    }
    let mut names = BTreeSet::new();
    for mut entry in entries {
        if ranges::is_partial(&entry) {
            let name = entry.dn.clone();
            ranges::complete(around.transport.as_ref(), &name, &mut entry).await?;
        }
        for (_, values) in &entry.attributes {
            names.extend(values.iter().map(|name| String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(names.into_iter().collect())
}

async fn with_names(around: &Around, map: &TypeMap, names: &[String]) -> Result<Vec<Entry>, ConnectorError> {
    let mut entries = Vec::new();
    for names in names.chunks(ASKED_COUNT_MAX) {
        let any: String =
            names.iter().map(|name| filter::equals("distinguishedName", name.as_bytes())).collect();
        let filter = format!("(&{}(|{any}))", map.config.filter);
        entries.extend(search(around, &map.config.base, filter, Arc::clone(&map.wanted)).await?);
    }
    Ok(entries)
}

/// Entries that refer to one of these names without a link. A few names are looked for; for many, everybody who has such
/// a reference is asked whom it names.
async fn without_link(
    around: &Around,
    map: &TypeMap,
    attributes: &[Name],
    names: &[String],
) -> Result<Vec<Entry>, ConnectorError> {
    if attributes.is_empty() || names.is_empty() {
        return Ok(Vec::new());
    }
    let base = &map.config.base;
    if names.len() * attributes.len() <= ASKED_COUNT_MAX {
        let pairs = names.iter().flat_map(|name| attributes.iter().map(move |attribute| (attribute, name)));
        let any: String =
            pairs.map(|(attribute, name)| filter::equals(attribute.as_str(), name.as_bytes())).collect();
        let filter = format!("(&{}(|{any}))", map.config.filter);
        return search(around, base, filter, Arc::clone(&map.wanted)).await;
    }
    let any: String = attributes.iter().map(|attribute| format!("({attribute}=*)")).collect();
    let wanted = attributes.iter().map(|attribute| attribute.as_str().to_owned());
    let wanted: Arc<[String]> = wanted.chain([map.external_id.clone()]).collect();
    let entries = search(around, base, format!("(&{}(|{any}))", map.config.filter), wanted).await?;
    let names: HashSet<String> = names.iter().map(|name| dn::normalise(name)).collect();
    let refers = |entry: &Entry| {
        attributes
            .iter()
            .flat_map(|attribute| entry.texts(attribute.as_str()))
            .any(|name| names.contains(&dn::normalise(name)))
    };
    let ids: Vec<String> = entries
        .iter()
        .filter(|entry| ranges::is_partial(entry) || refers(entry))
        .filter_map(|entry| read::external_id(map, entry).ok())
        .map(|id| id.to_string())
        .collect();
    with_ids(around, map, &ids, Arc::clone(&map.wanted)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_paired_by_their_numbers() {
        let entry = |name: &str, number: &str| Entry {
            dn: String::new(),
            attributes: [("lDAPDisplayName", name), ("linkID", number)]
                .map(|(name, value)| (name.to_owned(), vec![value.as_bytes().to_vec()]))
                .into(),
        };
        let known = [
            entry("memberOf", "3"),
            entry("member", "2"),
            entry("onlyForward", "8"),
            entry("onlyBack", "11"),
            entry("Manager", "42"),
            entry("directReports", "43"),
        ];
        let pairs = paired(&known);
        assert_eq!((pairs["member"].as_str(), pairs["manager"].as_str()), ("memberOf", "directReports"));
        assert_eq!(pairs.len(), 2);
    }
}
