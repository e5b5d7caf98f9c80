//! A group that is made with its first thousand members and filled by further requests: whoever dies in between, it is
//! ours, and is filled.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use identitymesh_testkit::real::{
    Action, Message, Operation, Relay, SambaAd, SambaAdOptions, Slapd, SlapdOptions,
};
use serde_json::Value as Json;

use super::directory::{Directory, Family, entry};
use crate::process::Place;

/// Two pieces and a part of a third.
const MEMBERS: usize = 2_300;
const MESH: &str = "[[type]]\nname = \"user\"\n[type.attributes]\naccount = \"string\"\n\n\
    [[type]]\nname = \"group\"\n[type.attributes]\nname = \"string\"\nmembers = \"reference[]\"\n";
const TEAMS: &str = r#"
[connector]
name = "teams"
type = "ldif"
[connector.settings]
path = "../../teams.ldif"
settle_ms = 0
[connector.settings.types.user]
object_class = "inetOrgPerson"
key = "uid"
attributes = { uid = "string" }
[connector.settings.types.group]
object_class = "groupOfNames"
key = "cn"
attributes = { cn = "string", member = "reference[]" }

[[create]]
object_type = "user"
mesh_type = "user"
anchor = "uid"
[[flow]]
object_type = "user"
source = "uid"
target = "account"
confidence = 90
[[create]]
object_type = "group"
mesh_type = "group"
anchor = "cn"
[[flow]]
object_type = "group"
source = "cn"
target = "name"
confidence = 90
[[flow]]
object_type = "group"
source = "member"
target = "members"
confidence = 90
"#;
const TARGET: &str = r#"
[[join]]
object_type = "user"
match = [{ source = "ACCOUNT", mesh = "account", kind = "exact" }]

[[projection]]
name = "teams"
mesh_type = "group"
object_type = "group"
container = "'ou=Staff,dc=mesh,dc=test'"
rdn = "cn"
leave = [{ do = "delete" }]
[[projection.attribute]]
target = "cn"
source = "name"
[[projection.attribute]]
target = "member"
source = "members"
"#;

struct Mesh {
    place: Place,
    directory: Arc<Mutex<Directory>>,
    relay: Relay,
}

impl Mesh {
    /// A mesh that knows everybody in the directory, and is to make a team of all of them.
    fn start(family: Family) -> Option<Self> {
        let domain = family == Family::Samba;
        let ou = if domain { "" } else { "ou: Staff\n" };
        let container = format!("dn: ou=Staff,dc=mesh,dc=test\nobjectClass: organizationalUnit\n{ou}\n");
        let initial_ldif = container + &(0..MEMBERS).map(|at| entry(family, at)).collect::<String>();
        let directory = if domain {
            let options = SambaAdOptions { initial_ldif, ..SambaAdOptions::default() };
            Directory::Samba(SambaAd::start(&options)?)
        } else {
            Directory::Slapd(Slapd::start(SlapdOptions { initial_ldif, ..SlapdOptions::default() })?)
        };
        let relay = Relay::to(directory.url(), &directory.ca_file());
        let mesh = Self { place: Place::new(), directory: Arc::new(Mutex::new(directory)), relay };
        mesh.write(family);
        mesh.place.good(&["apply", "rules"]);
        for connector in ["teams", "directory"] {
            mesh.place.good(&["run", "full-import", "--connector", connector, "--strict"]);
            mesh.place.good(&["run", "sync", "--connector", connector]);
        }
        Some(mesh)
    }

    fn write(&self, family: Family) {
        let directory = self.directory.lock().unwrap();
        let (kind, account) =
            if family == Family::Samba { ("active-directory", "sAMAccountName") } else { ("ldap", "uid") };
        let (bind, password) = directory.bind();
        let mut text = format!(
            "[connector]\nname = \"directory\"\ntype = \"{kind}\"\n[connector.settings]\nservers = [\"{}\"]\n\
             ca_file = \"{}\"\nbase = \"dc=mesh,dc=test\"\ninclude = [\"ou=Staff,dc=mesh,dc=test\"]\nbind_dn = \"{bind}\"\n\
             bind_password = \"{{{{secret:directory}}}}\"\n",
            self.relay.url,
            self.relay.ca_file.display(),
        );
        if family != Family::Samba {
            text += "[connector.settings.types.user]\nattributes = { uid = \"string\" }\n\
                     [connector.settings.types.group]\nattributes = { cn = \"string\" }\n";
        }
        text += &TARGET.replace("ACCOUNT", account);
        self.place.write_rules(MESH, &[("directory", &text), ("teams", TEAMS)]);
        let mut team = "dn: cn=team,dc=x\nobjectClass: groupOfNames\ncn: team\n".to_owned();
        let mut people = String::new();
        for at in 0..MEMBERS {
            writeln!(team, "member: uid=p{at:03},dc=x").unwrap();
            writeln!(people, "dn: uid=p{at:03},dc=x\nobjectClass: inetOrgPerson\nuid: p{at:03}\n").unwrap();
        }
        std::fs::write(self.place.path().join("teams.ldif"), format!("{people}{team}\n")).unwrap();
        self.place.keep_secret("directory", password);
    }

    /// Does this when the second piece is on its way, which does not arrive.
    fn at_the_second_piece(&self, mut act: impl FnMut() + Send + 'static) {
        let mut is_done = false;
        self.relay.decide(move |message: &Message| {
            if is_done || !message.is_request || message.operation != Operation::Modify {
                return Action::Pass;
            }
            is_done = true;
            act();
            Action::Cut
        });
    }

    fn members(&self) -> usize {
        let mut directory = self.directory.lock().unwrap();
        let team = "cn=team,ou=Staff,dc=mesh,dc=test";
        let entries = match &mut *directory {
            Directory::Samba(ad) => ad.search(team, "(objectClass=*)", &["member"]),
            Directory::Slapd(slapd) => slapd.search(team, "(objectClass=*)", &["member"]),
            Directory::Ds389(_) => unreachable!("it is none of these tests"),
        };
        let members = entries.unwrap().into_values().flatten();
        members.filter(|(name, _)| name.starts_with("member")).map(|(_, values)| values.len()).sum()
    }

    /// The next runs fill the group, find no conflict, and have nothing more to do.
    fn is_filled(&self) {
        self.relay.calm();
        assert_eq!(self.members(), 1_000, "only the first piece arrived");
        self.place.good(&["exports", "retry"]);
        let run = self.place.json(&["run", "export", "--connector", "directory", "--strict"]);
        assert_eq!(run["runs"][0]["state"], "succeeded", "{run}");
        assert_eq!(self.members(), MEMBERS, "{run}");
        assert_eq!(self.place.json(&["exports", "list"])["items"], Json::Array(Vec::new()));
        // Nothing of it is news, and a further cycle sends nothing.
        let full = self.place.json(&["run", "full-import", "--connector", "directory", "--strict"]);
        assert_eq!(full["runs"][0]["counters"].get("drifted"), None, "{full}");
        self.relay.take_requests();
        self.place.good(&["run", "cycle", "--strict"]);
        let writes = self.relay.take_requests().into_iter().filter(|request| request.operation.is_write());
        assert_eq!(writes.count(), 0);
        self.place.good(&["audit", "verify"]);
    }
}

fn the_server_dies(family: Family) {
    let Some(mesh) = Mesh::start(family) else { return };
    let directory = Arc::clone(&mesh.directory);
    mesh.at_the_second_piece(move || directory.lock().unwrap().kill());
    mesh.place.run(&["run", "export", "--connector", "directory"]);
    let waiting = mesh.place.json(&["exports", "list"]);
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(1), "{waiting}");
    mesh.directory.lock().unwrap().restart();
    mesh.is_filled();
}

fn the_product_dies(family: Family) {
    let Some(mesh) = Mesh::start(family) else { return };
    let process: Arc<Mutex<Option<u32>>> = Arc::default();
    let known = Arc::clone(&process);
    mesh.at_the_second_piece(move || {
        let id = known.lock().unwrap().unwrap();
        assert!(Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
    });
    let mut locked = process.lock().unwrap();
    let mut command = mesh.place.command(&["run", "export", "--connector", "directory"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    *locked = Some(child.id());
    drop(locked);
    assert!(!child.wait().unwrap().success());
    mesh.is_filled();
}

#[test]
fn a_group_half_made_when_its_server_dies_is_filled() {
    the_server_dies(Family::Slapd);
}

#[test]
fn a_group_half_made_when_its_controller_dies_is_filled() {
    the_server_dies(Family::Samba);
}

#[test]
fn a_group_half_made_in_a_directory_when_the_product_dies_is_filled() {
    the_product_dies(Family::Slapd);
}

#[test]
fn a_group_half_made_in_a_domain_when_the_product_dies_is_filled() {
    the_product_dies(Family::Samba);
}
