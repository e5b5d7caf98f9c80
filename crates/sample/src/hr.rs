//! The company as the personnel system exports it: one CSV row for each person, RFC 4180, UTF-8.
//!
//! HR knows who works where and for whom, and is careless with contact data: some mail addresses are missing
//! or carry capitals and blanks, some phone numbers are missing, none is spelt like the next. The
//! carelessness belongs to the person, so a file of the next day repeats it.

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

use crate::company::Company;
use crate::organisation::LOCATIONS;
use crate::person::Person;
use crate::phone::desk_number;
use crate::rng::mix;

/// One row of the HR file; the names of the fields are the header. An empty text is an absent value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are named as people call them")]
pub struct HrRow<'a> {
    pub employee_id: String,
    pub given_name: Cow<'a, str>,
    pub surname: Cow<'a, str>,
    pub display_name: String,
    pub department: Cow<'a, str>,
    pub title: Cow<'a, str>,
    pub location: Cow<'a, str>,
    /// Employee id; it may belong to a later row, or to nobody yet.
    pub manager_id: String,
    /// `employee` or `contractor`.
    pub employee_type: Cow<'a, str>,
    /// `active`, `leave` or `ended`.
    pub status: Cow<'a, str>,
    /// `2026-03-02`.
    pub start_date: String,
    pub end_date: String,
    pub mail: String,
    pub phone: String,
    pub cost_centre: String,
}

impl Company {
    /// The rows of the HR file, in ascending order of employee ids.
    pub fn hr_rows(&self) -> impl Iterator<Item = HrRow<'_>> {
        self.people.iter().map(|person| hr_row(self.seed, person))
    }

    /// Writes the HR file row by row; the caller brings the buffer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_hr_csv(&self, out: impl io::Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        for row in self.hr_rows() {
            writer.serialize(row).map_err(into_io_error)?;
        }
        writer.flush()
    }
}

/// Whether HR has no mail address for this person; the phone book then always has the employee id.
pub(crate) fn hr_lacks_mail(seed: u64, person: &Person) -> bool {
    mail_oddity(seed, person) < 4
}

/// The writer's own error, so that callers can tell a full disk from the rest.
fn into_io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("the HR row does not fit its header: {other:?}")),
    }
}

fn hr_row(seed: u64, person: &Person) -> HrRow<'_> {
    HrRow {
        employee_id: person.employee_id.to_string(),
        given_name: Cow::Borrowed(person.given_name),
        surname: Cow::Borrowed(&person.surname),
        display_name: person.display_name(),
        department: Cow::Borrowed(person.department()),
        title: Cow::Borrowed(person.title),
        location: Cow::Borrowed(person.location()),
        manager_id: person.manager.map(|id| id.to_string()).unwrap_or_default(),
        employee_type: Cow::Borrowed(person.employee_type.as_str()),
        status: Cow::Borrowed(person.status.as_str()),
        start_date: person.start_date.to_string(),
        end_date: person.end_date.map(|day| day.to_string()).unwrap_or_default(),
        mail: hr_mail(seed, person),
        phone: hr_phone(seed, person),
        cost_centre: person.cost_centre().to_string(),
    }
}

fn hr_mail(seed: u64, person: &Person) -> String {
    let mail = person.mail();
    match mail_oddity(seed, person) {
        0..4 => String::new(),
        4..6 => mail.to_uppercase(),
        6..8 => format!(" {mail}  "),
        8..10 => capitalised(&mail),
        _ => mail,
    }
}

fn hr_phone(seed: u64, person: &Person) -> String {
    let dice = oddity(seed, person, Oddity::HrPhone);
    if dice % 10 < 3 {
        return String::new();
    }
    desk_number(&LOCATIONS[usize::from(person.location)], person.employee_id.0, dice / 10)
}

fn mail_oddity(seed: u64, person: &Person) -> u64 {
    oddity(seed, person, Oddity::HrMail) % 100
}

fn capitalised(mail: &str) -> String {
    let mut at_word_start = true;
    mail.chars()
        .map(|letter| {
            let out = if at_word_start { letter.to_ascii_uppercase() } else { letter };
            at_word_start = !letter.is_ascii_alphanumeric();
            out
        })
        .collect()
}

/// What a source may get wrong about a person, each decided apart.
#[derive(Clone, Copy)]
pub(crate) enum Oddity {
    HrMail = 1,
    HrPhone,
    BookKey,
    BookPhone,
    BookMobile,
    BookRoom,
    BookTitle,
    BookName,
}

/// A number that belongs for ever to this person and this kind of oddity.
pub(crate) fn oddity(seed: u64, person: &Person, kind: Oddity) -> u64 {
    mix(mix(seed ^ u64::from(person.employee_id.0)).wrapping_add(kind as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_after_each_mark() {
        assert_eq!(capitalised("maria-jose.oneill2@example.com"), "Maria-Jose.Oneill2@Example.Com");
    }
}
