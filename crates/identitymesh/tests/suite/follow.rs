//! A directory that is followed: what changes in it is in another directory soon after, whatever happens between.

#![expect(
    clippy::disallowed_methods,
    reason = "waiting and measuring are about the real time of other processes"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use identitymesh_testkit::real::{SessionLog, Slapd, SlapdOptions, Wire};
use serde_json::Value as Json;

use crate::process::Place;

const SOURCE: &str = "dc=mesh,dc=test";
const TARGET: &str = "o=Target";
/// Far longer than any of it takes; nothing is asserted about how fast it is.
const PATIENCE: Duration = Duration::from_secs(60);

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
uid = "string"
sn = "string"
title = "string"

[[type]]
name = "group"
[type.attributes]
name = "string"
member = "reference[]"
"#;

const SOURCE_RULES: &str = r#"
[connector]
name = "source"
type = "ldap"

[connector.settings]
servers = ["{URL}"]
base = "dc=mesh,dc=test"
bind_dn = "cn=admin,dc=mesh,dc=test"
bind_password = "{{secret:directory}}"
changes = "{CHANGES}"

[connector.settings.types.user]
attributes = { uid = "string", sn = "string", title = "string" }

[connector.settings.types.group]
attributes = { cn = "string" }

[[create]]
object_type = "user"
mesh_type = "user"
anchor = "uid"

[[create]]
object_type = "group"
mesh_type = "group"
anchor = "cn"

[[flow]]
object_type = "user"
source = "uid"
target = "uid"
confidence = 90

[[flow]]
object_type = "user"
source = "sn"
target = "sn"
confidence = 90

[[flow]]
object_type = "user"
source = "title"
target = "title"
confidence = 90

[[flow]]
object_type = "group"
source = "cn"
target = "name"
confidence = 90

[[flow]]
object_type = "group"
source = "member"
target = "member"
confidence = 90

[[leave]]
object_type = "user"
mesh_object = "delete_when_last"

[[leave]]
object_type = "group"
mesh_object = "delete_when_last"
"#;

const TARGET_RULES: &str = r#"
[connector]
name = "target"
type = "ldap"

[connector.settings]
servers = ["{URL}"]
base = "o=Target"
bind_dn = "cn=admin,o=Target"
bind_password = "{{secret:directory}}"
changes = "{CHANGES}"

[connector.settings.types.user]
attributes = { uid = "string", cn = "string", sn = "string", title = "string" }

[connector.settings.types.group]
attributes = { cn = "string" }

[[projection]]
name = "people"
mesh_type = "user"
object_type = "user"
container = "'o=Target'"
rdn = "uid"
leave = [{ do = "delete" }]

[[projection.attribute]]
target = "uid"
source = "uid"
mode = "create_only"

[[projection.attribute]]
target = "cn"
source = "uid"

[[projection.attribute]]
target = "sn"
source = "sn"

[[projection.attribute]]
target = "title"
source = "title"

[[projection]]
name = "teams"
mesh_type = "group"
object_type = "group"
container = "'o=Target'"
rdn = "cn"
leave = [{ do = "delete" }]

[[projection.attribute]]
target = "cn"
source = "name"

[[projection.attribute]]
target = "member"
source = "member"
"#;

/// Two directories and a mesh that feeds one from the other.
struct Fed {
    place: Place,
    source: Slapd,
    target: Slapd,
    /// Where the mesh finds them, which is not always where they are.
    addresses: [String; 2],
    /// How both are asked what changed.
    changes: String,
}

fn person(uid: &str) -> String {
    format!("dn: uid={uid},{SOURCE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\n")
}

impl Fed {
    fn start(log: SessionLog, entries: &str) -> Option<Self> {
        let source =
            SlapdOptions { initial_ldif: entries.to_owned(), sync: Some(log), ..SlapdOptions::default() };
        let target = SlapdOptions {
            suffix: TARGET.to_owned(),
            sync: Some(SessionLog::Memory),
            access_log: true,
            ..SlapdOptions::default()
        };
        let (source, target) = (Slapd::start(source)?, Slapd::start(target)?);
        let addresses = [source.url.clone(), target.url.clone()];
        let fed = Self { place: Place::new(), source, target, addresses, changes: "auto".to_owned() };
        fed.configure("");
        fed.place.keep_secret("directory", &fed.source.password);
        fed.place.good(&["apply", "rules"]);
        Some(fed)
    }

    fn configure(&self, further_settings: &str) {
        let types = "\n[connector.settings.types.user]";
        let filled = |rules: &str, at: usize| {
            rules.replace("{URL}", &self.addresses[at]).replace("{CHANGES}", &self.changes)
        };
        let source = filled(SOURCE_RULES, 0);
        let source = source.replacen(types, &format!("{further_settings}\n{types}"), 1);
        self.place.write_rules(MESH, &[("source", &source), ("target", &filled(TARGET_RULES, 1))]);
    }

    /// What the target holds of somebody, `None` when nothing.
    fn title(&self, uid: &str) -> Option<String> {
        let found = self.target.search(TARGET, &format!("(uid={uid})"), &["uid", "title"]).unwrap();
        let entry = found.values().next()?;
        let title = entry.get("title").map_or(&b""[..], |values| &values[0]);
        Some(String::from_utf8(title.to_vec()).unwrap())
    }

    fn set_title(&self, uid: &str, title: &str) {
        let record = format!("dn: uid={uid},{SOURCE}\nchangetype: modify\nreplace: title\ntitle: {title}\n");
        self.source.modify(&record).unwrap();
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "{what} did not come about");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The process that follows, and what it says.
pub(crate) struct Following {
    process: Child,
    events: Receiver<Json>,
}

impl Following {
    pub(crate) fn start(place: &Place) -> Self {
        let arguments = ["--json", "run", "follow", "--connector", "source"];
        let mut process = place.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _heard = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { process, events }
    }

    pub(crate) fn wait_for(&self, event: &str) -> Json {
        loop {
            let said = self.events.recv_timeout(PATIENCE).unwrap();
            if said["event"] == event {
                return said;
            }
        }
    }

    /// As Ctrl-C does.
    pub(crate) fn end(self) {
        self.end_by("-INT");
    }

    fn end_by(mut self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.wait_for("ended");
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Both fail only for a process that has ended, which is what is wanted.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[test]
fn a_change_reaches_the_other_directory_and_a_restart_loses_none() {
    let Some(mut fed) = Fed::start(SessionLog::AccessLog, &(person("ana") + &person("bob"))) else { return };
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    assert_eq!(fed.title("ana").as_deref(), Some(""));
    fed.set_title("ana", "Chief");
    fed.until("a changed title", |fed| fed.title("ana").as_deref() == Some("Chief"));
    fed.source.modify(&person("new").replacen('\n', "\nchangetype: add\n", 1)).unwrap();
    fed.source.modify(&format!("dn: uid=bob,{SOURCE}\nchangetype: delete\n")).unwrap();
    fed.until("a newcomer and a leaver", |fed| fed.title("new").is_some() && fed.title("bob").is_none());

    fed.source.end();
    following.wait_for("lost");
    fed.source.restart().unwrap();
    fed.set_title("new", "Clerk");
    fed.until("a change after a restart", |fed| fed.title("new").as_deref() == Some("Clerk"));
    following.end();

    // What happens while nobody follows is not lost either.
    fed.set_title("ana", "Retired");
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    fed.until("a change that nobody followed", |fed| fed.title("ana").as_deref() == Some("Retired"));
    following.end();
    let runs = fed.place.json(&["run", "cycle"]);
    assert!(
        runs["runs"].as_array().unwrap().iter().all(|run| run["counters"].get("update").is_none()),
        "{runs}"
    );
}

#[test]
fn a_service_manager_ends_following_and_the_place_is_kept() {
    let people: String = (0..300).map(|at| person(&format!("p{at}"))).collect();
    let Some(fed) = Fed::start(SessionLog::AccessLog, &people) else { return };
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    // In the middle of the work that a large change makes.
    let titles = |title: &str| {
        let record =
            |at| format!("dn: uid=p{at},{SOURCE}\nchangetype: modify\nreplace: title\ntitle: {title}\n\n");
        (0..300).map(record).collect::<String>()
    };
    fed.source.modify(&titles("Chief")).unwrap();
    following.end_by("-TERM");
    fed.place.good(&["exports", "retry"]);
    let answer = fed.place.json(&["run", "cycle"]);
    let import = &answer["runs"][0];
    assert_eq!((&import["step"], &import["message"]), (&"delta-import".into(), &Json::Null), "{answer}");
    for at in 0..300 {
        assert_eq!(fed.title(&format!("p{at}")).as_deref(), Some("Chief"), "p{at}");
    }
    fed.place.good(&["audit", "verify"]);
}

#[test]
fn a_delta_of_what_is_there_makes_the_rest_gone_and_a_refused_mark_reads_everything() {
    let people: String = (0..5).map(|at| person(&format!("p{at}"))).collect();
    let Some(fed) = Fed::start(SessionLog::None, &people) else { return };
    fed.place.good(&["run", "cycle"]);
    fed.source.modify(&format!("dn: uid=p0,{SOURCE}\nchangetype: delete\n")).unwrap();
    let answer = fed.place.json(&["run", "delta-import", "--connector", "source"]);
    let run = &answer["runs"][0];
    assert_eq!((&run["step"], &run["counters"]["deleted"]), (&"delta-import".into(), &1.into()), "{run}");
    assert!(run["counters"]["present"].as_u64().unwrap() >= 4, "{run}");
    fed.place.good(&["run", "cycle"]);
    assert_eq!(fed.title("p0"), None);

    // Other settings read other things, so the old mark is of no use; nobody has to know.
    fed.configure("page_size = 3\nexclude = [\"ou=none,dc=mesh,dc=test\"]");
    fed.place.good(&["apply", "rules"]);
    fed.set_title("p1", "Chief");
    let answer = fed.place.json(&["run", "delta-import", "--connector", "source"]);
    let message = answer["runs"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("everything was read, because") && message.contains("CON-010"), "{message}");
    fed.place.good(&["run", "cycle"]);
    assert_eq!(fed.title("p1").as_deref(), Some("Chief"));
    let answer = fed.place.json(&["run", "delta-import", "--connector", "source"]);
    assert_eq!(answer["runs"][0]["message"], Json::Null, "{answer}");
}

#[test]
fn a_source_restored_from_a_backup_while_it_is_followed_is_read_in_full() {
    let Some(mut fed) = Fed::start(SessionLog::Memory, &(person("ana") + &person("bob"))) else { return };
    fed.source.back_up().unwrap();
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    fed.set_title("ana", "Chief");
    fed.source.modify(&format!("dn: uid=bob,{SOURCE}\nchangetype: delete\n")).unwrap();
    fed.until("what the backup does not hold", |fed| {
        fed.title("ana").as_deref() == Some("Chief") && fed.title("bob").is_none()
    });

    fed.source.restore().unwrap();
    following.wait_for("lost");
    let is_refusal = |said: &Json| said.to_string().contains("everything was read, because");
    while !is_refusal(&following.wait_for("done")) {}
    fed.until("what the backup holds", |fed| {
        fed.title("ana").as_deref() == Some("") && fed.title("bob").is_some()
    });
    fed.set_title("bob", "Clerk");
    fed.until("a change after that", |fed| fed.title("bob").as_deref() == Some("Clerk"));
    following.end();
}

/// Measuring takes minutes and asserts nothing about time, so somebody has to ask for it.
pub(crate) fn is_measuring() -> bool {
    std::env::var_os("IDENTITYMESH_MEASURE").is_some()
}

/// The figures of docs/performance.md; see there for the command.
#[test]
fn measure_how_soon_a_change_is_in_the_other_directory() {
    if !is_measuring() {
        return;
    }
    let people: String = (0..200).map(|at| person(&format!("p{at}"))).collect();
    let Some(fed) = Fed::start(SessionLog::AccessLog, &people) else { return };
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    let mut took: Vec<Duration> = Vec::new();
    for at in 0..200 {
        let uid = format!("p{at}");
        fed.set_title(&uid, "Changed");
        let start = Instant::now();
        while fed.title(&uid).as_deref() != Some("Changed") {
            std::thread::sleep(Duration::from_millis(1));
        }
        took.push(start.elapsed());
    }
    took.sort_unstable();
    eprintln!("p50 {:?} p95 {:?} max {:?}", took[100], took[190], took[199]);
    following.end();
}

/// The figures of docs/performance.md; see there for the command.
#[test]
fn measure_one_member_more_in_a_large_group() {
    if !is_measuring() {
        return;
    }
    let members = std::env::var("IDENTITYMESH_MEASURE_MEMBERS").ok().and_then(|text| text.parse().ok());
    let members: usize = members.unwrap_or(100_000);
    let people: String = (0..=members).map(|at| person(&format!("m{at}"))).collect();
    let values: String = (0..members).map(|at| format!("member: uid=m{at},{SOURCE}\n")).collect();
    let entries = format!("{people}dn: cn=all,{SOURCE}\nobjectClass: groupOfNames\ncn: all\n{values}\n");
    let Some(mut fed) = Fed::start(SessionLog::AccessLog, &entries) else { return };
    let wires = [Wire::to(&fed.source.url), Wire::to(&fed.target.url)];
    fed.addresses = [wires[0].url.clone(), wires[1].url.clone()];
    fed.changes = std::env::var("IDENTITYMESH_MEASURE_CHANGES").unwrap_or(fed.changes);
    fed.configure("");
    fed.place.good(&["apply", "rules"]);
    let start = Instant::now();
    fed.place.good(&["run", "cycle"]);
    eprintln!("first load of {members} members: {:?}", start.elapsed());
    fed.source
        .modify(&format!(
            "dn: cn=all,{SOURCE}\nchangetype: modify\nadd: member\nmember: uid=m{members},{SOURCE}\n"
        ))
        .unwrap();
    let changed = |fed: &Fed| {
        let database = rusqlite::Connection::open(fed.place.data().join("mesh.db")).unwrap();
        let rows = |table: &str| -> i64 {
            database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        ["space_ref", "membership", "change"].map(rows)
    };
    let before = changed(&fed);
    for (step, arguments) in [
        ("import", &["run", "delta-import", "--connector", "source"][..]),
        ("sync", &["run", "sync", "--connector", "source"]),
        ("export", &["run", "export", "--connector", "target"]),
        ("confirm", &["run", "confirming-import", "--connector", "target"]),
    ] {
        for wire in &wires {
            let _before = wire.take();
        }
        let start = Instant::now();
        let answer = fed.place.json(arguments);
        let [source, target] = [wires[0].take(), wires[1].take()];
        eprintln!(
            "{step}: {:?}; bytes sent and received: source {source:?}, target {target:?}; {}",
            start.elapsed(),
            answer["runs"][0]["counters"]
        );
    }
    eprintln!("rows of references, memberships, changes before and after: {before:?} {:?}", changed(&fed));
    let found = fed.target.search(TARGET, "(cn=all)", &["member"]).unwrap();
    assert_eq!(found.values().next().unwrap()["member"].len(), members + 1);
}
