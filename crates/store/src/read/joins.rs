//! What is asked by and for people who decide about joins.

use identitymesh_model::joins::Member;
use identitymesh_model::{ConnectorId, DecisionId, LinkMode, RuleId, SpaceId, Uid};

use crate::{JoinDecisionRow, SpaceRow, StoreError};

/// Joins that wait, and decisions about joins.
pub trait JoinReader {
    /// Objects that wait for a person because their join is a conflict, after `after`, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn conflicts(
        &mut self,
        connector: Option<ConnectorId>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Vec<SpaceRow>, StoreError>;

    /// What people said for good about these objects, whether the objects and mesh objects are there or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rulings_of(&mut self, members: &[Member]) -> Result<Vec<Vec<(Uid, bool)>>, StoreError>;

    /// What people said for good about a mesh object, in the order of objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rulings_on(&mut self, mesh: Uid) -> Result<Vec<(Member, bool)>, StoreError>;

    /// How many links each rule made that are there, by how they came about, in the order of rules.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn links_by_rule(&mut self) -> Result<Vec<(RuleId, LinkMode, u64)>, StoreError>;

    /// Decisions, newest first, before `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn decision_list(
        &mut self,
        before: Option<DecisionId>,
        limit: usize,
    ) -> Result<Vec<JoinDecisionRow>, StoreError>;

    /// One decision.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn decision(&mut self, id: DecisionId) -> Result<Option<JoinDecisionRow>, StoreError>;
}
