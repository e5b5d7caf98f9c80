//! A Unix directory: groups hold the names of their members' accounts, and not where those lie.

use identitymesh_testkit::real::{Slapd, SlapdOptions};

use crate::process::Place;

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
number = "string"
account = "string"
name = "string"

[[type]]
name = "group"
[type.attributes]
number = "string"
name = "string"
member = "reference[]"
"#;

/// People with an account and a name, teams with people.
const COMPANY: &str = r#"
[connector]
name = "company"
type = "json"

[connector.settings]
path = "../../company.jsonl"
key = "id"
type_field = "kind"
settle_ms = 0
[connector.settings.types.person.attributes]
account = "string"
name = "string"
[connector.settings.types.team.attributes]
name = "string"
members = "reference[]"

[[create]]
object_type = "person"
mesh_type = "user"
anchor = "id"

[[create]]
object_type = "team"
mesh_type = "group"
anchor = "id"

[[leave]]
object_type = "person"
mesh_object = "delete_when_last"
"#;

const FLOWS: [(&str, &str, &str); 6] = [
    ("person", "id", "number"),
    ("person", "account", "account"),
    ("person", "name", "name"),
    ("team", "id", "number"),
    ("team", "name", "name"),
    ("team", "members", "member"),
];

const TYPES: &str = r#"
[connector.settings.types.user]
extra_object_class = ["posixAccount"]
attributes = { uid = "string", cn = "string", sn = "string" }
[connector.settings.types.team]
object_class = ["posixGroup"]
attributes = { cn = "string" }
"#;

const USERS: [(&str, &str); 6] = [
    ("uid", "account"),
    ("cn", "name"),
    ("sn", "name"),
    ("uidNumber", "number"),
    ("gidNumber", "'100'"),
    ("homeDirectory", "'/home/' + account"),
];
const GROUPS: [(&str, &str); 3] = [("cn", "name"), ("gidNumber", "number"), ("memberUid", "member")];

fn unix(slapd: &Slapd) -> String {
    let mut text = format!(
        "[connector]\nname = \"unix\"\ntype = \"ldap\"\n\n[connector.settings]\nservers = [\"{}\"]\nca_file = \"{}\"\n\
         base = \"{}\"\nbind_dn = \"{}\"\nbind_password = \"{{{{secret:unix}}}}\"\n{TYPES}",
        slapd.url,
        slapd.ca_file.display(),
        slapd.suffix,
        slapd.bind_dn,
    );
    let rules = [("user", "user", "uid", &USERS[..]), ("group", "team", "cn", &GROUPS[..])];
    for (mesh_type, object_type, rdn, attributes) in rules {
        text += &format!(
            "\n[[projection]]\nmesh_type = \"{mesh_type}\"\nobject_type = \"{object_type}\"\n\
             container = \"'{}'\"\nrdn = \"{rdn}\"\nleave = [{{ do = \"delete\" }}]\n",
            slapd.suffix
        );
        for (target, value) in attributes {
            let key = if *value == "member" { "source" } else { "value" };
            text += &format!("\n[[projection.attribute]]\ntarget = \"{target}\"\n{key} = \"{value}\"\n");
        }
    }
    text
}

fn company() -> String {
    let flows = FLOWS.map(|(object_type, source, target)| {
        format!(
            "\n[[flow]]\nobject_type = \"{object_type}\"\nsource = \"{source}\"\ntarget = \"{target}\"\nconfidence = 90\n"
        )
    });
    format!("{COMPANY}{}", flows.concat())
}

struct Unix {
    place: Place,
    slapd: Slapd,
}

impl Unix {
    fn start() -> Option<Self> {
        let slapd = Slapd::start(SlapdOptions::default())?;
        let place = Place::new();
        place.write_rules(MESH, &[("company", &company()), ("unix", &unix(&slapd))]);
        place.keep_secret("unix", &slapd.password);
        Some(Self { place, slapd })
    }

    /// A cycle over people (number, account) and the members of one team, and another that sends nothing.
    fn settle(&self, people: &[(u32, &str)], members: &[u32]) {
        let people = people.iter().map(|(number, account)| {
            format!(r#"{{"id":"{number}","kind":"person","account":"{account}","name":"Name {number}"}}"#)
        });
        let members: Vec<String> = members.iter().map(|number| format!("\"{number}\"")).collect();
        let team = format!(r#"{{"id":"500","kind":"team","name":"blue","members":[{}]}}"#, members.join(","));
        let lines: Vec<String> = people.chain([team]).collect();
        std::fs::write(self.place.path().join("company.jsonl"), lines.join("\n") + "\n").unwrap();
        self.place.good(&["apply", "rules"]);
        self.place.good(&["run", "cycle", "--strict"]);
        let again = self.place.json(&["run", "cycle"]);
        for run in again["runs"].as_array().unwrap().iter().filter(|run| run["step"] == "export") {
            assert_eq!(run["counters"], serde_json::json!({}), "sent again: {again}");
        }
    }

    fn members(&self) -> Vec<String> {
        let found = self.slapd.search(&self.slapd.suffix, "(cn=blue)", &["memberUid"]).unwrap();
        let mut members: Vec<String> = found
            .values()
            .flatten()
            .filter(|(name, _)| name.eq_ignore_ascii_case("memberUid"))
            .flat_map(|(_, values)| values.iter().map(|value| String::from_utf8(value.clone()).unwrap()))
            .collect();
        members.sort();
        members
    }
}

#[test]
fn members_of_a_unix_group_follow_their_accounts() {
    let Some(unix) = Unix::start() else { return };
    unix.settle(&[(1, "ana"), (2, "bob"), (3, "cid")], &[1, 2]);
    assert_eq!(unix.members(), ["ana", "bob"]);
    // Another name of an account is another name of the member; the server does not see to that.
    unix.settle(&[(1, "ana"), (2, "bobby"), (3, "cid")], &[1, 2, 3]);
    assert_eq!(unix.members(), ["ana", "bobby", "cid"]);
    unix.settle(&[(1, "ana"), (3, "cid")], &[1, 3]);
    assert_eq!(unix.members(), ["ana", "cid"]);
    // What we wrote and somebody changed is written again.
    let blue = format!("cn=blue,{}", unix.slapd.suffix);
    let change =
        "changetype: modify\nadd: memberUid\nmemberUid: root\n-\ndelete: memberUid\nmemberUid: cid\n";
    unix.slapd.modify(&format!("dn: {blue}\n{change}")).unwrap();
    unix.place.good(&["run", "full-import", "--connector", "unix"]);
    unix.settle(&[(1, "ana"), (3, "cid")], &[1, 3]);
    assert_eq!(unix.members(), ["ana", "cid"]);
}
