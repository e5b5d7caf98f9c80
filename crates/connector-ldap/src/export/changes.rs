//! From changes of attributes to steps of a modify request, and what to make of a refusal.
//!
//! A change takes out the values that are to go and puts in those that are to come, in that order: the server
//! refuses the whole request when a value that should go is not there, which is compare-and-set. Attributes whose
//! values cannot be compared are replaced. Of a moment that a domain keeps more finely than it is read, the value that goes
//! is the one that was just looked at. Values of the entry's name belong to the rename.

use identitymesh_connector::{AttributeChange, ChangeKind};
use identitymesh_model::{Name, Object, Value, Values};

use crate::filter;
use crate::schema::TypeMap;
use crate::transport::{Bytes, Modification};
use crate::value::{self, Form, Key};

/// A modify request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Modification>,
    /// Filters that must hold, where the server can check them.
    pub(crate) conditions: Vec<String>,
}

/// What belongs to an entry's name: `(attribute, value)` before and after a rename.
#[derive(Debug, Default)]
pub(crate) struct Rdn {
    pub(crate) old: Vec<(Name, Key)>,
    pub(crate) new: Vec<(Name, Key)>,
}

/// How a group that must have members stands.
#[derive(Clone, Copy)]
pub(crate) struct StandIn<'a> {
    pub(crate) member: &'a str,
    /// Whether it is among the members; `None` when nobody looked.
    pub(crate) is_there: Option<bool>,
}

/// Moments that people write, as the target holds them: attribute and number.
pub(crate) type Moments = Vec<(Name, Bytes)>;

/// When an account expires is the one moment that is written and has no meaning beside it: others, such as that of the last
/// password, take special numbers only, and nothing may be taken out of them.
pub(crate) fn is_compared_moment(map: &TypeMap, name: Name) -> bool {
    map.form(name) == Form::FileTime && name.folded() == "accountexpires"
}

/// The request for `changes` supposing that the target is as they say.
pub(crate) fn plan(
    map: &TypeMap,
    changes: &[AttributeChange],
    rdn: &Rdn,
    stand_in: StandIn<'_>,
    moments: &Moments,
) -> Result<Plan, String> {
    let mut plan = Plan::default();
    for AttributeChange { name, kind } in
        changes.iter().filter(|change| Some(change.name) != map.schema.address)
    {
        let schema = map.schema.attribute(*name);
        let description = map.description(*name);
        let encode = |values: &[Value]| {
            value::encode_all(map.form(*name), values).map_err(|why| format!("{name}: {why}"))
        };
        let (mut out, mut into, is_swap) = match kind {
            ChangeKind::Replace { old, new } => {
                if !map.has_equality(*name) {
                    let mut values = encode(slice(new.as_ref()))?;
                    if values.is_empty() && map.form(*name) == Form::FileTime {
                        // "Never" is a number that must be there.
                        values.push(b"0".to_vec());
                    }
                    if let Some((_, now)) = moments.iter().find(|(known, _)| known == name) {
                        plan.steps.push(Modification::Delete(description.clone(), vec![now.clone()]));
                        plan.steps.push(Modification::Add(description, values));
                        continue;
                    }
                    plan.steps.push(Modification::Replace(description, values));
                    continue;
                }
                let (old, new) = (slice(old.as_ref()), slice(new.as_ref()));
                (minus(old, new), minus(new, old), true)
            }
            ChangeKind::AddRemove { add, remove } => (remove.clone(), add.clone(), false),
        };
        // The rename takes the old name's value out and puts the new one's in.
        out.retain(|one| !rdn.old.contains(&(*name, value::key(schema, one))));
        into.retain(|one| !rdn.new.contains(&(*name, value::key(schema, one))));
        let (mut out, mut into) = (encode(&out)?, encode(&into)?);
        let was_absent = matches!(kind, ChangeKind::Replace { old: None, .. });
        if map.required_references.contains(name) {
            let becomes_empty = matches!(kind, ChangeKind::Replace { new: None, .. });
            let is_there = stand_in.is_there.unwrap_or(was_absent);
            if becomes_empty && !is_there {
                into.push(stand_in.member.into());
            } else if !into.is_empty() && is_there {
                out.push(stand_in.member.into());
            }
        } else if is_swap && was_absent && !into.is_empty() && !rdn.new.iter().any(|(known, _)| known == name)
        {
            plan.conditions.push(filter::absent(&description));
        }
        if !out.is_empty() {
            plan.steps.push(Modification::Delete(description.clone(), out));
        }
        if !into.is_empty() {
            plan.steps.push(Modification::Add(description, into));
        }
    }
    Ok(plan)
}

fn slice(values: Option<&Values>) -> &[Value] {
    values.map_or(&[], Values::as_slice)
}

fn minus(from: &[Value], what: &[Value]) -> Vec<Value> {
    // Sets are sorted, and both may have a hundred thousand members.
    let what: std::collections::HashSet<&Value> = what.iter().collect();
    from.iter().filter(|value| !what.contains(value)).cloned().collect()
}

/// What is left to do, given what the target really holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Rest {
    /// Nothing.
    Nothing,
    /// These, with the target's own content as the old one.
    Changes(Vec<AttributeChange>),
    /// This attribute is neither as it was nor as it is to be.
    Conflict(Name),
}

/// Compares `changes` with what is there.
pub(crate) fn rest(map: &TypeMap, changes: &[AttributeChange], there: &Object) -> Rest {
    let mut left = Vec::new();
    for AttributeChange { name, kind } in
        changes.iter().filter(|change| Some(change.name) != map.schema.address)
    {
        let (name, schema, current) = (*name, map.schema.attribute(*name), there.get(*name));
        match kind {
            ChangeKind::Replace { new, .. } if exactly_same(current, new.as_ref()) => {}
            ChangeKind::Replace { old, new } if value::same(schema, current, old.as_ref()) => {
                let kind = ChangeKind::Replace { old: current.cloned(), new: new.clone() };
                left.push(AttributeChange { name, kind });
            }
            ChangeKind::Replace { new, .. } if value::same(schema, current, new.as_ref()) => {}
            ChangeKind::Replace { .. } => return Rest::Conflict(name),
            ChangeKind::AddRemove { add, remove } => {
                let held: std::collections::HashSet<Key> =
                    slice(current).iter().map(|one| value::key(schema, one)).collect();
                let is_held = |one: &&Value| held.contains(&value::key(schema, one));
                let add: Vec<Value> = add.iter().filter(|one| !is_held(one)).cloned().collect();
                let remove: Vec<Value> = remove.iter().filter(is_held).cloned().collect();
                if !add.is_empty() || !remove.is_empty() {
                    left.push(AttributeChange { name, kind: ChangeKind::AddRemove { add, remove } });
                }
            }
        }
    }
    if left.is_empty() { Rest::Nothing } else { Rest::Changes(left) }
}

/// Whether two contents are equal to the letter, whatever their form.
fn exactly_same(a: Option<&Values>, b: Option<&Values>) -> bool {
    slice(a) == slice(b)
}

#[cfg(test)]
mod tests {
    use identitymesh_connector::ChangeKind::{AddRemove, Replace};

    use super::*;
    use crate::schema::test_map;

    const EMPTY: &str = "cn=no-members";

    fn change(attribute: &str, kind: ChangeKind) -> AttributeChange {
        AttributeChange { name: Name::new(attribute).unwrap(), kind }
    }

    fn set(texts: &[&str]) -> Option<Values> {
        Values::set(texts.iter().map(Value::text).collect())
    }

    fn members(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(Value::reference).collect()
    }

    fn steps(change: AttributeChange, is_there: Option<bool>) -> Plan {
        plan(&test_map(), &[change], &Rdn::default(), StandIn { member: EMPTY, is_there }, &vec![]).unwrap()
    }

    fn add(name: &str, values: &[&str]) -> Modification {
        Modification::Add(name.to_owned(), values.iter().map(|text| (*text).into()).collect())
    }

    fn delete(name: &str, values: &[&str]) -> Modification {
        Modification::Delete(name.to_owned(), values.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn only_the_difference_travels_and_old_values_go_first() {
        let swap = steps(change("mail", Replace { old: set(&["a", "b"]), new: set(&["b", "c"]) }), None);
        assert_eq!(
            swap,
            Plan { steps: vec![delete("mail", &["a"]), add("mail", &["c"])], conditions: vec![] }
        );
        let first = steps(change("mail", Replace { old: None, new: set(&["c"]) }), None);
        assert_eq!(first.conditions, ["(!(mail=*))"]);
        let none = steps(change("mail", Replace { old: set(&["a"]), new: set(&["a"]) }), None);
        assert_eq!(none, Plan::default());
        let photo = steps(change("photo", Replace { old: set(&["a"]), new: None }), None);
        assert_eq!(photo.steps, [Modification::Replace("photo".to_owned(), vec![])]);
        assert_eq!(steps(change("dn", Replace { old: set(&["a"]), new: None }), None), Plan::default());
    }

    #[test]
    fn the_stand_in_comes_and_goes_with_the_last_member() {
        let emptied =
            steps(change("member", Replace { old: Values::set(members(&["cn=a"])), new: None }), None);
        assert_eq!(emptied.steps, [delete("member", &["cn=a"]), add("member", &[EMPTY])]);
        let filled = change("member", Replace { old: None, new: Values::set(members(&["cn=a"])) });
        assert_eq!(steps(filled.clone(), None).steps, [delete("member", &[EMPTY]), add("member", &["cn=a"])]);
        assert_eq!(steps(filled, Some(false)).steps, [add("member", &["cn=a"])]);
        let more = change("member", AddRemove { add: members(&["cn=a"]), remove: vec![] });
        assert_eq!(steps(more.clone(), None).steps, [add("member", &["cn=a"])]);
        assert_eq!(steps(more, Some(true)).steps, [delete("member", &[EMPTY]), add("member", &["cn=a"])]);
    }

    #[test]
    fn values_of_the_name_are_left_to_the_rename() {
        let name = Name::literal("mail");
        let key = |text: &str| (name, value::key(test_map().schema.attribute(name), &Value::text(text)));
        let rdn = Rdn { old: vec![key("old")], new: vec![key("new")] };
        let change = change("mail", Replace { old: set(&["old", "x"]), new: set(&["New", "y"]) });
        let stand_in = StandIn { member: EMPTY, is_there: None };
        let plan = plan(&test_map(), &[change], &rdn, stand_in, &vec![]).unwrap();
        assert_eq!(plan.steps, [delete("mail", &["x"]), add("mail", &["y"])]);
    }

    #[test]
    fn what_is_left_depends_on_what_is_there() {
        let map = test_map();
        let there = Object::from_iter([
            (Name::literal("mail"), set(&["A"]).unwrap()),
            (Name::literal("member"), Values::set(members(&["cn=a,dc=t", "cn=b,dc=t"])).unwrap()),
        ]);
        let rest = |kind, attribute| rest(&map, &[change(attribute, kind)], &there);
        assert_eq!(rest(Replace { old: set(&["x"]), new: set(&["A"]) }, "mail"), Rest::Nothing);
        assert_eq!(
            rest(Replace { old: None, new: set(&["b"]) }, "mail"),
            Rest::Conflict(Name::literal("mail"))
        );
        let again = change("mail", Replace { old: set(&["A"]), new: set(&["b"]) });
        assert_eq!(rest(Replace { old: set(&["a"]), new: set(&["b"]) }, "mail"), Rest::Changes(vec![again]));
        let add_remove = AddRemove {
            add: members(&["CN=A, dc=t", "cn=c,dc=t"]),
            remove: members(&["cn=b,dc=t", "cn=d,dc=t"]),
        };
        let left =
            change("member", AddRemove { add: members(&["cn=c,dc=t"]), remove: members(&["cn=b,dc=t"]) });
        assert_eq!(rest(add_remove, "member"), Rest::Changes(vec![left]));
        let done = AddRemove { add: members(&["cn=a,dc=t"]), remove: members(&["cn=z,dc=t"]) };
        assert_eq!(rest(done, "member"), Rest::Nothing);
    }

    #[test]
    fn what_cannot_be_written_is_said_with_its_attribute() {
        let ancient = "-000500-01-01T00:00:00Z".parse().map(Value::DateTime).unwrap();
        let change = change("mail", Replace { old: None, new: Some(Values::One(ancient)) });
        let stand_in = StandIn { member: EMPTY, is_there: None };
        assert!(
            plan(&test_map(), &[change], &Rdn::default(), stand_in, &vec![])
                .unwrap_err()
                .starts_with("mail: the year")
        );
    }
}
