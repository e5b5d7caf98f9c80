//! What differs between two configurations, rule by rule.

use std::collections::BTreeMap;
use std::fmt;

use identitymesh_model::rules::Configuration;
use serde::Serialize;

/// What differs: each entry is a place in the configuration with its text before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// In the order of places.
    pub entries: Vec<Entry>,
}

/// One place that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Where: `hr: flow 3`.
    pub place: String,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is going to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What `after` changes about `before`.
#[must_use]
pub fn difference(before: &Configuration, after: &Configuration) -> Difference {
    let (old, new) = (places(before), places(after));
    let mut all: Vec<&String> = old.keys().chain(new.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let entries = all
        .into_iter()
        .filter(|place| old.get(*place) != new.get(*place))
        .map(|place| Entry {
            place: place.clone(),
            before: old.get(place).cloned(),
            after: new.get(place).cloned(),
        })
        .collect();
    Difference { entries }
}

fn places(configuration: &Configuration) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for mesh_type in &configuration.mesh.types {
        let value = serde_json::to_value(mesh_type).unwrap_or_default();
        for (name, kind) in value["attributes"].as_object().into_iter().flatten() {
            places.insert(format!("mesh: type {}: {name}", mesh_type.name), kind.to_string());
        }
    }
    list("mesh: computed", &configuration.mesh.computed, &mut places);
    for connector in &configuration.connectors {
        let name = connector.connector.name;
        let head = serde_json::to_value(&connector.connector).unwrap_or_default();
        for (key, value) in head.as_object().into_iter().flatten() {
            places.insert(format!("{name}: {key}"), value.to_string());
        }
        list(&format!("{name}: scope"), &connector.scope, &mut places);
        list(&format!("{name}: join"), &connector.join, &mut places);
        list(&format!("{name}: create"), &connector.create, &mut places);
        list(&format!("{name}: flow"), &connector.flow, &mut places);
        list(&format!("{name}: leave"), &connector.leave, &mut places);
        list(&format!("{name}: projection"), &connector.projection, &mut places);
    }
    places
}

/// Rules are told apart by their place in the file; those without a change of their own do not show.
fn list<T: Serialize>(place: &str, rules: &[T], places: &mut BTreeMap<String, String>) {
    for (at, rule) in rules.iter().enumerate() {
        let text = serde_json::to_string(rule).unwrap_or_default();
        places.insert(format!("{place} {:03}", at + 1), text);
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return f.write_str("the configuration is the same");
        }
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            match (&entry.before, &entry.after) {
                (None, Some(after)) => write!(f, "+ {}: {after}", entry.place)?,
                (Some(before), None) => write!(f, "- {}: {before}", entry.place)?,
                (before, after) => {
                    let [before, after] = [before, after].map(|side| side.as_deref().unwrap_or_default());
                    write!(f, "~ {}: {after}\n    was {before}", entry.place)?;
                }
            }
        }
        Ok(())
    }
}
