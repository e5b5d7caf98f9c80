//! Accounts of Active Directory: the attribute that says "disabled" is one bit of a number with other meanings.
//!
//! A change of it becomes a change of that number, from what it is now: bits that somebody else sets are kept, and the
//! server refuses the change when the number is another by then.

use identitymesh_connector::{AttributeChange, ChangeKind, Outcome};
use identitymesh_model::{Name, Object, Value, Values};

use super::writer::Writer;
use crate::read::ACCOUNT_DISABLED;
use crate::schema::{ACCOUNT_CONTROL, TypeMap};

/// `userAccountControl` of an ordinary account, and of a computer's.
const NORMAL_ACCOUNT: i64 = 0x200;
const WORKSTATION_ACCOUNT: i64 = 0x1000;

/// A new account with the bit in its number.
pub(super) fn created(map: &TypeMap, attributes: &Object) -> Object {
    let Some(name) = map.disabled_bit else { return attributes.clone() };
    let mut attributes = attributes.clone();
    let Some(disabled) = attributes.remove(name).and_then(|values| truth(Some(&values))) else {
        return attributes;
    };
    let number = Name::literal(ACCOUNT_CONTROL);
    let is_computer = map.config.object_class.iter().any(|class| class.eq_ignore_ascii_case("computer"));
    let ordinary = if is_computer { WORKSTATION_ACCOUNT } else { NORMAL_ACCOUNT };
    let bits = attributes.single(number).and_then(integer).unwrap_or(ordinary);
    attributes.set(number, Values::One(Value::Integer(with_bit(bits, disabled))));
    attributes
}

const fn with_bit(bits: i64, disabled: bool) -> i64 {
    if disabled { bits | ACCOUNT_DISABLED } else { bits & !ACCOUNT_DISABLED }
}

fn truth(values: Option<&Values>) -> Option<bool> {
    match values.map(Values::as_slice) {
        Some([Value::Boolean(truth)]) => Some(*truth),
        _ => None,
    }
}

const fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

impl Writer {
    /// The changes with the bit in its number.
    pub(super) async fn account(
        &self,
        map: &TypeMap,
        id: &str,
        changes: &[AttributeChange],
    ) -> Result<Vec<AttributeChange>, Outcome> {
        let mut changes = changes.to_vec();
        let Some(at) = changes.iter().position(|change| Some(change.name) == map.disabled_bit) else {
            return Ok(changes);
        };
        let ChangeKind::Replace { new, .. } = changes.remove(at).kind else { return Ok(changes) };
        // Nothing said is not disabled.
        let disabled = truth(new.as_ref()).unwrap_or(false);
        let number = Name::literal(ACCOUNT_CONTROL);
        if let Some(change) = changes.iter_mut().find(|change| change.name == number) {
            if let ChangeKind::Replace { new: Some(Values::One(Value::Integer(bits))), .. } = &mut change.kind
            {
                *bits = with_bit(*bits, disabled);
            }
            return Ok(changes);
        }
        let entry = self.still_there(map, id).await?;
        let bits = entry.texts(ACCOUNT_CONTROL).next().and_then(|text| text.parse::<i64>().ok());
        let bits = bits.unwrap_or(NORMAL_ACCOUNT);
        if with_bit(bits, disabled) != bits {
            let one = |bits| Some(Values::One(Value::Integer(bits)));
            let kind = ChangeKind::Replace { old: one(bits), new: one(with_bit(bits, disabled)) };
            changes.push(AttributeChange { name: number, kind });
        }
        Ok(changes)
    }
}
