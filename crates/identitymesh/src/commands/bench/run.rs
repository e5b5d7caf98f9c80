//! The benchmark from its arguments to its answer.

use super::laboratory::Laboratory;
use super::report::{Case, Report, growth};
use super::stages::{Measured, Stages};
use crate::arguments::BenchArguments;
use crate::commands::{Done, Shell};

/// Growth is seen from this fraction of the population.
const GROWTH_FRACTION: u64 = 100;

pub(crate) fn run(shell: &Shell, arguments: &BenchArguments) -> anyhow::Result<Done> {
    let report = shell.block_on(measure(shell, arguments))?;
    shell.output.answer(&report, || report.text())?;
    Ok(Done::Well)
}

/// One population's figures.
struct Figures {
    measured: Vec<Measured>,
    peak_rss_bytes: Option<u64>,
    store_bytes: u64,
}

async fn measure(shell: &Shell, arguments: &BenchArguments) -> anyhow::Result<Report> {
    let from = (arguments.objects / GROWTH_FRACTION).max(1);
    let small = population(shell, arguments, from).await?;
    let large = population(shell, arguments, arguments.objects).await?;
    Ok(Report {
        store: arguments.store.as_str(),
        objects: arguments.objects,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        cases: large.measured.iter().map(Case::from).collect(),
        peak_rss_bytes: large.peak_rss_bytes,
        store_bytes: large.store_bytes,
        growth: growth(&small.measured, &large.measured),
        growth_from_objects: from,
    })
}

async fn population(shell: &Shell, arguments: &BenchArguments, objects: u64) -> anyhow::Result<Figures> {
    let laboratory = Laboratory::new(objects, arguments.below.as_deref(), shell.cancel.clone()).await?;
    let watched = shell.output.is_watched();
    let told = |stage: &str| {
        if watched {
            eprintln!("{stage}, {objects} objects …");
        }
    };
    let mut stages = Stages::new(&laboratory, objects, &arguments.case, &told);
    stages.carry_out().await?;
    Ok(Figures {
        measured: stages.measured,
        peak_rss_bytes: stages.peak_rss_bytes,
        store_bytes: laboratory.store_bytes(),
    })
}
