//! Founds teams: about one for twelve people, most members from the owner's department.

use crate::person::{EmployeeId, Person};
use crate::rng::Rng;
use crate::team::{TEAM_MEMBERS_MAX, TEAM_MEMBERS_MIN, Team, TeamId};

const PEOPLE_PER_TEAM: usize = 12;
const COLLEAGUE_PERCENT: usize = 70;
/// How often a colleague of the same department is looked for before anybody will do.
const COLLEAGUE_TRIES: usize = 20;
const KINDS: [&str; 6] = ["Circle", "Project", "Forum", "List", "Crew", "Round Table"];

pub(super) fn found_teams(people: &[Person], rng: &mut Rng) -> Vec<Team> {
    let team_count = match people.len() {
        0..TEAM_MEMBERS_MIN => 0,
        enough => (enough / PEOPLE_PER_TEAM).max(1),
    };
    (1..=team_count as u32).map(|number| found_team(number, people, rng)).collect()
}

fn found_team(number: u32, people: &[Person], rng: &mut Rng) -> Team {
    let owner = rng.pick(people);
    // The smaller of two draws: many small teams, few large ones.
    let sizes = TEAM_MEMBERS_MAX - TEAM_MEMBERS_MIN + 1;
    let size = (TEAM_MEMBERS_MIN + rng.below(sizes).min(rng.below(sizes))).min(people.len());
    let mut members: Vec<EmployeeId> = Vec::with_capacity(size);
    while members.len() < size {
        let member = colleague(owner, people, rng).employee_id;
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Team {
        id: TeamId(number),
        name: format!("{} {} {number}", owner.department(), rng.pick(&KINDS)),
        owner: owner.employee_id,
        members,
    }
}

fn colleague<'a>(owner: &Person, people: &'a [Person], rng: &mut Rng) -> &'a Person {
    if rng.percent(COLLEAGUE_PERCENT) {
        for _ in 0..COLLEAGUE_TRIES {
            let person = rng.pick(people);
            if person.department == owner.department {
                return person;
            }
        }
    }
    rng.pick(people)
}
