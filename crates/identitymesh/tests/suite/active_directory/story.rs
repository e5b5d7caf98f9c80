//! The story, chapter by chapter.

use super::world::World;

/// How many people, from 130; there is a team for each ten.
const PEOPLE_VARIABLE: &str = "IDENTITYMESH_STORY_PEOPLE";
const PEOPLE: usize = 2_000;

#[test]
fn a_company_lives_in_a_domain_and_a_phone_book() {
    let people =
        std::env::var(PEOPLE_VARIABLE).map_or(PEOPLE, |text| text.parse().expect("a number of people"));
    let Some(mut world) = World::new(people, people / 10, false) else { return };
    first_load(&mut world);
    a_day_of_changes(&mut world);
    a_renamed_department(&mut world);
    leavers(&mut world);
    world.containers_are_moved_by_others();
    a_rehire(&mut world);
    world.an_account_is_deleted_by_mistake(4);
    world.numbers_go_both_ways();
    a_power_cut(&mut world);
}

fn first_load(world: &mut World) {
    world.settle("first load");
    assert!(world.signs_in(3), "the first password signs in");
}

/// Other titles, a marriage with a move to another department, another manager, another team, a newcomer, and a room
/// that only the domain's administrators know.
fn a_day_of_changes(world: &mut World) {
    let company = &mut world.company;
    company.people[5].title = "Head of Things".to_owned();
    company.people[6].surname = "Añez-Óscar".to_owned();
    company.people[6].department = "Finance".to_owned();
    company.people[7].department = "Research".to_owned();
    company.people[8].manager = Some(9);
    let last = company.people.len() - 1;
    company.teams[2].retain(|member| *member != last);
    company.teams[2].push(6);
    company.teams[7] = vec![11, 12, 13];
    company.hire();
    world.type_office(20, "B 2.17");
    world.type_office(21, "C 0.01");
    world.settle("a day of changes");
}

/// Everybody in it moves, whoever refers to them follows.
fn a_renamed_department(world: &mut World) {
    for person in world.company.people.iter_mut().filter(|person| person.department == "Sales") {
        person.department = "Sales and Service".to_owned();
    }
    world.settle("a renamed department");
}

/// Disabled and moved in the domain, gone from the book. One of them manages others, and one team has nobody left there.
fn leavers(world: &mut World) {
    for at in [1, 11, 12, 13, 14, 15, 17, 18] {
        world.company.people[at].is_active = false;
    }
    world.settle("leavers");
    assert!(!world.signs_in(11), "a leaver does not sign in");
}

/// Back under another name, in another department.
fn a_rehire(world: &mut World) {
    let person = &mut world.company.people[12];
    person.is_active = true;
    person.surname = "Returned".to_owned();
    person.department = "People".to_owned();
    world.settle("a rehire");
    assert!(world.signs_in(12), "whoever returns signs in again");
}

/// The controller comes back after a power cut in the middle of the night.
fn a_power_cut(world: &mut World) {
    world.ad.stop();
    let refused = world.place.run(&["run", "delta-import", "--connector", "ad", "--strict"]);
    let said = String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap();
    assert!(!refused.status.success() && said.contains("LDP-001"), "nobody answers: {said}");
    world.ad.restart().unwrap();
    world.company.people[20].title = "Night watch".to_owned();
    world.settle("after a power cut");
}
