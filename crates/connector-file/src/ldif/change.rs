//! Change records as changes.
//!
//! A change record names its object by DN alone, so the external id must be the DN or stand in it; and it seldom says
//! the object class, so the file must be of one type. What cannot be said safely is a fault, never a guess.

use identitymesh_connector::{Change, ImportedObject, Patch};
use identitymesh_model::{Text, Values, dn};

use super::entry::{Entry, is};
use super::read::{NOT_DECLARED, record, value};
use crate::convert::TextRules;
use crate::error;
use crate::layout::{DN, Layout, TypeLayout};
use crate::record::{Fault, Notices, Read};

/// What a failed step says: the code and the sentence.
type Problem = (&'static str, String);

/// The change of one record.
pub(crate) fn change(mut entry: Entry, layout: &Layout, text: &TextRules, notices: &mut Notices) -> Read {
    let line = entry.line;
    let [kind] = layout.types.as_slice() else {
        return Read::Fault(Fault::nameless(
            error::TYPE,
            line,
            "change records can only be read with one object type",
        ));
    };
    entry.lines.retain(|(name, _)| !is(name, "control"));
    let word = match entry.lines.first() {
        Some((name, word)) if is(name, "changetype") => {
            String::from_utf8_lossy(word).trim().to_ascii_lowercase()
        }
        _ => String::new(),
    };
    if !word.is_empty() {
        entry.lines.remove(0);
    }
    let key = entry.dn.as_deref().and_then(|dn| key_in_dn(kind, dn));
    let changed = match (entry.problem.take(), word.as_str()) {
        (Some(problem), _) => Err(problem),
        (None, "add") => match record(entry, kind, text, false, notices) {
            Read::Record(record) => match record.unread.in_words() {
                None => Ok(Change::Upsert(ImportedObject::whole(kind.name(), record.key, record.attributes))),
                Some(message) => Err((error::VALUE, message)),
            },
            fault => return fault,
        },
        (None, "delete") => {
            needed(&key).map(|key| Change::Delete { object_type: kind.name(), external_id: key })
        }
        (None, "modify") => {
            needed(&key).and_then(|key| modify(&entry, kind, key, text, notices)).map(Change::Patch)
        }
        (None, "modrdn" | "moddn") => {
            needed(&key).and_then(|key| rename(&entry, kind, key)).map(Change::Patch)
        }
        (None, _) => Err(refused("the record has no changetype of add, modify, delete or modrdn")),
    };
    match changed {
        Ok(change) => Read::Change(line, change),
        Err((code, message)) => {
            Read::Fault(Fault { code, line, object_type: Some(kind.name()), key, message, is_gap: true })
        }
    }
}

fn refused(message: impl Into<String>) -> Problem {
    (error::CHANGE_RECORD, message.into())
}

fn needed(key: &Option<Text>) -> Result<Text, Problem> {
    key.clone()
        .ok_or_else(|| refused("the DN does not hold the key; use key = \"dn\" or the naming attribute"))
}

/// The external id, where the DN tells it.
fn key_in_dn(kind: &TypeLayout, address: &str) -> Option<Text> {
    let [key] = kind.key() else { return None };
    if is(key.as_str(), DN) {
        return Some(Text::new(address));
    }
    let (attribute, value) = dn::attribute_and_value(dn::split_first(address).0)?;
    is(attribute, key.as_str()).then(|| Text::from(value))
}

fn modify(
    entry: &Entry,
    kind: &TypeLayout,
    external_id: Text,
    text: &TextRules,
    notices: &mut Notices,
) -> Result<Patch, Problem> {
    let mut patch = empty(kind, external_id);
    for block in entry.lines.split(|(name, _)| name.is_empty()).filter(|block| !block.is_empty()) {
        let (action, attribute) = (&block[0].0, String::from_utf8_lossy(&block[0].1));
        let attribute = attribute.trim();
        if let Some((other, _)) = block[1..].iter().find(|(name, _)| !is(name, attribute)) {
            return Err(refused(format!("a value of {other} stands where one of {attribute} is expected")));
        }
        let Some(known) = kind.attribute(attribute) else {
            notices.dropped(Some(kind.name()), attribute, entry.line, NOT_DECLARED);
            continue;
        };
        let values = block[1..].iter().filter_map(|(_, raw)| value(text, known.kind.value, raw).transpose());
        let values = values.collect::<Result<Vec<_>, _>>()?;
        match (action.to_ascii_lowercase().as_str(), known.kind.multi) {
            ("add", true) => patch.add.push((known.name, values)),
            ("delete", true) if block.len() > 1 => patch.remove.push((known.name, values)),
            ("delete", _) => patch.set.push((known.name, None)),
            ("add" | "replace", _) => {
                let values =
                    crate::convert::assemble(known.kind, values).map_err(|text| (error::VALUE, text))?;
                // The way to change a single value is often: delete the old one, add the new one.
                patch.set.retain(|(name, _)| *name != known.name);
                patch.set.push((known.name, values));
            }
            (other, _) => return Err(refused(format!("{other} is no change of add, delete or replace"))),
        }
    }
    Ok(patch)
}

/// A rename keeps the external id only where the DN is not part of it.
fn rename(entry: &Entry, kind: &TypeLayout, external_id: Text) -> Result<Patch, Problem> {
    let word = |name| entry.values(name).next().map(String::from_utf8_lossy);
    let (Some(old), Some(new_rdn)) = (entry.dn.as_deref(), word("newrdn")) else {
        return Err(refused("the rename has no newrdn"));
    };
    let parent = word("newsuperior").unwrap_or(dn::parent(old).into());
    let address = if parent.is_empty() { new_rdn.to_string() } else { format!("{new_rdn},{parent}") };
    if key_in_dn(kind, &address).as_ref() != Some(&external_id) {
        return Err(refused("the rename changes the external id; use a key that stays, such as entryUUID"));
    }
    let mut patch = empty(kind, external_id);
    if let Some(known) = kind.attribute(DN) {
        patch.set.push((known.name, Some(Values::from(address.as_str()))));
    }
    Ok(patch)
}

fn empty(kind: &TypeLayout, external_id: Text) -> Patch {
    Patch { object_type: kind.name(), external_id, set: Vec::new(), add: Vec::new(), remove: Vec::new() }
}
