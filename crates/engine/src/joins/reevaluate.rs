//! The decision that makes links what the rules of today make of them.

use std::collections::{HashMap, HashSet};

use identitymesh_model::joins::{Bond, DecisionKind, JoinDecision, Member, MeshSeed, Move};
use identitymesh_model::{LinkMode, MeshId, MeshView, SpaceId, SpaceRecord, Uid};

use super::decide::{bond, decision, is_alive, is_at_rest, seed};
use super::{Fate, Found, Whose};
use crate::sync::Carried;

/// A link that is to be changed, with what is around it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The object.
    pub space: SpaceRecord,
    /// Its mesh object.
    pub mesh: MeshView,
    /// What the rules make of it.
    pub fate: Fate,
}

/// What is carried out of what the rules said.
#[derive(Debug)]
pub struct Reevaluation {
    /// What changes hands.
    pub decision: JoinDecision,
    /// By which values, or why not.
    pub carried: HashMap<SpaceId, Carried>,
    /// Links that stay for now, and why.
    pub waiting: Vec<(SpaceId, String)>,
}

/// The decision that follows from what the rules make of these links. `targets` are the mesh objects that they lead to.
/// A link stays for now while an export of either side is on its way, or an undo waits to be sent.
pub fn reevaluate(
    asked: Vec<Asked>,
    targets: &HashMap<MeshId, MeshView>,
    mut next_uid: impl FnMut() -> Uid,
) -> Reevaluation {
    let mut made = decision(DecisionKind::Reevaluate);
    let (mut carried, mut waiting) = (HashMap::new(), Vec::new());
    let mut begun: HashMap<SpaceId, Uid> = HashMap::new();
    let (makers, others): (Vec<Asked>, Vec<Asked>) =
        asked.into_iter().partition(|asked| matches!(asked.fate, Fate::Begins { .. }));
    let mut losing = HashSet::new();
    for Asked { space, mesh, fate } in makers.into_iter().chain(others) {
        let from = bond(&space, mesh.record.uid);
        let to = is_at_rest(&mesh).map_err(|refusal| refusal.0).and_then(|()| match &fate {
            Fate::Stays => Ok(from),
            Fate::StaysBy(found) => {
                Ok(from.map(|from| Bond { mode: LinkMode::Joined, ..by(found, from.mesh) }))
            }
            Fate::Moves(Whose::Known(id), found) => {
                let target = targets.get(id).ok_or("its mesh object went just now")?;
                is_alive(target).map_err(|refusal| refusal.0)?;
                Ok(Some(by(found, target.record.uid)))
            }
            Fate::Moves(Whose::Beginning(maker), found) => {
                let uid = begun.get(maker).ok_or("the mesh object that it would belong to waits too")?;
                Ok(Some(by(found, *uid)))
            }
            Fate::Begins { rule, .. } => {
                Ok(Some(Bond { mesh: next_uid(), rule: *rule, mode: LinkMode::Created, score: None }))
            }
            Fate::Ends { .. } => Ok(None),
        });
        let to = match to {
            Ok(to) if to == from => continue,
            Ok(to) => to,
            Err(why) => {
                waiting.push((space.id, why));
                continue;
            }
        };
        let said = match fate {
            Fate::StaysBy(found) | Fate::Moves(_, found) => Carried::Matched(found.matched),
            Fate::Begins { mesh_type, anchor, .. } => {
                let uid = to.expect("what begins has a public id").mesh;
                begun.insert(space.id, uid);
                made.born.push(MeshSeed { uid, mesh_type, anchor });
                Carried::Matched("created from it".to_owned())
            }
            Fate::Ends { note, waits } => Carried::Left(note, waits),
            Fate::Stays => continue,
        };
        if to.map(|to| to.mesh) != from.map(|from| from.mesh) && losing.insert(mesh.record.uid) {
            made.losing.push(seed(&mesh.record));
        }
        made.moves.push(Move { member: Member::of(&space), from, to });
        carried.insert(space.id, said);
    }
    Reevaluation { decision: made, carried, waiting }
}

const fn by(found: &Found, mesh: Uid) -> Bond {
    Bond { mesh, rule: found.rule, mode: LinkMode::Joined, score: found.score }
}
