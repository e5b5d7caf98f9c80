//! Which operations of a batch must wait for others.
//!
//! Two operations depend on each other when they are about the same entry, or when one's entry lies below the
//! other's: a container is made before what it holds and emptied before it is removed. Everything else may go at
//! the same time. The answer is a wave for each operation: all of a wave may be in flight together.

use std::collections::HashMap;

use identitymesh_connector::{Operation, OperationKind};
use identitymesh_model::{Name, dn};

/// The wave of each operation, from 0.
pub(crate) fn waves(operations: &[Operation], address: Name) -> Vec<usize> {
    let (mut at, mut below) = (HashMap::<String, usize>::new(), HashMap::<String, usize>::new());
    operations
        .iter()
        .map(|operation| {
            let places = places(operation, address);
            let after = |last: Option<&usize>| last.map_or(0, |wave| wave + 1);
            let wave = places
                .iter()
                .map(|place| {
                    let above = up(place).map(|name| after(at.get(&name))).max().unwrap_or(0);
                    above.max(after(below.get(place)))
                })
                .max()
                .unwrap_or(0);
            for place in &places {
                for (step, name) in up(place).enumerate() {
                    let last = if step == 0 { &mut at } else { &mut below };
                    let last = last.entry(name).or_insert(wave);
                    *last = wave.max(*last);
                }
            }
            wave
        })
        .collect()
}

/// The entries that an operation is about, in normalised form; an id stands for an entry without a known name.
fn places(operation: &Operation, address: Name) -> Vec<String> {
    let mut places = Vec::with_capacity(3);
    match &operation.kind {
        OperationKind::Create { attributes, .. } => {
            places.extend(attributes.single(address).and_then(|value| value.as_text()).map(dn::normalise));
        }
        OperationKind::Update { identity, new_address, .. } => {
            places.push(format!("id={}", identity.external_id));
            places.extend(identity.address.iter().chain(new_address).map(|name| dn::normalise(name)));
        }
        OperationKind::Delete { identity } => {
            places.push(format!("id={}", identity.external_id));
            places.extend(identity.address.iter().map(|name| dn::normalise(name)));
        }
    }
    places
}

/// The name itself and those of its containers.
fn up(place: &str) -> impl Iterator<Item = String> {
    let mut rest = Some(place);
    std::iter::from_fn(move || {
        let name = rest?;
        rest = Some(dn::parent(name)).filter(|parent| !parent.is_empty());
        Some(name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use identitymesh_connector::Identity;
    use identitymesh_model::{ItemId, Object, Text};

    use super::*;

    fn operation(kind: OperationKind) -> Operation {
        Operation { item: ItemId(1), object_type: Name::literal("user"), kind }
    }

    fn create(dn: &str) -> Operation {
        let attributes = Object::from_iter([(Name::literal("dn"), dn.into())]);
        operation(OperationKind::Create { attributes, create_container: false, password: None })
    }

    fn identity(id: &str, dn: &str) -> Identity {
        Identity { external_id: id.into(), address: Some(Text::new(dn)) }
    }

    fn rename(id: &str, from: &str, to: &str) -> Operation {
        let (identity, new_address) = (identity(id, from), Some(Text::new(to)));
        operation(OperationKind::Update { identity, new_address, create_container: false, changes: vec![] })
    }

    fn delete(id: &str, dn: &str) -> Operation {
        operation(OperationKind::Delete { identity: identity(id, dn) })
    }

    #[test]
    fn strangers_go_together() {
        let batch = [create("uid=a,dc=t"), create("uid=b,dc=t"), delete("3", "uid=c,dc=t")];
        assert_eq!(waves(&batch, Name::literal("dn")), [0, 0, 0]);
    }

    #[test]
    fn relatives_keep_their_order() {
        let batch = [
            create("ou=x,dc=t"),
            create("uid=a,OU=X,dc=t"),
            rename("1", "uid=a,ou=x,dc=t", "uid=b,ou=y,dc=t"),
            delete("1", "uid=a,ou=z,dc=t"),
            delete("2", "ou=x,dc=t"),
            create("uid=c,dc=t"),
        ];
        assert_eq!(waves(&batch, Name::literal("dn")), [0, 1, 2, 3, 3, 0]);
    }

    #[test]
    fn a_name_given_up_can_be_taken() {
        let batch =
            [rename("1", "uid=a,dc=t", "uid=b,dc=t"), create("uid=a,dc=t"), create("uid=b,ou=x,dc=t")];
        assert_eq!(waves(&batch, Name::literal("dn")), [0, 1, 0]);
    }
}
