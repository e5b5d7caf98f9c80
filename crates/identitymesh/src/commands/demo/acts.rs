//! The three acts.

use identitymesh_model::{Name, RunId};
use identitymesh_runner::{ImportKind, Mesh, cycle};
use identitymesh_sample::{Company, DayStory, Options};

use super::files::Places;
use super::memory::Memory;
use super::summary::Summary;

/// The acts in their order.
pub(super) const ACTS: [Act; 3] = [Act::First, Act::Day, Act::Again];

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Everybody arrives.
    First,
    /// A day of changes.
    Day,
    /// Nothing changes, and nothing is sent.
    Again,
}

impl Act {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Day => "day",
            Self::Again => "again",
        }
    }
}

/// The company on both days.
pub(super) struct Days {
    pub(super) before: Company,
    pub(super) after: Company,
    pub(super) story: DayStory,
}

impl Days {
    pub(super) fn of(people: u32, seed: u64) -> anyhow::Result<Self> {
        let options = Options { people: people as usize, seed, ..Options::default() };
        let before = Company::generate(&options)?;
        let (after, story) = before.after_a_day(seed.wrapping_add(1));
        Ok(Self { before, after, story })
    }

    pub(super) const fn company(&self, act: Act) -> &Company {
        match act {
            Act::First => &self.before,
            Act::Day | Act::Again => &self.after,
        }
    }
}

/// Plays an act, or what is left of it, and remembers that.
pub(super) async fn play(
    act: Act,
    mesh: &Mesh,
    places: &Places,
    days: &Days,
    memory: &mut Memory,
) -> anyhow::Result<Summary> {
    let store = mesh.store.as_ref();
    let since = match memory.began.get(act.name()) {
        Some(since) => RunId(*since),
        None => {
            let last = store.read()?.run_list(None, 1)?.first().map_or(0, |run| run.id.0);
            memory.began.insert(act.name().to_owned(), last);
            memory.write(store)?;
            RunId(last)
        }
    };
    let company = days.company(act);
    places.write_sources(company)?;
    let sources = ["hr", "phonebook"].map(Name::literal);
    let report = cycle(mesh, &sources, ImportKind::Delta).await?;
    if let Some((target, reason)) = report.failed.first() {
        anyhow::bail!("{target} could not be written to: {reason}");
    }
    let people = company.hr_rows().count() as u64;
    let summary = Summary::of(store, mesh.in_force()?.as_ref(), since, people)?;
    memory.done.insert(act.name().to_owned(), summary.clone());
    memory.write(store)?;
    Ok(summary)
}
