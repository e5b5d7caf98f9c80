//! Each kind of bad input: a finding or an error with a code, the rest goes on, and no absence is proven by mistake.

use std::io::Write as _;

use crate::support::{Place, name};
use identitymesh_connector::{Class, ImportMode, ImportRequest};
use identitymesh_connector_file::FileKind;
use serde_json::json;

fn ldif() -> Place {
    Place::new(FileKind::ldif(), "people.ldif", json!({ "key": "uid" }))
}

fn json_lines() -> Place {
    Place::new(FileKind::json(), "people.jsonl", json!({ "key": "id" }))
}

#[tokio::test]
async fn a_broken_quote_costs_its_own_line() {
    let place = Place::csv(json!({}));
    place.write("id,sn\n1,Ann\n2,\"Ben\n3,\"Cyd\"\n4,Dee\n");
    let imported = place.import().await;
    assert_eq!(imported.keys(), ["1", "3", "4"]);
    assert_eq!(imported.codes(), ["FIL-005"]);
    assert_eq!(imported.findings[0].location.as_deref(), Some("line 3"));
    assert!(!imported.certificate().is_complete());

    place.write("id,sn\n1,Ann\n2,\"Ben\n3,Cyd\n4,Dee");
    let never_closed = place.import().await;
    assert_eq!((never_closed.keys(), never_closed.codes()), (vec!["1", "3", "4"], vec!["FIL-005"]));
    assert!(!never_closed.certificate().is_complete());

    place.write("id,sn\n1,O\"Hara\n2,Ben\n");
    assert_eq!(place.import().await.keys(), ["2"]);
}

#[tokio::test]
async fn a_wrong_encoding_is_no_question_mark() {
    let place = Place::csv(json!({}));
    place.write(b"id,sn\n1,M\xfcller\n2,Ben\n");
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["2"], vec!["FIL-006"]));
    assert_eq!(imported.findings[0].external_id.as_deref(), Some("1"), "it counts as seen");
    assert!(!imported.certificate().is_complete());
    // UTF-16 where UTF-8 is expected: nothing in it can be trusted.
    place.write("id,sn\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let error = place.fails().await;
    assert_eq!((error.code, error.class), ("FIL-003", Class::Data));
}

#[tokio::test]
async fn rows_without_key_and_with_a_key_that_is_too_long() {
    let place = Place::csv(json!({}));
    place.write(format!(
        "id,sn\n1,Ann\n,Ben\n  ,Cyd\n{},Dee\n{},Eve\n",
        "x".repeat(1_024),
        "x".repeat(1_025)
    ));
    let imported = place.import().await;
    assert_eq!(imported.changes.len(), 2);
    assert_eq!(imported.codes(), ["FIL-007", "FIL-007", "FIL-007"]);
    assert_eq!(imported.certificate().gaps.len(), 3);
}

#[tokio::test]
async fn of_duplicate_keys_the_first_counts() {
    let place = Place::csv(json!({}));
    place.write("id,sn\n1,Ann\n1,Ben\n2,Cyd\n");
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1", "2"], vec!["FIL-008"]));
    assert_eq!(imported.object("1").single(name("sn")), Some(&"Ann".into()));
    assert_eq!(imported.findings[0].external_id.as_deref(), Some("1"));
    assert!(!imported.certificate().is_complete());
}

#[tokio::test]
async fn a_vanished_column_stops_the_import_before_the_first_page() {
    for (settings, missing) in [
        (json!({ "attributes": { "hired": "datetime" } }), "hired"),
        (json!({ "header": { "E-mail": "mail" } }), "mail"),
        (json!({ "key": "number" }), "number"),
    ] {
        let place = Place::csv(settings);
        place.write("id,sn\n1,Ann\n");
        let error = place.fails().await;
        assert_eq!((error.code, error.class), ("FIL-003", Class::Data));
        assert!(error.message.contains(missing), "{error}");
        assert!(error.advice.is_some());
    }
    // Known from before by the adjusted schema.
    let mut place = Place::csv(json!({}));
    place.write("id,sn,mail\n1,Ann,a@mesh.test\n");
    place.schema = Some(place.open().await.schema().await.unwrap());
    place.write("id,sn\n1,Ann\n");
    assert_eq!(place.fails().await.code, "FIL-003");
}

#[tokio::test]
async fn a_header_that_names_a_column_twice() {
    let place = Place::csv(json!({}));
    place.write("id,Mail,mail\n1,a,b\n");
    assert_eq!(place.fails().await.code, "FIL-003");
}

#[tokio::test]
async fn a_file_that_was_cut() {
    let place = Place::csv(json!({}));
    place.write("id,sn,mail\n1,Ann,a\n2,Be");
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1"], vec!["FIL-009"]));
    assert!(!imported.certificate().is_complete());
    place.write("id,sn,mail\n1,Ann,a\n2,Ben,b");
    assert!(place.import().await.certificate().is_complete(), "a whole last row may lack its line end");

    let lines = json_lines();
    lines.write("{\"id\":\"1\"}\n{\"id\":\"2\",\"sn\":\"Be");
    let imported = lines.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1"], vec!["FIL-013"]));
    assert!(!imported.certificate().is_complete());

    let entries = ldif();
    entries.write("dn: uid=1\nuid: 1\n\ndn: uid=2\nuid: 2\nmail: b@me");
    let imported = entries.import().await;
    assert_eq!(imported.keys(), ["1", "2"]);
    assert!(!imported.certificate().is_complete());

    let array = Place::new(FileKind::json(), "people.json", json!({ "key": "id" }));
    array.write("[{\"id\":\"1\"},{\"id\":\"2\"}");
    assert!(!array.import().await.certificate().is_complete());
    array.write("[{\"id\":\"1\"}] [{\"id\":\"2\"}]");
    assert!(!array.import().await.certificate().is_complete());
}

#[tokio::test]
async fn too_many_or_too_few_fields_is_the_rows_own_fault() {
    let place = Place::csv(json!({}));
    place.write("id,sn\n1\n2,Ben,x\n3,Cyd\n");
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["3"], vec!["FIL-009", "FIL-009"]));
    let certificate = imported.certificate();
    assert_eq!((certificate.objects, certificate.is_complete()), (3, true), "both keys were readable");
}

#[tokio::test]
async fn files_without_objects() {
    let place = Place::csv(json!({}));
    place.write("id,sn\n");
    let header_only = place.import().await;
    assert_eq!((header_only.certificate().objects, header_only.certificate().is_complete()), (0, true));
    place.write("");
    let nothing = place.import().await;
    assert_eq!(nothing.certificate().objects, 0);
    assert!(!nothing.certificate().is_complete(), "without a header nobody knows what the file is");
    let lines = json_lines();
    lines.write("");
    assert!(!lines.import().await.certificate().is_complete());
    let array = Place::new(FileKind::json(), "people.json", json!({ "key": "id" }));
    array.write("[]");
    assert!(array.import().await.certificate().is_complete());
}

#[tokio::test]
async fn ldif_faults_cost_their_entry() {
    let place = ldif();
    place.write(
        "dn: uid=1\nuid: 1\nphoto:: %%%\n\ndn: uid=2\nuid:: %%%\n\ndn: uid=3\nuid: 3\nphoto:< file:///etc/passwd\n\n\
         nothing here\n\ndn: uid=4\nuid: 4\n",
    );
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["4"], vec!["FIL-012"; 4]));
    let seen: Vec<_> = imported.findings.iter().map(|finding| finding.external_id.as_deref()).collect();
    assert_eq!(seen, [Some("1"), None, Some("3"), None]);
    assert_eq!(imported.certificate().gaps.len(), 2);
    assert!(imported.findings[2].message.contains("URL"));
}

#[tokio::test]
async fn a_value_of_ten_megabytes_costs_its_attribute() {
    let huge = "x".repeat(10 << 20);
    let csv = Place::csv(json!({}));
    csv.write(format!("id,sn\n1,Ann\n2,{huge}\n3,\"{huge}\"\n4,Dee\n"));
    let lines = json_lines();
    lines.write(format!(
        "{{\"id\":\"1\",\"sn\":\"a\"}}\n{{\"id\":\"2\",\"sn\":\"{huge}\"}}\n{{\"id\":\"3\",\"sn\":\"{huge}\"}}\n{{\"id\":\"4\"}}\n"
    ));
    let entries = ldif();
    entries.write(format!(
        "dn: a\nuid: 1\nsn: a\n\ndn: b\nuid: 2\nsn: {huge}\n\ndn: c\nuid: 3\nsn: {huge}\n\ndn: d\nuid: 4\n"
    ));
    for place in [csv, lines, entries] {
        let imported = place.import().await;
        assert_eq!(
            (imported.keys(), imported.codes()),
            (vec!["1", "2", "3", "4"], vec!["FIL-010", "FIL-010"])
        );
        for object in &imported.objects()[1..3] {
            assert_eq!(
                (object.attributes.get(name("sn")), object.unread.as_slice()),
                (None, &[name("sn")][..])
            );
        }
        assert_eq!(imported.findings[0].external_id.as_deref(), Some("2"));
        assert_eq!((imported.certificate().objects, imported.certificate().is_complete()), (4, true));
    }
}

#[tokio::test]
async fn a_record_larger_than_any_may_be() {
    let huge = "x".repeat((32 << 20) + 100);
    let place = Place::csv(json!({}));
    place.write(format!("id,sn\n1,Ann\n2,\"{huge}\"\n"));
    let error = place.fails().await;
    assert_eq!((error.code, error.class), ("FIL-004", Class::Data));
    let lines = json_lines();
    lines.write(format!("{{\"id\":\"1\"}}\n{{\"id\":\"2\",\"sn\":\"{huge}\"}}\n{{\"id\":\"3\"}}\n"));
    let imported = lines.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1", "3"], vec!["FIL-004"]));
    assert!(!imported.certificate().is_complete());
    let entries = ldif();
    entries.write(format!("dn: a\nuid: 1\n\ndn: b\nuid: 2\nsn: {huge}\nmail: x\n\ndn: c\nuid: 3\n"));
    let imported = entries.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1", "3"], vec!["FIL-004"]));
}

#[tokio::test]
async fn values_that_do_not_fit_their_type() {
    let place = Place::csv(json!({ "attributes": { "hired": "datetime", "grade": "integer" } }));
    place.write("id,hired,grade\n1,soon,1\n2,2026-03-02,x\n3,2026-03-02,3\n4,late,y\n");
    let imported = place.import().await;
    let unread: Vec<Vec<_>> = imported.objects().into_iter().map(|object| object.unread.clone()).collect();
    let (hired, grade) = (name("hired"), name("grade"));
    assert_eq!(unread[..3], [vec![hired], vec![grade], vec![]]);
    assert_eq!(unread[3].len(), 2);
    assert_eq!(imported.object("1").single(grade), Some(&1_i64.into()), "the rest of the record is taken");
    assert_eq!(imported.codes(), ["FIL-010"; 3], "one finding for each record");
    assert!(imported.findings[0].message.starts_with("hired: \"soon\""), "{:?}", imported.findings[0]);
    assert!(imported.findings[2].message.contains("cannot be read either"), "{:?}", imported.findings[2]);
    assert!(imported.certificate().is_complete());
}

#[tokio::test]
async fn a_key_that_does_not_fit_its_type_keeps_its_object_as_it_was() {
    let place = Place::csv(json!({ "attributes": { "id": "integer" } }));
    place.write("id,sn\n1,Ann\nx,Ben\n");
    let imported = place.import().await;
    assert_eq!((imported.keys(), imported.codes()), (vec!["1"], vec!["FIL-010"]));
    assert!(!imported.certificate().is_complete(), "nobody knows whose row it is");
}

#[tokio::test]
async fn a_file_with_an_unreadable_value_is_not_written_again() {
    let place = Place::csv(json!({ "export": "full", "attributes": { "hired": "datetime" } }));
    place.write("id,hired\n1,soon\n");
    let mut session = place.open().await;
    let create = identitymesh_connector::OperationKind::Create {
        attributes: crate::support::object([("id", "2".into())]),
        create_container: false,
        password: None,
    };
    let error = crate::support::export(session.as_mut(), vec![create]).await.unwrap_err();
    assert_eq!(error.code, "FIL-016");
    assert!(error.message.contains("line 2") && error.message.contains("hired"), "{error}");
    assert_eq!(place.text(), "id,hired\n1,soon\n");
}

#[tokio::test]
async fn an_attribute_that_nobody_declared_is_said_once() {
    let place = json_lines();
    let late: String = (2_000..2_010).map(|id| format!("{{\"id\":\"{id}\",\"late\":\"x\"}}\n")).collect();
    let early: String = (0..1_500).map(|id| format!("{{\"id\":\"{id}\"}}\n")).collect();
    place.write(early + &late);
    let imported = place.import().await;
    assert_eq!((imported.changes.len(), imported.codes()), (1_510, vec!["FIL-011"]));
}

#[tokio::test]
async fn json_that_is_no_record() {
    let place = json_lines();
    let deep = format!("{{\"id\":\"d\",\"x\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    place.write(format!(
        "[1]\n{{\"id\":}}\n{deep}\n{{\"id\":\"1\",\"a\":{{\"b\":{{\"c\":{{\"d\":{{\"e\":1}}}}}}}}}}\n"
    ));
    let imported = place.import().await;
    assert_eq!(imported.keys(), ["1"]);
    assert_eq!(imported.codes(), ["FIL-013", "FIL-013", "FIL-013", "FIL-011"]);
}

#[tokio::test]
async fn entries_of_two_types_or_of_an_unknown_one() {
    let place = Place::new(
        FileKind::ldif(),
        "all.ldif",
        json!({ "types": { "user": { "object_class": "person" }, "group": { "object_class": "groupOfNames" } } }),
    );
    place
        .write("dn: cn=x\nobjectClass: person\nobjectClass: groupOfNames\n\ndn: cn=y\nobjectClass: device\n");
    let imported = place.import().await;
    assert_eq!((imported.keys().len(), imported.codes()), (0, vec!["FIL-014"]));
    assert!(imported.certificates.iter().all(|certificate| !certificate.is_complete()));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_proves_nothing() {
    let place = Place::csv(json!({}));
    place.write("id\n1\n2\n3\n");
    let mut session = place.open().await;
    let importer = session.importer().unwrap();
    let request =
        ImportRequest { mode: ImportMode::Full, object_types: vec![name("user")], page_size_max: 1 };
    importer.begin(request).await.unwrap();
    assert!(importer.next_page().await.unwrap().is_some());
    let mut file = std::fs::OpenOptions::new().append(true).open(place.main()).unwrap();
    file.write_all(b"4\n").unwrap();
    let error = loop {
        match importer.next_page().await {
            Ok(Some(page)) => assert_eq!(page.certificates, []),
            Ok(None) => panic!("the change was not noticed"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code, error.class), ("FIL-002", Class::Transient));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_still_being_written_is_not_read() {
    let mut place = Place::csv(json!({}));
    place.set("settle_ms", json!(400)).write("id\n1\n");
    let path = place.main();
    let writer = tokio::spawn(async move {
        // Appends for longer than the settle time, so that both looks differ however slow the machine is.
        for row in 0..40 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            writeln!(file, "x{row}").unwrap();
        }
    });
    let error = place.fails().await;
    assert_eq!((error.code, error.class), ("FIL-002", Class::Transient));
    writer.abort();
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let place = Place::csv(json!({}));
    let error = place.fails().await;
    assert_eq!((error.code, error.class), ("FIL-001", Class::Configuration));
    let folder = Place::csv(json!({ "path": "in" }));
    std::fs::create_dir(folder.main()).unwrap();
    assert_eq!(folder.fails().await.code, "FIL-001");
}

#[tokio::test]
async fn settings_report_all_their_problems() {
    let mut place = Place::csv(json!({
        "delimiter": "::", "date_format": "%H", "attributes": { "a": "texts", "b": "string[]" },
        "header": { "x": "m", "y": "M" }, "export": "changes", "multi_value_separator": "", "key": 7,
    }));
    let paths: Vec<String> = place.problems().into_iter().map(|problem| problem.path).collect();
    for path in [
        "delimiter",
        "date_format",
        "attributes.a",
        "header",
        "changes_folder",
        "multi_value_separator",
        "key",
    ] {
        assert!(paths.contains(&format!("settings.{path}")), "{path} in {paths:?}");
    }
    place = Place::new(
        FileKind::json(),
        "x.jsonl",
        json!({ "types": { "a": { "key": "id" }, "b": { "object_class": "x" } } }),
    );
    let paths: Vec<String> = place.problems().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["settings.types.b.object_class", "settings.type_field", "settings.key"]);
}
