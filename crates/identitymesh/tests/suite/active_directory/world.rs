//! The domain, the phone book and the mesh between them, and what must be so whenever a cycle is over.

#![expect(
    clippy::disallowed_methods,
    reason = "how long each part took is told; nothing is asserted about it"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use identitymesh_testkit::real::{AgeKey, SambaAd, SambaAdOptions, SessionLog, Slapd, SlapdOptions};

use super::company::Company;
use super::delivered::newest;
use super::directories::{self, Content, Found};
use crate::process::Place;

/// Everything that takes part.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) ad: SambaAd,
    pub(super) book: Slapd,
    pub(super) company: Company,
    /// Opens what first passwords are delivered in.
    pub(super) key: AgeKey,
    /// The domain's own ids of all that was ever there.
    ids: BTreeMap<String, String>,
}

impl World {
    /// Empty directories, and a mesh that knows its rules and nobody yet. First passwords may have to be changed.
    pub(super) fn new(people: usize, teams: usize, must_change: bool) -> Option<Self> {
        let key = AgeKey::make()?;
        let ad = SambaAd::start(&SambaAdOptions::default())?;
        let options = SlapdOptions {
            suffix: "o=book".to_owned(),
            sync: Some(SessionLog::Memory),
            ..SlapdOptions::default()
        };
        let book = Slapd::start(options)?;
        let place = Place::new();
        super::configuration::write(place.path(), &ad, &book, &key, must_change);
        let company = Company::new(people, teams);
        company.write(place.path());
        place.keep_secret("ad/service", &ad.password);
        place.keep_secret("book/service", &book.password);
        place.good(&["apply", "mesh"]);
        Some(Self { place, ad, book, company, key, ids: BTreeMap::new() })
    }

    /// One cycle, after which both directories hold what follows from the inputs, and one more that sends nothing. Says
    /// of how many objects the first one read that others had changed what was written to them.
    pub(super) fn settle(&mut self, what: &str) -> u64 {
        self.company.write(self.place.path());
        let start = Instant::now();
        let told = self.start(what, &["--json", "run", "cycle", "--strict"]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let drifted = told["runs"].as_array().unwrap().iter();
        let drifted = drifted.filter_map(|run| run["counters"]["drifted"].as_u64()).sum();
        let cycle = start.elapsed();
        self.company.settle_numbers();
        let (domain, book) = self.check(what);
        self.check_ids(what, &domain);
        // What we wrote is no news when it comes back.
        self.start(what, &["run", "delta-import", "--connector", "ad"]);
        let again: serde_json::Value =
            serde_json::from_str(&self.start(what, &["--json", "run", "cycle"])).unwrap();
        for run in again["runs"].as_array().unwrap().iter().filter(|run| run["step"] == "export") {
            assert_eq!(run["counters"], serde_json::json!({}), "{what}: sent again: {again}");
        }
        let (domain_after, book_after) = self.check(what);
        assert_eq!(domain.versions, domain_after.versions, "{what}: something was written to the domain");
        assert_eq!(book.versions, book_after.versions, "{what}: something was written to the book");
        eprintln!("{what}: cycle {cycle:?}, with all that is checked {:?}", start.elapsed());
        drifted
    }

    /// What a start prints that has to come to its end.
    fn start(&self, what: &str, arguments: &[&str]) -> String {
        let output = self.place.run(arguments);
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn check(&self, what: &str) -> (Found, Found) {
        let (domain, book) = (directories::domain(&self.ad), directories::book(&self.book));
        let expected = self.company.in_domain(&self.ad.base);
        compare(&format!("{what}, domain"), &domain.content, &expected);
        let expected = self.company.in_book(&self.book.suffix, &domain.sids);
        compare(&format!("{what}, book"), &book.content, &expected);
        (domain, book)
    }

    /// Nobody was deleted and made again.
    fn check_ids(&mut self, what: &str, domain: &Found) {
        for (name, id) in &self.ids {
            assert_eq!(domain.ids.get(name), Some(id), "{what}: {name} is another object than before");
        }
        self.ids.clone_from(&domain.ids);
    }

    /// An administrator deletes somebody's account, and a domain takes members and managers out without a word: all of it
    /// comes back, and the account is another object.
    pub(super) fn an_account_is_deleted_by_mistake(&mut self, at: usize) {
        let dn = self.company.dn_in_domain(at, &self.ad.base);
        self.ad.modify(&format!("dn: {dn}\nchangetype: delete\n")).unwrap();
        self.ids.remove(&format!("p{}", Company::id(at)));
        let what = "an account that was deleted by mistake";
        self.start(what, &["run", "delta-import", "--connector", "ad"]);
        // The book has the new account's identifier only once the domain has shown it.
        self.start(what, &["run", "cycle"]);
        self.settle(what);
    }

    /// Whether somebody can sign in to the domain with the first password.
    pub(super) fn signs_in(&self, at: usize) -> bool {
        self.binds(at, &self.delivered(at))
    }

    /// Whether somebody can sign in to the domain with this password.
    pub(super) fn binds(&self, at: usize, password: &str) -> bool {
        self.ad.binds(&format!("p{}@mesh.test", Company::id(at)), password)
    }

    /// The password that was delivered last for somebody.
    pub(super) fn delivered(&self, at: usize) -> String {
        let notice = newest(&self.place, &self.key, &Company::id(at).to_string());
        notice["password"].as_str().unwrap().to_owned()
    }
}

fn compare(what: &str, found: &Content, expected: &Content) {
    for (dn, entry) in expected {
        assert_eq!(found.get(dn), Some(entry), "{what}: {dn}");
    }
    let extra: Vec<_> = found.keys().filter(|dn| !expected.contains_key(*dn)).collect();
    assert!(extra.is_empty(), "{what}: nobody asked for {extra:?}");
}
