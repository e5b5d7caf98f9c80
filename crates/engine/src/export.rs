//! Exports: from a queue item to what is sent, and from the answer to what the target is expected to hold.
//!
//! A plan's item refers to mesh objects that the target did not hold when it was planned. Just before sending, such a
//! reference becomes the target's own address of the object; if it still is not there the reference is left out, and
//! the mesh object is looked at again when it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use identitymesh_model::plan::{Edit, ItemAction, ItemChange};
use identitymesh_model::{Name, Object, SpaceRecord, Text, Uid, Value, Values, dn};

use crate::stage::Exported;

mod found;

pub(crate) use found::shows_create;
pub use found::{Found, found};

/// What the target calls mesh objects, as far as it holds them.
#[derive(Clone, Debug, Default)]
pub struct KnownAddresses {
    /// Their addresses.
    addresses: HashMap<Uid, Text>,
    /// What they hold in an attribute by which references refer to them.
    held: HashMap<(Name, Uid), Text>,
}

impl KnownAddresses {
    /// Looks up what items wait for. `look_up` gives for each of some mesh objects what it holds in an attribute, or
    /// its address; `None` where there is none.
    ///
    /// # Errors
    /// Those of `look_up`.
    pub fn of<'a, E>(
        actions: impl Iterator<Item = &'a ItemAction>,
        mut look_up: impl FnMut(Option<Name>, &[Uid]) -> Result<Vec<Option<Text>>, E>,
    ) -> Result<Self, E> {
        let mut wanted: BTreeMap<Option<Name>, BTreeSet<Uid>> = BTreeMap::new();
        for value in actions.flat_map(values) {
            if let Some(uid) = ItemAction::pending_uid(value).and_then(|uid| uid.parse().ok()) {
                wanted.entry(None).or_default().insert(uid);
                wanted.entry(ItemAction::pending_by(value)).or_default().insert(uid);
            }
        }
        let mut known = Self::default();
        for (by, uids) in wanted {
            let uids: Vec<Uid> = uids.into_iter().collect();
            let found = look_up(by, &uids)?;
            let found = uids.into_iter().zip(found).filter_map(|(uid, found)| Some((uid, found?)));
            match by {
                None => known.addresses.extend(found),
                Some(by) => known.held.extend(found.map(|(uid, found)| ((by, uid), found))),
            }
        }
        Ok(known)
    }

    /// Whether the target holds the mesh object.
    #[must_use]
    pub fn holds(&self, uid: &Uid) -> bool {
        self.addresses.contains_key(uid)
    }

    /// What a reference that waits becomes, as far as that is known.
    fn reference(&self, waiting: &Value) -> Option<Value> {
        let uid = ItemAction::pending_uid(waiting)?.parse().ok()?;
        let text = match ItemAction::pending_by(waiting) {
            None => self.addresses.get(&uid),
            Some(by) => self.held.get(&(by, uid)),
        };
        text.cloned().map(Value::Reference)
    }
}

/// The mesh objects that references of an item still wait for.
#[must_use]
pub fn pending(action: &ItemAction) -> Vec<Uid> {
    let mut uids: Vec<Uid> = waiting(action).collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// Attributes of a planned item that lead to mesh objects which the target does not hold now. It may have held them when
/// an earlier attempt was sent, so if there was one, nobody remembers what it wrote there.
#[must_use]
pub fn open(planned: &ItemAction, waits: &[Uid]) -> Vec<Name> {
    let is_open = |value: &Value| {
        ItemAction::pending_uid(value)
            .and_then(|uid| uid.parse().ok())
            .is_some_and(|uid| waits.contains(&uid))
    };
    let attributes = attributes(planned).filter(|(_, values)| values.iter().any(is_open));
    attributes.map(|(name, _)| name).collect()
}

/// The same as often and in the order in which they stand there.
pub(crate) fn waiting(action: &ItemAction) -> impl Iterator<Item = Uid> + '_ {
    values(action).filter_map(ItemAction::pending_uid).filter_map(|uid| uid.parse().ok())
}

fn values(action: &ItemAction) -> impl Iterator<Item = &Value> {
    attributes(action).flat_map(|(_, values)| values)
}

/// What an item wants of each attribute that it writes.
fn attributes(action: &ItemAction) -> impl Iterator<Item = (Name, &[Value])> {
    let lists: Vec<(Name, &[Value])> = match action {
        ItemAction::Create { attributes, .. } => {
            attributes.iter().map(|(name, values)| (name, values.as_slice())).collect()
        }
        ItemAction::Update { changes, .. } => {
            changes.iter().map(|change| (change.name, change.wanted())).collect()
        }
        ItemAction::Delete { .. } => Vec::new(),
    };
    lists.into_iter()
}

/// The item with every reference that is known by now replaced and the others left out; the second part says which
/// those are.
#[must_use]
pub fn addressed(action: &ItemAction, known: &KnownAddresses) -> (ItemAction, Vec<Uid>) {
    let waits: Vec<Uid> = pending(action).into_iter().filter(|uid| !known.holds(uid)).collect();
    let mut action = action.clone();
    match &mut action {
        ItemAction::Create { attributes, .. } => {
            *attributes = std::mem::take(attributes)
                .into_iter()
                .filter_map(|(name, values)| Some((name, replaced(values, known)?)))
                .collect();
        }
        ItemAction::Update { changes, .. } => {
            changes.iter_mut().for_each(|change| address(&mut change.edit, known));
            changes.retain(|change| match &change.edit {
                Edit::Replace { old, new } => old != new,
                Edit::Set { add, remove, .. } => !add.is_empty() || !remove.is_empty(),
            });
        }
        ItemAction::Delete { .. } => {}
    }
    (action, waits)
}

/// Whoever was waited for may have been made anew where it was before: some systems take references out with the object
/// that they lead to and say nothing of it, so what is wanted is put in, and not taken out as what it was before.
fn address(edit: &mut Edit, known: &KnownAddresses) {
    match edit {
        Edit::Replace { old, new } => {
            let waited = new.as_ref().is_some_and(waits);
            *new = new.take().and_then(|values| replaced(values, known));
            if waited && old == new {
                *old = None;
            }
        }
        Edit::Set { add, remove, .. } => {
            let waited = add.iter().any(|value| ItemAction::pending_uid(value).is_some());
            let values = Values::set(std::mem::take(add)).and_then(|values| replaced(values, known));
            *add = values.map_or_else(Vec::new, Values::into_vec);
            if waited {
                remove.retain(|value| add.binary_search(value).is_err());
            }
        }
    }
}

fn waits(values: &Values) -> bool {
    values.as_slice().iter().any(|value| ItemAction::pending_uid(value).is_some())
}

fn replaced(values: Values, known: &KnownAddresses) -> Option<Values> {
    let is_set = matches!(values, Values::Set(_));
    let list: Vec<Value> = values
        .into_vec()
        .into_iter()
        .filter_map(|value| match ItemAction::pending_uid(&value) {
            Some(_) => known.reference(&value),
            None => Some(value),
        })
        .collect();
    if is_set { Values::set(list) } else { list.into_iter().next().map(Values::One) }
}

/// The object that the target is expected to hold after a create, and what was exported.
#[must_use]
pub fn after_create(attributes: &Object, address: Option<Name>) -> (Object, Exported) {
    let names = attributes.iter().map(|(name, _)| name).filter(|name| Some(*name) != address).collect();
    (attributes.clone(), Exported { names, drift: Vec::new() })
}

/// The object that the target is expected to hold after an update of `space`, and what was exported to it so far.
#[must_use]
pub fn after_update(
    space: &SpaceRecord,
    new_address: Option<&Text>,
    changes: &[ItemChange],
    address: Option<Name>,
) -> (Object, Exported) {
    let mut doc = space.doc.clone();
    if let (Some(name), Some(new)) = (address, new_address) {
        let old = doc.set(name, Value::Text(new.clone()));
        rename(&mut doc, old.as_ref().and_then(Values::single).and_then(Value::as_text), new);
    }
    let mut exported = Exported { names: space.exported.to_vec(), drift: space.drift.clone() };
    for change in changes {
        let written = ours(space, change);
        doc.put(change.name, change.applied_to(doc.get(change.name)));
        let before = exported.drift.iter().position(|(name, _)| *name == change.name);
        let before = before.map(|at| exported.drift.remove(at).1);
        if !exported.names.contains(&change.name) {
            exported.names.push(change.name);
        }
        // What others put into a set, or took out of it, is no more ours for our having sent something else.
        if let Some(written) = written.filter(|written| written.as_ref() != doc.get(change.name)) {
            exported.drift.push((change.name, written));
        } else if let Edit::Replace { new, .. } = &change.edit
            && before.as_ref() == Some(new)
        {
            // Written again over a foreign change: whether that lasts is remembered until an import shows it.
            exported.drift.push((change.name, before.flatten()));
        }
    }
    exported.names.sort_unstable();
    exported.drift.sort_by_key(|(name, _)| *name);
    (doc, exported)
}

/// What a target that was asked about an earlier attempt holds in attributes that this left open is taken for what it
/// wrote, so that it is ours to take out again; whether there is any. Whether somebody else wrote it since, nothing tells.
pub fn take_open(expected: &mut Object, exported: &mut Exported, now: &Object, open: &[Name]) -> bool {
    let mut is_any = false;
    for name in open {
        let Some(values) = now.get(*name) else { continue };
        is_any = true;
        expected.put(*name, Some(values.clone()));
        exported.drift.retain(|(known, _)| known != name);
        if let Err(at) = exported.names.binary_search(name) {
            exported.names.insert(at, *name);
        }
    }
    is_any
}

/// What is ours of a set that others fill too, once the change is made; `None` where all of it is.
fn ours(space: &SpaceRecord, change: &ItemChange) -> Option<Option<Values>> {
    match &change.edit {
        Edit::Set { shared: true, .. } => Some(change.applied_to(space.snapshot(change.name).flatten())),
        _ => None,
    }
}

/// A new name sets the naming attribute: the old value gives way to the new one.
fn rename(doc: &mut Object, old: Option<&str>, new: &str) {
    let Some((attribute, value)) = dn::attribute_and_value(dn::split_first(new).0) else { return };
    let Ok(name) = Name::new(attribute) else { return };
    let before = old.and_then(|old| dn::attribute_and_value(dn::split_first(old).0)).map(|(_, value)| value);
    match doc.get(name).cloned() {
        Some(Values::Set(mut values)) => {
            values.retain(|known| known.as_text() != before.as_deref());
            values.push(Value::text(&value));
            doc.put(name, Values::set(values));
        }
        _ => drop(doc.set(name, Value::text(&value))),
    }
}

#[cfg(test)]
mod tests {
    use identitymesh_model::SpaceId;

    use super::*;

    #[test]
    fn what_an_open_attribute_holds_is_ours() {
        let (manager, mail) = (Name::literal("manager"), Name::literal("mail"));
        let uid: Uid = "019cad8f-ac00-7000-8000-000000000019".parse().unwrap();
        let pending = ItemAction::pending_reference(&uid.to_string(), None);
        let attributes: Object = [(mail, "m".into()), (manager, Values::One(pending))].into_iter().collect();
        let planned = ItemAction::Create { attributes, create_container: false };
        assert_eq!(open(&planned, &[]), []);
        let open = open(&planned, &[uid]);
        assert_eq!(open, [manager]);
        let now: Object = [(mail, "other".into()), (manager, Values::One(Value::reference("cn=gone")))]
            .into_iter()
            .collect();
        let (mut expected, mut exported) = after_create(&std::iter::once((mail, "m".into())).collect(), None);
        assert!(take_open(&mut expected, &mut exported, &now, &open));
        assert_eq!(expected.get(manager), now.get(manager));
        assert_eq!(expected.get(mail), Some(&"m".into()), "what others write stays theirs");
        assert!(exported.names.contains(&manager) && exported.names.is_sorted());
    }

    /// Some systems take references out with the object that they lead to, and say nothing of it.
    #[test]
    fn whoever_was_made_anew_where_it_was_is_referred_to_anew() {
        let uid: Uid = "019cad8f-ac00-7000-8000-000000000019".parse().unwrap();
        let (here, other) = (Value::reference("cn=a"), Value::reference("cn=b"));
        let pending = ItemAction::pending_reference(&uid.to_string(), None);
        let set = Edit::Set {
            add: vec![pending.clone()],
            remove: vec![here.clone(), other.clone()],
            shared: false,
        };
        let single = Edit::Replace { old: Some(Values::One(here.clone())), new: Some(Values::One(pending)) };
        let change = |name, edit| ItemChange { name: Name::literal(name), edit };
        let action = ItemAction::Update {
            space: SpaceId(1),
            address: None,
            create_container: false,
            changes: vec![change("manager", single), change("member", set)],
        };
        let known = KnownAddresses::of(std::iter::once(&action), |_, uids| {
            Ok::<_, std::convert::Infallible>(uids.iter().map(|_| Some("cn=a".into())).collect())
        });
        let Ok(known) = known;
        let (ItemAction::Update { changes, .. }, waits) = addressed(&action, &known) else { panic!() };
        let wanted = [
            Edit::Replace { old: None, new: Some(Values::One(here.clone())) },
            Edit::Set { add: vec![here], remove: vec![other], shared: false },
        ];
        assert_eq!(changes.into_iter().map(|change| change.edit).collect::<Vec<_>>(), wanted);
        assert_eq!(waits, []);
    }
}
