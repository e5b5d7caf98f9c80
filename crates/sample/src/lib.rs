//! A believable company, made from a seed: its people, its teams, and what happens to them in a day.
//!
//! [`Company::generate`] makes the company, [`Company::write_hr_csv`] and [`Company::write_phone_book`] show
//! it as two sources that disagree here and there as real ones do, and [`Company::after_a_day`] gives the
//! company of the next day with the [`DayStory`] of all that changed. The same options give the same bytes
//! on every machine; there is no clock in here. The demonstration, the tests and the benchmark use it.

mod company;
mod day;
mod generate;
mod hr;
mod names;
mod organisation;
mod person;
mod phone;
mod phone_book;
mod rng;
mod story;
mod team;

pub use company::{COMPANY_PEOPLE_MAX, Company, Options, OptionsError, SAMPLE_MAIL_DOMAIN, default_today};
pub use hr::HrRow;
pub use person::{EmployeeId, EmployeeType, Person, Status};
pub use phone_book::{PhoneBookRecord, phone_book_id};
pub use story::{DayStory, Event, Who};
pub use team::{TEAM_MEMBERS_MAX, TEAM_MEMBERS_MIN, Team, TeamId};
