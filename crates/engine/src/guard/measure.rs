//! What each limit counts.
//!
//! A limit on all changes of one operation is counted from the sizes of the queue alone. One on a container or an
//! attribute needs the changes themselves; [`Measure::counts`] looks at one.

use identitymesh_model::plan::{Edit, ItemAction, ItemChange, Operation};
use identitymesh_model::rules::{HoldClass, Limit, Limits, LimitsWithin};
use identitymesh_model::{Name, Object, Values, dn};

/// One limit at work on the objects of one type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure<'r> {
    /// The object type.
    pub object_type: Name,
    /// The kind of changes.
    pub class: HoldClass,
    /// Which of the type's objects, where the limit is not for all of them.
    pub within: Option<&'r LimitsWithin>,
    /// How many are allowed.
    pub limit: Limit,
}

/// What is known of one change.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The operation.
    pub operation: Operation,
    /// What is done.
    pub action: &'a ItemAction,
    /// Where the object stands in the target's tree.
    pub container: Option<&'a str>,
    /// The object as the target has it.
    pub now: Option<&'a Object>,
}

/// Every limit that counts changes of this operation to objects of this type.
pub fn measures(limits: &Limits, object_type: Name, operation: Operation) -> Vec<Measure<'_>> {
    let class = HoldClass::Export(operation);
    let own = limits.of(object_type, class).map(|limit| Measure { object_type, class, within: None, limit });
    let narrow = limits.narrow(object_type).flat_map(|within| {
        let of =
            move |class| Some(Measure { object_type, class, within: Some(within), limit: within.of(class)? });
        let changes = !matches!(operation, Operation::Create | Operation::Delete);
        let of_attribute = [HoldClass::Change, HoldClass::Clear].into_iter().filter(move |_| changes);
        of(class).into_iter().chain(of_attribute.filter_map(of))
    });
    own.into_iter().chain(narrow).collect()
}

/// Every limit on the objects of a type that an import says are gone.
pub fn missing_measures(limits: &Limits, object_type: Name) -> Vec<Measure<'_>> {
    let class = HoldClass::ImportDelete;
    let own = limits.of(object_type, class).map(|limit| Measure { object_type, class, within: None, limit });
    let narrow = limits.narrow(object_type).filter_map(|within| {
        Some(Measure { object_type, class, within: Some(within), limit: within.of(class)? })
    });
    own.into_iter().chain(narrow).collect()
}

impl Measure<'_> {
    /// Which of the objects, in words; `None` for all of them. With type and class it tells two measures apart.
    #[must_use]
    pub fn part(&self) -> Option<String> {
        self.within.map(LimitsWithin::to_string)
    }

    /// Whether an object of this container is one of those that the limit is for.
    #[must_use]
    pub fn is_below(&self, container: Option<&str>) -> bool {
        let wanted = self.within.and_then(|within| within.container.as_deref());
        wanted.is_none_or(|wanted| container.is_some_and(|container| dn::is_within(container, wanted)))
    }

    /// Whether the limit counts this change.
    #[must_use]
    pub fn counts(&self, change: &Sought<'_>) -> bool {
        self.is_below(change.container)
            && match (self.class, self.within.and_then(|within| within.attribute)) {
                (HoldClass::Export(operation), _) => operation == change.operation,
                (HoldClass::Change, Some(name)) => edit_of(change.action, name).is_some(),
                (HoldClass::Clear, Some(name)) => {
                    edit_of(change.action, name).is_some_and(|edit| leaves_nothing(edit, change.now))
                }
                _ => false,
            }
    }
}

fn edit_of(action: &ItemAction, name: Name) -> Option<&ItemChange> {
    match action {
        ItemAction::Update { changes, .. } => changes.iter().find(|change| change.name == name),
        ItemAction::Create { .. } | ItemAction::Delete { .. } => None,
    }
}

/// Whether the attribute has a value before the change and none after it.
fn leaves_nothing(change: &ItemChange, now: Option<&Object>) -> bool {
    let before = now.and_then(|doc| doc.get(change.name));
    match &change.edit {
        Edit::Replace { new: Some(_), .. } => false,
        Edit::Replace { old, new: None } => old.as_ref().or(before).is_some(),
        Edit::Set { add, remove, .. } if add.is_empty() => match before {
            Some(values) => change.applied_to(Some(values)).is_none_or(|left| is_empty(&left)),
            None => !remove.is_empty(),
        },
        Edit::Set { .. } => false,
    }
}

fn is_empty(values: &Values) -> bool {
    values.as_slice().is_empty()
}

#[cfg(test)]
mod tests {
    use identitymesh_model::{SpaceId, Value};

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn limit() -> Option<Limit> {
        Some(Limit { percent: None, count: Some(20) })
    }

    fn update(changes: Vec<ItemChange>) -> ItemAction {
        ItemAction::Update { space: SpaceId(1), address: None, create_container: false, changes }
    }

    fn set(values: &[&str]) -> Option<Values> {
        Values::set(values.iter().map(|value| Value::text(*value)).collect())
    }

    #[test]
    fn a_change_counts_where_its_object_stands() {
        let within =
            LimitsWithin { container: Some("OU=Ward, DC=x".into()), delete: limit(), ..Default::default() };
        let limits = Limits { within: vec![within], ..Limits::default() };
        let measures = measures(&limits, name("user"), Operation::Delete);
        assert_eq!(
            measures.iter().map(Measure::part).collect::<Vec<_>>(),
            [None, Some("below OU=Ward, DC=x".into())]
        );
        let action = ItemAction::Delete { space: SpaceId(1) };
        let at = |container| Sought { operation: Operation::Delete, action: &action, container, now: None };
        let counted =
            |container| measures.iter().map(|measure| measure.counts(&at(container))).collect::<Vec<_>>();
        assert_eq!(counted(Some("ou=night,ou=ward,dc=x")), [true, true]);
        assert_eq!(counted(Some("ou=backward,dc=x")), [true, false]);
        assert_eq!(counted(None), [true, false]);
    }

    #[test]
    fn clearing_an_attribute_is_told_from_changing_it() {
        let within = LimitsWithin {
            attribute: Some(name("mail")),
            change: limit(),
            clear: limit(),
            ..LimitsWithin::default()
        };
        let limits = Limits { within: vec![within], ..Limits::default() };
        let measures: Vec<Measure<'_>> = measures(&limits, name("user"), Operation::Move);
        assert_eq!(
            measures.iter().map(|measure| measure.class).collect::<Vec<_>>(),
            [HoldClass::Change, HoldClass::Clear]
        );
        let counted = |old: Option<Values>, new: Option<Values>, now: Option<Values>| {
            let mut doc = Object::new();
            if let Some(now) = now {
                doc.set(name("mail"), now);
            }
            let action = update(vec![ItemChange::between(name("Mail"), old.as_ref(), new, false)]);
            let change =
                Sought { operation: Operation::Move, action: &action, container: None, now: Some(&doc) };
            measures.iter().map(|measure| measure.counts(&change)).collect::<Vec<_>>()
        };
        let one = |text: &str| Some(Values::One(Value::text(text)));
        assert_eq!(counted(one("a"), one("b"), one("a")), [true, false]);
        assert_eq!(counted(one("a"), None, one("a")), [true, true]);
        assert_eq!(counted(set(&["a", "b"]), set(&["a"]), set(&["a", "b"])), [true, false]);
        assert_eq!(counted(set(&["a", "b"]), None, set(&["a", "b"])), [true, true]);
        assert_eq!(counted(set(&["a"]), None, set(&["a", "of others"])), [true, false]);
        let other = update(vec![ItemChange::between(name("sn"), None, one("x"), false)]);
        let change = Sought { operation: Operation::Move, action: &other, container: None, now: None };
        assert!(!measures.iter().any(|measure| measure.counts(&change)));
    }

    #[test]
    fn creating_and_deleting_an_object_changes_no_attribute() {
        let within =
            LimitsWithin { attribute: Some(name("mail")), clear: limit(), ..LimitsWithin::default() };
        let limits = Limits { within: vec![within], ..Limits::default() };
        assert_eq!(measures(&limits, name("user"), Operation::Create), []);
        assert_eq!(measures(&limits, name("user"), Operation::Delete).len(), 1);
        assert_eq!(missing_measures(&limits, name("user")).len(), 1);
    }
}
