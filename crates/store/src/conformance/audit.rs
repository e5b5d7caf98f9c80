//! Clauses on the audit chain and history.

use identitymesh_model::MeshId;

use super::Harness;
use super::sample::{Scene, at, body, change, create, mesh, person, update};
use crate::audit::{CHAIN_START, ChangeKind, ChangeRow, chain};
use crate::{StageUpdate, Store};

/// Walks the whole chain; how many rows it has.
fn verify(store: &dyn Store) -> i64 {
    let (mut end, mut seq) = (CHAIN_START, 0);
    loop {
        // In small pieces, so that paging is walked too.
        let rows = store.read().unwrap().changes(seq, 2).unwrap();
        if rows.is_empty() {
            return seq;
        }
        for row in rows {
            seq += 1;
            assert_eq!(row.seq, seq, "places are without gaps");
            assert_eq!(ChangeRow::from(&row).leaf(), row.leaf, "row {seq}");
            end = chain(&end, &row.leaf);
            assert_eq!(end, row.chain, "row {seq}");
        }
    }
}

pub fn the_chain_holds_and_goes_on_after_reopening(harness: &mut impl Harness) {
    for round in 0..3_u64 {
        let scene = Scene::new(harness.store());
        let first = round * 3 + 1;
        scene.apply((first..first + 3).map(|number| create(number, "E", person("Ada"))).collect());
        assert_eq!(verify(harness.store()), (round.cast_signed() + 1) * 3);
        harness.reopen();
    }
    assert_eq!(harness.store().read().unwrap().totals().unwrap().changes, 9);
}

pub fn a_failed_batch_leaves_the_chain_whole(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada"))]);
    // Both are handed in before either is answered, so they may share a commit.
    let fails = scene
        .store
        .apply(scene.batch(vec![create(2, "E-2", person("Bob")), change(1, 9, "E-1", person("x"))]));
    let works = scene.store.apply(scene.batch(vec![create(3, "E-3", person("Eve"))]));
    assert!(fails.wait().is_err());
    let _ = works.wait().unwrap();
    assert_eq!(verify(scene.store), 2);
    assert_eq!(scene.store.read().unwrap().views(&[mesh(2)]).unwrap(), [None]);
}

pub fn history_is_read_backwards_by_key(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    scene.apply(vec![create(1, "E-1", person("Ada")), create(2, "E-2", person("Bob"))]);
    for version in 1..=3 {
        scene.apply(vec![change(1, version, "E-1", person(&format!("Ada {version}")))]);
    }
    let mut reader = scene.store.read().unwrap();
    let page = reader.history(mesh(1), None, 3).unwrap();
    assert_eq!(page.iter().map(|row| row.seq).collect::<Vec<_>>(), [5, 4, 3]);
    let rest = reader.history(mesh(1), Some(3), 3).unwrap();
    assert_eq!((rest.len(), rest[0].seq, rest[0].kind), (1, 1, ChangeKind::Create));
    assert_eq!(page[0].after, change(1, 3, "E-1", person("Ada 3")).content_hash());
    assert_eq!((page[0].run, page[0].at, page[0].actor.as_str()), (scene.run, at(2), "cli"));
    assert!(page[0].before.contains("mail"), "{}", page[0].before);
    assert_eq!(reader.history(MeshId(9), None, 3).unwrap(), []);
}

pub fn exports_and_drift_are_in_the_chain(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let space = scene.users(scene.target, &["CN=Ada"])[0];
    let row = ChangeRow::new(
        mesh(1),
        super::sample::uid(1),
        scene.run,
        at(3),
        "schedule",
        ChangeKind::Drift,
        Some(scene.target),
        r#"{"a":{"mail":"ü"}}"#.into(),
        None,
    );
    scene.update(scene.target, StageUpdate { row: Some(row.clone()), ..update(space, body(&person("x"))) });
    scene.queued(2);
    let lease = scene.lease(10);
    let state = super::sample::exported("CN=Bob", "Bob");
    let what = crate::Settle::Created {
        rule: super::sample::RULE,
        state,
        is_ours: true,
        owes_password: false,
        row: scene.export_row(2),
    };
    scene.settle(&lease, 2, what);
    assert_eq!(verify(scene.store), 3);
    let rows = scene.store.read().unwrap().changes(0, 9).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
        [ChangeKind::Drift, ChangeKind::Create, ChangeKind::Export]
    );
    assert_eq!(ChangeRow::from(&rows[0]), row);
}
