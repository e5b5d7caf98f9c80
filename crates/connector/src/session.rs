//! One connection to a connected system.

use async_trait::async_trait;
use identitymesh_model::Schema;
use tokio_util::sync::CancellationToken;

use crate::{
    ConnectorError, FollowRequest, Identity, ImportRequest, ImportedObject, NewPassword, Operation, Outcome,
    Page,
};
use identitymesh_model::{ItemId, Name, Text};

/// Most objects that are asked for at once by [`Importer::still_there`].
pub const PRESENCE_ASKED_MAX: usize = 500;
/// Most characters of [`Importer::source`] that are kept.
pub const SOURCE_CHARS_MAX: usize = 1_000;

/// What every call of a session observes.
#[derive(Clone, Debug)]
pub struct Context {
    /// When cancelled, calls return [`ConnectorError::cancelled`] soon, with nothing half said.
    pub cancel: CancellationToken,
    /// The longest that one request to the system may take.
    pub request_timeout: std::time::Duration,
    /// The connector's schema as configured, where it differs from what would be discovered.
    pub schema: Option<Schema>,
    /// Whether the system has to stay exactly as it is: an import does not even put files aside that it has read.
    pub reads_only: bool,
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

    /// The part that hears of changes as they happen, if the kind can and this system offers it.
    fn follower(&mut self) -> Option<&mut dyn Follower> {
        None
    }

    /// The part that sets passwords, if the kind can and this system offers it.
    fn passwords(&mut self) -> Option<&mut dyn Passwords> {
        None
    }
}

/// Reads, page by page.
#[async_trait]
pub trait Importer: Send {
    /// Starts a read; one at a time per session.
    ///
    /// # Errors
    /// When it cannot start. A watermark that the system refuses is class `Conflict` with code `CON-010`, here or from
    /// [`Importer::next_page`], and the caller turns to a full import.
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError>;

    /// What the import that was begun reads from, in words that a person finds it by: the path of a file. `None` where
    /// the connector's settings say it all. At most [`SOURCE_CHARS_MAX`] characters are kept.
    fn source(&self) -> Option<String> {
        None
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// When the read broke; the import is over then, without certificates.
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError>;

    /// Which of these objects the system holds, asked for by their external ids and not by reading everything: what a
    /// read that named everything did not name is asked for before it is taken as gone, because some systems lose
    /// objects between pages and nothing in the answer shows it. At most [`PRESENCE_ASKED_MAX`] ids. `None` where the
    /// kind has no such way; its certificates then stand alone.
    ///
    /// # Errors
    /// When the system gives no answer; then nobody knows.
    async fn still_there(
        &mut self,
        _object_type: Name,
        _external_ids: &[Text],
    ) -> Result<Option<Vec<Text>>, ConnectorError> {
        Ok(None)
    }

    /// Which of these objects the system holds anywhere, also outside of what is imported: those were not deleted, and
    /// references to them stay. Asked of objects that nobody reported as deleted, where the system drops
    /// references to those that are. At most [`PRESENCE_ASKED_MAX`] ids. `None` where the kind has no such way; then
    /// none of them counts as deleted.
    ///
    /// # Errors
    /// When the system gives no answer; then nobody knows.
    async fn held_elsewhere(
        &mut self,
        _object_type: Name,
        _external_ids: &[Text],
    ) -> Result<Option<Vec<Text>>, ConnectorError> {
        Ok(None)
    }
}

/// Hears of changes as they happen.
///
/// What comes are the pages of a delta import that does not end. Which of them end a consistent state, a watermark
/// says, as ever.
#[async_trait]
pub trait Follower: Send {
    /// Starts to follow; one at a time per session, and instead of an import.
    ///
    /// # Errors
    /// As for [`Importer::begin`].
    async fn follow(&mut self, request: FollowRequest) -> Result<(), ConnectorError>;

    /// Waits for the next page, for as long as nothing happens. It may be empty but for a watermark.
    ///
    /// # Errors
    /// When the connection was lost, class `Transient`: the caller follows again from the last committed watermark.
    /// When the system refuses to go on from where it was, `CON-010`. When cancelled.
    async fn next_change(&mut self) -> Result<Page, ConnectorError>;
}

/// Sets passwords.
#[async_trait]
pub trait Passwords: Send {
    /// Sets the password of one object, as an administrator does: the old one is not asked for. The password goes to
    /// the system over an encrypted connection only, and into no message.
    ///
    /// # Errors
    /// When nothing can be said of what became of it.
    async fn set_password(
        &mut self,
        object_type: Name,
        identity: &Identity,
        password: &NewPassword,
    ) -> Result<Outcome, ConnectorError>;
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
