//! A simulated connected system: it holds objects, carries out operations, and fails when told to.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::plan::{Edit, ItemAction, ItemChange};
use identitymesh_model::{Name, Object, Text, Value, Values, dn};

use super::reading::Unreadable;

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
    /// It never gets the request, and nobody knows that until it is asked.
    Unheard,
}

/// What goes wrong with the next import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The connection breaks while this page is read; pages count from 1.
    Breaks {
        /// Which page.
        page: usize,
    },
    /// Somebody stops the import before this page.
    Stopped {
        /// Which page.
        page: usize,
    },
    /// Everything is read, and nobody can say that it was.
    NoCertificate,
    /// It says that it holds nothing.
    Empty,
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
    /// It will not, with these words.
    Refused(&'static str),
}

const NO_CONTAINER: &str = "there is no such container";

/// A simulated connected system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    objects: BTreeMap<(Name, Text), Object>,
    made: u32,
    /// The attribute that is the external id, by object type; without it the system makes one up.
    pub keys: BTreeMap<Name, Name>,
    /// Answers to operations for the mesh object of this anchor, each used once.
    pub script: Vec<(String, Answer)>,
    /// Objects to a page of an import; all on one without it.
    pub page: Option<usize>,
    /// What goes wrong with the next import.
    pub read_fault: Option<ReadFault>,
    /// What it holds and cannot show: type, id (empty where not even that can be read), and why.
    pub unreadable: Vec<Unreadable>,
    /// A text attribute that it keeps in capitals, whatever it is given.
    pub capitals: Option<Name>,
    /// Containers of a tree, normalised, where the system has only some.
    pub containers: Option<BTreeSet<String>>,
    log: Vec<(Name, Text)>,
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
        self.changed(object_type, id);
    }

    /// Takes an object away, as somebody else would; `false` when it is not there.
    pub fn remove(&mut self, object_type: Name, id: &str) -> bool {
        self.changed(object_type, id);
        self.objects.remove(&(object_type, Text::new(id))).is_some()
    }

    fn changed(&mut self, object_type: Name, id: &str) {
        self.log.push((object_type, Text::new(id)));
        if let (Some(name), Some(object)) =
            (self.capitals, self.objects.get_mut(&(object_type, Text::new(id))))
            && let Some(text) = object.single(name).and_then(Value::as_text)
        {
            let capitals = Value::text(text.to_uppercase());
            object.set(name, capitals);
        }
    }

    /// The mark of the newest change.
    pub(super) fn newest(&self) -> u64 {
        self.log.len() as u64
    }

    /// What changed after a mark, each object once with the mark of its newest change, in the order of those.
    pub(super) fn since(&self, mark: u64) -> Vec<(u64, Name, Text)> {
        let log = self.log.iter().zip(1_u64..).filter(|(_, at)| *at > mark);
        let newest: BTreeMap<&(Name, Text), u64> = log.collect();
        let mut changes: Vec<(u64, Name, Text)> =
            newest.into_iter().map(|((object_type, id), at)| (at, *object_type, id.clone())).collect();
        changes.sort_unstable_by_key(|(at, _, _)| *at);
        changes
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

    /// The object that stands where one with these attributes would be made.
    pub(super) fn standing_for(
        &self,
        object_type: Name,
        address: Option<Name>,
        attributes: &Object,
    ) -> Option<(Text, Object)> {
        if let Some((name, at)) = address.and_then(|name| Some((name, attributes.single(name)?.as_text()?))) {
            return self.at_address(object_type, name, at);
        }
        let key = self.keys.get(&object_type).and_then(|name| attributes.single(*name))?;
        let id = Text::from(key.to_string());
        self.get(object_type, &id).map(|object| (id, object.clone()))
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
            ItemAction::Create { attributes, create_container } => {
                self.create(object_type, address, attributes, *create_container)
            }
            ItemAction::Delete { .. } => {
                if self.remove(object_type, id) {
                    Said::Done(Text::new(id))
                } else {
                    Said::AlreadySo
                }
            }
            ItemAction::Update { address: new, changes, create_container, .. } => {
                let key = (object_type, Text::new(id));
                if new.as_ref().is_some_and(|new| !self.has_container(new, *create_container)) {
                    return Said::Refused(NO_CONTAINER);
                }
                let Some(object) = self.objects.get_mut(&key) else { return Said::Conflict };
                if !changes.iter().all(|change| applies(object, change)) {
                    return Said::Conflict;
                }
                changes.iter().for_each(|change| apply(object, change));
                if let (Some(new), Some(name)) = (new, address) {
                    self.rename(&key, name, new);
                }
                self.changed(object_type, id);
                Said::Done(key.1)
            }
        }
    }

    fn create(
        &mut self,
        object_type: Name,
        address: Option<Name>,
        attributes: &Object,
        create_container: bool,
    ) -> Said {
        let place = address.and_then(|name| Some((name, attributes.single(name)?.as_text()?)));
        if place.is_some_and(|(_, at)| !self.has_container(at, create_container)) {
            return Said::Refused(NO_CONTAINER);
        }
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
        self.put(object_type, &id, attributes.clone());
        Said::Done(id)
    }

    /// Whether an object may be put at this address; makes the container where it may.
    fn has_container(&mut self, at: &str, may_make: bool) -> bool {
        let Some(containers) = &mut self.containers else { return true };
        let container = dn::normalise(dn::parent(at));
        containers.contains(&container) || (may_make && containers.insert(container))
    }

    /// A directory keeps references to an object that is renamed.
    fn rename(&mut self, key: &(Name, Text), name: Name, new: &Text) {
        let old = self.objects.get(key).and_then(|object| object.single(name)).cloned();
        let Some(old) = old.as_ref().and_then(Value::as_text) else { return };
        let moved = |value: &Value| match value {
            Value::Reference(at) if dn::normalise(at) == dn::normalise(old) => Value::Reference(new.clone()),
            other => other.clone(),
        };
        for (of, object) in &mut self.objects {
            let held = object.clone().into_iter();
            let now = held.filter_map(|(name, values)| Some((name, mapped(&values, moved)?))).collect();
            if *object != now {
                *object = now;
                self.log.push(of.clone());
            }
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

/// Sets are changed value by value; anything else is replaced only where it is what we think it is.
fn applies(object: &Object, change: &ItemChange) -> bool {
    let now = object.get(change.name);
    match &change.edit {
        Edit::Set { .. } => true,
        Edit::Replace { old, new } => now == old.as_ref() || now == new.as_ref(),
    }
}

fn apply(object: &mut Object, change: &ItemChange) {
    let values = change.applied_to(object.get(change.name));
    object.put(change.name, values);
}
