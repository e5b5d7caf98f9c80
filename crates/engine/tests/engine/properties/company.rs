//! A company made of a few choices: people and teams in HR, a phone book and a directory that both read and write.

use identitymesh_model::{Name, Object, Timestamp, Value, Values};
use identitymesh_scenario::{Rules, World};
use proptest::prelude::*;

/// What differs from one company to the next.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    /// The confidence of the phone book's phones; HR's have 50.
    pub phone_confidence: u8,
    /// The confidence of the directory's mails; HR's have 60.
    pub mail_confidence: u8,
    /// What happens to foreign changes in the directory.
    pub drift: &'static str,
    /// Days of grace.
    pub grace: u8,
    /// Days after which a leaver's account is deleted.
    pub delete_after: u8,
    /// Whether a group's members come by flow from the directory too.
    pub members_flow_back: bool,
}

pub(crate) fn any() -> impl Strategy<Value = Company> {
    let drift = prop_oneof![Just("reassert"), Just("accept"), Just("report")];
    (
        prop_oneof![Just(40_u8), Just(50), Just(60)],
        prop_oneof![Just(30_u8), Just(80)],
        drift,
        0_u8..4,
        0_u8..4,
        proptest::bool::ANY,
    )
        .prop_map(
            |(phone_confidence, mail_confidence, drift, grace, delete_after, members_flow_back)| Company {
                phone_confidence,
                mail_confidence,
                drift,
                grace,
                delete_after,
                members_flow_back,
            },
        )
}

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
number = "string"
name = "string"
mail = { type = "string", ignore_case = true }
phone = "string"
tags = { type = "string[]", merge = true }
manager = "reference"
[[type]]
name = "group"
[type.attributes]
code = "string"
member = { type = "reference[]", merge = true }
"#;

const HR: &str = r#"
[schema.person]
key = "number"
[schema.person.attributes]
number = "string"
name = "string"
mail = "string"
phone = "string"
tags = "string[]"
manager = "reference"
[schema.team]
key = "code"
[schema.team.attributes]
code = "string"
member = "reference[]"
[[join]]
object_type = "person"
match = [{ source = "number", mesh = "number" }]
[[create]]
object_type = "person"
mesh_type = "user"
anchor = "number"
[[join]]
object_type = "team"
match = [{ source = "code", mesh = "code" }]
[[create]]
object_type = "team"
mesh_type = "group"
anchor = "code"
[[leave]]
object_type = "team"
mesh_object = "delete_when_last"
"#;

const PHONES: &str = r#"
[schema.entry]
key = "number"
[schema.entry.attributes]
number = "string"
phone = "string"
tags = "string[]"
[[join]]
object_type = "entry"
match = [{ source = "number", mesh = "number" }]
[[projection]]
name = "book"
mesh_type = "user"
object_type = "entry"
scope = "has(phone)"
leave = [{ do = "delete" }]
[[projection.attribute]]
target = "number"
source = "number"
mode = "create_only"
[[projection.attribute]]
target = "phone"
source = "phone"
[[projection.attribute]]
target = "tags"
source = "tags"
"#;

const AD: &str = r#"
tree = true
[schema.user]
address = "dn"
[schema.user.attributes]
dn = "string"
cn = "string"
account = "string"
mail = "string"
disabled = "boolean"
manager = "reference"
[schema.group]
address = "dn"
[schema.group.attributes]
dn = "string"
cn = "string"
member = "reference[]"
"#;

impl Company {
    /// A world of this company in which nothing has happened.
    pub(crate) fn world(&self) -> World {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().expect("a constant");
        self.rules().world(now).expect("the company's rules are right")
    }

    /// The company's rules.
    pub(crate) fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        let mut add = |part: &str, text: &str| rules.add(part, text).expect("rules are TOML");
        add("mesh", MESH);
        add("hr", HR);
        add(
            "hr",
            &format!(
                "[[leave]]\nobject_type = \"person\"\nmesh_object = \"delete_when_last\"\ngrace = \"{}d\"",
                self.grace
            ),
        );
        for (source, target, confidence) in [
            ("number", "number", 90),
            ("name", "name", 90),
            ("mail", "mail", 60),
            ("phone", "phone", 50),
            ("tags", "tags", 50),
            ("manager", "manager", 90),
        ] {
            add("hr", &flow("person", source, target, confidence));
        }
        add("hr", &flow("team", "code", "code", 90));
        add("hr", &flow("team", "member", "member", 90));
        add("phones", PHONES);
        add("phones", &flow("entry", "phone", "phone", self.phone_confidence));
        add("phones", &flow("entry", "tags", "tags", 50));
        add("ad", AD);
        add("ad", &self.accounts());
        add("ad", &self.groups());
        add("ad", &flow("user", "mail", "mail", self.mail_confidence));
        if self.members_flow_back {
            add("ad", &flow("group", "member", "member", 50));
        }
        rules
    }

    fn accounts(&self) -> String {
        let Self { drift, delete_after, .. } = self;
        format!(
            r#"
[[projection]]
name = "accounts"
mesh_type = "user"
object_type = "user"
container = "'OU=People,DC=corp'"
rdn = "cn"
leave = [{{ do = "disable" }}, {{ after = "{delete_after}d", do = "delete" }}]
[projection.disable]
attribute = "disabled"
disabled = true
enabled = false
[[projection.attribute]]
target = "cn"
source = "number"
[[projection.attribute]]
target = "account"
value = "Unique(ToLower(name) + number)"
mode = "create_only"
[[projection.attribute]]
target = "mail"
source = "mail"
drift = "{drift}"
[[projection.attribute]]
target = "manager"
source = "manager"
"#
        )
    }

    fn groups(&self) -> String {
        let drift = self.drift;
        format!(
            r#"
[[projection]]
name = "groups"
mesh_type = "group"
object_type = "group"
container = "'OU=Groups,DC=corp'"
rdn = "cn"
leave = [{{ do = "delete" }}]
[[projection.attribute]]
target = "cn"
source = "code"
[[projection.attribute]]
target = "member"
source = "member"
drift = "{drift}"
"#
        )
    }
}

fn flow(object_type: &str, source: &str, target: &str, confidence: u8) -> String {
    format!(
        "[[flow]]\nobject_type = \"{object_type}\"\nsource = \"{source}\"\ntarget = \"{target}\"\nconfidence = {confidence}\n"
    )
}

/// A person's row.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub name: u8,
    pub mail: Option<u8>,
    pub phone: Option<u8>,
    pub tags: Vec<u8>,
    pub manager: Option<u8>,
}

pub(crate) fn person() -> impl Strategy<Value = Person> {
    let tags = proptest::collection::vec(0_u8..4, 0..3);
    let maybe = |up_to: u8| proptest::option::of(0..up_to);
    (0_u8..3, maybe(3), maybe(3), tags, maybe(6)).prop_map(|(name, mail, phone, tags, manager)| Person {
        name,
        mail,
        phone,
        tags,
        manager,
    })
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name in a test is a name")
}

fn text(prefix: &str, number: u8) -> Values {
    Values::from(format!("{prefix}{number}").as_str())
}

pub(crate) fn tags(of: &[u8]) -> Option<Values> {
    Values::set(of.iter().map(|tag| Value::text(format!("t{tag}"))).collect())
}

impl Person {
    /// The row of the person with this number. Mails are nobody else's.
    pub(crate) fn row(&self, number: u8) -> Object {
        let mut row = Object::new();
        row.set(name("number"), text("", number));
        row.set(name("name"), text("N", self.name));
        row.put(name("mail"), self.mail.map(|mail| Values::from(format!("m{mail}@{number}").as_str())));
        row.put(name("phone"), self.phone.map(|phone| text("10", phone)));
        row.put(name("tags"), tags(&self.tags));
        let manager = self.manager.filter(|manager| *manager != number);
        row.put(name("manager"), manager.map(|manager| Values::One(Value::reference(manager.to_string()))));
        row
    }
}

/// The row of a team.
pub(crate) fn team(code: u8, members: &[u8]) -> Object {
    let mut row = Object::new();
    row.set(name("code"), text("G", code));
    let members = members.iter().map(|member| Value::reference(member.to_string())).collect();
    row.put(name("member"), Values::set(members));
    row
}
