//! What the suite must know about a connector's system, and must be able to do to it without the connector.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use identitymesh_model::{Name, Object, Schema, Text, Value, Values};
use serde_json::Value as Json;

use super::Stop;
use crate::{ConnectorKind, Identity, ImportedObject};

/// Which attributes of the subject's object type the clauses use.
#[derive(Clone, Debug)]
pub struct Form {
    /// The object type.
    pub object_type: Name,
    /// A single-valued text attribute that may be changed and may be absent; every sample has it.
    pub text: Name,
    /// Another such attribute.
    pub other: Name,
    /// A multi-valued attribute, with three values that it accepts, where the type has one.
    pub multi: Option<(Name, [Value; 3])>,
}

/// A connected system that the suite may empty, fill and look into.
///
/// All of this goes around the connector: SQL for a database, a client for a server.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The kind under test.
    fn kind(&self) -> &dyn ConnectorKind;

    /// The connector's settings as a person would write them.
    fn written(&self) -> BTreeMap<String, Json>;

    /// The folder of the configuration file.
    fn base(&self) -> PathBuf {
        PathBuf::from(".")
    }

    /// The configured schema, where the kind needs one.
    fn schema(&self) -> Option<Schema> {
        None
    }

    /// The attributes that clauses use.
    fn form(&self) -> Form;

    /// The attributes of the `number`th sample: everything that a create needs, the address included, the same for
    /// the same number, distinct for distinct ones.
    fn sample(&self, number: u32) -> Object;

    /// A sample that the system refuses for its content, where there is such a thing.
    fn refused(&self) -> Option<Object> {
        None
    }

    /// Another address for `object`, in a tree.
    fn moved(&self, _object: &Object) -> Option<Text> {
        None
    }

    /// Empties the system.
    async fn reset(&self) -> Result<(), Stop>;

    /// Makes an object by the system's own means and returns its external id.
    async fn insert(&self, attributes: &Object) -> Result<Text, Stop>;

    /// Changes one attribute by the system's own means.
    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop>;

    /// Puts content into one attribute that does not fit its type, by the system's own means, and says which; `None`
    /// where the system cannot hold such content.
    async fn spoil(&self, _external_id: &str) -> Result<Option<Name>, Stop> {
        Ok(None)
    }

    /// Removes an object by the system's own means.
    async fn erase(&self, external_id: &str) -> Result<(), Stop>;

    /// Whether the object can sign in with this password; nothing where the system has no such thing.
    async fn signs_in(&self, _identity: &Identity, _password: &str) -> Result<Option<bool>, Stop> {
        Ok(None)
    }

    /// All objects, read by the system's own means, with all attributes of the schema.
    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop>;
}
