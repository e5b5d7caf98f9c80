//! A made-up company as a list, as the files that the product reads, and as the entries that should come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use identitymesh_testkit::real::SambaAd;

const DEPARTMENTS: [&str; 5] = ["Sales", "Research", "Operations", "People", "Finance"];
const GIVEN: [&str; 8] = ["Ana", "Ben", "Zoë", "Kai", "Mia", "Łukasz", "Noor", "Iris"];
const SURNAMES: [&str; 9] =
    ["O'Neill", "Smith, Jr", "Müller", "Lee", "de Wit", "Sørensen", "Ito", "Novák", "Diaz"];

/// What is compared of an entry.
pub(super) type Entry = BTreeMap<String, BTreeSet<String>>;

pub(super) struct Person {
    pub(super) given: String,
    pub(super) surname: String,
    pub(super) department: String,
    pub(super) title: String,
    pub(super) manager: Option<usize>,
    pub(super) is_active: bool,
}

pub(super) struct Company {
    pub(super) people: Vec<Person>,
    /// Members by place in `people`.
    pub(super) teams: Vec<Vec<usize>>,
}

impl Company {
    pub(super) fn new(people: usize, teams: usize) -> Self {
        let mut company = Self { people: Vec::new(), teams: vec![Vec::new(); teams] };
        for _ in 0..people {
            company.hire();
        }
        company
    }

    pub(super) fn hire(&mut self) {
        let at = self.people.len();
        self.people.push(Person {
            given: GIVEN[at % GIVEN.len()].to_owned(),
            surname: SURNAMES[at % SURNAMES.len()].to_owned(),
            department: DEPARTMENTS[at % DEPARTMENTS.len()].to_owned(),
            title: format!("Worker {}", at % 7),
            manager: at.checked_sub(1).map(|before| before / 10),
            is_active: true,
        });
        let teams = self.teams.len();
        self.teams[at % teams].push(at);
        self.teams[at * 7 % teams].push(at);
    }

    pub(super) fn id(&self, at: usize) -> usize {
        100_000 + at
    }

    pub(super) fn password(&self, at: usize) -> String {
        format!("Start-{}", self.id(at))
    }

    /// The personnel file, and a directory of old with the teams.
    pub(super) fn write(&self, place: &Path) {
        let mut hr = "employee_id,given_name,surname,department,title,manager_id,status\n".to_owned();
        let mut teams = String::new();
        for (at, person) in self.people.iter().enumerate() {
            let Person { given, surname, department, title, .. } = person;
            let manager = person.manager.map(|at| self.id(at).to_string()).unwrap_or_default();
            let status = if person.is_active { "active" } else { "left" };
            let id = self.id(at);
            writeln!(hr, "{id},{given},\"{surname}\",{department},{title},{manager},{status}").unwrap();
            write!(teams, "dn: uid={id},dc=old\nobjectClass: inetOrgPerson\nuid: {id}\ncn: x\nsn: x\n\n")
                .unwrap();
        }
        for (at, members) in self.teams.iter().enumerate() {
            write!(teams, "dn: cn=team-{at:03},dc=old\nobjectClass: groupOfNames\ncn: team-{at:03}\n")
                .unwrap();
            for member in members.iter().collect::<BTreeSet<_>>() {
                writeln!(teams, "member: uid={},dc=old", self.id(*member)).unwrap();
            }
            teams.push('\n');
        }
        std::fs::write(place.join("mesh/hr.csv"), hr).unwrap();
        std::fs::write(place.join("mesh/teams.ldif"), teams).unwrap();
    }

    fn dn(&self, at: usize, base: &str) -> String {
        let person = &self.people[at];
        let name = format!("{} {} {}", person.given, person.surname, self.id(at)).replace(',', "\\,");
        let place = if person.is_active {
            format!("OU={},OU=Staff", person.department)
        } else {
            "OU=Leavers".to_owned()
        };
        format!("CN={name},{place},{base}")
    }

    /// What the domain should hold.
    pub(super) fn expected(&self, base: &str) -> BTreeMap<String, Entry> {
        let mut expected = BTreeMap::new();
        for (at, person) in self.people.iter().enumerate() {
            let mut entry = Entry::new();
            let id = self.id(at);
            let mut set =
                |name: &str, value: String| drop(entry.insert(name.to_owned(), BTreeSet::from([value])));
            set("sAMAccountName", format!("p{id}"));
            set("userPrincipalName", format!("p{id}@mesh.test"));
            set("employeeID", id.to_string());
            set("givenName", person.given.clone());
            set("sn", person.surname.clone());
            set("displayName", format!("{} {}", person.given, person.surname));
            set("department", person.department.clone());
            set("title", person.title.clone());
            set("userAccountControl", if person.is_active { "512" } else { "514" }.to_owned());
            if let Some(manager) = person.manager {
                set("manager", self.dn(manager, base));
            }
            expected.insert(self.dn(at, base), entry);
        }
        for (at, members) in self.teams.iter().enumerate() {
            let members = members.iter().map(|member| self.dn(*member, base)).collect();
            let mut entry =
                Entry::from([("sAMAccountName".to_owned(), BTreeSet::from([format!("team-{at:03}")]))]);
            entry.insert("member".to_owned(), members);
            expected.insert(format!("CN=team-{at:03},OU=Teams,{base}"), entry);
        }
        expected
    }

    /// What the domain holds.
    pub(super) fn read(&self, ad: &SambaAd) -> BTreeMap<String, Entry> {
        let wanted = [
            "sAMAccountName",
            "userPrincipalName",
            "employeeID",
            "givenName",
            "sn",
            "displayName",
            "department",
            "title",
            "userAccountControl",
            "manager",
            "member",
        ];
        let mut found = BTreeMap::new();
        for place in ["OU=Staff", "OU=Leavers", "OU=Teams"] {
            // A container that nobody needed yet is not there.
            let filter = "(|(&(objectCategory=person)(objectClass=user))(objectCategory=group))";
            let Ok(entries) = ad.search(&format!("{place},{}", ad.base), filter, &wanted) else { continue };
            for (dn, attributes) in entries {
                let texts =
                    |values: Vec<Vec<u8>>| values.into_iter().map(|value| String::from_utf8(value).unwrap());
                let entry =
                    attributes.into_iter().map(|(name, values)| (name, texts(values).collect())).collect();
                found.insert(dn, entry);
            }
        }
        found
    }
}
