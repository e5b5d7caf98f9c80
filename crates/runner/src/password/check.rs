//! What can be wrong with passwords in a configuration beyond the rules themselves.

use identitymesh_connector::Registry;
use identitymesh_engine::rules::RuleProblem;
use identitymesh_model::rules::Configuration;
use identitymesh_passwords::Recipient;

/// Every projection rule with passwords that its connector cannot set, or with recipients that are no keys.
pub(crate) fn password_problems(configuration: &Configuration, registry: &Registry) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    for connector in &configuration.connectors {
        let Some(kind) = registry.get(&connector.connector.kind) else { continue };
        let can = kind.descriptor().capabilities;
        for (at, rule) in (1..).zip(&connector.projection) {
            let Some(password) = &rule.password else { continue };
            let called = rule.name.clone().unwrap_or_else(|| at.to_string());
            let path = format!("connectors/{}.toml: projection {called}: password", connector.connector.name);
            let kind = &connector.connector.kind;
            if !can.set_password {
                let message = format!("a connector of type {kind} sets no passwords");
                problems.push(RuleProblem::new("PWD-007", &path, message));
            } else if password.must_change && !can.must_change_password {
                let message = format!(
                    "a connector of type {kind} has no way to have a password changed at the next sign-in; \
                     say `must_change = false` if that is meant"
                );
                problems.push(RuleProblem::new("PWD-007", &path, message));
            }
            let wrong = password.sealed_file.recipients.iter();
            let wrong = wrong.filter_map(|text| text.parse::<Recipient>().err());
            problems.extend(wrong.map(|error| {
                let text = error.to_string();
                let message = text.strip_prefix("PWD-002: ").unwrap_or(&text).to_owned();
                RuleProblem::new("PWD-002", &path, message)
            }));
        }
    }
    problems
}
