//! What a target is expected to hold after an answer.

use identitymesh_connector::{
    AttributeChange, ChangeKind, Identity, ImportedObject, NewPassword, Operation, OperationKind, Written,
};
use identitymesh_engine::export::{after_create, after_update, take_open};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_engine::stage::{Exported, Referents, compare, fingerprint, with_known};
use identitymesh_model::plan::{Edit, ItemAction};
use identitymesh_model::rules::PasswordRule;
use identitymesh_model::{ConnectorId, Name, Object, SpaceRecord, Text, Uid, Value};
use identitymesh_store::{ExportedState, ExportedText, LeasedItem};

use crate::force::InForce;
use crate::import::body;

use super::send::known_space;

/// What is known of a send besides its answer.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Mesh objects that it went without, because the target does not hold them.
    pub(super) waits: Vec<Uid>,
    /// Attributes of which nobody knows what an earlier attempt wrote.
    pub(super) open: Vec<Name>,
}

/// The forms of one target: its schema's addresses, and how its objects are kept.
pub(super) struct TargetForm<'a> {
    pub(super) in_force: &'a InForce,
    pub(super) connector: ConnectorId,
}

impl<'a> TargetForm<'a> {
    pub(super) const fn new(in_force: &'a InForce, connector: ConnectorId) -> Self {
        Self { in_force, connector }
    }

    pub(super) fn address(&self, object_type: Name) -> Option<Name> {
        self.in_force.rules.connector(self.connector)?.object_type(object_type)?.address()
    }

    /// The attribute of addresses; a target has the same one for all its types.
    pub(super) fn any_address(&self) -> Option<Name> {
        let connector = self.in_force.rules.connector(self.connector)?;
        connector.object_types().into_iter().find_map(|name| self.address(name))
    }

    /// Indexes by whose names references refer to the target's objects.
    pub(super) fn referred(&self) -> Vec<i64> {
        self.in_force.rules.connector(self.connector).map_or_else(Vec::new, ConnectorRules::referred_indexes)
    }

    /// What the first password of an item's object looks like, where it is to have one.
    pub(super) fn password_rule(&self, item: &LeasedItem, action: &ItemAction) -> Option<&PasswordRule> {
        match action {
            ItemAction::Create { .. } => self.in_force.rules.password(item.rule),
            _ => None,
        }
    }

    /// The operation that carries out `action`, with the first password of a new object; `None` when its object is not
    /// there any more.
    pub(super) fn operation(
        &self,
        item: &LeasedItem,
        action: &ItemAction,
        password: Option<NewPassword>,
    ) -> Option<Operation> {
        let kind = match action {
            ItemAction::Create { attributes, create_container } => OperationKind::Create {
                attributes: attributes.clone(),
                create_container: *create_container,
                password,
            },
            ItemAction::Update { address, create_container, changes, .. } => OperationKind::Update {
                identity: self.identity(item.space.as_ref()?),
                new_address: address.clone(),
                create_container: *create_container,
                changes: changes
                    .iter()
                    .map(|change| AttributeChange {
                        name: change.name,
                        kind: match &change.edit {
                            Edit::Replace { old, new } => {
                                ChangeKind::Replace { old: old.clone(), new: new.clone() }
                            }
                            Edit::Set { add, remove, .. } => {
                                ChangeKind::AddRemove { add: add.clone(), remove: remove.clone() }
                            }
                        },
                    })
                    .collect(),
            },
            ItemAction::Delete { .. } => {
                OperationKind::Delete { identity: self.identity(item.space.as_ref()?) }
            }
        };
        Some(Operation { item: item.id, object_type: item.object_type, kind })
    }

    pub(super) fn identity(&self, space: &SpaceRecord) -> Identity {
        let address = self.address(space.object_type).and_then(|name| space.doc.single(name));
        Identity {
            external_id: space.external_id.clone(),
            address: address.and_then(Value::as_text).map(Text::new),
        }
    }

    /// What to ask the target for, when an answer was lost. A create has no external id yet: it is that of the object
    /// which an import showed since, or else its address is one. `None` when there is nothing to ask for.
    pub(super) fn lost_identity(&self, item: &LeasedItem, action: &ItemAction) -> Option<Identity> {
        let ItemAction::Create { attributes, .. } = action else {
            return item.space.as_ref().map(|space| self.identity(space));
        };
        if let Some(space) = known_space(item, action) {
            return Some(self.identity(space));
        }
        let address = self.address(item.object_type).and_then(|name| attributes.single(name));
        let address = address.and_then(Value::as_text).map(Text::new)?;
        Some(Identity { external_id: address.clone(), address: Some(address) })
    }

    /// The expected object after a create.
    pub(super) fn created(
        &self,
        object_type: Name,
        attributes: &Object,
        external_id: Text,
        written: &Written,
        sent: Sent,
    ) -> ExportedState {
        let expected = after_create(attributes, self.address(object_type));
        self.state(object_type, external_id, expected, written.object.as_ref(), sent)
    }

    /// The expected object after an update.
    pub(super) fn updated(
        &self,
        space: &SpaceRecord,
        action: &ItemAction,
        written: &Written,
        sent: Sent,
    ) -> ExportedState {
        let (address, changes) = match action {
            ItemAction::Update { address, changes, .. } => (address.as_ref(), changes.as_slice()),
            _ => (None, &[][..]),
        };
        let expected = after_update(space, address, changes, self.address(space.object_type));
        let id = written.external_id.clone().unwrap_or_else(|| space.external_id.clone());
        self.state(space.object_type, id, expected, written.object.as_ref(), sent)
    }

    fn state(
        &self,
        object_type: Name,
        external_id: Text,
        (mut expected, mut exported): (Object, Exported),
        told: Option<&ImportedObject>,
        sent: Sent,
    ) -> ExportedState {
        // Where the answer shows the whole object, that is what is there; what we wrote and is not so is drift.
        let (object, exported, is_news) = match told {
            None => (expected, exported, false),
            Some(told) => {
                let now = with_known(told.attributes.clone(), &told.unread, &expected);
                // The rules have not seen it since, and want something else there.
                let is_open = take_open(&mut expected, &mut exported, &now, &sent.open);
                let record = SpaceRecord {
                    id: identitymesh_model::SpaceId(0),
                    connector: self.connector,
                    object_type,
                    external_id: external_id.clone(),
                    doc: expected,
                    deleted: false,
                    unconfirmed: true,
                    exported: exported.names.into(),
                    drift: exported.drift,
                    link: None,
                };
                // It was written just now, to addresses that were asked for just before.
                let difference = compare(&record, &now, &self.in_force.rules, &Referents::default());
                (now, difference.exported, difference.touch || is_open)
            }
        };
        let print = fingerprint(&object);
        let body = body(&self.in_force.rules, self.connector, object_type, &object, print);
        let exported = ExportedText { names: exported.names.clone(), drift: exported.drift_text() };
        ExportedState { object_type, external_id, body, exported, waits_for: sent.waits, is_news }
    }
}
