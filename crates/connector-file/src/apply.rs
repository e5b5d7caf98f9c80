//! Operations on the content of a target file.
//!
//! Each operation is tried on a copy of its object and put in place only when everything about it holds: the old
//! values are those that the caller knows, the address is free, and the object reads back as it would be written. A
//! refused operation therefore leaves nothing behind. Meaning of the outcomes: sync semantics, section 9.

use identitymesh_connector::{
    AttributeChange, ChangeKind, Identity, Operation, OperationKind, Outcome, Written,
};
use identitymesh_model::{AttributeType, Name, Object, Text, Value, Values};

use crate::config::Config;
use crate::error;
use crate::layout::{DN, Layout, TypeLayout};
use crate::table::{Key, Row, Table, address_of, check_round_trip};
use crate::tree;

/// What stops an operation.
pub(crate) type Stop = Outcome;

/// A refusal without attributes.
pub(crate) fn refused(code: &'static str, reason: impl Into<String>) -> Stop {
    Outcome::Refused { code, reason: reason.into(), attributes: Vec::new() }
}

/// A difference between the file and what the caller knows.
fn conflict(code: &'static str, reason: impl Into<String>) -> Stop {
    Outcome::Conflict { code, reason: reason.into() }
}

/// The file's content with what is needed to change it.
pub(crate) struct Target<'t> {
    pub(crate) config: &'t Config,
    pub(crate) layout: &'t Layout,
    pub(crate) table: &'t mut Table,
}

impl Target<'_> {
    /// Carries out one operation in memory.
    pub(crate) fn apply(&mut self, operation: Operation) -> Outcome {
        let Some(kind) = self.layout.by_name(operation.object_type) else {
            let reason = format!("{} is no object type of this file", operation.object_type);
            return refused(error::TYPE, reason);
        };
        let done = match operation.kind {
            OperationKind::Create { attributes, create_container, .. } => {
                self.create(kind, attributes, create_container)
            }
            OperationKind::Update { identity, new_address, create_container, changes } => {
                self.update(kind, &identity, new_address, create_container, changes)
            }
            OperationKind::Delete { identity } => self.delete(kind, &identity),
        };
        done.unwrap_or_else(|stop| stop)
    }

    fn create(
        &mut self,
        kind: &TypeLayout,
        attributes: Object,
        create_container: bool,
    ) -> Result<Outcome, Stop> {
        let mut shaped = Object::with_capacity(attributes.len());
        for (name, values) in attributes {
            shaped.set(name, in_form(kind, name, values)?);
        }
        kind.add_object_class(&mut shaped);
        let external_id = kind.key_of(&shaped).map_err(|reason| refused(error::NO_KEY, reason))?;
        let key = (Some(kind.name()), external_id.clone());
        let written = written(&external_id);
        if let Some(row) = self.table.get(&key) {
            return match row.attributes == shaped {
                true => Ok(Outcome::AlreadySo(written)),
                false => Err(conflict(error::EXISTS, format!("{external_id:?} exists with other content"))),
            };
        }
        let row = Row { attributes: shaped, rest: Vec::new() };
        self.check(&key, &row)?;
        if kind.schema.address.is_some() {
            let address = address_of(&key, &row.attributes)
                .ok_or_else(|| refused(error::TREE, "an object of an LDIF file needs its dn"))?;
            tree::check_free(self.table, address)?;
            if create_container {
                tree::create_containers(self, address)?;
            }
        }
        self.table.put(key, row);
        Ok(Outcome::Applied(written))
    }

    fn update(
        &mut self,
        kind: &TypeLayout,
        identity: &Identity,
        new_address: Option<Text>,
        create_container: bool,
        changes: Vec<AttributeChange>,
    ) -> Result<Outcome, Stop> {
        let old_key = find(self.table, kind, identity).ok_or_else(|| {
            refused(error::MISSING, format!("{:?} is not in the file", identity.external_id))
        })?;
        let old_row = self.table.get(&old_key).cloned().expect("the key was just found in this table");
        let mut row = old_row.clone();
        let old_address = address_of(&old_key, &row.attributes).map(Text::new);
        let moved = match (old_address, new_address) {
            (Some(old), Some(new)) if old != new => Some((old, new)),
            (None, Some(_)) => {
                return Err(refused(error::TREE, "objects of this format have no address to change"));
            }
            _ => None,
        };
        if let Some((old, new)) = &moved {
            tree::rename(kind, &mut row.attributes, old, new);
        }
        for change in changes {
            apply_change(kind, &mut row.attributes, change)?;
        }
        let external_id = kind.key_of(&row.attributes).map_err(|reason| refused(error::NO_KEY, reason))?;
        let key = (Some(kind.name()), external_id);
        if row == old_row {
            return Ok(Outcome::AlreadySo(written(&key.1)));
        }
        if key != old_key && self.table.get(&key).is_some() {
            return Err(conflict(error::EXISTS, format!("{:?} exists already", key.1)));
        }
        self.check(&key, &row)?;
        if let Some((old, new)) = &moved {
            tree::check_move(self.table, old, new)?;
            if create_container {
                tree::create_containers(self, new)?;
            }
        }
        self.table.take(&old_key);
        if let Some((old, new)) = &moved {
            tree::move_below(self, old, new);
        }
        let outcome = Outcome::Applied(written(&key.1));
        self.table.put(key, row);
        Ok(outcome)
    }

    fn delete(&mut self, kind: &TypeLayout, identity: &Identity) -> Result<Outcome, Stop> {
        let written = written(&identity.external_id);
        // By the external id alone: another object may have got the address meanwhile.
        let key = (Some(kind.name()), identity.external_id.clone());
        let Some(row) = self.table.get(&key) else { return Ok(Outcome::AlreadySo(written)) };
        if let Some(address) = address_of(&key, &row.attributes)
            && self.table.within(address).len() > 1
        {
            return Err(refused(
                error::TREE,
                format!("{address} has entries below it; they have to go first"),
            ));
        }
        self.table.take(&key);
        Ok(Outcome::Applied(written))
    }

    fn check(&self, key: &Key, row: &Row) -> Result<(), Stop> {
        check_round_trip(self.config, self.layout, key, row).map_err(|reason| {
            refused(error::UNWRITABLE_VALUE, format!("the file cannot hold the object: {reason}"))
        })
    }
}

/// The object by its external id, else by its address.
pub(crate) fn find(table: &Table, kind: &TypeLayout, identity: &Identity) -> Option<Key> {
    let key = (Some(kind.name()), identity.external_id.clone());
    if table.get(&key).is_some() {
        return Some(key);
    }
    let key = table.at(identity.address.as_deref()?)?;
    (key.0 == Some(kind.name())).then(|| key.clone())
}

fn written(external_id: &Text) -> Written {
    Written { external_id: Some(external_id.clone()), ..Written::default() }
}

/// The values in the form that the schema gives the attribute.
fn in_form(kind: &TypeLayout, name: Name, values: Values) -> Result<Values, Stop> {
    let refuse = |code, reason: String| Outcome::Refused { code, reason, attributes: vec![name] };
    let known = kind.attribute(name.as_str()).map(|attribute| attribute.kind);
    let Some(AttributeType { multi, .. }) = known else {
        return Err(refuse(error::UNKNOWN_NAME, format!("{name} is no attribute of {}", kind.name())));
    };
    match (multi, values) {
        (true, values) => Values::set(values.into_vec())
            .ok_or_else(|| refuse(error::UNWRITABLE_VALUE, format!("{name} is an empty set"))),
        (false, values) => match values.single() {
            Some(value) => Ok(Values::One(value.clone())),
            None => Err(refuse(error::UNWRITABLE_VALUE, format!("{name} can hold one value only"))),
        },
    }
}

fn apply_change(kind: &TypeLayout, attributes: &mut Object, change: AttributeChange) -> Result<(), Stop> {
    let AttributeChange { name, kind: change } = change;
    let ignore_case = kind.attribute(name.as_str()).is_some_and(|known| known.ignore_case);
    let shape = |values: Option<Values>| values.map(|values| in_form(kind, name, values)).transpose();
    match change {
        ChangeKind::Replace { old, new } => {
            let (old, new) = (shape(old)?, shape(new)?);
            let present = attributes.get(name);
            let is_old = match (present, &old) {
                (Some(present), Some(old)) if ignore_case => present.eq_ignore_case(old),
                (present, old) => present == old.as_ref(),
            };
            if present != new.as_ref() && !is_old {
                return Err(conflict(
                    error::OLD_VALUE,
                    format!("{name} holds neither the old value nor the new one"),
                ));
            }
            if name == Name::literal(DN) && kind.schema.address.is_some() && present != new.as_ref() {
                return Err(refused(error::TREE, "the dn changes by a rename, not as an attribute"));
            }
            attributes.put(name, new);
        }
        ChangeKind::AddRemove { add, remove } => {
            let mut values = attributes.get(name).cloned().map(Values::into_vec).unwrap_or_default();
            let same = |a: &Value, b: &Value| if ignore_case { a.eq_ignore_case(b) } else { a == b };
            values.retain(|value| !remove.iter().any(|gone| same(value, gone)));
            for value in add {
                if !values.iter().any(|known| same(known, &value)) {
                    values.push(value);
                }
            }
            attributes.put(name, shape(Values::set(values))?);
        }
    }
    Ok(())
}
