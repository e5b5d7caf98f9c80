//! The audit row and its chain: history and audit are one table.
//!
//! Every change of a mesh object, and every export, is one row. A row's *leaf* is the SHA-256 of its canonical text;
//! its *chain* is the SHA-256 of the previous row's chain followed by the leaf; the first row follows 32 zero bytes.
//! So a changed, missing, added or reordered row breaks the chain from there on, and a row whose body was erased for
//! privacy still verifies by its leaf.
//!
//! Canonical text of a row: the JSON array `[uid, run, at, actor, kind, connector, before, after]` without blanks:
//! `uid` the mesh object's public id; `run` a number; `at` microseconds since 1970 in UTC; `actor`, `kind` texts;
//! `connector` a number, 0 for the mesh itself; `before` the JSON text of the reverse change as a *string*; `after`
//! the content hash after the change in hexadecimal, or an empty string when nothing is left.

use identitymesh_model::{
    ConnectorId, ContentHash, MeshId, RunId, Timestamp, Uid, canonical, sha256, sha256_parts,
};

use crate::ChangeRecord;

/// The chain value before the first row.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A mesh object began.
    Create,
    /// A mesh object changed.
    Update,
    /// A mesh object went for good.
    Purge,
    /// Something was written to a target.
    Export,
    /// A target's object turned out to be changed by somebody else.
    Drift,
    /// Somebody approved a held change; `before` names the hold and the reason, `after` the change. Held objects of an
    /// import that belong to no mesh object stand in one row, of mesh object 0, with their number.
    Approve,
    /// Somebody rejected a held change, in the same form.
    Reject,
    /// A password was set and delivered; `before` says where to, and never holds the password.
    Password,
    /// Somebody asked for a change that leads back; `before` says what is undone, `after` is the change.
    Undo,
    /// Somebody decided about the object's joins; `before` names the decision and the reason.
    Decide,
    /// Somebody let a stored plan be carried out; `before` names the plan by its hash, and the reason.
    Plan,
}

impl ChangeKind {
    const ALL: [Self; 11] = [
        Self::Create,
        Self::Update,
        Self::Purge,
        Self::Export,
        Self::Drift,
        Self::Approve,
        Self::Reject,
        Self::Password,
        Self::Undo,
        Self::Decide,
        Self::Plan,
    ];

    /// Its word in the canonical text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Purge => "purge",
            Self::Export => "export",
            Self::Drift => "drift",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Password => "password",
            Self::Undo => "undo",
            Self::Decide => "decide",
            Self::Plan => "plan",
        }
    }

    /// The kind that `word` names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One row, before the store gives it a place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeRow {
    /// The mesh object.
    pub mesh: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// The run that changed it.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Who: a person, or `schedule`, `cli`.
    pub actor: String,
    /// What kind of change.
    pub kind: ChangeKind,
    /// For exports and drift: the target.
    pub connector: Option<ConnectorId>,
    /// The reverse change as JSON text; empty for a create.
    pub before: String,
    /// The content hash after the change.
    pub after: Option<ContentHash>,
    leaf: [u8; 32],
}

impl ChangeRow {
    /// A row with its leaf hash.
    #[expect(
        clippy::too_many_arguments,
        reason = "a row has these columns; a builder would hide a missing one"
    )]
    #[must_use]
    pub fn new(
        mesh: MeshId,
        uid: Uid,
        run: RunId,
        at: Timestamp,
        actor: &str,
        kind: ChangeKind,
        connector: Option<ConnectorId>,
        before: String,
        after: Option<ContentHash>,
    ) -> Self {
        let mut row = Self {
            mesh,
            uid,
            run,
            at,
            actor: actor.to_owned(),
            kind,
            connector,
            before,
            after,
            leaf: [0; 32],
        };
        row.leaf = sha256(row.canonical_text().as_bytes());
        row
    }

    /// The text that the leaf is the hash of.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::with_capacity(160 + self.before.len());
        write!(out, "[\"{}\",{},{},", self.uid, self.run, self.at.as_micros()).expect("a string grows");
        canonical::write_text(&self.actor, &mut out);
        write!(out, ",\"{}\",{},", self.kind.as_str(), self.connector.map_or(0, |id| id.0))
            .expect("a string grows");
        canonical::write_text(&self.before, &mut out);
        match &self.after {
            Some(hash) => write!(out, ",\"{hash}\"]").expect("a string grows"),
            None => out.push_str(",\"\"]"),
        }
        out
    }

    /// The leaf hash.
    #[must_use]
    pub const fn leaf(&self) -> [u8; 32] {
        self.leaf
    }
}

/// The chain value of a row that follows `previous`.
#[must_use]
pub fn chain(previous: &[u8; 32], leaf: &[u8; 32]) -> [u8; 32] {
    sha256_parts(&[previous, leaf])
}

/// The audit row of a stored change, to be hashed again.
impl From<&ChangeRecord> for ChangeRow {
    fn from(record: &ChangeRecord) -> Self {
        Self::new(
            record.mesh,
            record.uid,
            record.run,
            record.at,
            &record.actor,
            record.kind,
            record.connector,
            record.before.clone(),
            record.after,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identitymesh_model::hex;

    /// The fixture of the documented form: if it has to change, every verifier has to.
    #[test]
    fn the_canonical_row_is_fixed() {
        let row = ChangeRow::new(
            MeshId(1),
            "018f0000-0000-7000-8000-000000000001".parse().unwrap(),
            RunId(7),
            "2026-03-02T00:00:00Z".parse().unwrap(),
            "cli \"x\"",
            ChangeKind::Update,
            None,
            r#"{"a":{"mail":null},"r":[[]]}"#.into(),
            Some(ContentHash::of("{}")),
        );
        assert_eq!(
            row.canonical_text(),
            concat!(
                r#"["018f0000-0000-7000-8000-000000000001",7,1772409600000000,"cli \"x\"","update",0,"#,
                r#""{\"a\":{\"mail\":null},\"r\":[[]]}","44136fa355b3678a1146ad16f7e8649e"]"#
            )
        );
        let first = chain(&CHAIN_START, &row.leaf());
        assert_ne!(first, chain(&first, &row.leaf()));
        assert_eq!(hex(&row.leaf()).len(), 64);
    }

    #[test]
    fn kinds_have_words() {
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(ChangeKind::from_word("other"), None);
    }
}
