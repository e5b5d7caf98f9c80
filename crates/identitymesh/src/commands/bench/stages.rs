//! The product's stages, one after the other, each timed apart and followed by its yardstick.

use std::time::Duration;

use anyhow::ensure;
use identitymesh_connector_fake::FakeSystem;
use identitymesh_model::Name;
use identitymesh_runner::{ImportKind, Mesh, Question, SyncScope, export, import, preview, sync};

use super::laboratory::Laboratory;
use super::measured::{Measured, Measuring, Spent};
use super::planning;
use super::yardsticks::Yardstick;
use crate::arguments::BenchCase;
use crate::edge::Stopwatch;
use crate::open::scratch;

/// Objects that change in one delta.
const DELTA_OBJECTS: u64 = 100;
/// Deltas that are measured; the median counts.
pub(super) const DELTA_ROUNDS: usize = 9;

/// Of how many objects one changes before the preview of changes.
const CHANGES_FRACTION: u64 = 50;

/// The stages over one mesh in their order, each with the case that it belongs to; each needs what those before it left.
const ORDER: [(Stage, BenchCase); 8] = [
    (Stage::FirstImport, BenchCase::FullImportFirst),
    (Stage::UnchangedImport, BenchCase::FullImportUnchanged),
    (Stage::Plan, BenchCase::Plan),
    (Stage::PreviewOfCreates, BenchCase::Preview),
    (Stage::FullSync, BenchCase::FullSync),
    (Stage::Export, BenchCase::Export),
    (Stage::Delta, BenchCase::Delta100),
    (Stage::PreviewOfChanges, BenchCase::Preview),
];

#[derive(Clone, Copy)]
enum Stage {
    FirstImport,
    UnchangedImport,
    Plan,
    PreviewOfCreates,
    FullSync,
    Export,
    Delta,
    PreviewOfChanges,
}

fn people() -> Name {
    Name::literal("people")
}

fn directory() -> Name {
    Name::literal("directory")
}

/// All stages over one population.
pub(super) struct Stages<'a> {
    laboratory: &'a Laboratory,
    directory: &'a FakeSystem,
    mesh: &'a Mesh,
    objects: u64,
    yardstick: Yardstick,
    wanted: &'a [BenchCase],
    measuring: Measuring<'a>,
}

impl<'a> Stages<'a> {
    /// Stages over `objects` people and their target, those that are `wanted` or all; `told` hears the name of each before it begins.
    pub(super) fn new(
        laboratory: &'a Laboratory,
        directory: &'a FakeSystem,
        objects: u64,
        wanted: &'a [BenchCase],
        told: &'a dyn Fn(&str),
    ) -> Self {
        Self {
            laboratory,
            directory,
            mesh: &laboratory.opened.mesh,
            objects,
            yardstick: Yardstick::beside(laboratory, objects),
            wanted,
            measuring: Measuring::new(told),
        }
    }

    /// What was measured, and the peak of memory.
    pub(super) fn into_measured(self) -> (Vec<Measured>, Option<u64>) {
        self.measuring.into_measured()
    }

    /// Carries out the stages up to the last that is wanted.
    pub(super) async fn carry_out(&mut self) -> anyhow::Result<()> {
        for (stage, case) in ORDER.into_iter().take(self.last() + 1) {
            match stage {
                Stage::FirstImport => self.first_import().await?,
                Stage::FullSync => self.full_sync().await?,
                Stage::Export => self.export().await?,
                _ if !self.wants(case) => {}
                Stage::UnchangedImport => self.unchanged_import().await?,
                Stage::Plan => self.plan()?,
                Stage::PreviewOfCreates => self.preview_of_creates().await?,
                Stage::Delta => self.delta().await?,
                Stage::PreviewOfChanges => self.preview_of_changes().await?,
            }
        }
        Ok(())
    }

    fn wants(&self, case: BenchCase) -> bool {
        self.wanted.is_empty() || self.wanted.contains(&case)
    }

    fn last(&self) -> usize {
        ORDER.iter().rposition(|(_, case)| self.wants(*case)).unwrap_or(0)
    }

    async fn first_import(&mut self) -> anyhow::Result<()> {
        let (spent, run) =
            self.measuring.time("full-import-first", import(self.mesh, people(), ImportKind::Full)).await?;
        ensure!(run.count("added") == self.objects, "the first import counted {:?}", run.counters);
        let raw = self.yardstick.import()?;
        self.keep(BenchCase::FullImportFirst, "full-import-first", spent, raw);
        Ok(())
    }

    async fn unchanged_import(&mut self) -> anyhow::Result<()> {
        let (spent, run) = self
            .measuring
            .time("full-import-unchanged", import(self.mesh, people(), ImportKind::Full))
            .await?;
        ensure!(run.count("unchanged") == self.objects, "the second import counted {:?}", run.counters);
        let raw = self.yardstick.look_up()?;
        self.keep(BenchCase::FullImportUnchanged, "full-import-unchanged", spent, raw);
        Ok(())
    }

    fn plan(&mut self) -> anyhow::Result<()> {
        self.measuring.tell("plan");
        let planned = planning::measure(self.mesh, self.objects)?;
        self.keep(BenchCase::Plan, "plan", planned.one, planned.raw);
        self.keep(BenchCase::Plan, "plan-two-threads", planned.two, planned.raw);
        Ok(())
    }

    async fn full_sync(&mut self) -> anyhow::Result<()> {
        let (spent, run) =
            self.measuring.time("full-sync", sync(self.mesh, SyncScope::Pending(people()))).await?;
        ensure!(run.count("mesh_created") == self.objects, "the sync counted {:?}", run.counters);
        let raw = self.yardstick.sync()?;
        self.keep(BenchCase::FullSync, "full-sync", spent, raw);
        Ok(())
    }

    async fn export(&mut self) -> anyhow::Result<()> {
        let (spent, _) = self.measuring.time("export", export(self.mesh, directory())).await?;
        let sent = self.directory.exports().creates;
        ensure!(sent == self.objects, "the export sent {sent} creates");
        let raw = self.yardstick.export()?;
        self.keep(BenchCase::Export, "export", spent, raw);
        Ok(())
    }

    async fn delta(&mut self) -> anyhow::Result<()> {
        self.measuring.tell("delta-100");
        let spent = self.deltas().await?;
        let raw = self.yardstick.delta()?;
        self.measuring.keep("delta-100", self.changing(), spent, raw);
        Ok(())
    }

    /// Everybody is new.
    async fn preview_of_creates(&mut self) -> anyhow::Result<()> {
        let question = Question::Syncs(vec![SyncScope::Pending(people())]);
        self.preview("preview-creates", question, "queued_create", self.objects).await
    }

    /// Everybody is looked at, and a few have changed.
    async fn preview_of_changes(&mut self) -> anyhow::Result<()> {
        let changed = (self.objects / CHANGES_FRACTION).max(1);
        self.laboratory.people.advance(changed);
        import(self.mesh, people(), ImportKind::Delta).await?;
        let question = Question::Syncs(vec![SyncScope::Everything]);
        self.preview("preview-changes", question, "queued_update", changed).await
    }

    async fn preview(
        &mut self,
        name: &'static str,
        question: Question,
        counter: &str,
        expected: u64,
    ) -> anyhow::Result<()> {
        let opened = &self.laboratory.opened;
        let before = self.laboratory.store_sha256()?;
        let work = async {
            let scratch = scratch(opened, self.mesh.cancel.clone())?;
            Ok::<_, anyhow::Error>(preview(&scratch.sandbox, question, ()).await?)
        };
        let (spent, foreseen) = self.measuring.time(name, work).await?;
        ensure!(foreseen.counts.get(counter) == Some(&expected), "the preview counted {:?}", foreseen.counts);
        let after = self.laboratory.store_sha256()?;
        ensure!(before == after, "the preview changed the store, whose hash was {before} and is {after}");
        let raw = self.yardstick.read()?;
        let store_sha256 = Some(after);
        self.measuring.measured.push(Measured { name, objects: self.objects, spent, raw, store_sha256 });
        Ok(())
    }

    fn keep(&mut self, case: BenchCase, name: &'static str, spent: impl Into<Spent>, raw: Duration) {
        if self.wants(case) {
            self.measuring.keep(name, self.objects, spent, raw);
        }
    }

    fn changing(&self) -> u64 {
        DELTA_OBJECTS.min(self.objects)
    }

    /// The median of several deltas, from the source's change to items in the queue.
    async fn deltas(&self) -> anyhow::Result<Duration> {
        let changed = self.changing();
        let mut rounds = Vec::with_capacity(DELTA_ROUNDS);
        for _ in 0..DELTA_ROUNDS {
            self.laboratory.people.advance(changed);
            let watch = Stopwatch::start();
            let read = import(self.mesh, people(), ImportKind::Delta).await?;
            let planned = sync(self.mesh, SyncScope::Pending(people())).await?;
            rounds.push(watch.elapsed());
            ensure!(read.count("changed") == changed, "a delta read {:?}", read.counters);
            ensure!(planned.count("queued_update") == changed, "a delta queued {:?}", planned.counters);
            export(self.mesh, directory()).await?;
        }
        rounds.sort_unstable();
        Ok(rounds[rounds.len() / 2])
    }
}
