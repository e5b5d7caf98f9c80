//! From a target's object before and after something was done, and as it is now, to what leads back.
//!
//! Only what was done is undone. An attribute that holds something else by now than what was done to it was changed by
//! somebody since, and stays; of a set, values go and come back one by one. An object is removed only where this
//! product made it, and comes back with what this product had written.

use identitymesh_model::plan::{Edit, ItemAction, ItemChange, Operation};
use identitymesh_model::{ConnectorId, LinkMode, Name, Object, RuleId, SpaceRecord, Text, Value, Values, dn};

use crate::rules::{Projection, RuleSet};

/// A target's object around what is to be undone; `None` where there was none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// Before it was done.
    pub before: Option<SpaceRecord>,
    /// Right after it was done.
    pub after: Option<SpaceRecord>,
    /// As it is known now.
    pub now: Option<SpaceRecord>,
    /// What the runs wrote to belongs to another mesh object by now, or to none, and is that one's business.
    pub elsewhere: bool,
    /// It is known that there was none before, and not only nothing known of one.
    pub made: bool,
    /// The attributes that were written, in order; others are none of the undo's business.
    pub written: Vec<Name>,
}

/// What leads back.
#[derive(Clone, Debug, PartialEq)]
pub struct Back {
    /// The projection rule that the object belongs to.
    pub rule: RuleId,
    /// The target's object type.
    pub object_type: Name,
    /// As people count it.
    pub operation: Operation,
    /// What to do.
    pub action: ItemAction,
}

/// What stays as it is, and why: the attribute, `None` for the object as a whole.
pub type Stays = (Option<Name>, &'static str);

const CHANGED: &str = "it was changed again since";

/// What leads back from what was done, and what of it stays.
#[must_use]
pub fn back(
    rules: &RuleSet,
    mesh_type: Name,
    connector: ConnectorId,
    around: &Around,
) -> (Option<Back>, Vec<Stays>) {
    if around.elsewhere {
        return (None, vec![(None, "its object there does not belong to it any more")]);
    }
    let Some(any) = around.now.as_ref().or(around.after.as_ref()).or(around.before.as_ref()) else {
        return (None, Vec::new());
    };
    let Some(rule) = projection(rules, mesh_type, connector, any) else {
        return (None, vec![(None, "no projection rule of the configuration in force writes such objects")]);
    };
    let mut stays = Vec::new();
    let planned = match (&around.before, &around.after, &around.now) {
        (None, _, None) => None,
        (None, _, Some(_)) if !around.made => {
            stays.push((None, "what it was before is not kept"));
            None
        }
        (None, _, Some(now)) if now.link.is_some_and(|link| link.mode == LinkMode::Projected) => {
            Some((Operation::Delete, ItemAction::Delete { space: now.id }))
        }
        (None, _, Some(_)) => {
            stays.push((None, "this product did not make it"));
            None
        }
        (Some(before), None, None) => Some((Operation::Create, again(rule, before, &mut stays))),
        (Some(_), Some(_), None) => {
            stays.push((None, "it went since"));
            None
        }
        (Some(_), None, Some(_)) => {
            stays.push((None, "it is there again"));
            None
        }
        (Some(before), Some(after), Some(now)) => {
            update(rule, [before, after, now], &around.written, &mut stays)
        }
    };
    let (rule, object_type) = (rule.rule, rule.object_type);
    (planned.map(|(operation, action)| Back { rule, object_type, operation, action }), stays)
}

/// The rule that wrote an object: the one that made it, else the first for its type.
fn projection<'r>(
    rules: &'r RuleSet,
    mesh_type: Name,
    connector: ConnectorId,
    space: &SpaceRecord,
) -> Option<&'r Projection> {
    let targets = &rules.mesh_type(mesh_type)?.targets;
    let (_, list) = targets.iter().find(|(known, _)| *known == connector)?;
    let of_type = || list.iter().filter(|rule| rule.object_type == space.object_type);
    of_type().find(|rule| space.link.is_some_and(|link| link.rule == rule.rule)).or_else(|| of_type().next())
}

/// The object as this product had written it.
fn again(rule: &Projection, before: &SpaceRecord, stays: &mut Vec<Stays>) -> ItemAction {
    let address = rule.place.as_ref().map(|place| place.address);
    let is_ours = |name: Name| {
        Some(name) == address
            || before.exported.contains(&name)
            || rule.attributes.iter().any(|attribute| attribute.target == name)
            || rule.disable.as_ref().is_some_and(|disable| disable.attribute == name)
            || rule.place.as_ref().is_some_and(|place| place.rdn == name)
    };
    let mut attributes = before.doc.clone();
    for (name, _) in before.doc.iter().filter(|(name, _)| !is_ours(*name)) {
        stays.push((Some(name), "this product never wrote it, so it does not come back"));
    }
    attributes.retain(|name, _| is_ours(name));
    let create_container = rule.place.as_ref().is_some_and(|place| place.create_container);
    ItemAction::Create { attributes, create_container }
}

fn update(
    rule: &Projection,
    [before, after, now]: [&SpaceRecord; 3],
    written: &[Name],
    stays: &mut Vec<Stays>,
) -> Option<(Operation, ItemAction)> {
    let address = new_address(rule, [before, after, now].map(|record| &record.doc), stays);
    let mut changes = Vec::new();
    for name in written.iter().copied() {
        let is_address = rule.place.as_ref().is_some_and(|place| {
            // A rename sets the naming attribute itself.
            name == place.address || (name == place.rdn && address.is_some())
        });
        let (was, became) = (before.doc.get(name), after.doc.get(name));
        if is_address || same(was, became) {
            continue;
        }
        match change(name, was, became, now.doc.get(name)) {
            Ok(change) => changes.extend(change),
            Err(why) => stays.push((Some(name), why)),
        }
    }
    if changes.is_empty() && address.is_none() {
        return None;
    }
    let operation = label(rule, &changes, address.is_some());
    let create_container =
        address.is_some() && rule.place.as_ref().is_some_and(|place| place.create_container);
    Some((operation, ItemAction::Update { space: now.id, address, create_container, changes }))
}

fn new_address(rule: &Projection, docs: [&Object; 3], stays: &mut Vec<Stays>) -> Option<Text> {
    let place = rule.place.as_ref()?;
    let [before, after, now] =
        docs.map(|doc| doc.single(place.address).and_then(Value::as_text).map(dn::normalise));
    if before == after || before == now || before.is_none() {
        return None;
    }
    if after != now {
        stays.push((Some(place.address), CHANGED));
        return None;
    }
    docs[0].single(place.address).and_then(Value::as_text).map(Text::new)
}

/// One attribute back, `None` when it is so already.
fn change(
    name: Name,
    was: Option<&Values>,
    became: Option<&Values>,
    now: Option<&Values>,
) -> Result<Option<ItemChange>, &'static str> {
    let is_set = [was, became, now].into_iter().flatten().all(|values| matches!(values, Values::Set(_)));
    if is_set {
        return Ok(set_back(name, was, became, now));
    }
    if same(now, was) {
        Ok(None)
    } else if same(now, became) {
        Ok(Some(ItemChange::between(name, now, was.cloned(), false)))
    } else {
        Err(CHANGED)
    }
}

/// Values that were taken out come back, values that were added go, as far as that is not so already.
fn set_back(
    name: Name,
    was: Option<&Values>,
    became: Option<&Values>,
    now: Option<&Values>,
) -> Option<ItemChange> {
    let [was, became, now] = [was, became, now].map(|values| values.map_or(&[][..], Values::as_slice));
    let lacks = |list: &[Value], value: &Value| list.binary_search(value).is_err();
    let add: Vec<Value> =
        was.iter().filter(|value| lacks(became, value) && lacks(now, value)).cloned().collect();
    let remove: Vec<Value> =
        became.iter().filter(|value| lacks(was, value) && !lacks(now, value)).cloned().collect();
    let is_whole = now == became;
    (!add.is_empty() || !remove.is_empty())
        .then(|| ItemChange { name, edit: Edit::Set { add, remove, shared: !is_whole } })
}

/// Whether both are the same to a target, which may spell what it was given in another case.
fn same(left: Option<&Values>, right: Option<&Values>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => left == right || left.eq_ignore_case(right),
        _ => false,
    }
}

fn label(rule: &Projection, changes: &[ItemChange], moves: bool) -> Operation {
    let plain = if moves { Operation::Move } else { Operation::Update };
    let Some(disable) = &rule.disable else { return plain };
    let Some(change) = changes.iter().find(|change| change.name == disable.attribute) else { return plain };
    match &change.edit {
        Edit::Replace { new: Some(Values::One(new)), .. } if *new == disable.disabled => Operation::Disable,
        Edit::Replace { old: Some(Values::One(old)), .. } if *old == disable.disabled => Operation::Enable,
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> Option<Values> {
        Values::set(values.iter().map(Value::reference).collect())
    }

    #[test]
    fn of_a_set_only_what_was_done_goes_back() {
        let member = Name::literal("member");
        let (was, became) = (set(&["a", "b"]), set(&["b", "c"]));
        let now = set(&["b", "c", "foreign"]);
        let back = change(member, was.as_ref(), became.as_ref(), now.as_ref()).unwrap().unwrap();
        assert_eq!(back.applied_to(now.as_ref()), set(&["a", "b", "foreign"]));
        let none = change(member, was.as_ref(), became.as_ref(), was.as_ref()).unwrap();
        assert_eq!(none, None, "somebody put it back already");
    }

    #[test]
    fn one_value_goes_back_only_where_it_still_is_what_was_written() {
        let [old, new, other] = ["old", "new", "other"].map(Values::from);
        let mail = Name::literal("mail");
        let back = change(mail, Some(&old), Some(&new), Some(&"NEW".into())).unwrap().unwrap();
        assert_eq!(back.wanted(), old.as_slice(), "a target may spell it in another case");
        assert!(change(mail, Some(&old), Some(&new), Some(&other)).is_err());
        assert!(change(mail, Some(&old), Some(&new), None).is_err());
        assert_eq!(change(mail, Some(&old), Some(&new), Some(&old)), Ok(None));
        assert_eq!(change(mail, None, Some(&new), Some(&new)).unwrap().unwrap().wanted(), []);
    }
}
