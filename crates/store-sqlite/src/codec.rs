//! How states, modes and ids stand in columns.
//!
//! Numbers are listed beside their tables in the first migration; they are never given a new meaning.

use identitymesh_model::plan::{ItemAction, Operation, Turn};
use identitymesh_model::{
    ContentHash, ItemId, LinkMode, MeshState, Text, Timestamp, Uid, bounded, dn, is_cut, sha256,
};
use identitymesh_store::{HoldClass, HoldState, ItemState};
use rusqlite::Row;

use crate::fault::{Outcome, unknown_word, unreadable};

/// `space_object.flags`: it is gone in its system.
pub(crate) const SPACE_GONE: i64 = 1;
/// `space_object.flags`: exported and not yet seen by an import.
pub(crate) const SPACE_UNCONFIRMED: i64 = 2;
/// `space_object.flags`: sets of references stand in `space_ref`.
pub(crate) const SPACE_SETS: i64 = 4;
/// `space_object.flags`: exported values stand in `drift`.
pub(crate) const SPACE_DRIFT: i64 = 8;
/// `mesh_object.flags`: sets of references stand in `membership`.
pub(crate) const MESH_SETS: i64 = 1;

/// `name_key.kind` and `todo.kind`: a management-space object.
pub(crate) const OF_SPACE: i64 = 0;
/// `name_key.kind` and `todo.kind`: a mesh object.
pub(crate) const OF_MESH: i64 = 1;

/// `join_index.idx`: anchors in lower case; configured indexes are numbered from 1.
pub(crate) const ANCHOR_INDEX: i64 = 0;

/// `intent.state`: sent, or about to be.
pub(crate) const INTENT_SENT: i64 = 1;
/// `intent.state`: to be sent again.
pub(crate) const INTENT_RETRY: i64 = 2;
/// `intent.state`: sent, and the answer was lost.
pub(crate) const INTENT_UNKNOWN: i64 = 3;
/// `intent.state`: given up.
pub(crate) const INTENT_DEAD: i64 = 4;

/// `export_item.standing`: nobody has anything against it.
pub(crate) const FREE: i64 = 0;
/// `export_item.standing` and `hold_item.standing`: it waits for a person.
pub(crate) const HELD: i64 = 1;
/// `export_item.standing` and `hold_item.standing`: somebody approved it.
pub(crate) const APPROVED: i64 = 2;
/// `export_item.standing` and `hold_item.standing`: somebody rejected it.
pub(crate) const REJECTED: i64 = 3;
/// `hold_item.standing`: nothing is left to decide.
pub(crate) const WITHDRAWN: i64 = 4;

/// `hold.class`: objects that a full import did not see.
pub(crate) const CLASS_IMPORT_DELETE: i64 = 7;
/// `hold.class`: changes of one attribute.
pub(crate) const CLASS_CHANGE: i64 = 8;
/// `hold.class`: changes that leave one attribute empty.
pub(crate) const CLASS_CLEAR: i64 = 9;

/// What a queue item does, or did.
pub(crate) fn action(row: &Row<'_>, column: usize, item: ItemId) -> Outcome<ItemAction> {
    let body = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(body).map_err(|error| unreadable(format!("the action of queue item {item}"), error))
}

/// The number of a class of changes.
pub(crate) fn class_number(class: HoldClass) -> i64 {
    match class {
        HoldClass::Export(operation) => operation_number(operation),
        HoldClass::ImportDelete => CLASS_IMPORT_DELETE,
        HoldClass::Change => CLASS_CHANGE,
        HoldClass::Clear => CLASS_CLEAR,
    }
}

/// The class that a number stands for.
pub(crate) fn class(number: i64) -> Outcome<HoldClass> {
    match number {
        CLASS_IMPORT_DELETE => Ok(HoldClass::ImportDelete),
        CLASS_CHANGE => Ok(HoldClass::Change),
        CLASS_CLEAR => Ok(HoldClass::Clear),
        other => operation(other).map(HoldClass::Export),
    }
}

/// The state of a held change.
pub(crate) fn hold_state(standing: i64) -> Outcome<HoldState> {
    match standing {
        HELD => Ok(HoldState::Open),
        APPROVED => Ok(HoldState::Approved),
        REJECTED => Ok(HoldState::Rejected),
        WITHDRAWN => Ok(HoldState::Withdrawn),
        other => Err(unknown_word("standing", other)),
    }
}

/// The number of a link's mode.
pub(crate) const fn mode_number(mode: LinkMode) -> i64 {
    match mode {
        LinkMode::Joined => 1,
        LinkMode::Created => 2,
        LinkMode::Projected => 3,
        LinkMode::Manual => 4,
        LinkMode::Adopted => 5,
    }
}

/// The mode that a number stands for.
pub(crate) fn mode(number: i64) -> Outcome<LinkMode> {
    [LinkMode::Joined, LinkMode::Created, LinkMode::Projected, LinkMode::Manual, LinkMode::Adopted]
        .into_iter()
        .find(|mode| mode_number(*mode) == number)
        .ok_or_else(|| unknown_word("link mode", number))
}

/// The number of an operation.
pub(crate) fn operation_number(operation: Operation) -> i64 {
    let place = Operation::ALL.iter().position(|known| *known == operation).expect("ALL has all operations");
    i64::try_from(place).expect("there are six") + 1
}

/// The operation that a number stands for.
pub(crate) fn operation(number: i64) -> Outcome<Operation> {
    Operation::ALL
        .into_iter()
        .find(|operation| operation_number(*operation) == number)
        .ok_or_else(|| unknown_word("operation", number))
}

/// The number of a turn in the queue.
pub(crate) const fn turn_number(turn: Turn) -> i64 {
    match turn {
        Turn::First => 0,
        Turn::Usual => 1,
    }
}

/// The columns `state` and `since` of a mesh object.
pub(crate) const fn state_columns(state: MeshState) -> (i64, Option<i64>) {
    match state {
        MeshState::Active => (0, None),
        MeshState::Leaving { since } => (1, Some(since.as_micros())),
        MeshState::Deleted { since } => (2, Some(since.as_micros())),
    }
}

/// A mesh object's state from its columns.
pub(crate) fn state(number: i64, since: Option<i64>) -> Outcome<MeshState> {
    match (number, since) {
        (0, None) => Ok(MeshState::Active),
        (1, Some(since)) => Ok(MeshState::Leaving { since: timestamp(since)? }),
        (2, Some(since)) => Ok(MeshState::Deleted { since: timestamp(since)? }),
        _ => Err(unknown_word("mesh state", number)),
    }
}

/// The state that people see of an item with this intent and standing.
pub(crate) fn item_state(intent: Option<i64>, standing: i64) -> Outcome<ItemState> {
    match intent {
        _ if matches!(standing, HELD | REJECTED) => Ok(ItemState::Held),
        None => Ok(ItemState::Pending),
        Some(INTENT_SENT) => Ok(ItemState::Leased),
        Some(INTENT_RETRY | INTENT_UNKNOWN) => Ok(ItemState::RetryWait),
        Some(INTENT_DEAD) => Ok(ItemState::Dead),
        Some(other) => Err(unknown_word("intent", other)),
    }
}

/// Whether an item with this intent may have reached its target.
pub(crate) const fn is_in_flight(intent: Option<i64>) -> bool {
    matches!(intent, Some(INTENT_SENT | INTENT_UNKNOWN))
}

/// A stored moment.
pub(crate) fn timestamp(micros: i64) -> Outcome<Timestamp> {
    Timestamp::from_micros(micros).map_err(|error| unreadable("a stored time", error))
}

/// A public id in a column.
pub(crate) fn uid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uid> {
    Ok(Uid(uuid::Uuid::from_bytes(row.get::<_, [u8; 16]>(column)?)))
}

/// A public id as a column.
pub(crate) fn uid_bytes(uid: &Uid) -> &[u8] {
    uid.0.as_bytes()
}

/// A content hash in a column.
pub(crate) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ContentHash> {
    row.get::<_, [u8; 16]>(column).map(ContentHash)
}

/// `trace_news.space` where the news is of a member, by public id.
pub(crate) const NEWS_OF_MEMBER: i64 = 0;
/// `trace_news.space` where everything may be otherwise.
pub(crate) const NEWS_OF_ALL: i64 = -1;

/// What references are found by from the other end: 64 bits of a hash of the address in one spelling, bounded as the
/// keys of names are, so that one of those does as well. Two addresses
/// with the same hash wake one object too many, which costs a look and changes nothing.
pub(crate) fn key_hash(key: &str) -> i64 {
    let folded = match key {
        key if is_cut(key) => Text::new(key),
        key if key.contains('=') => bounded(Text::from(dn::normalise(key))),
        key => bounded(Text::from(key.to_lowercase())),
    };
    let mut first = [0; 8];
    first.copy_from_slice(&sha256(folded.as_bytes())[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_what_they_stood_for() {
        for (number, known) in [(1, LinkMode::Joined), (4, LinkMode::Manual), (5, LinkMode::Adopted)] {
            assert_eq!((mode_number(known), mode(number).unwrap()), (number, known));
        }
        for known in Operation::ALL {
            assert_eq!(operation(operation_number(known)).unwrap(), known);
        }
        assert_eq!(operation_number(Operation::Create), 1);
        for known in Operation::ALL.map(HoldClass::Export).into_iter().chain([HoldClass::ImportDelete]) {
            assert_eq!(class(class_number(known)).unwrap(), known);
        }
        assert!(class(10).is_err() && hold_state(0).is_err());
        assert!(mode(0).is_err() && operation(7).is_err() && state(1, None).is_err());
    }

    #[test]
    fn spellings_of_one_address_have_one_hash() {
        assert_eq!(key_hash("CN=Ä b, DC=x"), key_hash("cn=ä  b,dc=X"));
        assert_eq!(key_hash("E-7"), key_hash("e-7"));
        assert_ne!(key_hash("e-7"), key_hash("e-8"));
    }
}
