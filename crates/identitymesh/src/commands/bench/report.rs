//! What a benchmark answers: rates, ratios, memory, size, growth.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::measured::Measured;
use crate::output::{table, thousands};

/// The whole answer.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The store that was measured.
    pub(super) store: &'static str,
    /// People in the population.
    pub(super) objects: u64,
    /// Cores that the process may use.
    pub(super) cores: usize,
    pub(super) cases: Vec<Case>,
    /// The product's peak of resident memory; absent where the system does not tell.
    pub(super) peak_rss_bytes: Option<u64>,
    /// Bytes of the store after the last stage.
    pub(super) store_bytes: u64,
    /// For each case what one object takes, compared with a population of a hundredth: 1 is linear. For a delta,
    /// whose size is the same in both, what the whole delta takes.
    pub(super) growth: BTreeMap<&'static str, f64>,
    /// The population that growth is compared with.
    pub(super) growth_from_objects: u64,
}

/// One stage.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) objects: u64,
    pub(super) milliseconds: f64,
    pub(super) objects_per_s: f64,
    /// The yardstick's rate, measured in this run.
    pub(super) raw_per_s: f64,
    /// The product's rate over the yardstick's.
    pub(super) ratio: f64,
    /// What the processor took, all threads together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_milliseconds: Option<f64>,
    /// The peak of resident memory in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_rss_bytes: Option<u64>,
    /// The SHA-256 of the store's files, which this case left as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store_sha256: Option<String>,
}

impl From<&Measured> for Case {
    fn from(measured: &Measured) -> Self {
        let rate = |spent: Duration| rounded(measured.objects as f64 / spent.as_secs_f64().max(1e-9));
        Self {
            name: measured.name,
            objects: measured.objects,
            milliseconds: milliseconds(measured.spent.time),
            objects_per_s: rate(measured.spent.time),
            raw_per_s: rate(measured.raw),
            ratio: two_places(measured.raw.as_secs_f64() / measured.spent.time.as_secs_f64().max(1e-9)),
            cpu_milliseconds: measured.spent.cpu.map(milliseconds),
            peak_rss_bytes: measured.spent.peak_rss_bytes,
            store_sha256: measured.store_sha256.clone(),
        }
    }
}

/// How much more one object takes in `large` than in `small`, by case.
pub(super) fn growth(small: &[Measured], large: &[Measured]) -> BTreeMap<&'static str, f64> {
    let each = |measured: &Measured| measured.spent.time.as_secs_f64() / measured.objects.max(1) as f64;
    let of = |case: &Measured| {
        let before = small.iter().find(|known| known.name == case.name)?;
        Some((case.name, two_places(each(case) / each(before).max(1e-12))))
    };
    large.iter().filter_map(of).collect()
}

fn rounded(rate: f64) -> f64 {
    rate.round()
}

fn milliseconds(spent: Duration) -> f64 {
    (spent.as_secs_f64() * 1e6).round() / 1e3
}

fn two_places(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl Report {
    pub(super) fn text(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .cases
            .iter()
            .map(|case| {
                vec![
                    case.name.to_owned(),
                    thousands(case.objects),
                    format!("{:.1} ms", case.milliseconds),
                    thousands(case.objects_per_s as u64),
                    thousands(case.raw_per_s as u64),
                    format!("{:.2}", case.ratio),
                    self.growth.get(case.name).map_or_else(String::new, |growth| format!("{growth:.2}")),
                ]
            })
            .collect();
        let head = ["case", "objects", "took", "objects/s", "plain driver/s", "ratio", "growth"];
        let memory = self
            .peak_rss_bytes
            .map_or_else(|| "not known here".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        format!(
            "{}\n\npeak of resident memory {memory}; store {} MiB, {} bytes for each of {} objects; growth is against {} \
             objects, 1 is linear; {} cores",
            table(&head, &rows),
            self.store_bytes >> 20,
            thousands(self.store_bytes / self.objects.max(1)),
            thousands(self.objects),
            thousands(self.growth_from_objects),
            self.cores
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(objects: u64, milliseconds: u64) -> Measured {
        let raw = Duration::from_millis(50);
        let spent = Duration::from_millis(milliseconds).into();
        Measured { name: "sync", objects, spent, raw, store_sha256: None }
    }

    #[test]
    fn rates_ratios_and_growth_are_what_their_names_say() {
        let case = Case::from(&measured(1_000, 100));
        assert_eq!((case.objects_per_s, case.raw_per_s, case.ratio), (10_000.0, 20_000.0, 0.5));
        assert_eq!(growth(&[measured(10, 1)], &[measured(1_000, 200)])["sync"], 2.0);
        assert!(growth(&[], &[measured(1, 1)]).is_empty());
    }
}
