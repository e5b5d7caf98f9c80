//! Joins on the command line: a rule is measured, then enabled; people decide what it cannot.

use std::path::Path;

use crate::process::{Place, moment};

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
number = "string"
givenName = "string"
sn = "string"
phone = "string"
"#;

const HR: &str = r#"
[connector]
name = "hr"
type = "csv"
[connector.settings]
path = "hr.csv"
object_type = "person"
key = "id"

[[create]]
object_type = "person"
mesh_type = "user"
anchor = "id"

[[flow]]
object_type = "person"
source = "given"
target = "givenName"
confidence = 90

[[flow]]
object_type = "person"
source = "family"
target = "sn"
confidence = 90
"#;

const CONTACTS: &str = r#"
[connector]
name = "contacts"
type = "csv"
[connector.settings]
path = "contacts.csv"
object_type = "contact"
key = "id"

[[join]]
name = "look-alike"
object_type = "contact"
enabled = false
[join.fuzzy]
threshold = 85
margin = 5
compare = [
  { source = "family", mesh = "sn", with = "jaro_winkler", weight = 2 },
  { source = "given", mesh = "givenName", with = "jaro_winkler" },
]
block = [{ parts = [{ source = "family", mesh = "sn", key = "soundex" }] }]

[[flow]]
object_type = "contact"
source = "tel"
target = "phone"
confidence = 60
"#;

const PEOPLE: &str = "id,given,family\n1,Catherine,Mueller\n2,Jon,Smith\n3,John,Smith\n4,Greta,Olsen\n";
const FOUND: &str = "id,given,family,tel\nc1,Katherine,Müller,100\nc2,John,Smith,200\nc3,Greta,Jensen,300\n";
const PAIRS: &str = "source,mesh,same\nc1,1,yes\nc2,2,no\nc2,3,yes\nc3,4,yes\n";

fn write(place: &Place, file: &str, text: &str) {
    let path = place.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A mesh with everybody imported, and the rule as a draft.
fn mesh() -> Place {
    let place = Place::new();
    write(&place, "mesh/mesh.toml", MESH);
    write(&place, "mesh/connectors/hr.toml", HR);
    write(&place, "mesh/connectors/contacts.toml", CONTACTS);
    write(&place, "mesh/connectors/hr.csv", PEOPLE);
    write(&place, "mesh/connectors/contacts.csv", FOUND);
    write(&place, "pairs.csv", PAIRS);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    place
}

fn enable(place: &Place) {
    write(place, "mesh/connectors/contacts.toml", &CONTACTS.replace("enabled = false", "enabled = true"));
    place.good(&["apply", "mesh"]);
    place.good(&["run", "full-sync"]);
}

fn phone(place: &Place, anchor: &str) -> String {
    place.json(&["mesh", "show", anchor]).to_string()
}

/// The store's file and its log.
fn bytes(folder: &Path) -> [Vec<u8>; 2] {
    ["mesh.db", "mesh.db-wal"].map(|file| std::fs::read(folder.join(file)).unwrap_or_default())
}

/// Looks at a decision, makes it, and demands the counts that were seen; looking changes not a byte.
fn decide(place: &Place, arguments: &[&str]) {
    let arguments = [&["joins"], arguments, &["--reason", "he told us"]].concat();
    let before = bytes(&place.data());
    let seen = place.json(&[&arguments[..], &["--preview"]].concat());
    assert!(bytes(&place.data()) == before, "{arguments:?}: a preview writes nothing");
    let done = place.json(&arguments);
    assert_eq!(seen["counts"], done["counts"], "{arguments:?}");
    assert_ne!(done["counts"], serde_json::json!({}), "{arguments:?} changes something");
}

#[test]
fn a_draft_is_measured_and_links_nobody() {
    let place = mesh();
    assert_eq!(
        place.json(&["space", "list", "--connector", "contacts", "--unjoined"])["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let told = place.json(&["joins", "measure", "--rule", "look-alike", "--pairs", "pairs.csv"]);
    let own = &told["at_threshold"];
    // Katherine is found; John Smith is about as much like Jon; Jensen and Olsen share no block.
    assert_eq!((&own["threshold"], &own["true_positives"]), (&85.into(), &1.into()), "{told}");
    assert_eq!(
        (&own["false_positives"], &own["false_negatives"], &own["conflicts"]),
        (&0.into(), &2.into(), &2.into())
    );
    assert_eq!((&own["precision"], &own["recall"]), (&1.0.into(), &0.333.into()));
    assert_eq!(told["thresholds"].as_array().unwrap().len(), 100);
    let missed = told["false_negatives"].as_array().unwrap();
    assert!(missed.iter().any(|pair| pair["source"] == "c3" && pair["score"].is_null()), "{missed:?}");
    let text = place.good(&["joins", "measure", "--rule", "contacts:look-alike", "--pairs", "pairs.csv"]);
    assert!(text.contains("no block in common"), "{text}");
    assert!(
        place
            .bad(&["joins", "measure", "--rule", "other", "--pairs", "pairs.csv"])
            .contains("contacts:look-alike")
    );
    write(&place, "bad.csv", "source,mesh,same\nc1,1,perhaps\n");
    assert!(
        place.bad(&["joins", "measure", "--rule", "look-alike", "--pairs", "bad.csv"]).contains("line 2")
    );
}

#[test]
fn conflicts_are_listed_shown_decided_and_taken_back() {
    let place = mesh();
    enable(&place);
    assert!(phone(&place, "1").contains("\"100\""), "the look-alike is linked");
    let list = place.json(&["joins", "list"]);
    let conflict = &list["items"][0];
    assert_eq!((&conflict["external_id"], list["items"].as_array().unwrap().len()), (&"c2".into(), 1));
    let scores: Vec<u64> =
        conflict["candidates"].as_array().unwrap().iter().map(|one| one["score"].as_u64().unwrap()).collect();
    assert_eq!((scores[0], scores.len()), (100, 2), "{conflict}");
    let shown = place.good(&["joins", "show", "contacts", "c2"]);
    assert!(shown.contains("candidate user 3") && shown.contains("100 of 100"), "{shown}");

    // Tried: every value that follows, and not a byte of the store is another.
    let before = bytes(&place.data());
    let preview = place.good(&["joins", "link", "contacts", "c2", "2", "--reason", "try", "--preview"]);
    assert!(preview.contains("phone = \"200\""), "{preview}");
    assert_eq!(bytes(&place.data()), before);
    assert!(place.good(&["joins", "decisions"]).contains("nobody"));

    place.good(&["joins", "link", "contacts", "c2", "2", "--reason", "he told us"]);
    assert!(phone(&place, "2").contains("\"200\""));
    assert!(place.good(&["joins", "list"]).contains("no join waits"));
    assert!(place.bad(&["joins", "link", "contacts", "c2", "2", "--reason", "x"]).contains("RUN-019"));
    place.good(&["run", "cycle"]);
    place.good(&["run", "full-sync"]);
    assert!(phone(&place, "2").contains("\"200\""), "it outlives another look at everything");

    place.good(&["joins", "revert", "1", "--reason", "it was his brother"]);
    assert!(!phone(&place, "2").contains("\"200\""));
    assert!(place.bad(&["joins", "revert", "1", "--reason", "x"]).contains("nothing was changed"));
    place.good(&["joins", "never", "contacts", "c2", "2", "--reason", "his brother"]);
    assert!(phone(&place, "3").contains("\"200\""), "the other candidate is left");
    let decisions = place.json(&["joins", "decisions"]);
    assert_eq!(decisions["items"][2]["reverted_by"], 2);
    assert_eq!(decisions["items"][0]["reason"], "his brother");

    place.good(&[
        "joins",
        "split",
        "3",
        "--objects",
        "contacts/c2",
        "--anchor",
        "X-3",
        "--reason",
        "not him",
    ]);
    assert!(phone(&place, "X-3").contains("\"200\""));
    let merge = ["joins", "merge", "2", "X-3", "--reason", "it was Jon after all"];
    assert!(place.bad(&merge).contains("take that decision back first"), "somebody said never");
    place.good(&["joins", "revert", "3", "--reason", "he has no brother"]);
    place.good(&merge);
    assert!(phone(&place, "2").contains("\"200\""));
    assert!(place.bad(&["mesh", "show", "X-3"]).contains("no mesh object"));
    place.good(&["joins", "revert", "6", "--reason", "no"]);
    assert!(phone(&place, "X-3").contains("\"200\""));
    place.good(&["audit", "verify"]);
}

#[test]
fn every_decision_is_previewed_as_it_is_then_carried_out() {
    let place = mesh();
    enable(&place);
    decide(&place, &["link", "contacts", "c2", "2"]);
    decide(&place, &["unlink", "contacts", "c2"]);
    decide(&place, &["revert", "2"]);
    decide(&place, &["split", "2", "--objects", "contacts/c2", "--anchor", "X-2"]);
    decide(&place, &["merge", "2", "X-2"]);
    decide(&place, &["revert", "5"]);
    decide(&place, &["never", "contacts", "c1", "1"]);
}

#[test]
fn decisions_are_in_the_history_and_the_past_is_shown_as_it_was() {
    let place = mesh();
    enable(&place);
    place.good(&["joins", "link", "contacts", "c2", "2", "--reason", "he told us"]);
    let linked = moment();
    let split =
        ["joins", "split", "2", "--objects", "contacts/c2", "--anchor", "X-2", "--reason", "two people"];
    place.good(&split);
    let apart = moment();
    place.good(&["joins", "merge", "2", "X-2", "--reason", "one after all"]);
    assert!(place.bad(&["mesh", "show", "X-2"]).contains("no mesh object"));

    let objects = |called: &str, at: &str| {
        let was = place.json(&["mesh", "show", called, "--at", at]);
        let links = was["links"].as_array().unwrap().iter();
        let mut ids: Vec<String> =
            links.map(|link| link["external_id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(objects("2", &linked), ["2", "c2"]);
    assert_eq!((objects("2", &apart), objects("X-2", &apart)), (vec!["2".to_owned()], vec!["c2".to_owned()]));
    assert_eq!(objects("2", &moment()), ["2", "c2"]);
    assert!(place.bad(&["mesh", "show", "X-2", "--at", &linked]).contains("was not in the mesh"));
    let was = place.json(&["space", "show", "contacts", "c2", "--at", &apart]);
    assert_eq!(was[0]["link"]["anchor"], "X-2", "{was}");

    let history = place.good(&["mesh", "history", "2"]);
    for told in
        ["decision 1, link: he told us", "decision 2, split: two people", "decision 3, merge: one after all"]
    {
        assert!(history.contains(told), "{history}");
    }
    assert!(place.good(&["mesh", "history", "X-2"]).contains("purge"), "of one that is gone for good");
    let why = place.good(&["why", "link", "contacts", "c2"]);
    assert!(why.contains("linked to user 2 by a person") && why.contains("it belongs to user 2"), "{why}");

    // Taken back, X-2 is there again under its public id, and was nowhere in between.
    let between = moment();
    place.good(&["joins", "revert", "3", "--reason", "two people for good"]);
    assert_eq!(objects("X-2", &moment()), ["c2"]);
    assert_eq!(objects("X-2", &apart), ["c2"]);
    assert!(place.bad(&["mesh", "show", "X-2", "--at", &between]).contains("was not in the mesh"));
    place.good(&["audit", "verify"]);
}

#[test]
fn links_are_evaluated_again_by_the_rules_in_force() {
    let place = mesh();
    enable(&place);
    let strict = CONTACTS.replace("enabled = false", "enabled = true").replace("= 85", "= 100");
    write(&place, "mesh/connectors/contacts.toml", &strict);
    place.good(&["apply", "mesh"]);
    let early = place.bad(&["joins", "reevaluate", "--preview"]);
    assert!(early.contains("RUN-021") && early.contains("full-sync"), "{early}");
    place.good(&["run", "full-sync"]);
    assert!(phone(&place, "1").contains("100"), "a change of rules unlinks nobody");

    let before = bytes(&place.data());
    let arguments = ["joins", "reevaluate", "--connector", "contacts", "--rule", "look-alike"];
    let seen = place.json(&[&arguments[..], &["--preview"]].concat());
    let text = place.good(&[&arguments[..], &["--preview"]].concat());
    assert!(bytes(&place.data()) == before, "a preview writes nothing");
    assert!(text.contains("1 link that rules made: nothing found 1"), "{text}");
    assert!(text.contains("contacts/c1") && text.contains("phone removed"), "{text}");
    let neither = place.run(&["joins", "reevaluate"]);
    assert!(!neither.status.success() && String::from_utf8_lossy(&neither.stderr).contains("--preview"));

    let done = place.json(&[&arguments[..], &["--reason", "too lax"]].concat());
    assert_eq!((&seen["counts"], &seen["links"]), (&done["counts"], &done["links"]));
    assert_eq!(done["changes"][0]["what"], "unjoined");
    assert!(!phone(&place, "1").contains("100"));
    let why = place.good(&["why", "link", "contacts", "c1"]);
    assert!(why.contains("join-reevaluation") && why.contains("too lax"), "{why}");
    let nothing = place.good(&[&arguments[..], &["--reason", "again"]].concat());
    assert!(nothing.contains("nothing changed hands"), "{nothing}");

    let number = done["decision"].to_string();
    assert!(place.good(&["joins", "decisions"]).contains("reevaluate"));
    place.good(&["joins", "revert", &number, "--reason", "not too lax"]);
    assert!(phone(&place, "1").contains("100"));
}

/// The contacts find people by one of their columns.
fn found_by(column: &str) -> String {
    let head = CONTACTS.split("[[join]]").next().unwrap();
    let flow = CONTACTS.split("[[flow]]").nth(1).unwrap();
    format!(
        "{head}[[join]]\nname = \"by {column}\"\nobject_type = \"contact\"\n\
         match = [{{ source = \"{column}\", mesh = \"number\" }}]\n\n[[flow]]{flow}"
    )
}

#[test]
fn links_that_change_places_are_left_together_where_a_limit_parts_them() {
    let place = mesh();
    let hr = format!(
        "{HR}\n[[flow]]\nobject_type = \"person\"\nsource = \"id\"\ntarget = \"number\"\nconfidence = 90\n"
    );
    write(&place, "mesh/connectors/hr.toml", &hr);
    write(&place, "mesh/connectors/contacts.toml", &found_by("family"));
    write(&place, "mesh/connectors/contacts.csv", "id,given,family,tel\nc1,2,1,100\nc2,1,2,200\n");
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    assert!(phone(&place, "1").contains("100") && phone(&place, "2").contains("200"));
    write(&place, "mesh/connectors/contacts.toml", &found_by("given"));
    place.good(&["apply", "mesh"]);
    place.good(&["run", "full-sync"]);
    let one = place.json(&["joins", "reevaluate", "--limit", "1", "--reason", "one after the other"]);
    assert_eq!((&one["links"]["left_for_next"], &one["decision"]), (&2.into(), &serde_json::Value::Null));
    let both = place.json(&["joins", "reevaluate", "--reason", "together"]);
    assert_eq!(both["links"]["moves"], 2);
    assert!(phone(&place, "1").contains("200") && phone(&place, "2").contains("100"));
}

#[test]
fn links_of_rules_that_are_gone_are_counted() {
    let place = mesh();
    enable(&place);
    assert!(!place.good(&["doctor"]).contains("links"));
    write(&place, "mesh/connectors/contacts.toml", &CONTACTS.replace("\"look-alike\"", "\"alike\""));
    place.good(&["apply", "mesh"]);
    let told = place.good(&["doctor"]);
    assert!(told.contains("1 made by rules that are not in force any more"), "{told}");
}

#[test]
fn rules_and_what_they_do_are_kept_and_carried_out_as_one_plan() {
    let place = mesh();
    let louder = HR.replace("source = \"family\"", "transform = \"ToUpper(family)\"");
    write(&place, "mesh/connectors/hr.toml", &louder);
    let kept = place.json(&["preview", "--config", "mesh", "--save"]);
    let hash = kept["hash"].as_str().unwrap();
    assert!(place.good(&["preview", "--config", "mesh", "--save"]).contains("with the configuration"));
    assert!(!phone(&place, "1").contains("MUELLER"));

    let listed = place.json(&["plans", "list"]);
    assert_eq!((&listed["items"][0]["base"], &listed["items"][0]["configuration"]), (&1.into(), &2.into()));
    let shown = place.good(&["plans", "show", &hash[..8]]);
    assert!(shown.contains("ToUpper(family)") && shown.contains("mesh_updated 4"), "{shown}");
    assert_eq!(place.json(&["plans", "show", hash])["changes"].as_array().unwrap().len(), 1);

    // What the directory says meanwhile does not matter: the plan is what was kept.
    write(&place, "mesh/connectors/hr.toml", HR);
    let done = place.json(&["plans", "apply", hash, "--reason", "agreed with the staff office"]);
    assert_eq!((&done["configuration"], &done["run"]["counters"]["applied"]), (&2.into(), &4.into()));
    assert!(phone(&place, "1").contains("MUELLER"));
    assert!(
        place.good(&["plan", "mesh"]).contains("ToUpper(family)"),
        "the directory differs from what is in force"
    );

    let back = place.json(&["preview", "--config", "mesh", "--save"])["hash"].clone();
    enable(&place);
    let refused = place.bad(&["plans", "apply", back.as_str().unwrap(), "--reason", "late"]);
    assert!(refused.contains("RUN-023") && refused.contains("compared with version 2"), "{refused}");
}
