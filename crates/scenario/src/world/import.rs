//! Imports: what a connector delivers, compared with what is known.

use identitymesh_engine::stage::{compare, fingerprint, staged};
use identitymesh_model::{ConnectorId, Name, Object, SpaceRecord, Text, Values};

use super::World;
use super::state::Space;

/// One change as a connector delivers it.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The object as it is now.
    Object(Text, Object),
    /// It is gone.
    Gone(Text),
}

impl Incoming {
    const fn id(&self) -> &Text {
        match self {
            Self::Object(id, _) | Self::Gone(id) => id,
        }
    }
}

impl World {
    /// Imports changes of one object type. With `is_complete` what was not delivered is gone. Says in words what a
    /// person should know: what is gone, and which of our values somebody else changed.
    pub fn import(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        changes: Vec<Incoming>,
        is_complete: bool,
    ) -> Vec<String> {
        let mut told = Vec::new();
        let mut seen = Vec::new();
        // Of one object the last word counts, as in any page of a delta.
        for (at, change) in changes.iter().enumerate() {
            if changes[at + 1..].iter().any(|later| later.id() == change.id()) {
                continue;
            }
            seen.push(change.id().clone());
            match change {
                Incoming::Object(id, object) => self.stage(connector, object_type, id, object, &mut told),
                Incoming::Gone(id) => self.mark_gone(connector, object_type, id, &mut told),
            }
        }
        if is_complete {
            let all = self.state.spaces.values().map(|space| &space.record);
            let unseen = all.filter(|record| {
                (record.connector, record.object_type) == (connector, object_type)
                    && !record.deleted
                    && !seen.contains(&record.external_id)
            });
            let unseen: Vec<Text> = unseen.map(|record| record.external_id.clone()).collect();
            for id in unseen {
                self.mark_gone(connector, object_type, &id, &mut told);
            }
        }
        told
    }

    /// Imports everything that the simulated system holds, under a certificate.
    pub fn import_from_system(&mut self, connector: ConnectorId) -> Vec<String> {
        let Some(rules) = self.rules.connector(connector) else { return Vec::new() };
        let mut told = Vec::new();
        for object_type in rules.object_types() {
            let objects =
                self.systems.get(&connector).map(|system| system.all(object_type)).unwrap_or_default();
            let changes = objects.into_iter().map(|(id, object)| Incoming::Object(id, object)).collect();
            told.extend(self.import(connector, object_type, changes, true));
        }
        told
    }

    fn mark_gone(&mut self, connector: ConnectorId, object_type: Name, id: &str, told: &mut Vec<String>) {
        let Some(space) = self.state.space(connector, object_type, id) else { return };
        let space = self.state.spaces.get_mut(&space).expect("it was found");
        if !space.record.deleted {
            (space.record.deleted, space.touched) = (true, true);
            told.push(format!("gone: {object_type} {id}"));
        }
    }

    pub(super) fn stage(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        id: &Text,
        object: &Object,
        told: &mut Vec<String>,
    ) {
        let names = staged(&self.rules, connector, object_type, object, fingerprint(object)).names;
        let Some(space) = self.state.space(connector, object_type, id) else {
            let record = SpaceRecord {
                id: self.state.next_space(),
                connector,
                object_type,
                external_id: id.clone(),
                doc: object.clone(),
                deleted: false,
                unconfirmed: false,
                exported: [].into(),
                drift: Vec::new(),
                link: None,
            };
            let space = Space { record, touched: true, names, note: None, waits: Vec::new() };
            self.state.spaces.insert(space.record.id, space);
            return;
        };
        let rules = self.rules.connector(connector).and_then(|known| known.object_type(object_type));
        let space = self.state.spaces.get_mut(&space).expect("it was found");
        let record = &mut space.record;
        if record.doc == *object && !record.deleted && !record.unconfirmed {
            return;
        }
        let difference = compare(record, object, rules);
        for (name, written) in &difference.drifted {
            told.push(format!(
                "drift: {object_type} {id} {name} is {} (we wrote {})",
                shown(object.get(*name)),
                shown(written.as_ref())
            ));
        }
        if !record.exported.is_empty() {
            record.exported = difference.exported.names.into();
            record.drift = difference.exported.drift;
        }
        (record.doc, record.deleted, record.unconfirmed) = (object.clone(), false, false);
        space.touched |= difference.touch;
        space.names = names;
    }
}

fn shown(values: Option<&Values>) -> String {
    values.map_or_else(|| "absent".to_owned(), |values| format!("{values:?}"))
}
