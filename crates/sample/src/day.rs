//! Turns a company into the company of the next day, and tells what happened.
//!
//! Only people whom nobody reports to move, marry or leave, each in at most one event, so the tree of managers
//! stays a tree. From fifty people on the first day has at least one event of every kind; a smaller company has
//! those it has people for. Amounts grow with the company: rates are per ten thousand people.

mod teams;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use crate::company::{Company, WHOLE_STORY_PEOPLE_MIN};
use crate::names::{Name, married_surname, random_name};
use crate::organisation::{DEPARTMENTS, LOCATIONS};
use crate::person::{EmployeeId, EmployeeType, Person, Status};
use crate::rng::{Rng, mix};
use crate::story::{DayStory, Event, Who};

const JOINERS_PER_10_000: usize = 40;
const NAMESAKES_PER_10_000: usize = 4;
const REHIRES_PER_10_000: usize = 6;
const LATE_MANAGERS_PER_10_000: usize = 4;
const MOVERS_PER_10_000: usize = 60;
const RENAMES_PER_10_000: usize = 6;
const LEAVERS_PER_10_000: usize = 24;
const MEMBERS_ADDED_PER_10_000: usize = 50;
const MEMBERS_REMOVED_PER_10_000: usize = 30;
/// How often a colleague of another department is looked for before a move is given up.
const PEER_TRIES: usize = 200;

impl Company {
    /// The company one day later, and the story of that day. `seed` decides what happens; the same company and
    /// seed always give the same day.
    pub fn after_a_day(&self, seed: u64) -> (Self, DayStory) {
        let mut day = Day::begin(self, seed);
        day.late_managers_arrive();
        day.join();
        day.namesakes_join();
        day.rehire();
        day.move_people();
        day.rename();
        day.end_contracts();
        day.leave();
        day.people_come_and_go();
        day.change_teams();
        (day.next, DayStory { day: day.today, events: day.events })
    }
}

/// The next day in the making.
struct Day<'a> {
    before: &'a Company,
    next: Company,
    today: Date,
    rng: Rng,
    /// Indices of people whom nobody reports to and whose contract goes on, as examples of where one works.
    peers: Vec<usize>,
    /// Those of them who have no event yet, in random order.
    free: Vec<usize>,
    arrivals: Vec<Person>,
    gone: HashSet<EmployeeId>,
    events: Vec<Event>,
}

/// Where somebody works.
struct Desk {
    department: u8,
    location: u8,
    manager: Option<EmployeeId>,
}

impl<'a> Day<'a> {
    fn begin(before: &'a Company, seed: u64) -> Self {
        let today = before.today.tomorrow().unwrap_or(before.today);
        let day_number = i64::from(today.day_of_year()) + 366 * i64::from(today.year());
        let mut rng = Rng::new(seed ^ mix(before.seed ^ day_number.unsigned_abs()));
        let stays = |person: &Person| {
            person.leads_nobody()
                && person.status != Status::Ended
                && person.end_date.is_none_or(|end| end >= today)
        };
        let peers: Vec<usize> = (0..before.people.len()).filter(|i| stays(&before.people[*i])).collect();
        let mut free = peers.clone();
        rng.shuffle(&mut free);
        let mut next = before.clone();
        next.today = today;
        Self { before, next, today, rng, peers, free, arrivals: vec![], gone: HashSet::new(), events: vec![] }
    }

    fn amount(&self, per_10_000: usize) -> usize {
        (self.before.people.len() * per_10_000 / 10_000).max(1)
    }

    fn late_managers_arrive(&mut self) {
        let late = std::mem::take(&mut self.next.announced);
        let mut waiting: HashMap<EmployeeId, Vec<EmployeeId>> =
            late.iter().map(|manager| (manager.employee_id, Vec::new())).collect();
        for person in &self.before.people {
            if let Some(reports) = person.manager.and_then(|manager| waiting.get_mut(&manager)) {
                reports.push(person.employee_id);
            }
        }
        for mut manager in late {
            let awaited_by = waiting.remove(&manager.employee_id).unwrap_or_default();
            manager.start_date = self.today;
            self.events.push(Event::LateManagerArrived { who: Who::from(&manager), awaited_by });
            self.arrivals.push(manager);
        }
    }

    /// Newcomers; the first few of them report to a manager who arrives only tomorrow.
    fn join(&mut self) {
        let late_count = match self.before.people.len() {
            0..WHOLE_STORY_PEOPLE_MIN => 0,
            _ => self.amount(LATE_MANAGERS_PER_10_000),
        };
        for number in 0..self.amount(JOINERS_PER_10_000) {
            let name = random_name(&mut self.rng);
            let mut person = self.newcomer(name);
            if number < late_count {
                person.manager = Some(self.announce_manager(&person));
            }
            self.events.push(Event::Joined { who: Who::from(&person), department: person.department() });
            self.arrivals.push(person);
        }
    }

    fn announce_manager(&mut self, report: &Person) -> EmployeeId {
        let name = random_name(&mut self.rng);
        let mut manager = self.newcomer(name);
        manager.department = report.department;
        manager.location = report.location;
        manager.manager = report.manager;
        manager.title = DEPARTMENTS[usize::from(report.department)].lead;
        let id = manager.employee_id;
        self.next.announced.push(manager);
        id
    }

    fn namesakes_join(&mut self) {
        for _ in 0..self.amount(NAMESAKES_PER_10_000) {
            let like = self.rng.pick(&self.before.people);
            let person = self.newcomer(Name { given: like.given_name, surname: like.surname.clone() });
            self.events
                .push(Event::NamesakeJoined { who: Who::from(&person), same_name_as: like.employee_id });
            self.arrivals.push(person);
        }
    }

    fn rehire(&mut self) {
        for _ in 0..self.amount(REHIRES_PER_10_000).min(self.next.former.len()) {
            let at = self.rng.below(self.next.former.len());
            let mut person = self.next.former.swap_remove(at);
            let desk = self.any_desk();
            self.seat(&mut person, &desk);
            person.employee_type = EmployeeType::Employee;
            person.status = Status::Active;
            person.start_date = self.today;
            person.end_date = None;
            self.events.push(Event::Rehired { who: Who::from(&person), department: person.department() });
            self.arrivals.push(person);
        }
    }

    fn move_people(&mut self) {
        for index in self.take_free(MOVERS_PER_10_000) {
            let from = self.before.people[index].department;
            let Some(desk) = self.desk_outside(from) else { continue };
            let mut person = self.next.people[index].clone();
            let desk = Desk { location: person.location, ..desk };
            self.seat(&mut person, &desk);
            let from = DEPARTMENTS[usize::from(from)].name;
            self.events.push(Event::Moved { who: Who::from(&person), from, to: person.department() });
            self.next.people[index] = person;
        }
    }

    fn rename(&mut self) {
        for index in self.take_free(RENAMES_PER_10_000) {
            let person = &mut self.next.people[index];
            let surname = married_surname(&person.surname, &mut self.rng);
            let former_surname = std::mem::replace(&mut person.surname, surname).into_owned();
            self.events.push(Event::Renamed { who: Who::from(&*person), former_surname });
        }
    }

    fn end_contracts(&mut self) {
        for person in self.next.people.iter_mut().filter(|person| person.status != Status::Ended) {
            if let Some(end_date) = person.end_date.filter(|end_date| *end_date < self.today) {
                person.status = Status::Ended;
                self.events.push(Event::ContractEnded { who: Who::from(&*person), end_date });
            }
        }
    }

    fn leave(&mut self) {
        for index in self.take_free(LEAVERS_PER_10_000) {
            let person = &self.next.people[index];
            self.events.push(Event::Left { who: Who::from(person), department: person.department() });
            self.gone.insert(person.employee_id);
            self.next.former.push(person.clone());
        }
    }

    fn people_come_and_go(&mut self) {
        self.next.people.retain(|person| !self.gone.contains(&person.employee_id));
        self.next.people.append(&mut self.arrivals);
        self.next.people.sort_by_key(Person::employee_id);
    }

    fn take_free(&mut self, per_10_000: usize) -> Vec<usize> {
        let keep = self.free.len().saturating_sub(self.amount(per_10_000));
        self.free.split_off(keep)
    }

    fn newcomer(&mut self, name: Name) -> Person {
        let desk = self.any_desk();
        let gap = self.rng.below(2);
        let mut person = Person {
            employee_id: self.next.ids.next(gap),
            given_name: name.given,
            mail_local: self.next.mail_names.claim(&name),
            surname: name.surname,
            department: 0,
            location: 0,
            title: "",
            manager: None,
            employee_type: EmployeeType::Employee,
            status: Status::Active,
            start_date: self.today,
            end_date: None,
        };
        self.seat(&mut person, &desk);
        person
    }

    fn seat(&mut self, person: &mut Person, desk: &Desk) {
        person.department = desk.department;
        person.location = desk.location;
        person.manager = desk.manager;
        person.title = self.rng.pick::<&str>(DEPARTMENTS[usize::from(desk.department)].titles);
    }

    /// A desk beside somebody; in a company of managers alone, one in any department under the chief executive.
    fn any_desk(&mut self) -> Desk {
        if let Some(peer) = (!self.peers.is_empty()).then(|| *self.rng.pick(&self.peers)) {
            return self.desk_beside(peer);
        }
        let chief = self.before.people.iter().find(|person| person.manager.is_none());
        Desk {
            department: (1 + self.rng.below(DEPARTMENTS.len() - 1)) as u8,
            location: self.rng.below(LOCATIONS.len()) as u8,
            manager: chief.map(Person::employee_id),
        }
    }

    fn desk_outside(&mut self, department: u8) -> Option<Desk> {
        (0..PEER_TRIES).map(|_| self.any_desk()).find(|desk| desk.department != department)
    }

    fn desk_beside(&self, peer: usize) -> Desk {
        let peer = &self.before.people[peer];
        Desk { department: peer.department, location: peer.location, manager: peer.manager }
    }
}
