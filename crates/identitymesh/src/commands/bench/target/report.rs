//! What a measured directory answers, in the form of the other cases.

use serde::Serialize;

use super::super::report::Case;
use crate::output::{table, thousands};

/// The whole answer.
#[derive(Debug, Serialize)]
pub(in super::super) struct TargetReport {
    /// What the server says that it is.
    pub(super) target: String,
    /// Entries made, changed and read.
    pub(super) objects: u64,
    /// Writes in flight.
    pub(super) window: usize,
    /// Cores that the process may use.
    pub(super) cores: usize,
    pub(super) cases: Vec<Case>,
    /// The product's peak of resident memory; absent where the system does not tell.
    pub(super) peak_rss_bytes: Option<u64>,
}

impl TargetReport {
    pub(in super::super) fn text(&self) -> String {
        let rows = self.cases.iter().map(|case| {
            vec![
                case.name.to_owned(),
                thousands(case.objects),
                format!("{:.1} ms", case.milliseconds),
                thousands(case.objects_per_s as u64),
                thousands(case.raw_per_s as u64),
                format!("{:.2}", case.ratio),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let head = ["case", "entries", "took", "entries/s", "plain/s", "ratio"];
        let memory = self
            .peak_rss_bytes
            .map_or_else(|| "not known here".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        format!(
            "{}\n\n{}; {} writes in flight; plain is a client with nothing around it, for reading ldapsearch; peak of resident \
             memory {memory}; {} cores",
            table(&head, &rows),
            self.target,
            self.window,
            self.cores
        )
    }
}
