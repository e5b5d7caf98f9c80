//! Work is proportional to the change: counted, because time says nothing on a busy machine.

use identitymesh_engine::Outcome;
use identitymesh_model::plan::{Edit, ItemAction, MeshChange, ObjectPlan};
use identitymesh_model::{Name, Object, Value, Values};
use identitymesh_scenario::{Asked, End, Incoming, Moment, Page, Patch, Rules, World};
use libtest_mimic::{Failed, Trial};

/// Members of the large group.
const MEMBERS: usize = 3_000;

const RULES: [(&str, &str); 3] = [
    (
        "mesh",
        r#"
[[type]]
name = "user"
[type.attributes]
number = "string"
mail = "string"
[[type]]
name = "group"
[type.attributes]
code = "string"
member = "reference[]"
"#,
    ),
    (
        "hr",
        r#"
[schema.person]
key = "number"
[schema.person.attributes]
number = "string"
mail = "string"
[schema.team]
key = "code"
[schema.team.attributes]
code = "string"
member = "reference[]"
[[create]]
object_type = "person"
mesh_type = "user"
anchor = "number"
[[create]]
object_type = "team"
mesh_type = "group"
anchor = "code"
[[flow]]
object_type = "person"
source = "number"
target = "number"
confidence = 90
[[flow]]
object_type = "person"
source = "mail"
target = "mail"
confidence = 90
[[flow]]
object_type = "team"
source = "code"
target = "code"
confidence = 90
[[flow]]
object_type = "team"
source = "member"
target = "member"
confidence = 90
"#,
    ),
    (
        "app",
        r#"
[schema.account]
key = "number"
[schema.account.attributes]
number = "string"
mail = "string"
[schema.role]
key = "code"
[schema.role.attributes]
code = "string"
member = "reference[]"
[[projection]]
mesh_type = "user"
object_type = "account"
[[projection.attribute]]
target = "number"
source = "number"
[[projection.attribute]]
target = "mail"
source = "mail"
[[projection]]
mesh_type = "group"
object_type = "role"
[[projection.attribute]]
target = "code"
source = "code"
[[projection.attribute]]
target = "member"
source = "member"
"#,
    ),
];

/// A world with one large group whose members all have accounts, at rest.
struct Large {
    world: World,
    at_work: Vec<ObjectPlan>,
}

impl Large {
    fn new() -> Self {
        let mut rules = Rules::default();
        RULES.into_iter().for_each(|(part, text)| rules.add(part, text).expect("rules are TOML"));
        let world =
            rules.world("2026-03-02T08:00:00Z".parse().expect("a constant")).expect("the rules are right");
        let mut large = Self { world, at_work: Vec::new() };
        let people = (0..=MEMBERS).map(|number| (name("person"), person(number, "old")));
        let members = (0..MEMBERS).map(|number| Value::reference(number.to_string())).collect();
        let mut team = Object::new();
        team.set(name("code"), "all");
        team.put(name("member"), Values::set(members));
        let team = (name("team"), Incoming::Object("all".into(), team));
        large.deliver(people.chain([team]).collect());
        let app = large.world.connector(name("app")).expect("it is there");
        large.world.export(app, false);
        large.world.import_from_system(app);
        large.world.sync(&[app], |_, _, _| {}).expect("nobody stops it");
        large
    }

    /// Delivers changes from HR, syncs, and says what planning asked for.
    fn deliver(&mut self, changes: Vec<(Name, Incoming)>) -> Asked {
        let hr = self.world.connector(name("hr")).expect("it is there");
        let page = Page { changes, mark: None };
        self.world.import(hr, None, vec![page], End::Whole(Default::default()));
        self.world.asked = Asked::default();
        let mut at_work = Vec::new();
        let told = |_: &World, outcome: &Outcome, moment| {
            if moment == Moment::After {
                at_work.extend(outcome.plan.objects.iter().cloned());
            }
        };
        self.world.sync(&[hr], told).expect("nobody stops it");
        self.at_work = at_work;
        self.world.asked
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name in a test is a name")
}

fn person(number: usize, mail: &str) -> Incoming {
    let mut row = Object::new();
    row.set(name("number"), number.to_string().as_str());
    row.set(name("mail"), mail);
    Incoming::Object(number.to_string().into(), row)
}

/// A member that changes is no matter of its groups.
fn a_change_of_a_member_does_not_look_at_its_group() -> Result<(), Failed> {
    let mut large = Large::new();
    let asked = large.deliver(vec![(name("person"), person(7, "new"))]);
    assert_eq!(large.at_work.len(), 1, "{:?}", large.at_work);
    assert_eq!(asked, Asked { views: 1, ..Asked::default() });
    Ok(())
}

/// One member more is one edge, one value in one item, and no other mesh object is loaded for it.
fn a_new_member_is_one_edge_and_one_value() -> Result<(), Failed> {
    let mut large = Large::new();
    let member = vec![(name("member"), vec![Value::reference(MEMBERS.to_string())])];
    let patch = Patch { add: member, ..Patch::default() };
    let asked = large.deliver(vec![(name("team"), Incoming::Patch("all".into(), patch))]);
    let [group] = large.at_work.as_slice() else { panic!("one object changes: {:?}", large.at_work.len()) };
    assert_eq!((group.edges.len(), group.keys.len(), group.links.len()), (1, 0, 0));
    let Some(MeshChange::Update { before, .. }) = &group.change else { panic!("the group changes") };
    assert_eq!((before.attributes.len(), before.sets.len()), (0, 1));
    assert!(before.to_text().len() < 200, "history keeps what changed: {}", before.to_text());
    let [item] = group.items.as_slice() else { panic!("one item is queued: {:?}", group.items.len()) };
    let ItemAction::Update { changes, .. } = &item.action else {
        panic!("it is an update: {:?}", item.action)
    };
    let [change] = changes.as_slice() else { panic!("of one attribute: {changes:?}") };
    let Edit::Set { add, remove, .. } = &change.edit else { panic!("value by value: {:?}", change.edit) };
    assert_eq!((add.len(), remove.len()), (1, 0));
    assert_eq!((asked.views, asked.keys, asked.names), (1, 0, 0));
    Ok(())
}

/// A member that leaves costs its groups one edge each.
fn a_member_less_is_one_edge() -> Result<(), Failed> {
    let mut large = Large::new();
    let member = vec![(name("member"), vec![Value::reference("7")])];
    let patch = Patch { remove: member, ..Patch::default() };
    large.deliver(vec![(name("team"), Incoming::Patch("all".into(), patch))]);
    let [group] = large.at_work.as_slice() else { panic!("one object changes: {:?}", large.at_work.len()) };
    assert_eq!(group.edges.len(), 1);
    assert!(!group.edges[0].add);
    Ok(())
}

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn() -> Result<(), Failed>| Trial::test(format!("work/{name}"), test);
    vec![
        trial(
            "a change of a member does not look at its group",
            a_change_of_a_member_does_not_look_at_its_group,
        ),
        trial("a new member is one edge and one value", a_new_member_is_one_edge_and_one_value),
        trial("a member less is one edge", a_member_less_is_one_edge),
    ]
}
