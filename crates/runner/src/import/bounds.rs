//! Bounds on what a connected system may deliver, whatever its connector let through.
//!
//! One value beyond a bound costs that value: its attribute counts as not read, so what was known of it stays. An
//! object beyond a bound costs that object: it stays as it was and counts as seen, because it is there. Nothing is cut
//! to fit (sync semantics, section 2).

use identitymesh_connector::{Change, Patch};
use identitymesh_engine::stage::{
    id_out_of_bounds, is_out_of_bounds, object_out_of_bounds, set_aside, value_out_of_bounds,
};
use identitymesh_model::{Name, Text, Values};

/// Characters of an external id that a finding shows.
const ID_SHOWN_MAX: usize = 80;

/// What is left of a change.
pub(super) struct Admitted {
    /// The change without what is beyond a bound.
    pub(super) change: Option<Change>,
    /// The object that stays as it was as a whole.
    pub(super) refused: Option<(Name, Text)>,
    /// The object's id as a finding shows it, and what is wrong.
    pub(super) problems: Vec<(String, String)>,
}

/// Takes out of a change what is beyond a bound.
pub(super) fn admit(change: Change) -> Admitted {
    if is_within_bounds(&change) {
        return Admitted { change: Some(change), refused: None, problems: Vec::new() };
    }
    let (object_type, id) = change.subject();
    let (id, shown) = (Text::new(id), id.chars().take(ID_SHOWN_MAX).collect::<String>());
    if let Some(message) = id_out_of_bounds(&id) {
        return Admitted { change: None, refused: None, problems: vec![(shown, message)] };
    }
    let mut large = Vec::new();
    let change = match change {
        Change::Upsert(mut object) => {
            if let Some(message) = object_out_of_bounds(&object.attributes) {
                let refused = Some((object_type, id));
                return Admitted { change: None, refused, problems: vec![(shown, message)] };
            }
            large = set_aside(&mut object.attributes);
            object.unread.extend(&large);
            Change::Upsert(object)
        }
        Change::Patch(mut patch) => {
            trim(&mut patch, &mut large);
            Change::Patch(patch)
        }
        gone @ (Change::Delete { .. } | Change::Left { .. }) => gone,
    };
    let told = |name: Name| (shown.clone(), value_out_of_bounds(name));
    Admitted { change: Some(change), refused: None, problems: large.into_iter().map(told).collect() }
}

fn is_within_bounds(change: &Change) -> bool {
    let content_fits = match change {
        Change::Upsert(object) => {
            object_out_of_bounds(&object.attributes).is_none()
                && !object.attributes.iter().any(|(_, values)| is_out_of_bounds(values.as_slice()))
        }
        Change::Patch(patch) => {
            let set = patch.set.iter().filter_map(|(_, values)| values.as_ref()).map(Values::as_slice);
            let add = patch.add.iter().map(|(_, values)| values.as_slice());
            !set.chain(add).any(is_out_of_bounds)
        }
        Change::Delete { .. } | Change::Left { .. } => true,
    };
    content_fits && id_out_of_bounds(change.subject().1).is_none()
}

fn trim(patch: &mut Patch, large: &mut Vec<Name>) {
    let is_fit = |values: Option<&Values>| values.is_none_or(|values| !is_out_of_bounds(values.as_slice()));
    let mut keep = |name: Name, fits: bool| {
        if !fits {
            large.push(name);
        }
        fits
    };
    patch.set.retain(|(name, values)| keep(*name, is_fit(values.as_ref())));
    patch.add.retain(|(name, values)| keep(*name, !is_out_of_bounds(values)));
}

#[cfg(test)]
mod tests {
    use identitymesh_connector::ImportedObject;
    use identitymesh_engine::stage::EXTERNAL_ID_BYTES_MAX;
    use identitymesh_model::{ATTRIBUTE_COUNT_MAX, Object, VALUE_BYTES_MAX, Value};

    use super::*;

    fn name(text: &'static str) -> Name {
        Name::literal(text)
    }

    fn object(text: &str) -> ImportedObject {
        let mut attributes = Object::new();
        attributes.set(name("sn"), "Keller");
        attributes.set(name("photo"), text);
        ImportedObject::whole(name("person"), Text::new("p1"), attributes)
    }

    #[test]
    fn a_value_at_the_bound_passes_and_one_beyond_it_costs_its_attribute() {
        let fits = "x".repeat(VALUE_BYTES_MAX);
        let admitted = admit(Change::Upsert(object(&fits)));
        assert_eq!((admitted.change, admitted.problems), (Some(Change::Upsert(object(&fits))), vec![]));

        let admitted = admit(Change::Upsert(object(&(fits + "x"))));
        let Some(Change::Upsert(left)) = admitted.change else { panic!("the object goes on") };
        assert_eq!(left.unread, [name("photo")]);
        assert_eq!(left.attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(), [name("sn")]);
        assert!(admitted.problems[0].1.contains("photo"), "{:?}", admitted.problems);
    }

    #[test]
    fn a_patch_loses_only_what_is_beyond_the_bound() {
        let huge = Value::text("x".repeat(VALUE_BYTES_MAX + 1));
        let patch = Patch {
            object_type: name("person"),
            external_id: Text::new("p1"),
            set: vec![(name("photo"), Some(Values::One(huge.clone()))), (name("sn"), None)],
            add: vec![(name("note"), vec![huge]), (name("mail"), vec![Value::text("a")])],
            remove: Vec::new(),
        };
        let admitted = admit(Change::Patch(patch));
        let Some(Change::Patch(left)) = admitted.change else { panic!("the patch goes on") };
        assert_eq!(left.set, [(name("sn"), None)]);
        assert_eq!(left.add, [(name("mail"), vec![Value::text("a")])]);
        assert_eq!(admitted.problems.len(), 2);
    }

    #[test]
    fn an_object_beyond_a_bound_stays_as_it_was_and_counts_as_seen() {
        let attributes = (0..=ATTRIBUTE_COUNT_MAX)
            .map(|at| (Name::new(&format!("a{at}")).unwrap(), Values::from("x")))
            .collect();
        let admitted =
            admit(Change::Upsert(ImportedObject::whole(name("person"), Text::new("p1"), attributes)));
        assert_eq!(admitted.change, None);
        assert_eq!(admitted.refused, Some((name("person"), Text::new("p1"))));

        let gone = |id: String| Change::Delete { object_type: name("person"), external_id: Text::from(id) };
        assert!(admit(gone("x".repeat(EXTERNAL_ID_BYTES_MAX))).change.is_some());
        for id in [String::new(), "x".repeat(EXTERNAL_ID_BYTES_MAX + 1)] {
            let admitted = admit(gone(id));
            assert!(admitted.change.is_none() && admitted.problems.len() == 1);
        }
    }
}
