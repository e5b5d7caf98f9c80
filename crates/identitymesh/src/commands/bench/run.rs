//! The benchmark from its arguments to its answer.

use super::fuzzy;
use super::laboratory::Laboratory;
use super::report::{Case, Report, growth};
use super::stages::{Measured, Stages};
use super::target;
use crate::arguments::{BenchArguments, BenchCase};
use crate::commands::{Done, Shell};

/// People in the population where nobody says otherwise.
const OBJECTS: u64 = 100_000;
/// People in the population of a directory where nobody says otherwise.
const TARGET_OBJECTS: u64 = 10_000;
/// Growth is seen from this fraction of the population.
const GROWTH_FRACTION: u64 = 100;

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
struct Figures {
    measured: Vec<Measured>,
    peak_rss_bytes: Option<u64>,
    store_bytes: u64,
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
    let (below, cases) = (arguments.below.as_deref(), &arguments.case);
    let told = |stage: &str| shell.output.note(&format!("{stage}, {objects} objects …"));
    let mut figures = Figures { measured: Vec::new(), peak_rss_bytes: None, store_bytes: 0 };
    if cases.is_empty() || cases.iter().any(|case| *case != BenchCase::Fuzzy) {
        let (laboratory, directory) = Laboratory::with_sink(objects, below, shell.cancel.clone()).await?;
        let mut stages = Stages::new(&laboratory, &directory, objects, cases, &told);
        stages.carry_out().await?;
        figures.measured = stages.measured;
        figures.peak_rss_bytes = stages.peak_rss_bytes;
        figures.store_bytes = laboratory.store_bytes();
    }
    if cases.contains(&BenchCase::Fuzzy) {
        let laboratory = Laboratory::with_look_alikes(objects, below, shell.cancel.clone()).await?;
        let (measured, peak) = fuzzy::measure(&laboratory, objects, &told).await?;
        figures.measured.push(measured);
        figures.peak_rss_bytes = figures.peak_rss_bytes.max(peak);
        // The size is told of the mesh with all stages, where there is one.
        if figures.store_bytes == 0 {
            figures.store_bytes = laboratory.store_bytes();
        }
    }
    Ok(figures)
}
