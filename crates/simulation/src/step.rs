//! What can happen next in a life, drawn from its seed.

use std::fmt;

use identitymesh_connector::Class;
use identitymesh_connector_fake::Fault;
use identitymesh_runner::{ImportKind, Mesh, RunError, SyncScope, cycle, export, import, sync};
use identitymesh_store::StoreError;
use identitymesh_testkit::failing::Failure;

use crate::acts::Act;
use crate::die::Die;
use crate::extent::Extent;
use crate::outside::{Event, Outside};
use crate::systems::Which;

/// Store calls among which one fails; a cycle over a small company makes about as many.
const STORE_CALLS: u64 = 120;

/// What HR says in a full import that goes well.
const LIES: [&Fault; 3] = [&Fault::ZeroRows, &Fault::HalfRows, &Fault::ShuffledKeys];

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Outside(Event),
    /// Time goes on, or a little back.
    Pass(i64),
    /// The product works, perhaps disturbed.
    Work(Work, Option<Disturbance>),
    /// A person decides, perhaps while the store fails.
    Act(Act, Option<Disturbance>),
    /// The process is killed between two pieces of work, and another one started.
    Die,
}

#[derive(Clone, Debug)]
pub(crate) enum Work {
    Cycle(Vec<Which>, ImportKind),
    Import(Which, ImportKind),
    Sync(Which),
    SyncAll,
    Export(Which),
}

#[derive(Clone, Debug)]
pub(crate) enum Disturbance {
    Store(u64, Failure),
    System(Which, Fault),
}

impl Step {
    /// Whether the product looks at all systems and hears all answers.
    pub(crate) fn reads_and_writes_all(&self) -> bool {
        matches!(self, Self::Work(Work::Cycle(sources, ImportKind::Full), None) if sources.len() == Which::ALL.len())
    }

    pub(crate) fn draw(die: &mut Die, outside: &Outside, extent: Extent) -> Self {
        if extent != Extent::Plain && die.one_in(10) {
            let disturbance = die.one_in(4).then(|| Disturbance::of_store(die));
            return Self::Act(Act::draw(die, extent), disturbance);
        }
        if extent != Extent::Plain && die.one_in(25) {
            return Self::Outside(Event::HireTogether);
        }
        match die.below(20) {
            0..=7 => Self::Outside(outside.draw(die)),
            8..=10 => Self::Pass(seconds(die)),
            11 => Self::Die,
            12 => Self::Act(Act::Approve { in_part: die.one_in(3) }, None),
            _ => {
                let disturbance = die.one_in(2).then(|| Disturbance::draw(die, extent));
                Self::Work(Work::draw(die), disturbance)
            }
        }
    }
}

fn seconds(die: &mut Die) -> i64 {
    match die.below(10) {
        0 => -1_800,
        1..=3 => 45,
        4..=6 => 3_600,
        7 | 8 => 2 * 86_400,
        _ => 8 * 86_400,
    }
}

impl Work {
    fn draw(die: &mut Die) -> Self {
        let kind = if die.one_in(2) { ImportKind::Full } else { ImportKind::Delta };
        match die.below(10) {
            0 => Self::Import(die.pick(&Which::ALL), kind),
            1 => Self::Sync(die.pick(&Which::ALL)),
            2 if die.one_in(2) => Self::SyncAll,
            2 | 3 => Self::Export(die.pick(&Which::TARGETS)),
            4 | 5 => Self::Cycle(Which::ALL.to_vec(), kind),
            _ => Self::Cycle(vec![Which::Hr], kind),
        }
    }

    /// Whether it reads the system.
    pub(crate) fn imports(&self, which: Which) -> bool {
        match self {
            Self::Cycle(sources, _) => sources.contains(&which),
            Self::Import(source, _) => *source == which,
            Self::Sync(_) | Self::SyncAll | Self::Export(_) => false,
        }
    }

    /// Whether it reads everything that the system shows.
    pub(crate) fn imports_all(&self, which: Which) -> bool {
        let (Self::Cycle(_, kind) | Self::Import(_, kind)) = self else { return false };
        *kind == ImportKind::Full && self.imports(which)
    }

    /// Carries it out. What failed at one target of a cycle is an error here as well.
    pub(crate) async fn carry_out(&self, mesh: &Mesh) -> Result<(), Failed> {
        match self {
            Self::Cycle(sources, kind) => {
                let sources: Vec<_> = sources.iter().map(|which| which.name()).collect();
                let report = cycle(mesh, &sources, *kind).await?;
                match report.failed.first() {
                    Some((target, why)) => Err(Failed(format!("{target}: {why}"))),
                    None => Ok(()),
                }
            }
            Self::Import(which, kind) => Ok(import(mesh, which.name(), *kind).await.map(drop)?),
            Self::Sync(which) => Ok(sync(mesh, SyncScope::Pending(which.name())).await.map(drop)?),
            Self::SyncAll => Ok(sync(mesh, SyncScope::Everything).await.map(drop)?),
            Self::Export(which) => Ok(export(mesh, which.name()).await.map(drop)?),
        }
    }
}

/// Why work did not come to its end.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

impl From<RunError> for Failed {
    fn from(error: RunError) -> Self {
        Self::because(&error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::because(&error)
    }
}

impl Failed {
    fn because(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        Self(text)
    }
}

impl Disturbance {
    fn of_store(die: &mut Die) -> Self {
        let failure = die.pick(&[Failure::Once, Failure::DiesBefore, Failure::DiesAfter]);
        Self::Store(die.between(1, STORE_CALLS), failure)
    }

    fn draw(die: &mut Die, extent: Extent) -> Self {
        if die.one_in(2) {
            return Self::of_store(die);
        }
        if extent != Extent::Plain && die.one_in(5) {
            return Self::System(Which::Hr, die.pick(&LIES).clone());
        }
        let which = die.pick(&Which::ALL);
        let class = die.pick(&[Class::Transient, Class::Denied]);
        let fault = match die.below(10) {
            0..=2 => Fault::FailCall { nth: die.between(1, 8), class },
            3 => Fault::RefuseEvery(die.between(1, 5)),
            4 => Fault::TransientEvery(die.between(1, 5)),
            5 => Fault::ConflictEvery(die.between(1, 5)),
            6 => Fault::LoseAnswerOf(die.between(1, 8)),
            7 => Fault::ClosePage(1),
            8 => Fault::RepeatPage(1),
            _ if die.one_in(2) => Fault::ZeroRows,
            _ => Fault::DuplicateEvery(die.between(1, 6)),
        };
        Self::System(which, fault)
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(nth, failure) => write!(f, "store call {nth}: {failure:?}"),
            Self::System(which, fault) => write!(f, "{}: {fault:?}", which.word()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(event) => write!(f, "outside: {event}"),
            Self::Pass(seconds) => write!(f, "{seconds} seconds pass"),
            Self::Work(work, None) => write!(f, "{work:?}"),
            Self::Work(work, Some(disturbance)) => write!(f, "{work:?}, {disturbance}"),
            Self::Act(act, None) => write!(f, "a person decides: {act:?}"),
            Self::Act(act, Some(disturbance)) => write!(f, "a person decides: {act:?}, {disturbance}"),
            Self::Die => f.write_str("the process is killed"),
        }
    }
}
