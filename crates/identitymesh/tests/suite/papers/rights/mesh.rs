//! A mesh that writes to a directory, and reads it, as an account with the rights that a page gives and no others.

use std::fmt::Write as _;

use identitymesh_testkit::real::AgeKey;
use serde_json::Value as Json;

use crate::process::Place;

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
account = "string"
name = "string"
title = "string"
unit = "string"
phone = "string"

[[type]]
name = "thing"
[type.attributes]
name = "string"
kind = "string"
text = "string"
"#;

const HR: &str = r#"
[connector]
name = "hr"
type = "csv"

[connector.settings]
path = "../../hr.csv"
object_type = "person"
key = "account"
settle_ms = 0
"#;

const THINGS: &str = r#"
[connector]
name = "things"
type = "csv"

[connector.settings]
path = "../../things.csv"
object_type = "thing"
key = "name"
settle_ms = 0
"#;

const TARGET: &str = r#"
[connector]
name = "target"
type = "{KIND}"

[connector.settings]
servers = ["{URL}"]
ca_file = "{CA}"
base = "{BASE}"
bind_dn = "{BIND}"
bind_password = "{{secret:service}}"
{SETTINGS}

[[flow]]
object_type = "user"
source = "telephoneNumber"
target = "phone"
confidence = 90

[[projection]]
name = "people"
mesh_type = "user"
object_type = "user"
container = "'ou=' + unit + ',{PEOPLE}'"
rdn = "cn"
create_container = true
leave = [{ do = "delete" }]

{DISABLE}
[projection.password]
must_change = false
[projection.password.sealed_file]
directory = "../../sealed"
recipients = ["{KEY}"]

[[projection.attribute]]
target = "cn"
source = "account"

[[projection.attribute]]
target = "{ACCOUNT}"
source = "account"

[[projection.attribute]]
target = "sn"
source = "name"

[[projection.attribute]]
target = "title"
source = "title"
"#;

/// Where the mesh is to work, and as whom.
pub(super) struct Target<'a> {
    /// The connector's type.
    pub(super) kind: &'a str,
    pub(super) url: &'a str,
    pub(super) ca_file: &'a std::path::Path,
    pub(super) base: &'a str,
    /// The account with the page's rights, and its password.
    pub(super) bind: (&'a str, &'a str),
    /// Further settings.
    pub(super) settings: &'a str,
    /// Where people go.
    pub(super) people: &'a str,
    /// How people are enabled, where a new account is not.
    pub(super) disable: &'a str,
    /// The attribute of account names.
    pub(super) account: &'a str,
    /// What is there besides people: object type, container, and for an account the expression of its name.
    pub(super) things: &'a [(&'a str, &'a str, Option<&'a str>)],
}

pub(super) struct Mesh {
    pub(super) place: Place,
}

impl Mesh {
    pub(super) fn over(target: &Target<'_>, key: &AgeKey) -> Self {
        let mesh = Self { place: Place::new() };
        let hr = HR.to_owned() + &source("person", "user", "account", &["account", "name", "title", "unit"]);
        let things = THINGS.to_owned() + &source("thing", "thing", "name", &["name", "kind", "text"]);
        let target_rules = target.rules(key);
        mesh.place.write_rules(MESH, &[("hr", &hr), ("things", &things), ("target", &target_rules)]);
        mesh.place.shell("identitymesh secrets set service", target.bind.1);
        mesh.write(&[], &[]);
        mesh.place.good(&["apply", "rules"]);
        mesh
    }

    /// Writes what there is to be: people as account, name, title, unit; things as name, kind, text.
    pub(super) fn write(&self, people: &[[&str; 4]], things: &[[&str; 3]]) {
        let lines = |head: &str, rows: Vec<String>| format!("{head}\n{}\n", rows.join("\n"));
        let people = lines("account,name,title,unit", people.iter().map(|row| row.join(",")).collect());
        std::fs::write(self.place.path().join("hr.csv"), people).unwrap();
        let things = lines("name,kind,text", things.iter().map(|row| row.join(",")).collect());
        std::fs::write(self.place.path().join("things.csv"), things).unwrap();
    }

    /// A cycle in which nothing is refused or held.
    pub(super) fn cycle(&self) {
        let output = self.place.run(&["--json", "run", "cycle", "--strict"]);
        let dead = self.place.good(&["exports", "list", "--dead"]);
        assert!(
            output.status.success(),
            "{}{}{dead}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// What a delta import of the directory counted. It must not have read everything.
    pub(super) fn delta(&self) -> Json {
        let answer = self.place.json(&["run", "delta-import", "--connector", "target"]);
        let run = &answer["runs"][0];
        assert_eq!((&run["step"], &run["message"]), (&"delta-import".into(), &Json::Null), "{run}");
        run["counters"].clone()
    }

    /// Gives somebody a password that is known.
    pub(super) fn reset(&self, account: &str, password: &str) {
        let block = format!("identitymesh password reset --connector target --object {account} --ask");
        self.place.shell(&block, password);
    }

    pub(super) fn phone(&self, account: &str) -> Json {
        self.place.json(&["mesh", "show", account])["attributes"]["phone"].clone()
    }

    /// The passwords that were delivered, and to whom they belong.
    pub(super) fn delivered(&self, key: &AgeKey) -> Vec<(String, String)> {
        let files = std::fs::read_dir(self.place.path().join("sealed")).unwrap();
        let notices = files.map(|file| key.open(&file.unwrap().path()).unwrap());
        let text = |notice: &Json, name: &str| notice[name].as_str().unwrap().to_owned();
        notices
            .map(|notice| serde_json::from_slice(&notice).unwrap())
            .map(|notice: Json| (text(&notice, "anchor"), text(&notice, "password")))
            .collect()
    }
}

impl Target<'_> {
    fn rules(&self, key: &AgeKey) -> String {
        let mut rules = TARGET
            .replace("{KIND}", self.kind)
            .replace("{URL}", self.url)
            .replace("{CA}", &self.ca_file.display().to_string())
            .replace("{BASE}", self.base)
            .replace("{BIND}", self.bind.0)
            .replace("{SETTINGS}", self.settings)
            .replace("{DISABLE}", self.disable)
            .replace("{PEOPLE}", self.people)
            .replace("{ACCOUNT}", self.account)
            .replace("{KEY}", &key.public);
        for (kind, container, account) in self.things {
            write!(
                rules,
                "\n[[projection]]\nname = \"{kind}\"\nmesh_type = \"thing\"\nobject_type = \"{kind}\"\n\
                 scope = \"kind == '{kind}'\"\ncontainer = \"'{container}'\"\nrdn = \"cn\"\nleave = [{{ do = \"delete\" }}]\n\
                 \n[[projection.attribute]]\ntarget = \"cn\"\nsource = \"name\"\n\
                 \n[[projection.attribute]]\ntarget = \"description\"\nsource = \"text\"\n"
            )
            .unwrap();
            if let Some(name) = account {
                let account = self.account;
                write!(rules, "\n[[projection.attribute]]\ntarget = \"{account}\"\nvalue = \"{name}\"\n")
                    .unwrap();
            }
        }
        rules
    }
}

/// Rules that take rows as they are.
fn source(object_type: &str, mesh_type: &str, anchor: &str, columns: &[&str]) -> String {
    let mut rules = format!(
        "\n[[create]]\nobject_type = \"{object_type}\"\nmesh_type = \"{mesh_type}\"\nanchor = \"{anchor}\"\n\n\
         [[leave]]\nobject_type = \"{object_type}\"\nmesh_object = \"delete_when_last\"\n"
    );
    for column in columns {
        write!(
            rules,
            "\n[[flow]]\nobject_type = \"{object_type}\"\nsource = \"{column}\"\ntarget = \"{column}\"\nconfidence = 90\n"
        )
        .unwrap();
    }
    rules
}
