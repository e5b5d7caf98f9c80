//! First passwords: how they are made, and how they reach the person who hands them over.

use serde::{Deserialize, Serialize};

use super::switch::{is_false, is_true, yes};
use crate::Name;

/// What the passwords of new objects of a projection rule look like and where they are delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRule {
    /// Characters in a password.
    #[serde(default = "PasswordRule::length_default")]
    pub length: u16,
    /// Which characters may be in it; at least one of each class is.
    #[serde(default = "CharacterClass::all")]
    pub classes: Vec<CharacterClass>,
    /// Characters that people take for one another (`l`, `1`, `I`, `O`, `0`) may be in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub look_alikes: bool,
    /// It has to be changed at the first sign-in.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub must_change: bool,
    /// Target attributes that stand beside the password in what is delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Name>,
    /// Where it is delivered.
    pub sealed_file: SealedFile,
}

impl PasswordRule {
    /// Fewest characters.
    pub const LENGTH_MIN: u16 = 8;
    /// Most characters.
    pub const LENGTH_MAX: u16 = 128;
    /// Most recipients of one delivery.
    pub const RECIPIENTS_MAX: usize = 20;

    const fn length_default() -> u16 {
        16
    }

    /// Everything that is wrong with the rule by itself, as sentences.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let (min, max) = (Self::LENGTH_MIN, Self::LENGTH_MAX);
        if !(min..=max).contains(&self.length) {
            problems.push(format!("`length` is {}; it has to be {min} to {max}", self.length));
        }
        if self.classes.is_empty() {
            problems.push("`classes` names no class of characters".to_owned());
        }
        let count = self.sealed_file.recipients.len();
        if !(1..=Self::RECIPIENTS_MAX).contains(&count) {
            let max = Self::RECIPIENTS_MAX;
            problems.push(format!("`sealed_file.recipients` has {count} keys; it has to be 1 to {max}"));
        }
        problems
    }
}

/// A class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CharacterClass {
    /// `a` to `z`.
    Lower,
    /// `A` to `Z`.
    Upper,
    /// `0` to `9`.
    Digit,
    /// Signs that every keyboard has and that need no escaping where passwords are pasted.
    Symbol,
}

impl CharacterClass {
    fn all() -> Vec<Self> {
        vec![Self::Lower, Self::Upper, Self::Digit, Self::Symbol]
    }
}

/// Delivery as a file that only the holders of some keys can open, one file for each delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedFile {
    /// The folder; a relative path starts at the file that says so.
    pub directory: String,
    /// Public keys of those who may open the file, as `age-keygen` prints them.
    pub recipients: Vec<String>,
}
