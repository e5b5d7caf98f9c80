//! A simulated connected system: it holds objects, carries out operations, and fails when told to.

use std::collections::BTreeMap;

use identitymesh_model::plan::{ItemAction, ItemChange};
use identitymesh_model::{Name, Object, Text, Value, Values, dn};

/// How a system answers an operation, when it is told to answer otherwise than by doing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not now.
    Busy,
    /// Never, with these words.
    Refuses(String),
    /// It does it, and the answer is lost; asked afterwards it says what it holds.
    Lost,
    /// It does it, the answer is lost, and nobody can ask before the next export.
    Silent,
}

/// What a system says to an operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// Done; a new object has this id.
    Done(Text),
    /// It was so before.
    AlreadySo,
    /// The object is not what the operation took it for.
    Conflict,
    /// There is another object in its place.
    Taken,
}

/// A simulated connected system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    objects: BTreeMap<(Name, Text), Object>,
    made: u32,
    /// The attribute that is the external id, by object type; without it the system makes one up.
    pub keys: BTreeMap<Name, Name>,
    /// Answers to operations for the mesh object of this anchor, each used once.
    pub script: Vec<(String, Answer)>,
}

impl System {
    /// All objects of a type.
    #[must_use]
    pub fn all(&self, object_type: Name) -> Vec<(Text, Object)> {
        let of_type = self.objects.iter().filter(|((known, _), _)| *known == object_type);
        of_type.map(|((_, id), object)| (id.clone(), object.clone())).collect()
    }

    /// All objects in the order of type and id.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &Text, &Object)> {
        self.objects.iter().map(|((object_type, id), object)| (*object_type, id, object))
    }

    /// One object.
    #[must_use]
    pub fn get(&self, object_type: Name, id: &str) -> Option<&Object> {
        self.objects.get(&(object_type, Text::new(id)))
    }

    /// Puts an object there, as somebody else would.
    pub fn put(&mut self, object_type: Name, id: &str, object: Object) {
        self.objects.insert((object_type, Text::new(id)), object);
    }

    /// Takes an object away, as somebody else would; `false` when it is not there.
    pub fn remove(&mut self, object_type: Name, id: &str) -> bool {
        self.objects.remove(&(object_type, Text::new(id))).is_some()
    }

    pub(super) fn scripted(&mut self, anchor: &str) -> Option<Answer> {
        let at = self.script.iter().position(|(known, _)| known == anchor)?;
        Some(self.script.remove(at).1)
    }

    /// Where an object with this address is.
    pub(super) fn at_address(&self, object_type: Name, address: Name, at: &str) -> Option<(Text, Object)> {
        let wanted = dn::normalise(at);
        let is_there = |object: &Object| {
            object.single(address).and_then(Value::as_text).is_some_and(|now| dn::normalise(now) == wanted)
        };
        self.all(object_type).into_iter().find(|(_, object)| is_there(object))
    }

    /// Carries out an operation.
    pub(super) fn carry_out(
        &mut self,
        object_type: Name,
        id: &str,
        address: Option<Name>,
        action: &ItemAction,
    ) -> Said {
        match action {
            ItemAction::Create { attributes, .. } => self.create(object_type, address, attributes),
            ItemAction::Delete { .. } => {
                if self.remove(object_type, id) {
                    Said::Done(Text::new(id))
                } else {
                    Said::AlreadySo
                }
            }
            ItemAction::Update { address: new, changes, .. } => {
                let key = (object_type, Text::new(id));
                let Some(object) = self.objects.get_mut(&key) else { return Said::Conflict };
                if !changes.iter().all(|change| applies(object, change)) {
                    return Said::Conflict;
                }
                changes.iter().for_each(|change| apply(object, change));
                if let (Some(new), Some(name)) = (new, address) {
                    self.rename(&key, name, new);
                }
                Said::Done(key.1)
            }
        }
    }

    fn create(&mut self, object_type: Name, address: Option<Name>, attributes: &Object) -> Said {
        let place = address.and_then(|name| Some((name, attributes.single(name)?.as_text()?)));
        if place.is_some_and(|(name, at)| self.at_address(object_type, name, at).is_some()) {
            return Said::Taken;
        }
        let key = self.keys.get(&object_type).and_then(|name| attributes.single(*name));
        let id = match key {
            Some(key) => Text::from(key.to_string()),
            None => {
                self.made += 1;
                Text::from(format!("made-{}", self.made))
            }
        };
        if self.objects.contains_key(&(object_type, id.clone())) {
            return Said::Taken;
        }
        self.objects.insert((object_type, id.clone()), attributes.clone());
        Said::Done(id)
    }

    /// A directory keeps references to an object that is renamed.
    fn rename(&mut self, key: &(Name, Text), name: Name, new: &Text) {
        let old = self.objects.get(key).and_then(|object| object.single(name)).cloned();
        let Some(old) = old.as_ref().and_then(Value::as_text) else { return };
        let moved = |value: &Value| match value {
            Value::Reference(at) if dn::normalise(at) == dn::normalise(old) => Value::Reference(new.clone()),
            other => other.clone(),
        };
        for object in self.objects.values_mut() {
            let held: Object = std::mem::take(object);
            *object =
                held.into_iter().filter_map(|(name, values)| Some((name, mapped(&values, moved)?))).collect();
        }
        if let Some(object) = self.objects.get_mut(key) {
            object.set(name, Value::Text(new.clone()));
            if let Some((rdn, value)) = dn::attribute_and_value(dn::split_first(new).0)
                && let Ok(rdn) = Name::new(rdn)
            {
                object.set(rdn, Value::text(value));
            }
        }
    }
}

fn mapped(values: &Values, change: impl Fn(&Value) -> Value) -> Option<Values> {
    match values {
        Values::One(value) => Some(Values::One(change(value))),
        Values::Set(set) => Values::set(set.iter().map(change).collect()),
    }
}

/// Sets are changed value by value; a single value is replaced only where it is what we think it is.
fn applies(object: &Object, change: &ItemChange) -> bool {
    let now = object.get(change.name);
    (change.old.is_some() && change.added_and_removed().is_some())
        || now == change.old.as_ref()
        || now == change.new.as_ref()
}

fn apply(object: &mut Object, change: &ItemChange) {
    match change.added_and_removed() {
        Some((added, removed)) => {
            let now = object.remove(change.name).map_or_else(Vec::new, Values::into_vec);
            let mut values: Vec<Value> = now.into_iter().filter(|value| !removed.contains(value)).collect();
            values.extend(added);
            object.put(change.name, Values::set(values));
        }
        None => drop(object.put(change.name, change.new.clone())),
    }
}
