//! The watermark's body: for each object type the mark that was reached, and what was seen there.
//!
//! Rows may share a mark, and a row may be written with a mark that was read already. A delta therefore starts *at*
//! the mark, not after it, and skips only those rows there whose content it has delivered before. Of a crowd at one
//! mark only so many are remembered; the others come again, which costs a comparison and changes nothing.

use std::collections::BTreeMap;

use identitymesh_connector::{ConnectorError, ImportedObject, Watermark};
use identitymesh_model::canonical::write_object;
use identitymesh_model::{ContentHash, Name};
use serde::{Deserialize, Serialize};

use crate::error::watermark_refused;
use crate::raw::Raw;

const VERSION: u32 = 1;
/// Longest body, in bytes, as the contract says.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most rows remembered at the marks of all types together.
const SEEN_MAX: usize = 1_000;

/// Marks by object type.
pub(crate) type Marks = BTreeMap<Name, Mark>;

/// How far one type was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The quoted column or table that the mark is of: a mark of another one is worth nothing.
    pub(crate) of: String,
    /// The mark, null before there was any.
    pub(crate) at: Raw,
    /// Rows at the mark that were delivered.
    #[serde(default)]
    pub(crate) seen: Vec<ContentHash>,
}

impl Mark {
    /// Moves to `at`; what was seen is of the old mark only.
    pub(crate) fn reach(&mut self, at: Raw) {
        let at = match at {
            // Text cannot carry every fraction exactly; starting a little earlier loses nothing.
            Raw::Real(number) => Raw::Integer(number.floor() as i64),
            other => other,
        };
        if self.at != at {
            self.at = at;
            self.seen.clear();
        }
    }

    pub(crate) fn remember(&mut self, hash: ContentHash, types: usize) {
        if self.seen.len() < SEEN_MAX / types.max(1) && !self.seen.contains(&hash) {
            self.seen.push(hash);
        }
    }
}

/// What makes a delivered row the same row again.
pub(crate) fn fingerprint(object: &ImportedObject) -> ContentHash {
    let mut text = format!("{}\n", object.external_id);
    write_object(&object.attributes, &mut text);
    ContentHash::of(&text)
}

/// The watermark of these marks.
pub(crate) fn write(marks: &Marks) -> Watermark {
    let body = |marks: &Marks| serde_json::to_string(marks).expect("marks are plain data");
    let mut text = body(marks);
    if text.len() > BODY_BYTES_MAX {
        // Long marks leave no room for what was seen, which only spares comparisons.
        let mut short = marks.clone();
        short.values_mut().for_each(|mark| mark.seen.clear());
        text = body(&short);
    }
    Watermark { version: VERSION, body: text }
}

/// The marks of a watermark.
pub(crate) fn read(watermark: &Watermark) -> Result<Marks, ConnectorError> {
    if watermark.version != VERSION {
        let version = watermark.version;
        return Err(watermark_refused(format!(
            "the watermark has version {version}, this program reads {VERSION}"
        )));
    }
    serde_json::from_str(&watermark.body)
        .map_err(|error| watermark_refused("the watermark is not one of this connector").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> ContentHash {
        ContentHash::of(&number.to_string())
    }

    #[test]
    fn marks_read_back_and_a_crowd_stays_within_bounds() {
        let mut mark = Mark { of: "\"at\"".to_owned(), at: Raw::Integer(7), seen: Vec::new() };
        (0..SEEN_MAX + 10).for_each(|number| mark.remember(hash(number), 1));
        assert_eq!(mark.seen.len(), SEEN_MAX);
        let marks = Marks::from([(Name::literal("person"), mark)]);
        let watermark = write(&marks);
        assert!(watermark.body.len() <= BODY_BYTES_MAX);
        assert_eq!(read(&watermark).unwrap(), marks);
    }

    #[test]
    fn a_long_mark_leaves_out_what_was_seen() {
        let at = Raw::Text("x".repeat(BODY_BYTES_MAX - 100));
        let mut mark = Mark { of: "\"at\"".to_owned(), at, seen: Vec::new() };
        (0..100).for_each(|number| mark.remember(hash(number), 1));
        let watermark = write(&Marks::from([(Name::literal("person"), mark)]));
        assert!(watermark.body.len() <= BODY_BYTES_MAX);
        assert_eq!(read(&watermark).unwrap()[&Name::literal("person")].seen, []);
    }

    #[test]
    fn reaching_a_new_mark_forgets_what_was_seen_at_the_old() {
        let mut mark = Mark { of: String::new(), at: Raw::Integer(1), seen: vec![hash(1)] };
        mark.reach(Raw::Integer(1));
        assert_eq!(mark.seen.len(), 1);
        mark.reach(Raw::Integer(2));
        assert_eq!(mark.seen.len(), 0);
    }
}
