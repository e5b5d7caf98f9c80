//! A password for one object.

use identitymesh_connector::NewPassword;
use identitymesh_model::Object;
use identitymesh_model::rules::PasswordRule;
use identitymesh_passwords::{Avoided, PasswordError, fill_from_system, generate};

/// A new password by `rule` for an object with these attributes in the target.
pub(crate) fn make(rule: &PasswordRule, attributes: &Object) -> Result<NewPassword, PasswordError> {
    let mut password = generate(rule, &Avoided::words_of([attributes]), fill_from_system)?;
    Ok(NewPassword::new(std::mem::take(&mut *password), rule.must_change))
}
