//! The properties themselves.

use identitymesh_model::{Value, Values};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::company::{Company, name};
use super::history::{Event, History, Mishap, Play, SYSTEMS};

type Law = Result<(), TestCaseError>;

/// After any history a few rounds of everything bring the world to rest, and then planning gives nothing at all.
pub(crate) fn comes_to_rest(History { company, events }: History) -> Law {
    let mut play = Play::new(&company);
    play.play(&events);
    rest(&mut play)
}

fn rest(play: &mut Play) -> Law {
    prop_assert!(play.settle(), "it never comes to rest:\n{}", play.told().join("\n"));
    let left = play.world.what_is_left();
    let more: Vec<_> = left.plan.objects.iter().filter(|object| !object.is_empty()).collect();
    prop_assert!(more.is_empty(), "planning again gives more: {more:#?}");
    Ok(())
}

/// Both tell the same; only what differs is shown.
fn same(one: &[String], other: &[String]) -> Law {
    let only = |of: &[String], not_in: &[String]| -> String {
        of.iter().filter(|line| !not_in.contains(line)).map(|line| format!("\n  {line}")).collect()
    };
    prop_assert!(one == other, "one:{}\nthe other:{}", only(one, other), only(other, one));
    Ok(())
}

/// The same rows, read in another order and in other runs, make the same mesh and the same accounts.
pub(crate) fn order_does_not_matter((company, one, other): (Company, Vec<Event>, Vec<Event>)) -> Law {
    let mut ends = Vec::new();
    for events in [one, other] {
        let mut play = Play::new(&company);
        play.play(&events);
        rest(&mut play)?;
        ends.push(play.told());
    }
    same(&ends[0], &ends[1])
}

/// A system that has nothing to do with the others leaves no trace in them.
pub(crate) fn unrelated_changes_nothing(History { company, events }: History) -> Law {
    let mut alone = Play::new(&company);
    alone.play(&events);
    let mut rules = company.rules();
    rules.add("mesh", UNRELATED_MESH).expect("rules are TOML");
    rules.add("plants", UNRELATED).expect("rules are TOML");
    let mut beside = Play::new(&company);
    let now = beside.world.now;
    beside.world = rules.world(now).expect("the rules are right");
    let plants = beside.id("plants");
    for (event, number) in events.iter().zip(0_u32..) {
        beside.event(event);
        let mut plant = identitymesh_model::Object::new();
        plant.set(name("label"), Values::from((number % 5).to_string().as_str()));
        plant.set(name("height"), Values::from(number.to_string().as_str()));
        beside.put("plants", "plant", &(number % 5).to_string(), plant);
        beside.world.import_from_system(plants);
        beside.sync("plants");
    }
    rest(&mut alone)?;
    rest(&mut beside)?;
    let told: Vec<String> = beside.told().into_iter().filter(|line| !line.starts_with("plant")).collect();
    same(&alone.told(), &told)
}

const UNRELATED_MESH: &str = r#"
[[type]]
name = "plant"
[type.attributes]
label = "string"
height = "string"
"#;

const UNRELATED: &str = r#"
[schema.plant]
key = "label"
[schema.plant.attributes]
label = "string"
height = "string"
[[join]]
object_type = "plant"
mesh_type = "plant"
match = [{ source = "label", mesh = "anchor" }]
[[create]]
object_type = "plant"
mesh_type = "plant"
anchor = "label"
[[flow]]
object_type = "plant"
source = "label"
target = "label"
confidence = 100
[[flow]]
object_type = "plant"
source = "height"
target = "height"
confidence = 100
"#;

/// A tag that nobody has any more where it was given comes back from no system that we wrote it to; and people who
/// are nowhere any more are nowhere.
pub(crate) fn nothing_is_resurrected(History { company, events }: History) -> Law {
    let mut play = Play::new(&company);
    play.play(&events);
    catch_up(&mut play);
    rest(&mut play)?;
    let tag = Value::text("t0");
    for (system, object_type) in [("hr", "person"), ("phones", "entry")] {
        let id = play.id(system);
        let rows = play.world.systems.get(&id).map(|known| known.all(name(object_type))).unwrap_or_default();
        for (key, mut row) in rows {
            let space = play.world.state.find(id, name(object_type), &key);
            let record = space.and_then(|space| play.world.state.space(space)).map(|space| &space.record);
            // Where we wrote the tag it is ours to take away.
            let ours = record.and_then(|record| record.snapshot(name("tags"))).flatten();
            if ours.is_some_and(|ours| ours.as_slice().contains(&tag)) {
                continue;
            }
            let mut tags = row.remove(name("tags")).map_or_else(Vec::new, Values::into_vec);
            tags.retain(|known| *known != tag);
            row.put(name("tags"), Values::set(tags));
            play.put(system, object_type, &key, row);
        }
    }
    rest(&mut play)?;
    // Who is leaving keeps the attributes that were known last.
    let leaves = |line: &String| line.contains(" (leaving): ") || line.contains(" (deleted): ");
    let told: Vec<String> = play.told().into_iter().filter(|line| !leaves(line)).collect();
    let told = told.join("\n");
    prop_assert!(!told.contains("\"t0\""), "the tag is still there:\n{}", told);
    everybody_leaves(&mut play)
}

/// Reads by delta, because a full import that finds nothing at all proves nothing.
fn catch_up(play: &mut Play) {
    for system in SYSTEMS {
        let id = play.id(system);
        play.world.delta_from_system(id);
        play.sync(system);
    }
}

fn everybody_leaves(play: &mut Play) -> Law {
    for number in 0..6_u8 {
        play.remove("hr", "person", &number.to_string());
        play.remove("phones", "entry", &number.to_string());
    }
    catch_up(play);
    for _ in 0..12 {
        rest(play)?;
        play.day();
    }
    rest(play)?;
    // A member that somebody else put into a group is theirs to take out again, so groups are not looked at.
    let is_person =
        |line: &&String| ["user ", "ad user ", "phones entry "].iter().any(|of| line.starts_with(of));
    let told = play.told();
    let left: Vec<&String> = told.iter().filter(is_person).collect();
    prop_assert!(left.is_empty(), "somebody is still there: {:#?}", left);
    Ok(())
}

/// Runs that break, are stopped or are killed, and are then run again, end where undisturbed ones do.
pub(crate) fn interruptions_leave_no_trace(
    (History { company, events }, mishaps, part): (History, Vec<Option<Mishap>>, usize),
) -> Law {
    let mut quiet = Play::new(&company);
    quiet.play(&events);
    let mut disturbed = Play::new(&company);
    disturbed.world.part_objects = part;
    for (event, mishap) in events.iter().zip(mishaps) {
        disturbed.disturbed(event, mishap);
    }
    rest(&mut quiet)?;
    rest(&mut disturbed)?;
    same(&quiet.told(), &disturbed.told())
}
