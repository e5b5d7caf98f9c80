//! Clauses on configuration, runs, secrets and notes.

use identitymesh_model::{ConnectorId, ContentHash, Finding, RunId};

use super::Harness;
use super::sample::{Scene, at, configuration, name};
use crate::{Counters, RunStart, RunState, SecretRow, StageBatch, Store, StoreClass};

pub fn numbers_are_for_good(harness: &mut impl Harness) {
    let first = harness.store().configure(configuration(&["hr", "AD"], &["a", "b"])).wait().unwrap();
    assert!(first.numbers.iter().all(|number| *number > 0) && first.numbers[0] != first.numbers[1]);
    let second = harness.store().configure(configuration(&["ad"], &["c"])).wait().unwrap();
    assert_eq!(second.connectors, [first.connectors[1]], "a name is the same in any case");
    harness.reopen();
    let third = harness.store().configure(configuration(&["crm", "hr"], &["b", "d", "a"])).wait().unwrap();
    assert_eq!((third.numbers[0], third.numbers[2]), (first.numbers[1], first.numbers[0]));
    assert_eq!(third.connectors[1], first.connectors[0]);
    let mut reader = harness.store().read().unwrap();
    let numbers = reader.numbers().unwrap();
    let keys: std::collections::BTreeSet<&str> = numbers.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c", "d"].into());
    let distinct: std::collections::BTreeSet<i64> = numbers.iter().map(|(_, number)| *number).collect();
    assert_eq!(distinct.len(), 4);
    let known = reader.configuration().unwrap().unwrap().connectors;
    assert_eq!(
        known.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [name("ad"), name("crm"), name("hr")]
    );
}

pub fn configurations_count_up(harness: &mut impl Harness) {
    assert_eq!(harness.store().read().unwrap().configuration().unwrap(), None);
    for version in 1..=2 {
        let mut write = configuration(&[], &[]);
        write.body = format!(r#"{{"v":{version},"ü":"✓"}}"#);
        write.at = at(version);
        assert_eq!(harness.store().configure(write.clone()).wait().unwrap().version, version);
        harness.reopen();
        let stored = harness.store().read().unwrap().configuration().unwrap().unwrap();
        assert_eq!((stored.version, stored.at, stored.actor.as_str()), (version, at(version), "cli"));
        assert_eq!((stored.hash, stored.body), (ContentHash::of(&write.body), write.body));
    }
}

pub fn a_configuration_becomes_what_is_expected_or_nothing(harness: &mut impl Harness) {
    let store = harness.store();
    let first = configuration(&["hr"], &["join:hr:number"]);
    let became = store.configure(first).wait().unwrap();
    let second = configuration(&["hr", "ad"], &["join:ad:mail", "join:hr:number"]);
    let wrong = crate::Configured {
        version: became.version + 2,
        connectors: vec![became.connectors[0], ConnectorId(became.connectors[0].0 + 1)],
        numbers: vec![became.numbers[0] + 1, became.numbers[0]],
    };
    let write = crate::ConfigurationWrite { expected: Some(wrong.clone()), ..second.clone() };
    let refused = store.configure(write).wait().unwrap_err();
    assert_eq!((refused.code, refused.class), ("STO-020", StoreClass::Conflict));
    let mut reader = store.read().unwrap();
    let stored = reader.configuration().unwrap().unwrap();
    assert_eq!((stored.version, stored.connectors.len()), (became.version, 1), "nothing of it is kept");
    assert_eq!(reader.numbers().unwrap().len(), 1);
    drop(reader);
    let right = crate::Configured { version: became.version + 1, ..wrong };
    let write = crate::ConfigurationWrite { expected: Some(right.clone()), ..second };
    assert_eq!(store.configure(write).wait().unwrap(), right);
}

fn run(store: &dyn Store, step: &str, state: RunState) -> RunId {
    let start = RunStart { connector: None, step: step.into(), actor: "cli".into(), at: at(1) };
    let run = store.begin_run(start).wait().unwrap();
    store.end_run(run, state, at(2), Counters::new(), None).wait().unwrap();
    run
}

pub fn a_full_sync_counts_for_its_configuration(harness: &mut impl Harness) {
    let store = harness.store();
    let full_sync = || store.read().unwrap().configuration().unwrap().unwrap().full_sync;
    let configure = |look_again| {
        let _ = store
            .configure(crate::ConfigurationWrite { look_again, ..configuration(&[], &[]) })
            .wait()
            .unwrap();
    };
    configure(true);
    run(store, "sync", RunState::Succeeded);
    run(store, "full-sync", RunState::Failed);
    assert_eq!(full_sync(), None);
    let first = run(store, "full-sync", RunState::SucceededWithFindings);
    assert_eq!(full_sync(), Some(first));
    configure(false);
    assert_eq!(full_sync(), Some(first), "no rule changed, so what was looked at still counts");
    let start = RunStart { connector: None, step: "full-sync".into(), actor: "cli".into(), at: at(1) };
    let overtaken = store.begin_run(start).wait().unwrap();
    configure(true);
    store.end_run(overtaken, RunState::Succeeded, at(2), Counters::new(), None).wait().unwrap();
    assert_eq!(full_sync(), None, "it began under other rules");
}

pub fn runs_begin_and_end(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let start = RunStart {
        connector: Some(scene.source),
        step: "full-import".into(),
        actor: "Zoë".into(),
        at: at(10),
    };
    let id = scene.store.begin_run(start).wait().unwrap();
    assert_eq!(id, RunId(scene.run.0 + 1), "runs are numbered one by one");
    let read = || scene.store.read().unwrap().run(id).unwrap().unwrap();
    let row = read();
    assert_eq!(
        (row.connector, row.step.as_str(), row.state),
        (Some(scene.source), "full-import", RunState::Running)
    );
    assert_eq!((row.actor.as_str(), row.started, row.message), ("Zoë", at(10), None));
    assert_eq!(row.source, None);
    scene.store.note_source(id, "/drop/hr-2.csv".into()).wait().unwrap();
    assert_eq!(read().source.as_deref(), Some("/drop/hr-2.csv"));
    assert_eq!(
        scene.store.note_source(RunId(99), "x".into()).wait().unwrap_err().class,
        StoreClass::Conflict
    );
    let counters = Counters::from([("read".to_owned(), u64::from(u32::MAX))]);
    let message = Some("why".to_owned());
    scene.store.end_run(id, RunState::Held, at(20), counters.clone(), message.clone()).wait().unwrap();
    let row = read();
    assert_eq!(
        (row.state, row.updated, row.counters, row.message),
        (RunState::Held, at(20), counters, message)
    );
    let mut reader = scene.store.read().unwrap();
    let ids = |rows: Vec<crate::RunRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.run_list(None, 9).unwrap()), [id, scene.run]);
    assert_eq!(ids(reader.run_list(None, 1).unwrap()), [id]);
    assert_eq!(ids(reader.run_list(Some(id), 9).unwrap()), [scene.run]);
    assert_eq!(reader.run(RunId(99)).unwrap(), None);
    let missing = scene.store.end_run(RunId(99), RunState::Failed, at(1), Counters::new(), None).wait();
    assert_eq!(missing.unwrap_err().class, StoreClass::Conflict);
}

pub fn runs_at_work_are_interrupted(harness: &mut impl Harness) {
    let (ended, at_work) = {
        let scene = Scene::new(harness.store());
        (run(scene.store, "sync", RunState::Succeeded), scene.run)
    };
    harness.reopen();
    let store = harness.store();
    assert_eq!(store.interrupt_runs(at(99)).wait().unwrap(), [at_work]);
    assert_eq!(store.interrupt_runs(at(100)).wait().unwrap(), []);
    let mut reader = store.read().unwrap();
    let row = reader.run(at_work).unwrap().unwrap();
    assert_eq!((row.state, row.updated), (RunState::Interrupted, at(99)));
    assert_eq!(reader.run(ended).unwrap().unwrap().state, RunState::Succeeded);
}

pub fn findings_are_read_by_key(harness: &mut impl Harness) {
    let scene = Scene::new(harness.store());
    let finding = |number: usize| Finding::new("IMP-001", format!("line {number}"));
    for page in [vec![finding(0), finding(1)], vec![finding(2)]] {
        let _ = scene.store.stage(StageBatch { findings: page, ..scene.page(scene.source) }).wait().unwrap();
    }
    let run = scene.run;
    let store = scene.store;
    let read = |after, limit| store.read().unwrap().findings(run, after, limit).unwrap();
    let all = read(0, 10);
    assert_eq!(
        all.iter().map(|row| row.finding.clone()).collect::<Vec<_>>(),
        [finding(0), finding(1), finding(2)]
    );
    assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(read(all[0].seq, 1), all[1..2]);
    assert_eq!(store.read().unwrap().findings(RunId(99), 0, 9).unwrap(), []);
    harness.reopen();
    assert_eq!(harness.store().read().unwrap().findings(run, 0, 10).unwrap(), all);
}

pub fn secrets_are_replaced_and_removed(harness: &mut impl Harness) {
    let secret = |name: &str, body: &str| SecretRow { name: name.into(), body: body.into() };
    let (a, b, newer) = (secret("a", "1"), secret("b", "ü"), secret("a", "2"));
    {
        let scene = Scene::new(harness.store());
        scene.store.put_secrets(vec![b.clone(), a], scene.cause(1)).wait().unwrap();
        scene.store.put_secrets(vec![newer.clone()], scene.cause(2)).wait().unwrap();
        assert!(!scene.store.remove_secret("c".into(), scene.cause(3)).wait().unwrap());
    }
    harness.reopen();
    assert_eq!(harness.store().read().unwrap().secrets().unwrap(), [newer.clone(), b]);
    let cause = crate::Cause { run: RunId(1), actor: "cli".into(), at: at(4) };
    assert!(harness.store().remove_secret("b".into(), cause).wait().unwrap());
    assert_eq!(harness.store().read().unwrap().secrets().unwrap(), [newer]);
}

pub fn notes_are_kept(harness: &mut impl Harness) {
    assert_eq!(harness.store().read().unwrap().note("act").unwrap(), None);
    for text in ["2", "", "three ✓"] {
        harness.store().put_note("act".into(), text.into()).wait().unwrap();
        harness.reopen();
        assert_eq!(harness.store().read().unwrap().note("act").unwrap().as_deref(), Some(text));
    }
}
