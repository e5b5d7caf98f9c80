//! `simulate`: plays many lives, as many at once as there are processors, and stops at the first broken law.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Parser;
use identitymesh_simulation::{Broken, Extent, live};
use indicatif::{ProgressBar, ProgressStyle};

#[derive(Parser)]
#[command(
    name = "simulate",
    about = "Whole lives of a mesh, each from a seed, with every law checked after every step"
)]
struct Arguments {
    /// How many lives
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The seed of the first; the others follow
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// plain: nobody decides and no source lies; decided: both, but nobody re-evaluates joins; full: everything. What
    /// a seed means stays the same in each
    #[arg(long, default_value_t, value_parser = extent)]
    extent: Extent,
    /// Show what happened in each life
    #[arg(long)]
    trace: bool,
    /// Leave out of a life that broke a law what does not matter for it
    #[arg(long)]
    shorten: bool,
    /// Write the store of a life that broke a law to this file
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Lives at the same time [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_024))]
    jobs: Option<u64>,
}

fn extent(word: &str) -> Result<Extent, String> {
    let words = Extent::ALL.map(|extent| extent.to_string());
    let found = Extent::ALL.into_iter().find(|extent| extent.to_string() == word);
    found.ok_or_else(|| format!("is one of {}", words.join(", ")))
}

#[derive(Default)]
struct Tally {
    next: AtomicU64,
    lived: AtomicU64,
    steps: AtomicUsize,
    deaths: AtomicUsize,
    disturbances: AtomicUsize,
    broken: Mutex<Option<Box<Broken>>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} lives, {per_sec}, {eta} left");
    let bar = ProgressBar::new(arguments.seeds).with_style(style.expect("a constant template"));
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.unwrap_or(processors) {
            scope.spawn(|| play(&arguments, &tally, &bar));
        }
    });
    bar.finish_and_clear();
    let broken = tally.broken.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    eprintln!(
        "{} lives, {} steps, {} deaths in the middle of something, {} other disturbances",
        tally.lived.into_inner(),
        tally.steps.into_inner(),
        tally.deaths.into_inner(),
        tally.disturbances.into_inner(),
    );
    match broken {
        None => ExitCode::SUCCESS,
        Some(broken) => {
            tell(&broken, &arguments);
            ExitCode::FAILURE
        }
    }
}

fn tell(broken: &Broken, arguments: &Arguments) {
    eprintln!("{broken}");
    let shorter = arguments.shorten.then(|| broken.shorten());
    if let Some(shorter) = &shorter {
        eprintln!("what mattered of it:\n{shorter}");
    }
    if let Some(file) = &arguments.keep {
        match std::fs::write(file, &shorter.as_ref().unwrap_or(broken).store) {
            Ok(()) => eprintln!("its store: {}", file.display()),
            Err(error) => eprintln!("its store cannot be written to {}: {error}", file.display()),
        }
    }
}

fn play(arguments: &Arguments, tally: &Tally, bar: &ProgressBar) {
    loop {
        let number = tally.next.fetch_add(1, Ordering::Relaxed);
        let mut broken = tally.broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if number >= arguments.seeds || broken.is_some() {
            return;
        }
        drop(broken);
        let seed = arguments.first.wrapping_add(number);
        match live(seed, arguments.extent) {
            Ok(life) => {
                tally.lived.fetch_add(1, Ordering::Relaxed);
                tally.steps.fetch_add(life.trace.len(), Ordering::Relaxed);
                tally.deaths.fetch_add(life.deaths, Ordering::Relaxed);
                tally.disturbances.fetch_add(life.disturbances, Ordering::Relaxed);
                if arguments.trace {
                    bar.suspend(|| eprintln!("seed {seed}\n  {}", life.trace.join("\n  ")));
                }
            }
            Err(error) => {
                broken = tally.broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                broken.get_or_insert(error);
            }
        }
        bar.inc(1);
    }
}
