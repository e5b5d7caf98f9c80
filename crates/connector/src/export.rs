//! Exports: operations on single objects, and what became of each.

use identitymesh_model::{ItemId, Name, Object, Text, Value, Values};

use crate::{ImportedObject, NewPassword};

/// One operation on one object of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The queue item, which the answer names again.
    pub item: ItemId,
    /// The target's object type.
    pub object_type: Name,
    /// What to do.
    pub kind: OperationKind,
}

/// What to do with the object.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationKind {
    /// Make it. In a tree the attribute that the schema names as address holds where.
    Create {
        /// All attributes, references as the system's own addresses.
        attributes: Object,
        /// In a tree: make missing containers first.
        create_container: bool,
        /// The first password. A system that takes it with the new object gets it so, in one step, and the answer says
        /// so; another leaves it alone, and the caller sets it straight after.
        password: Option<NewPassword>,
    },
    /// Change attributes, and the address when the object is renamed or moved; both or either.
    Update {
        /// Which object.
        identity: Identity,
        /// The new address, for a rename or move: one operation, never delete and create.
        new_address: Option<Text>,
        /// In a tree: make missing containers first.
        create_container: bool,
        /// What changes.
        changes: Vec<AttributeChange>,
    },
    /// Remove it.
    Delete {
        /// Which object.
        identity: Identity,
    },
}

/// Which object of the target an operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its external id.
    pub external_id: Text,
    /// Its address as last known, where the schema has one.
    pub address: Option<Text>,
}

/// A change of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeChange {
    /// Which attribute.
    pub name: Name,
    /// How it changes.
    pub kind: ChangeKind,
}

/// How one attribute changes.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// From one content to another; either may be absent. `old` is what compare-and-set compares with.
    Replace {
        /// As last known.
        old: Option<Values>,
        /// As wanted.
        new: Option<Values>,
    },
    /// Single values in and out of a set.
    AddRemove {
        /// Values to add; one that is there already is no error.
        add: Vec<Value>,
        /// Values to remove; one that is not there is no error.
        remove: Vec<Value>,
    },
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done, durably.
    Applied(Written),
    /// It was so before: the object exists with this content, or is gone already.
    AlreadySo(Written),
    /// Refused for good.
    Refused {
        /// A stable code.
        code: &'static str,
        /// The system's own words.
        reason: String,
        /// The attributes that it objects to, where it says so.
        attributes: Vec<Name>,
    },
    /// Not done; may work later.
    Transient {
        /// A stable code.
        code: &'static str,
        /// The system's own words.
        reason: String,
        /// Not before this many seconds, where the system says so.
        retry_after_seconds: Option<u32>,
    },
    /// Never sent, because the connection was gone or the run was cancelled before its turn. It was no attempt.
    NotSent {
        /// A stable code.
        code: &'static str,
        /// What stood in the way.
        reason: String,
    },
    /// The target's object is not as `old` said; nothing was changed.
    Conflict {
        /// A stable code.
        code: &'static str,
        /// What differs.
        reason: String,
    },
    /// Sent, and the answer was lost. The runner reads the object back.
    Unknown {
        /// A stable code.
        code: &'static str,
        /// What happened.
        reason: String,
    },
}

/// What the target gave to an object with a create or change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// The external id, required after a create.
    pub external_id: Option<Text>,
    /// The object as the target holds it now, where it came with the answer at no extra cost.
    pub object: Option<ImportedObject>,
    /// Whether the object has the first password that came with a create.
    pub has_password: bool,
}
