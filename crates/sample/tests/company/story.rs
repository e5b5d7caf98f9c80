//! The story of a day is the difference between the files of two days, all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_sample::{Company, DayStory, Event, phone_book_id};
use serde_json::Value;

use crate::files::{lines, text};
use crate::{company, hr_csv, phone_book};

const KINDS: [&str; 9] = [
    "late_manager_arrived",
    "joined",
    "namesake_joined",
    "rehired",
    "moved",
    "renamed",
    "contract_ended",
    "left",
    "team_changed",
];

#[test]
fn from_fifty_people_on_everything_happens() {
    for people in [50, 51, 75, 120, 700] {
        for seed in 0..5 {
            let counts = company(people, seed).after_a_day(seed).1.counts();
            for kind in KINDS {
                assert!(
                    counts.get(kind).is_some_and(|n| *n >= 1),
                    "{kind} with {people}, {seed}: {counts:?}"
                );
            }
        }
    }
}

#[test]
fn amounts_grow_with_the_company() {
    let counts = company(5_000, 1).after_a_day(1).1.counts();
    assert_eq!(counts["joined"], 20);
    assert_eq!(counts["moved"], 30);
    assert_eq!(counts["left"], 12);
    assert_eq!(counts["namesake_joined"], 2);
    assert_eq!(counts["late_manager_arrived"], 2);
}

#[test]
fn the_story_equals_the_difference_of_the_files() {
    for (people, seed) in [(3, 1), (60, 1), (60, 2), (5_000, 3)] {
        let mut before = company(people, seed);
        for day in 0..3 {
            let (after, story) = before.after_a_day(day);
            assert_eq!(expected_rows(&story), row_differences(&before, &after), "{people} {seed} day {day}");
            assert_eq!(
                expected_teams(&story),
                team_differences(&before, &after),
                "{people} {seed} day {day}"
            );
            assert_phone_book_follows(&story, &before, &after);
            before = after;
        }
    }
}

#[test]
fn each_event_says_what_the_rows_say() {
    let before = company(5_000, 4);
    let (after, story) = before.after_a_day(4);
    for event in &story.events {
        let Some(who) = event.who() else { continue };
        let (old, new) = (before.person(who.employee_id), after.person(who.employee_id));
        let name = new.or(old).expect("known on one of the days").display_name();
        assert_eq!(who.name, name);
        match event {
            Event::NamesakeJoined { same_name_as, .. } => {
                assert_eq!(before.person(*same_name_as).expect("was there").display_name(), name);
            }
            Event::Moved { from, to, .. } => {
                assert_eq!(
                    (old.expect("was there").department(), new.expect("is there").department()),
                    (*from, *to)
                );
                assert_ne!(from, to);
            }
            Event::Renamed { former_surname, .. } => {
                let (old, new) = (old.expect("was there"), new.expect("is there"));
                assert_eq!(old.surname(), former_surname);
                assert_ne!(old.surname(), new.surname());
                assert_eq!(old.mail(), new.mail());
            }
            Event::ContractEnded { end_date, .. } => {
                assert_eq!(new.expect("is there").end_date(), Some(*end_date));
                assert!(*end_date < after.today());
            }
            Event::LateManagerArrived { awaited_by, .. } => {
                assert!(!awaited_by.is_empty());
                for id in awaited_by {
                    let manager = before.person(*id).expect("waited").manager();
                    assert_eq!(manager, Some(who.employee_id));
                }
            }
            Event::Rehired { .. } => {
                assert!(before.people().last().expect("many").employee_id() > who.employee_id)
            }
            _ => {}
        }
    }
    let lost = after.people().iter().filter(|p| p.manager().is_some_and(|m| after.person(m).is_none()));
    assert_eq!(lost.count(), 2, "tomorrow's late managers are awaited by one newcomer each");
}

#[test]
fn a_story_reads_as_sentences_and_as_data() {
    let (_, story) = company(50, 1).after_a_day(1);
    let told = story.to_string();
    assert_eq!(told.lines().count(), story.events.len());
    let moved = story.of_kind("moved").next().expect("somebody moves");
    assert!(moved.to_string().contains(" moves from "), "{moved}");
    let data = serde_json::to_value(&story).expect("is data");
    assert_eq!(data["day"], "2026-03-03");
    let kinds: BTreeSet<&str> =
        data["events"].as_array().expect("a list").iter().map(|e| text(e, "event")).collect();
    assert_eq!(kinds, KINDS.into_iter().collect());
}

/// Employee id → `+`, `-`, or the columns that changed.
type RowDifferences = BTreeMap<String, String>;

fn expected_rows(story: &DayStory) -> RowDifferences {
    let change = |event: &Event| match event {
        Event::Left { .. } => "-",
        Event::Moved { .. } => "department",
        Event::Renamed { .. } => "surname",
        Event::ContractEnded { .. } => "status",
        _ => "+",
    };
    let of_people = story.events.iter().filter_map(|event| Some((event.who()?, change(event))));
    let differences: Vec<_> =
        of_people.map(|(who, what)| (who.employee_id.to_string(), what.to_owned())).collect();
    let count = differences.len();
    let differences: RowDifferences = differences.into_iter().collect();
    assert_eq!(differences.len(), count, "somebody has two events");
    differences
}

fn row_differences(before: &Company, after: &Company) -> RowDifferences {
    let (old, new) = (rows(before), rows(after));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut differences = RowDifferences::new();
    for id in ids {
        let what = match (old.get(id), new.get(id)) {
            (None, _) => "+",
            (_, None) => "-",
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => only_change(old, new),
        };
        differences.insert(id.clone(), what.to_owned());
    }
    differences
}

/// The column that stands for a change of row, after checking that nothing else than belongs to it changed.
fn only_change(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> &'static str {
    let changed: BTreeSet<&str> = old.keys().filter(|k| old[*k] != new[*k]).map(String::as_str).collect();
    for (name, allowed) in [
        ("department", &["department", "title", "manager_id", "cost_centre"][..]),
        ("surname", &["surname", "display_name"]),
        ("status", &["status"]),
    ] {
        if changed.contains(name) {
            assert!(changed.iter().all(|column| allowed.contains(column)), "{changed:?}");
            return name;
        }
    }
    panic!("unexplained change of {changed:?}");
}

fn rows(company: &Company) -> BTreeMap<String, BTreeMap<String, String>> {
    let bytes = hr_csv(company);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let parsed = reader.deserialize::<BTreeMap<String, String>>().map(|row| row.expect("reads back"));
    parsed.map(|row| (row["employee_id"].clone(), row)).collect()
}

/// Team id → new members, lost members, new owner.
type TeamDifferences = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>, Option<String>)>;

fn expected_teams(story: &DayStory) -> TeamDifferences {
    let changed = story.events.iter().filter_map(|event| match event {
        Event::TeamChanged { team, added, removed, owner, .. } => Some((
            team.to_string(),
            (
                added.iter().copied().map(phone_book_id).collect(),
                removed.iter().copied().map(phone_book_id).collect(),
                owner.map(phone_book_id),
            ),
        )),
        _ => None,
    });
    changed.collect()
}

fn team_differences(before: &Company, after: &Company) -> TeamDifferences {
    let (old, new) = (records(before, "team"), records(after, "team"));
    assert!(old.keys().eq(new.keys()), "teams neither come nor go");
    let mut differences = TeamDifferences::new();
    for (id, old) in &old {
        let new = &new[id];
        let members = |team: &Value| -> BTreeSet<String> {
            team["members"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|m| m.as_str().expect("text").into())
                .collect()
        };
        let added: BTreeSet<String> = members(new).difference(&members(old)).cloned().collect();
        let removed: BTreeSet<String> = members(old).difference(&members(new)).cloned().collect();
        let owner = (old["owner"] != new["owner"]).then(|| text(new, "owner").to_owned());
        if !added.is_empty() || !removed.is_empty() || owner.is_some() {
            differences.insert(id.clone(), (added, removed, owner));
        }
    }
    differences
}

/// People appear in and vanish from the phone book exactly as they do in HR; only movers and renamed people change.
fn assert_phone_book_follows(story: &DayStory, before: &Company, after: &Company) {
    let (old, new) = (records(before, "person"), records(after, "person"));
    let appeared = new.keys().filter(|id| !old.contains_key(*id)).count();
    let vanished = old.keys().filter(|id| !new.contains_key(*id)).count();
    let changed = old.iter().filter(|(id, record)| new.get(*id).is_some_and(|new| new != *record)).count();
    let counts = story.counts();
    let of = |kinds: &[&str]| kinds.iter().filter_map(|kind| counts.get(kind)).sum::<usize>();
    assert_eq!(appeared, of(&["joined", "namesake_joined", "rehired", "late_manager_arrived"]));
    assert_eq!(vanished, of(&["left"]));
    assert!(changed <= of(&["moved", "renamed"]));
    assert!(changed >= of(&["renamed"]));
}

fn records(company: &Company, kind: &str) -> BTreeMap<String, Value> {
    let all = lines(&phone_book(company)).into_iter().filter(|record| record["type"] == kind);
    all.map(|record| (text(&record, "id").to_owned(), record)).collect()
}
