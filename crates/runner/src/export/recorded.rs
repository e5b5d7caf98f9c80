//! What the audit says of a change that a target took.

use identitymesh_connector::Written;
use identitymesh_engine::export::{KnownAddresses, addressed};
use identitymesh_model::plan::{Before, Edit, ItemAction, ItemChange, ItemPlan, SetBefore};
use identitymesh_model::{ConnectorId, ContentHash, Name, Object, RuleId, SpaceRecord, Text, Uid};
use identitymesh_store::StoreError;

use super::state::{Sent, TargetForm};
use crate::InForce;

/// The two columns of an audit row that an action decides.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The reverse change.
    pub(crate) before: String,
    /// The hash of the object as it is expected to be; `None` of one that is deleted.
    pub(crate) after: Option<ContentHash>,
}

/// What would be recorded of an item, were it sent for `record` and the target did what it was told. `addresses` says
/// how the target calls mesh objects, by their address or by an attribute.
pub(crate) fn recorded(
    in_force: &InForce,
    item: &ItemPlan,
    record: Option<&SpaceRecord>,
    mut addresses: impl FnMut(ConnectorId, Option<Name>, &[Uid]) -> Result<Vec<Option<Text>>, StoreError>,
) -> Result<Recorded, StoreError> {
    let form = TargetForm::new(in_force, item.connector);
    let any = form.any_address();
    let known = KnownAddresses::of(std::iter::once(&item.action), |by, uids| {
        addresses(item.connector, by.or(any), uids)
    })?;
    let (action, waits) = addressed(&item.action, &known);
    let (written, sent) = (Written::default(), Sent { waits, open: Vec::new() });
    let state = match (&action, record) {
        (ItemAction::Create { attributes, .. }, _) => {
            Some(form.created(item.object_type, attributes, Text::from(""), &written, sent))
        }
        (ItemAction::Update { .. }, Some(record)) => Some(form.updated(record, &action, &written, sent)),
        _ => None,
    };
    let before = before_text(&form, &action, record, item.rule);
    Ok(Recorded { before, after: state.map(|state| state.body.hash) })
}

/// The reverse of an action as the audit keeps it.
pub(super) fn before_text(
    form: &TargetForm<'_>,
    action: &ItemAction,
    record: Option<&SpaceRecord>,
    rule: RuleId,
) -> String {
    match (action, record) {
        (ItemAction::Create { .. }, _) => String::from("{\"op\":\"create\"}"),
        (_, None) => String::new(),
        (ItemAction::Update { address, changes, .. }, Some(record)) => {
            let moved = form.address(record.object_type).filter(|_| address.is_some());
            before(changes, moved.map(|name| (name, record)), rule).to_text()
        }
        (ItemAction::Delete { .. }, Some(record)) => everything(&record.doc, rule).to_text(),
    }
}

/// What an update changed: the values before, and of sets what was added and taken out.
fn before(changes: &[ItemChange], moved: Option<(Name, &SpaceRecord)>, rule: RuleId) -> Before {
    let mut before = Before::default();
    for change in changes {
        match &change.edit {
            Edit::Replace { old, .. } => before.attributes.push((change.name, old.clone())),
            Edit::Set { add, remove, .. } => {
                let (added, removed) = (add.clone(), remove.clone());
                before.sets.push(SetBefore { name: change.name, added, removed });
            }
        }
    }
    before.attributes.extend(moved.map(|(name, record)| (name, record.doc.get(name).cloned())));
    before.attributes.sort_by_key(|(name, _)| *name);
    before.rules = before.attributes.iter().map(|_| vec![rule]).collect();
    before
}

/// What a deletion took away.
fn everything(doc: &Object, rule: RuleId) -> Before {
    let attributes: Vec<_> = doc.iter().map(|(name, values)| (name, Some(values.clone()))).collect();
    let rules = attributes.iter().map(|_| vec![rule]).collect();
    Before { attributes, rules, ..Before::default() }
}
