//! Whose objects were that belong to nobody now: the last link that ended, from the history.

use identitymesh_model::{FormerLink, SpaceBefore, SpaceId, SpaceRecord};

use super::cut::{Cut, ROWS_READ, unreadable};
use crate::{REEVALUATION_STEP, Reader, StoreError};

/// The link that each object had last, or that the object had which was there before it under the same external id. With
/// a cut, as it was known then.
///
/// # Errors
/// When the store cannot be read or a row of the history makes no sense.
pub fn former_links(
    reader: &mut dyn Reader,
    spaces: &[SpaceRecord],
    cut: Option<Cut>,
) -> Result<Vec<Option<FormerLink>>, StoreError> {
    let mut out = Vec::with_capacity(spaces.len());
    for space in spaces {
        let mut found = ended(reader, space.id, cut)?;
        if found.is_none() {
            let gone = reader.space_find_gone(space.connector, &space.external_id)?;
            let identities = reader.space_identities(&gone)?;
            let same = identities.into_iter().flatten().filter(|it| it.object_type == space.object_type);
            for identity in same {
                found = ended(reader, identity.id, cut)?;
                if found.is_some() {
                    break;
                }
            }
        }
        out.push(found);
    }
    Ok(out)
}

/// The last link of an object that ended.
fn ended(
    reader: &mut dyn Reader,
    space: SpaceId,
    cut: Option<Cut>,
) -> Result<Option<FormerLink>, StoreError> {
    let mut before = None;
    loop {
        let rows = reader.space_history(space, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
        before = Some(last);
        for row in rows.iter().filter(|row| cut.is_none_or(|cut| !cut.is_before_place(row.place, row.at))) {
            let change = SpaceBefore::parse(&row.before).map_err(|error| {
                unreadable(&format!("row {} of an object's past", row.seq)).caused_by(error)
            })?;
            if let Some(link) = change.rest.link {
                // The object was there all the time, and the rules themselves wanted it away from there.
                if reader.run(row.run)?.is_some_and(|run| run.step == REEVALUATION_STEP) {
                    return Ok(None);
                }
                return Ok(Some(FormerLink { link: link.link(), ended: row.at }));
            }
        }
    }
}
