//! What happens in a company in a day, in words that a demonstration can print and a test can count.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use crate::person::{EmployeeId, Person};
use crate::team::TeamId;

/// Somebody in a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// The lasting number.
    pub employee_id: EmployeeId,
    /// The display name.
    pub name: String,
}

impl From<&Person> for Who {
    fn from(person: &Person) -> Self {
        Self { employee_id: person.employee_id, name: person.display_name() }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.employee_id)
    }
}

/// One thing that happened. A person has at most one event other than `TeamChanged` in a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Somebody new; the row is new in both sources.
    Joined {
        /// The newcomer.
        who: Who,
        /// Where they start.
        department: &'static str,
    },
    /// Somebody new whose given name and surname somebody else has already.
    NamesakeJoined {
        /// The newcomer.
        who: Who,
        /// Who had the name before.
        same_name_as: EmployeeId,
    },
    /// Somebody who left earlier comes back under the old employee id.
    Rehired {
        /// The one who is back.
        who: Who,
        /// Where they start now.
        department: &'static str,
    },
    /// A manager arrives whom the rows of the day before named already.
    LateManagerArrived {
        /// The manager.
        who: Who,
        /// Everybody whose row named the manager while they were missing.
        awaited_by: Vec<EmployeeId>,
    },
    /// Somebody changes department, and with it title and manager.
    Moved {
        /// The mover.
        who: Who,
        /// The old department.
        from: &'static str,
        /// The new department.
        to: &'static str,
    },
    /// Somebody marries and takes another surname; the mail address stays.
    Renamed {
        /// The person, under the new name.
        who: Who,
        /// The surname of the day before.
        former_surname: String,
    },
    /// A contract's last day is over: HR says so, the phone book does not.
    ContractEnded {
        /// The contractor.
        who: Who,
        /// The last day.
        end_date: Date,
    },
    /// Somebody leaves; the row is gone from both sources, and so is every membership.
    Left {
        /// The leaver.
        who: Who,
        /// Where they worked.
        department: &'static str,
    },
    /// A team gains or loses members, or gets another owner because the old one left.
    TeamChanged {
        /// The team.
        team: TeamId,
        /// Its name.
        name: String,
        /// New members.
        added: Vec<EmployeeId>,
        /// Members no more, leavers included.
        removed: Vec<EmployeeId>,
        /// The new owner, if there is one.
        owner: Option<EmployeeId>,
    },
}

impl Event {
    /// The kind of event as one word, the same as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Joined { .. } => "joined",
            Self::NamesakeJoined { .. } => "namesake_joined",
            Self::Rehired { .. } => "rehired",
            Self::LateManagerArrived { .. } => "late_manager_arrived",
            Self::Moved { .. } => "moved",
            Self::Renamed { .. } => "renamed",
            Self::ContractEnded { .. } => "contract_ended",
            Self::Left { .. } => "left",
            Self::TeamChanged { .. } => "team_changed",
        }
    }

    /// The person it happened to; none for a team.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Self::Joined { who, .. }
            | Self::NamesakeJoined { who, .. }
            | Self::Rehired { who, .. }
            | Self::LateManagerArrived { who, .. }
            | Self::Moved { who, .. }
            | Self::Renamed { who, .. }
            | Self::ContractEnded { who, .. }
            | Self::Left { who, .. } => Some(who),
            Self::TeamChanged { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { who, department } => write!(f, "{who} joins {department}"),
            Self::NamesakeJoined { who, same_name_as } => {
                write!(f, "{who} joins and has the same name as {same_name_as}")
            }
            Self::Rehired { who, department } => {
                write!(f, "{who} comes back, to {department}, with the old employee id")
            }
            Self::LateManagerArrived { who, awaited_by } => {
                write!(
                    f,
                    "{who} arrives, named as manager by {} since yesterday",
                    counted(awaited_by.len(), "row")
                )
            }
            Self::Moved { who, from, to } => write!(f, "{who} moves from {from} to {to}"),
            Self::Renamed { who, former_surname } => {
                write!(f, "{who} was called {former_surname} until today")
            }
            Self::ContractEnded { who, end_date } => write!(f, "{who} had a contract until {end_date}"),
            Self::Left { who, department } => write!(f, "{who} leaves {department}"),
            Self::TeamChanged { team, name, added, removed, owner } => {
                write!(
                    f,
                    "{name} ({team}) gains {} and loses {}",
                    counted(added.len(), "member"),
                    removed.len()
                )?;
                match owner {
                    Some(owner) => write!(f, "; {owner} owns it now"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// All that happened between two days; it explains every difference between their files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayStory {
    /// The later of the two days.
    pub day: Date,
    /// In the order of the kinds above, people in random order.
    pub events: Vec<Event>,
}

impl DayStory {
    /// How many events of each kind there were.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for event in &self.events {
            *counts.entry(event.kind()).or_default() += 1;
        }
        counts
    }

    /// The events of one kind, by the word of [`Event::kind`].
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.kind() == kind)
    }
}

impl fmt::Display for DayStory {
    /// One sentence on each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}
