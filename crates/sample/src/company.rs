//! The company at the end of one day, and the options it is made from.
//!
//! People are kept in the order of their employee ids, which is the order of the HR file; since managers
//! are often hired after their reports, a row may name a manager that stands further down. Besides the
//! people at work the company remembers those who left (they may come back) and those announced as
//! managers whose own row arrives the next day.

use std::collections::HashMap;

use jiff::civil::{Date, date};

use crate::names::{Name, mail_local_part};
use crate::person::{EmployeeId, Person};
use crate::team::Team;

/// Most people a sample company can have.
pub const COMPANY_PEOPLE_MAX: usize = 2_000_000;
/// The domain of every mail address; it is reserved for examples and reaches nobody.
pub const SAMPLE_MAIL_DOMAIN: &str = "example.com";

/// Employee ids begin above this number, so that all have six digits or more.
pub(crate) const EMPLOYEE_ID_BASE: u32 = 100_000;
/// From this size on a company has everything that the story of a day needs, late managers included.
pub(crate) const WHOLE_STORY_PEOPLE_MIN: usize = 50;

const TODAY_YEAR_MIN: i16 = 1970;
const TODAY_YEAR_MAX: i16 = 2200;

/// The day on which a sample company stands unless told otherwise: Monday, 2 March 2026.
pub const fn default_today() -> Date {
    date(2026, 3, 2)
}

/// What a company is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many people the HR file lists, 1 to [`COMPANY_PEOPLE_MAX`].
    pub people: usize,
    /// Any number; another seed gives other people.
    pub seed: u64,
    /// The day on which the files are written, in the years 1970 to 2200.
    pub today: Date,
}

impl Default for Options {
    fn default() -> Self {
        Self { people: 5_000, seed: 1, today: default_today() }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        if self.people == 0 || self.people > COMPANY_PEOPLE_MAX {
            return Err(OptionsError::People { people: self.people });
        }
        if !(TODAY_YEAR_MIN..=TODAY_YEAR_MAX).contains(&self.today.year()) {
            return Err(OptionsError::Today { today: self.today });
        }
        Ok(())
    }
}

/// Options outside their bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// SMP-001
    #[error("a sample company has 1 to {COMPANY_PEOPLE_MAX} people, not {people}")]
    People {
        /// The number asked for.
        people: usize,
    },
    /// SMP-002
    #[error(
        "the day of a sample company lies in the years {TODAY_YEAR_MIN} to {TODAY_YEAR_MAX}, not on {today}"
    )]
    Today {
        /// The day asked for.
        today: Date,
    },
}

impl OptionsError {
    /// The stable code with a page in `docs/error-codes/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::People { .. } => "SMP-001",
            Self::Today { .. } => "SMP-002",
        }
    }
}

/// A company at the end of one day.
#[derive(Debug, Clone)]
pub struct Company {
    pub(crate) seed: u64,
    pub(crate) today: Date,
    /// In ascending order of employee ids.
    pub(crate) people: Vec<Person>,
    /// Managers whom people already name and whose own row arrives the next day.
    pub(crate) announced: Vec<Person>,
    /// People who left and may come back.
    pub(crate) former: Vec<Person>,
    pub(crate) teams: Vec<Team>,
    pub(crate) ids: EmployeeIds,
    pub(crate) mail_names: MailNames,
}

impl Company {
    /// The day on which the files are written.
    pub fn today(&self) -> Date {
        self.today
    }

    /// Everybody whom HR lists, in ascending order of employee ids.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The teams and distribution lists of the phone book.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// The person with this employee id, if HR lists them.
    pub fn person(&self, employee_id: EmployeeId) -> Option<&Person> {
        let at = self.people.binary_search_by_key(&employee_id, Person::employee_id).ok()?;
        self.people.get(at)
    }
}

/// Hands out employee ids in ascending order, with gaps as real ones have.
#[derive(Debug, Clone)]
pub(crate) struct EmployeeIds {
    last: u32,
}

impl EmployeeIds {
    pub(crate) fn new() -> Self {
        Self { last: EMPLOYEE_ID_BASE }
    }

    pub(crate) fn next(&mut self, gap: usize) -> EmployeeId {
        self.last += 1 + gap as u32;
        EmployeeId(self.last)
    }
}

/// How many people each mail name has been given to, so that namesakes get `anna.berg2`, `anna.berg3`.
#[derive(Debug, Clone, Default)]
pub(crate) struct MailNames(HashMap<String, u32>);

impl MailNames {
    /// A local part that nobody has had before. Names hold no digits, so a numbered one cannot collide.
    pub(crate) fn claim(&mut self, name: &Name) -> Box<str> {
        let local = mail_local_part(name.given, &name.surname);
        if let Some(count) = self.0.get_mut(&local) {
            *count += 1;
            return format!("{local}{count}").into_boxed_str();
        }
        self.0.insert(local.clone(), 1);
        local.into_boxed_str()
    }
}
