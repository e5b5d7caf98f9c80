//! What the rules in force would make of links that rules made before (sync semantics, section 3).

use identitymesh_model::plan::{IndexKey, Note};
use identitymesh_model::{MeshId, Name, RuleId, SpaceId, Text};

/// A link that was asked for again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconsidered {
    /// The object.
    pub space: SpaceId,
    /// What becomes of its link.
    pub fate: Fate,
}

/// What the rules in force would make of a link.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// The same.
    Stays,
    /// The same mesh object, found by another rule.
    StaysBy(Found),
    /// Another mesh object.
    Moves(Whose, Found),
    /// A mesh object of its own, made by a create rule.
    Begins {
        /// The rule.
        rule: RuleId,
        /// Of which type.
        mesh_type: Name,
        /// Its anchor.
        anchor: Text,
    },
    /// None: it is a conflict, or no rule finds anything.
    Ends {
        /// Why.
        note: Note,
        /// What it waits for from then on.
        waits: Vec<IndexKey>,
    },
}

/// By what a mesh object is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule.
    pub rule: RuleId,
    /// The values that match, for people.
    pub matched: String,
    /// For a fuzzy join: 0 to 100.
    pub score: Option<u8>,
}

/// A mesh object that there is, or that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// There is.
    Known(MeshId),
    /// It begins with this object, whose fate is [`Fate::Begins`].
    Beginning(SpaceId),
}
