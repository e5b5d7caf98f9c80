//! Join rules made executable, and the indexes that they need.

use identitymesh_expr::Program;
use identitymesh_model::rules::{Comparator, MatchKind};
use identitymesh_model::{Name, RuleId};

use super::Expression;
use crate::key::KeyKind;

/// A join rule.
#[derive(Debug)]
pub struct Join {
    pub(crate) rule: RuleId,
    pub(crate) mesh_type: Option<Name>,
    pub(crate) when: Option<Program>,
    pub(crate) by: JoinBy,
    pub(crate) allow_many: bool,
    /// A rule that is not enabled is only measured.
    pub(crate) enabled: bool,
}

impl Join {
    /// The attributes of a source object that it reads.
    pub(crate) fn reads(&self) -> Vec<Name> {
        let expressions: Vec<&Expression> = match &self.by {
            JoinBy::Pairs(pairs) => pairs.iter().map(|pair| &pair.source).collect(),
            JoinBy::Likeness(fuzzy) => {
                let blocks = fuzzy.blocks.iter().flat_map(|block| &block.parts).map(|part| &part.source);
                fuzzy.compared.iter().map(|compared| &compared.source).chain(blocks).collect()
            }
        };
        let when = self.when.iter().flat_map(Program::reads);
        expressions.into_iter().flat_map(Expression::reads).chain(when).copied().collect()
    }
}

/// How a join rule finds mesh objects.
#[derive(Debug)]
pub(crate) enum JoinBy {
    /// Every comparison has to match.
    Pairs(Vec<Comparison>),
    /// The best of those that are alike.
    Likeness(Fuzzy),
}

/// One comparison of a join rule.
#[derive(Debug)]
pub struct Comparison {
    pub(crate) source: Expression,
    /// The indexes that can hold the key: one, or for the anchor one for each mesh type.
    pub(crate) indexes: Vec<i64>,
    pub(crate) kind: MatchKind,
    /// The mesh attribute; `None` is the anchor.
    pub(crate) mesh: Option<Name>,
    pub(crate) label: String,
}

/// A join by likeness.
#[derive(Debug)]
pub(crate) struct Fuzzy {
    pub(crate) threshold: u8,
    pub(crate) margin: u8,
    pub(crate) block_max: usize,
    pub(crate) compared: Vec<Compared>,
    pub(crate) blocks: Vec<Block>,
}

/// One attribute that is compared.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) source: Expression,
    pub(crate) mesh: Name,
    pub(crate) with: Comparator,
    pub(crate) weight: u32,
    pub(crate) optional: bool,
}

/// One kind of block, on both sides.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) index: i64,
    pub(crate) parts: Vec<BlockSource>,
}

/// One part of a block's key, from the source's side.
#[derive(Debug)]
pub(crate) struct BlockSource {
    pub(crate) source: Expression,
    pub(crate) mesh: Name,
    pub(crate) kind: KeyKind,
}

impl Block {
    /// What its keys are made of on the mesh's side.
    pub(crate) fn mesh_parts(&self) -> Vec<IndexPart> {
        self.parts.iter().map(|part| IndexPart { attribute: Some(part.mesh), kind: part.kind }).collect()
    }
}

/// An index of mesh objects: by one attribute, or by several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinIndex {
    /// Its number in the store.
    pub number: i64,
    /// What its keys are made of.
    pub parts: Vec<IndexPart>,
}

/// One part of the keys of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexPart {
    /// The attribute; `None` is the anchor.
    pub attribute: Option<Name>,
    /// What of its values is the key.
    pub kind: KeyKind,
}
