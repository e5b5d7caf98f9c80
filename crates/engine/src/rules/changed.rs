//! Which rules differ between two configurations, by the names that people know them by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::keys::{ConnectorKeys, rule_keys};
use identitymesh_model::rules::{Configuration, ConnectorConfig};

/// The rules that `after` adds, changes or leaves out, in the order of their names. A rule is called as everywhere: by
/// its name, else by what it does; scopes, limits and source policies by their connector.
#[must_use]
pub fn changed_rules(before: &Configuration, after: &Configuration) -> Vec<String> {
    let (old, new) = (texts(before), texts(after));
    let differs = |name: &&String| old.get(*name) != new.get(*name);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).filter(differs).collect();
    names.into_iter().cloned().collect()
}

/// Every rule with its content, by name.
fn texts(configuration: &Configuration) -> BTreeMap<String, String> {
    let keys = rule_keys(configuration);
    let mut out = BTreeMap::new();
    for mesh_type in &configuration.mesh.types {
        put(&mut out, format!("the mesh type {}", mesh_type.name), mesh_type);
    }
    add(&mut out, &keys.computed, &configuration.mesh.computed);
    for (config, keys) in configuration.connectors.iter().zip(&keys.connectors) {
        add_connector(&mut out, config, keys);
    }
    out
}

fn add_connector(out: &mut BTreeMap<String, String>, config: &ConnectorConfig, keys: &ConnectorKeys) {
    let name = config.connector.name;
    put(out, format!("the settings of {name}"), &config.connector);
    put(out, format!("the scope of {name}"), &config.scope);
    put(out, format!("the source policy of {name}"), &config.leave);
    add(out, &keys.join, &config.join);
    add(out, &keys.create, &config.create);
    add(out, &keys.flow, &config.flow);
    add(out, &keys.projection, &config.projection);
}

fn add<T: Debug>(out: &mut BTreeMap<String, String>, keys: &[String], rules: &[T]) {
    for (key, rule) in keys.iter().zip(rules) {
        put(out, name_of(key).to_owned(), rule);
    }
}

fn put(out: &mut BTreeMap<String, String>, name: String, rule: &impl Debug) {
    // Rules of different kinds may be called alike.
    out.entry(name).or_default().push_str(&format!("{rule:?}"));
}

/// How the rule of a key is called.
pub(super) fn name_of(key: &str) -> &str {
    key.split_once(':').map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use identitymesh_model::Name;
    use identitymesh_model::rules::{ConnectorHead, CreateRule, Limits, MeshType};

    use super::*;

    fn rule(name: Option<&str>, anchor: &str) -> CreateRule {
        CreateRule {
            name: name.map(str::to_owned),
            object_type: Name::literal("person"),
            mesh_type: Name::literal("user"),
            anchor: anchor.to_owned(),
            when: None,
        }
    }

    fn configuration(create: Vec<CreateRule>) -> Configuration {
        let connector = ConnectorHead {
            name: Name::literal("hr"),
            kind: "csv".to_owned(),
            priority: 0,
            enabled: true,
            settings: BTreeMap::new(),
            limits: Limits::default(),
        };
        let (scope, join, flow) = (Vec::new(), Vec::new(), Vec::new());
        let (leave, projection) = (Vec::new(), Vec::new());
        let known = ConnectorConfig { connector, scope, join, create, flow, leave, projection };
        Configuration { connectors: vec![known], ..Configuration::default() }
    }

    #[test]
    fn what_was_added_changed_or_left_out_is_named_and_nothing_else() {
        let before = configuration(vec![rule(Some("staff"), "id"), rule(Some("guests"), "id")]);
        assert_eq!(changed_rules(&before, &before), [""; 0]);
        let mut after = configuration(vec![rule(Some("staff"), "number"), rule(None, "id")]);
        after.mesh.types.push(MeshType { name: Name::literal("user"), attributes: Vec::new() });
        after.connectors[0].connector.priority = 3;
        let named = ["hr:guests", "hr:person>user", "hr:staff", "the mesh type user", "the settings of hr"];
        assert_eq!(changed_rules(&before, &after), named);
        assert_eq!(changed_rules(&after, &before), named);
    }

    #[test]
    fn a_rule_that_only_stands_elsewhere_in_the_file_is_the_same() {
        let rules = [rule(Some("staff"), "id"), rule(Some("guests"), "id")];
        let turned = rules.iter().rev().cloned().collect();
        assert_eq!(changed_rules(&configuration(rules.to_vec()), &configuration(turned)), [""; 0]);
    }
}
