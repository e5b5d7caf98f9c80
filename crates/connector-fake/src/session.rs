//! A session with a system in memory.

use async_trait::async_trait;
use identitymesh_connector::{
    Class, ConnectorError, Context, Exporter, FollowRequest, Follower, Identity, ImportMode, ImportRequest,
    ImportedObject, Importer, Operation, Outcome, Page, Passwords, Session, TestReport, Watermark,
};
use identitymesh_model::{ItemId, Name, Schema, Text};

use crate::FakeSystem;
use crate::check::set_aside_unreadable;
use crate::reading::{Reading, Turn};
use crate::system::{Carried, Content};

/// Most operations in one batch.
const BATCH_MAX: usize = 1_000;
/// Form of the watermark's body: the number of the last change.
const WATERMARK_VERSION: u32 = 1;
/// How often somebody who follows looks into the log.
const LOOK_INTERVAL: std::time::Duration = std::time::Duration::from_millis(10);

pub(crate) struct FakeSession {
    system: FakeSystem,
    context: Context,
    reading: Option<Reading>,
    followed: Option<Followed>,
}

/// What is followed, and up to where it has been seen.
struct Followed {
    request: ImportRequest,
    since: Watermark,
}

impl FakeSession {
    pub(crate) fn new(system: FakeSystem, context: Context) -> Self {
        Self { system, context, reading: None, followed: None }
    }

    pub(crate) const fn system(&self) -> &FakeSystem {
        &self.system
    }

    /// What every call does first.
    pub(crate) fn enter(&self, call: &str) -> Result<(), ConnectorError> {
        if self.context.cancel.is_cancelled() {
            return Err(ConnectorError::cancelled());
        }
        self.system.lock().faults.call(call)
    }

    fn start(&self, request: &ImportRequest) -> Result<Reading, ConnectorError> {
        for object_type in &request.object_types {
            self.system.object_schema(*object_type)?;
        }
        let since = match &request.mode {
            ImportMode::Full => None,
            ImportMode::Delta { since } => Some(sequence(since)?),
        };
        let inner = self.system.lock();
        let faults = inner.faults.for_read();
        match (&inner.content, since) {
            (Content::Stored(state), None) => Ok(Reading::stored(state, self.system.key(), request, faults)),
            (Content::Stored(state), Some(since)) => {
                let changes =
                    state.changes_after(since, &request.object_types).ok_or_else(|| refused(since))?;
                Ok(Reading::delta(changes.into_iter(), state.sequence(), request, faults))
            }
            (Content::Generated(generator), None) => {
                Ok(Reading::generated(generator.clone(), request, faults))
            }
            (Content::Generated(generator), Some(since)) => {
                let changes = generator.changes_after(since).ok_or_else(|| refused(since))?;
                Ok(Reading::delta(changes, generator.epoch(), request, faults))
            }
            (Content::Sink(_), _) => Err(ConnectorError::unsupported("read from a sink")),
        }
    }
}

pub(crate) fn watermark(sequence: u64) -> Watermark {
    Watermark { version: WATERMARK_VERSION, body: sequence.to_string() }
}

fn sequence(mark: &Watermark) -> Result<u64, ConnectorError> {
    let number = if mark.version == WATERMARK_VERSION { mark.body.parse().ok() } else { None };
    number.ok_or_else(|| {
        let message = format!("the watermark of version {} is not one of this system", mark.version);
        ConnectorError::new("CON-010", Class::Conflict, message)
    })
}

fn refused(since: u64) -> ConnectorError {
    let message = format!("the log of changes does not reach back to change {since}");
    ConnectorError::new("CON-010", Class::Conflict, message).advice("run a full import")
}

#[async_trait]
impl Session for FakeSession {
    async fn test(&mut self) -> Result<TestReport, ConnectorError> {
        self.enter("test")?;
        let read = match &self.system.lock().content {
            Content::Stored(state) => state.objects().next().is_some(),
            Content::Generated(generator) => !generator.is_empty(),
            Content::Sink(_) => false,
        };
        let last = if read { "read one object" } else { "found no object" };
        let steps = vec!["reached the system in memory".to_owned(), last.to_owned()];
        Ok(TestReport { server: "memory".to_owned(), steps, warnings: Vec::new() })
    }

    async fn schema(&mut self) -> Result<Schema, ConnectorError> {
        self.enter("schema")?;
        Ok(self.context.schema.clone().unwrap_or_else(|| self.system.schema().clone()))
    }

    fn importer(&mut self) -> Option<&mut dyn Importer> {
        Some(self)
    }

    fn exporter(&mut self) -> Option<&mut dyn Exporter> {
        Some(self)
    }

    fn follower(&mut self) -> Option<&mut dyn Follower> {
        Some(self)
    }

    fn passwords(&mut self) -> Option<&mut dyn Passwords> {
        Some(self)
    }
}

#[async_trait]
impl Importer for FakeSession {
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError> {
        self.reading = None;
        self.enter("begin")?;
        self.reading = Some(self.start(&request)?);
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        if let Err(error) = self.enter("page") {
            self.reading = None;
            return Err(error);
        }
        let Some(reading) = &mut self.reading else { return Ok(None) };
        match reading.turn() {
            Turn::Page(mut page) => {
                // Only what others put there can be out of order; what is made up as it is read never is.
                if matches!(self.system.lock().content, Content::Stored(_)) {
                    set_aside_unreadable(self.system.schema(), &mut page);
                }
                Ok(Some(page))
            }
            Turn::End => {
                self.reading = None;
                Ok(None)
            }
            Turn::Closed => {
                self.reading = None;
                Err(ConnectorError::new("FAK-001", Class::Transient, "the connection ended within a page"))
            }
            Turn::Hang => {
                self.context.cancel.cancelled().await;
                self.reading = None;
                Err(ConnectorError::cancelled())
            }
        }
    }

    async fn held_elsewhere(
        &mut self,
        object_type: Name,
        external_ids: &[Text],
    ) -> Result<Option<Vec<Text>>, ConnectorError> {
        self.enter("look elsewhere")?;
        let inner = self.system.lock();
        let Content::Stored(state) = &inner.content else { return Ok(None) };
        let held = external_ids.iter().filter(|id| state.holds(&(object_type, (*id).clone())));
        Ok(Some(held.cloned().collect()))
    }
}

#[async_trait]
impl Follower for FakeSession {
    async fn follow(&mut self, request: FollowRequest) -> Result<(), ConnectorError> {
        let FollowRequest { since, object_types, page_size_max } = request;
        let first =
            ImportRequest { mode: ImportMode::Delta { since: since.clone() }, object_types, page_size_max };
        self.begin(first.clone()).await?;
        self.followed = Some(Followed { request: first, since });
        Ok(())
    }

    async fn next_change(&mut self) -> Result<Page, ConnectorError> {
        loop {
            if let Some(page) = self.next_page().await? {
                if let (Some(followed), Some(mark)) = (&mut self.followed, &page.watermark) {
                    followed.since.clone_from(mark);
                }
                if !page.changes.is_empty() {
                    return Ok(page);
                }
                continue;
            }
            let Some(followed) = &self.followed else {
                return Err(ConnectorError::new("FAK-001", Class::Bug, "nobody asked to follow"));
            };
            let mode = ImportMode::Delta { since: followed.since.clone() };
            let request = ImportRequest { mode, ..followed.request.clone() };
            let cancel = self.context.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(ConnectorError::cancelled()),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            self.reading = Some(self.start(&request)?);
        }
    }
}

#[async_trait]
impl Exporter for FakeSession {
    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    async fn export(&mut self, operations: Vec<Operation>) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
        self.enter("export")?;
        let mut answers = Vec::with_capacity(operations.len());
        let mut lost = false;
        for operation in operations {
            let item = operation.item;
            if lost {
                let reason = "the connection ended before this item was sent".to_owned();
                answers.push((item, Outcome::NotSent { code: "FAK-001", reason }));
                continue;
            }
            answers.push((
                item,
                match self.system.carry_out(operation) {
                    Carried::Answered(outcome) => outcome,
                    Carried::Lost => {
                        lost = true;
                        Outcome::Unknown { code: "FAK-001", reason: "the answer was lost".to_owned() }
                    }
                },
            ));
        }
        Ok(answers)
    }

    async fn read_back(
        &mut self,
        object_type: Name,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, ConnectorError> {
        self.enter("read back")?;
        let schema = self.system.object_schema(object_type)?;
        let inner = self.system.lock();
        let Content::Stored(state) = &inner.content else { return Ok(None) };
        let key = (object_type, identity.external_id.clone());
        let by_address = || {
            let external_id = state.at_address(object_type, schema.address?, identity.address.as_ref()?)?;
            Some((object_type, external_id.clone()))
        };
        let key = if state.get(&key).is_some() { Some(key) } else { by_address() };
        Ok(key.and_then(|key| {
            let attributes = state.get(&key)?.clone();
            Some(ImportedObject::whole(object_type, key.1, attributes))
        }))
    }
}
