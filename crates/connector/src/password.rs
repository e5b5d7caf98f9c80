//! A password on its way to a connected system.

use secrecy::{ExposeSecret as _, SecretString};

/// A password that is to be set, in memory that is wiped and that nothing prints.
#[derive(Clone, Debug)]
pub struct NewPassword {
    value: SecretString,
    must_change: bool,
}

impl NewPassword {
    /// `value`, which has to be changed at the next sign-in where `must_change` says so.
    #[must_use]
    pub fn new(value: impl Into<SecretString>, must_change: bool) -> Self {
        Self { value: value.into(), must_change }
    }

    /// The password itself, for the system and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    /// Whether it has to be changed at the next sign-in. Only kinds with the capability `must_change_password` are asked
    /// for that.
    #[must_use]
    pub const fn must_change(&self) -> bool {
        self.must_change
    }
}

impl PartialEq for NewPassword {
    fn eq(&self, other: &Self) -> bool {
        (self.expose(), self.must_change) == (other.expose(), other.must_change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_it() {
        let password = NewPassword::new("Planted-4711", true);
        assert!(!format!("{password:?} {password:#?}").contains("Planted"));
        assert_eq!((password.expose(), password.must_change()), ("Planted-4711", true));
        assert_ne!(password, NewPassword::new("Planted-4711", false));
    }
}
