//! A row that is back within its grace is the same person's, and nobody has to decide that.

use std::collections::BTreeMap;

use identitymesh_model::plan::NoteKind;
use identitymesh_model::rules::SourceLeave;
use identitymesh_model::{ConnectorId, Name, Text, Timestamp};

use super::absence::Key;
use super::store::Tables;
use super::{Scene, Verdict, broken};
use crate::systems::{Which, name};

/// As the rules of lives say, where the loss of a row means nothing for the person.
const NOTHING_SECONDS: i64 = 5 * 86_400;
/// As they say elsewhere.
const LEAVING_SECONDS: i64 = 14 * 86_400;

/// When rows of HR came to count as gone.
#[derive(Default)]
pub(crate) struct Grace {
    gone: BTreeMap<Text, Timestamp>,
    latest: Option<Timestamp>,
}

impl Grace {
    pub(super) fn check(&mut self, tables: &Tables, scene: &Scene<'_>, gone: &[Key]) -> Verdict {
        let is_person = |connector: &ConnectorId, object_type: &Name| {
            scene.connectors.get(connector) == Some(&Which::Hr) && *object_type == name("person")
        };
        for (_, _, row) in gone.iter().filter(|(connector, of, _)| is_person(connector, of)) {
            self.gone.insert(row.clone(), scene.now);
        }
        // A clock that was set back makes no conflict that was one before any other.
        self.latest = self.latest.max(Some(scene.now));
        let seconds = match scene.loss {
            SourceLeave::Nothing => NOTHING_SECONDS,
            _ => LEAVING_SECONDS,
        };
        for space in tables.spaces.iter().filter(|space| is_person(&space.connector, &space.object_type)) {
            let is_conflict = space.note.as_ref().is_some_and(|note| note.kind == NoteKind::Conflict);
            let end = self.gone.get(&space.external_id).map(|gone| gone.saturating_add_seconds(seconds));
            if is_conflict && end > self.latest && !scene.said.is_by_hand(&space.external_id) {
                return broken("within its grace a row is the same person's", format_args!("{space:?}"));
            }
        }
        Ok(())
    }
}
