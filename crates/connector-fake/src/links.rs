//! Which references a system mends by itself, as directories do.

use std::collections::BTreeMap;

use identitymesh_model::{Name, Object, Schema, Value, Values, dn};

/// What the schema says of references.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Attributes by type whose values go, and get another name, with the object that they mean.
    mended: BTreeMap<Name, Vec<Name>>,
    /// The address of each type that has one.
    addresses: BTreeMap<Name, Name>,
}

impl Links {
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut links = Self::default();
        for known in &schema.object_types {
            let mended = known.attributes.iter().filter(|attribute| attribute.mended);
            links.mended.insert(known.object_type, mended.map(|attribute| attribute.name).collect());
            links.addresses.extend(known.address.map(|address| (known.object_type, address)));
        }
        links.mended.retain(|_, attributes| !attributes.is_empty());
        links
    }

    pub(crate) fn is_any(&self) -> bool {
        !self.mended.is_empty()
    }

    /// Under what others refer to an object.
    pub(crate) fn address(&self, object_type: Name, external_id: &str, object: &Object) -> String {
        let address = self.addresses.get(&object_type).and_then(|name| object.single(*name));
        address.and_then(Value::as_text).unwrap_or(external_id).to_owned()
    }

    /// The object without references to `address`; `None` when it has none.
    pub(crate) fn without(&self, object_type: Name, object: &Object, address: &str) -> Option<Object> {
        let address = dn::normalise(address);
        let means =
            |value: &Value| matches!(value, Value::Reference(other) if dn::normalise(other) == address);
        let mut left = object.clone();
        for name in self.mended.get(&object_type).into_iter().flatten() {
            let values = object.get(*name).map_or(&[][..], Values::as_slice);
            if values.iter().any(means) {
                left.put(*name, Values::set(values.iter().filter(|value| !means(value)).cloned().collect()));
            }
        }
        (left != *object).then_some(left)
    }

    /// The object with its references to `old` leading to `new`; `None` when it has none.
    pub(crate) fn following(
        &self,
        object_type: Name,
        object: &Object,
        old: &str,
        new: &str,
    ) -> Option<Object> {
        let old = dn::normalise(old);
        let follow = |value: &Value| match value {
            Value::Reference(other) if dn::normalise(other) == old => Value::reference(new),
            other => other.clone(),
        };
        let mut led = object.clone();
        for name in self.mended.get(&object_type).into_iter().flatten() {
            let values = object.get(*name).map(|values| match values {
                Values::One(value) => Some(Values::One(follow(value))),
                Values::Set(list) => Values::set(list.iter().map(follow).collect()),
            });
            if let Some(values) = values {
                led.put(*name, values);
            }
        }
        (led != *object).then_some(led)
    }
}
