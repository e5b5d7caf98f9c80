//! Each fault does what its name says, and nothing else.

use identitymesh_connector::{
    Change, Class, ConnectorError, ConnectorKind, Context, ImportMode, ImportRequest, Operation,
    OperationKind, Outcome, Page, Session,
};
use identitymesh_connector_fake::{ExportCounts, FakeKind, FakeSystem, Fault};
use identitymesh_model::{ItemId, Object};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::subject::{name, schema};

pub(crate) async fn open(
    system: &FakeSystem,
    cancel: &CancellationToken,
) -> Result<Box<dyn Session>, ConnectorError> {
    let kind = FakeKind::new().with_system("hr", system.clone());
    let written = [("system".to_owned(), json!("hr"))];
    let settings = kind.prepare(&written.into(), std::path::Path::new(".")).unwrap();
    let request_timeout = std::time::Duration::from_secs(5);
    kind.connect(
        &settings,
        &Context { cancel: cancel.clone(), request_timeout, schema: None, reads_only: false },
    )
    .await
}

pub(crate) async fn read(
    system: &FakeSystem,
    mode: ImportMode,
    page_size_max: usize,
) -> Result<Vec<Page>, ConnectorError> {
    read_types(system, &["person"], mode, page_size_max).await
}

pub(crate) async fn read_types(
    system: &FakeSystem,
    object_types: &[&'static str],
    mode: ImportMode,
    page_size_max: usize,
) -> Result<Vec<Page>, ConnectorError> {
    let mut session = open(system, &CancellationToken::new()).await?;
    let importer = session.importer().unwrap();
    let object_types = object_types.iter().map(|object_type| name(object_type)).collect();
    importer.begin(ImportRequest { mode, object_types, page_size_max }).await?;
    let mut pages = Vec::new();
    while let Some(page) = importer.next_page().await? {
        pages.push(page);
    }
    Ok(pages)
}

fn sample(number: u32) -> Object {
    let mut object = Object::new();
    object.set(name("id"), format!("p{number}").as_str());
    object
}

fn filled(count: u32) -> FakeSystem {
    let system = FakeSystem::new(schema(false)).keyed_by(name("id"));
    (0..count).for_each(|number| system.put(name("person"), &format!("p{number}"), sample(number)));
    system
}

fn creates(count: u32) -> Vec<Operation> {
    (0..count)
        .map(|number| Operation {
            item: ItemId(i64::from(number)),
            object_type: name("person"),
            kind: OperationKind::Create {
                attributes: sample(number),
                create_container: false,
                password: None,
            },
        })
        .collect()
}

async fn export(system: &FakeSystem, count: u32) -> Vec<Outcome> {
    let mut session = open(system, &CancellationToken::new()).await.unwrap();
    let answers = session.exporter().unwrap().export(creates(count)).await.unwrap();
    answers.into_iter().map(|(_, outcome)| outcome).collect()
}

#[tokio::test]
async fn every_call_can_be_made_to_fail_in_turn() {
    let system = filled(5);
    // Connect, begin and four calls for pages of two, the last of which finds the end.
    for nth in 1..=6 {
        system.clear_faults();
        system.inject(Fault::FailCall { nth, class: Class::Denied });
        let error = read(&system, ImportMode::Full, 2).await.unwrap_err();
        assert_eq!((error.class, system.calls()), (Class::Denied, nth));
    }
    system.clear_faults();
    system.inject(Fault::FailCall { nth: 7, class: Class::Denied });
    assert!(read(&system, ImportMode::Full, 2).await.is_ok());
}

#[tokio::test]
async fn reads_break_where_they_are_told_to() {
    let system = filled(5);
    system.inject(Fault::ClosePage(2));
    assert_eq!(read(&system, ImportMode::Full, 2).await.unwrap_err().class, Class::Transient);
    for (fault, objects, complete) in [
        (Fault::RepeatPage(2), 7, true),
        (Fault::DuplicateEvery(2), 7, true),
        (Fault::ZeroRows, 0, true),
        (Fault::HalfRows, 3, true),
        (Fault::ShuffledKeys, 5, true),
    ] {
        system.clear_faults();
        system.inject(fault.clone());
        let pages = read(&system, ImportMode::Full, 2).await.unwrap();
        let certificates: Vec<_> = pages.iter().flat_map(|page| &page.certificates).collect();
        let delivered: usize = pages.iter().map(|page| page.changes.len()).sum();
        assert_eq!((delivered, certificates.len()), (objects, 1), "{fault:?}");
        assert_eq!(certificates[0].is_complete(), complete, "{fault:?}");
    }
}

#[tokio::test]
async fn shuffled_keys_give_each_object_the_row_of_the_next() {
    let system = filled(3);
    for number in 0..3 {
        let mail = format!("m{number}");
        assert!(system.set(name("person"), &format!("p{number}"), name("mail"), Some(mail.as_str().into())));
    }
    system.inject(Fault::ShuffledKeys);
    let pages = read(&system, ImportMode::Full, 10).await.unwrap();
    let told = pages.iter().flat_map(|page| &page.changes).map(|change| match change {
        Change::Upsert(object) => {
            let text = |word: &'static str| object.attributes.single(name(word)).unwrap().to_string();
            (object.external_id.to_string(), text("id"), text("mail"))
        }
        _ => panic!("a full read delivers objects: {change:?}"),
    });
    let row = |key: u32, row: u32| (format!("p{key}"), format!("p{key}"), format!("m{row}"));
    assert_eq!(told.collect::<Vec<_>>(), [row(0, 1), row(1, 2), row(2, 0)]);
}

#[tokio::test]
async fn a_hanging_page_ends_when_cancelled() {
    let (system, cancel) = (filled(5), CancellationToken::new());
    system.inject(Fault::HangPage(1));
    let mut session = open(&system, &cancel).await.unwrap();
    let importer = session.importer().unwrap();
    let request =
        ImportRequest { mode: ImportMode::Full, object_types: vec![name("person")], page_size_max: 2 };
    importer.begin(request).await.unwrap();
    let (page, ()) = tokio::join!(importer.next_page(), async { cancel.cancel() });
    assert_eq!(page.unwrap_err().class, Class::Cancelled);
}

#[tokio::test]
async fn items_fail_as_they_are_told_to() {
    let system = filled(0);
    system.inject(Fault::RefuseEvery(3));
    system.inject(Fault::ConflictEvery(4));
    let outcomes = export(&system, 4).await;
    assert!(matches!(outcomes[0], Outcome::Applied(_)));
    assert!(matches!(outcomes[2], Outcome::Refused { .. }));
    assert!(matches!(outcomes[3], Outcome::Conflict { .. }));
    assert_eq!(system.objects().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_hides_what_was_done() {
    let system = filled(0);
    system.inject(Fault::LoseAnswerOf(2));
    let outcomes = export(&system, 3).await;
    assert!(matches!(outcomes[1], Outcome::Unknown { .. }));
    assert!(matches!(outcomes[2], Outcome::NotSent { .. }));
    assert!(system.object(name("person"), "p1").is_some());
    assert!(system.object(name("person"), "p2").is_none());
}

#[tokio::test]
async fn a_reader_who_stayed_away_too_long_reads_everything() {
    let system = filled(3);
    let mark = read(&system, ImportMode::Full, 10).await.unwrap().pop().unwrap().watermark.unwrap();
    system.limit_log(1);
    assert!(read(&system, ImportMode::Delta { since: mark.clone() }, 10).await.is_ok());
    system.set(name("person"), "p0", name("sn"), Some("x".into()));
    system.set(name("person"), "p1", name("sn"), Some("x".into()));
    let error = read(&system, ImportMode::Delta { since: mark }, 10).await.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-010", Class::Conflict));
}

#[tokio::test]
async fn a_sink_counts_and_keeps_nothing() {
    let system = FakeSystem::sink(schema(false));
    let outcomes = export(&system, 3).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))));
    assert_eq!(system.exports(), ExportCounts { creates: 3, updates: 0, deletes: 0 });
}
