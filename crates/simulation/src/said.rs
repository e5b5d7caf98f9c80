//! What the product was told or ordered that the systems and the rules alone do not explain: decisions of people, and
//! sources that lied.
//!
//! A decision holds against the rules for as long as nothing new comes up, so whoever one is about is left out where the
//! end of a life is compared with the rules. Everything else still holds for them.

use std::collections::BTreeSet;

use identitymesh_connector::ImportedObject;
use identitymesh_model::{Name, Text, Value};

use crate::outside::Outside;
use crate::systems::name;

/// Most objects of a type that an import of so few may take as gone without a person.
pub(crate) const GONE_MAX: usize = 10;

/// What was told and ordered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Anchors of those about whom somebody decided.
    by_hand: BTreeSet<String>,
    /// Objects of HR that a source withheld, so few that the guard had no reason to ask.
    withheld: BTreeSet<(Name, Text)>,
}

impl Said {
    /// Somebody decides about the person or team with this anchor.
    pub(crate) fn decide_about(&mut self, anchor: &str, outside: &mut Outside) {
        self.by_hand.insert(anchor.to_owned());
        outside.is_not_steady(anchor);
    }

    /// Whether somebody decided about this person or team.
    pub(crate) fn is_by_hand(&self, anchor: &str) -> bool {
        self.by_hand.contains(anchor)
    }

    /// Whether HR withheld the object and was rightly believed.
    pub(crate) fn is_withheld(&self, object_type: Name, external_id: &Text) -> bool {
        self.withheld.contains(&(object_type, external_id.clone()))
    }

    /// HR is about to show every second row. `known` is what the product knows of it. Where so few are missing that no
    /// person is asked, they count as gone, as they would in truth.
    pub(crate) fn half_is_shown(
        &mut self,
        rows: &[ImportedObject],
        known: &[(Name, Text)],
        outside: &mut Outside,
    ) {
        for object_type in [name("person"), name("team")] {
            let rows = rows.iter().filter(|row| row.object_type == object_type);
            let shown: BTreeSet<&Text> = rows.step_by(2).map(|row| &row.external_id).collect();
            let of_type = known.iter().filter(|(of, _)| *of == object_type);
            let missing: Vec<&Text> = of_type.map(|(_, id)| id).filter(|id| !shown.contains(id)).collect();
            // What somebody rejected before stays, and is not counted.
            if missing.iter().filter(|id| !self.is_by_hand(id)).count() <= GONE_MAX {
                for id in missing {
                    self.withheld.insert((object_type, id.clone()));
                    outside.is_not_steady(id);
                }
            }
        }
    }

    /// HR is about to show each person with the row of the next.
    pub(crate) fn rows_are_shuffled(rows: &[ImportedObject], outside: &mut Outside) {
        let people: Vec<&ImportedObject> =
            rows.iter().filter(|row| row.object_type == name("person")).collect();
        for (told, row) in people.iter().zip(people.iter().cycle().skip(1)) {
            if row.attributes.single(name("active")) != Some(&Value::from(true)) {
                outside.is_not_steady(&told.external_id);
            }
        }
    }
}
