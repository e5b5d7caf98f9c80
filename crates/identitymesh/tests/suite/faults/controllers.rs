//! One domain controller after the other: a mesh that read the first goes on with the second.
//!
//! The controllers replicate when a test says so, so each knows what the other does not.

use identitymesh_testkit::real::{SambaAd, SambaAdOptions};

use super::directory::{Directory, Family, dn, entry};
use super::mesh::{Mesh, Way};

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
