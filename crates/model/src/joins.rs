//! Decisions that people make about joins: what they move, and what they say for good.
//!
//! A decision names objects as the world knows them (connector, type and external id; public id), never by numbers that
//! end with a row, so it outlives re-imports and changes of rules. It says what was before as well, so that it can be
//! turned round.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{ConnectorId, LinkMode, Name, RuleId, SpaceRecord, Text, Uid};

/// What kind of decision it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// An object belongs to a mesh object.
    Link,
    /// An object does not belong to its mesh object, and no rule may link the two again.
    Unlink,
    /// No rule may ever link the two.
    Never,
    /// Some objects of a mesh object become a mesh object of their own.
    Split,
    /// Two mesh objects are one.
    Merge,
    /// Links that rules made are what the rules of today make of them.
    Reevaluate,
    /// An earlier decision is taken back.
    Revert,
}

impl DecisionKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Never => "never",
            Self::Split => "split",
            Self::Merge => "merge",
            Self::Reevaluate => "reevaluate",
            Self::Revert => "revert",
        }
    }

    /// How what it does is told, after a verb.
    #[must_use]
    pub const fn how(self) -> &'static str {
        match self {
            Self::Reevaluate => "by a re-evaluation",
            Self::Link | Self::Unlink | Self::Never | Self::Split | Self::Merge | Self::Revert => "by hand",
        }
    }
}

/// A management-space object as the world knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// Whose object it is.
    pub connector: ConnectorId,
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
}

impl Member {
    /// What the world knows `space` as.
    #[must_use]
    pub fn of(space: &SpaceRecord) -> Self {
        let SpaceRecord { connector, object_type, external_id, .. } = space;
        Self { connector: *connector, object_type: *object_type, external_id: external_id.clone() }
    }
}

/// A link from an object to a mesh object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    /// The mesh object.
    pub mesh: Uid,
    /// The rule that linked them; rule 0 for a person.
    pub rule: RuleId,
    /// How it came about.
    pub mode: LinkMode,
    /// For a fuzzy join: 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
}

impl Bond {
    /// A person's link.
    #[must_use]
    pub const fn by_hand(mesh: Uid) -> Self {
        Self { mesh, rule: RuleId::BY_HAND, mode: LinkMode::Manual, score: None }
    }
}

/// An object that changes hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Which.
    pub member: Member,
    /// Its link before.
    pub from: Option<Bond>,
    /// Its link afterwards; without one the rules look for a mesh object.
    pub to: Option<Bond>,
}

/// What is said for good about an object and a mesh object: `true` they belong together, `false` no rule may link them,
/// `None` nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulingChange {
    /// The object.
    pub member: Member,
    /// The mesh object.
    pub mesh: Uid,
    /// What was said before.
    pub before: Option<bool>,
    /// What is said from now on.
    pub after: Option<bool>,
}

/// A mesh object that begins or ends by a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshSeed {
    /// Its public id.
    pub uid: Uid,
    /// Its type.
    pub mesh_type: Name,
    /// Its anchor.
    pub anchor: Text,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinDecision {
    /// What kind it is.
    pub kind: DecisionKind,
    /// Objects that change hands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// What is said for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<RulingChange>,
    /// Mesh objects that begin, or come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub born: Vec<MeshSeed>,
    /// Mesh objects that end. What targets hold of them leaves by the targets' rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<MeshSeed>,
    /// Mesh objects that lose an object and may end by the rules for that. Who takes the decision back has them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losing: Vec<MeshSeed>,
}

impl JoinDecision {
    /// The decision that takes this one back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let moves = self.moves.iter().cloned();
        let rulings = self.rulings.iter().cloned();
        Self {
            kind: DecisionKind::Revert,
            moves: moves.map(|known| Move { from: known.to, to: known.from, ..known }).collect(),
            rulings: rulings
                .map(|known| RulingChange { before: known.after, after: known.before, ..known })
                .collect(),
            born: self.gone.clone(),
            gone: self.born.clone(),
            losing: Vec::new(),
        }
    }

    /// The objects that it is about, each once, in the order in which it names them.
    #[must_use]
    pub fn members(&self) -> Vec<&Member> {
        let named = self.moves.iter().map(|known| &known.member);
        let named = named.chain(self.rulings.iter().map(|known| &known.member));
        let mut seen = HashSet::new();
        named.filter(|member| seen.insert(*member)).collect()
    }

    /// The mesh objects that it is about, each once, in the order in which it names them.
    #[must_use]
    pub fn mesh_objects(&self) -> Vec<Uid> {
        let bonds = self.moves.iter().flat_map(|known| [known.from, known.to]).flatten();
        let named = bonds.map(|bond| bond.mesh).chain(self.rulings.iter().map(|known| known.mesh));
        let seeds = self.born.iter().chain(&self.gone).chain(&self.losing).map(|seed| seed.uid);
        let mut seen = HashSet::new();
        named.chain(seeds).filter(|uid| seen.insert(*uid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_turned_round_twice_says_the_same_and_survives_as_text() {
        let uid = |tail: u8| format!("018f0000-0000-7000-8000-0000000000{tail:02x}").parse::<Uid>().unwrap();
        let member = Member {
            connector: ConnectorId(1),
            object_type: Name::literal("person"),
            external_id: "7".into(),
        };
        let decision = JoinDecision {
            kind: DecisionKind::Merge,
            moves: vec![Move {
                member: member.clone(),
                from: Some(Bond {
                    rule: RuleId(3),
                    mode: LinkMode::Joined,
                    score: Some(91),
                    ..Bond::by_hand(uid(2))
                }),
                to: Some(Bond::by_hand(uid(1))),
            }],
            rulings: vec![RulingChange { member, mesh: uid(1), before: None, after: Some(true) }],
            born: Vec::new(),
            gone: vec![MeshSeed { uid: uid(2), mesh_type: Name::literal("user"), anchor: "E-2".into() }],
            losing: Vec::new(),
        };
        let back = decision.reversed();
        assert_eq!((back.kind, back.born.len(), back.gone.len()), (DecisionKind::Revert, 1, 0));
        assert_eq!(back.moves[0].to, decision.moves[0].from);
        assert_eq!(JoinDecision { kind: DecisionKind::Merge, ..back.reversed() }, decision);
        assert_eq!(decision.mesh_objects(), [uid(2), uid(1)]);
        let text = serde_json::to_string(&decision).unwrap();
        assert_eq!(serde_json::from_str::<JoinDecision>(&text).unwrap(), decision);
    }
}
