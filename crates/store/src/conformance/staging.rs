//! Clauses on staging: what an import writes and what it asks.

use identitymesh_model::{Coverage, Finding, SpaceId, Text, Value, Values};

use super::Harness;
use super::sample::{Scene, at, body, body_with_members, insert, name, person, update, user};
use crate::{
    Counters, CoverageGap, Covered, Cursor, ExportedText, ReferenceForm, RunStart, RunState, StageBatch,
    StageInsert, StageUpdate, StoreClass,
};

pub fn what_is_inserted_is_known_in_the_order_asked(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["c", "a", "b"]);
    let mut reader = scene.store.read().unwrap();
    let known = reader.known(scene.source, user(), &["", "a", "aa", "b", "c"]).unwrap();
    let found: Vec<Option<SpaceId>> = known.iter().map(|known| known.map(|known| known.id)).collect();
    assert_eq!(found, [None, Some(ids[1]), None, Some(ids[2]), Some(ids[0])]);
    let a = known[1].unwrap();
    assert_eq!((a.hash, a.deleted, a.exported), (body(&person("a")).hash, false, false));
    assert_eq!(reader.known(scene.target, user(), &["a"]).unwrap(), [None]);
}

pub fn ids_are_told_apart_exactly(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    // Composed and decomposed, blanks at the end, quotes, a null sign, something beyond the basic plane.
    let odd = ["", " ", "A", "Ä", "A\u{308}", "a", "a ", "a'b\"c", "a\0b", "ä", "%", "_", "😀"];
    let mut sorted = odd.to_vec();
    sorted.sort_unstable();
    let ids = scene.users(scene.source, &sorted);
    let known = scene.store.read().unwrap().known(scene.source, user(), &sorted).unwrap();
    let found: Vec<SpaceId> = known.iter().map(|known| known.unwrap().id).collect();
    assert_eq!(found, ids);
    let records = scene.store.read().unwrap().spaces_after(scene.source, SpaceId(0), 100).unwrap();
    let mut texts: Vec<&str> = records.iter().map(|record| record.external_id.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, sorted);
}

pub fn a_type_is_a_space_of_its_own(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let group = StageInsert { object_type: name("group"), ..insert("1") };
    let ids = scene.stage(scene.source, vec![insert("1"), group]);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.known(scene.source, name("group"), &["1"]).unwrap()[0].unwrap().id, ids[1]);
    assert_eq!(reader.space_find(scene.source, "1").unwrap(), ids);
    assert_eq!(reader.population(scene.source, user()).unwrap(), 1);
    assert_eq!(reader.population(scene.source, name("nobody")).unwrap(), 0);
    assert_eq!(reader.spaces(&[ids[1]]).unwrap()[0].as_ref().unwrap().object_type, name("group"));
}

pub fn names_of_types_ignore_case(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["1"]);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.known(scene.source, name("USER"), &["1"]).unwrap()[0].unwrap().id, ids[0]);
    let again = StageInsert { object_type: name("User"), ..insert("1") };
    let error = scene.store.stage(StageBatch { inserts: vec![again], ..scene.page(scene.source) }).wait();
    assert_eq!(error.unwrap_err().class, StoreClass::Conflict);
}

pub fn an_update_replaces_the_content(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.source, &["a"])[0];
    scene.update(scene.source, update(id, body(&person("other"))));
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.spaces(&[id]).unwrap()[0].as_ref().unwrap().doc, person("other"));
    let known = reader.known(scene.source, user(), &["a"]).unwrap()[0].unwrap();
    assert_eq!(known.hash, body(&person("other")).hash);
}

pub fn an_update_brings_a_lost_object_back(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.source, &["a"])[0];
    let _ = scene.store.stage(StageBatch { deletes: vec![id], ..scene.page(scene.source) }).wait().unwrap();
    assert!(scene.store.read().unwrap().known(scene.source, user(), &["a"]).unwrap()[0].unwrap().deleted);
    scene.update(scene.source, update(id, body(&person("a"))));
    let mut reader = scene.store.read().unwrap();
    assert!(!reader.known(scene.source, user(), &["a"]).unwrap()[0].unwrap().deleted);
    assert_eq!(reader.population(scene.source, user()).unwrap(), 1);
}

pub fn an_untouched_update_is_no_news(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.source, &["a"])[0];
    let all = scene.store.read().unwrap().pending(scene.source, Cursor::default(), 10, None).unwrap();
    let here = all[0].0;
    let quiet = StageUpdate { touch: false, ..update(id, body(&person("b"))) };
    scene.update(scene.source, quiet);
    assert_eq!(scene.store.read().unwrap().pending(scene.source, here, 10, None).unwrap(), []);
    let count = |after| scene.store.read().unwrap().pending_count(scene.source, after).unwrap();
    assert_eq!((count(Cursor::default()), count(here)), (all.len() as u64, 0));
    scene.update(scene.source, update(id, body(&person("c"))));
    let news = scene.store.read().unwrap().pending(scene.source, here, 10, None).unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].1.doc, person("c"));
}

pub fn what_is_gone_is_not_present(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let ids = scene.users(scene.source, &["a", "b", "c", "d"]);
    let _ =
        scene.store.stage(StageBatch { deletes: vec![ids[1]], ..scene.page(scene.source) }).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.population(scene.source, user()).unwrap(), 3);
    let first = reader.present(scene.source, user(), SpaceId(0), 2).unwrap();
    assert_eq!(first, [ids[0], ids[2]]);
    assert_eq!(reader.present(scene.source, user(), first[1], 2).unwrap(), [ids[3]]);
    assert!(reader.spaces(&[ids[1]]).unwrap()[0].as_ref().unwrap().deleted);
    assert_eq!(reader.pending(scene.source, Cursor::default(), 9, None).unwrap().len(), 4);
}

pub fn a_watermark_is_kept_with_its_page(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    assert_eq!(scene.store.read().unwrap().watermark(scene.source).unwrap(), None);
    for text in [r#"{"cookie":"ü"}"#, r#"{"cookie":"2"}"#] {
        let page = StageBatch { watermark: Some(text.into()), ..scene.page(scene.source) };
        let _ = scene.store.stage(page).wait().unwrap();
        assert_eq!(scene.store.read().unwrap().watermark(scene.source).unwrap().as_deref(), Some(text));
    }
    let _ = scene.store.stage(scene.page(scene.source)).wait().unwrap();
    assert!(scene.store.read().unwrap().watermark(scene.source).unwrap().unwrap().contains('2'));
    assert_eq!(scene.store.read().unwrap().watermark(scene.target).unwrap(), None);
}

pub fn a_page_that_cannot_be_written_leaves_nothing(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.source, &["there"])[0];
    let page = StageBatch {
        inserts: vec![insert("new"), insert("there")],
        deletes: vec![id],
        watermark: Some("{}".into()),
        findings: vec![Finding::new("IMP-001", "something")],
        ..scene.page(scene.source)
    };
    let failed = scene.store.stage(page).wait().unwrap_err();
    assert_eq!(failed.class, StoreClass::Conflict);
    let mut reader = scene.store.read().unwrap();
    assert_eq!(reader.known(scene.source, user(), &["new"]).unwrap(), [None]);
    assert_eq!(reader.population(scene.source, user()).unwrap(), 1);
    assert_eq!(reader.watermark(scene.source).unwrap(), None);
    assert_eq!(reader.findings(scene.run, 0, 10).unwrap(), []);
    drop(reader);
    // The store goes on as if the page had never been.
    let ids = scene.users(scene.source, &["new"]);
    assert_eq!(scene.store.read().unwrap().space_find(scene.source, "new").unwrap(), ids);
}

pub fn an_unknown_object_cannot_be_changed(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.source, &["a"])[0];
    for (connector, id) in [(scene.source, SpaceId(id.0 + 1)), (scene.target, id)] {
        let page = StageBatch { updates: vec![update(id, body(&person("b")))], ..scene.page(connector) };
        assert_eq!(scene.store.stage(page).wait().unwrap_err().class, StoreClass::Conflict);
        let page = StageBatch { deletes: vec![id], ..scene.page(connector) };
        assert_eq!(scene.store.stage(page).wait().unwrap_err().class, StoreClass::Conflict);
    }
    assert_eq!(scene.store.read().unwrap().population(scene.source, user()).unwrap(), 1);
}

pub fn references_come_back_in_the_document(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut doc = person("team");
    doc.set(name("manager"), Value::reference("CN=Boss"));
    let (mut stored, whole) = body_with_members(&doc, "member", &["CN=ß,DC=x", "CN=b,DC=x"]);
    stored.references.push((name("manager"), Text::from("CN=Boss"), ReferenceForm::Single));
    let inserted = StageInsert { body: stored, ..insert("team") };
    let id = scene.stage(scene.source, vec![inserted])[0];
    let read = |scene: &Scene<'_>| scene.store.read().unwrap().spaces(&[id]).unwrap()[0].clone().unwrap().doc;
    assert_eq!(read(&scene), whole);
    let (stored, whole) = body_with_members(&doc, "member", &["CN=b,DC=x", "CN=c"]);
    scene.update(scene.source, update(id, stored));
    assert_eq!(read(&scene), whole);
    scene.update(scene.source, update(id, body(&person("team"))));
    assert_eq!(read(&scene), person("team"));
}

pub fn one_member_more_among_a_hundred_thousand(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let all: Vec<String> = (0..100_001).map(|number| format!("CN=member {number:06},DC=x")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (stored, _) = body_with_members(&person("team"), "member", &all[..100_000]);
    let id = scene.stage(scene.source, vec![StageInsert { body: stored, ..insert("team") }])[0];
    let (stored, whole) = body_with_members(&person("team"), "member", &all);
    scene.update(scene.source, update(id, stored));
    let read = scene.store.read().unwrap().spaces(&[id]).unwrap()[0].clone().unwrap().doc;
    assert!(read == whole, "{} members", read.get(name("member")).map_or(0, |set| set.as_slice().len()));
}

pub fn what_was_exported_comes_back(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.target, &["a"])[0];
    let drift = Some(r#"{"mail":"ours@x","title":null}"#.to_owned());
    let names = vec![name("displayName"), name("mail"), name("title")];
    let with = StageUpdate {
        exported: Some(ExportedText { names: names.clone(), drift }),
        ..update(id, body(&person("theirs")))
    };
    scene.update(scene.target, with);
    let record = scene.store.read().unwrap().spaces(&[id]).unwrap()[0].clone().unwrap();
    assert_eq!(&*record.exported, &names[..]);
    assert_eq!(record.drift, [(name("mail"), Some(Values::from("ours@x"))), (name("title"), None)]);
    assert_eq!(record.snapshot(name("displayName")), Some(Some(&Values::from("theirs"))));
    assert!(scene.store.read().unwrap().known(scene.target, user(), &["a"]).unwrap()[0].unwrap().exported);
}

pub fn drift_stays_until_it_is_said_anew(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let id = scene.users(scene.target, &["a"])[0];
    let exported = |drift: Option<&str>| {
        Some(ExportedText { names: vec![name("mail")], drift: drift.map(str::to_owned) })
    };
    let say = |exported: Option<ExportedText>| {
        scene.update(scene.target, StageUpdate { exported, ..update(id, body(&person("x"))) });
        scene.store.read().unwrap().spaces(&[id]).unwrap()[0].clone().unwrap()
    };
    assert_eq!(say(exported(Some(r#"{"mail":null}"#))).drift.len(), 1);
    let silent = say(None);
    assert_eq!((silent.drift.len(), silent.exported.len()), (1, 1));
    let said = say(exported(None));
    assert_eq!((said.drift.len(), said.exported.len()), (0, 1));
}

pub fn pending_objects_come_in_the_order_of_touching(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let first = scene.users(scene.source, &["c", "b", "a"]);
    let _ = scene.users(scene.target, &["not ours"]);
    let second = scene.users(scene.source, &["e", "d"]);
    scene.update(scene.source, update(first[1], body(&person("again"))));
    let mut reader = scene.store.read().unwrap();
    let all = reader.pending(scene.source, Cursor::default(), 100, None).unwrap();
    let mut order: Vec<SpaceId> = vec![first[0], first[2]];
    order.sort_unstable();
    let mut later = second.clone();
    later.sort_unstable();
    order.extend(later);
    order.push(first[1]);
    assert_eq!(all.iter().map(|(_, record)| record.id).collect::<Vec<_>>(), order);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    // Any size of page gives the same.
    for limit in 1..=6 {
        let (mut paged, mut after) = (Vec::new(), Cursor::default());
        loop {
            let page = reader.pending(scene.source, after, limit, None).unwrap();
            let Some((last, _)) = page.last() else { break };
            after = *last;
            assert!(page.len() <= limit);
            paged.extend(page);
        }
        assert_eq!(paged, all, "pages of {limit}");
    }
}

pub fn all_objects_of_a_connector_by_id(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let mut ids = scene.users(scene.source, &["c", "b", "a"]);
    let _ = scene.users(scene.target, &["x"]);
    ids.extend(scene.users(scene.source, &["d"]));
    ids.sort_unstable();
    let mut reader = scene.store.read().unwrap();
    let page = reader.spaces_after(scene.source, SpaceId(0), 3).unwrap();
    assert_eq!(page.iter().map(|record| record.id).collect::<Vec<_>>(), ids[..3]);
    let page = reader.spaces_after(scene.source, ids[2], 3).unwrap();
    assert_eq!(page.iter().map(|record| record.id).collect::<Vec<_>>(), ids[3..]);
    let unlinked = reader.unlinked_after(scene.source, ids[0], 2).unwrap();
    assert_eq!(unlinked.iter().map(|record| record.id).collect::<Vec<_>>(), ids[1..3]);
    let asked = [ids[3], SpaceId(i64::MAX), ids[0]];
    let found: Vec<_> = reader.spaces(&asked).unwrap().into_iter().map(|r| r.map(|r| r.id)).collect();
    assert_eq!(found, [Some(ids[3]), None, Some(ids[0])]);
}

pub fn a_page_reports_counts_and_findings(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let finding = Finding::new("IMP-001", "a line cannot be read").on(name("mail"));
    let page = StageBatch {
        findings: vec![finding.clone()],
        counters: Counters::from([("read".to_owned(), 7)]),
        ..scene.page(scene.source)
    };
    let _ = scene.store.stage(page).wait().unwrap();
    let mut reader = scene.store.read().unwrap();
    let found = reader.findings(scene.run, 0, 10).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding, finding);
    let run = reader.run(scene.run).unwrap().unwrap();
    assert_eq!((run.counters["read"], run.updated), (7, at(1)));
}

pub fn a_type_is_whole_after_a_good_import_that_proved_it(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let import = |step: &str, state| {
        let start =
            RunStart { connector: Some(scene.source), step: step.into(), actor: "cli".into(), at: at(1) };
        let run = scene.store.begin_run(start).wait().unwrap();
        scene.store.end_run(run, state, at(2), Counters::new(), None).wait().unwrap();
    };
    let cover = |whole: bool| {
        let gap = (!whole).then(|| CoverageGap { missing: 3, why: "a line cannot be read".into() });
        let covered = vec![Covered { object_type: user(), gap }];
        let page = StageBatch { covered, ..scene.page(scene.source) };
        let _ = scene.store.stage(page).wait().unwrap();
    };
    let is_whole = |connector, object_type| {
        scene.store.read().unwrap().coverage(connector, object_type).unwrap() == Coverage::Whole
    };
    cover(true);
    assert!(!is_whole(scene.source, user()), "no import ended yet");
    import("full-import", RunState::Succeeded);
    assert!(is_whole(scene.source, user()));
    assert!(!is_whole(scene.target, user()) && !is_whole(scene.source, name("group")));
    import("delta-import", RunState::Failed);
    assert!(!is_whole(scene.source, user()), "what it is by now nobody knows");
    import("delta-import", RunState::SucceededWithFindings);
    assert!(is_whole(scene.source, user()));
    cover(false);
    assert!(!is_whole(scene.source, user()));
}

pub fn deletes_are_unseen_since_the_first_read_that_proved_nothing(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let import = |gap: Option<&str>| {
        let start = RunStart {
            connector: Some(scene.source),
            step: "full-import".into(),
            actor: "cli".into(),
            at: at(1),
        };
        let run = scene.store.begin_run(start).wait().unwrap();
        let gap = gap.map(|why| CoverageGap { missing: 2, why: why.into() });
        let covered = vec![Covered { object_type: user(), gap }];
        let mut page = StageBatch { covered, ..scene.page(scene.source) };
        page.cause.run = run;
        let _ = scene.store.stage(page).wait().unwrap();
        scene.store.end_run(run, RunState::Succeeded, at(2), Counters::new(), None).wait().unwrap();
        run
    };
    let row = || {
        let mut rows = scene.store.read().unwrap().coverage_list().unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    assert!(scene.store.read().unwrap().coverage_list().unwrap().is_empty());
    let run = import(None);
    assert_eq!(
        (row().connector, row().object_type, row().run, row().unseen),
        (scene.source, user(), run, None)
    );
    for _ in 0..2 {
        let first = import(Some("it was cut"));
        let second = import(Some("it is empty"));
        let unseen = row().unseen.unwrap();
        assert_eq!((row().run, unseen.since_run, unseen.since), (second, first, at(1)));
        assert_eq!(unseen.gap, CoverageGap { missing: 2, why: "it is empty".into() });
        import(None);
        assert_eq!(row().unseen, None, "a read that proves it clears it");
    }
}
