//! Whose an object is: what belongs to somebody else is neither taken over nor deleted.

use std::collections::HashMap;

use identitymesh_model::joins::Member;
use identitymesh_model::plan::ItemAction;
use identitymesh_model::{LinkMode, MeshId, Name, SpaceId, SpaceRecord, Text};
use identitymesh_store::{LeasedItem, Reader};

use super::send::Ready;
use super::settle::Answer;
use super::state::TargetForm;
use crate::RunError;
use crate::run::Run;

/// Takes out of a wave what would change or delete an object that has come to another mesh object since it was planned.
/// Of deletions the store is asked once more, because items are leased ahead of what is being settled.
pub(super) fn without_others(run: &mut Run, wave: &mut Vec<Ready>) -> Result<Vec<Ready>, RunError> {
    let deleted: Vec<SpaceId> = wave.iter().filter_map(|ready| deletes(&ready.1)).collect();
    if !deleted.is_empty() {
        run.settled()?;
        let mut reader = run.mesh.store.read()?;
        let now: HashMap<SpaceId, SpaceRecord> =
            reader.spaces(&deleted)?.into_iter().flatten().map(|space| (space.id, space)).collect();
        for (item, action, _) in &mut *wave {
            if let Some(space) = deletes(action) {
                item.space = now.get(&space).cloned();
            }
        }
    }
    Ok(wave.extract_if(.., |(item, action, _)| is_another_s(item, action)).collect())
}

const fn deletes(action: &ItemAction) -> Option<SpaceId> {
    match action {
        ItemAction::Delete { space } => Some(*space),
        ItemAction::Create { .. } | ItemAction::Update { .. } => None,
    }
}

fn is_another_s(item: &LeasedItem, action: &ItemAction) -> bool {
    let link = item.space.as_ref().and_then(|space| space.link);
    !matches!(action, ItemAction::Create { .. }) && link.is_some_and(|link| link.mesh != item.mesh)
}

/// Answers creates that found their object in the target as wanted, where it belongs to somebody else or a person said
/// that it is not theirs. What an earlier attempt of ours most likely made is taken back from a mesh object that an
/// import found for it.
pub(super) fn leave_to_others(
    form: &TargetForm<'_>,
    run: &mut Run,
    answers: &mut [(Ready, Answer)],
) -> Result<(), RunError> {
    if !answers.iter().any(|(ready, answer)| found(ready, answer).is_some()) {
        return Ok(());
    }
    run.settled()?;
    let mut reader = run.mesh.store.read()?;
    let mut taken: HashMap<(Name, Text), MeshId> = answers
        .iter()
        .filter_map(|((item, ..), answer)| Some((key(item, made(answer)?), item.mesh)))
        .collect();
    for (ready, answer) in answers {
        let Some((external_id, is_ours)) = found(ready, answer) else { continue };
        let item = &ready.0;
        let key = key(item, external_id);
        let owner = match taken.get(&key) {
            Some(mesh) => Some(*mesh).filter(|mesh| *mesh != item.mesh),
            None => owner(form, reader.as_mut(), item, external_id, is_ours)?,
        };
        let reason = match owner {
            Some(mesh) => {
                format!("{external_id} is there as wanted, and belongs to {}", called(reader.as_mut(), mesh)?)
            }
            None if is_ruled_out(form, reader.as_mut(), item, external_id)? => {
                format!("{external_id} is there as wanted, and a person said whose it is")
            }
            None => {
                taken.insert(key, item.mesh);
                continue;
            }
        };
        *answer = Answer::Taken { reason };
    }
    Ok(())
}

fn key(item: &LeasedItem, external_id: &Text) -> (Name, Text) {
    (item.object_type, external_id.clone())
}

/// The external id of an object that a create of this wave made.
const fn made(answer: &Answer) -> Option<&Text> {
    match answer {
        Answer::Applied { written, already: false, .. } => written.external_id.as_ref(),
        _ => None,
    }
}

/// The external id of an object that a create found, and whether an earlier attempt of ours most likely made it.
fn found<'a>((_, action, _): &Ready, answer: &'a Answer) -> Option<(&'a Text, bool)> {
    match (action, answer) {
        (ItemAction::Create { .. }, Answer::Applied { written, already: true, is_ours }) => {
            written.external_id.as_ref().map(|id| (id, *is_ours))
        }
        _ => None,
    }
}

/// The other mesh object that a found object stays with.
fn owner(
    form: &TargetForm<'_>,
    reader: &mut dyn Reader,
    item: &LeasedItem,
    external_id: &Text,
    is_ours: bool,
) -> Result<Option<MeshId>, RunError> {
    let known = reader.known(form.connector, item.object_type, &[external_id.as_str()])?.pop().flatten();
    let Some(known) = known else { return Ok(None) };
    let link = reader.spaces(&[known.id])?.pop().flatten().and_then(|space| space.link);
    let by_import = |mode| matches!(mode, LinkMode::Joined | LinkMode::Created);
    let stays = link.filter(|link| link.mesh != item.mesh && !(is_ours && by_import(link.mode)));
    Ok(stays.map(|link| link.mesh))
}

/// Whether a person said that the object is somebody else's, or never this one's.
fn is_ruled_out(
    form: &TargetForm<'_>,
    reader: &mut dyn Reader,
    item: &LeasedItem,
    external_id: &Text,
) -> Result<bool, RunError> {
    let (connector, object_type) = (form.connector, item.object_type);
    let member = Member { connector, object_type, external_id: external_id.clone() };
    let rulings = reader.rulings_of(&[member])?.concat();
    Ok(rulings.iter().any(|(uid, belongs)| (*uid == item.uid) != *belongs))
}

fn called(reader: &mut dyn Reader, mesh: MeshId) -> Result<String, RunError> {
    let view = reader.views(&[mesh])?.pop().flatten();
    Ok(view.map_or_else(
        || format!("mesh object {mesh}"),
        |view| format!("{} ({})", view.record.anchor, view.record.uid),
    ))
}
