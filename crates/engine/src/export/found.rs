//! What the target says of an item whose answer was lost.

use std::collections::HashSet;

use identitymesh_model::plan::{Edit, ItemAction, ItemChange};
use identitymesh_model::{Name, Object, Value, Values, dn};

/// How a target's object compares with what an item wanted to make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The target is as the item wanted it: it was applied.
    AsWanted,
    /// The target is as it was before: it was not applied.
    AsBefore,
    /// The target holds the beginning of what a create makes: of large sets of references members are missing, and all
    /// else is as wanted. Making it again fills it up, or is refused where it is somebody else's.
    Begun,
    /// The target is none of these: somebody else changed it.
    Otherwise,
}

/// What a read-back says about an item whose answer was lost. `target` is the object as the target holds it now, with
/// the attributes that could not be read: those hold something, and nothing that we wrote or knew. What was written to
/// `open` attributes nobody remembers, so only what they held before says something: that they were not written.
#[must_use]
pub fn found(
    action: &ItemAction,
    target: Option<(&Object, &[Name])>,
    address: Option<Name>,
    open: &[Name],
) -> Found {
    let unread = target.map_or(&[][..], |(_, unread)| unread);
    let target = target.map(|(object, _)| object);
    let has =
        |object: &Object, name, wanted: Option<&Values>| !unread.contains(&name) && has(object, name, wanted);
    match (action, target) {
        (ItemAction::Delete { .. } | ItemAction::Update { .. }, None) => match action {
            ItemAction::Delete { .. } => Found::AsWanted,
            _ => Found::Otherwise,
        },
        (ItemAction::Delete { .. }, Some(_)) | (ItemAction::Create { .. }, None) => Found::AsBefore,
        (ItemAction::Create { attributes, .. }, Some(object)) => {
            let mut missing = attributes
                .iter()
                .filter(|(name, _)| Some(*name) != address && !open.contains(name))
                .filter(|(name, values)| !has(object, *name, Some(values)))
                .peekable();
            let is_whole = missing.peek().is_none();
            let is_begun = |(name, values)| !unread.contains(&name) && is_part(object.get(name), values);
            match (is_whole, missing.all(is_begun)) {
                (true, _) => Found::AsWanted,
                (false, true) => Found::Begun,
                (false, false) => Found::Otherwise,
            }
        }
        (ItemAction::Update { address: new, changes, .. }, Some(object)) => {
            let moved = match (new, address.and_then(|name| object.single(name)).and_then(Value::as_text)) {
                (Some(wanted), Some(now)) => dn::normalise(wanted) == dn::normalise(now),
                _ => true,
            };
            let was_read = changes.iter().all(|change| !unread.contains(&change.name));
            let is_open = |change: &ItemChange| open.contains(&change.name);
            let is_new =
                was_read && moved && changes.iter().all(|change| is_open(change) || is_made(object, change));
            let is_old = was_read
                && (new.is_none() || !moved)
                && changes.iter().all(|change| is_not_made(object, change));
            match (is_new, is_old) {
                // Where all is open, what stands there as before was not written.
                (true, true) if changes.iter().any(is_open) => Found::AsBefore,
                (true, _) => Found::AsWanted,
                (false, true) => Found::AsBefore,
                (false, false) => Found::Otherwise,
            }
        }
    }
}

/// Whether `object`, as an import shows it, is what a create without an answer was to make: everything that is known to
/// have been sent is there, the address among it. Which references were known when it was sent nobody remembers, so an
/// attribute with references that the plan left open says nothing.
pub(crate) fn shows_create(action: &ItemAction, object: &Object, address: Option<Name>) -> bool {
    let ItemAction::Create { attributes, .. } = action else { return false };
    attributes.iter().all(|(name, values)| {
        let is_open = values.as_slice().iter().any(|value| ItemAction::pending_uid(value).is_some());
        let is_at = |wanted| {
            object.single(name).and_then(Value::as_text).map(dn::normalise) == Some(dn::normalise(wanted))
        };
        match values.single().and_then(Value::as_text).filter(|_| Some(name) == address) {
            Some(wanted) => is_at(wanted),
            None => is_open || has(object, name, Some(values)),
        }
    })
}

fn is_made(object: &Object, change: &ItemChange) -> bool {
    match &change.edit {
        Edit::Replace { new, .. } => has(object, change.name, new.as_ref()),
        Edit::Set { add, remove, .. } => {
            let now = object.get(change.name).map_or(&[][..], Values::as_slice);
            add.iter().all(|value| holds(now, value)) && !remove.iter().any(|value| holds(now, value))
        }
    }
}

fn is_not_made(object: &Object, change: &ItemChange) -> bool {
    match &change.edit {
        Edit::Replace { old, .. } => has(object, change.name, old.as_ref()),
        Edit::Set { add, remove, .. } => {
            let now = object.get(change.name).map_or(&[][..], Values::as_slice);
            remove.iter().all(|value| holds(now, value)) && !add.iter().any(|value| holds(now, value))
        }
    }
}

/// Sets are sorted; a value in another case is looked for only where the same one is not there.
fn holds(now: &[Value], value: &Value) -> bool {
    now.binary_search(value).is_ok() || now.iter().any(|known| known.eq_ignore_case(value))
}

/// Whether these are some of the references that were wanted, in whatever spelling, and none besides.
fn is_part(now: Option<&Values>, wanted: &Values) -> bool {
    let now = now.map_or(&[][..], Values::as_slice);
    let is_reference = |value: &Value| matches!(value, Value::Reference(_));
    if now.is_empty() || !now.iter().chain(wanted.as_slice()).all(is_reference) {
        return false;
    }
    let form = |value: &Value| value.as_text().map(dn::normalise);
    let wanted: HashSet<Option<String>> = wanted.as_slice().iter().map(form).collect();
    now.iter().all(|value| wanted.contains(&form(value)))
}

fn has(object: &Object, name: Name, wanted: Option<&Values>) -> bool {
    match (object.get(name), wanted) {
        (None, None) => true,
        (Some(now), Some(wanted)) => now.as_slice() == wanted.as_slice() || now.eq_ignore_case(wanted),
        // A file or text column may not tell an empty text from none.
        (Some(only), None) | (None, Some(only)) => {
            only.as_slice().iter().all(|value| value.as_text() == Some(""))
        }
    }
}

#[cfg(test)]
mod tests {
    use identitymesh_model::SpaceId;

    use super::*;

    fn clears(name: Name) -> ItemAction {
        ItemAction::Update {
            space: SpaceId(1),
            address: None,
            create_container: false,
            changes: vec![ItemChange { name, edit: Edit::Replace { old: Some("a".into()), new: None } }],
        }
    }

    #[test]
    fn an_attribute_that_could_not_be_read_is_neither_as_before_nor_as_wanted() {
        let mail = Name::literal("mail");
        let (empty, mut full) = (Object::new(), Object::new());
        full.set(mail, "a");
        let seen = |object, unread: &[Name]| found(&clears(mail), Some((object, unread)), None, &[]);
        assert_eq!(seen(&empty, &[]), Found::AsWanted);
        assert_eq!(seen(&full, &[]), Found::AsBefore);
        assert_eq!(seen(&empty, &[mail]), Found::Otherwise);
        assert_eq!(seen(&empty, &[Name::literal("sn")]), Found::AsWanted);
    }

    /// A reference may have been written while the object that it leads to was still there.
    #[test]
    fn what_nobody_remembers_speaks_neither_for_nor_against() {
        let (cn, manager) = (Name::literal("cn"), Name::literal("manager"));
        let create = ItemAction::Create {
            attributes: std::iter::once((cn, "a".into())).collect(),
            create_container: false,
        };
        let mut made = Object::new();
        made.set(cn, "a");
        made.set(manager, Value::reference("cn=gone"));
        let seen = |object: &Object| found(&create, Some((object, &[])), None, &[manager]);
        assert_eq!(seen(&made), Found::AsWanted);
        made.set(cn, "b");
        assert_eq!(seen(&made), Found::Otherwise);

        let old = Values::One(Value::reference("cn=before"));
        let clear = ItemChange { name: manager, edit: Edit::Replace { old: Some(old.clone()), new: None } };
        let update = ItemAction::Update {
            space: SpaceId(1),
            address: None,
            create_container: false,
            changes: vec![clear],
        };
        let seen = |values| {
            let object: Object = std::iter::once((manager, values)).collect();
            found(&update, Some((&object, &[])), None, &[manager])
        };
        assert_eq!(seen(old), Found::AsBefore);
        assert_eq!(seen(Values::One(Value::reference("cn=gone"))), Found::AsWanted);
    }

    #[test]
    fn a_group_with_some_of_its_members_is_begun_and_with_others_it_is_not() {
        let (cn, member) = (Name::literal("cn"), Name::literal("member"));
        let group = |title: &str, members: &[&str]| -> Object {
            let members = Values::set(members.iter().map(Value::reference).collect());
            std::iter::once((cn, title.into())).chain(members.map(|members| (member, members))).collect()
        };
        let wanted = group("team", &["cn=a,dc=t", "cn=b,dc=t", "cn=c,dc=t"]);
        let create = ItemAction::Create { attributes: wanted.clone(), create_container: false };
        let seen = |object: &Object, unread: &[Name]| found(&create, Some((object, unread)), None, &[]);
        assert_eq!(seen(&wanted, &[]), Found::AsWanted);
        assert_eq!(seen(&group("team", &["CN=b, DC=t"]), &[]), Found::Begun);
        assert_eq!(seen(&group("team", &["CN=b, DC=t"]), &[member]), Found::Otherwise);
        for other in
            [group("other", &["cn=b,dc=t"]), group("team", &["cn=b,dc=t", "cn=x,dc=t"]), group("team", &[])]
        {
            assert_eq!(seen(&other, &[]), Found::Otherwise, "{other:?}");
        }
    }
}
