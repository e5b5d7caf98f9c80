//! Carrying out one operation on objects in memory.
//!
//! Everything is checked before anything is changed, so an operation is applied whole or not at all.

use identitymesh_connector::{
    AttributeChange, ChangeKind, Identity, Operation, OperationKind, Outcome, Written,
};
use identitymesh_model::{Name, Object, ObjectSchema, Text, Value, Values, dn};

use crate::check::{refusal, refused};
use crate::state::State;

/// What identifies objects of one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form<'s> {
    pub(crate) schema: &'s ObjectSchema,
    /// The attribute whose value is the external id; without it the system counts.
    pub(crate) key: Option<Name>,
}

pub(crate) fn apply(state: &mut State, form: Form<'_>, operation: Operation) -> Outcome {
    match operation.kind {
        OperationKind::Create { attributes, .. } => create(state, form, attributes),
        OperationKind::Update { identity, new_address, changes, .. } => {
            update(state, form, identity, new_address, changes)
        }
        OperationKind::Delete { identity } => {
            match state.remove(&(form.schema.object_type, identity.external_id)) {
                Some(_) => Outcome::Applied(Written::default()),
                None => Outcome::AlreadySo(Written::default()),
            }
        }
    }
}

fn create(state: &mut State, form: Form<'_>, attributes: Object) -> Outcome {
    let object_type = form.schema.object_type;
    if let Some(refusal) =
        attributes.iter().find_map(|(name, values)| refusal(form.schema, name, Some(values)))
    {
        return refusal;
    }
    let mut external_id = None;
    for needed in form.key.iter().chain(form.schema.address.iter()) {
        let text = attributes.single(*needed).map(ToString::to_string).unwrap_or_default();
        if text.is_empty() {
            return refused(*needed, format!("{needed} is required"));
        }
        if form.key == Some(*needed) {
            external_id = Some(Text::new(text));
        }
    }
    if let Some(present) = present(state, form, external_id.as_ref(), &attributes) {
        return match state.get(&(object_type, present.clone())) == Some(&attributes) {
            true => Outcome::AlreadySo(written(present)),
            false => conflict(format!("{present} is there already, with other content")),
        };
    }
    let external_id = external_id.unwrap_or_else(|| state.next_id());
    state.put((object_type, external_id.clone()), attributes);
    Outcome::Applied(written(external_id))
}

/// The object that a create would double.
fn present(state: &State, form: Form<'_>, external_id: Option<&Text>, attributes: &Object) -> Option<Text> {
    let object_type = form.schema.object_type;
    let by_key = external_id.filter(|id| state.get(&(object_type, (*id).clone())).is_some());
    let by_address = || {
        let attribute = form.schema.address?;
        state.at_address(object_type, attribute, attributes.single(attribute)?.as_text()?)
    };
    by_key.or_else(by_address).cloned()
}

fn update(
    state: &mut State,
    form: Form<'_>,
    identity: Identity,
    new_address: Option<Text>,
    changes: Vec<AttributeChange>,
) -> Outcome {
    let key = (form.schema.object_type, identity.external_id);
    let Some(before) = state.get(&key) else {
        return conflict(format!("{} is not there", key.1));
    };
    let mut after = before.clone();
    for change in changes {
        if Some(change.name) == form.key {
            return refused(change.name, format!("{} identifies the object and cannot change", change.name));
        }
        if let Err(outcome) = change_one(&mut after, form, change) {
            return outcome;
        }
    }
    let moved = match rename(state, form, &key.1, &mut after, new_address) {
        Ok(moved) => moved,
        Err(outcome) => return outcome,
    };
    if state.get(&key) == Some(&after) {
        return Outcome::AlreadySo(Written::default());
    }
    state.put(key, after);
    if let Some((old, new)) = moved {
        state.readdress(&old, &new);
    }
    Outcome::Applied(Written::default())
}

fn change_one(object: &mut Object, form: Form<'_>, change: AttributeChange) -> Result<(), Outcome> {
    let AttributeChange { name, kind } = change;
    let current = object.get(name).cloned();
    let wanted = match kind {
        ChangeKind::Replace { old, .. } if old != current => {
            return Err(conflict(format!("{name} holds {current:?} and not {old:?}")));
        }
        ChangeKind::Replace { new, .. } => new,
        ChangeKind::AddRemove { add, remove } => {
            let mut values = current.map(Values::into_vec).unwrap_or_default();
            values.extend(add);
            values.retain(|value| !remove.contains(value));
            Values::set(values)
        }
    };
    match refusal(form.schema, name, wanted.as_ref()) {
        Some(outcome) => Err(outcome),
        None => {
            object.put(name, wanted);
            Ok(())
        }
    }
}

/// Sets the new address and returns the old and new one, when the object has an address and it changes.
fn rename(
    state: &State,
    form: Form<'_>,
    external_id: &Text,
    object: &mut Object,
    new_address: Option<Text>,
) -> Result<Option<(Text, Text)>, Outcome> {
    let Some(new) = new_address else { return Ok(None) };
    let Some(attribute) = form.schema.address else {
        let reason = format!("{} has no addresses", form.schema.object_type);
        return Err(Outcome::Refused { code: "FAK-011", reason, attributes: Vec::new() });
    };
    if state.at_address(form.schema.object_type, attribute, &new).is_some_and(|there| there != external_id) {
        return Err(conflict(format!("another object is at {new} already")));
    }
    let address = match object.single(attribute) {
        Some(Value::Reference(_)) => Value::reference(&new),
        _ => Value::text(&new),
    };
    let old = object.set(attribute, Values::One(address));
    let old = old.as_ref().and_then(Values::single).and_then(Value::as_text).map(Text::new);
    Ok(old.filter(|old| dn::normalise(old) != dn::normalise(&new)).map(|old| (old, new)))
}

fn conflict(reason: String) -> Outcome {
    Outcome::Conflict { code: "FAK-012", reason }
}

fn written(external_id: Text) -> Written {
    Written { external_id: Some(external_id), ..Written::default() }
}
