//! Random histories of staging, syncing and exporting, step by step compared with the reference.

use std::collections::BTreeMap;

use identitymesh_model::plan::ItemAction;
use identitymesh_model::{ItemId, RunId, SpaceId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::Harness;
use super::reference::{Flight, Reference};
use super::sample::{
    RULE, Scene, at, body, change, create, exported, insert, item_of, keep, link, mesh, name, person, unlink,
    update, user,
};
use crate::{Cursor, ItemFilter, ItemState, MeshFilter, Settle, Settled, StageBatch, Todo};

/// One step. Numbers are folded onto what is there, so that most steps do something.
#[derive(Clone, Debug)]
enum Step {
    Stage(Vec<(u8, u8)>),
    Lose(u8),
    Link { space: u8, mesh: u8 },
    Unlink(u8),
    Change { mesh: u8, content: u8 },
    StaleChange { mesh: u8 },
    Enqueue { mesh: u8, content: u8 },
    Cancel(u8),
    Lease,
    Settle { mesh: u8, how: u8 },
    Retry,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => proptest::collection::vec((0..12_u8, any::<u8>()), 1..5).prop_map(Step::Stage),
        1 => (0..12_u8).prop_map(Step::Lose),
        4 => (0..12_u8, 0..6_u8).prop_map(|(space, mesh)| Step::Link { space, mesh }),
        2 => (0..12_u8).prop_map(Step::Unlink),
        2 => (0..6_u8, any::<u8>()).prop_map(|(mesh, content)| Step::Change { mesh, content }),
        1 => (0..6_u8).prop_map(|mesh| Step::StaleChange { mesh }),
        4 => (0..6_u8, any::<u8>()).prop_map(|(mesh, content)| Step::Enqueue { mesh, content }),
        1 => (0..6_u8).prop_map(Step::Cancel),
        3 => Just(Step::Lease),
        4 => (0..6_u8, 0..5_u8).prop_map(|(mesh, how)| Step::Settle { mesh, how }),
        1 => Just(Step::Retry),
        1 => Just(Step::Reopen),
    ]
}

/// One history after the other on the same store, each with objects of its own.
pub fn histories_agree_with_the_reference(harness: &mut impl Harness) {
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let mut histories = Vec::new();
    // Values are drawn first: the runner's closure cannot reopen the store it is given by reference.
    let mut runner = TestRunner::new(config);
    for _ in 0..12 {
        let tree = proptest::collection::vec(step(), 1..40).new_tree(&mut runner).unwrap();
        histories.push(proptest::strategy::ValueTree::current(&tree));
    }
    for (number, steps) in histories.into_iter().enumerate() {
        let mut history = History::new(harness, number);
        for (at, step) in steps.iter().enumerate() {
            history.run(harness, step);
            if let Err(error) = history.compare(harness) {
                panic!("after step {at} of {steps:#?}: {error}");
            }
        }
    }
}

/// A history in progress, and what the store called its objects.
struct History {
    number: usize,
    /// One for all steps: whoever leased an item settles it.
    run: RunId,
    reference: Reference,
    spaces: BTreeMap<u8, SpaceId>,
    clock: i64,
}

impl History {
    fn new(harness: &impl Harness, number: usize) -> Self {
        let run = Scene::new(harness.store()).run;
        let (reference, spaces) = (Reference::default(), BTreeMap::new());
        let mut history = Self { number, run, reference, spaces, clock: 0 };
        let scene = history.scene(harness);
        let plans = (0..6).map(|mesh| create(history.mesh(mesh), &format!("{number}-{mesh}"), person("0")));
        scene.apply(plans.collect());
        for mesh in 0..6 {
            history.reference.mesh.insert(history.mesh(mesh), (1, 0));
        }
        history.reference.changes = 6;
        history
    }

    /// Every history has connectors of its own.
    fn scene<'s>(&self, harness: &'s impl Harness) -> Scene<'s> {
        let store = harness.store();
        let names = [format!("source {}", self.number), format!("target {}", self.number)];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = store.configure(super::sample::configuration(&names, &["a", "b"])).wait().unwrap();
        let (source, target) = (made.connectors[0], made.connectors[1]);
        Scene { source, target, run: self.run, ..Scene::new(store) }
    }

    fn mesh(&self, mesh: u8) -> u64 {
        self.number as u64 * 10 + u64::from(mesh) + 1
    }

    fn run(&mut self, harness: &mut impl Harness, step: &Step) {
        self.clock += 1;
        if matches!(step, Step::Reopen) {
            harness.reopen();
            return;
        }
        let scene = self.scene(harness);
        match step {
            Step::Stage(objects) => self.stage(&scene, objects),
            Step::Lose(space) => self.lose(&scene, *space),
            Step::Link { space, mesh } => self.link(&scene, *space, self.mesh(*mesh)),
            Step::Unlink(space) => self.unlink(&scene, *space),
            Step::Change { mesh, content } => self.change(&scene, self.mesh(*mesh), *content),
            Step::StaleChange { mesh } => self.stale_change(&scene, self.mesh(*mesh)),
            Step::Enqueue { mesh, content } => self.enqueue(&scene, self.mesh(*mesh), *content),
            Step::Cancel(mesh) => self.cancel(&scene, self.mesh(*mesh)),
            Step::Lease => self.lease(&scene),
            Step::Settle { mesh, how } => self.settle(&scene, self.mesh(*mesh), *how),
            Step::Retry => self.retry(&scene),
            Step::Reopen => {}
        }
    }

    fn stage(&mut self, scene: &Scene<'_>, objects: &[(u8, u8)]) {
        let wanted: BTreeMap<u8, u8> = objects.iter().copied().collect();
        let mut page = scene.page(scene.source);
        for (id, content) in &wanted {
            let stored = body(&person(&content.to_string()));
            match self.spaces.get(id) {
                Some(space) => page.updates.push(update(*space, stored)),
                None => page.inserts.push(crate::StageInsert { body: stored, ..insert(&id.to_string()) }),
            }
            self.reference.spaces.insert(*id, (*content, false));
        }
        let fresh: Vec<u8> = wanted.keys().filter(|id| !self.spaces.contains_key(id)).copied().collect();
        let inserted = scene.store.stage(page).wait().unwrap().inserted;
        self.spaces.extend(fresh.into_iter().zip(inserted));
    }

    fn lose(&mut self, scene: &Scene<'_>, space: u8) {
        let Some(id) = self.spaces.get(&space) else { return };
        let _ =
            scene.store.stage(StageBatch { deletes: vec![*id], ..scene.page(scene.source) }).wait().unwrap();
        self.reference.spaces.entry(space).and_modify(|(_, gone)| *gone = true);
    }

    fn link(&mut self, scene: &Scene<'_>, space: u8, mesh: u64) {
        let Some(id) = self.spaces.get(&space) else { return };
        let mut plan = keep(mesh);
        plan.links.push(link(*id));
        let done = scene.store.apply(scene.batch(vec![plan])).wait();
        assert_eq!(done.is_ok(), !self.reference.links.contains_key(&space), "{done:?}");
        self.reference.links.entry(space).or_insert(mesh);
    }

    /// A lost object goes with its link.
    fn unlink(&mut self, scene: &Scene<'_>, space: u8) {
        let (Some(id), Some(mesh)) = (self.spaces.get(&space), self.reference.links.remove(&space)) else {
            return;
        };
        let purge = self.reference.spaces[&space].1;
        let mut plan = keep(mesh);
        plan.links.push(unlink(*id, purge));
        scene.apply(vec![plan]);
        if purge {
            self.reference.spaces.remove(&space);
            self.spaces.remove(&space);
        }
    }

    fn change(&mut self, scene: &Scene<'_>, mesh: u64, content: u8) {
        let (version, stored) = self.reference.mesh.get_mut(&mesh).unwrap();
        scene.apply(vec![change(mesh, *version, "E", person(&content.to_string()))]);
        *version += 1;
        *stored = content;
        self.reference.changes += 1;
    }

    fn stale_change(&self, scene: &Scene<'_>, mesh: u64) {
        let version = self.reference.mesh[&mesh].0 - 1;
        let done = scene.store.apply(scene.batch(vec![change(mesh, version, "E", person("stale"))])).wait();
        assert_eq!(done.unwrap_err().code, "STO-010");
    }

    fn enqueue(&mut self, scene: &Scene<'_>, mesh: u64, content: u8) {
        let mut plan = keep(mesh);
        let attributes = person(&content.to_string());
        plan.items.push(item_of(scene.target, ItemAction::Create { attributes, create_container: false }));
        scene.apply(vec![plan]);
        self.reference.enqueue(mesh, content);
    }

    fn cancel(&mut self, scene: &Scene<'_>, mesh: u64) {
        let mut plan = keep(mesh);
        plan.cancelled.push(scene.target);
        scene.apply(vec![plan]);
        match self.reference.items.get(&mesh) {
            Some((_, _, Flight::Sent | Flight::Unknown)) => {
                self.reference.todos.insert(mesh);
            }
            _ => {
                self.reference.items.remove(&mesh);
            }
        }
    }

    fn lease(&mut self, scene: &Scene<'_>) {
        let mut request = scene.lease_request(self.clock);
        request.until = at(1_000_000);
        let lease = scene.store.lease(request).wait().unwrap();
        let mut leased: Vec<u64> = lease.items.iter().map(|item| item.mesh.0.cast_unsigned()).collect();
        leased.sort_unstable();
        assert_eq!(leased, self.reference.lease());
    }

    fn settle(&mut self, scene: &Scene<'_>, number: u64, how: u8) {
        let Some((content, _, flight)) = self.reference.items.get(&number).copied() else { return };
        let now = at(self.clock);
        let what = match how {
            0 => Settle::Created {
                rule: RULE,
                state: exported(&format!("CN={number}"), &content.to_string()),
                is_ours: true,
                owes_password: false,
                row: scene.export_row(number),
            },
            1 => Settle::Retry { not_before: now, reason: "busy".into() },
            2 => Settle::Unknown { not_before: now, reason: "cut".into() },
            3 => Settle::Dead { code: "XPT-001".into(), reason: "no".into() },
            _ => Settle::Dropped,
        };
        let item = item_of_mesh(scene, number).0;
        let batch = scene.settle_batch(vec![Settled { item, mesh: mesh(number), what }]);
        let done = scene.store.settle(batch).wait();
        assert_eq!(done.is_ok(), flight == Flight::Sent, "{done:?}");
        if done.is_ok() {
            self.settled(number, how);
        }
    }

    fn settled(&mut self, number: u64, how: u8) {
        let reference = &mut self.reference;
        match how {
            0 => reference.changes += 1,
            4 => {
                reference.todos.insert(number);
            }
            _ => {}
        }
        match how {
            1 => reference.items.get_mut(&number).unwrap().2 = Flight::Retry,
            2 => reference.items.get_mut(&number).unwrap().2 = Flight::Unknown,
            3 => reference.items.get_mut(&number).unwrap().2 = Flight::Dead,
            _ => {
                reference.items.remove(&number);
            }
        }
    }

    fn retry(&mut self, scene: &Scene<'_>) {
        let _ = scene.store.retry_items(scene.cause(self.clock), Some(scene.target), vec![]).wait().unwrap();
        for (_, attempts, flight) in self.reference.items.values_mut() {
            if matches!(flight, Flight::Retry | Flight::Dead) {
                (*attempts, *flight) = (0, Flight::Pending);
            }
        }
    }

    fn compare(&self, harness: &impl Harness) -> Result<(), TestCaseError> {
        let scene = self.scene(harness);
        self.compare_spaces(&scene)?;
        self.compare_mesh(&scene)?;
        self.compare_items(&scene)?;
        let ours = self.mesh(0)..self.mesh(0) + 6;
        let todos: Vec<u64> = scene
            .todos(self.clock)
            .into_iter()
            .filter_map(|todo| match todo {
                Todo::Mesh(mesh) => Some(mesh.0.cast_unsigned()),
                Todo::Space(_) => None,
            })
            .filter(|mesh| ours.contains(mesh))
            .collect();
        prop_assert_eq!(todos, self.reference.todos.iter().copied().collect::<Vec<_>>());
        Ok(())
    }

    fn compare_spaces(&self, scene: &Scene<'_>) -> Result<(), TestCaseError> {
        let mut reader = scene.store.read().unwrap();
        let mut stored = BTreeMap::new();
        let mut links = BTreeMap::new();
        for record in reader.spaces_after(scene.source, SpaceId(0), 100).unwrap() {
            let id: u8 = record.external_id.parse().unwrap();
            prop_assert_eq!(Some(&record.id), self.spaces.get(&id));
            let content = record.doc.single(name("displayName")).unwrap().to_string().parse::<u8>().unwrap();
            stored.insert(id, (content, record.deleted));
            links.extend(record.link.map(|link| (id, link.mesh.0.cast_unsigned())));
        }
        prop_assert_eq!(&stored, &self.reference.spaces);
        prop_assert_eq!(&links, &self.reference.links);
        let present = self.reference.spaces.values().filter(|(_, gone)| !gone).count();
        prop_assert_eq!(reader.population(scene.source, user()).unwrap(), present as u64);
        let pending = reader.pending(scene.source, Cursor::default(), 100, None).unwrap();
        prop_assert_eq!(pending.len(), self.reference.spaces.len());
        Ok(())
    }

    fn compare_mesh(&self, scene: &Scene<'_>) -> Result<(), TestCaseError> {
        let mut reader = scene.store.read().unwrap();
        let ids: Vec<_> = self.reference.mesh.keys().map(|number| mesh(*number)).collect();
        for (view, (number, (version, content))) in
            reader.views(&ids).unwrap().iter().zip(&self.reference.mesh)
        {
            let view = view.as_ref().unwrap();
            prop_assert_eq!(view.record.version, *version);
            prop_assert_eq!(&view.record.doc, &person(&content.to_string()));
            let linked: Vec<u8> = view
                .linked
                .iter()
                .filter(|record| record.connector == scene.source)
                .map(|record| record.external_id.parse().unwrap())
                .collect();
            let mut expected: Vec<(SpaceId, u8)> = self
                .reference
                .links
                .iter()
                .filter(|(_, mesh)| *mesh == number)
                .map(|(space, _)| (self.spaces[space], *space))
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(linked, expected.into_iter().map(|(_, space)| space).collect::<Vec<_>>());
        }
        let all = reader.mesh_list(&MeshFilter::default(), None, 1_000).unwrap().items;
        prop_assert!(all.len() >= self.reference.mesh.len());
        Ok(())
    }

    fn compare_items(&self, scene: &Scene<'_>) -> Result<(), TestCaseError> {
        let filter = ItemFilter { connector: Some(scene.target), ..ItemFilter::default() };
        let rows = scene.store.read().unwrap().item_list(&filter, None, 100).unwrap().items;
        let stored: BTreeMap<u64, (ItemState, u32)> =
            rows.iter().map(|row| (row.mesh.0.cast_unsigned(), (row.state, row.attempts))).collect();
        prop_assert_eq!(stored.len(), rows.len(), "one live item for each mesh object and target");
        let state = |flight: Flight| match flight {
            Flight::Pending => ItemState::Pending,
            Flight::Sent => ItemState::Leased,
            Flight::Retry | Flight::Unknown => ItemState::RetryWait,
            Flight::Dead => ItemState::Dead,
        };
        let expected: BTreeMap<u64, (ItemState, u32)> = self
            .reference
            .items
            .iter()
            .map(|(mesh, (_, attempts, flight))| (*mesh, (state(*flight), *attempts)))
            .collect();
        prop_assert_eq!(stored, expected);
        let changes = self.own_changes(scene);
        prop_assert_eq!(changes, self.reference.changes);
        Ok(())
    }

    fn own_changes(&self, scene: &Scene<'_>) -> i64 {
        let mut reader = scene.store.read().unwrap();
        let count = |number: &u64| reader.history(mesh(*number), None, 1_000).unwrap().len() as i64;
        self.reference.mesh.keys().map(count).sum()
    }
}

fn item_of_mesh(scene: &Scene<'_>, number: u64) -> (ItemId, ItemState) {
    let filter = ItemFilter { connector: Some(scene.target), mesh: Some(mesh(number)), state: None };
    let row = &scene.store.read().unwrap().item_list(&filter, None, 9).unwrap().items[0];
    (row.id, row.state)
}
