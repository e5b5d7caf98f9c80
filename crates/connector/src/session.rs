//! One connection to a connected system.

use async_trait::async_trait;
use identitymesh_model::Schema;
use tokio_util::sync::CancellationToken;

use crate::{ConnectorError, Identity, ImportRequest, ImportedObject, Operation, Outcome, Page};
use identitymesh_model::{ItemId, Name};

/// What every call of a session observes.
#[derive(Clone, Debug)]
pub struct Context {
    /// When cancelled, calls return [`ConnectorError::cancelled`] soon, with nothing half said.
    pub cancel: CancellationToken,
    /// The longest that one request to the system may take.
    pub request_timeout: std::time::Duration,
    /// The connector's schema as configured, where it differs from what would be discovered.
    pub schema: Option<Schema>,
}

/// What a connection test found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Who answered: product and version, as far as it says.
    pub server: String,
    /// Steps that worked, in order: reached, encrypted, signed in, read one object.
    pub steps: Vec<String>,
    /// Things that work but should not stay so, such as an unverified certificate.
    pub warnings: Vec<String>,
}

/// One connection. Dropping it ends everything it started.
#[async_trait]
pub trait Session: Send {
    /// Signs in and reads one object, if there is one.
    ///
    /// # Errors
    /// The first step that failed.
    async fn test(&mut self) -> Result<TestReport, ConnectorError>;

    /// The schema in force: configured, else discovered.
    ///
    /// # Errors
    /// When the system cannot say.
    async fn schema(&mut self) -> Result<Schema, ConnectorError>;

    /// The part that reads, if the kind can.
    fn importer(&mut self) -> Option<&mut dyn Importer> {
        None
    }

    /// The part that writes, if the kind can.
    fn exporter(&mut self) -> Option<&mut dyn Exporter> {
        None
    }
}

/// Reads, page by page.
#[async_trait]
pub trait Importer: Send {
    /// Starts a read; one at a time per session.
    ///
    /// # Errors
    /// When it cannot start. A watermark that the system refuses is class `Conflict` with code `CON-010`, and the
    /// caller turns to a full import.
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError>;

    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// When the read broke; the import is over then, without certificates.
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError>;
}

/// Writes, batch by batch.
#[async_trait]
pub trait Exporter: Send {
    /// How many operations a batch may have at most.
    fn batch_max(&self) -> usize;

    /// Carries out the operations and says what became of each, in any order, each item exactly once. When this
    /// returns, what is said to be applied is durable in the target.
    ///
    /// # Errors
    /// Only when nothing can be said of single operations; the caller then treats each one as unknown.
    async fn export(&mut self, operations: Vec<Operation>) -> Result<Vec<(ItemId, Outcome)>, ConnectorError>;

    /// The object as the target holds it now, `None` when it is not there. The address is tried when there is no
    /// object with this external id, and the other way round.
    ///
    /// # Errors
    /// When the target cannot be asked.
    async fn read_back(
        &mut self,
        object_type: Name,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, ConnectorError>;
}
