//! Addresses of an LDIF target: containers, renames, moves.
//!
//! A rename does what a directory does with the old name removed: the naming attribute follows, and everything below
//! moves along. References in other entries are not touched; the engine sends those as changes of their own.

use identitymesh_connector::Outcome;
use identitymesh_model::{Name, Object, Text, Value, Values, dn};

use crate::apply::{Stop, Target, refused};
use crate::error;
use crate::layout::{DN, TypeLayout};
use crate::ldif;
use crate::record::Read;
use crate::table::{Row, Table, address_of};

/// Most containers made for one object, which is how deep a tree is believed to be.
const CONTAINER_COUNT_MAX: usize = 32;

/// Nothing stands at the address.
pub(crate) fn check_free(table: &Table, address: &str) -> Result<(), Stop> {
    match table.at(address) {
        None => Ok(()),
        Some(_) => {
            let reason = format!("another object stands at {address}");
            Err(Outcome::Conflict { code: error::TREE, reason })
        }
    }
}

/// The new address is free, or the old one in another spelling, and not below the object itself.
pub(crate) fn check_move(table: &Table, old: &str, new: &str) -> Result<(), Stop> {
    if dn::normalise(old) == dn::normalise(new) {
        return Ok(());
    }
    if dn::is_within(new, old) {
        return Err(refused(error::TREE, format!("{old} cannot move below itself")));
    }
    check_free(table, new)
}

/// Gives the object its new DN and the value that the DN names it by.
pub(crate) fn rename(kind: &TypeLayout, attributes: &mut Object, old: &str, new: &str) {
    let naming = |address| dn::attribute_and_value(dn::split_first(address).0);
    let named = |word: &str| kind.attribute(word).map(|known| (known.name, known.kind.multi));
    if let Some((name, value)) = naming(old).and_then(|(word, value)| Some((named(word)?.0, value))) {
        let gone = Value::text(value);
        let values = attributes.get(name).cloned().map(Values::into_vec).unwrap_or_default();
        let kept: Vec<Value> = values.into_iter().filter(|value| !value.eq_ignore_case(&gone)).collect();
        let kept = if named(name.as_str()).is_some_and(|(_, multi)| multi) {
            Values::set(kept)
        } else {
            kept.into_iter().next().map(Values::One)
        };
        attributes.put(name, kept);
    }
    if let Some(((name, multi), value)) = naming(new).and_then(|(word, value)| Some((named(word)?, value))) {
        let mut values = attributes.get(name).cloned().map(Values::into_vec).unwrap_or_default();
        values.push(Value::text(&value));
        attributes.put(name, if multi { Values::set(values) } else { Some(Values::from(value.as_str())) });
    }
    attributes.set(Name::literal(DN), new);
}

/// Moves everything that is below `old`, which itself is out of the table already.
pub(crate) fn move_below(target: &mut Target<'_>, old: &str, new: &str) {
    let depth = dn::components(old).count();
    for key in target.table.within(old) {
        let Some(mut row) = target.table.take(&key) else { continue };
        let Some(address) = address_of(&key, &row.attributes).map(str::to_owned) else { continue };
        let parts: Vec<&str> = dn::components(&address).collect();
        let kept = &parts[..parts.len().saturating_sub(depth)];
        let moved = Text::from(format!("{},{new}", kept.join(",")));
        let key = match key.0.and_then(|name| target.layout.by_name(name)) {
            None => (None, moved),
            Some(kind) => {
                row.attributes.set(Name::literal(DN), moved.as_str());
                // The key is the DN or does not depend on it, so it can be computed as before.
                (key.0, kind.key_of(&row.attributes).unwrap_or(key.1))
            }
        };
        target.table.put(key, row);
    }
}

/// Makes the containers of `address` that are missing, from the top down. Components that belong to the directory as
/// such, `dc` and `c`, are never made.
pub(crate) fn create_containers(target: &mut Target<'_>, address: &str) -> Result<(), Stop> {
    let mut missing = Vec::new();
    let mut at = dn::parent(address);
    while !at.is_empty() && target.table.at(at).is_none() && missing.len() < CONTAINER_COUNT_MAX {
        missing.push(at.to_owned());
        at = dn::parent(at);
    }
    for address in missing.into_iter().rev() {
        let Some((attribute, value)) = dn::attribute_and_value(dn::split_first(&address).0) else {
            return Err(refused(error::TREE, format!("the container {address} has no name")));
        };
        let class = match attribute.to_ascii_lowercase().as_str() {
            "ou" => "organizationalUnit",
            "o" => "organization",
            "l" => "locality",
            "cn" => "organizationalRole",
            "dc" | "c" => continue,
            _ => return Err(refused(error::TREE, format!("no container can be made for {address}"))),
        };
        let lines = vec![
            ("objectClass".to_owned(), b"top".to_vec()),
            ("objectClass".to_owned(), class.as_bytes().to_vec()),
            (attribute.to_owned(), value.into_bytes()),
        ];
        match ldif::entry_of(target.config, target.layout, &address, lines) {
            Some(Read::Record(made)) => {
                target
                    .table
                    .put((made.object_type, made.key), Row { attributes: made.attributes, rest: made.rest });
            }
            Some(Read::Fault(fault)) => return Err(refused(error::TREE, fault.message)),
            _ => {}
        }
    }
    Ok(())
}
