//! Where a delta starts: the newest change number of each server that takes writes.
//!
//! A change number is `TIME#COUNT#SERVER#MODIFICATION`, of fixed width, so that those of one server are in order as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most servers of one place.
const SERVER_COUNT_MAX: usize = 4_096;
/// Longest change number.
const CSN_BYTES_MAX: usize = 64;

/// The newest change numbers by their servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Place(BTreeMap<String, String>);

/// The server's part of a change number; nothing when this is none.
fn server(csn: &str) -> Option<&str> {
    let mut parts = csn.split('#');
    let (Some(time), Some(_count), Some(server), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_plain = csn.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'.'));
    (is_plain && csn.len() <= CSN_BYTES_MAX && time.ends_with('Z') && !server.is_empty()).then_some(server)
}

impl Place {
    /// Of these change numbers the newest of each server; what is none is left out.
    pub(super) fn of<'a>(csns: impl Iterator<Item = &'a str>) -> Self {
        let mut place = Self::default();
        csns.for_each(|csn| place.pass(csn));
        place
    }

    /// Moves behind a change.
    pub(super) fn pass(&mut self, csn: &str) {
        let Some(server) = server(csn) else { return };
        if let Some(known) = self.0.get_mut(server) {
            if known.as_str() < csn {
                csn.clone_into(known);
            }
        } else if self.0.len() < SERVER_COUNT_MAX {
            self.0.insert(server.to_owned(), csn.to_owned());
        }
    }

    /// Whether this is a change number at all.
    pub(super) fn is_number(csn: &str) -> bool {
        server(csn).is_some()
    }

    /// Whether no server's number is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a change is one of those before the place.
    pub(super) fn has_passed(&self, csn: &str) -> bool {
        server(csn).and_then(|server| self.0.get(server)).is_some_and(|known| csn <= known.as_str())
    }

    /// Servers that stand further in `other`, with their numbers here, if there are any, and there.
    pub(super) fn behind<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
        other.0.iter().filter_map(|(server, there)| {
            let here = self.0.get(server).map(String::as_str);
            here.is_none_or(|here| here < there.as_str()).then_some((here, there.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A1: &str = "20261127023728.000001Z#000000#001#000000";
    const A2: &str = "20261127023728.000002Z#000000#001#000000";
    const B1: &str = "20261127023727.000009Z#000000#002#000000";

    #[test]
    fn each_server_has_a_number_of_its_own() {
        let place = Place::of([A2, A1, B1, "no number", "a#b"].into_iter());
        assert!(place.has_passed(A1) && place.has_passed(A2) && place.has_passed(B1));
        let first = Place::of([A1].into_iter());
        assert!(!first.has_passed(A2) && !first.has_passed(B1));
        assert_eq!(first.behind(&place).collect::<Vec<_>>(), [(Some(A1), A2), (None, B1)]);
        assert_eq!(place.behind(&first).count(), 0);
        assert!(Place::of(["", "x#y#z#"].into_iter()).is_empty());
    }

    #[test]
    fn what_could_be_part_of_a_filter_is_no_number() {
        assert!(Place::of(["2026Z#000000#001)(x=*#000000"].into_iter()).is_empty());
    }
}
