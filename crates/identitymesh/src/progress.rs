//! Progress bars: how far, how fast, how long still.

use std::sync::{Mutex, PoisonError};

use identitymesh_model::{Name, RunId};
use identitymesh_runner::{Observer, Stage};
use identitymesh_store::Counters;
use indicatif::{ProgressBar, ProgressStyle};

/// Shows one bar at a time on the error stream.
#[derive(Default)]
pub(crate) struct Bars(Mutex<Option<ProgressBar>>);

impl Bars {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for Bars {
    fn began(&self, _run: RunId, stage: Stage, connector: Option<Name>) {
        let what = match stage {
            Stage::Import => "reading",
            Stage::Sync => "planning",
            Stage::Export => "writing",
        };
        let bar = ProgressBar::new_spinner();
        bar.set_style(style(false));
        bar.set_prefix(format!("{what} {}", connector.map_or("the mesh", Name::as_str)));
        self.with(|slot| *slot = Some(bar));
    }

    fn progressed(&self, _stage: Stage, done: u64, total: Option<u64>) {
        self.with(|slot| {
            let Some(bar) = slot else { return };
            if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                bar.set_length(total);
                bar.set_style(style(true));
            }
            bar.set_position(done);
        });
    }

    fn ended(&self, _run: RunId, _stage: Stage, _counters: &Counters) {
        self.with(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }
}

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total {
        "{prefix:<24} {bar:30} {human_pos}/{human_len} {per_sec} {eta} left"
    } else {
        "{prefix:<24} {spinner} {human_pos} {per_sec}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
