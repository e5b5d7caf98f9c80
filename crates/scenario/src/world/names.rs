//! Names for the numbers in a plan.

use identitymesh_model::plan::PlanNames;
use identitymesh_model::{ConnectorId, MeshId, RuleId, SpaceId, Uid};

use super::World;

/// Names as a world knows them, before and after a plan.
pub struct WorldNames<'a>(pub &'a World);

impl WorldNames<'_> {
    /// How a mesh object is called: type and anchor.
    #[must_use]
    pub fn mesh_called(&self, id: MeshId) -> String {
        self.0.state.mesh.get(&id).map_or_else(
            || "a former mesh object".to_owned(),
            |record| format!("{} {}", record.mesh_type, record.anchor),
        )
    }
}

impl PlanNames for WorldNames<'_> {
    fn connector(&self, id: ConnectorId) -> String {
        self.0.connector_name(id)
    }

    fn rule(&self, id: RuleId) -> String {
        self.0.rules.rule_name(id)
    }

    fn space(&self, id: SpaceId) -> String {
        self.0.state.space(id).map_or_else(
            || "a former object".to_owned(),
            |space| format!("{}/{}", self.connector(space.record.connector), space.record.external_id),
        )
    }

    fn mesh(&self, uid: &str) -> String {
        let record = uid.parse::<Uid>().ok().and_then(|uid| self.0.state.mesh_by_uid(uid));
        record.map_or_else(|| uid.to_owned(), |record| format!("{} {}", record.mesh_type, record.anchor))
    }
}
