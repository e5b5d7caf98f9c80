//! Checking connectors against their types: settings, secrets, limits, names.

use std::path::Path;

use identitymesh_connector::{Registry, SettingKind};
use identitymesh_model::rules::ConnectorConfig;
use serde_json::Value as Json;

use crate::{ConfigProblem, Loaded};

/// Everything that is wrong with the connectors of a configuration, beyond their form.
#[must_use]
pub fn check(loaded: &Loaded, registry: &Registry) -> Vec<ConfigProblem> {
    let names: Vec<_> = loaded.configuration.connectors.iter().map(|known| known.connector.name).collect();
    let mut problems = Vec::new();
    for connector in &loaded.configuration.connectors {
        let base = loaded.bases.get(&connector.connector.name).map_or(Path::new("."), |base| base.as_path());
        let mut add = |code, path: String, message: String| {
            let file = format!("connectors/{}.toml", connector.connector.name);
            problems.push(ConfigProblem { code, file, line: None, path, message });
        };
        settings(connector, base, registry, &mut add);
        limits(connector, &mut add);
        for (at, leave) in connector.leave.iter().enumerate() {
            for name in leave.authoritative.iter().filter(|name| !names.contains(name)) {
                add("CFG-012", format!("leave[{at}].authoritative"), format!("there is no connector {name}"));
            }
        }
    }
    problems
}

fn settings(
    connector: &ConnectorConfig,
    base: &Path,
    registry: &Registry,
    add: &mut impl FnMut(&'static str, String, String),
) {
    let head = &connector.connector;
    let Some(kind) = registry.get(&head.kind) else {
        let known: Vec<&str> = registry.iter().map(|kind| kind.descriptor().kind).collect();
        let message = format!("there is no connector type {:?}; there are {}", head.kind, known.join(", "));
        add("CFG-010", "connector.type".to_owned(), message);
        return;
    };
    if let Err(problems) = kind.prepare(&head.settings, base) {
        for problem in problems {
            add("CFG-011", format!("connector.{}", problem.path), problem.message);
        }
    }
    for setting in
        kind.descriptor().settings.settings.iter().filter(|known| known.kind == SettingKind::Secret)
    {
        let written = head.settings.get(setting.name).and_then(Json::as_str);
        if written.is_some_and(|text| !is_reference(text)) {
            let message = format!(
                "a secret may not stand in a file; set it with `identitymesh secrets set {}/{}` and write \
                 \"{{{{secret:{}/{}}}}}\" here",
                head.name.folded(),
                setting.name,
                head.name.folded(),
                setting.name
            );
            add("CFG-013", format!("connector.settings.{}", setting.name), message);
        }
    }
}

fn is_reference(text: &str) -> bool {
    (text.starts_with("{{secret:") && text.ends_with("}}"))
        || text.starts_with("secret://")
        || text.is_empty()
}

fn limits(connector: &ConnectorConfig, add: &mut impl FnMut(&'static str, String, String)) {
    for (at, within) in connector.connector.limits.within.iter().enumerate() {
        if let Some(problem) = within.problem() {
            add("CFG-014", format!("connector.limits.within[{at}]"), problem.to_owned());
        }
    }
    for (name, limit) in connector.connector.limits.written() {
        if let Some(percent) = limit.percent.filter(|percent| *percent > 100) {
            add("CFG-014", format!("connector.limits.{name}.percent"), format!("{percent} is more than 100"));
        }
    }
}
