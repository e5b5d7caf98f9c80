//! What a store answers that nothing else has a name for.

use identitymesh_model::{ConnectorId, ContentHash, MeshId, Name, SpaceId, Text, Trace, Uid};

/// A place in the order in which a connector's objects were touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The commit that touched the object.
    pub touched: i64,
    /// The object, among those of one commit.
    pub space: i64,
}

/// What staging has to know of an object to see whether it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: SpaceId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// It is marked as gone.
    pub deleted: bool,
    /// Something was exported to it at some time: staging has to compare it attribute by attribute.
    pub exported: bool,
    /// It was exported and no import has shown it since.
    pub unconfirmed: bool,
}

/// What a management-space object holds, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The hash of its content.
    pub hash: ContentHash,
    /// The public id of its mesh object, when it has one.
    pub mesh: Option<Uid>,
}

/// The object that a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The management-space object.
    pub space: SpaceId,
    /// Its mesh object, when it has one.
    pub mesh: Option<(MeshId, Uid)>,
}

/// An object that refers to another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referrer {
    /// The management-space object.
    pub space: SpaceId,
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// The attribute with the reference.
    pub attribute: Name,
    /// The reference as it is written there.
    pub reference: Text,
}

/// An entry of the to-do list: something that a sync has to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Todo {
    /// A management-space object without a mesh object.
    Space(SpaceId),
    /// A mesh object.
    Mesh(MeshId),
}

/// What is remembered of a mesh object with large sets of references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The trace, as of a view of all members.
    pub trace: Trace,
    /// What happened since the sets were last looked at as a whole, where that is all that can have changed about
    /// them; `None` when they have to be looked at as a whole.
    pub news: Option<News>,
}

/// What happened to the sets of a mesh object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Edges of linked objects that came, went, or may lead elsewhere: the object with its connector and type, and
    /// the system's own address of the other.
    pub edges: Vec<(SpaceId, ConnectorId, Name, Text)>,
    /// Mesh objects whose place in the sets, or whose address in a target, may have changed.
    pub members: Vec<Uid>,
}
