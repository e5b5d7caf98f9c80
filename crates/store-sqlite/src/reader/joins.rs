//! Blocks of fuzzy joins, and what people decided about joins.

use identitymesh_model::joins::Member;
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, DecisionId, LinkMode, MeshCard, MeshId, Name, RuleId, Ruling, RunId, SpaceId, SpaceRecord,
    Text, Uid,
};
use identitymesh_store::{JoinDecisionRow, SpaceRow};
use rusqlite::{Row, params};

use crate::codec::{self, uid_bytes};
use crate::fault::{Outcome, unreadable};
use crate::load::{Loader, id_array, place};

use super::staging::sql_limit;

/// The columns of a decision; `r` is the decision that took it back.
const DECISIONS: &str = "SELECT d.id, d.at, d.actor, d.run, d.reason, d.reverts, r.id, d.body FROM join_decision d \
                         LEFT JOIN join_decision r ON r.reverts = d.id";

impl Loader<'_> {
    pub(super) fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Outcome<Vec<Vec<MeshId>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT mesh FROM join_index WHERE idx = ?1 AND key = ?2 ORDER BY mesh LIMIT ?3",
        )?;
        let limit = sql_limit(limit.saturating_add(1));
        let mut out = Vec::with_capacity(keys.len());
        for key in keys {
            let rows = statement
                .query_map(params![key.index, key.key.as_str(), limit], |row| row.get(0).map(MeshId))?;
            out.push(rows.collect::<rusqlite::Result<_>>()?);
        }
        Ok(out)
    }

    pub(super) fn cards(&mut self, ids: &[MeshId]) -> Outcome<Vec<Option<MeshCard>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.type, o.state, o.since, o.doc FROM rarray(?1) k \
             CROSS JOIN mesh_object o ON o.id = k.value",
        )?;
        let mut rows = statement.query([id_array(ids.iter().map(|id| id.0))])?;
        let mut cards: Vec<Option<MeshCard>> = ids.iter().map(|_| None).collect();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
            let doc = self.memory.mesh_docs.read(text);
            let doc = doc.map_err(|error| unreadable("the document of a mesh object", error))?;
            let mesh_type = self.memory.dictionary.name(self.conn, row.get(1)?)?;
            let state = codec::state(row.get(2)?, row.get(3)?)?;
            cards[place(row.get(0)?)] = Some(MeshCard { mesh_type, state, doc });
        }
        Ok(cards)
    }

    pub(super) fn rulings(&mut self, spaces: &[SpaceRecord]) -> Outcome<Vec<Vec<Ruling>>> {
        if !self.conn.prepare_cached("SELECT 1 FROM ruling LIMIT 1")?.exists([])? {
            return Ok(vec![Vec::new(); spaces.len()]);
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT m.id, r.belongs FROM name n CROSS JOIN ruling r \
             ON r.connector = ?1 AND r.type = n.id AND r.external_id = ?3 \
             CROSS JOIN mesh_object m ON m.uid = r.mesh WHERE n.folded = ?2 ORDER BY m.id",
        )?;
        let mut out = Vec::with_capacity(spaces.len());
        for space in spaces {
            let key = params![space.connector.0, space.object_type.folded(), space.external_id.as_str()];
            let rows = statement
                .query_map(key, |row| Ok(Ruling { mesh: MeshId(row.get(0)?), belongs: row.get(1)? }))?;
            out.push(rows.collect::<rusqlite::Result<_>>()?);
        }
        Ok(out)
    }

    pub(super) fn conflicts(
        &mut self,
        connector: Option<ConnectorId>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Outcome<Vec<SpaceRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.id, o.uid, o.connector, o.type, o.external_id, l.mesh, o.flags, n.body \
             FROM space_note n INDEXED BY space_conflict CROSS JOIN space_object o ON o.id = n.space \
             LEFT JOIN link l ON l.space = o.id \
             WHERE substr(n.body, 1, 18) = '{\"kind\":\"conflict\"' AND n.space > ?1 \
             AND (?2 IS NULL OR o.connector = ?2) ORDER BY n.space LIMIT ?3",
        )?;
        let connector = connector.map(|connector| connector.0);
        let mut rows = statement.query(params![after.map_or(0, |id| id.0), connector, sql_limit(limit)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(self.space_list_row(row)?);
        }
        Ok(out)
    }

    pub(super) fn rulings_of(&mut self, members: &[Member]) -> Outcome<Vec<Vec<(Uid, bool)>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.mesh, r.belongs FROM name n CROSS JOIN ruling r \
             ON r.connector = ?1 AND r.type = n.id AND r.external_id = ?3 WHERE n.folded = ?2 ORDER BY r.mesh",
        )?;
        let mut out = Vec::with_capacity(members.len());
        for member in members {
            let key = params![member.connector.0, member.object_type.folded(), member.external_id.as_str()];
            let rows = statement.query_map(key, |row| Ok((codec::uid(row, 0)?, row.get(1)?)))?;
            out.push(rows.collect::<rusqlite::Result<_>>()?);
        }
        Ok(out)
    }

    pub(super) fn rulings_on(&mut self, mesh: Uid) -> Outcome<Vec<(Member, bool)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.connector, n.spelling, r.external_id, r.belongs FROM ruling r INDEXED BY ruling_mesh \
             JOIN name n ON n.id = r.type WHERE r.mesh = ?1 ORDER BY r.connector, r.type, r.external_id",
        )?;
        let mut rows = statement.query([uid_bytes(&mesh)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let object_type: String = row.get(1)?;
            let object_type = Name::new(&object_type).map_err(|error| unreadable("a name", error))?;
            let external_id = Text::from(row.get::<_, String>(2)?);
            let member = Member { connector: ConnectorId(row.get(0)?), object_type, external_id };
            out.push((member, row.get(3)?));
        }
        Ok(out)
    }

    pub(super) fn links_by_rule(&mut self) -> Outcome<Vec<(RuleId, LinkMode, u64)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT rule, mode, count(*) FROM link GROUP BY rule, mode ORDER BY rule, mode",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push((RuleId(row.get(0)?), codec::mode(row.get(1)?)?, row.get(2)?));
        }
        Ok(out)
    }

    pub(super) fn decision_list(
        &mut self,
        before: Option<DecisionId>,
        limit: usize,
    ) -> Outcome<Vec<JoinDecisionRow>> {
        let before = before.map_or(i64::MAX, |id| id.0);
        let sql = format!("{DECISIONS} WHERE d.id < ?1 ORDER BY d.id DESC LIMIT ?2");
        self.decision_rows(&sql, [before, sql_limit(limit)])
    }

    pub(super) fn decision(&mut self, id: DecisionId) -> Outcome<Option<JoinDecisionRow>> {
        Ok(self.decision_rows(&format!("{DECISIONS} WHERE d.id = ?1"), [id.0])?.pop())
    }

    fn decision_rows(&mut self, sql: &str, params: impl rusqlite::Params) -> Outcome<Vec<JoinDecisionRow>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(decision_row(row)?);
        }
        Ok(out)
    }
}

fn decision_row(row: &Row<'_>) -> Outcome<JoinDecisionRow> {
    let id = DecisionId(row.get(0)?);
    let text = row.get_ref(7)?.as_str().map_err(rusqlite::Error::from)?;
    let decision = serde_json::from_str(text);
    Ok(JoinDecisionRow {
        id,
        at: codec::timestamp(row.get(1)?)?,
        actor: row.get(2)?,
        run: RunId(row.get(3)?),
        reason: row.get(4)?,
        reverts: row.get::<_, Option<i64>>(5)?.map(DecisionId),
        reverted_by: row.get::<_, Option<i64>>(6)?.map(DecisionId),
        decision: decision.map_err(|error| unreadable(format!("decision {id} about joins"), error))?,
    })
}
