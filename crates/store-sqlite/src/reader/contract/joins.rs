//! Questions about joins that wait and what was decided.

use identitymesh_model::joins::Member;
use identitymesh_model::{ConnectorId, DecisionId, LinkMode, RuleId, SpaceId, Uid};
use identitymesh_store::{JoinDecisionRow, JoinReader, SpaceRow, StoreError};

use crate::reader::session::SqliteReader;

impl JoinReader for SqliteReader<'_> {
    fn conflicts(
        &mut self,
        connector: Option<ConnectorId>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Vec<SpaceRow>, StoreError> {
        self.ask("listing conflicts of joins", |loader| loader.conflicts(connector, after, limit))
    }

    fn rulings_of(&mut self, members: &[Member]) -> Result<Vec<Vec<(Uid, bool)>>, StoreError> {
        self.ask("reading what was decided about objects", |loader| loader.rulings_of(members))
    }

    fn rulings_on(&mut self, mesh: Uid) -> Result<Vec<(Member, bool)>, StoreError> {
        self.ask("reading what was decided about a mesh object", |loader| loader.rulings_on(mesh))
    }

    fn links_by_rule(&mut self) -> Result<Vec<(RuleId, LinkMode, u64)>, StoreError> {
        self.ask("counting links by their rules", |loader| loader.links_by_rule())
    }

    fn decision_list(
        &mut self,
        before: Option<DecisionId>,
        limit: usize,
    ) -> Result<Vec<JoinDecisionRow>, StoreError> {
        self.ask("listing decisions", |loader| loader.decision_list(before, limit))
    }

    fn decision(&mut self, id: DecisionId) -> Result<Option<JoinDecisionRow>, StoreError> {
        self.ask("reading a decision", |loader| loader.decision(id))
    }
}
