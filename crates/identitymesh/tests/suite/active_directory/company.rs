//! A made-up company as a list, and the files in which it reaches the product.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::number::Number;

const DEPARTMENTS: [&str; 5] = ["Sales", "Research", "Operations", "People", "Finance"];
const GIVEN: [&str; 8] = ["Ana", "Ben", "Zoë", "Kai", "Mia", "Łukasz", "Noor", "Iris"];
const SURNAMES: [&str; 9] =
    ["O'Neill", "Smith, Jr", "Müller", "Lee", "de Wit", "Sørensen", "Ito", "Novák", "Diaz"];

/// Somebody, as the inputs say: the personnel file and what people typed into the directories.
pub(super) struct Person {
    pub(super) given: String,
    pub(super) surname: String,
    pub(super) department: String,
    pub(super) title: String,
    pub(super) manager: Option<usize>,
    pub(super) is_active: bool,
    /// What the personnel file says.
    pub(super) phone: Option<String>,
    /// What an administrator put into the domain.
    pub(super) office: Option<String>,
    pub(super) domain_number: Number,
    pub(super) book_number: Number,
}

/// Everybody, and who is in which team.
pub(super) struct Company {
    pub(super) people: Vec<Person>,
    /// Members by place in `people`.
    pub(super) teams: Vec<Vec<usize>>,
    /// Where administrators keep the teams' groups, relative to the domain.
    pub(super) teams_place: &'static str,
}

impl Company {
    pub(super) fn new(people: usize, teams: usize) -> Self {
        let mut company =
            Self { people: Vec::new(), teams: vec![Vec::new(); teams], teams_place: "OU=Teams" };
        for _ in 0..people {
            company.hire();
        }
        company
    }

    pub(super) fn hire(&mut self) -> usize {
        let at = self.people.len();
        self.people.push(Person {
            given: GIVEN[at % GIVEN.len()].to_owned(),
            surname: SURNAMES[at % SURNAMES.len()].to_owned(),
            department: DEPARTMENTS[at % DEPARTMENTS.len()].to_owned(),
            title: format!("Worker {}", at % 7),
            manager: at.checked_sub(1).map(|before| before / 10),
            is_active: true,
            phone: (at % 5 != 4).then(|| format!("+49 30 5550-{at}")),
            office: None,
            domain_number: Number::default(),
            book_number: Number::default(),
        });
        let teams = self.teams.len();
        self.teams[at % teams].push(at);
        self.teams[at * 7 % teams].push(at);
        at
    }

    pub(super) fn id(at: usize) -> usize {
        100_000 + at
    }

    /// Everybody who works here, by place in the list.
    pub(super) fn active(&self) -> impl Iterator<Item = (usize, &Person)> {
        self.people.iter().enumerate().filter(|(_, person)| person.is_active)
    }

    /// The personnel file, and a directory of old with the teams.
    pub(super) fn write(&self, place: &Path) {
        let mut hr = "employee_id,given_name,surname,department,title,manager_id,status,phone\n".to_owned();
        let mut teams = String::new();
        for (at, person) in self.people.iter().enumerate() {
            let Person { given, surname, department, title, .. } = person;
            let manager = person.manager.map(|at| Self::id(at).to_string()).unwrap_or_default();
            let status = if person.is_active { "active" } else { "left" };
            let phone = person.phone.as_deref().unwrap_or_default();
            let id = Self::id(at);
            writeln!(hr, "{id},{given},\"{surname}\",{department},{title},{manager},{status},{phone}")
                .unwrap();
            write!(teams, "dn: uid={id},dc=old\nobjectClass: inetOrgPerson\nuid: {id}\ncn: x\nsn: x\n\n")
                .unwrap();
        }
        for (at, members) in self.teams.iter().enumerate() {
            write!(teams, "dn: cn=team-{at:03},dc=old\nobjectClass: groupOfNames\ncn: team-{at:03}\n")
                .unwrap();
            for member in members.iter().collect::<BTreeSet<_>>() {
                writeln!(teams, "member: uid={},dc=old", Self::id(*member)).unwrap();
            }
            teams.push('\n');
        }
        std::fs::write(place.join("mesh/hr.csv"), hr).unwrap();
        std::fs::write(place.join("mesh/teams.ldif"), teams).unwrap();
    }
}
