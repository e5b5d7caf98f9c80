//! Measuring a directory: the shape of the answer, and that nothing is left behind.

use identitymesh_testkit::real::{Slapd, SlapdOptions};

use crate::process::Place;

const BASE: &str = "dc=mesh,dc=test";
const CONTAINER: &str = "ou=bench,dc=mesh,dc=test";

/// The arguments of a small measurement in `container`, over TLS.
fn measured(place: &Place, slapd: &Slapd, container: &str) -> std::process::Output {
    let (ca, below) = (slapd.ca_file.to_str().unwrap(), place.path().to_str().unwrap());
    let arguments = [
        &["--json", "bench", "--objects", "100", "--window", "8", "--target", &slapd.ldaps_url, "--ca", ca][..],
        &["--bind", &slapd.bind_dn, "--container", container, "--below", below],
    ];
    place.command(&arguments.concat()).env("IDENTITYMESH_BENCH_PASSWORD", &slapd.password).output().unwrap()
}

fn names(slapd: &Slapd) -> Vec<String> {
    slapd.search(BASE, "(objectClass=*)", &["1.1"]).unwrap().into_keys().collect()
}

#[test]
fn a_directory_is_measured_in_a_container_of_its_own_that_is_gone_afterwards() {
    let Some(slapd) = Slapd::start(SlapdOptions::default()) else { return };
    let place = Place::new();
    let before = names(&slapd);
    let output = measured(&place, &slapd, CONTAINER);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let told: Vec<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        ["ldap-create", "ldap-change", "ldap-read", "ldap-import-first", "ldap-import-unchanged"]
    );
    for case in cases {
        for figure in ["milliseconds", "objects_per_s", "raw_per_s", "ratio"] {
            assert!(case[figure].as_f64().unwrap() > 0.0, "{figure} of {case}");
        }
        assert_eq!(case["objects"], 100, "{case}");
    }
    assert_eq!((&report["target"], &report["window"]), (&"OpenLDAP".into(), &8.into()));
    assert_eq!(names(&slapd), before);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "files are left");
}

#[test]
fn previews_and_leavers_are_measured_in_one_form() {
    let place = Place::new();
    for (case, objects, names) in [
        ("leavers", 1_000, &["leavers-import", "leavers-sync", "leavers"][..]),
        ("preview", 1_000, &["preview-creates", "preview-changes"]),
    ] {
        let below = place.path().to_str().unwrap();
        let report =
            place.json(&["bench", "--case", case, "--objects", &objects.to_string(), "--below", below]);
        let cases = report["cases"].as_array().unwrap();
        let told: Vec<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!((told.as_slice(), &report["objects"]), (names, &objects.into()));
        for case in cases {
            for figure in ["objects", "milliseconds", "objects_per_s", "raw_per_s", "peak_rss_bytes"] {
                assert!(case[figure].as_f64().unwrap() > 0.0, "{figure} of {case}");
            }
            let name = case["name"].as_str().unwrap();
            assert_eq!(case["store_sha256"].is_string(), name.starts_with("preview"), "{case}");
            assert!(report["growth"][name].as_f64().unwrap() > 0.0, "{report}");
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "files are left");
    }
}

#[test]
fn a_container_that_bench_did_not_make_is_not_touched() {
    let unit = format!("dn: {CONTAINER}\nobjectClass: organizationalUnit\nou: bench\n\n");
    let options = SlapdOptions { initial_ldif: unit, ..SlapdOptions::default() };
    let Some(slapd) = Slapd::start(options) else { return };
    let place = Place::new();
    let before = names(&slapd);
    let output = measured(&place, &slapd, CONTAINER);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("is there already"), "{told}");
    assert_eq!(names(&slapd), before);
    // What is below it is not bench's either, and a container that has no place is no container.
    let output = measured(&place, &slapd, "ou=bench,ou=nowhere,dc=mesh,dc=test");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(names(&slapd), before);
}
