//! Looking from an address for whoever refers to it.

use identitymesh_model::{ConnectorId, Name, SpaceId, Text};
use identitymesh_store::Referrer;
use rusqlite::{Row, params};

use crate::codec::{SPACE_GONE, key_hash};
use crate::fault::Outcome;
use crate::load::Loader;

impl Loader<'_> {
    /// One look into the index of references for each address.
    pub(super) fn referrers(
        &mut self,
        connector: ConnectorId,
        addresses: &[Text],
    ) -> Outcome<Vec<Vec<Referrer>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.id, o.type, o.external_id, r.attribute, r.key \
             FROM space_ref r INDEXED BY space_ref_key CROSS JOIN space_object o ON o.id = r.space \
             WHERE r.connector = ?1 AND r.key_hash = ?2 AND o.flags & ?3 = 0 ORDER BY o.id, r.attribute, r.key",
        )?;
        let mut out = Vec::with_capacity(addresses.len());
        for address in addresses {
            let mut rows = statement.query(params![connector.0, key_hash(address), SPACE_GONE])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Referrer {
                    space: SpaceId(row.get(0)?),
                    object_type: self.name(row, 1)?,
                    external_id: text(row, 2)?,
                    attribute: self.name(row, 3)?,
                    reference: text(row, 4)?,
                });
            }
            out.push(found);
        }
        Ok(out)
    }

    fn name(&mut self, row: &Row<'_>, column: usize) -> Outcome<Name> {
        self.memory.dictionary.name(self.conn, row.get(column)?)
    }
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Text> {
    Ok(Text::new(row.get_ref(column)?.as_str()?))
}
