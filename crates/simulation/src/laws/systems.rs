//! What the directory holds at every moment.

use std::collections::BTreeSet;

use identitymesh_model::Value;

use super::{Scene, Targets, Verdict, broken, owner};
use crate::outside::id;
use crate::systems::name;

pub(super) fn check(targets: &Targets, scene: &Scene<'_>, served: &mut BTreeSet<usize>) -> Verdict {
    nobody_has_two_accounts(targets, scene)?;
    nobody_who_stayed_lost_anything(targets, scene, served)
}

fn nobody_has_two_accounts(targets: &Targets, scene: &Scene<'_>) -> Verdict {
    for (kind, attributes) in [("account", &["uid", "login", "dn"][..]), ("group", &["cn", "dn"][..])] {
        for attribute in attributes {
            let mut seen = BTreeSet::new();
            for object in targets.directory(name(kind)) {
                let value = object.attributes.single(name(attribute)).map(Value::to_string);
                let is_second = value.is_none() || !seen.insert(value.clone());
                // Whom somebody parted from an account may get another, and whom somebody merged has both.
                if is_second && (*attribute == "login" || !scene.said.is_by_hand(&owner(object))) {
                    return broken(
                        "nobody has two accounts, and no two have the same name",
                        format_args!("{kind} {attribute} {value:?}"),
                    );
                }
            }
        }
    }
    Ok(())
}

/// Whoever HR has known and called active since the first day keeps the account that was made for them, enabled.
fn nobody_who_stayed_lost_anything(
    targets: &Targets,
    scene: &Scene<'_>,
    served: &mut BTreeSet<usize>,
) -> Verdict {
    for (who, person) in &scene.outside.people {
        let anchor = id(*who);
        let account = targets.directory(name("account")).find(|object| owner(object) == anchor);
        if person.is_steady && !person.is_removed {
            let off = Value::text("off");
            let is_off = account.is_some_and(|it| it.attributes.single(name("state")) == Some(&off));
            let is_gone = account.is_none() && served.contains(who);
            if is_off || is_gone {
                let what = if is_off { "disabled" } else { "removed" };
                return broken("nobody who stayed loses anything", format_args!("{anchor} was {what}"));
            }
        }
        if account.is_some() {
            served.insert(*who);
        }
    }
    Ok(())
}
