//! Promises about the people themselves, at sizes from one person up.

use std::collections::{HashMap, HashSet};

use identitymesh_sample::{
    COMPANY_PEOPLE_MAX, Company, EmployeeId, EmployeeType, Options, Person, Status, TEAM_MEMBERS_MAX,
    TEAM_MEMBERS_MIN,
};
use jiff::civil::date;

use crate::company;

#[test]
fn every_small_size_works_and_lasts_a_week() {
    for people in 1..80 {
        let mut now = company(people, people as u64);
        assert_eq!(now.people().len(), people);
        for day in 0..7 {
            assert_sound(&now);
            now = now.after_a_day(day).0;
        }
        assert_sound(&now);
    }
}

#[test]
fn larger_sizes_are_sound() {
    for (people, seed) in [(1_000, 1), (5_000, 2), (20_000, 3)] {
        let now = company(people, seed);
        assert_eq!(now.people().len(), people);
        assert_sound(&now);
        assert_sound(&now.after_a_day(9).0);
    }
}

/// Ids and mail addresses are unique, rows are in order, and managers form one tree.
fn assert_sound(company: &Company) {
    let people = company.people();
    assert!(people.windows(2).all(|pair| pair[0].employee_id() < pair[1].employee_id()));
    assert!(people.iter().all(|person| person.employee_id().to_string().len() >= 6));
    let mails: HashSet<String> = people.iter().map(Person::mail).collect();
    assert_eq!(mails.len(), people.len());
    assert_eq!(people.iter().filter(|person| person.manager().is_none()).count(), 1);

    let manager_of: HashMap<EmployeeId, Option<EmployeeId>> =
        people.iter().map(|person| (person.employee_id(), person.manager())).collect();
    for person in people {
        let mut above = person.manager();
        let mut steps = 0;
        while let Some(manager) = above {
            steps += 1;
            assert!(steps < 20, "the managers of {} never end", person.employee_id());
            above = manager_of.get(&manager).copied().flatten();
        }
    }
    for team in company.teams() {
        let members: HashSet<_> = team.members().iter().collect();
        assert_eq!(members.len(), team.members().len(), "{} has a member twice", team.id());
        assert!(team.members().iter().chain([&team.owner()]).all(|id| manager_of.contains_key(id)));
    }
}

#[test]
fn five_thousand_people_have_what_real_ones_have() {
    let company = company(5_000, 1);
    let people = company.people();
    let mut names: HashMap<String, usize> = HashMap::new();
    for person in people {
        *names.entry(person.display_name()).or_default() += 1;
    }
    assert!(names.values().filter(|count| **count > 1).count() >= 20, "too few namesakes");
    let share = |test: &dyn Fn(&Person) -> bool| people.iter().filter(|person| test(person)).count();
    assert!(share(&|p| !p.display_name().is_ascii()) > 1_000);
    assert!(share(&|p| p.surname().contains('\'')) > 50);
    assert!(share(&|p| p.surname().contains(['-', ' '])) > 100);
    assert!(share(&|p| p.employee_type() == EmployeeType::Contractor) > 200);
    assert!(share(&|p| p.status() == Status::Leave) > 50);
    assert!(share(&|p| p.status() == Status::Ended) > 20);
    assert!(share(&|p| p.manager().is_some_and(|m| m > p.employee_id())) > 1_000, "no manager further down");
    assert!(share(&|p| p.manager().is_some_and(|m| company.person(m).is_none())) > 0, "no late manager");
    for person in people {
        assert_eq!(person.employee_type() == EmployeeType::Contractor, person.end_date().is_some());
        let is_over = person.end_date().is_some_and(|end| end < company.today());
        assert_eq!(person.status() == Status::Ended, is_over);
        assert!(person.start_date() <= company.today());
    }
    let departments: HashSet<_> = people.iter().map(Person::department).collect();
    assert_eq!(departments.len(), 15);
    let team_count = company.teams().len();
    assert!((350..=450).contains(&team_count), "{team_count}");
    assert!(
        company.teams().iter().all(|t| (TEAM_MEMBERS_MIN..=TEAM_MEMBERS_MAX).contains(&t.members().len()))
    );
}

#[test]
fn options_out_of_bounds_are_refused() {
    for people in [0, COMPANY_PEOPLE_MAX + 1] {
        let error = Company::generate(&Options { people, ..Options::default() }).expect_err("out of bounds");
        assert_eq!(error.code(), "SMP-001");
        assert!(error.to_string().contains("2000000"), "{error}");
    }
    for year in [1969, 2201] {
        let options = Options { people: 1, today: date(year, 6, 1), ..Options::default() };
        let error = Company::generate(&options).expect_err("out of bounds");
        assert_eq!(error.code(), "SMP-002");
    }
    for year in [1970, 2200] {
        let options = Options { people: 60, today: date(year, 12, 31), ..Options::default() };
        let company = Company::generate(&options).expect("in bounds");
        assert_eq!(company.after_a_day(1).0.today(), date(year + 1, 1, 1));
    }
}
