//! What people decide in the life of a mesh: on what is held, about joins, to undo something, to keep a plan and to carry
//! it out later.
//!
//! People look before they decide, at the systems themselves: they approve what is true outside. What they decide against
//! the rules is taken down in [`Said`] before it is tried, as a process that dies may have done it.

mod holds;
mod joins;
mod plans;
mod undo;

use identitymesh_model::Clock as _;
use identitymesh_model::RunId;
use identitymesh_runner::RunError;
use identitymesh_store::{Cause, Reader, StoreError};

use crate::die::Die;
use crate::extent::Extent;
use crate::laws::guard::Guard;
use crate::outside::Outside;
use crate::process::{Ground, Process};
use crate::said::Said;
use crate::step::Failed;

pub(crate) use joins::Join;

/// More rows than a life can make.
const ROWS_MAX: usize = 10_000;

/// A decision; what it is about is chosen among what there is then.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// All that is held, or the first half of it.
    Approve {
        in_part: bool,
    },
    /// What is held by mistake, or the first half of what is not.
    Reject {
        mistakes: bool,
    },
    /// What an export run sent.
    UndoRun,
    /// What was sent for somebody since some moment.
    UndoObject,
    /// A single change.
    UndoChange,
    Join(Join),
    /// The rules look again at the links that they made.
    Reevaluate,
    /// A preview is kept as a plan.
    KeepPlan,
    /// The plan that was kept last is carried out, whatever has moved since.
    CarryOutPlan,
}

impl Act {
    pub(crate) fn draw(die: &mut Die, extent: Extent) -> Self {
        match die.below(if extent == Extent::Full { 22 } else { 20 }) {
            0..=3 => Self::Reject { mistakes: !die.one_in(3) },
            4 | 5 => Self::UndoRun,
            6 => Self::UndoObject,
            7 => Self::UndoChange,
            8..=12 => Self::Join(Join::draw(die)),
            13..=16 => Self::KeepPlan,
            17..=19 => Self::CarryOutPlan,
            _ => Self::Reevaluate,
        }
    }
}

/// Somebody who decides.
pub(crate) struct Person<'a> {
    pub(crate) process: &'a Process,
    pub(crate) ground: &'a Ground,
    pub(crate) outside: &'a mut Outside,
    pub(crate) said: &'a mut Said,
    pub(crate) guard: &'a mut Guard,
    pub(crate) plans: &'a mut Vec<String>,
    pub(crate) die: &'a mut Die,
    pub(crate) extent: Extent,
}

/// What came of a decision: what to note, or why it was not carried out.
type Outcome = Result<Vec<String>, Failed>;

impl Person<'_> {
    /// Decides. What the product refuses with a reason is an answer and no failure.
    pub(crate) async fn decide(&mut self, act: Act) -> Outcome {
        match act {
            Act::Approve { in_part } => self.approve(in_part),
            Act::Reject { mistakes } => self.reject(mistakes),
            Act::UndoRun => self.undo_run(),
            Act::UndoObject => self.undo_object(),
            Act::UndoChange => self.undo_change(),
            Act::Join(join) => self.join(join).await,
            Act::Reevaluate => self.reevaluate().await,
            Act::KeepPlan => self.keep_plan().await,
            Act::CarryOutPlan => self.carry_out_plan().await,
        }
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, StoreError> {
        self.process.store.read()
    }

    fn cause(&self) -> Cause {
        Cause { run: RunId(0), actor: "operator".to_owned(), at: self.ground.clock.now() }
    }

    /// Takes down that the rules alone do not say any more what becomes of these.
    fn decides_about<'t>(&mut self, anchors: impl IntoIterator<Item = &'t str>) {
        for anchor in anchors {
            self.said.decide_about(anchor, self.outside);
        }
    }
}

/// What was refused with a reason is an answer.
fn answered<T>(answer: Result<T, RunError>, tell: impl FnOnce(T) -> String) -> Outcome {
    match answer {
        Ok(answer) => Ok(vec![tell(answer)]),
        Err(refused @ (RunError::Undo { .. } | RunError::Refused(_) | RunError::NotLookedAt { .. })) => {
            Ok(vec![refused.to_string()])
        }
        Err(error) => Err(error.into()),
    }
}

/// Whoever finds more than this looks again before deciding.
const CHANGES_MAX: usize = 4;

/// One of `things`, if there is any.
fn one_of<T>(die: &mut Die, mut things: Vec<T>) -> Option<T> {
    (!things.is_empty()).then(|| things.swap_remove(die.below(things.len())))
}
