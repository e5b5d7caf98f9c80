//! The story itself, with what is expected after each chapter.

use std::process::Stdio;

use identitymesh_testkit::real::{SambaAd, SambaAdOptions};

use super::company::Company;
use crate::process::Place;

/// People and groups; the whole story takes about a minute with ten times as many.
const PEOPLE: usize = 200;
const TEAMS: usize = 20;

struct Story {
    place: Place,
    ad: SambaAd,
    company: Company,
}

impl Story {
    fn begin() -> Option<Self> {
        let ad = SambaAd::start(&SambaAdOptions::default())?;
        let place = Place::new();
        let company = Company::new(PEOPLE, TEAMS);
        super::configuration::write(place.path(), &ad);
        company.write(place.path());
        let mut set = place.command(&["secrets", "set", "ad/service"]);
        let mut child = set.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), ad.password.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        place.good(&["apply", "mesh"]);
        Some(Self { place, ad, company })
    }

    /// A cycle, the comparison, and a cycle that sends nothing.
    fn settle(&self, what: &str) {
        self.company.write(self.place.path());
        // What a plan sends is confirmed by the next import, and links wait for whom they name.
        for _ in 0..3 {
            let output = self.place.run(&["run", "cycle", "--strict"]);
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&said));
        }
        let found = self.company.read(&self.ad);
        let expected = self.company.expected(&self.ad.base);
        for (dn, entry) in &expected {
            assert_eq!(found.get(dn), Some(entry), "{what}: {dn}");
        }
        let extra: Vec<_> = found.keys().filter(|dn| !expected.contains_key(*dn)).collect();
        assert!(extra.is_empty(), "{what}: nobody asked for {extra:?}");
        // What we wrote is no news when it comes back.
        self.place.good(&["run", "delta-import", "--connector", "ad"]);
        let again = self.place.json(&["run", "cycle"]);
        for run in again["runs"].as_array().unwrap() {
            let counters = run["counters"].as_object().unwrap();
            for sent in ["create", "update", "move", "disable", "enable", "delete"] {
                assert!(
                    !counters.contains_key(sent) || run["step"] != "export",
                    "{what}: sent again: {again}"
                );
            }
        }
    }

    fn binds(&self, at: usize) -> bool {
        let (name, password) = (format!("p{}@mesh.test", self.company.id(at)), self.company.password(at));
        self.ad.binds(&name, &password)
    }
}

#[test]
fn a_company_lives_in_a_domain() {
    let Some(mut story) = Story::begin() else { return };
    story.settle("first load");
    assert!(story.binds(3), "the first password signs in");

    // A day: other titles, a marriage, a move to another department, another team, a newcomer.
    story.company.people[5].title = "Head of Things".to_owned();
    story.company.people[6].surname = "Añez-Óscar".to_owned();
    story.company.people[7].department = "Research".to_owned();
    story.company.people[8].manager = Some(9);
    story.company.teams[2].retain(|member| *member != story.company.people.len() - 1);
    story.company.teams[2].push(6);
    story.company.hire();
    story.settle("a day of changes");

    // A department is renamed: everybody in it moves, whoever refers to them follows.
    for person in story.company.people.iter_mut().filter(|person| person.department == "Sales") {
        person.department = "Sales and Service".to_owned();
    }
    story.settle("a renamed department");

    for at in [11, 12, 13] {
        story.company.people[at].is_active = false;
    }
    story.settle("leavers");
    assert!(!story.binds(11), "a leaver does not sign in");

    story.company.people[12].is_active = true;
    story.company.people[12].surname = "Returned".to_owned();
    story.settle("a rehire");
    assert!(story.binds(12), "whoever returns signs in again");

    // The controller comes back after a power cut in the middle of the night.
    story.ad.stop();
    let refused = story.place.run(&["run", "delta-import", "--connector", "ad", "--strict"]);
    let said = String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap();
    assert!(!refused.status.success() && said.contains("LDP-001"), "nobody answers: {said}");
    story.ad.restart().unwrap();
    story.company.people[20].title = "Night watch".to_owned();
    story.settle("after a power cut");
}
