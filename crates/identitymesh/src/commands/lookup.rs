//! Finding what a person means: connectors by name, mesh objects by anchor, public id or join key.

use std::collections::BTreeSet;

use anyhow::bail;
use identitymesh_model::{ConnectorId, MeshId, MeshView, Name, SpaceId, Uid};
use identitymesh_runner::InForce;
use identitymesh_store::{Reader, StoredConfiguration};

/// How many candidates are named when more than one fits.
const CANDIDATES_NAMED: usize = 10;

/// The mesh object that `called` means. One is expected; none and several are said to be so.
pub(super) fn mesh_object(reader: &mut dyn Reader, called: &str) -> anyhow::Result<MeshView> {
    let ids = reader.mesh_find(called, CANDIDATES_NAMED)?;
    let mut views: Vec<MeshView> = reader.views(&ids)?.into_iter().flatten().collect();
    match views.len() {
        1 => Ok(views.remove(0)),
        0 => bail!(
            "no mesh object is called {called:?}; anchors, public ids and join keys such as mail addresses are known, \
             and `identitymesh mesh list --contains TEXT` searches"
        ),
        _ => {
            let names: Vec<String> = views
                .iter()
                .map(|view| format!("{} {} ({})", view.record.mesh_type, view.record.anchor, view.record.uid))
                .collect();
            bail!("{called:?} means more than one mesh object; use a public id: {}", names.join(", "))
        }
    }
}

/// The mesh object that `called` means, also one that is gone for good; newest first, because one that ended and was
/// brought back by taking a decision back has its public id again, and rows of its own.
pub(super) fn mesh_ever(reader: &mut dyn Reader, called: &str) -> anyhow::Result<Vec<MeshId>> {
    if !reader.mesh_find(called, 1)?.is_empty() {
        let record = mesh_object(reader, called)?.record;
        let mut ids = vec![record.id];
        ids.extend(reader.mesh_find_gone(&record.uid.to_string(), CANDIDATES_NAMED)?);
        return Ok(ids);
    }
    let gone = reader.mesh_find_gone(called, CANDIDATES_NAMED)?;
    let mut uids = BTreeSet::new();
    for id in &gone {
        uids.extend(reader.history(*id, None, 1)?.first().map(|row| row.uid));
    }
    match uids.len() {
        0 => Ok(vec![mesh_object(reader, called)?.record.id]),
        1 => Ok(gone),
        several => bail!(
            "{called:?} was {several} mesh objects that are gone for good; use a public id, which `identitymesh mesh \
             list --at TIME` shows"
        ),
    }
}

/// How people call the mesh object with this public id.
pub(super) fn mesh_name(reader: &mut dyn Reader, uid: Uid) -> anyhow::Result<String> {
    let id = reader.mesh_by_uid(uid)?;
    let view = reader.views(id.as_slice())?.pop().flatten();
    Ok(view.map_or_else(
        || format!("a former mesh object {uid}"),
        |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
    ))
}

/// The objects of a connector that have this external id, or had it last and are gone.
pub(super) fn spaces_ever(
    reader: &mut dyn Reader,
    connector: ConnectorId,
    external_id: &str,
) -> anyhow::Result<Vec<SpaceId>> {
    let mut ids = reader.space_find(connector, external_id)?;
    ids.extend(reader.space_find_gone(connector, external_id)?);
    anyhow::ensure!(
        !ids.is_empty(),
        "this connector has and had no object with the external id {external_id:?}"
    );
    Ok(ids)
}

/// A connector's id by its name.
pub(super) fn connector_id(in_force: &InForce, name: &str) -> anyhow::Result<(Name, ConnectorId)> {
    let name = Name::new(name)?;
    Ok((name, in_force.id(name)?))
}

/// The name of a connector, also of one that is gone.
pub(super) fn connector_name(configuration: Option<&StoredConfiguration>, id: ConnectorId) -> String {
    configuration
        .and_then(|stored| stored.connectors.iter().find(|(_, known)| *known == id))
        .map_or_else(|| format!("connector {id}"), |(name, _)| name.to_string())
}

/// An attribute's values for people.
pub(super) fn shown(values: &identitymesh_model::Values) -> String {
    let texts: Vec<String> = values.as_slice().iter().map(ToString::to_string).collect();
    texts.join(" | ")
}

/// What is said of values and links of a connector that is disabled.
pub(super) const STALE: &str = "stale: the connector is disabled";

/// Whether a connector is not run, so that what it contributed stays as it was.
pub(super) fn is_disabled(in_force: &InForce, connector: ConnectorId) -> bool {
    in_force
        .configuration
        .connectors
        .iter()
        .any(|known| !known.connector.enabled && in_force.id(known.connector.name).ok() == Some(connector))
}
