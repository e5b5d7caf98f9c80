//! The handle by which tests make, fill, disturb and inspect a system.
//!
//! Clones are the same system. A test keeps one, the kind another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identitymesh_connector::{ConnectorError, ImportedObject, Operation, OperationKind, Outcome, Written};
use identitymesh_model::{Name, Object, ObjectSchema, Schema, Text, Values};

use crate::apply::{Form, apply};
use crate::faults::{Fault, Faults, ItemFault};
use crate::generated::{ATTRIBUTE_COUNT_MAX, Generator, Groups};
use crate::passwords::KeptPasswords;
use crate::state::State;

/// A connected system in memory.
#[derive(Clone, Debug)]
pub struct FakeSystem {
    inner: Arc<Mutex<Inner>>,
    schema: Arc<Schema>,
    key: Option<Name>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) content: Content,
    pub(crate) faults: Faults,
    pub(crate) passwords: KeptPasswords,
}

#[derive(Debug)]
pub(crate) enum Content {
    Stored(State),
    Generated(Generator),
    Sink(ExportCounts),
}

/// What a sink took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Objects made.
    pub creates: u64,
    /// Updates, renames among them.
    pub updates: u64,
    /// Objects removed.
    pub deletes: u64,
}

impl FakeSystem {
    /// An empty system with these object types. A type with an address is a tree: its containers are taken to be
    /// there, and references follow a rename.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self::with(Content::Stored(State::of(&schema)), schema)
    }

    /// `objects` people of at most [`ATTRIBUTE_COUNT_MAX`](crate::ATTRIBUTE_COUNT_MAX) attributes, made up as they
    /// are read and the same for the same `seed`. Nothing is stored; exports are not taken.
    #[must_use]
    pub fn generated(objects: u64, attributes_per_object: usize, seed: u64) -> Self {
        let generator = Generator::new(objects, attributes_per_object, seed);
        let schema = generator.schema();
        Self::with(Content::Generated(generator), schema)
    }

    /// People of all attributes as in [`FakeSystem::generated`], and `groups` groups of about `members` of them each.
    #[must_use]
    pub fn generated_with_groups(people: u64, groups: u64, members: u64, seed: u64) -> Self {
        let generator =
            Generator::new(people, ATTRIBUTE_COUNT_MAX, seed).with_groups(Groups::new(groups, members));
        let schema = generator.schema();
        Self::with(Content::Generated(generator), schema)
    }

    /// Takes every export at once, counts it and keeps nothing; cannot be read.
    #[must_use]
    pub fn sink(schema: Schema) -> Self {
        Self::with(Content::Sink(ExportCounts::default()), schema)
    }

    /// The value of this attribute is the external id; without it the system numbers its objects.
    #[must_use]
    pub fn keyed_by(mut self, attribute: Name) -> Self {
        self.key = Some(attribute);
        self
    }

    fn with(content: Content, schema: Schema) -> Self {
        let inner = Inner { content, faults: Faults::default(), passwords: KeptPasswords::default() };
        Self { inner: Arc::new(Mutex::new(inner)), schema: Arc::new(schema), key: None }
    }

    /// Makes the object or replaces it whole, as somebody else would.
    pub fn put(&self, object_type: Name, external_id: &str, attributes: Object) {
        self.change(|state| state.put((object_type, Text::new(external_id)), attributes));
    }

    /// Sets or clears one attribute, as somebody else would. Whether the object is there.
    pub fn set(&self, object_type: Name, external_id: &str, attribute: Name, values: Option<Values>) -> bool {
        let key = (object_type, Text::new(external_id));
        self.change(|state| {
            let Some(mut object) = state.get(&key).cloned() else { return false };
            object.put(attribute, values);
            state.put(key, object);
            true
        })
        .unwrap_or(false)
    }

    /// Removes the object, as somebody else would, and references to it where the schema says that they go with it. Whether
    /// it was there.
    pub fn remove(&self, object_type: Name, external_id: &str) -> bool {
        let key = (object_type, Text::new(external_id));
        self.change(|state| state.remove(&key).is_some()).unwrap_or(false)
    }

    /// Takes the object out of what is read, as when somebody moves it elsewhere: the system still holds it, and references
    /// to it stay. Whether it was there.
    pub fn move_out(&self, object_type: Name, external_id: &str) -> bool {
        let key = (object_type, Text::new(external_id));
        self.change(|state| state.move_out(&key)).unwrap_or(false)
    }

    /// Removes everything; each removal is a change.
    pub fn clear(&self) {
        self.change(State::clear);
    }

    /// All stored objects, in the order of type and external id.
    #[must_use]
    pub fn objects(&self) -> Vec<ImportedObject> {
        self.change(|state| state.objects().collect()).unwrap_or_default()
    }

    /// One stored object.
    #[must_use]
    pub fn object(&self, object_type: Name, external_id: &str) -> Option<Object> {
        self.change(|state| state.get(&(object_type, Text::new(external_id))).cloned()).flatten()
    }

    /// Remembers the newest `count` changes only; older watermarks are refused from then on.
    pub fn limit_log(&self, count: usize) {
        self.change(|state| state.limit_log(count));
    }

    /// Changes exactly `count` objects of a generated population, or all when there are fewer. Nothing happens to
    /// other systems, and none beyond [`EPOCH_COUNT_MAX`](crate::EPOCH_COUNT_MAX) times.
    pub fn advance(&self, count: u64) {
        if let Content::Generated(generator) = &mut self.lock().content {
            generator.advance(count);
        }
    }

    /// Exactly `count` people of a generated population leave for good, or all when there are fewer. Groups go on naming
    /// them. It is a round as [`FakeSystem::advance`] is.
    pub fn leave(&self, count: u64) {
        if let Content::Generated(generator) = &mut self.lock().content {
            generator.leave(count);
        }
    }

    /// What a sink took so far; zeros for other systems.
    #[must_use]
    pub fn exports(&self) -> ExportCounts {
        match self.lock().content {
            Content::Sink(counts) => counts,
            _ => ExportCounts::default(),
        }
    }

    /// The number of the newest change of a storing system, which is where a watermark behind it stands.
    #[must_use]
    pub fn newest_change(&self) -> u64 {
        self.change(|state| state.sequence()).unwrap_or(0)
    }

    /// From now on this goes wrong too.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.inject(fault);
    }

    /// Nothing goes wrong any more; counts start again.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Calls since the start or the last [`FakeSystem::clear_faults`].
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().faults.calls()
    }

    /// Items that exports brought since the start or the last [`FakeSystem::clear_faults`].
    #[must_use]
    pub fn items(&self) -> u64 {
        self.lock().faults.items()
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn mends_references(&self) -> bool {
        self.schema.object_types.iter().flat_map(|known| &known.attributes).any(|one| one.mended)
    }

    pub(crate) const fn key(&self) -> Option<Name> {
        self.key
    }

    pub(crate) fn is_tree(&self) -> bool {
        self.schema.object_types.iter().any(|schema| schema.address.is_some())
    }

    /// Everything under the lock is plain data that every method leaves whole, so a panic elsewhere spoils nothing.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn object_schema(&self, object_type: Name) -> Result<&ObjectSchema, ConnectorError> {
        self.schema.object_type(object_type).ok_or_else(|| unknown_type(&self.schema, object_type))
    }

    /// Carries out one operation and says whether its answer got back.
    pub(crate) fn carry_out(&self, operation: Operation) -> Carried {
        let Some(schema) = self.schema.object_type(operation.object_type) else {
            let reason = unknown_type(&self.schema, operation.object_type).message;
            return Carried::Answered(Outcome::Refused { code: "FAK-003", reason, attributes: Vec::new() });
        };
        let form = Form { schema, key: self.key };
        let mut inner = self.lock();
        let fault = inner.faults.item();
        if let Some(outcome) = faulty(fault) {
            return Carried::Answered(outcome);
        }
        let Inner { content, passwords, .. } = &mut *inner;
        let outcome = match content {
            Content::Stored(state) => {
                passwords.with_create(operation, |operation| apply(state, form, operation))
            }
            Content::Sink(counts) => count(counts, &operation.kind),
            Content::Generated(_) => {
                let reason = "a generated system takes no exports".to_owned();
                Outcome::Refused { code: "FAK-011", reason, attributes: Vec::new() }
            }
        };
        if fault == ItemFault::LoseAnswer { Carried::Lost } else { Carried::Answered(outcome) }
    }

    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        match &mut self.lock().content {
            Content::Stored(state) => Some(work(state)),
            _ => None,
        }
    }
}

/// How one operation of a batch went.
pub(crate) enum Carried {
    Answered(Outcome),
    Lost,
}

fn faulty(fault: ItemFault) -> Option<Outcome> {
    let reason = "this item was told to fail".to_owned();
    match fault {
        ItemFault::Refuse => Some(Outcome::Refused { code: "FAK-001", reason, attributes: Vec::new() }),
        ItemFault::Transient => {
            Some(Outcome::Transient { code: "FAK-001", reason, retry_after_seconds: None })
        }
        ItemFault::Conflict => Some(Outcome::Conflict { code: "FAK-001", reason }),
        ItemFault::None | ItemFault::LoseAnswer => None,
    }
}

fn count(counts: &mut ExportCounts, kind: &OperationKind) -> Outcome {
    let external_id = match kind {
        OperationKind::Create { .. } => {
            counts.creates += 1;
            Some(compact_str::format_compact!("sink-{}", counts.creates))
        }
        OperationKind::Update { .. } => {
            counts.updates += 1;
            None
        }
        OperationKind::Delete { .. } => {
            counts.deletes += 1;
            None
        }
    };
    Outcome::Applied(Written { external_id, ..Written::default() })
}

fn unknown_type(schema: &Schema, object_type: Name) -> ConnectorError {
    let known: Vec<&str> = schema.object_types.iter().map(|schema| schema.object_type.as_str()).collect();
    ConnectorError::new(
        "FAK-003",
        identitymesh_connector::Class::Configuration,
        format!("there is no object type {object_type}; there is {}", known.join(", ")),
    )
}
