//! Objects in memory, and the log of what changed.
//!
//! Every change gets the next number of one sequence. The log keeps the newest entries only, as real systems do: a
//! reader who stayed away for too long is refused and reads everything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use identitymesh_connector::{Change, ImportedObject};
use identitymesh_model::{Name, Object, Schema, Text, Value, Values, dn};

use crate::links::Links;

/// Most entries in the log of changes.
pub(crate) const LOG_COUNT_MAX: usize = 1_000_000;

pub(crate) type Key = (Name, Text);

#[derive(Debug)]
pub(crate) struct State {
    objects: BTreeMap<Key, Object>,
    /// Objects that readers see no more although they are still there.
    left: BTreeSet<Key>,
    links: Links,
    log: VecDeque<(u64, Key)>,
    log_max: usize,
    sequence: u64,
    /// The newest sequence number that has left the log.
    forgotten: u64,
    ids: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            left: BTreeSet::new(),
            links: Links::default(),
            log: VecDeque::new(),
            log_max: LOG_COUNT_MAX,
            sequence: 0,
            forgotten: 0,
            ids: 0,
        }
    }
}

impl State {
    /// An empty system with these object types.
    pub(crate) fn of(schema: &Schema) -> Self {
        Self { links: Links::of(schema), ..Self::default() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    /// Puts an object in place of the one with this key; references that are kept in step follow it to its new address, and
    /// the log says nothing of those.
    pub(crate) fn put(&mut self, key: Key, object: Object) {
        self.note(key.clone());
        self.left.remove(&key);
        let address = |object: &Object| self.links.address(key.0, &key.1, object);
        let moved = self
            .objects
            .get(&key)
            .filter(|_| self.links.is_any())
            .map(|old| (address(old), address(&object)));
        self.objects.insert(key, object);
        if let Some((old, new)) = moved.filter(|(old, new)| dn::normalise(old) != dn::normalise(new)) {
            for ((object_type, _), object) in &mut self.objects {
                if let Some(led) = self.links.following(*object_type, object, &old, &new) {
                    *object = led;
                }
            }
        }
    }

    /// Removes an object; references to it that go with it go, and the log says nothing of those.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Object> {
        let gone = self.objects.remove(key)?;
        self.note(key.clone());
        if self.links.is_any() {
            let address = self.links.address(key.0, &key.1, &gone);
            for ((object_type, _), object) in &mut self.objects {
                if let Some(left) = self.links.without(*object_type, object, &address) {
                    *object = left;
                }
            }
        }
        Some(gone)
    }

    /// Takes an object out of what is read; the system still holds it, and references to it stay.
    pub(crate) fn move_out(&mut self, key: &Key) -> bool {
        let is_there = self.objects.remove(key).is_some();
        if is_there {
            self.note(key.clone());
            self.left.insert(key.clone());
        }
        is_there
    }

    /// Whether an object is there, also where readers do not see it.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.objects.contains_key(key) || self.left.contains(key)
    }

    pub(crate) fn clear(&mut self) {
        let keys: Vec<Key> = self.objects.keys().cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }

    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn next_id(&mut self) -> Text {
        self.ids += 1;
        compact_str::format_compact!("id-{}", self.ids)
    }

    pub(crate) fn limit_log(&mut self, count: usize) {
        self.log_max = count;
        self.trim_log();
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = ImportedObject> + '_ {
        self.objects.iter().map(|((object_type, external_id), attributes)| {
            ImportedObject::whole(*object_type, external_id.clone(), attributes.clone())
        })
    }

    /// The object whose address attribute says `address`, compared as directories do.
    pub(crate) fn at_address(&self, object_type: Name, attribute: Name, address: &str) -> Option<&Text> {
        let wanted = dn::normalise(address);
        self.objects.iter().find_map(|((of_type, id), object)| {
            let found = object.single(attribute)?.as_text()?;
            (*of_type == object_type && dn::normalise(found) == wanted).then_some(id)
        })
    }

    /// What changed after `since`, each object once, in the order of its last change, with that change's number.
    /// `None` when the log does not reach back so far or `since` never was.
    pub(crate) fn changes_after(&self, since: u64, object_types: &[Name]) -> Option<Vec<(u64, Change)>> {
        if since < self.forgotten || since > self.sequence {
            return None;
        }
        let mut last: BTreeMap<&Key, u64> = BTreeMap::new();
        for (sequence, key) in &self.log {
            if *sequence > since && object_types.contains(&key.0) {
                last.insert(key, *sequence);
            }
        }
        let mut changes: Vec<(u64, Change)> =
            last.into_iter().map(|(key, sequence)| (sequence, self.change(key))).collect();
        changes.sort_by_key(|(sequence, _)| *sequence);
        Some(changes)
    }

    /// Objects at or below `old` move, and references to them follow, as a directory does it.
    pub(crate) fn readdress(&mut self, old: &str, new: &str) {
        let old = dn::normalise(old);
        let moved: Vec<(Key, Object)> = self
            .objects
            .iter()
            .filter_map(|(key, object)| Some((key.clone(), readdressed(object, &old, new)?)))
            .collect();
        for (key, object) in moved {
            self.put(key, object);
        }
    }

    fn change(&self, key: &Key) -> Change {
        let (object_type, external_id) = key.clone();
        match self.objects.get(key) {
            Some(attributes) => {
                Change::Upsert(ImportedObject::whole(object_type, external_id, attributes.clone()))
            }
            None if self.left.contains(key) => Change::Left { object_type, external_id },
            None => Change::Delete { object_type, external_id },
        }
    }

    fn note(&mut self, key: Key) {
        self.sequence += 1;
        self.log.push_back((self.sequence, key));
        self.trim_log();
    }

    fn trim_log(&mut self) {
        while self.log.len() > self.log_max {
            if let Some((sequence, _)) = self.log.pop_front() {
                self.forgotten = sequence;
            }
        }
    }
}

/// The object with every reference at or below `old` now at or below `new`; `None` when it has none.
fn readdressed(object: &Object, old: &str, new: &str) -> Option<Object> {
    let mut changed = object.clone();
    for (name, values) in object.iter() {
        let moved: Vec<Value> = values.as_slice().iter().map(|value| moved_value(value, old, new)).collect();
        let moved = match values {
            Values::One(_) => moved.into_iter().next().map(Values::One),
            Values::Set(_) => Values::set(moved),
        };
        changed.put(name, moved);
    }
    (changed != *object).then_some(changed)
}

fn moved_value(value: &Value, old: &str, new: &str) -> Value {
    let Value::Reference(address) = value else { return value.clone() };
    // What stands below keeps its own components in its own spelling.
    let mut below = Vec::new();
    let mut rest = address.as_str();
    loop {
        if dn::normalise(rest) == old {
            below.push(new);
            return Value::reference(below.join(","));
        }
        let (first, tail) = dn::split_first(rest);
        if tail.is_empty() {
            return value.clone();
        }
        below.push(first);
        rest = tail;
    }
}
