//! Cases as they are measured: time, the processor's time, the peak of memory.

use std::time::Duration;

use super::cpu::cpu_time;
use super::memory::{peak_rss_bytes, reset_peak};
use crate::edge::Stopwatch;

/// One case as measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) name: &'static str,
    /// Objects that went through the stage.
    pub(super) objects: u64,
    /// What the product took.
    pub(super) spent: Spent,
    /// What the yardstick took for as many objects.
    pub(super) raw: Duration,
    /// The hash of the store, the same before and after, where that is part of what is measured.
    pub(super) store_sha256: Option<String>,
}

/// What work took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    /// By the clock.
    pub(super) time: Duration,
    /// By the processor, all threads together; `None` where the system does not tell or nobody looked.
    pub(super) cpu: Option<Duration>,
    /// The peak of resident memory while it lasted; likewise.
    pub(super) peak_rss_bytes: Option<u64>,
}

impl From<Duration> for Spent {
    fn from(time: Duration) -> Self {
        Self { time, cpu: None, peak_rss_bytes: None }
    }
}

impl Spent {
    /// Both, one after the other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            time: self.time + other.time,
            cpu: self.cpu.zip(other.cpu).map(|(one, other)| one + other),
            peak_rss_bytes: self.peak_rss_bytes.max(other.peak_rss_bytes),
        }
    }
}

/// Cases on their way into the answer.
pub(super) struct Measuring<'a> {
    told: &'a dyn Fn(&str),
    pub(super) measured: Vec<Measured>,
    /// The highest peak of what was timed.
    pub(super) peak_rss_bytes: Option<u64>,
}

impl<'a> Measuring<'a> {
    /// Nothing measured yet; `told` hears the name of each case before it begins.
    pub(super) fn new(told: &'a dyn Fn(&str)) -> Self {
        Self { told, measured: Vec::new(), peak_rss_bytes: None }
    }

    /// What was measured, and the highest peak.
    pub(super) fn into_measured(self) -> (Vec<Measured>, Option<u64>) {
        (self.measured, self.peak_rss_bytes)
    }

    pub(super) fn tell(&self, stage: &str) {
        (self.told)(stage);
    }

    /// Times work of the product.
    pub(super) async fn time<T, E>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<(Spent, T), E> {
        self.tell(name);
        reset_peak();
        let (cpu, watch) = (cpu_time(), Stopwatch::start());
        let done = work.await?;
        let time = watch.elapsed();
        let cpu = cpu_time().zip(cpu).map(|(after, before)| after.saturating_sub(before));
        let spent = Spent { time, cpu, peak_rss_bytes: peak_rss_bytes() };
        self.peak_rss_bytes = self.peak_rss_bytes.max(spent.peak_rss_bytes);
        Ok((spent, done))
    }

    pub(super) fn keep(&mut self, name: &'static str, objects: u64, spent: impl Into<Spent>, raw: Duration) {
        self.measured.push(Measured { name, objects, spent: spent.into(), raw, store_sha256: None });
    }
}
