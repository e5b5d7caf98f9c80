//! Planning alone: the pure engine on staged objects, without a store behind it.
//!
//! An object is parsed, planned as a newcomer and written as text with its hash, which is what one thread does for each
//! object of a first sync. Reading the objects from the store is not timed. The yardstick is parsing, writing and hashing
//! the same documents without deciding anything.

use std::convert::Infallible;
use std::time::Duration;

use identitymesh_engine::rules::RuleSet;
use identitymesh_engine::{Neighbours, PlanContext, Planner, Referred, Seeds};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, ContentHash, Coverage, FormerLink, MeshCard, MeshId, MeshView, Name, Ruling, RunId,
    SpaceRecord, Text, Uid, canonical,
};
use identitymesh_runner::Mesh;
use identitymesh_store::Cursor;

use crate::edge::{RandomIds, Stopwatch};

/// Objects planned together, as in a sync.
const PART_OBJECTS: usize = 5_000;

/// What planning took.
pub(super) struct Planned {
    /// On one thread.
    pub(super) one: Duration,
    /// On two threads at once, half of the objects each.
    pub(super) two: Duration,
    /// The yardstick, on one thread.
    pub(super) raw: Duration,
    pub(super) objects: u64,
}

/// A staged object with its document still as text.
struct Staged {
    record: SpaceRecord,
    text: String,
}

/// Plans every staged object once on one thread, and once on two.
pub(super) fn measure(mesh: &Mesh, objects: u64) -> anyhow::Result<Planned> {
    let in_force = mesh.in_force()?;
    let connector = in_force.id(Name::literal("people"))?;
    let mut planned = Planned { one: Duration::ZERO, two: Duration::ZERO, raw: Duration::ZERO, objects: 0 };
    let mut cursor = Cursor::default();
    while planned.objects < objects {
        let part = mesh.store.read()?.pending(connector, cursor, PART_OBJECTS * 2, None)?;
        let Some((last, _)) = part.last() else { break };
        cursor = *last;
        let staged: Vec<Staged> = part.into_iter().map(|(_, record)| as_text(record)).collect();
        planned.objects += staged.len() as u64;
        planned.one += timed(|| plan(&in_force.rules, &staged, mesh));
        planned.two += timed(|| plan_on_two(&in_force.rules, &staged, mesh));
        planned.raw += timed(|| write_only(&staged));
    }
    Ok(planned)
}

fn as_text(mut record: SpaceRecord) -> Staged {
    let text = canonical::object_to_string(&record.doc);
    record.doc = identitymesh_model::Object::new();
    Staged { record, text }
}

fn timed(work: impl FnOnce() -> u64) -> Duration {
    let watch = Stopwatch::start();
    std::hint::black_box(work());
    watch.elapsed()
}

/// Plans in parts; a number made of the results, so that nothing can be left out.
fn plan(rules: &RuleSet, staged: &[Staged], mesh: &Mesh) -> u64 {
    let mut planner = Planner::new(rules);
    let mut alone = Alone { next: 1 };
    let context = PlanContext { now: mesh.clock.now(), run: RunId(1), ids: &RandomIds, reindex: false };
    let mut sum = 0;
    for part in staged.chunks(PART_OBJECTS) {
        let mut reader = canonical::DocumentReader::new();
        let spaces = part
            .iter()
            .map(|staged| {
                let doc = reader.read(&staged.text).expect("it was written by this program");
                SpaceRecord { doc, ..staged.record.clone() }
            })
            .collect();
        let seeds = Seeds { spaces, mesh: Vec::new() };
        let Ok(outcome) = planner.plan(seeds, &context, &mut alone);
        for object in &outcome.plan.objects {
            sum += object.content_hash().map_or(0, |hash| u64::from(hash.0[0]));
            sum += object.items.len() as u64;
        }
    }
    sum
}

fn plan_on_two(rules: &RuleSet, staged: &[Staged], mesh: &Mesh) -> u64 {
    let (left, right) = staged.split_at(staged.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| plan(rules, right, mesh));
        plan(rules, left, mesh) + other.join().expect("planning does not panic")
    })
}

fn write_only(staged: &[Staged]) -> u64 {
    let mut reader = canonical::DocumentReader::new();
    let hash = |staged: &Staged| {
        let doc = reader.read(&staged.text).expect("it was written by this program");
        u64::from(ContentHash::of(&canonical::object_to_string(&doc)).0[0])
    };
    staged.iter().map(hash).sum()
}

/// A mesh in which nobody is known yet.
struct Alone {
    next: i64,
}

impl Neighbours for Alone {
    type Error = Infallible;

    fn new_mesh_id(&mut self) -> Result<MeshId, Infallible> {
        self.next += 1;
        Ok(MeshId(self.next))
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, Infallible> {
        Ok(vec![Vec::new(); keys.len()])
    }

    fn blocks(&mut self, keys: &[IndexKey], _limit: usize) -> Result<Vec<Vec<MeshId>>, Infallible> {
        Ok(vec![Vec::new(); keys.len()])
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, Infallible> {
        Ok(vec![None; ids.len()])
    }

    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, Infallible> {
        Ok(vec![Vec::new(); spaces.len()])
    }

    fn former(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Option<FormerLink>>, Infallible> {
        Ok(vec![None; spaces.len()])
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, Infallible> {
        Ok(vec![None; ids.len()])
    }

    fn referred(
        &mut self,
        _connector: ConnectorId,
        _by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, Infallible> {
        Ok(vec![None; references.len()])
    }

    fn addresses(
        &mut self,
        _connector: ConnectorId,
        _address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, Infallible> {
        Ok(vec![None; uids.len()])
    }

    fn is_taken(&mut self, _key: &IndexKey, _except: MeshId) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn coverage(&mut self, _: ConnectorId, _: identitymesh_model::Name) -> Result<Coverage, Self::Error> {
        Ok(Coverage::Whole)
    }
}
