//! References around what is to be undone, spelled as the target spells them now: some systems show another address
//! wherever they refer to an object that was renamed or moved, and it is the same object still.

use std::collections::{BTreeSet, HashMap};

use identitymesh_model::{Name, SpaceId, SpaceRecord, Text, Value, Values};

use super::Around;
use crate::rules::{Referring, RuleSet};
use crate::stage::Referents;

/// The references of which it has to be known whom they mean.
#[must_use]
pub fn moved_references(rules: &RuleSet, around: &Around) -> Vec<(Referring, Text)> {
    let Some(now) = &around.now else { return Vec::new() };
    let mut out = Vec::new();
    for name in &around.written {
        let referring = referring(rules, now, *name);
        if referring.index.is_none() {
            continue;
        }
        let (old, new) = apart(around, now, *name);
        if !old.is_empty() && !new.is_empty() {
            out.extend(old.into_iter().chain(new).map(|reference| (referring, reference.clone())));
        }
    }
    out
}

/// Spells the references before and after it was done as they are spelled now, where both mean the same object.
/// `referents` are those of [`moved_references`].
pub fn respell(rules: &RuleSet, around: &mut Around, referents: &Referents) {
    let Some(now) = around.now.clone() else { return };
    for name in around.written.clone() {
        let referring = referring(rules, &now, name);
        let (old, new) = apart(around, &now, name);
        let meant = |reference: &Text| referents.object(referring, reference);
        let by_object: HashMap<SpaceId, &Text> =
            new.into_iter().filter_map(|reference| Some((meant(reference)?, reference))).collect();
        let spelled: HashMap<Text, Text> = old
            .into_iter()
            .filter_map(|reference| Some((reference.clone(), (*by_object.get(&meant(reference)?)?).clone())))
            .collect();
        if spelled.is_empty() {
            continue;
        }
        for record in [&mut around.before, &mut around.after].into_iter().flatten() {
            let values = record.doc.get(name).map(|values| as_spelled(values, &spelled));
            record.doc.put(name, values);
        }
    }
}

/// The references of an attribute that only stood there before or after it was done, and those that only stand there now.
fn apart<'a>(
    around: &'a Around,
    now: &'a SpaceRecord,
    name: Name,
) -> (BTreeSet<&'a Text>, BTreeSet<&'a Text>) {
    let then = [&around.before, &around.after].into_iter().flatten();
    let then: BTreeSet<&Text> = then.flat_map(|record| references(record, name)).collect();
    let now: BTreeSet<&Text> = references(now, name).collect();
    (then.difference(&now).copied().collect(), now.difference(&then).copied().collect())
}

fn references(record: &SpaceRecord, name: Name) -> impl Iterator<Item = &Text> {
    let values = record.doc.get(name).map_or(&[][..], Values::as_slice).iter();
    values.filter_map(|value| match value {
        Value::Reference(key) => Some(key),
        _ => None,
    })
}

fn as_spelled(values: &Values, spelled: &HashMap<Text, Text>) -> Values {
    let one = |value: &Value| match value {
        Value::Reference(key) => Value::Reference(spelled.get(key).unwrap_or(key).clone()),
        other => other.clone(),
    };
    match values {
        Values::One(value) => Values::One(one(value)),
        Values::Set(list) => Values::set(list.iter().map(one).collect()).unwrap_or_else(|| values.clone()),
    }
}

fn referring(rules: &RuleSet, record: &SpaceRecord, name: Name) -> Referring {
    rules.referring_in(record.connector, record.object_type, name)
}
