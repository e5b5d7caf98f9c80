//! Leasing queue items: an intent for each, durable before anything is sent.

use identitymesh_model::plan::{ItemAction, Turn};
use identitymesh_model::{ConnectorId, ItemId, MeshId, RuleId, SpaceId};
use identitymesh_store::{Cause, Lease, LeaseRequest, LeasedItem};
use rusqlite::{Row, params};

use crate::codec::{
    INTENT_DEAD, INTENT_RETRY, INTENT_SENT, INTENT_UNKNOWN, action, is_in_flight, operation, turn_number, uid,
};
use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Takes due items in the order of their ids. An intent that is found open makes its item *unsettled*. The run that
    /// leases is the fence: later runs have higher numbers, and what an earlier one still has to say of the item is
    /// refused.
    pub(crate) fn lease(&mut self, request: &LeaseRequest) -> Outcome<Lease> {
        let mut items = self.due_items(request)?;
        let mut intent = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO intent (item, state, until, attempts, run) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for item in &items {
            let attempts = i64::from(item.attempts) + 1;
            let run = request.cause.run.0;
            intent.execute([item.id.0, INTENT_SENT, request.until.as_micros(), attempts, run])?;
        }
        self.add_spaces(request.connector, &mut items)?;
        Ok(Lease { items })
    }

    fn due_items(&mut self, request: &LeaseRequest) -> Outcome<Vec<LeasedItem>> {
        let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
        let turn = turn_number(request.turn);
        let index = match request.turn {
            Turn::First => "item_first",
            Turn::Usual => "item_order",
        };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT i.id, i.mesh, i.uid, i.rule, i.type, i.operation, i.body, t.state, t.attempts \
             FROM export_item i INDEXED BY {index} LEFT JOIN intent t ON t.item = i.id \
             WHERE i.connector = ?1 AND i.id > ?2 AND i.id <= ?6 AND i.standing IN (0, 2) AND i.turn = {turn} \
             AND (t.item IS NULL OR (t.state <> ?3 AND t.until <= ?4)) \
             ORDER BY i.id LIMIT ?5"
        ))?;
        let after = request.after.map_or(0, |item| item.0);
        let upto = request.upto.map_or(i64::MAX, |item| item.0);
        let now = request.cause.at.as_micros();
        let mut rows = statement.query([request.connector.0, after, INTENT_DEAD, now, limit, upto])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(self.leased_item(row)?);
        }
        Ok(items)
    }

    fn leased_item(&mut self, row: &Row<'_>) -> Outcome<LeasedItem> {
        let id = ItemId(row.get(0)?);
        Ok(LeasedItem {
            id,
            mesh: MeshId(row.get(1)?),
            uid: uid(row, 2)?,
            rule: RuleId(row.get(3)?),
            object_type: self.memory.dictionary.name(self.conn, row.get(4)?)?,
            operation: operation(row.get(5)?)?,
            action: action(row, 6, id)?,
            space: None,
            attempts: row.get::<_, Option<u32>>(8)?.unwrap_or(0),
            unsettled: is_in_flight(row.get(7)?),
        })
    }

    fn add_spaces(&mut self, connector: ConnectorId, items: &mut [LeasedItem]) -> Outcome<()> {
        let mut wanted: Vec<(usize, SpaceId)> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let space = match item.action {
                ItemAction::Update { space, .. } | ItemAction::Delete { space } => Some(space),
                ItemAction::Create { .. } if item.unsettled => self.linked_space(connector, item)?,
                ItemAction::Create { .. } => None,
            };
            wanted.extend(space.map(|space| (at, space)));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let ids: Vec<SpaceId> = wanted.iter().map(|(_, space)| *space).collect();
        for ((at, _), space) in wanted.into_iter().zip(self.loader().spaces(&ids)?) {
            items[at].space = space;
        }
        Ok(())
    }

    /// The one object of an item's type that the target is known to hold for its mesh object.
    fn linked_space(&mut self, connector: ConnectorId, item: &LeasedItem) -> Outcome<Option<SpaceId>> {
        let object_type = self.name_id(item.object_type)?;
        let mut statement = self.conn.prepare_cached(
            "SELECT space FROM link INDEXED BY link_mesh WHERE mesh = ?1 AND connector = ?2 AND type = ?3 LIMIT 2",
        )?;
        let found: Vec<i64> = statement
            .query_map([item.mesh.0, connector.0, object_type], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(if let [space] = found[..] { Some(SpaceId(space)) } else { None })
    }

    /// Forgets that items were tried, so that they are due at once. One whose answer was lost stays unsettled.
    pub(crate) fn retry_items(
        &self,
        cause: &Cause,
        connector: Option<ConnectorId>,
        items: &[ItemId],
    ) -> Outcome<u64> {
        let of_connector = connector.map(|connector| connector.0);
        let chosen: Vec<i64> = if items.is_empty() {
            let mut statement = self.conn.prepare_cached(
                "SELECT t.item FROM intent t JOIN export_item i ON i.id = t.item \
                 WHERE ?1 IS NULL OR i.connector = ?1",
            )?;
            statement.query_map([of_connector], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        } else {
            items.iter().map(|item| item.0).collect()
        };
        let mut forget = self.conn.prepare_cached(
            "DELETE FROM intent WHERE item = ?1 AND state IN (?2, ?3) \
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM export_item WHERE id = ?1 AND connector = ?4))",
        )?;
        let mut hasten = self.conn.prepare_cached(
            "UPDATE intent SET until = ?2 WHERE item = ?1 AND state = ?3 \
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM export_item WHERE id = ?1 AND connector = ?4))",
        )?;
        let mut count = 0;
        for item in chosen {
            count += forget.execute(params![item, INTENT_RETRY, INTENT_DEAD, of_connector])?;
            count += hasten.execute(params![item, cause.at.as_micros(), INTENT_UNKNOWN, of_connector])?;
        }
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
