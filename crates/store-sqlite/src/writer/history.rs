//! What management-space objects were before they are changed: one row for each change, none for a beginning.
//!
//! A row is read before a change and once more behind it, and only what differs is kept. That an export was confirmed
//! is no change of its own where there is no drift: nobody asks for it afterwards.

use std::sync::Arc;

use identitymesh_model::plan::SetBefore;
use identitymesh_model::{
    Link, MeshId, Name, Object, PastLink, RuleId, RunId, SpaceBefore, SpaceRest, Text, Values, plan::Before,
};
use identitymesh_store::{Cause, SpaceChangeKind};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{self, SPACE_DRIFT, SPACE_GONE, SPACE_UNCONFIRMED, timestamp};
use crate::fault::{Outcome, unreadable};
use crate::load::parse_drift;

use super::tx::Tx;

/// An object as its row stands, without its sets of references.
pub(super) struct Was {
    external_id: String,
    flags: i64,
    exported: Arc<[Name]>,
    drift: Vec<(Name, Option<Values>)>,
    doc: Object,
}

/// What a row says that its object was, for objects that are gone for good.
struct Identity {
    uid: [u8; 16],
    connector: i64,
    object_type: i64,
}

impl Tx<'_> {
    /// An object as it stands, `None` when there is none.
    pub(super) fn was(&mut self, space: i64) -> Outcome<Option<Was>> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT o.external_id, o.flags, o.exported, o.doc, d.body FROM space_object o \
                 LEFT JOIN drift d ON d.space = o.id AND o.flags & ?2 <> 0 WHERE o.id = ?1",
            )?
            .query_row([space, SPACE_DRIFT], |row| {
                let doc: String = row.get(3)?;
                let drift: Option<String> = row.get(4)?;
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<i64>>(2)?, doc, drift))
            })
            .optional()?;
        let Some((external_id, flags, exported, doc, drift)) = found else { return Ok(None) };
        let exported = match exported {
            Some(set) => self.memory.dictionary.set(self.conn, set)?,
            None => Arc::from([]),
        };
        let failed =
            |what: &str, error| unreadable(format!("the {what} of management-space object {space}"), error);
        let drift =
            drift.map(|text| parse_drift(&text)).transpose().map_err(|error| failed("drift", error))?;
        let doc = self.memory.space_docs.read(&doc).map_err(|error| failed("document", error))?;
        Ok(Some(Was { external_id, flags, exported, drift: drift.unwrap_or_default(), doc }))
    }

    /// Keeps what of `was` is other now; `sets` is what changed in sets of references.
    pub(super) fn keep_change(
        &mut self,
        cause: &Cause,
        kind: SpaceChangeKind,
        space: i64,
        was: Option<Was>,
        sets: Vec<SetBefore>,
    ) -> Outcome<()> {
        let (Some(was), Some(now)) = (was, self.was(space)?) else { return Ok(()) };
        let differs = |flag: i64| (was.flags & flag != now.flags & flag).then_some(was.flags & flag != 0);
        let mut rest = SpaceRest {
            external_id: (was.external_id != now.external_id).then(|| Text::from(&was.external_id)),
            deleted: differs(SPACE_GONE),
            unconfirmed: differs(SPACE_UNCONFIRMED),
            exported: (was.exported != now.exported).then(|| was.exported.to_vec()),
            drift: (was.drift != now.drift).then(|| was.drift.iter().cloned().collect()),
            link: None,
        };
        let content = Before { sets, ..Before::between(&was.doc, &now.doc) };
        if was.drift.is_empty() && now.drift.is_empty() && content.is_empty() && rest.exported.is_none() {
            let others = SpaceRest { unconfirmed: None, ..rest.clone() };
            if others == SpaceRest::default() {
                rest.unconfirmed = None;
            }
        }
        let before = SpaceBefore { content, rest };
        if before.is_empty() { Ok(()) } else { self.keep(cause, kind, space, &before, None, None) }
    }

    /// Keeps the link of an object that is about to end, if it has one.
    pub(super) fn keep_unlink(&mut self, cause: &Cause, space: i64) -> Outcome<()> {
        if !self.is_kept() {
            return Ok(());
        }
        let found = self
            .conn
            .prepare_cached(
                "SELECT mesh, rule, mode, score, matched, run, at, place FROM link WHERE space = ?1",
            )?
            .query_row([space], |row| {
                let mode: i64 = row.get(2)?;
                let at: i64 = row.get(6)?;
                let link = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(7)?);
                Ok((mode, at, link))
            })
            .optional()?;
        let Some((mode, at, (mesh, rule, score, matched, run, rows))) = found else { return Ok(()) };
        let Link { mesh, rule, mode, score } =
            Link { mesh: MeshId(mesh), rule: RuleId(rule), mode: codec::mode(mode)?, score };
        let link = PastLink { mesh, rule, mode, score, matched, run: RunId(run), at: timestamp(at)?, rows };
        let rest = SpaceRest { link: Some(link), ..SpaceRest::default() };
        let before = SpaceBefore { rest, ..SpaceBefore::default() };
        self.keep(cause, SpaceChangeKind::Unlink, space, &before, Some(mesh), None)
    }

    /// Keeps everything that an object was that is about to go for good, its link first.
    pub(super) fn keep_purge(&mut self, cause: &Cause, space: i64) -> Outcome<()> {
        if !self.is_kept() {
            return Ok(());
        }
        self.keep_unlink(cause, space)?;
        let Some(was) = self.was(space)? else { return Ok(()) };
        let edges = self.references(space)?;
        let sets = self.sets_before([], edges)?;
        let content = Before { sets, ..Before::between(&was.doc, &Object::new()) };
        let rest = SpaceRest {
            external_id: Some(Text::from(&was.external_id)),
            deleted: Some(was.flags & SPACE_GONE != 0),
            unconfirmed: Some(was.flags & SPACE_UNCONFIRMED != 0),
            exported: (!was.exported.is_empty()).then(|| was.exported.to_vec()),
            drift: (!was.drift.is_empty()).then(|| was.drift.into_iter().collect()),
            link: None,
        };
        let identity = self
            .conn
            .prepare_cached("SELECT uid, connector, type FROM space_object WHERE id = ?1")?
            .query_row([space], |row| {
                Ok(Identity { uid: row.get(0)?, connector: row.get(1)?, object_type: row.get(2)? })
            })?;
        let before = SpaceBefore { content, rest };
        self.keep(cause, SpaceChangeKind::Purge, space, &before, None, Some((identity, was.external_id)))
    }

    fn keep(
        &mut self,
        cause: &Cause,
        kind: SpaceChangeKind,
        space: i64,
        before: &SpaceBefore,
        mesh: Option<MeshId>,
        identity: Option<(Identity, String)>,
    ) -> Outcome<()> {
        let (identity, external_id) = identity.unzip();
        self.conn
            .prepare_cached(
                "INSERT INTO space_change (space, place, run, at, kind, before, mesh, uid, connector, type, external_id) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                space,
                self.state.chain.seq,
                cause.run.0,
                cause.at.as_micros(),
                kind.as_str(),
                before.to_text(),
                mesh.map(|mesh| mesh.0),
                identity.as_ref().map(|identity| identity.uid),
                identity.as_ref().map(|identity| identity.connector),
                identity.as_ref().map(|identity| identity.object_type),
                external_id
            ])?;
        Ok(())
    }
}
