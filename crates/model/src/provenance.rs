//! Where each value of a mesh object comes from.
//!
//! Stored grouped: one group for each source object and run, with the rule that gave each attribute, in the order of
//! the document's keys. An attribute that a group did not give has rule 0 there; a merged attribute has a rule in
//! several groups. The text belongs to exactly one document: both are written together or not at all.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{RuleId, RunId, SpaceId};

/// One winning contribution to one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The management-space object; `None` for a computed attribute.
    pub space: Option<SpaceId>,
    /// The flow rule or computed attribute.
    pub rule: RuleId,
    /// The run since which it gives this value; of a set, the run since which it gives some of it.
    pub run: RunId,
}

/// The origins of one attribute; more than one where contributions merge.
pub type Origins = SmallVec<[Origin; 1]>;

/// The origins of all attributes of one document, in the document's order; each has at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance(pub Vec<Origins>);

#[derive(Deserialize)]
struct Group {
    o: i64,
    run: i64,
    r: Vec<i64>,
}

impl Provenance {
    /// The stored text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut heads: Vec<(Option<SpaceId>, RunId)> = Vec::new();
        for origin in self.0.iter().flatten() {
            if !heads.contains(&(origin.space, origin.run)) {
                heads.push((origin.space, origin.run));
            }
        }
        heads.sort_unstable();
        let mut out = String::with_capacity(32 + 6 * self.0.len() * heads.len());
        out.push('[');
        for (index, (space, run)) in heads.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let object = space.map_or(0, |space| space.0);
            write!(out, "{comma}{{\"o\":{object},\"run\":{run},\"r\":[")
                .expect("a string takes what is written");
            for (at, origins) in self.0.iter().enumerate() {
                let rule = origins.iter().find(|origin| (origin.space, origin.run) == (space, run));
                let comma = if at == 0 { "" } else { "," };
                write!(out, "{comma}{}", rule.map_or(0, |origin| origin.rule.0)).expect("a string grows");
            }
            out.push_str("]}");
        }
        out.push(']');
        out
    }

    /// Reads the stored text of a document with `attribute_count` attributes.
    ///
    /// # Errors
    /// When the text is no provenance, or belongs to a document with another number of attributes.
    pub fn parse(text: &str, attribute_count: usize) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let groups: Vec<Group> = serde_json::from_str(text)?;
        let mut origins = vec![Origins::new(); attribute_count];
        for group in groups {
            if group.r.len() != attribute_count {
                return Err(serde_json::Error::custom("provenance does not belong to this document"));
            }
            let space = (group.o != 0).then_some(SpaceId(group.o));
            for (at, rule) in group.r.into_iter().enumerate().filter(|(_, rule)| *rule != 0) {
                origins[at].push(Origin { space, rule: RuleId(rule), run: RunId(group.run) });
            }
        }
        Ok(Self(origins))
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    fn origin(space: i64, rule: i64, run: i64) -> Origin {
        Origin { space: (space != 0).then_some(SpaceId(space)), rule: RuleId(rule), run: RunId(run) }
    }

    #[test]
    fn groups_are_by_object_and_run_in_document_order() {
        let provenance = Provenance(vec![
            smallvec![origin(17, 100, 7)],
            smallvec![origin(0, 5, 7)],
            smallvec![origin(17, 101, 7), origin(18, 102, 8)],
        ]);
        let text = provenance.to_text();
        assert_eq!(
            text,
            r#"[{"o":0,"run":7,"r":[0,5,0]},{"o":17,"run":7,"r":[100,0,101]},{"o":18,"run":8,"r":[0,0,102]}]"#
        );
        assert_eq!(Provenance::parse(&text, 3).unwrap(), provenance);
        assert!(Provenance::parse(&text, 4).is_err());
        assert_eq!(Provenance::default().to_text(), "[]");
    }
}
