//! Join rules: how a management-space object finds its mesh object, by equal keys or by likeness.

use serde::{Deserialize, Serialize};

use super::switch::{is_false, is_true, yes};
use crate::Name;

/// How a management-space object finds its mesh object: by pairs that all have to match, or by likeness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinRule {
    /// The rule's name; one is made from its content when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object type that looks for a mesh object.
    pub object_type: Name,
    /// The mesh type it may find; any when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh_type: Option<Name>,
    /// The rule applies only where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The pairs, all of which have to match; empty for a rule that goes by likeness.
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<JoinPair>,
    /// What has to be alike, in place of pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuzzy: Option<FuzzyJoin>,
    /// Several objects of this connector and type may share one mesh object.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_many: bool,
    /// A rule that is not enabled links nothing; it can be measured.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub enabled: bool,
}

/// One comparison of a join rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinPair {
    /// The source attribute, or an expression over the source object.
    pub source: String,
    /// The mesh attribute; `anchor` stands for the mesh object's anchor.
    pub mesh: Name,
    /// How the two compare.
    #[serde(default)]
    pub kind: MatchKind,
}

/// How a join compares a source value with a mesh value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// Every character counts.
    Exact,
    /// Case makes no difference.
    #[default]
    IgnoreCase,
    /// NFKC, case-folded, trimmed, blanks collapsed.
    Normalised,
    /// As `normalised`, and diacritics make no difference either.
    NormalisedAscii,
}

/// A join by likeness: candidates share a block, the best of them is linked when it is good enough and clearly best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuzzyJoin {
    /// The least score that links, 1 to 100.
    pub threshold: u8,
    /// How much better than every other candidate the best has to be, in points of the score.
    #[serde(default = "default_margin", skip_serializing_if = "is_default_margin")]
    pub margin: u8,
    /// Most mesh objects that one block may hold; a larger one is told and not compared.
    #[serde(default = "default_block_max", skip_serializing_if = "is_default_block_max")]
    pub block_max: u32,
    /// What is compared, at least one.
    pub compare: Vec<FuzzyCompare>,
    /// Which objects are compared at all: those that share one of these keys. At least one.
    pub block: Vec<FuzzyBlock>,
}

const fn default_margin() -> u8 {
    5
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_default_margin(margin: &u8) -> bool {
    *margin == default_margin()
}

const fn default_block_max() -> u32 {
    500
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_default_block_max(count: &u32) -> bool {
    *count == default_block_max()
}

/// One attribute that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuzzyCompare {
    /// The source attribute, or an expression over the source object.
    pub source: String,
    /// The mesh attribute.
    pub mesh: Name,
    /// How alike two values are.
    #[serde(default)]
    pub with: Comparator,
    /// Its share in the score, against the others.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u16,
    /// Left out of the score where either side has no value; else that counts as no likeness at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

const fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_one(weight: &u16) -> bool {
    *weight == 1
}

/// How alike two values are. Texts are normalised without diacritics first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// Equal or not.
    #[default]
    Exact,
    /// Jaro-Winkler: short names, of which the beginning tells most.
    JaroWinkler,
    /// The share of characters that need not be changed.
    Levenshtein,
    /// Words in any order; a text whose words are all in the other is alike.
    TokenSet,
    /// Dates: the same, day and month exchanged, or one of day, month and year different.
    Date,
    /// Telephone numbers by their digits, with or without country and area code.
    Phone,
}

/// A key that two objects must share to be compared: of one part, or of several together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuzzyBlock {
    /// The parts, at least one.
    pub parts: Vec<BlockPart>,
}

/// One part of a block's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockPart {
    /// The source attribute, or an expression over the source object.
    pub source: String,
    /// The mesh attribute.
    pub mesh: Name,
    /// What of the value is the key.
    #[serde(default)]
    pub key: BlockKey,
    /// With `prefix`: how many characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u8>,
}

/// What of a value makes a block's key. Texts are normalised without diacritics first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKey {
    /// All of it.
    #[default]
    Whole,
    /// Its first characters, blanks left out.
    Prefix,
    /// How it sounds in English, by Soundex.
    Soundex,
    /// Of a date its year.
    Year,
    /// Its last seven digits.
    Digits,
}
