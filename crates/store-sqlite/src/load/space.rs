//! Management-space objects with link, drift, and sets of references put back into their documents.

use std::sync::Arc;

use identitymesh_model::{
    ConnectorId, Link, MeshId, Name, Object, RuleId, SpaceId, SpaceRecord, Text, Value, Values,
};
use rusqlite::{Params, Row};

use crate::codec::{SPACE_DRIFT, SPACE_GONE, SPACE_SETS, SPACE_UNCONFIRMED, mode};
use crate::fault::{Outcome, unreadable};

use super::memory::{Loader, id_array, place};

/// The columns that [`Loader::space_rows`] reads; the statement has `o` for the object, `l` for its link, and puts a
/// number of its own, such as a place in a question, before them.
pub(crate) const SPACE_ROWS: &str =
    "o.id, o.connector, o.type, o.external_id, o.flags, o.exported, o.doc, l.mesh, l.rule, l.mode, l.score";

/// Whether sets of references are put back into documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sets {
    /// All of them.
    Whole,
    /// None.
    None,
    /// All but those of mesh objects whose sets were looked at as a whole under this configuration.
    Untraced(i64),
}

impl Loader<'_> {
    /// The objects that `sql` selects, each with the number before its columns.
    pub(crate) fn space_rows(&mut self, sql: &str, params: impl Params) -> Outcome<Vec<(i64, SpaceRecord)>> {
        self.space_rows_with(sql, params, Sets::Whole)
    }

    /// The same, with or without sets of references.
    pub(crate) fn space_rows_with(
        &mut self,
        sql: &str,
        params: impl Params,
        sets: Sets,
    ) -> Outcome<Vec<(i64, SpaceRecord)>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let record = self.space_row(row, sets)?;
            out.push((row.get(0)?, record));
        }
        Ok(out)
    }

    /// Single objects, in the order of `ids`.
    pub(crate) fn spaces(&mut self, ids: &[SpaceId]) -> Outcome<Vec<Option<SpaceRecord>>> {
        let sql = format!(
            "SELECT k.rowid, {SPACE_ROWS} FROM rarray(?1) k CROSS JOIN space_object o ON o.id = k.value \
             LEFT JOIN link l ON l.space = o.id"
        );
        let mut out: Vec<Option<SpaceRecord>> = ids.iter().map(|_| None).collect();
        for (at, record) in self.space_rows(&sql, [id_array(ids.iter().map(|id| id.0))])? {
            out[place(at)] = Some(record);
        }
        Ok(out)
    }

    fn space_row(&mut self, row: &Row<'_>, sets: Sets) -> Outcome<SpaceRecord> {
        let id = SpaceId(row.get(1)?);
        let flags: i64 = row.get(5)?;
        let exported: Option<i64> = row.get(6)?;
        let text =
            row.get_ref(7)?.as_str().map_err(|error| unreadable(format!("document of {id:?}"), error))?;
        let mut doc =
            self.memory.space_docs.read(text).map_err(|error| {
                unreadable(format!("the document of management-space object {id}"), error)
            })?;
        let link = link(row)?;
        if flags & SPACE_SETS != 0 && self.wants(sets, link)? {
            self.merge_sets(id, &mut doc)?;
        }
        Ok(SpaceRecord {
            id,
            connector: ConnectorId(row.get(2)?),
            object_type: self.memory.dictionary.name(self.conn, row.get(3)?)?,
            external_id: Text::new(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?),
            doc,
            deleted: flags & SPACE_GONE != 0,
            unconfirmed: flags & SPACE_UNCONFIRMED != 0,
            exported: match exported {
                Some(set) => self.memory.dictionary.set(self.conn, set)?,
                None => Arc::from([]),
            },
            drift: if flags & SPACE_DRIFT == 0 { Vec::new() } else { self.drift(id)? },
            link,
        })
    }

    fn wants(&self, sets: Sets, link: Option<Link>) -> Outcome<bool> {
        let (rules, link) = match (sets, link) {
            (Sets::None, _) => return Ok(false),
            (Sets::Whole, _) | (Sets::Untraced(_), None) => return Ok(true),
            (Sets::Untraced(rules), Some(link)) => (rules, link),
        };
        let mut traced = self
            .conn
            .prepare_cached("SELECT 1 FROM trace WHERE mesh = ?1 AND rules = ?2 AND shape IS NOT NULL")?;
        Ok(!traced.exists([link.mesh.0, rules])?)
    }

    fn merge_sets(&mut self, space: SpaceId, doc: &mut Object) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT attribute, key FROM space_ref WHERE space = ?1 AND form = 1 ORDER BY attribute",
        )?;
        let mut rows = statement.query([space.0])?;
        let mut sets: Vec<(i64, Vec<Value>)> = Vec::new();
        while let Some(row) = rows.next()? {
            let attribute: i64 = row.get(0)?;
            let key = Value::reference(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
            match sets.last_mut() {
                Some((last, values)) if *last == attribute => values.push(key),
                _ => sets.push((attribute, vec![key])),
            }
        }
        for (attribute, values) in sets {
            doc.put(self.memory.dictionary.name(self.conn, attribute)?, Values::set(values));
        }
        Ok(())
    }

    fn drift(&self, space: SpaceId) -> Outcome<Vec<(Name, Option<Values>)>> {
        let text: String = self
            .conn
            .prepare_cached("SELECT body FROM drift WHERE space = ?1")?
            .query_row([space.0], |row| row.get(0))?;
        parse_drift(&text)
            .map_err(|error| unreadable(format!("the drift of management-space object {space}"), error))
    }
}

fn link(row: &Row<'_>) -> Outcome<Option<Link>> {
    let Some(mesh) = row.get::<_, Option<i64>>(8)? else { return Ok(None) };
    Ok(Some(Link {
        mesh: MeshId(mesh),
        rule: RuleId(row.get(9)?),
        mode: mode(row.get(10)?)?,
        score: row.get(11)?,
    }))
}

/// An object of attributes in which `null` means that the attribute was exported as absent.
pub(crate) fn parse_drift(text: &str) -> Result<Vec<(Name, Option<Values>)>, serde_json::Error> {
    let by_name: std::collections::BTreeMap<Name, Option<Values>> = serde_json::from_str(text)?;
    Ok(by_name.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_tells_absent_from_other_values() {
        let drift = parse_drift(r#"{"mail":"a@x","manager":null}"#).unwrap();
        assert_eq!(drift, [(Name::literal("mail"), Some("a@x".into())), (Name::literal("manager"), None)]);
        assert!(parse_drift("[]").is_err());
    }
}
