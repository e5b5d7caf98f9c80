//! What planning asks of the state around the objects at hand.
//!
//! All questions are asked in bulk, and answers come in the order of the questions. The answers must be those of one
//! consistent state: the runner answers from a store and from parts of the plan that are still being written, a
//! scenario from memory.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, FormerLink, MeshCard, MeshId, MeshView, Name, Ruling, SpaceId, SpaceRecord, Text,
    Uid, Values,
};

/// The object that a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The management-space object.
    pub space: SpaceId,
    /// The public id of its mesh object, when it has one.
    pub mesh: Option<Uid>,
}

/// The state around the objects at hand.
pub trait Neighbours {
    /// Why an answer could not be had. The plan is abandoned then.
    type Error: Send;

    /// An id for a new mesh object.
    ///
    /// # Errors
    /// When none can be had.
    fn new_mesh_id(&mut self) -> Result<MeshId, Self::Error>;

    /// The mesh objects that each key leads to.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, Self::Error>;

    /// The mesh objects that each key leads to, at most `limit` and one more, which says that there are too many.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, Self::Error>;

    /// Mesh objects alone; `None` for one that is gone.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, Self::Error>;

    /// What people decided about each of these objects and mesh objects that are there.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, Self::Error>;

    /// The link that each of these objects had last, or that the object had which was there before it under the same
    /// external id; `None` where there was none.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn former(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Option<FormerLink>>, Self::Error>;

    /// Mesh objects with everything around them; `None` for one that is gone.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, Self::Error>;

    /// The same, with all members of all sets, where [`Neighbours::views`] gives narrow ones.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn whole_views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, Self::Error> {
        self.views(ids)
    }

    /// The sets of references of a mesh object whose view was narrow, in whole.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn members(&mut self, id: MeshId) -> Result<Vec<(Name, Values)>, Self::Error> {
        let view = self.whole_views(&[id])?.into_iter().flatten().next();
        let doc = view.map(|view| view.record.doc).unwrap_or_default();
        Ok(doc.iter().map(|(name, values)| (name, values.clone())).collect())
    }

    /// The objects that references of one connector lead to. `by_address` is the index of addresses; without it
    /// references hold external ids.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, Self::Error>;

    /// The addresses of mesh objects in a target: the value of `address` in their object there, without it the
    /// external id; `None` when the target does not hold them.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, Self::Error>;

    /// Whether a name belongs to an object or queue item of anybody but `except`.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, Self::Error>;

    /// Whether what is known of a connector's objects of one type is what its system has, as of the last import.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, Self::Error>;
}
