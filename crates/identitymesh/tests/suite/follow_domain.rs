//! A domain that is followed, and how soon a change in it is in another directory.

#![expect(clippy::disallowed_methods, reason = "measuring is about the real time of other processes")]

use std::time::{Duration, Instant};

use identitymesh_testkit::real::{SambaAd, SambaAdOptions, SessionLog, Slapd, SlapdOptions};

use crate::follow::{Following, is_measuring};
use crate::process::Place;

const MESH: &str = "[[type]]\nname = \"user\"\n[type.attributes]\nuid = \"string\"\ntitle = \"string\"\n";

const SOURCE: &str = r#"
[connector]
name = "source"
type = "active-directory"

[connector.settings]
servers = ["{URL}"]
ca_file = "{CA}"
base = "DC=mesh,DC=test"
include = ["OU=people,DC=mesh,DC=test"]
bind_dn = "{BIND}"
bind_password = "{{secret:source}}"

[[create]]
object_type = "user"
mesh_type = "user"
anchor = "sAMAccountName"

[[flow]]
object_type = "user"
source = "sAMAccountName"
target = "uid"
confidence = 90

[[flow]]
object_type = "user"
source = "title"
target = "title"
confidence = 90
"#;

const TARGET: &str = r#"
[connector]
name = "target"
type = "ldap"

[connector.settings]
servers = ["{URL}"]
base = "o=Target"
bind_dn = "cn=admin,o=Target"
bind_password = "{{secret:target}}"

[connector.settings.types.user]
attributes = { uid = "string", cn = "string", sn = "string", title = "string" }

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

[[projection.attribute]]
target = "cn"
source = "uid"

[[projection.attribute]]
target = "sn"
source = "uid"

[[projection.attribute]]
target = "title"
source = "title"
"#;

/// A domain, a directory, and a mesh that feeds this from that.
struct Fed {
    place: Place,
    domain: SambaAd,
    target: Slapd,
}

fn started(people: usize) -> Option<Fed> {
    let tree = "dn: OU=people,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n".to_owned();
    let entry = |at| format!("dn: {}\nobjectClass: user\nsAMAccountName: p{at}\n\n", dn(at));
    let initial_ldif = tree + &(0..people).map(entry).collect::<String>();
    let domain = SambaAd::start(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() })?;
    let (suffix, sync) = ("o=Target".to_owned(), Some(SessionLog::Memory));
    let target = Slapd::start(SlapdOptions { suffix, sync, ..SlapdOptions::default() })?;
    let place = Place::new();
    let ca_file = domain.ca_file.display().to_string();
    let source = SOURCE.replace("{URL}", &domain.ldaps_url).replace("{CA}", &ca_file);
    let source = source.replace("{BIND}", &domain.bind_name);
    place.write_rules(MESH, &[("source", &source), ("target", &TARGET.replace("{URL}", &target.url))]);
    place.keep_secret("source", &domain.password);
    place.keep_secret("target", &target.password);
    place.good(&["apply", "rules"]);
    Some(Fed { place, domain, target })
}

fn dn(at: usize) -> String {
    format!("CN=p{at},OU=people,DC=mesh,DC=test")
}

impl Fed {
    fn set_title(&self, at: usize, title: &str) {
        let record = format!("dn: {}\nchangetype: modify\nreplace: title\ntitle: {title}\n", dn(at));
        self.domain.modify(&record).unwrap();
    }

    /// How long it takes until the other directory says so.
    fn until_title(&self, at: usize, title: &str) -> Duration {
        let start = Instant::now();
        let is_so = || {
            let found = self.target.search("o=Target", &format!("(uid=p{at})"), &["title"]).unwrap();
            found.values().any(|entry| entry.get("title").is_some_and(|held| held[0] == title.as_bytes()))
        };
        while !is_so() {
            assert!(start.elapsed() < Duration::from_secs(60), "the change of p{at} did not come about");
            std::thread::sleep(Duration::from_millis(1));
        }
        start.elapsed()
    }
}

#[test]
fn a_change_in_a_followed_domain_reaches_the_other_directory() {
    let Some(fed) = started(3) else { return };
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    for (at, title) in [(0, "Chief"), (2, "Clerk"), (0, "Head")] {
        fed.set_title(at, title);
        fed.until_title(at, title);
    }
    following.end();
}

/// The figures of docs/performance.md; see there for the command.
#[test]
fn measure_how_soon_a_change_in_a_domain_is_in_the_other_directory() {
    if !is_measuring() {
        return;
    }
    let Some(fed) = started(200) else { return };
    let following = Following::start(&fed.place);
    following.wait_for("listening");
    let mut took: Vec<Duration> = Vec::new();
    for at in 0..200 {
        fed.set_title(at, "Changed");
        took.push(fed.until_title(at, "Changed"));
    }
    took.sort_unstable();
    eprintln!("p50 {:?} p95 {:?} max {:?}", took[100], took[190], took[199]);
    following.end();
}
