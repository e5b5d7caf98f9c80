//! One attribute of a target: what would change what it holds into what it should hold, in the eyes of that target.

use std::collections::HashSet;

use identitymesh_model::plan::{ItemAction, ItemChange};
use identitymesh_model::rules::DriftPolicy;
use identitymesh_model::{Name, SpaceRecord, Text, Value, Values};

use super::neighbours::Neighbours;
use super::target::{Target, pending};
use crate::key::address_key;
use crate::rules::{ProjectionValue, TargetAttribute};

impl<N: Neighbours> Target<'_, N> {
    /// The change that is wanted, if any; what only waits for others is taken down.
    pub(super) fn change(
        &mut self,
        attribute: &TargetAttribute,
        wanted: Option<Values>,
        space: &SpaceRecord,
    ) -> Option<ItemChange> {
        let current = space.doc.get(attribute.target);
        if self.same(attribute, wanted.as_ref(), current) {
            return None;
        }
        if self.only_waits(attribute, wanted.as_ref(), current) {
            self.waits.extend(pending(wanted.as_ref()));
            return None;
        }
        if wanted.is_none() && (attribute.keep_when_absent || !was_written(space, attribute.target)) {
            return None;
        }
        let drifted = space.drift.iter().find(|(name, _)| *name == attribute.target);
        if let Some((_, written)) = drifted
            && space.is_undone(attribute.target)
            && self.same(attribute, wanted.as_ref(), written.as_ref())
        {
            let message = "the target does not keep what is written to it, so it is left as it is".to_owned();
            self.finding("PRJ-006", message, Some(attribute.target));
            return None;
        }
        let lets_be = drifted.is_some() && attribute.drift != DriftPolicy::Reassert;
        if !lets_be && !attribute.shares {
            return Some(ItemChange::between(attribute.target, current, wanted, false));
        }
        let written = space.snapshot(attribute.target).flatten();
        if !is_set(current) && !is_set(wanted.as_ref()) {
            if lets_be && self.same(attribute, wanted.as_ref(), written) {
                self.report(attribute);
                return None;
            }
            return Some(ItemChange::between(attribute.target, current, wanted, false));
        }
        let wanted = match lets_be {
            true => self.beside(attribute, written, current, wanted.as_ref()),
            false => wanted,
        };
        if self.same(attribute, wanted.as_ref(), current) {
            self.report(attribute);
            return None;
        }
        Some(ItemChange::between(attribute.target, current, wanted, true))
    }

    /// A wanted set as it stands beside what others did to the one that we wrote: less what they took out, and with
    /// what they put in.
    fn beside(
        &self,
        attribute: &TargetAttribute,
        written: Option<&Values>,
        current: Option<&Values>,
        wanted: Option<&Values>,
    ) -> Option<Values> {
        let spelled = |values: Option<&Values>| -> HashSet<Value> {
            let values = values.map_or(&[][..], Values::as_slice).iter();
            values.map(|value| self.spelled(attribute, value)).collect()
        };
        let (written, now) = (spelled(written), spelled(current));
        let wanted = wanted.map_or(&[][..], Values::as_slice).iter();
        let current = current.map_or(&[][..], Values::as_slice).iter();
        let stays = wanted.filter(|value| {
            let value = self.spelled(attribute, value);
            now.contains(&value) || !written.contains(&value)
        });
        let mut values: Vec<Value> = stays.cloned().collect();
        let known: HashSet<Value> = values.iter().map(|value| self.spelled(attribute, value)).collect();
        values.extend(
            current
                .filter(|value| {
                    let value = self.spelled(attribute, value);
                    !written.contains(&value) && !known.contains(&value)
                })
                .cloned(),
        );
        Values::set(values)
    }

    fn report(&mut self, attribute: &TargetAttribute) {
        if attribute.drift == DriftPolicy::Report {
            let message =
                "somebody else changed the value in the target; it is reported and left so".to_owned();
            self.finding("PRJ-006", message, Some(attribute.target));
        }
    }

    /// A value in the one spelling in which the target compares it.
    fn spelled(&self, attribute: &TargetAttribute, value: &Value) -> Value {
        match value {
            Value::Reference(key) => Value::Reference(self.reference_key(attribute, key)),
            Value::Text(text) if attribute.ignore_case => Value::Text(text.to_lowercase()),
            other => other.clone(),
        }
    }

    fn same(&self, attribute: &TargetAttribute, left: Option<&Values>, right: Option<&Values>) -> bool {
        match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => {
                left.as_slice() == right.as_slice()
                    || (attribute.ignore_case && left.eq_ignore_case(right))
                    || (matches!(attribute.value, ProjectionValue::References(_))
                        && self.keys(attribute, left) == self.keys(attribute, right))
            }
            _ => false,
        }
    }

    /// Whether all that is missing are references to objects that the target does not hold yet: they wait, and nothing
    /// is sent for them alone.
    fn only_waits(
        &self,
        attribute: &TargetAttribute,
        wanted: Option<&Values>,
        current: Option<&Values>,
    ) -> bool {
        let wanted = wanted.map_or(&[][..], Values::as_slice);
        let known: Vec<Value> =
            wanted.iter().filter(|value| ItemAction::pending_uid(value).is_none()).cloned().collect();
        let waits = known.len() < wanted.len();
        waits && self.same(attribute, Values::set(known).as_ref(), current)
    }

    fn keys(&self, attribute: &TargetAttribute, values: &Values) -> Vec<Text> {
        let texts = values.as_slice().iter().filter_map(Value::as_text);
        let mut keys: Vec<Text> = texts.map(|text| self.reference_key(attribute, text)).collect();
        keys.sort_unstable();
        keys
    }

    fn reference_key(&self, attribute: &TargetAttribute, reference: &str) -> Text {
        address_key(self.hierarchical && attribute.refers_by.is_none(), reference)
    }
}

const fn is_set(values: Option<&Values>) -> bool {
    matches!(values, Some(Values::Set(_)))
}

/// Whether what stands there is ours to say: we wrote a value, or took it out.
fn was_written(space: &SpaceRecord, name: Name) -> bool {
    space.snapshot(name).is_some() || space.is_undone(name)
}
