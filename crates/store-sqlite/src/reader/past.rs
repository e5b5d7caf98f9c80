//! What is kept of the past beside the audit.

use identitymesh_model::{
    ConnectorId, LinkMode, MeshId, PastLink, RuleId, RunId, SpaceBefore, SpaceId, Text, Uid,
};
use identitymesh_store::{LinkEnd, LinkSpan, Moment, SpaceChange, SpaceChangeKind, SpaceIdentity};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::codec::{self, timestamp, uid_bytes};
use crate::fault::{Outcome, unknown_word, unreadable};
use crate::load::Loader;

use super::staging::{settled, sql_limit};

const COLUMNS: &str = "seq, place, space, run, at, kind, before";

impl Loader<'_> {
    pub(super) fn space_history(
        &mut self,
        space: SpaceId,
        before: Option<i64>,
        limit: usize,
    ) -> Outcome<Vec<SpaceChange>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM space_change INDEXED BY space_change_space WHERE space = ?1 AND seq < ?2 \
             ORDER BY seq DESC LIMIT ?3"
        ))?;
        let mut rows = statement.query([space.0, before.unwrap_or(i64::MAX), sql_limit(limit)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(change(row)?);
        }
        Ok(out)
    }

    pub(super) fn moment(&mut self) -> Outcome<Moment> {
        let mut statement = self.conn.prepare_cached(
            "SELECT (SELECT coalesce(max(seq), 0) FROM space_change), (SELECT coalesce(max(id), 0) FROM space_object)",
        )?;
        Ok(statement.query_row([], settled)?)
    }

    pub(super) fn decided_gone(&mut self, after: i64) -> Outcome<Vec<SpaceId>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT DISTINCT space FROM space_change WHERE seq > ?1 AND kind = 'decision'")?;
        let rows = statement.query_map([after], |row| row.get(0).map(SpaceId))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn space_identities(&mut self, ids: &[SpaceId]) -> Outcome<Vec<Option<SpaceIdentity>>> {
        let mut living = self
            .conn
            .prepare_cached("SELECT uid, connector, type, external_id, 0 FROM space_object WHERE id = ?1")?;
        let mut gone = self.conn.prepare_cached(
            "SELECT uid, connector, type, external_id, 1 FROM space_change INDEXED BY space_change_space \
             WHERE space = ?1 AND kind = 'purge' ORDER BY seq DESC LIMIT 1",
        )?;
        let read = |row: &Row<'_>| {
            let external_id: String = row.get(3)?;
            Ok((codec::uid(row, 0)?, row.get(1)?, row.get::<_, i64>(2)?, external_id, row.get(4)?))
        };
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            let found = match living.query_row([id.0], read).optional()? {
                Some(found) => Some(found),
                None => gone.query_row([id.0], read).optional()?,
            };
            out.push(match found {
                None => None,
                Some((uid, connector, object_type, external_id, purged)) => Some(SpaceIdentity {
                    id: *id,
                    uid,
                    connector: ConnectorId(connector),
                    object_type: self.memory.dictionary.name(self.conn, object_type)?,
                    external_id: Text::from(external_id),
                    purged,
                }),
            });
        }
        Ok(out)
    }

    pub(super) fn link_history(&mut self, mesh: MeshId) -> Outcome<Vec<LinkSpan>> {
        let mut out = self.links_now(mesh)?;
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM space_change INDEXED BY space_change_mesh WHERE mesh = ?1 ORDER BY seq"
        ))?;
        let mut rows = statement.query([mesh.0])?;
        while let Some(row) = rows.next()? {
            let change = change(row)?;
            let before = SpaceBefore::parse(&change.before)
                .map_err(|error| unreadable(format!("row {} of an object's past", change.seq), error))?;
            let link = before.rest.link.ok_or_else(|| unknown_word("link that ended", change.seq))?;
            let end = Some(LinkEnd { at: change.at, place: change.place, run: change.run });
            out.push(LinkSpan { space: change.space, link, end });
        }
        out.sort_by_key(|span| (span.space, span.link.at, span.link.rows));
        Ok(out)
    }

    fn links_now(&self, mesh: MeshId) -> Outcome<Vec<LinkSpan>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT space, rule, mode, score, matched, run, at, place FROM link INDEXED BY link_mesh WHERE mesh = ?1",
        )?;
        let mut rows = statement.query([mesh.0])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let mode: LinkMode = codec::mode(row.get(2)?)?;
            let link = PastLink {
                mesh,
                rule: RuleId(row.get(1)?),
                mode,
                score: row.get(3)?,
                matched: row.get(4)?,
                run: RunId(row.get(5)?),
                at: timestamp(row.get(6)?)?,
                rows: row.get(7)?,
            };
            out.push(LinkSpan { space: SpaceId(row.get(0)?), link, end: None });
        }
        Ok(out)
    }

    pub(super) fn mesh_find_gone(&mut self, called: &str, limit: usize) -> Outcome<Vec<MeshId>> {
        let called = called.trim();
        let read = |row: &Row<'_>| row.get(0).map(MeshId);
        if let Ok(uid) = called.parse::<Uid>() {
            let mut statement = self.conn.prepare_cached(
                "SELECT mesh FROM change WHERE kind = 'purge' AND uid = ?1 ORDER BY seq DESC",
            )?;
            let rows = statement.query_map([uid_bytes(&uid)], read)?;
            return Ok(rows.take(limit).collect::<rusqlite::Result<_>>()?);
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT mesh FROM change WHERE kind = 'purge' AND lower(before->>'k') = lower(?1) \
             ORDER BY seq DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![called, sql_limit(limit)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn space_find_gone(
        &mut self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Outcome<Vec<SpaceId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT space FROM space_change INDEXED BY space_change_purged \
             WHERE connector = ?1 AND external_id = ?2 ORDER BY seq DESC",
        )?;
        let rows = statement.query_map(params![connector.0, external_id], |row| row.get(0).map(SpaceId))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn change(row: &Row<'_>) -> Outcome<SpaceChange> {
    let kind: String = row.get(5)?;
    Ok(SpaceChange {
        seq: row.get(0)?,
        place: row.get(1)?,
        space: SpaceId(row.get(2)?),
        run: RunId(row.get(3)?),
        at: timestamp(row.get(4)?)?,
        kind: SpaceChangeKind::from_word(&kind)
            .ok_or_else(|| unknown_word("kind of an object's change", kind))?,
        before: row.get(6)?,
    })
}
