//! First passwords in a real domain: they sign in, have to be changed, and stand nowhere but in what was delivered.

use std::io::Write as _;
use std::process::{Output, Stdio};

use identitymesh_testkit::bytes::files_containing;

use super::company::Company;
use super::delivered::newest;
use super::world::World;

const GIVEN: &str = "Planted-Given-4711";

struct Scene {
    world: World,
    /// Everything that the product said so far.
    said: Vec<u8>,
}

impl Scene {
    fn run(&mut self, arguments: &[&str], input: Option<&str>) -> Output {
        let mut command = self.world.place.command(arguments);
        // Whatever can be said is said.
        command.env("IDENTITYMESH_LOG", "trace").stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        self.said.extend_from_slice(&output.stdout);
        self.said.extend_from_slice(&output.stderr);
        output
    }

    fn good(&mut self, arguments: &[&str]) {
        let output = self.run(arguments, None);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// `pwdLastSet` of a person: zero while the password has to be changed.
    fn last_set(&self, at: usize) -> i64 {
        let filter = format!("(employeeID={})", Company::id(at));
        let found = self.world.ad.search(&self.world.ad.base, &filter, &["pwdLastSet"]).unwrap();
        let (_, entry) = found.into_iter().next().unwrap();
        String::from_utf8_lossy(&entry["pwdLastSet"][0]).parse().unwrap()
    }

    /// As if the person had changed it.
    fn has_changed(&self, at: usize) {
        let filter = format!("(employeeID={})", Company::id(at));
        let found = self.world.ad.search(&self.world.ad.base, &filter, &["cn"]).unwrap();
        let dn = found.into_keys().next().unwrap();
        let change = format!("dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: -1\n");
        self.world.ad.modify(&change).unwrap();
    }
}

#[test]
fn a_first_password_signs_in_has_to_be_changed_and_stands_nowhere() {
    let Some(world) = World::new(4, 1, true) else { return };
    let service = world.ad.password.clone();
    let mut scene = Scene { world, said: Vec::new() };
    scene.good(&["run", "full-import", "--connector", "hr"]);
    scene.good(&["run", "sync", "--connector", "hr"]);
    scene.good(&["--json", "preview"]);
    scene.good(&["--json", "exports", "list"]);
    scene.good(&["run", "cycle", "--strict"]);

    // Everybody has one, it signs in once it may, and until then it has to be changed.
    let first: Vec<String> = (0..4).map(|at| scene.world.delivered(at)).collect();
    for (at, password) in first.iter().enumerate() {
        assert_eq!((password.len(), scene.last_set(at)), (20, 0), "person {at} has to change it");
        assert!(!scene.world.binds(at, password), "person {at} may not sign in before that");
    }
    scene.has_changed(1);
    assert!(scene.world.binds(1, &first[1]), "it is the password that was delivered");
    let notice = newest(&scene.world.place, &scene.world.key, "100000");
    assert_eq!((&notice["must_change"], &notice["connector"]), (&true.into(), &"ad".into()));
    assert!(notice["attributes"]["sAMAccountName"][0].as_str().unwrap().starts_with('p'));

    // Reset by the rule: another one is delivered, and the first does not sign in any more.
    let person = Company::id(1).to_string();
    scene.good(&["password", "reset", "--connector", "ad", "--object", &person]);
    let second = scene.world.delivered(1);
    assert!(second != first[1] && scene.last_set(1) == 0);
    scene.has_changed(1);
    assert!(scene.world.binds(1, &second) && !scene.world.binds(1, &first[1]));
    // Given by a person, who delivers it too.
    let ask = ["password", "reset", "--connector", "ad", "--object", &person, "--ask"];
    assert!(scene.run(&ask, Some(GIVEN)).status.success());
    assert!(scene.world.binds(1, GIVEN));
    // One that cannot be set is an error that says why, and not what.
    let refused = scene.run(&ask, Some(&"Planted-".repeat(200)));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("PWD-004") && told.contains("LDP-034"), "{told}");
    assert!(!told.contains("Planted"), "{told}");
    assert!(scene.world.binds(1, GIVEN));

    scene.good(&["run", "cycle"]);
    scene.good(&["--json", "password", "list"]);
    scene.good(&["--json", "mesh", "history", &person]);
    scene.good(&["mesh", "history", &person]);
    scene.good(&["--json", "mesh", "show", &person]);
    scene.good(&["--json", "runs", "list"]);
    scene.good(&["export-config", "exported"]);
    scene.good(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&scene.said).into_owned();
    assert!(said.contains("password set and delivered as"), "the history says where to");
    for planted in first.iter().chain([&second, &GIVEN.to_owned(), &service]) {
        assert!(!said.contains(planted.as_str()), "a password was said");
        let utf16: Vec<u8> = planted.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for needle in [planted.as_bytes(), utf16.as_slice()] {
            let found = files_containing(scene.world.place.path(), needle).unwrap();
            assert!(found.is_empty(), "a password stands in {found:?}");
        }
    }
    assert!(
        !files_containing(scene.world.place.path(), person.as_bytes()).unwrap().is_empty(),
        "the search works"
    );
}
