//! The benchmark from its arguments to its answer.

use super::fuzzy;
use super::laboratory::Laboratory;
use super::leavers;
use super::measured::Measured;
use super::report::{Case, Report, growth};
use super::stages::Stages;
use super::target;
use crate::arguments::{BenchArguments, BenchCase};
use crate::commands::{Done, Shell};

/// People in the population where nobody says otherwise.
const OBJECTS: u64 = 100_000;
/// People in the population of a directory where nobody says otherwise.
const TARGET_OBJECTS: u64 = 10_000;
/// Growth is seen from this fraction of the population.
const GROWTH_FRACTION: u64 = 100;

/// Cases with a mesh of their own, which are measured only where they are named.
const ALONE: [BenchCase; 2] = [BenchCase::Fuzzy, BenchCase::Leavers];

pub(crate) fn run(shell: &Shell, arguments: &BenchArguments) -> anyhow::Result<Done> {
    let objects = arguments.objects;
    match target::Asked::of(arguments) {
        Some(asked) => {
            let objects = objects.unwrap_or(TARGET_OBJECTS);
            let report = shell.block_on(target::measure(shell, &asked, objects))?;
            shell.output.answer(&report, || report.text())?;
        }
        None => {
            let report = shell.block_on(measure(shell, arguments, objects.unwrap_or(OBJECTS)))?;
            shell.output.answer(&report, || report.text())?;
        }
    }
    Ok(Done::Well)
}

/// One population's figures.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) measured: Vec<Measured>,
    pub(super) peak_rss_bytes: Option<u64>,
    pub(super) store_bytes: u64,
}

impl Figures {
    /// Takes in those of another mesh.
    fn take(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.peak_rss_bytes = self.peak_rss_bytes.max(other.peak_rss_bytes);
        // The size is told of the mesh with all stages, where there is one.
        if self.store_bytes == 0 {
            self.store_bytes = other.store_bytes;
        }
    }
}

async fn measure(shell: &Shell, arguments: &BenchArguments, objects: u64) -> anyhow::Result<Report> {
    let from = (objects / GROWTH_FRACTION).max(1);
    let small = population(shell, arguments, from).await?;
    let large = population(shell, arguments, objects).await?;
    Ok(Report {
        store: arguments.store.as_str(),
        objects,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        cases: large.measured.iter().map(Case::from).collect(),
        peak_rss_bytes: large.peak_rss_bytes,
        store_bytes: large.store_bytes,
        growth: growth(&small.measured, &large.measured),
        growth_from_objects: from,
    })
}

async fn population(shell: &Shell, arguments: &BenchArguments, objects: u64) -> anyhow::Result<Figures> {
    let (below, wanted) = (arguments.below.as_deref(), &arguments.case);
    let told = |stage: &str| shell.output.note(&format!("{stage}, {objects} objects …"));
    let mut figures = Figures::default();
    if wanted.is_empty() || wanted.iter().any(|case| !ALONE.contains(case)) {
        let (laboratory, directory) = Laboratory::with_sink(objects, below, shell.cancel.clone()).await?;
        let mut stages = Stages::new(&laboratory, &directory, objects, wanted, &told);
        stages.carry_out().await?;
        (figures.measured, figures.peak_rss_bytes) = stages.into_measured();
        figures.store_bytes = laboratory.store_bytes();
    }
    if wanted.contains(&BenchCase::Fuzzy) {
        let laboratory = Laboratory::with_look_alikes(objects, below, shell.cancel.clone()).await?;
        figures.take(fuzzy::measure(&laboratory, objects, &told).await?);
    }
    if wanted.contains(&BenchCase::Leavers) {
        figures.take(leavers::measure(objects, below, shell.cancel.clone(), &told).await?);
    }
    Ok(figures)
}
