//! The way of a newcomer: init, plan, apply, run, ask.

use crate::process::Place;

#[test]
fn a_first_mesh_works_as_init_says() {
    let place = Place::new();
    let told = place.good(&["init", "mesh"]);
    assert!(told.contains("identitymesh apply mesh"), "{told}");
    let plan = place.good(&["plan", "mesh"]);
    assert!(plan.contains("+ hr: type"), "{plan}");
    place.good(&["apply", "mesh"]);
    assert!(place.good(&["apply", "mesh"]).contains("nothing changed"));
    place.good(&["run", "cycle", "--strict"]);
    let ldif = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    assert!(ldif.contains("uid=joneill,ou=Operations,ou=People,dc=corp,dc=example"), "{ldif}");
    let people = place.json(&["mesh", "list"]);
    assert_eq!(people["items"].as_array().unwrap().len(), 5);
    let why = place.json(&["mesh", "why", "100003", "mail"]);
    assert_eq!(why["contributions"][0]["value"], "zoe.dewit@corp.example");
    assert_eq!(why["contributions"][0]["wins"], true);
    assert!(place.good(&["doctor"]).contains("connector hr"));
}

#[test]
fn a_leaver_is_previewed_then_disabled_and_a_second_run_sends_nothing() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let hr = place.path().join("mesh/connectors/hr.csv");
    let text = std::fs::read_to_string(&hr).unwrap();
    let stay: Vec<&str> = text.lines().filter(|line| !line.starts_with("100005")).collect();
    std::fs::write(&hr, stay.join("\n") + "\n").unwrap();
    place.good(&["run", "full-import", "--connector", "hr"]);
    let before = std::fs::read(place.data().join("mesh.db")).unwrap();
    let preview = place.json(&["preview"]);
    assert_eq!(preview["counts"]["queued_disable"], 1, "{preview}");
    assert!(preview["plan"].as_str().unwrap().contains("leave user 100005"), "{preview}");
    assert_eq!(std::fs::read(place.data().join("mesh.db")).unwrap(), before, "a preview writes nothing");
    let runs = place.json(&["run", "cycle"]);
    let exported = runs["runs"].as_array().unwrap().iter().find(|run| run["step"] == "export").unwrap();
    assert_eq!(exported["counters"]["disable"], 1, "{runs}");
    let again = place.json(&["run", "cycle"]);
    assert!(
        again["runs"].as_array().unwrap().iter().all(|run| run["counters"].get("update").is_none()),
        "{again}"
    );
    let history = place.json(&["mesh", "history", "100005"]);
    assert_eq!(history[0]["kind"], "export");
    assert_eq!(history[0]["before"]["a"]["employeeType"], "active");
}

#[test]
fn the_written_configuration_is_byte_stable() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["export-config", "one"]);
    std::fs::copy(place.path().join("mesh/connectors/hr.csv"), place.path().join("one/connectors/hr.csv"))
        .unwrap();
    place.good(&["apply", "one"]);
    place.good(&["export-config", "two"]);
    for file in ["mesh.toml", "connectors/hr.toml", "connectors/directory.toml"] {
        let read =
            |directory: &str| std::fs::read_to_string(place.path().join(directory).join(file)).unwrap();
        assert_eq!(read("one"), read("two"), "{file}");
    }
}

#[test]
fn values_of_a_disabled_connector_stay_and_are_marked_as_stale() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let values = || place.json(&["mesh", "show", "100003"])["attributes"].clone();
    let before = values();
    assert!(!place.good(&["mesh", "show", "100003"]).contains("stale"));
    let file = place.path().join("mesh/connectors/hr.toml");
    let enabled = std::fs::read_to_string(&file).unwrap();
    let disabled = enabled.replacen("[connector]\n", "[connector]\nenabled = false\n", 1);
    assert_ne!(enabled, disabled);

    std::fs::write(&file, disabled).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    assert_eq!(values(), before, "what it contributed stays");
    let shown = place.json(&["mesh", "show", "100003"]);
    assert_eq!(shown["stale_attributes"]["mail"], "hr", "{shown}");
    let links = shown["links"].as_array().unwrap();
    assert!(links.iter().all(|link| link["stale"] == (link["connector"] == "hr")), "{shown}");
    assert!(place.good(&["mesh", "show", "100003"]).contains("(stale: hr is disabled)"));
    let why = place.json(&["why", "value", "100003", "mail"]);
    assert_eq!(why["contributions"][0]["stale"], true, "{why}");
    assert!(place.good(&["why", "value", "100003", "mail"]).contains("stale: the connector is disabled"));

    std::fs::write(&file, enabled).unwrap();
    place.good(&["apply", "mesh"]);
    assert_eq!(place.json(&["mesh", "show", "100003"])["stale_attributes"], serde_json::json!({}));
}
