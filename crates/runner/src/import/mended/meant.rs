//! Who was meant by a name when references were settled last.

use std::collections::HashMap;

use identitymesh_engine::rules::{ObjectTypeRules, Referring, RuleSet};
use identitymesh_model::{SpaceId, SpaceRecord, Text, Value};
use identitymesh_store::past::space_when;
use identitymesh_store::{Moment, Reader, SpaceChangeKind, StoreError};

/// What objects were called at a moment.
pub(super) struct Meant<'a> {
    rules: &'a RuleSet,
    /// Unknown before anything was settled.
    at: Option<Moment>,
    addresses: HashMap<SpaceId, Option<Text>>,
}

impl<'a> Meant<'a> {
    pub(super) fn new(rules: &'a RuleSet, at: Option<Moment>) -> Self {
        Self { rules, at, addresses: HashMap::new() }
    }

    /// Whether an object's references were settled since, by a run that broke off before all were.
    pub(super) fn is_settled(&self, reader: &mut dyn Reader, holder: SpaceId) -> Result<bool, StoreError> {
        let Some(at) = self.at else { return Ok(false) };
        let mut before = None;
        while let [row] = &reader.space_history(holder, before, 1)?[..] {
            if row.seq <= at.change {
                return Ok(false);
            }
            if row.kind == SpaceChangeKind::Mended {
                return Ok(true);
            }
            before = Some(row.seq);
        }
        Ok(false)
    }

    /// Whether an object was there under this key; nothing where that is not known.
    pub(super) fn had(
        &mut self,
        reader: &mut dyn Reader,
        id: SpaceId,
        (referring, key): (Referring, &Text),
    ) -> Result<Option<bool>, StoreError> {
        let Some(at) = self.at else { return Ok(None) };
        if !self.addresses.contains_key(&id) {
            let record = space_when(reader, id, at)?.filter(|record| !record.deleted);
            let was = record.and_then(|record| address(self.rules, &record));
            let _new = self.addresses.insert(id, was);
        }
        let was = self.addresses.get(&id).and_then(Option::as_ref);
        Ok(Some(was.is_some_and(|was| referring.key(was) == *key)))
    }
}

/// Under what others refer to an object; nothing where it has no address although its type has one.
pub(super) fn address(rules: &RuleSet, record: &SpaceRecord) -> Option<Text> {
    let connector = rules.connector(record.connector);
    let object_type = connector.and_then(|connector| connector.object_type(record.object_type));
    match object_type.and_then(ObjectTypeRules::address) {
        Some(name) => record.doc.single(name).and_then(Value::as_text).map(Text::new),
        None => Some(record.external_id.clone()),
    }
}
