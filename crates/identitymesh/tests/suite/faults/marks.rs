//! The place where the last import ended is of no use any more: everything is read, by itself, and the run says why.

use identitymesh_testkit::real::{Action, Message, SambaAd, SambaAdOptions, Slapd};
use rusqlite::Connection;

use super::directory::{Directory, Family, dn, entry};
use super::mesh::{Mesh, Way, nth, people};

const PEOPLE: usize = 30;
/// What stands before a cookie in a stored mark, which is JSON within JSON.
const COOKIE: &str = "\\\"cookie\\\":\\\"";

impl Mesh {
    fn database(&self) -> Connection {
        Connection::open(self.place.data().join("mesh.db")).unwrap()
    }

    fn mark(&self) -> String {
        self.database().query_row("SELECT body FROM watermark", [], |row| row.get(0)).unwrap()
    }

    /// Somebody changes, somebody comes, somebody goes; a delta import must find all of it by reading everything.
    fn is_read_in_full(&self, at: usize, why: &str) {
        let directory = self.directory();
        directory.set_title(at, "Changed");
        directory.delete(at + 1);
        directory.modify(&super::directory::entry(directory.family(), PEOPLE + at).replacen(
            '\n',
            "\nchangetype: add\n",
            1,
        ));
        drop(directory);
        let answer = self.place.json(&["run", "delta-import", "--connector", "directory"]);
        let run = &answer["runs"][0];
        let message = run["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("everything was read, because") && message.contains("CON-010"), "{run}");
        assert!(message.contains(why), "{run}");
        self.place.good(&["run", "cycle"]);
        let copied = self.copied();
        assert_eq!(copied[&format!("p{at:03}")], "Changed");
        assert!(!copied.contains_key(&format!("p{:03}", at + 1)));
        assert!(copied.contains_key(&format!("p{:03}", PEOPLE + at)));
        assert_eq!(copied.len(), PEOPLE);
        self.changes_are_enough(at);
    }

    /// A delta import reads one change, and nothing but that.
    fn changes_are_enough(&self, at: usize) {
        self.directory().set_title(at, "Again");
        let answer = self.place.json(&["run", "delta-import", "--connector", "directory"]);
        let run = &answer["runs"][0];
        assert_eq!(
            (&run["message"], &run["counters"]["read"]),
            (&serde_json::Value::Null, &1.into()),
            "{run}"
        );
    }
}

fn started(family: Family) -> Option<Mesh> {
    let mesh = Mesh::start(family, Way::Out, PEOPLE, "")?;
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.copied().len(), people(PEOPLE).len());
    Some(mesh)
}

#[test]
fn a_controller_that_refuses_its_cookie_is_read_in_full() {
    let Some(mesh) = started(Family::Samba) else { return };
    let set =
        |body: &str| mesh.database().execute("UPDATE watermark SET body = ?1", [body]).map(drop).unwrap();
    // A cookie that is none, as a controller of another make or version would see it.
    let mark = mesh.mark();
    let at = mark.find(COOKIE).unwrap() + COOKIE.len();
    set(&format!("{}{}{}", &mark[..at], "Tm90IGEgY29va2ll", &mark[mark[at..].find("\\\"").unwrap() + at..]));
    mesh.is_read_in_full(3, "the controller answered");
    // A cookie that was cut short.
    let mark = mesh.mark();
    set(&format!("{}{}", &mark[..at + 40], &mark[mark[at..].find("\\\"").unwrap() + at..]));
    mesh.is_read_in_full(6, "the controller answered");
}

#[test]
fn a_changelog_that_was_trimmed_past_the_mark_is_made_up_for_by_reading_everything() {
    let Some(mesh) = started(Family::Ds389) else { return };
    mesh.place.good(&["run", "delta-import", "--connector", "directory"]);
    // More happens than the log keeps.
    for title in ["One", "Two", "Three"] {
        mesh.directory().set_title(9, title);
    }
    mesh.directory().trim_changelog();
    mesh.is_read_in_full(3, "was trimmed");
}

#[test]
fn a_server_restored_from_a_backup_refuses_its_cookie_and_is_read_in_full() {
    let Some(mesh) = started(Family::Slapd) else { return };
    let restored = |mesh: &Mesh, does: fn(&mut Slapd) -> anyhow::Result<()>| {
        let Directory::Slapd(slapd) = &mut *mesh.directory() else { panic!("this is about OpenLDAP") };
        does(slapd).unwrap();
    };
    let before = mesh.copied();
    restored(&mesh, Slapd::back_up);
    // Somebody changes, goes and comes after the backup, and the mesh has seen it.
    mesh.directory().set_title(3, "Lost");
    mesh.directory().delete(4);
    mesh.directory().modify(&super::directory::entry(Family::Slapd, PEOPLE).replacen(
        '\n',
        "\nchangetype: add\n",
        1,
    ));
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_ne!(mesh.copied(), before);

    restored(&mesh, Slapd::restore);
    let answer = mesh.place.json(&["run", "delta-import", "--connector", "directory"]);
    let run = &answer["runs"][0];
    let message = run["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("everything was read, because") && message.contains("CON-010"), "{run}");
    assert!(message.contains("consumer state is newer than provider"), "the server's own words: {run}");
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.copied(), before);
    mesh.changes_are_enough(3);
}

#[test]
fn a_server_restored_and_written_to_before_anybody_looks_is_read_in_full() {
    let Some(mesh) = started(Family::Slapd) else { return };
    let restored = |mesh: &Mesh, does: fn(&mut Slapd) -> anyhow::Result<()>| {
        let Directory::Slapd(slapd) = &mut *mesh.directory() else { panic!("this is about OpenLDAP") };
        does(slapd).unwrap();
    };
    restored(&mesh, Slapd::back_up);
    mesh.directory().set_title(5, "Lost");
    mesh.directory().set_title(3, "Lost too");
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!((&*mesh.copied()["p005"], &*mesh.copied()["p003"]), ("Lost", "Lost too"));

    restored(&mesh, Slapd::restore);
    // The server is ahead of the cookie again, and would not tell of the two.
    mesh.directory().set_title(7, "After");
    let answer = mesh.place.json(&["run", "delta-import", "--connector", "directory"]);
    let run = &answer["runs"][0];
    let message = run["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("everything was read, because") && message.contains("CON-010"), "{run}");
    assert!(message.contains("is older than it was"), "{run}");
    mesh.place.good(&["run", "cycle", "--strict"]);
    let mut expected = before_of(&mesh);
    expected.insert("p007".to_owned(), "After".to_owned());
    assert_eq!(mesh.copied(), expected);
    mesh.changes_are_enough(8);
}

/// The titles that everybody had in the beginning.
fn before_of(mesh: &Mesh) -> std::collections::BTreeMap<String, String> {
    mesh.copied().into_keys().zip(people(PEOPLE).into_values().map(|[_, title, _]| title)).collect()
}

/// More entries than a delta holds, which say nothing but their names, and the end of the answer.
fn too_many() -> Vec<Vec<u8>> {
    const HELD_MAX: usize = 200_000;
    // A SearchResultEntry: a name and no attributes.
    let entry = |at: usize| {
        let name = format!("CN=n{at:06},DC=mesh,DC=test");
        let length = u8::try_from(name.len()).unwrap();
        [&[0x64, length + 4, 0x04, length], name.as_bytes(), &[0x30, 0]].concat()
    };
    // A SearchResultDone: success.
    let done = vec![0x65, 7, 0x0a, 1, 0, 0x04, 0, 0x04, 0];
    (0..=HELD_MAX).map(entry).chain([done]).collect()
}

#[test]
fn more_changes_than_a_delta_holds_are_read_in_full() {
    let people: String = (0..PEOPLE).map(|at| entry(Family::Samba, at)).collect();
    let initial_ldif = format!("dn: OU=Staff,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n{people}");
    let Some(ad) = SambaAd::start(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() }) else {
        return;
    };
    // Sequence numbers are only used by an account that sees a deleted object.
    ad.modify(&entry(Family::Samba, 900).replacen('\n', "\nchangetype: add\n", 1)).unwrap();
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(Family::Samba, 900))).unwrap();
    let mesh = Mesh::over(Directory::Samba(ad), Way::Out, "changes = \"usn\"");
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.copied().len(), PEOPLE);
    let asks = |message: &Message| {
        let is_about_changes = |part: &[u8]| part == b"uSNChanged";
        message.is_request && message.body.windows(10).any(is_about_changes)
    };
    mesh.relay.decide(nth(1, asks, || Action::Answer(too_many())));
    mesh.is_read_in_full(3, "more has changed since than is read in one piece");
}
