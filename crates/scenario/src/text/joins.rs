//! What people decide about joins.

use identitymesh_model::{MeshId, SpaceId};

use super::Problem;
use super::show::Shown;
use super::step::Step;
use crate::{Ask, World};

impl Step<'_> {
    /// A decision, with what follows from it.
    pub(super) fn decide(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        let ask = self.ask(words)?;
        let mut shown = Shown::default();
        let told = |world: &World, outcome: &_, moment| shown.part(world, outcome, moment);
        match self.world.decide(&ask, told) {
            Ok(()) => Ok(self.left(shown)),
            Err(refusal) => Ok(vec![format!("refused: {refusal}")]),
        }
    }

    fn ask(&self, words: &[&str]) -> Result<Ask, Problem> {
        Ok(match words {
            ["link", connector, object_type, id, "to", mesh_type, anchor] => {
                Ask::Link(self.object(connector, object_type, id)?, self.mesh_object(mesh_type, anchor)?)
            }
            ["unlink", connector, object_type, id] => Ask::Unlink(self.object(connector, object_type, id)?),
            ["never", "link", connector, object_type, id, "to", mesh_type, anchor] => {
                Ask::Never(self.object(connector, object_type, id)?, self.mesh_object(mesh_type, anchor)?)
            }
            ["split", members @ .., "from", mesh_type, from, "as", anchor] => {
                let members = members.split(|word| *word == "and").map(|words| match words {
                    [connector, object_type, id] => self.object(connector, object_type, id),
                    _ => Err(self.unknown()),
                });
                let members = members.collect::<Result<Vec<SpaceId>, Problem>>()?;
                Ask::Split(self.mesh_object(mesh_type, from)?, members, (*anchor).to_owned())
            }
            ["merge", mesh_type, other, "into", same_type, survivor] => {
                Ask::Merge(self.mesh_object(same_type, survivor)?, self.mesh_object(mesh_type, other)?)
            }
            ["reevaluate", "joins"] => Ask::Reevaluate(None),
            ["reevaluate", "joins", "of", connector] => Ask::Reevaluate(Some(self.connector(connector)?)),
            ["revert", "decision", number] => Ask::Revert(self.count(number)?),
            _ => return Err(self.unknown()),
        })
    }

    fn object(&self, connector: &str, object_type: &str, id: &str) -> Result<SpaceId, Problem> {
        let found = self.world.state.find(self.connector(connector)?, self.name(object_type)?, id);
        found.ok_or_else(|| self.statement.problem(format!("{connector} has no {object_type} {id}")))
    }

    fn mesh_object(&self, mesh_type: &str, anchor: &str) -> Result<MeshId, Problem> {
        let mesh_type = self.name(mesh_type)?;
        let mut mesh = self.world.state.mesh.values();
        let found = mesh.find(|record| record.mesh_type == mesh_type && record.anchor == anchor);
        found
            .map(|record| record.id)
            .ok_or_else(|| self.statement.problem(format!("there is no {mesh_type} {anchor}")))
    }
}
