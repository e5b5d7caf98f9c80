//! Finding the management-space object that a person names.

use anyhow::bail;
use identitymesh_model::SpaceRecord;
use identitymesh_model::joins::{JoinDecision, Member};
use identitymesh_runner::InForce;
use identitymesh_store::Reader;

use crate::arguments::SpaceObject;
use crate::commands::lookup::connector_id;
use crate::output::counted;

/// Objects of one decision that are named for people; JSON has all.
const MOVES_SHOWN: usize = 10;

/// The object that is named; one is expected.
pub(super) fn space_object(
    reader: &mut dyn Reader,
    in_force: &InForce,
    named: &SpaceObject,
) -> anyhow::Result<SpaceRecord> {
    find(reader, in_force, &named.connector, &named.id, named.object_type.as_deref())
}

/// The object called `connector/external id`.
pub(super) fn space_called(
    reader: &mut dyn Reader,
    in_force: &InForce,
    called: &str,
) -> anyhow::Result<SpaceRecord> {
    let Some((connector, id)) = called.split_once('/') else {
        bail!("an object is named CONNECTOR/ID, such as hr/4711; {called:?} has no `/`");
    };
    find(reader, in_force, connector, id, None)
}

fn find(
    reader: &mut dyn Reader,
    in_force: &InForce,
    connector: &str,
    id: &str,
    object_type: Option<&str>,
) -> anyhow::Result<SpaceRecord> {
    let (name, connector) = connector_id(in_force, connector)?;
    let ids = reader.space_find(connector, id)?;
    let mut found: Vec<SpaceRecord> = reader.spaces(&ids)?.into_iter().flatten().collect();
    found.retain(|space| {
        object_type.is_none_or(|wanted| space.object_type.as_str().eq_ignore_ascii_case(wanted))
    });
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!(
            "{name} has no object with the external id {id:?}; see `identitymesh space list --connector {name}`"
        ),
        _ => {
            let types: Vec<&str> = found.iter().map(|space| space.object_type.as_str()).collect();
            bail!(
                "{name} has several objects with the external id {id:?}: name one with --type: {}",
                types.join(", ")
            )
        }
    }
}

/// `connector/external id` of an object.
pub(super) fn member(in_force: &InForce, member: &Member) -> String {
    format!("{}/{}", in_force.name_of(member.connector), member.external_id)
}

/// A decision on one line, for people.
pub(super) fn told(in_force: &InForce, reader: &mut dyn Reader, decision: &JoinDecision) -> String {
    let mut mesh = |uid| {
        let find = |reader: &mut dyn Reader| {
            let id = reader.mesh_by_uid(uid).ok()??;
            reader.views(&[id]).ok()?.pop()?
        };
        find(reader).map_or_else(
            || format!("{uid}"),
            |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
        )
    };
    let mut parts: Vec<String> = Vec::new();
    for change in decision.moves.iter().take(MOVES_SHOWN) {
        let to = change.to.map_or_else(|| "nobody".to_owned(), |bond| mesh(bond.mesh));
        let from = change.from.map_or_else(|| "nobody".to_owned(), |bond| mesh(bond.mesh));
        parts.push(format!("{}: {from} → {to}", member(in_force, &change.member)));
    }
    if decision.moves.len() > MOVES_SHOWN {
        let more = decision.moves.len() - MOVES_SHOWN;
        parts.push(format!("… and {}", counted(more as u64, "more object", "more objects")));
    }
    for seed in &decision.gone {
        parts.push(format!("{} {} ends", seed.mesh_type, seed.anchor));
    }
    for seed in decision.born.iter().take(MOVES_SHOWN) {
        parts.push(format!("{} {} begins", seed.mesh_type, seed.anchor));
    }
    if decision.moves.is_empty() {
        for ruling in &decision.rulings {
            let word = match ruling.after {
                Some(true) => "belongs to",
                Some(false) => "never joins",
                None => "is decided by rules with",
            };
            parts.push(format!("{} {word} {}", member(in_force, &ruling.member), mesh(ruling.mesh)));
        }
    }
    parts.join("; ")
}
