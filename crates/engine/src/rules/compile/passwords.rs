//! Passwords in projection rules: those made by a rule are checked, those given by an expression are refused.

use identitymesh_model::rules::{PasswordRule, ProjectionRule};
use identitymesh_model::{Name, ObjectSchema};

use super::compiler::Compiler;

/// Attributes of passwords that directories take and never show, so that nothing could be compared and everything would
/// be kept in clear on the way.
const PASSWORD_ATTRIBUTES: [&str; 2] = ["unicodePwd", "userPassword"];

/// Whether a value of this attribute is a password.
fn is_password(name: Name) -> bool {
    PASSWORD_ATTRIBUTES.iter().any(|known| name.as_str().eq_ignore_ascii_case(known))
}

impl Compiler<'_> {
    /// Checks what one projection rule says of passwords; what is sound of it.
    pub(super) fn password_rule(
        &mut self,
        rule: &ProjectionRule,
        schema: Option<&ObjectSchema>,
        path: &str,
    ) -> Option<PasswordRule> {
        for attribute in rule.attributes.iter().filter(|attribute| is_password(attribute.target)) {
            let message = format!(
                "{} is a password: a rule would keep it in clear in the queue, the management space and the history; \
                 use a [projection.password] table, which makes one when the object is sent and keeps it nowhere",
                attribute.target
            );
            self.problem("PWD-006", &format!("{path}: attribute {}", attribute.target), message);
        }
        let password = rule.password.as_ref()?;
        let path = format!("{path}: password");
        for problem in password.problems() {
            self.problem("PWD-007", &path, problem);
        }
        if !rule.create {
            let message =
                "the rule creates nothing (`create = false`), so no object of it gets a first password";
            self.problem("PWD-007", &path, message);
        }
        for name in &password.include {
            if schema.is_some_and(|schema| schema.attribute(*name).is_none()) {
                let message = format!("`include`: the target's {} has no attribute {name}", rule.object_type);
                self.problem("PWD-007", &path, message);
            }
        }
        Some(password.clone())
    }
}
