//! Groups of a made-up population.

use identitymesh_connector::ImportedObject;
use identitymesh_model::{
    AttributeSchema, AttributeType, Name, Object, ObjectSchema, Text, Value, ValueType, Values,
};

use super::mix;

/// The object type of groups.
pub(crate) const GROUP: &str = "group";
/// Their attributes, in canonical order.
const MEMBER: &str = "member";
const NAME: &str = "name";

/// How many groups there are, and how large.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    count: u64,
    members: u64,
}

impl Groups {
    /// `count` groups, each of which names `members` people; one who is drawn twice counts once.
    pub(crate) const fn new(count: u64, members: u64) -> Self {
        Self { count, members }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.count
    }

    /// The group at `index`, of `people` people.
    pub(super) fn object(
        &self,
        index: u64,
        people: u64,
        seed: u64,
        external_id: impl Fn(u64) -> Text,
    ) -> ImportedObject {
        let own = mix(seed ^ mix(!index));
        let drawn = (0..self.members).map(|at| mix(own.wrapping_add(at)) % people.max(1));
        let members = Values::set(drawn.map(|person| Value::Reference(external_id(person))).collect());
        let name = format!("Group {index:06}");
        let mut attributes = Object::with_capacity(2);
        attributes.put(Name::literal(MEMBER), members);
        attributes.set(Name::literal(NAME), Value::text(&name));
        ImportedObject::whole(Name::literal(GROUP), Text::from(name), attributes)
    }
}

/// What is known of a group.
pub(super) fn schema() -> ObjectSchema {
    let of = |name: &'static str, value, multi| {
        AttributeSchema::new(Name::literal(name), AttributeType { value, multi })
    };
    let attributes = vec![of(MEMBER, ValueType::Reference, true), of(NAME, ValueType::String, false)];
    ObjectSchema { object_type: Name::literal(GROUP), address: None, attributes }
}
