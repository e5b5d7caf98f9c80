//! Good files of all three formats.

use crate::support::{Place, entries, name, object, set};
use identitymesh_connector::{Class, ImportMode, ImportRequest, Watermark};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{AttributeType, Value, Values};
use serde_json::json;

fn moment(text: &str) -> Values {
    Values::One(Value::DateTime(text.parse().unwrap()))
}

#[tokio::test]
async fn csv_with_types_mapping_and_foreign_encoding() {
    let place = Place::csv(json!({
        "delimiter": ";", "encoding": "windows-1252", "key": "id", "date_format": "%d.%m.%Y",
        "header": { "Personalnummer": "id", "Name": "displayName" },
        "attributes": { "hired": "datetime", "active": "boolean", "grade": "integer", "teams": "string[]", "boss": "reference" },
    }));
    let mut bytes = b"Personalnummer;Name;hired;active;grade;teams;boss\r\n4711;J\xf6rg \"".to_vec();
    bytes.clear();
    bytes.extend_from_slice(b"Personalnummer;Name;hired;active;grade;teams;boss\r\n");
    bytes.extend_from_slice(b"4711;J\xf6rg;02.03.2026;yes;7;b|a|b;12\r\n12;\"A; \"\"B\"\"\r\nC\";;no;;;\r\n");
    place.write(&bytes);
    let imported = place.import().await;
    assert_eq!(imported.findings, []);
    let expected = object([
        ("id", "4711".into()),
        ("displayName", "Jörg".into()),
        ("hired", moment("2026-03-02T00:00:00Z")),
        ("active", true.into()),
        ("grade", 7_i64.into()),
        ("teams", set(["a", "b"])),
        ("boss", Values::One(Value::reference("12"))),
    ]);
    assert_eq!(imported.object("4711"), &expected);
    let second =
        object([("id", "12".into()), ("displayName", "A; \"B\"\r\nC".into()), ("active", false.into())]);
    assert_eq!(imported.object("12"), &second);
    assert_eq!((imported.certificate().objects, imported.certificate().is_complete()), (2, true));
    assert_eq!(
        (imported.last.progress.done, imported.last.progress.total),
        (bytes.len() as u64, Some(bytes.len() as u64))
    );
}

#[tokio::test]
async fn pages_hold_no_more_than_asked_for_and_a_certificate_ends_them() {
    let place = Place::csv(json!({}));
    let rows: String = (0..25).map(|row| format!("{row},x\n")).collect();
    place.write(format!("id,sn\n{rows}"));
    let imported = place.try_import(10).await.unwrap();
    assert_eq!((imported.pages, imported.changes.len()), (3, 25));
    assert_eq!(imported.certificate().objects, 25);
    assert_eq!(imported.last.certificates.len(), 1);
}

#[tokio::test]
async fn utf16_and_byte_order_marks() {
    let mut place = Place::csv(json!({ "encoding": "utf-16le", "delimiter": "\\t" }));
    let text = "\u{feff}id\tsn\n1\tNuñez\n";
    place.write(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    assert_eq!(place.import().await.object("1").single(name("sn")), Some(&"Nuñez".into()));
    place.set("encoding", json!("utf-8")).write(text);
    assert_eq!(place.import().await.object("1").single(name("sn")), Some(&"Nuñez".into()));
}

#[tokio::test]
async fn empty_texts_are_absent_unless_said_otherwise() {
    let mut place = Place::csv(json!({}));
    place.write("id,sn,mail\n1,,\"\"\n");
    assert_eq!(place.import().await.object("1"), &object([("id", "1".into())]));
    place.set("empty_is_absent", json!(false));
    assert_eq!(place.import().await.object("1"), &object([("id", "1".into()), ("mail", "".into())]));
}

#[tokio::test]
async fn a_key_of_several_columns_is_unambiguous() {
    let place = Place::csv(json!({ "key": ["id", "part"] }));
    place.write("id,part\na|b,c\na,b|c\n");
    assert_eq!(place.import().await.keys(), ["a\\|b|c", "a|b\\|c"]);
}

#[tokio::test]
async fn the_schema_says_what_discovery_found() {
    let place = Place::new(FileKind::json(), "people.jsonl", json!({ "key": "id" }));
    place.write(concat!(
        r#"{"id":1,"name":{"first":"Ann","last":"Lee"},"on":true,"teams":["a"],"size":1.5,"mixed":1}"#,
        "\n",
        r#"{"id":2,"mixed":"x","friends":[{"id":1}],"none":null}"#,
        "\n"
    ));
    let schema = place.open().await.schema().await.unwrap();
    let user = schema.object_type(name("user")).unwrap();
    for (attribute, word) in [
        ("id", "integer"),
        ("name.first", "string"),
        ("on", "boolean"),
        ("teams", "string[]"),
        ("size", "string"),
        ("mixed", "string"),
    ] {
        let expected: AttributeType = word.parse().unwrap();
        assert_eq!(user.attribute(name(attribute)).map(|found| found.kind), Some(expected), "{attribute}");
    }
    assert_eq!((user.attributes.len(), user.address), (7, None));
    let imported = place.import().await;
    assert_eq!(imported.object("2"), &object([("id", 2_i64.into()), ("mixed", "x".into())]));
    assert_eq!(imported.object("1").single(name("size")), Some(&"1.5".into()));
    assert_eq!(imported.codes(), ["FIL-011"], "a list of objects is no attribute: {:?}", imported.findings);
}

#[tokio::test]
async fn several_types_in_one_json_array() {
    let place = Place::new(
        FileKind::json(),
        "all.json",
        json!({ "type_field": "type", "types": {
            "user": { "key": "id" },
            "group": { "key": "gid", "attributes": { "members": "reference[]" } },
        } }),
    );
    place.write(
        r#"[ {"type":"user","id":"u1","odd":"],}\"["},
          {"type":"group","gid":"g1","members":["u1"]}, {"type":"printer","id":"p"} ]"#,
    );
    let imported = place.import().await;
    assert_eq!(imported.keys(), ["u1", "g1"]);
    let members = Values::set(vec![Value::reference("u1")]).unwrap();
    assert_eq!(imported.object("g1").get(name("members")), Some(&members));
    assert_eq!(imported.object("u1").single(name("odd")), Some(&"],}\"[".into()));
    assert!(imported.certificates.len() == 2 && imported.certificates.iter().all(|one| one.objects == 1));
    assert!(imported.certificates.iter().all(identitymesh_connector::Certificate::is_complete));
}

#[tokio::test]
async fn ldif_with_everything_that_the_format_has() {
    let place = Place::new(
        FileKind::ldif(),
        "people.ldif",
        json!({ "key": "uid", "attributes": { "manager": "reference", "photo": "binary", "createTimestamp": "datetime" },
                "types": { "user": { "object_class": "inetOrgPerson" } } }),
    );
    place.write(
        "version: 1\n# a comment\n  that goes on\ndn: dc=mesh\nobjectClass: domain\n\n\
         dn:: dWlkPWrDtnJnLGRjPW1lc2g=\nobjectClass: top\nobjectclass: INETORGPERSON\nuid: j\n örg\nuid;lang-de: x\n\
         manager: uid=ann,dc=mesh\nphoto:: AP8=\ncreateTimestamp: 20260302080000Z\ncn: a\ncn: b\n\n\n",
    );
    let imported = place.import().await;
    let jorg = imported.object("jörg");
    assert_eq!(jorg.single(name("dn")), Some(&"uid=jörg,dc=mesh".into()));
    assert_eq!(jorg.single(name("manager")), Some(&Value::reference("uid=ann,dc=mesh")));
    assert_eq!(jorg.single(name("photo")), Some(&Value::Binary([0, 255].into())));
    assert_eq!(jorg.get(name("cn")), Some(&set(["a", "b"])));
    assert_eq!(jorg.get(name("createTimestamp")), Some(&moment("2026-03-02T08:00:00Z")));
    assert_eq!(imported.findings, []);
    assert_eq!((imported.certificate().objects, imported.certificate().is_complete()), (1, true));
    let schema = place.open().await.schema().await.unwrap();
    assert_eq!(schema.object_types[0].address, Some(name("dn")));
}

#[tokio::test]
async fn a_drop_folder_gives_its_last_file_and_archives_the_others_after_the_read() {
    let place = Place::csv(json!({ "path": "in", "pattern": "hr-*.csv", "archive": "done" }));
    std::fs::create_dir(place.path("in")).unwrap();
    for (file, key) in
        [("hr-1.csv", "old"), ("hr-2.csv", "new"), ("zz.csv", "other"), ("hr-3.csv.part", "half")]
    {
        std::fs::write(place.path("in").join(file), format!("id\n{key}\n")).unwrap();
    }
    std::fs::create_dir(place.path("done")).unwrap();
    std::fs::write(place.path("done/hr-1.csv"), "kept").unwrap();
    let before = entries(&place.path("in"));
    let mut session = place.open_to(true).await;
    let importer = session.importer().unwrap();
    let (mode, object_types) = (ImportMode::Full, vec![name("user")]);
    importer.begin(ImportRequest { mode, object_types, page_size_max: 10 }).await.unwrap();
    while importer.next_page().await.unwrap().is_some() {}
    assert_eq!(entries(&place.path("in")), before, "who only looks puts nothing aside");
    assert_eq!(place.import().await.keys(), ["new"]);
    assert_eq!(entries(&place.path("in")), ["hr-2.csv", "hr-3.csv.part", "zz.csv"]);
    assert_eq!(entries(&place.path("done")), ["hr-1.csv", "hr-1.csv.1"]);
    assert_eq!(std::fs::read_to_string(place.path("done/hr-1.csv")).unwrap(), "kept");
    assert_eq!(place.import().await.keys(), ["new"], "the content is still there");
}

#[tokio::test]
async fn only_full_imports_and_only_of_the_types_asked_for() {
    let place = Place::csv(json!({}));
    place.write("id\n1\n");
    let mut session = place.open().await;
    let since = Watermark { version: 1, body: String::new() };
    let request = |mode, word| ImportRequest { mode, object_types: vec![name(word)], page_size_max: 10 };
    let importer = session.importer().unwrap();
    let error = importer.begin(request(ImportMode::Delta { since }, "user")).await.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-002", Class::Configuration));
    let error = importer.begin(request(ImportMode::Full, "group")).await.unwrap_err();
    assert_eq!((error.code, error.class), ("FIL-024", Class::Configuration));
    assert!(error.message.contains("group") && error.message.contains("user"), "{error}");
}

#[tokio::test]
async fn cancelling_stops_between_pages() {
    let place = Place::csv(json!({}));
    place.write("id\n1\n2\n");
    let mut session = place.open().await;
    let importer = session.importer().unwrap();
    let request =
        ImportRequest { mode: ImportMode::Full, object_types: vec![name("user")], page_size_max: 1 };
    importer.begin(request).await.unwrap();
    assert_eq!(importer.next_page().await.unwrap().unwrap().changes.len(), 1);
    place.cancel.cancel();
    assert_eq!(importer.next_page().await.unwrap_err().class, Class::Cancelled);
}

#[tokio::test]
async fn the_connection_test_says_what_it_did() {
    let place = Place::csv(json!({}));
    place.write("id\n1\n");
    let report = place.open().await.test().await.unwrap();
    assert_eq!(report.steps.len(), 3);
    place.write("id\n");
    assert_eq!(place.open().await.test().await.unwrap().warnings, ["the file holds no object"]);
}
