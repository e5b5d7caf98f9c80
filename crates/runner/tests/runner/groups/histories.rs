//! Random histories, played on three meshes: one looks at sets of references member by member, one takes down the same
//! and looks at every set as a whole, one takes nothing down. After each sync the first two hold the same, wait for the
//! same, have queued the same and have written the same history; in the end all three have come to the same.

use identitymesh_model::{Value, Values};
use identitymesh_runner::ImportKind;
use proptest::prelude::*;

use super::place::{Fed, Looks, Rules, group_dn, person_dn, set};
use crate::place::name;

/// More than a view of some members shows.
pub(crate) const PEOPLE: usize = 12;
pub(crate) const GROUPS: usize = 3;
/// In each group at first.
pub(crate) const MEMBERS: usize = 10;
const CONTAINERS: [&str; 2] = ["a", "b"];

/// What happens to people, groups and their members.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Person(usize, usize),
    PersonGone(usize),
    /// A person moves to the container; whether groups follow.
    Moved(usize, usize, bool),
    Member(usize, usize, usize),
    MemberGone(usize, usize),
    Extra(usize, usize, usize),
    Nested(usize, usize),
    /// Somebody whom no rule knows.
    Foreign(usize),
    Group(usize, Vec<usize>),
    GroupGone(usize),
    Emptied(usize),
    Active(usize, bool),
    Titled(usize),
    /// Somebody else changes the group in the second directory: adds or takes out the person.
    OutMember(usize, usize, bool),
    OutAccountGone(usize),
    Sync,
    FullImport,
    Export,
    ReadBack,
    Wait,
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let (p, g, c) = (0..PEOPLE, 0..GROUPS, 0..CONTAINERS.len());
    prop_oneof![
        2 => (p.clone(), c.clone()).prop_map(|(p, c)| Event::Person(p, c)),
        1 => p.clone().prop_map(Event::PersonGone),
        2 => (p.clone(), c.clone(), any::<bool>()).prop_map(|(p, c, follow)| Event::Moved(p, c, follow)),
        5 => (g.clone(), p.clone(), c.clone()).prop_map(|(g, p, c)| Event::Member(g, p, c)),
        3 => (g.clone(), p.clone()).prop_map(|(g, p)| Event::MemberGone(g, p)),
        1 => (g.clone(), p.clone(), c).prop_map(|(g, p, c)| Event::Extra(g, p, c)),
        1 => (g.clone(), g.clone()).prop_map(|(a, b)| Event::Nested(a, b)),
        1 => g.clone().prop_map(Event::Foreign),
        1 => (g.clone(), prop::collection::vec(p.clone(), 0..9)).prop_map(|(g, list)| Event::Group(g, list)),
        1 => g.clone().prop_map(Event::GroupGone),
        1 => g.clone().prop_map(Event::Emptied),
        1 => (g.clone(), any::<bool>()).prop_map(|(g, active)| Event::Active(g, active)),
        1 => g.clone().prop_map(Event::Titled),
        1 => (g, p.clone(), any::<bool>()).prop_map(|(g, p, add)| Event::OutMember(g, p, add)),
        1 => p.prop_map(Event::OutAccountGone),
        5 => Just(Event::Sync),
        1 => Just(Event::FullImport),
        4 => Just(Event::Export),
        3 => Just(Event::ReadBack),
        1 => Just(Event::Wait),
    ]
}

fn ou_of(fed: &Fed, person: usize) -> Option<String> {
    let object = fed.dir.object(name("person"), &format!("p{person}"))?;
    object.single(name("ou")).map(ToString::to_string)
}

fn add_member(fed: &Fed, group: usize, dn: String) {
    let mut members = fed.members(group);
    members.push(dn);
    fed.set_members(group, members);
}

fn in_out(fed: &Fed, cn: &str) -> Option<(identitymesh_model::Text, identitymesh_model::Object)> {
    let objects = fed.out.objects().into_iter();
    let mut found =
        objects.filter(|object| object.attributes.single(name("cn")).is_some_and(|is| is.to_string() == cn));
    found.next().map(|object| (object.external_id, object.attributes))
}

/// Makes it happen; says whether that was a sync.
pub(crate) async fn play(fed: &Fed, event: &Event) -> bool {
    match event.clone() {
        Event::Person(p, c) => fed.put_person(p, CONTAINERS[c]),
        Event::PersonGone(p) => drop(fed.dir.remove(name("person"), &format!("p{p}"))),
        Event::Moved(p, c, follow) => {
            let Some(before) = ou_of(fed, p) else { return false };
            fed.put_person(p, CONTAINERS[c]);
            let (old, new) = (person_dn(p, &before), person_dn(p, CONTAINERS[c]));
            for group in (0..GROUPS).filter(|group| follow && fed.members(*group).contains(&old)) {
                let members = fed.members(group).into_iter();
                fed.set_members(group, members.map(|dn| if dn == old { new.clone() } else { dn }));
            }
        }
        Event::Member(g, p, c) => add_member(fed, g, person_dn(p, CONTAINERS[c])),
        Event::MemberGone(g, p) => {
            let start = format!("cn=p{p},");
            fed.set_members(g, fed.members(g).into_iter().filter(|dn| !dn.starts_with(&start)));
        }
        Event::Extra(g, p, c) => {
            let extra = set([person_dn(p, CONTAINERS[c])]);
            fed.dir.set(name("group"), &format!("g{g}"), name("extra"), extra);
        }
        Event::Nested(a, b) => add_member(fed, a, group_dn(b)),
        Event::Foreign(g) => add_member(fed, g, "cn=S-1-5-21,cn=ForeignSecurityPrincipals,dc=s".to_owned()),
        Event::Group(g, people) => fed.put_group(g, people.into_iter().map(|p| person_dn(p, "a"))),
        Event::GroupGone(g) => drop(fed.dir.remove(name("group"), &format!("g{g}"))),
        Event::Emptied(g) => fed.set_members(g, []),
        Event::Active(g, active) => {
            fed.dir.set(name("group"), &format!("g{g}"), name("active"), Some(Values::One(active.into())));
        }
        Event::Titled(g) => {
            let title = format!("Title {}", fed.dir.newest_change());
            fed.dir.set(name("group"), &format!("g{g}"), name("title"), Some(Values::from(title.as_str())));
        }
        Event::OutMember(g, p, add) => {
            let (Some((id, team)), Some((_, account))) =
                (in_out(fed, &format!("g{g}")), in_out(fed, &format!("p{p}")))
            else {
                return false;
            };
            let dn = account.single(name("dn")).unwrap().to_string();
            let now = team.get(name("member")).map_or(&[][..], Values::as_slice).iter();
            let mut members: Vec<String> = now.filter_map(Value::as_text).map(str::to_owned).collect();
            members.retain(|member| *member != dn);
            members.extend(add.then_some(dn));
            fed.out.set(name("team"), &id, name("member"), set(members));
        }
        Event::OutAccountGone(p) => {
            let Some((id, _)) = in_out(fed, &format!("p{p}")) else { return false };
            fed.out.remove(name("account"), &id);
        }
        Event::Sync | Event::FullImport => {
            let kind = if matches!(event, Event::Sync) { ImportKind::Delta } else { ImportKind::Full };
            fed.import("dir", kind).await;
            fed.sync("dir").await;
            return true;
        }
        Event::Export => {
            fed.export().await;
        }
        Event::ReadBack => {
            fed.import("out", ImportKind::Delta).await;
            fed.sync("out").await;
            return true;
        }
        Event::Wait => fed.clock.set(identitymesh_model::Clock::now(&*fed.clock).saturating_add_seconds(60)),
    }
    false
}

/// Everything that has to be the same, line by line.
fn state(fed: &Fed) -> Vec<String> {
    let mut lines = Vec::new();
    for sql in [
        "SELECT 'mesh ' || lower(hex(uid)) || ' ' || anchor || ' ' || state || ' ' || doc || ' ' || hex(hash) \
         FROM mesh_object ORDER BY uid",
        "SELECT 'edge ' || o.anchor || ' ' || coalesce(m.anchor, lower(hex(e.member))) FROM membership e \
         JOIN mesh_object o ON o.id = e.owner LEFT JOIN mesh_object m ON m.uid = e.member ORDER BY 1",
        "SELECT 'link ' || s.external_id || ' ' || m.anchor FROM link l JOIN space_object s ON s.id = l.space \
         JOIN mesh_object m ON m.id = l.mesh ORDER BY 1",
        "SELECT 'space ' || connector || ' ' || external_id || ' ' || flags || ' ' || doc || ' ' || hex(hash) \
         FROM space_object ORDER BY 1",
        "SELECT 'wait ' || o.anchor || ' ' || lower(hex(w.member)) FROM address_wait w \
         JOIN mesh_object o ON o.id = w.owner ORDER BY 1",
        "SELECT 'change ' || lower(hex(uid)) || ' ' || kind || ' ' || before || ' ' || coalesce(hex(after), '') \
         FROM change ORDER BY 1",
        "SELECT 'item ' || m.anchor || ' ' || i.operation || ' ' || i.body FROM export_item i \
         JOIN mesh_object m ON m.id = i.mesh ORDER BY 1",
        "SELECT 'todo ' || kind || ' ' || id FROM todo ORDER BY 1",
    ] {
        lines.extend(fed.rows(sql));
    }
    lines
}

/// What it all comes to, whatever the way and the ids.
fn outcome(fed: &Fed) -> Vec<String> {
    let lines = [
        "SELECT 'mesh ' || anchor || ' ' || state || ' ' || doc FROM mesh_object",
        "SELECT 'edge ' || o.anchor || ' ' || m.anchor FROM membership e JOIN mesh_object o ON o.id = e.owner \
         JOIN mesh_object m ON m.uid = e.member",
        "SELECT 'link ' || connector || ' ' || m.anchor FROM link l JOIN mesh_object m ON m.id = l.mesh",
        "SELECT 'space ' || connector || ' ' || doc FROM space_object",
        "SELECT 'reference ' || s.doc || ' ' || r.key FROM space_ref r JOIN space_object s ON s.id = r.space",
        "SELECT 'item ' || m.anchor || ' ' || i.operation FROM export_item i JOIN mesh_object m ON m.id = i.mesh",
    ];
    let mut lines: Vec<String> = lines.into_iter().flat_map(|sql| fed.rows(sql)).collect();
    lines.sort_unstable();
    lines
}

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![
        6 => Just(Rules::Plain),
        1 => Just(Rules::KeepLast),
        1 => Just(Rules::IfEmpty),
        1 => Just(Rules::Transform),
        1 => Just(Rules::Merge),
        1 => Just(Rules::Counted),
    ]
}

async fn compare(rules: Rules, events: &[Event]) -> Result<(), TestCaseError> {
    let (narrow, whole) = (Fed::new(Looks::ByMember, rules).await, Fed::new(Looks::AtAll, rules).await);
    let untraced = Fed::new(Looks::Untraced, rules).await;
    for fed in [&narrow, &whole, &untraced] {
        (0..PEOPLE).for_each(|person| fed.put_person(person, "a"));
        (0..GROUPS).for_each(|group| fed.put_group(group, (0..MEMBERS).map(|at| person_dn(group + at, "a"))));
        for _ in 0..2 {
            fed.round().await;
        }
    }
    for (at, event) in events.iter().enumerate() {
        let is_sync = play(&narrow, event).await;
        play(&whole, event).await;
        play(&untraced, event).await;
        if is_sync {
            same(&state(&narrow), &state(&whole), &format!("after {at} {event:?}"))?;
        }
    }
    for fed in [&narrow, &whole, &untraced] {
        for _ in 0..3 {
            fed.round().await;
        }
    }
    same(&state(&narrow), &state(&whole), "in the end")?;
    same(&outcome(&narrow), &outcome(&untraced), "without traces in the end")
}

/// Says what stands in one of the two only.
fn same(left: &[String], right: &[String], when: &str) -> Result<(), TestCaseError> {
    let only = |left: &[String], right: &[String]| -> Vec<String> {
        left.iter().filter(|line| !right.contains(line)).cloned().collect()
    };
    let (left, right) = (only(left, right), only(right, left));
    prop_assert!(left.is_empty() && right.is_empty(), "{when}: {left:#?} and not {right:#?}");
    Ok(())
}

/// Histories that once came to something else.
#[tokio::test(flavor = "multi_thread")]
async fn what_once_differed_comes_to_the_same() {
    use Event::{Group, GroupGone, Moved, OutAccountGone, ReadBack, Sync};
    let events =
        [GroupGone(2), Sync, Group(2, vec![3]), OutAccountGone(3), Moved(3, 1, true), Sync, ReadBack];
    compare(Rules::Plain, &events).await.unwrap();
}

/// How many histories are played in every run of the tests, each time others.
const CASES: u32 = 24;

/// The same with as many as somebody asks for.
pub(super) fn cases() -> u32 {
    let asked = std::env::var("IDENTITYMESH_HISTORIES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn member_by_member_comes_to_the_same_as_looking_at_all(
        rules in rules(),
        events in prop::collection::vec(event(), 1..50),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(compare(rules, &events))?;
    }
}
