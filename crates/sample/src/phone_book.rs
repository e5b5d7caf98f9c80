//! The company as the phone system exports it: JSON lines of people and teams.
//!
//! The phone book has its own ids, knows no dates and no managers, and disagrees here and there with HR:
//! titles are old, surnames shout or have lost their accents. Where an employee id is missing, HR has the mail
//! address, so that everybody can be joined by one or the other. It keeps contractors whose time is over.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::company::Company;
use crate::hr::{Oddity, hr_lacks_mail, oddity};
use crate::names::without_accents;
use crate::organisation::{DEPARTMENTS, LOCATIONS};
use crate::person::{EmployeeId, Person};
use crate::phone::{desk_number, mobile_number};
use crate::team::{Team, TeamId};

const EMPLOYEE_ID_MISSING_PERCENT: u64 = 6;
const OTHER_TITLE_PERCENT: u64 = 10;
const MOBILE_PERCENT: u64 = 60;

/// One line of the phone book. Absent values are absent members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the members are named as people call them")]
pub enum PhoneBookRecord<'a> {
    /// Somebody with a phone.
    Person {
        /// The phone book's own id, kept for ever: `P-1a2b3c4d`.
        id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        employee_id: Option<EmployeeId>,
        given_name: Cow<'a, str>,
        surname: Cow<'a, str>,
        mail: String,
        phone: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        mobile: Option<String>,
        room: String,
        title: &'static str,
    },
    /// A team or distribution list.
    Team {
        id: TeamId,
        name: &'a str,
        /// The owner's id in the phone book.
        owner: String,
        /// The members' ids in the phone book.
        members: Vec<String>,
    },
}

impl Company {
    /// The records of the phone book: people in the order of the HR file, then teams.
    pub fn phone_book_records(&self) -> impl Iterator<Item = PhoneBookRecord<'_>> {
        let people = self.people.iter().map(|person| person_record(self.seed, person));
        people.chain(self.teams.iter().map(team_record))
    }

    /// Writes the phone book line by line; the caller brings the buffer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_phone_book(&self, mut out: impl io::Write) -> io::Result<()> {
        for record in self.phone_book_records() {
            serde_json::to_writer(&mut out, &record)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

/// The id that the phone book has for a person.
#[must_use]
pub fn phone_book_id(employee_id: EmployeeId) -> String {
    // An odd factor maps numbers to numbers one to one, so no two people share an id.
    format!("P-{:08x}", employee_id.0.wrapping_mul(0x9e37_79b1))
}

fn person_record(seed: u64, person: &Person) -> PhoneBookRecord<'_> {
    let number = person.employee_id.0;
    let location = &LOCATIONS[usize::from(person.location)];
    let lacks_key = oddity(seed, person, Oddity::BookKey) % 100 < EMPLOYEE_ID_MISSING_PERCENT;
    let mobile = oddity(seed, person, Oddity::BookMobile);
    let room = oddity(seed, person, Oddity::BookRoom);
    PhoneBookRecord::Person {
        id: phone_book_id(person.employee_id),
        employee_id: (!lacks_key || hr_lacks_mail(seed, person)).then_some(person.employee_id),
        given_name: book_spelling(seed, person, person.given_name),
        surname: book_spelling(seed, person, &person.surname),
        mail: person.mail(),
        phone: desk_number(location, number, oddity(seed, person, Oddity::BookPhone)),
        mobile: (mobile % 100 < MOBILE_PERCENT).then(|| mobile_number(location, number, mobile / 100)),
        room: format!("{}{}.{:03}", ["A", "B", "C", "D"][(room % 4) as usize], room / 4 % 6, room / 24 % 200),
        title: book_title(seed, person),
    }
}

fn team_record(team: &Team) -> PhoneBookRecord<'_> {
    let members = team.members.iter().copied().map(phone_book_id).collect();
    PhoneBookRecord::Team { id: team.id, name: &team.name, owner: phone_book_id(team.owner), members }
}

fn book_spelling<'a>(seed: u64, person: &Person, name: &'a str) -> Cow<'a, str> {
    match oddity(seed, person, Oddity::BookName) % 100 {
        0..6 => Cow::Owned(name.to_uppercase()),
        6..18 => Cow::Owned(without_accents(name)),
        _ => Cow::Borrowed(name),
    }
}

fn book_title(seed: u64, person: &Person) -> &'static str {
    let dice = oddity(seed, person, Oddity::BookTitle);
    if dice % 100 < OTHER_TITLE_PERCENT && person.leads_nobody() {
        let titles = DEPARTMENTS[usize::from(person.department)].titles;
        return titles[(dice / 100) as usize % titles.len()];
    }
    person.title
}
