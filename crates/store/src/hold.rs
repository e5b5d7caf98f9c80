//! Holds of the mass-change guard: what waits for a person, and what a person decided.
//!
//! A hold covers exactly the changes that it was made of, each by the hash of its content, and never grows: what comes
//! later gets a hold of its own. So whoever approves hold 7 approves what hold 7 showed. A change that was replaced
//! since is not covered by a decision and is checked anew. A rejected change stays rejected for as long as the same
//! change is wanted again. One with other content is a new question: it is asked, whatever the limits say, where it repeats
//! something of what was rejected, or of what was left when a hold was decided in part.

use std::fmt::Write as _;

use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::rules::HoldClass;
use identitymesh_model::{
    ConnectorId, ContentHash, HoldId, ItemId, MeshId, Name, RuleId, RunId, SpaceId, Timestamp, Uid,
};
use serde::Serialize;

use crate::Cause;

/// The state of a hold, or of one change that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// It waits for a person.
    Open,
    /// Somebody approved it.
    Approved,
    /// Somebody rejected it.
    Rejected,
    /// The change is not wanted any more, or in another form: nothing is left to decide.
    Withdrawn,
}

impl HoldState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The live queue items of one target by kind, as the guard counts them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// The newest item. What is queued later was not counted and may not be leased by whoever counted.
    pub last: Option<ItemId>,
    /// The kinds that have items.
    pub classes: Vec<QueueClass>,
    /// Items without a decision whose content was rejected before, with the hold that says so.
    pub rejected: Vec<(ItemId, HoldId)>,
    /// Free items that repeat something of what was rejected, or left when a hold was decided in part, with the newest
    /// hold that says so.
    pub again: Vec<(ItemId, HoldId)>,
}

/// The queue items of one kind. Items put aside, on their way, approved or rejected are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueClass {
    /// The target's object type.
    pub object_type: Name,
    /// The operation.
    pub operation: Operation,
    /// Items that would be leased now or after their wait.
    pub free: u64,
    /// Items that are held and wait for a person.
    pub held: u64,
}

/// A queue item that the guard may have to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedItem {
    /// Which.
    pub id: ItemId,
    /// Its mesh object.
    pub mesh: MeshId,
    /// That one's public id.
    pub uid: Uid,
    /// Its object in the target, where there is one.
    pub space: Option<SpaceId>,
    /// What to do.
    pub action: ItemAction,
    /// Why.
    pub reason: String,
    /// The projection rule.
    pub rule: RuleId,
    /// The run that planned it.
    pub run: RunId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// It is held already, and waits for a person.
    pub held: bool,
}

/// The hash of a queue item's content: which object, and everything that would be done to it. `action` is the action as
/// stored; the number of the target's object in it does not count, because a mesh object has only one there, and that
/// gets another number when it goes and comes back.
#[must_use]
pub fn item_hash(uid: Uid, object_type: Name, operation: Operation, action: &str) -> ContentHash {
    const HEADS: [&str; 2] = [r#"{"update":{"space":"#, r#"{"delete":{"space":"#];
    let head = HEADS.into_iter().find(|head| action.starts_with(head)).unwrap_or_default();
    let tail =
        action[head.len()..].trim_start_matches(|sign: char| !head.is_empty() && sign.is_ascii_digit());
    ContentHash::of(&format!("{uid}\n{}\n{operation}\n{head}{tail}", object_type.folded()))
}

/// The hash of a hold: of the changes that it covers and nothing else.
#[must_use]
pub fn hold_hash<'i>(items: impl IntoIterator<Item = &'i HoldItem>) -> ContentHash {
    let mut known: Vec<(i64, ContentHash)> =
        items.into_iter().map(|item| (item.subject, item.hash)).collect();
    known.sort_unstable_by_key(|(subject, _)| *subject);
    let mut text = String::with_capacity(known.len() * 48);
    for (subject, hash) in known {
        writeln!(text, "{subject} {hash}").expect("a string grows");
    }
    ContentHash::of(&text)
}

/// A hold to make.
#[derive(Clone, Debug, PartialEq)]
pub struct NewHold {
    /// The object type.
    pub object_type: Name,
    /// The kind of changes.
    pub class: HoldClass,
    /// Which part of the type's objects the limit is for; `None` for all of them.
    pub within: Option<String>,
    /// Changes of the kind, held ones included, when the limit was crossed.
    pub size: u64,
    /// Objects of the type.
    pub population: u64,
    /// How many changes are allowed.
    pub allowed: u64,
    /// Whether a read did not show the objects and nobody reported them as gone.
    pub inferred: bool,
    /// The hold of which the changes repeat something, where that is why they wait, and no limit.
    pub again: Option<HoldId>,
    /// What the objects have in common.
    pub common: Vec<String>,
    /// The changes.
    pub items: Vec<HoldItem>,
}

/// One change of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldItem {
    /// The mesh object; for an import the management-space object.
    pub subject: i64,
    /// The public id of the mesh object, if there is one.
    pub uid: Option<Uid>,
    /// The queue item.
    pub item: Option<ItemId>,
    /// The content.
    pub hash: ContentHash,
}

/// What a run found to hold, written in one transaction.
#[derive(Clone, Debug)]
pub struct HoldBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// The connector.
    pub connector: ConnectorId,
    /// New holds. Items that are not in the queue any more are left out, and a hold without any is not made.
    pub holds: Vec<NewHold>,
    /// Items that take up what was rejected before.
    pub rejected: Vec<(ItemId, HoldId)>,
    /// Open holds whose class is within its limits again: what waits in them is free.
    pub withdrawn: Vec<HoldId>,
    /// Changes whose object an import has seen again or changed: nothing is left to decide, nor was decided.
    pub returned: Vec<(HoldId, i64)>,
}

/// What a person decides.
#[derive(Clone, Debug)]
pub struct HoldDecision {
    /// Who and when.
    pub cause: Cause,
    /// On which hold.
    pub hold: HoldId,
    /// Approved, or rejected for good.
    pub approve: bool,
    /// On these subjects only; all that wait when none is named.
    pub subjects: Vec<i64>,
    /// Why. Not empty.
    pub reason: String,
}

/// What a decision did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Changes that it covers.
    pub decided: u64,
    /// Changes that are not what they were when they were held, or not wanted any more: left out.
    pub changed: u64,
    /// Changes of the hold that still wait.
    pub left: u64,
}

/// Which holds to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Of this connector.
    pub connector: Option<ConnectorId>,
    /// Of imports, or of exports.
    pub side: Option<HoldSide>,
    /// What of it has to be left.
    pub standing: HoldStanding,
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldSide {
    /// Objects that an import takes as gone.
    Imports,
    /// Changes that an export is to send.
    Exports,
}

/// What has to be left of a hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldStanding {
    /// Nothing.
    #[default]
    Any,
    /// Something that waits for a person.
    Open,
    /// Something that waits, or that was rejected.
    Undone,
}

/// A hold as stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HoldRow {
    /// Its number.
    pub id: HoldId,
    /// The connector.
    pub connector: ConnectorId,
    /// The object type.
    pub object_type: Name,
    /// The kind of changes.
    pub class: HoldClass,
    /// Which part of the type's objects the limit is for; `None` for all of them.
    pub within: Option<String>,
    /// Where it stands; a hold of which changes still wait is open.
    pub state: HoldState,
    /// The hash of the changes that it covers.
    pub hash: ContentHash,
    /// The changes that it was made of.
    pub count: u64,
    /// Changes of the kind, held ones included, when the limit was crossed.
    pub size: u64,
    /// Objects of the type then.
    pub population: u64,
    /// The limit then.
    pub allowed: u64,
    /// Whether a read did not show the objects and nobody reported them as gone.
    pub inferred: bool,
    /// The hold of which the changes repeat something, where that is why they wait, and no limit.
    pub again: Option<HoldId>,
    /// What the objects have in common.
    pub common: Vec<String>,
    /// When it was made.
    pub at: Timestamp,
    /// By which run.
    pub run: RunId,
    /// Changes that still wait.
    pub waiting: u64,
    /// Changes that were approved.
    pub approved: u64,
    /// Changes that were rejected.
    pub rejected: u64,
    /// Changes that were replaced or are not wanted any more.
    pub withdrawn: u64,
    /// Who decided, in order.
    pub decisions: Vec<DecisionRow>,
}

/// One decision on a hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Approved or rejected.
    pub state: HoldState,
    /// How many changes.
    pub count: u64,
    /// Why.
    pub reason: String,
}

/// One change of a hold as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldItemRow {
    /// The mesh object; for an import the management-space object.
    pub subject: i64,
    /// The public id of the mesh object, if there is one.
    pub uid: Option<Uid>,
    /// The queue item.
    pub item: Option<ItemId>,
    /// The content.
    pub hash: ContentHash,
    /// Where it stands.
    pub state: HoldState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_object_in_the_target_is_no_content() {
        let uid: Uid = "018f0000-0000-7000-8000-000000000001".parse().unwrap();
        let hash = |action: &str| item_hash(uid, Name::literal("user"), Operation::Update, action);
        let update = |space: i64, old: &str| {
            let changes = format!(r#"[{{"name":"mail","replace":{{"old":{old}}}}}]"#);
            format!(r#"{{"update":{{"space":{space},"changes":{changes}}}}}"#)
        };
        assert_eq!(hash(&update(7, "1")), hash(&update(1234, "1")));
        assert_ne!(hash(&update(7, "1")), hash(&update(7, "2")));
        assert_eq!(hash(r#"{"delete":{"space":7}}"#), hash(r#"{"delete":{"space":8}}"#));
        assert_ne!(
            hash(r#"{"create":{"attributes":{"a":1}}}"#),
            hash(r#"{"create":{"attributes":{"a":2}}}"#)
        );
    }
}
