//! Recorded inputs through recorded rules once more: the same bytes, whatever came after, or a word on what is not kept.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::{ContentHash, LinkMode, MeshId, Text};
use identitymesh_runner::{Agreement, Moment, again, apply_configuration, link_again, sent_again};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{ChangeRecord, LinkSpan};

use crate::place::{Place, Target, id, name};

const DAY: i64 = 24 * 3_600;

/// Other rules: surnames flow in capitals.
async fn surnames_in_capitals(place: &Place) {
    let mut configuration = place.configuration();
    let hr = configuration.connectors.iter_mut().find(|known| known.connector.name == name("hr")).unwrap();
    let flow = hr.flow.iter_mut().find(|flow| flow.target == name("sn")).unwrap();
    flow.source = None;
    flow.transform = Some("ToUpper(sn)".to_owned());
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
}

/// A few months: people change, have managers, leave, come back, and the rules change on the way.
async fn lived() -> Place {
    let place = Place::new(Target::Flat, 6).await;
    let set = |number: usize, attribute: &str, value: identitymesh_model::Values| {
        assert!(place.hr.set(name("person"), &id(number), name(attribute), Some(value)));
    };
    set(1, "manager", identitymesh_model::Value::reference(id(0)).into());
    place.good_cycle().await;
    set(0, "mail", "first@corp.example".into());
    set(2, "manager", identitymesh_model::Value::reference(id(1)).into());
    place.pass_seconds(60);
    place.good_cycle().await;
    surnames_in_capitals(&place).await;
    place.pass_seconds(60);
    identitymesh_runner::sync(&place.mesh, identitymesh_runner::SyncScope::Everything).await.unwrap();
    place.good_cycle().await;
    place.hr.remove(name("person"), &id(5));
    set(3, "active", false.into());
    place.pass_seconds(60);
    place.good_cycle().await;
    place.hire(5..6);
    set(0, "mail", "second@corp.example".into());
    place.pass_seconds(8 * DAY);
    place.good_cycle().await;
    place.hr.remove(name("person"), &id(2));
    for days in [1, 8, 15] {
        place.good_cycle().await;
        place.pass_seconds(days * DAY);
        place.good_cycle().await;
    }
    place
}

/// The rows of the audit, and the links that there are and were.
fn all(place: &Place) -> (Vec<ChangeRecord>, Vec<LinkSpan>) {
    let mut reader = place.mesh.store.read().unwrap();
    let rows = reader.changes(0, 10_000).unwrap();
    let meshes: BTreeSet<MeshId> = rows.iter().map(|row| row.mesh).collect();
    let links = meshes.into_iter().flat_map(|mesh| reader.link_history(mesh).unwrap()).collect();
    (rows, links)
}

/// The changes of mesh objects that leave something.
fn changes(place: &Place) -> Vec<ChangeRecord> {
    let rows = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
    rows.into_iter().filter(|row| matches!(row.kind, ChangeKind::Create | ChangeKind::Update)).collect()
}

#[tokio::test]
async fn every_change_is_made_again_byte_for_byte() {
    let place = lived().await;
    let rows = changes(&place);
    assert!(rows.len() > 15, "{}", rows.len());
    let mut versions = BTreeSet::new();
    for row in rows {
        let made = again(&place.mesh, row.mesh, Moment::Row(row.seq)).unwrap().unwrap();
        assert_eq!(made.agreement, Agreement::Same, "row {} {:?}: {}", row.seq, row.kind, made.text);
        assert_eq!(Some(ContentHash::of(&made.text)), row.after);
        versions.insert(made.version);
    }
    assert_eq!(versions.len(), 2, "rules of both configurations");
}

#[tokio::test]
async fn everything_sent_and_purged_is_made_again_byte_for_byte() {
    let place = lived().await;
    let (rows, _) = all(&place);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differ = Vec::new();
    for row in rows.iter().filter(|row| matches!(row.kind, ChangeKind::Export | ChangeKind::Purge)) {
        let made = sent_again(&place.mesh, row.mesh, Moment::Row(row.seq)).unwrap().remove(0);
        assert_eq!(made.row, *row);
        let kind = match (row.kind, row.after) {
            (ChangeKind::Purge, _) => "purge",
            (_, None) => "delete",
            _ if row.before.contains("create") => "create",
            _ if row.before.contains("state") => "disable or enable",
            _ => "update",
        };
        *kinds.entry(kind).or_default() += 1;
        if made.agreement != Agreement::Same {
            differ.push(format!("row {} {kind}: {:?}", row.seq, made.agreement));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    let seen: Vec<&str> = kinds.keys().copied().collect();
    assert_eq!(seen, ["create", "delete", "disable or enable", "purge", "update"], "{kinds:?}");
}

#[tokio::test]
async fn what_waited_is_explained_by_the_rules_that_planned_it() {
    let place = Place::new(Target::Flat, 3).await;
    place.good_cycle().await;
    assert!(place.hr.set(name("person"), &id(1), name("sn"), Some("Kept".into())));
    place.import(identitymesh_runner::ImportKind::Delta).await.unwrap();
    let pending = identitymesh_runner::SyncScope::Pending(name("hr"));
    identitymesh_runner::sync(&place.mesh, pending).await.unwrap();
    surnames_in_capitals(&place).await;
    place.export().await.unwrap();
    let (rows, _) = all(&place);
    let row = rows.iter().rfind(|row| row.kind == ChangeKind::Export).unwrap();
    let made = sent_again(&place.mesh, row.mesh, Moment::Row(row.seq)).unwrap().remove(0);
    assert_eq!((made.agreement, made.version), (Agreement::Same, 1));
    let run = place.mesh.store.read().unwrap().run(row.run).unwrap().unwrap();
    assert_eq!(run.configuration, 2, "it was sent by a run of the later rules");
}

#[tokio::test]
async fn every_link_is_decided_again_as_it_was() {
    let place = lived().await;
    let (_, spans) = all(&place);
    let mut modes = BTreeSet::new();
    for span in spans {
        let made = link_again(&place.mesh, span.space, Moment::Row(span.link.rows)).unwrap().unwrap();
        assert_eq!(made.link, span.link);
        let is_decided = matches!(span.link.mode, LinkMode::Joined | LinkMode::Created);
        assert_eq!(made.agreement, is_decided.then_some(Agreement::Same), "{span:?}: {:?}", made.decision);
        modes.insert(format!("{:?}", span.link.mode));
    }
    assert_eq!(modes.into_iter().collect::<Vec<_>>(), ["Created", "Joined", "Projected"]);
}

/// A record that was changed behind the product's back does not come out the same.
#[tokio::test]
async fn what_was_tampered_with_is_told() {
    let place = lived().await;
    let (rows, spans) = all(&place);
    let database = rusqlite::Connection::open(place.path()).unwrap();
    let exports: Vec<&ChangeRecord> =
        rows.iter().filter(|row| row.kind == ChangeKind::Export && row.after.is_some()).collect();
    let told =
        |row: &ChangeRecord| sent_again(&place.mesh, row.mesh, Moment::Row(row.seq)).unwrap().remove(0);
    // Another content than was sent, and another way back.
    for (row, set) in [(exports[0], "after = zeroblob(16)"), (exports[1], "before = '{\"op\":\"delete\"}'")] {
        assert_eq!(told(row).agreement, Agreement::Same);
        database.execute(&format!("UPDATE change SET {set} WHERE seq = ?1"), [row.seq]).unwrap();
        assert!(matches!(told(row).agreement, Agreement::Differs(_)), "{set}: {:?}", told(row).agreement);
    }
    // A link by another rule than the one that made it.
    let span = spans.iter().find(|span| span.link.mode == LinkMode::Created && span.end.is_none()).unwrap();
    database.execute("UPDATE link SET rule = rule + 1 WHERE space = ?1", [span.space.0]).unwrap();
    let made = link_again(&place.mesh, span.space, Moment::Row(span.link.rows)).unwrap().unwrap();
    assert!(matches!(made.agreement, Some(Agreement::Differs(_))), "{:?}", made.agreement);
}

#[tokio::test]
async fn the_rules_of_that_time_say_why() {
    let place = lived().await;
    let person = place.people().into_iter().find(|row| row.anchor == id(4)).unwrap().id;
    let surname = |moment: Moment| {
        let made = again(&place.mesh, person, moment).unwrap().unwrap();
        let wins =
            made.contributions.iter().find(|known| known.attribute == name("sn") && known.wins).unwrap();
        wins.values.as_ref().and_then(|values| values.single()?.as_text().map(Text::new)).unwrap()
    };
    let rows: Vec<i64> =
        changes(&place).into_iter().filter(|row| row.mesh == person).map(|row| row.seq).collect();
    assert_eq!(surname(Moment::Row(rows[0])), "Surname 4");
    assert_eq!(surname(Moment::At(place.mesh.clock.now())), "SURNAME 4");
    assert!(again(&place.mesh, person, Moment::Run(identitymesh_model::RunId(9_999))).unwrap().is_none());
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_said() {
    let place = lived().await;
    let first = changes(&place).remove(0);
    let remove = |sql: &str| {
        let conn = rusqlite::Connection::open(place.path()).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
    };
    let told = || again(&place.mesh, first.mesh, Moment::Row(first.seq)).unwrap().unwrap().agreement;
    assert_eq!(told(), Agreement::Same);
    remove("DELETE FROM space_change");
    let agreement = told();
    let words = format!("{agreement:?}");
    assert!(agreement != Agreement::Same && words.contains("not kept any more"), "{words}");
    remove("DELETE FROM configuration WHERE version = 1");
    let words = format!("{:?}", told());
    assert!(words.contains("version 1 of the configuration is not kept any more"), "{words}");
}
