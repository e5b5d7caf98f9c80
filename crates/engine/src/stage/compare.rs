//! What an imported object changes about one that is known, and what of that is drift.

use std::cmp::Ordering;

use identitymesh_model::{Name, Object, SpaceRecord, Text, Value, Values};

use super::Exported;
use super::referents::Referents;
use crate::key::address_key;
use crate::rules::{ObjectTypeRules, Referring, RuleSet};

/// What an imported object changes about one that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What is remembered about exports, afterwards.
    pub exported: Exported,
    /// Attributes that somebody else changed since we wrote them, with what we had written, by this import.
    pub drifted: Vec<(Name, Option<Values>)>,
    /// Whether a sync has to look at the object.
    pub touch: bool,
}

/// What `imported` changes about `known`, whose content differs or which was not confirmed yet. `referents` are those of
/// its [`doubtful_references`].
#[must_use]
pub fn compare(known: &SpaceRecord, imported: &Object, rules: &RuleSet, referents: &Referents) -> Difference {
    let sameness = Sameness::of(known, rules, referents);
    let is_same = |name, left, right| sameness.is_same(name, left, right);
    let mut exported = Exported { names: known.exported.to_vec(), drift: Vec::new() };
    let mut drifted = Vec::new();
    for name in known.exported.iter().copied() {
        let now = imported.get(name);
        let written = known.snapshot(name).flatten();
        if is_same(name, now, written) {
            continue;
        }
        if known.is_rewritten(name) {
            exported.names.retain(|known| *known != name);
        }
        exported.drift.push((name, written.cloned()));
        if !is_same(name, now, known.doc.get(name)) {
            drifted.push((name, written.cloned()));
        }
    }
    for (name, written) in known.drift.iter().filter(|(name, _)| known.is_undone(*name)) {
        let now = imported.get(*name);
        let is_kept = is_same(*name, now, written.as_ref());
        let is_changed = !is_same(*name, now, known.doc.get(*name));
        if is_kept || is_changed {
            exported.names.push(*name);
        }
        if !is_kept {
            exported.drift.push((*name, written.clone()));
            drifted.extend(is_changed.then(|| (*name, written.clone())));
        }
    }
    exported.names.sort_unstable();
    exported.drift.sort_by_key(|(name, _)| *name);
    let is_read = sameness.object_type.is_none_or(ObjectTypeRules::is_inbound);
    let returns = known.deleted;
    let touch = returns
        || sameness.object_type.is_some_and(|rules| is_moved(rules, &known.doc, imported))
        || !drifted.is_empty()
        || exported.drift != known.drift
        || (is_read && known.doc != *imported);
    Difference { exported, drifted, touch }
}

/// The references that make `imported` look as if somebody else had changed what we wrote to `known`. Whether anybody
/// did is only known with whom they mean, and that when the objects that an import shows have told their addresses.
#[must_use]
pub fn doubtful_references(
    known: &SpaceRecord,
    imported: &Object,
    rules: &RuleSet,
) -> Vec<(Referring, Text)> {
    let nobody = Referents::default();
    let sameness = Sameness::of(known, rules, &nobody);
    let undone = known.drift.iter().map(|(name, _)| *name).filter(|name| known.is_undone(*name));
    let mut doubtful = Vec::new();
    for name in known.exported.iter().copied().chain(undone) {
        let Some(now) = imported.get(name) else { continue };
        let drifted = known.drift.iter().find(|(drifted, _)| *drifted == name);
        let drifted = drifted.and_then(|(_, written)| written.as_ref());
        for then in known.doc.get(name).into_iter().chain(drifted) {
            if sameness.is_same(name, Some(now), Some(then)) {
                continue;
            }
            let (now, then) = differing(now.as_slice(), then.as_slice());
            // Somebody else is referred to where there are more references, or fewer.
            if let (Some(now), Some(then)) = (references(&now), references(&then))
                && now.len() == then.len()
            {
                let referring = sameness.referring(name);
                doubtful.extend(
                    now.into_iter()
                        .chain(then)
                        .filter(|_| referring.index.is_some())
                        .map(|reference| (referring, reference.clone())),
                );
            }
        }
    }
    doubtful
}

/// When two values of an attribute are the same to the target.
struct Sameness<'a> {
    known: &'a SpaceRecord,
    rules: &'a RuleSet,
    object_type: Option<&'a ObjectTypeRules>,
    referents: &'a Referents,
}

impl<'a> Sameness<'a> {
    fn of(known: &'a SpaceRecord, rules: &'a RuleSet, referents: &'a Referents) -> Self {
        let object_type = rules.connector(known.connector);
        let object_type = object_type.and_then(|connector| connector.object_type(known.object_type));
        Self { known, rules, object_type, referents }
    }

    /// Whether both are the same: the form for one value, the spelling of references and, where the schema says so,
    /// case do not count.
    fn is_same(&self, name: Name, left: Option<&Values>, right: Option<&Values>) -> bool {
        match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => {
                left.as_slice() == right.as_slice()
                    || (self.ignores_case(name) && left.eq_ignore_case(right))
                    || self.mean_the_same(name, left, right)
            }
            // A file or text column may not tell an empty text from none.
            (Some(only), None) | (None, Some(only)) => {
                only.as_slice().iter().all(|value| value.as_text() == Some(""))
            }
        }
    }

    fn mean_the_same(&self, name: Name, left: &Values, right: &Values) -> bool {
        let (left, right) = differing(left.as_slice(), right.as_slice());
        let (Some(left), Some(right)) = (references(&left), references(&right)) else { return false };
        let referring = self.referring(name);
        left.len() == right.len()
            && self.referents.of_all(referring, left) == self.referents.of_all(referring, right)
    }

    fn ignores_case(&self, name: Name) -> bool {
        let schema = self.object_type.and_then(|rules| rules.schema.as_ref());
        schema.and_then(|schema| schema.attribute(name)).is_some_and(|attribute| attribute.ignore_case)
    }

    fn referring(&self, name: Name) -> Referring {
        self.rules.referring_in(self.known.connector, self.known.object_type, name)
    }
}

/// What each of two sorted lists has that the other has not.
fn differing<'v>(left: &'v [Value], right: &'v [Value]) -> (Vec<&'v Value>, Vec<&'v Value>) {
    let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
    let (mut lefts, mut rights) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(left), Some(right)) = (lefts.peek(), rights.peek()) {
        match left.cmp(right) {
            Ordering::Less => only_left.extend(lefts.next()),
            Ordering::Greater => only_right.extend(rights.next()),
            Ordering::Equal => drop((lefts.next(), rights.next())),
        }
    }
    only_left.extend(lefts);
    only_right.extend(rights);
    (only_left, only_right)
}

/// The references that these values are; `None` where one is something else.
fn references<'v>(values: &[&'v Value]) -> Option<Vec<&'v Text>> {
    let list = values.iter().map(|value| match value {
        Value::Reference(key) => Some(key),
        _ => None,
    });
    list.collect()
}

/// Whether the object has another address, which is nobody's attribute and yet what a projection rule decides.
fn is_moved(rules: &ObjectTypeRules, known: &Object, imported: &Object) -> bool {
    let address = |object: &Object| object.single(rules.address()?).and_then(Value::as_text).map(Text::new);
    match (address(known), address(imported)) {
        (Some(known), Some(now)) => known != now && address_key(true, &known) != address_key(true, &now),
        _ => false,
    }
}
