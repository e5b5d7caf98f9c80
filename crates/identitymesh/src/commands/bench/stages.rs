//! The product's stages, one after the other, each timed apart and followed by its yardstick.

use std::time::Duration;

use anyhow::ensure;
use identitymesh_connector_fake::FakeSystem;
use identitymesh_model::Name;
use identitymesh_runner::{ImportKind, Mesh, RunReport, SyncScope, export, import, sync};

use super::laboratory::Laboratory;
use super::memory::{peak_rss_bytes, reset_peak};
use super::planning;
use super::yardsticks::Yardstick;
use crate::arguments::BenchCase;
use crate::edge::Stopwatch;

/// Objects that change in one delta.
const DELTA_OBJECTS: u64 = 100;
/// Deltas that are measured; the median counts.
pub(super) const DELTA_ROUNDS: usize = 9;

/// One stage as measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) name: &'static str,
    /// Objects that went through the stage.
    pub(super) objects: u64,
    /// What the product took.
    pub(super) spent: Duration,
    /// What the yardstick took for as many objects.
    pub(super) raw: Duration,
}

/// The stages over one mesh in their order; each needs what those before it left.
const ORDER: [BenchCase; 6] = [
    BenchCase::FullImportFirst,
    BenchCase::FullImportUnchanged,
    BenchCase::Plan,
    BenchCase::FullSync,
    BenchCase::Export,
    BenchCase::Delta100,
];

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
    told: &'a dyn Fn(&str),
    pub(super) measured: Vec<Measured>,
    pub(super) peak_rss_bytes: Option<u64>,
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
            told,
            measured: Vec::new(),
            peak_rss_bytes: None,
        }
    }

    /// Carries out the stages up to the last that is wanted.
    pub(super) async fn carry_out(&mut self) -> anyhow::Result<()> {
        for case in ORDER.into_iter().take(self.last() + 1) {
            match case {
                BenchCase::FullImportFirst => self.first_import().await?,
                BenchCase::FullImportUnchanged => self.unchanged_import().await?,
                BenchCase::Plan => self.plan()?,
                BenchCase::FullSync => self.full_sync().await?,
                BenchCase::Export => self.export().await?,
                BenchCase::Delta100 => self.delta().await?,
                // It has a mesh of its own.
                BenchCase::Fuzzy => {}
            }
        }
        Ok(())
    }

    fn wants(&self, case: BenchCase) -> bool {
        self.wanted.is_empty() || self.wanted.contains(&case)
    }

    fn last(&self) -> usize {
        ORDER.iter().rposition(|case| self.wants(*case)).unwrap_or(0)
    }

    async fn first_import(&mut self) -> anyhow::Result<()> {
        let (spent, run) =
            self.time("full-import-first", import(self.mesh, people(), ImportKind::Full)).await?;
        ensure!(run.count("added") == self.objects, "the first import counted {:?}", run.counters);
        let raw = self.yardstick.import()?;
        self.keep(BenchCase::FullImportFirst, "full-import-first", spent, raw);
        Ok(())
    }

    async fn unchanged_import(&mut self) -> anyhow::Result<()> {
        if !self.wants(BenchCase::FullImportUnchanged) {
            return Ok(());
        }
        let (spent, run) =
            self.time("full-import-unchanged", import(self.mesh, people(), ImportKind::Full)).await?;
        ensure!(run.count("unchanged") == self.objects, "the second import counted {:?}", run.counters);
        let raw = self.yardstick.look_up()?;
        self.keep(BenchCase::FullImportUnchanged, "full-import-unchanged", spent, raw);
        Ok(())
    }

    fn plan(&mut self) -> anyhow::Result<()> {
        if !self.wants(BenchCase::Plan) {
            return Ok(());
        }
        (self.told)("plan");
        let planned = planning::measure(self.mesh, self.objects)?;
        self.keep(BenchCase::Plan, "plan", planned.one, planned.raw);
        self.keep(BenchCase::Plan, "plan-two-threads", planned.two, planned.raw);
        Ok(())
    }

    async fn full_sync(&mut self) -> anyhow::Result<()> {
        let (spent, run) = self.time("full-sync", sync(self.mesh, SyncScope::Pending(people()))).await?;
        ensure!(run.count("mesh_created") == self.objects, "the sync counted {:?}", run.counters);
        let raw = self.yardstick.sync()?;
        self.keep(BenchCase::FullSync, "full-sync", spent, raw);
        Ok(())
    }

    async fn export(&mut self) -> anyhow::Result<()> {
        let (spent, _) = self.time("export", export(self.mesh, directory())).await?;
        let sent = self.directory.exports().creates;
        ensure!(sent == self.objects, "the export sent {sent} creates");
        let raw = self.yardstick.export()?;
        self.keep(BenchCase::Export, "export", spent, raw);
        Ok(())
    }

    async fn delta(&mut self) -> anyhow::Result<()> {
        (self.told)("delta-100");
        let spent = self.deltas().await?;
        let raw = self.yardstick.delta()?;
        self.measured.push(Measured { name: "delta-100", objects: self.changing(), spent, raw });
        Ok(())
    }

    fn keep(&mut self, case: BenchCase, name: &'static str, spent: Duration, raw: Duration) {
        if self.wants(case) {
            self.measured.push(Measured { name, objects: self.objects, spent, raw });
        }
    }

    fn changing(&self) -> u64 {
        DELTA_OBJECTS.min(self.objects)
    }

    async fn time<E>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<RunReport, E>>,
    ) -> Result<(Duration, RunReport), E> {
        (self.told)(name);
        reset_peak();
        let watch = Stopwatch::start();
        let report = work.await?;
        let spent = watch.elapsed();
        self.peak_rss_bytes = self.peak_rss_bytes.max(peak_rss_bytes());
        Ok((spent, report))
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
