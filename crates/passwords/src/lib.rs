//! First passwords: made by a rule from the system's random source, sealed for those who hand them over, kept nowhere.
//!
//! Ring 2. A password lives in memory that is wiped, from being made to being sent and delivered. What leaves this crate
//! in clear is the password itself, to the caller who sends it; what it writes can be opened with a recipient's private
//! key only. `docs/passwords.md` is the whole way of a password in prose.

mod age;
mod error;
mod generate;
mod notice;
mod random;
mod sealed_file;

pub use age::Recipient;
pub use error::PasswordError;
pub use generate::{Avoided, generate};
pub use notice::Notice;
pub use random::fill_from_system;
pub use sealed_file::{check_directory, deliver};
