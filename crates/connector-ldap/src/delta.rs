//! Reading only what changed: what every dialect's way of doing that has in common.
//!
//! A dialect implements [`Delta`]: it takes a mark before a full read begins, and resumes from a mark. A mark is bound
//! to what is read (base, filters, attributes): with other settings it would miss objects, so it is refused, as is
//! every mark that the server no longer knows. The runner then reads everything by itself. Specification: sync
//! semantics, section 2.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{Class, ConnectorError, Page, Watermark};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::schema::{Directory, TypeMap};
use crate::settings::Config;
use crate::transport::{Dial, Transport};

/// The form of marks of this program.
const MARK_VERSION: u32 = 1;
/// Longest mark; the contract allows no more.
const MARK_BYTES_MAX: usize = 64 << 10;

/// What a delta works with.
#[derive(Clone)]
pub(crate) struct Around {
    /// The session's connection.
    pub(crate) transport: Arc<dyn Transport>,
    /// For a read that wants a connection of its own.
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) config: Arc<Config>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) types: Vec<Arc<TypeMap>>,
    /// Most objects of a page.
    pub(crate) page_size: usize,
}

impl Around {
    /// Whether the server takes out references to what is deleted, and does not say so.
    pub(crate) fn mends_references(&self) -> bool {
        self.types.iter().flat_map(|map| &map.schema.attributes).any(|attribute| attribute.mended)
    }
}

/// A dialect's way of reading only what changed.
#[async_trait]
pub(crate) trait Delta: Send + Sync {
    /// The place from which a delta misses nothing that changes from now on; asked before a full read begins. Nothing
    /// when the server offers no such place, or this account may not have it.
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError>;

    /// The mark once everything was read that it was taken before: what was told until now, it may lead to again.
    async fn all_told(&self, _around: &Around, mark: Watermark) -> Result<Watermark, ConnectorError> {
        Ok(mark)
    }

    /// Starts at `since`. A mark that cannot be resumed from is refused by [`refused`], here where that can be known.
    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError>;

    /// Why a read of everything may show less than was known at this mark, which could not be resumed from: another server
    /// answers, which has not caught up. Nothing when it shows as much.
    async fn doubt(&self, _around: &Around, _since: &Watermark) -> Result<Option<String>, ConnectorError> {
        Ok(None)
    }

    /// What this account may not learn of by this way although it learns of the rest; for whoever tests the connector.
    async fn gap(&self, _around: &Around, _mark: &Watermark) -> Result<Option<String>, ConnectorError> {
        Ok(None)
    }

    /// Starts at `since` and stays: the pages have no end, and each waits until there is something to tell. Nothing where
    /// the family has no way of telling changes as they happen.
    async fn follow(
        &self,
        _around: Around,
        _since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        Ok(None)
    }
}

/// A read under way.
#[async_trait]
pub(crate) trait Pages: Send {
    /// The next page, `None` after the last.
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError>;
}

/// A mark of the style `style`, good for exactly what `around` reads.
pub(crate) fn mark(style: &str, around: &Around, at: &impl Serialize) -> Option<Watermark> {
    let at = serde_json::to_value(at).ok()?;
    let body = serde_json::json!({"style": style, "reads": reads(around), "at": at, "of": around.transport.server()});
    let body = body.to_string();
    (body.len() <= MARK_BYTES_MAX).then_some(Watermark { version: MARK_VERSION, body })
}

/// What was put into a mark of this style.
///
/// # Errors
/// The refusal that makes the caller read everything.
pub(crate) fn unmark<T: DeserializeOwned>(
    style: &str,
    around: &Around,
    mark: &Watermark,
) -> Result<T, ConnectorError> {
    let body: Json = match serde_json::from_str(&mark.body) {
        Ok(body) if mark.version == MARK_VERSION => body,
        _ => return Err(refused("it was not made by this connector")),
    };
    if body["style"] != style {
        return Err(refused("changes were found in another way when it was made"));
    }
    if body["reads"] != reads(around) {
        return Err(refused("the settings that say what is read have changed since"));
    }
    serde_json::from_value(body["at"].clone()).map_err(|_| refused("it was not made by this connector"))
}

/// Whether another of the servers answers than the one that a mark is of.
pub(crate) fn is_of_another(around: &Around, mark: &Watermark) -> bool {
    let body: Json = serde_json::from_str(&mark.body).unwrap_or_default();
    body["of"].as_str().is_some_and(|server| server != around.transport.server())
}

/// The style of a mark.
pub(crate) fn style_of(mark: &Watermark) -> Option<String> {
    let body: Json = serde_json::from_str(&mark.body).ok()?;
    body["style"].as_str().map(str::to_owned)
}

/// The refusal of a mark.
pub(crate) fn refused(why: &str) -> ConnectorError {
    let message = format!("the place where the last import ended cannot be resumed from: {why}");
    ConnectorError::new("CON-010", Class::Conflict, message).advice("a full import finds everything again")
}

/// A fingerprint of what is read, the same in every process. It may change with the toolchain, which costs one full
/// import.
fn reads(around: &Around) -> String {
    let mut hasher = DefaultHasher::new();
    (&around.config.base, &around.config.scope).hash(&mut hasher);
    let mut types: Vec<&TypeMap> = around.types.iter().map(Arc::as_ref).collect();
    types.sort_by_key(|map| map.config.name);
    for map in types {
        (map.config.name.as_str(), &map.config.base, &map.config.filter, &map.external_id).hash(&mut hasher);
        map.wanted.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
