//! One domain controller after the other: a mesh that read the first goes on with the second.
//!
//! The controllers replicate when a test says so, so each knows what the other does not.

use std::collections::BTreeSet;
use std::sync::Arc;

use identitymesh_testkit::real::{Action, Message, Operation, SambaAd, SambaAdOptions};

use super::directory::{Directory, Family, dn, entry};
use super::mesh::{Mesh, Way, nth, people};

const PEOPLE: usize = 20;

/// A mesh that has read the first of two controllers, and the second.
fn started(settings: &str) -> Option<(Mesh, SambaAd)> {
    let people: String = (0..PEOPLE).map(|at| entry(Family::Samba, at)).collect();
    let initial_ldif = format!("dn: OU=Staff,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n{people}");
    let (one, two) = SambaAd::start_pair(&SambaAdOptions { initial_ldif, ..SambaAdOptions::default() })?;
    // Sequence numbers are only used by an account that sees a deleted object.
    one.modify(&entry(Family::Samba, 900).replacen('\n', "\nchangetype: add\n", 1)).unwrap();
    one.modify(&format!("dn: {}\nchangetype: delete\n", dn(Family::Samba, 900))).unwrap();
    two.pull_from(&one).unwrap();
    let mesh = Mesh::over(Directory::Samba(one), Way::Out, settings);
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.copied().len(), PEOPLE);
    Some((mesh, two))
}

impl Mesh {
    fn pull_from_the_first(&self, two: &SambaAd) {
        let Directory::Samba(one) = &*self.directory() else { panic!("the first is a controller") };
        two.pull_from(one).unwrap();
    }

    /// A delta import and what follows from it; what the import says of itself.
    fn follow(&self) -> String {
        let answer = self.place.json(&["run", "cycle", "--connector", "directory"]);
        let run = answer["runs"].as_array().unwrap().iter().find(|run| run["step"] == "delta-import");
        run.unwrap()["message"].as_str().unwrap_or_default().to_owned()
    }

    fn title(&self, at: usize) -> Option<String> {
        self.copied().get(&format!("p{at:03}")).cloned()
    }
}

fn add(at: usize) -> String {
    entry(Family::Samba, at).replacen('\n', "\nchangetype: add\n", 1)
}

fn retitle(at: usize, title: &str) -> String {
    format!("dn: {}\nchangetype: modify\nreplace: title\ntitle: {title}\n", dn(Family::Samba, at))
}

/// What happened at the first and was not read there is read at the second, also what happened at the second alone.
fn nothing_is_lost(mesh: &Mesh, two: &SambaAd, says: impl Fn(&str) -> bool) {
    mesh.directory().set_title(3, "Late");
    mesh.directory().delete(4);
    mesh.directory().modify(&add(20));
    mesh.pull_from_the_first(two);
    two.modify(&retitle(5, "There")).unwrap();
    mesh.relay.point_to(&two.ldaps_url, &two.ca_file);
    let said = mesh.follow();
    assert!(says(&said), "{said}");
    assert_eq!((mesh.title(3).as_deref(), mesh.title(5).as_deref()), (Some("Late"), Some("There")));
    assert_eq!((mesh.title(4), mesh.title(20).is_some(), mesh.copied().len()), (None, true, PEOPLE));

    // From here on the second's changes are enough.
    two.modify(&retitle(6, "Further")).unwrap();
    assert_eq!(mesh.follow(), "");
    assert_eq!(mesh.title(6).as_deref(), Some("Further"));
}

#[test]
fn dirsync_goes_on_at_another_controller() {
    let Some((mesh, two)) = started("") else { return };
    nothing_is_lost(&mesh, &two, str::is_empty);

    // Back at the first, which has not heard of anything that happened at the second meanwhile: nobody is gone for that.
    two.modify(&add(21)).unwrap();
    assert_eq!(mesh.follow(), "");
    let url = mesh.directory().url().to_owned();
    mesh.relay.point_to(&url, &mesh.directory().ca_file());
    mesh.directory().set_title(7, "Home");
    assert_eq!(mesh.follow(), "");
    assert_eq!((mesh.title(7).as_deref(), mesh.title(21).is_some()), (Some("Home"), true));
    assert_eq!(mesh.copied().len(), PEOPLE + 1);
}

#[test]
fn sequence_numbers_of_another_controller_are_refused_and_everything_is_read() {
    let Some((mesh, two)) = started("changes = \"usn\"") else { return };
    nothing_is_lost(&mesh, &two, |said| {
        said.starts_with("everything was read, because")
            && said.contains("CON-010")
            && said.contains("another domain controller")
    });

    // The second learns of nothing for a while, so what it does not show is not gone.
    let url = mesh.directory().url().to_owned();
    let Directory::Samba(one) = &*mesh.directory() else { return };
    one.pull_from(&two).unwrap();
    mesh.relay.point_to(&url, &one.ca_file);
    mesh.follow();
    one.modify(&add(21)).unwrap();
    one.modify(&retitle(8, "Now")).unwrap();
    mesh.follow();
    assert_eq!((mesh.title(21).is_some(), mesh.title(8).as_deref()), (true, Some("Now")));
    mesh.relay.point_to(&two.ldaps_url, &two.ca_file);
    for _ in 0..2 {
        let said = mesh.follow();
        assert!(said.contains("what is not there yet is not gone"), "{said}");
        assert!(mesh.title(21).is_some() && mesh.copied().len() == PEOPLE + 1);
    }
    // When it has caught up, it is as good as the first, also to say who is gone.
    one.modify(&format!("dn: {}\nchangetype: delete\n", dn(Family::Samba, 9))).unwrap();
    two.pull_from(one).unwrap();
    let said = mesh.follow();
    assert!(said.contains("CON-010") && !said.contains("not gone"), "{said}");
    assert_eq!(
        (mesh.title(8).as_deref(), mesh.title(9), mesh.title(21).is_some()),
        (Some("Now"), None, true)
    );
    assert_eq!(mesh.follow(), "");
}

/// The first controller dies while people are made there, and some of them are never answered. The second has not heard of
/// them yet, and is not told to make them before they had the time to come to it.
#[test]
fn what_the_first_never_answered_is_not_made_a_second_time_at_the_second() {
    let container = |name: &str| format!("dn: {name}\nobjectClass: organizationalUnit\n\n");
    let staff = "OU=Staff,DC=mesh,DC=test";
    let units: String = (0..2).map(|at| container(&format!("OU=Unit {at},{staff}"))).collect();
    let initial_ldif = format!("{}{units}", container(staff));
    let options = SambaAdOptions { initial_ldif, ..SambaAdOptions::default() };
    let Some((one, two)) = SambaAd::start_pair(&options) else { return };
    let (url, ca_file) = (one.ldaps_url.clone(), one.ca_file.clone());
    let mesh = Mesh::over(Directory::Samba(one), Way::In, "");
    let everybody = people(PEOPLE);
    mesh.write(&everybody);
    mesh.relay.take_requests();
    let directory = Arc::clone(&mesh.directory);
    let is_made = |message: &Message| message.operation == Operation::Add && message.is_success();
    mesh.relay.decide(nth(7, is_made, move || {
        directory.lock().unwrap().kill();
        Action::Cut
    }));
    mesh.cycle();
    mesh.relay.calm();
    let added = |wanted: fn(&Message) -> bool| -> BTreeSet<String> {
        let requests = mesh.relay.take_requests().into_iter();
        let added = requests.filter(|one| one.operation == Operation::Add && wanted(one));
        added.map(|one| one.name.to_lowercase()).collect()
    };
    let open = added(|one| !one.is_answered);
    assert!(!open.is_empty());

    // The second makes whoever the first was never told of.
    mesh.relay.point_to(&two.ldaps_url, &two.ca_file);
    mesh.cycle();
    let made = added(|_| true);
    assert!(made.is_disjoint(&open), "{:?}", made.intersection(&open).collect::<Vec<_>>());

    // What the first did unheard comes to the second; the rest it was told of went with it.
    mesh.directory().restart();
    let done: Vec<String> = mesh.directory().people().into_keys().collect();
    assert!(done.len() >= 7, "{done:?}");
    mesh.pull_from_the_first(&two);
    mesh.place.good(&["exports", "retry"]);
    mesh.place.good(&["run", "cycle"]);
    let made = added(|_| true);
    let again = |account: &&String| made.iter().any(|name| name.starts_with(&format!("cn={account},")));
    assert_eq!(done.iter().filter(again).collect::<Vec<_>>(), [""; 0]);
    if let Directory::Samba(one) = &*mesh.directory() {
        one.pull_from(&two).unwrap();
    }
    for (url, ca_file) in [(&two.ldaps_url, &two.ca_file), (&url, &ca_file)] {
        mesh.relay.point_to(url, ca_file);
        mesh.settle();
    }
    let found = two.search(staff, "(objectClass=user)", &["cn"]).unwrap();
    assert_eq!(found.len(), PEOPLE);
    assert_eq!(mesh.directory().people(), everybody);
}
