//! Makes a company: a tree of managers first, then a person for each place in it, then teams.
//!
//! The places of a department form a tree in which each manager has up to `REPORTS_MAX` reports; place zero is the
//! chief executive, to whom the heads of departments report. A manager's place has always a smaller number
//! than those of the reports, so there is no cycle. Employee ids are dealt to the places in random order,
//! so a manager's row is as likely to come after a report's as before it.

mod hierarchy;
mod teams;

use std::collections::HashSet;

use jiff::ToSpan;
use jiff::civil::Date;

use self::hierarchy::{Hierarchy, Rank};
use crate::company::{Company, EmployeeIds, MailNames, Options, OptionsError, WHOLE_STORY_PEOPLE_MIN};
use crate::names::random_name;
use crate::organisation::{DEPARTMENTS, LOCATIONS};
use crate::person::{EmployeeId, EmployeeType, Person, Status};
use crate::rng::Rng;

/// People per late manager, and per person who left and may come back.
const PEOPLE_PER_LATE_MANAGER: usize = 2_500;
const PEOPLE_PER_FORMER: usize = 100;
const CONTRACTOR_PERCENT: usize = 10;
const LEAVE_PERCENT: usize = 2;
const REHIRED_PERCENT: usize = 1;
/// The oldest employee was hired about this many days ago.
const SENIORITY_DAYS_MAX: usize = 9_000;
const CONTRACT_ENDED_DAYS_MAX: usize = 45;
const CONTRACT_TO_RUN_DAYS_MAX: usize = 180;

impl Company {
    /// The company of these options; the same options always give the same company.
    ///
    /// # Errors
    /// [`OptionsError`] when an option is out of its bounds.
    pub fn generate(options: &Options) -> Result<Self, OptionsError> {
        options.check()?;
        let mut rng = Rng::new(options.seed);
        let cast = Cast::choose(options.people, &mut rng);
        let mut company = Self {
            seed: options.seed,
            today: options.today,
            people: Vec::with_capacity(options.people),
            announced: Vec::new(),
            former: Vec::new(),
            teams: Vec::new(),
            ids: EmployeeIds::new(),
            mail_names: MailNames::default(),
        };
        company.hire_everybody(&cast, &mut rng);
        if options.people >= WHOLE_STORY_PEOPLE_MIN {
            company.let_a_contract_end_today();
        }
        company.teams = teams::found_teams(&company.people, &mut rng);
        Ok(company)
    }

    fn hire_everybody(&mut self, cast: &Cast, rng: &mut Rng) {
        let place_count = cast.hierarchy.place_count();
        let mut hiring_order: Vec<usize> = (0..place_count).collect();
        rng.shuffle(&mut hiring_order);
        let mut id_of_place = vec![EmployeeId(0); place_count];
        for place in &hiring_order {
            id_of_place[*place] = self.ids.next(rng.below(2));
        }
        for (hired_before, place) in hiring_order.into_iter().enumerate() {
            let seniority_days =
                (place_count - hired_before) * SENIORITY_DAYS_MAX / place_count + rng.below(30);
            let person = self.hire(cast, place, &id_of_place, seniority_days, rng);
            if cast.late.contains(&place) {
                self.announced.push(person);
            } else if cast.former.contains(&place) {
                self.former.push(person);
            } else {
                self.people.push(person);
            }
        }
    }

    fn hire(
        &mut self,
        cast: &Cast,
        place: usize,
        id_of_place: &[EmployeeId],
        seniority_days: usize,
        rng: &mut Rng,
    ) -> Person {
        let name = random_name(rng);
        let department = cast.hierarchy.department(place);
        let rank = cast.hierarchy.rank(place);
        let mut person = Person {
            employee_id: id_of_place[place],
            given_name: name.given,
            mail_local: self.mail_names.claim(&name),
            surname: name.surname,
            department: department as u8,
            location: rng.below(LOCATIONS.len()) as u8,
            title: match rank {
                Rank::Head => DEPARTMENTS[department].head,
                Rank::Lead => DEPARTMENTS[department].lead,
                Rank::Member => rng.pick::<&str>(DEPARTMENTS[department].titles),
            },
            manager: cast.hierarchy.manager(place).map(|manager| id_of_place[manager]),
            employee_type: EmployeeType::Employee,
            status: if rng.percent(LEAVE_PERCENT) { Status::Leave } else { Status::Active },
            start_date: days_before(self.today, seniority_days),
            end_date: None,
        };
        if rank == Rank::Member && rng.percent(CONTRACTOR_PERCENT) {
            self.put_under_contract(&mut person, rng);
        } else if rng.percent(REHIRED_PERCENT) {
            person.start_date = days_before(self.today, 1 + rng.below(400));
        }
        person
    }

    fn put_under_contract(&self, person: &mut Person, rng: &mut Rng) {
        let offset_days = rng.below(CONTRACT_ENDED_DAYS_MAX + CONTRACT_TO_RUN_DAYS_MAX);
        let earliest = days_before(self.today, CONTRACT_ENDED_DAYS_MAX);
        let end_date = earliest.saturating_add((offset_days as i64).days());
        person.employee_type = EmployeeType::Contractor;
        person.end_date = Some(end_date);
        person.start_date = days_before(end_date, CONTRACT_TO_RUN_DAYS_MAX + rng.below(300));
        person.status = if end_date < self.today { Status::Ended } else { Status::Active };
    }

    /// Makes sure that the next day has a contract which ended the day before.
    fn let_a_contract_end_today(&mut self) {
        let today = self.today;
        if let Some(person) = self.people.iter_mut().find(|person| person.leads_nobody()) {
            person.employee_type = EmployeeType::Contractor;
            person.status = Status::Active;
            person.end_date = Some(today);
            person.start_date = days_before(today, CONTRACT_TO_RUN_DAYS_MAX);
        }
    }
}

/// The places of the company, and which of them are not at work on the first day.
struct Cast {
    hierarchy: Hierarchy,
    /// Managers who arrive the next day.
    late: HashSet<usize>,
    /// People who left before the first day.
    former: HashSet<usize>,
}

impl Cast {
    fn choose(people: usize, rng: &mut Rng) -> Self {
        let late_count = match people {
            0..WHOLE_STORY_PEOPLE_MIN => 0,
            _ => (people / PEOPLE_PER_LATE_MANAGER).max(1),
        };
        let former_count = (people / PEOPLE_PER_FORMER).max(1);
        let hierarchy = Hierarchy::new(people + late_count + former_count);

        let mut lowest_managers: Vec<usize> =
            hierarchy.places().filter(|p| hierarchy.is_lowest_manager(*p)).collect();
        rng.shuffle(&mut lowest_managers);
        let late: HashSet<usize> = lowest_managers.into_iter().take(late_count).collect();

        // Those who wait for a late manager stay, so that somebody waits.
        let mut may_have_left: Vec<usize> = hierarchy
            .places()
            .filter(|p| !hierarchy.has_reports(*p))
            .filter(|p| hierarchy.manager(*p).is_some_and(|manager| !late.contains(&manager)))
            .collect();
        rng.shuffle(&mut may_have_left);
        let former = may_have_left.into_iter().take(former_count).collect();
        Self { hierarchy, late, former }
    }
}

pub(crate) fn days_before(day: Date, days: usize) -> Date {
    day.saturating_sub((days as i64).days())
}
