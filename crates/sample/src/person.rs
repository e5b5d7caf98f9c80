//! One person of the sample company, as the company itself knows them.
//!
//! The two sources render a person with their own omissions and spellings; what stands here is the truth.
//! Texts that come from lists are borrowed, so that two million people fit into a few hundred megabytes.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::company::SAMPLE_MAIL_DOMAIN;
use crate::organisation::{DEPARTMENTS, LOCATIONS};

/// The lasting number of a person: six digits or more, never given to anybody else, kept by a rehire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmployeeId(pub(crate) u32);

impl EmployeeId {
    /// The number itself.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for EmployeeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl Serialize for EmployeeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether somebody is employed or under contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmployeeType {
    /// `employee`: no end date.
    Employee,
    /// `contractor`: has an end date.
    Contractor,
}

impl EmployeeType {
    /// The word of the HR file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Contractor => "contractor",
        }
    }
}

/// Whether somebody works at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// `active`.
    Active,
    /// `leave`: away for long (parents, illness), to come back.
    Leave,
    /// `ended`: a contractor whose end date is past; HR keeps the row.
    Ended,
}

impl Status {
    /// The word of the HR file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Leave => "leave",
            Self::Ended => "ended",
        }
    }
}

/// A person of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub(crate) employee_id: EmployeeId,
    pub(crate) given_name: &'static str,
    pub(crate) surname: Cow<'static, str>,
    /// Part of the mail address before the `@`; it survives a change of name.
    pub(crate) mail_local: Box<str>,
    pub(crate) department: u8,
    pub(crate) location: u8,
    pub(crate) title: &'static str,
    pub(crate) manager: Option<EmployeeId>,
    pub(crate) employee_type: EmployeeType,
    pub(crate) status: Status,
    pub(crate) start_date: Date,
    pub(crate) end_date: Option<Date>,
}

impl Person {
    /// The lasting number.
    pub fn employee_id(&self) -> EmployeeId {
        self.employee_id
    }

    /// Given name, accents included.
    pub fn given_name(&self) -> &str {
        self.given_name
    }

    /// Surname, accents included.
    pub fn surname(&self) -> &str {
        &self.surname
    }

    /// Given name, blank, surname.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name, self.surname)
    }

    /// Name of the department.
    pub fn department(&self) -> &'static str {
        DEPARTMENTS[usize::from(self.department)].name
    }

    /// Cost centre of the department, four digits.
    pub fn cost_centre(&self) -> u32 {
        DEPARTMENTS[usize::from(self.department)].cost_centre
    }

    /// Name of the town.
    pub fn location(&self) -> &'static str {
        LOCATIONS[usize::from(self.location)].name
    }

    /// What the person is called in their work.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Whom the person reports to; absent for the chief executive alone. It may name somebody whose row
    /// comes later or arrives only on the next day.
    pub fn manager(&self) -> Option<EmployeeId> {
        self.manager
    }

    /// Employed or under contract.
    pub fn employee_type(&self) -> EmployeeType {
        self.employee_type
    }

    /// Working, away or ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// First day of work (of the latest stay).
    pub fn start_date(&self) -> Date {
        self.start_date
    }

    /// Last day of work of a contractor.
    pub fn end_date(&self) -> Option<Date> {
        self.end_date
    }

    /// The mail address in its proper form, unique in the company.
    pub fn mail(&self) -> String {
        format!("{}@{SAMPLE_MAIL_DOMAIN}", self.mail_local)
    }

    /// True for the titles below the leads of a department: nobody reports to such a person, ever.
    pub(crate) fn leads_nobody(&self) -> bool {
        DEPARTMENTS[usize::from(self.department)].titles.contains(&self.title)
    }
}
