//! What the last imports proved of each object type.

use identitymesh_model::{ConnectorId, RunId};
use identitymesh_store::{CoverageGap, CoverageRow, DeletesUnseen};

use crate::codec::timestamp;
use crate::fault::Outcome;
use crate::load::Loader;

impl Loader<'_> {
    pub(super) fn coverage_list(&mut self) -> Outcome<Vec<CoverageRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT c.connector, c.type, c.run, c.missing, c.why, r.id, r.started \
             FROM coverage c LEFT JOIN run r ON r.id = c.since ORDER BY c.connector, c.type",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let unseen = match (row.get(5)?, row.get(6)?) {
                (Some(run), Some(since)) => Some(DeletesUnseen {
                    since_run: RunId(run),
                    since: timestamp(since)?,
                    gap: CoverageGap { missing: row.get(3)?, why: row.get(4)? },
                }),
                _ => None,
            };
            out.push(CoverageRow {
                connector: ConnectorId(row.get(0)?),
                object_type: self.memory.dictionary.name(self.conn, row.get(1)?)?,
                run: RunId(row.get(2)?),
                unseen,
            });
        }
        Ok(out)
    }
}
