//! One life: steps drawn from a seed, the laws after each, and at the end rest and the oracle.

use std::fmt;

use identitymesh_model::{Clock as _, RunId};
use identitymesh_runner::{ImportKind, cycle};
use identitymesh_store::{Cause, HoldDecision, HoldFilter, HoldState, ItemFilter, ItemState, StoreError};
use identitymesh_testkit::failing::Failure;

use crate::die::Die;
use crate::outside::Outside;
use crate::process::{Ground, Process, configure};
use crate::shorten::shortest;
use crate::step::{Disturbance, Failed, Step};
use crate::systems::Which;
use crate::{laws, oracle};

/// Fewest and most steps of a life.
const STEPS: (u64, u64) = (15, 45);
/// Long enough for every lease and every wait to end.
const LATER_SECONDS: i64 = 2 * 3_600;
/// Long enough for every time of grace and every leave step to end.
const MUCH_LATER_SECONDS: i64 = 30 * 86_400;
/// Cycles until a mesh that nobody disturbs any more has to be at rest.
const CYCLES_MAX: usize = 16;
const ROWS_MAX: usize = 10_000;

/// A life that kept every law.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// What happened, in order, and what came of it.
    pub trace: Vec<String>,
    /// How often a process died in the middle of something.
    pub deaths: usize,
    /// How often work was disturbed in another way.
    pub disturbances: usize,
    script: Script,
}

/// A life in which a law was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Of which seed.
    pub seed: u64,
    /// Which law, and how.
    pub law: String,
    /// What happened until then.
    pub trace: Vec<String>,
    /// The store as it was then, byte for byte; empty where none could be read.
    pub store: Vec<u8>,
    script: Script,
}

/// The steps of a life, each with the state of the die after it was drawn.
type Script = Vec<(Step, Die)>;

impl Broken {
    /// A shorter life that breaks the same law, made by leaving out steps and disturbances for as long as the law still
    /// breaks. It has no seed of its own: it is the life of this seed without what did not matter.
    #[must_use]
    pub fn shorten(&self) -> Self {
        let mut best = self.clone();
        shortest(self.script.clone(), |script| self.still_breaks(script, &mut best));
        for at in 0..best.script.len() {
            let mut script = best.script.clone();
            if let Some((Step::Work(_, disturbance @ Some(_)), _)) = script.get_mut(at) {
                *disturbance = None;
                self.still_breaks(&script, &mut best);
            }
        }
        best
    }

    /// Whether the same law breaks in this life, which then is the best one so far.
    fn still_breaks(&self, script: &[(Step, Die)], best: &mut Self) -> bool {
        let law = |text: &str| text.split(':').next().map(str::to_owned);
        match play(self.seed, Some(script.to_vec())) {
            Err(broken) if law(&broken.law) == law(&self.law) => {
                *best = *broken;
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.law)?;
        for (line, number) in self.trace.iter().zip(1..) {
            writeln!(f, "{number:4}  {line}")?;
        }
        write!(f, "the same again: cargo xtask simulate --first {} --seeds 1", self.seed)
    }
}

impl std::error::Error for Broken {}

/// Plays the life of `seed`.
///
/// # Errors
/// The first law that was broken, with everything that happened before.
pub fn live(seed: u64) -> Result<Life, Box<Broken>> {
    play(seed, None)
}

/// Plays what `script` says, or where there is none what `seed` says.
fn play(seed: u64, script: Option<Script>) -> Result<Life, Box<Broken>> {
    let mut played = Life::default();
    let cannot = |error: &dyn fmt::Display| format!("this machine cannot play: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let outcome = match (runtime, Ground::new(seed)) {
        (Ok(runtime), Ok(ground)) => {
            let mut playing = Playing::new(seed, ground, &mut played);
            let outcome = runtime.block_on(playing.play(script));
            outcome.map_err(|law| (law, playing.ground.store_bytes()))
        }
        (Err(error), _) => Err((cannot(&error), Vec::new())),
        (_, Err(error)) => Err((cannot(&error), Vec::new())),
    };
    match outcome {
        Ok(()) => Ok(played),
        Err((law, store)) => {
            Err(Box::new(Broken { seed, law, trace: played.trace, store, script: played.script }))
        }
    }
}

struct Playing<'l> {
    die: Die,
    ground: Ground,
    outside: Outside,
    memory: laws::Memory,
    life: &'l mut Life,
}

impl<'l> Playing<'l> {
    fn new(seed: u64, ground: Ground, life: &'l mut Life) -> Self {
        let (outside, memory) = (Outside::default(), laws::Memory::default());
        Self { die: Die::new(seed), ground, outside, memory, life }
    }

    async fn play(&mut self, script: Option<Script>) -> laws::Verdict {
        let mut process = self.ground.start()?;
        configure(&process.mesh).await.map_err(|error| format!("{error}: {error:?}"))?;
        let count = match &script {
            Some(script) => script.len(),
            None => usize::try_from(self.die.between(STEPS.0, STEPS.1)).unwrap_or(usize::MAX),
        };
        let mut told = script.into_iter().flatten();
        for _ in 0..count {
            let step = match told.next() {
                Some((step, die)) => {
                    self.die = die;
                    step
                }
                None => Step::draw(&mut self.die, &self.outside),
            };
            self.life.script.push((step.clone(), self.die.clone()));
            self.life.trace.push(step.to_string());
            let is_outside = matches!(step, Step::Outside(_) | Step::Pass(_));
            let is_disturbed = matches!(step, Step::Work(_, Some(_)));
            let is_whole = step.reads_and_writes_all();
            process = self.take(step, process).await?;
            if is_outside {
                // Nobody was at work: the store is as it was after the step before.
                self.check_systems(false)?;
            } else {
                self.check(&process, is_disturbed)?;
            }
            if is_whole {
                self.outside.are_known();
            }
        }
        self.note("nothing disturbs any more");
        self.rest(&process).await?;
        self.note("thirty days pass");
        self.ground.pass_seconds(MUCH_LATER_SECONDS);
        self.rest(&process).await?;
        let mut reader = process.store.read().map_err(|error| error.to_string())?;
        laws::check_whole_audit(reader.as_mut())?;
        oracle::check(&self.outside, &self.ground.systems)
    }

    async fn take(&mut self, step: Step, process: Process) -> Result<Process, String> {
        match step {
            Step::Outside(event) => self.outside.happen(event, &self.ground.systems, &mut self.die),
            Step::Pass(seconds) => self.ground.pass_seconds(seconds),
            Step::Approve { in_part } => self.approve(&process, in_part)?,
            Step::Die => return self.restart(process),
            Step::Work(work, disturbance) => {
                self.disturb(disturbance.as_ref(), &process);
                let outcome = work.carry_out(&process.mesh).await;
                self.ground.systems.calm();
                if let Err(Failed(why)) = &outcome {
                    self.note(&format!("  {why}"));
                }
                if process.control.is_dead() {
                    self.life.deaths += 1;
                    return self.restart(process);
                }
                process.control.fail(u64::MAX, Failure::Once);
                if let (Err(Failed(why)), None) = (outcome, disturbance) {
                    return Err(format!("what nobody disturbs does not fail: {why}"));
                }
            }
        }
        Ok(process)
    }

    fn restart(&mut self, process: Process) -> Result<Process, String> {
        // With the last handle the store closes and its lock is released.
        drop(process);
        self.ground.start()
    }

    fn disturb(&mut self, disturbance: Option<&Disturbance>, process: &Process) {
        match disturbance {
            None => return,
            Some(Disturbance::Store(nth, failure)) => process.control.fail(*nth, *failure),
            Some(Disturbance::System(which, fault)) => {
                let system = self.ground.systems.get(*which);
                system.clear_faults();
                system.inject(fault.clone());
            }
        }
        self.life.disturbances += 1;
    }

    fn check(&mut self, process: &Process, is_disturbed: bool) -> laws::Verdict {
        let mut reader = process.store.read().map_err(|error| error.to_string())?;
        laws::check_store(reader.as_mut(), &mut self.memory)?;
        drop(reader);
        self.check_systems(is_disturbed)
    }

    fn check_systems(&mut self, is_disturbed: bool) -> laws::Verdict {
        let (directory, desk) = (self.ground.systems.directory.objects(), self.ground.systems.desk.objects());
        laws::check_systems(&directory, &self.outside, &mut self.memory)?;
        self.outside.look(&directory, &desk, is_disturbed);
        // Whoever was seen with an account again can be watched again.
        for (who, person) in &mut self.outside.people {
            if person.is_removed && crate::outside::account(&self.ground.systems, *who).is_some() {
                person.is_removed = false;
            }
        }
        Ok(())
    }

    fn note(&mut self, text: &str) {
        self.life.trace.push(text.to_owned());
    }

    /// Goes on without disturbance until two cycles in a row wrote nothing and nothing waits.
    async fn rest(&mut self, process: &Process) -> laws::Verdict {
        let all: Vec<_> = Which::ALL.into_iter().map(Which::name).collect();
        let mut quiet = 0;
        for _ in 0..CYCLES_MAX {
            self.ground.pass_seconds(LATER_SECONDS);
            self.approve(process, false)?;
            self.wake_dead(process).map_err(|error| error.to_string())?;
            let before = self.ground.systems.written();
            let report = cycle(&process.mesh, &all, ImportKind::Full).await;
            let report = report.map_err(|error| format!("a cycle at rest: {}", Failed::from(error).0))?;
            if let Some((target, why)) = report.failed.first() {
                return Err(format!("what nobody disturbs does not fail: {target}: {why}"));
            }
            self.check(process, false)?;
            let waits = !self.queue(process).map_err(|error| error.to_string())?.is_empty();
            let is_quiet = before == self.ground.systems.written() && !waits;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet == 2 {
                return Ok(());
            }
        }
        let left = self.queue(process).map_err(|error| error.to_string())?;
        Err(format!(
            "a mesh that nobody disturbs comes to rest; after {CYCLES_MAX} cycles there is {left:#?}"
        ))
    }

    fn queue(&self, process: &Process) -> Result<Vec<identitymesh_store::ItemRow>, StoreError> {
        Ok(process.store.read()?.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items)
    }

    /// Items that were given up are to be tried again, as an operator says after mending the cause.
    fn wake_dead(&self, process: &Process) -> Result<(), StoreError> {
        let dead = ItemFilter { state: Some(ItemState::Dead), ..ItemFilter::default() };
        let dead = process.store.read()?.item_list(&dead, None, ROWS_MAX)?.items;
        if dead.is_empty() {
            return Ok(());
        }
        let cause = self.cause(process)?;
        process.store.retry_items(cause, None, dead.into_iter().map(|item| item.id).collect()).wait()?;
        Ok(())
    }

    fn approve(&mut self, process: &Process, in_part: bool) -> laws::Verdict {
        self.try_approve(process, in_part).map_err(|error| error.to_string())
    }

    fn try_approve(&mut self, process: &Process, in_part: bool) -> Result<(), StoreError> {
        let mut reader = process.store.read()?;
        let holds = reader.hold_list(&HoldFilter { connector: None, open: true }, None, ROWS_MAX)?;
        let mut wanted = Vec::new();
        for hold in holds {
            let open = reader.hold_items(hold.id, None, ROWS_MAX)?.into_iter();
            let open: Vec<i64> =
                open.filter(|item| item.state == HoldState::Open).map(|item| item.subject).collect();
            let count = if in_part { open.len() / 2 } else { open.len() };
            if count > 0 {
                wanted.push((hold.id, open.into_iter().take(count).collect()));
            }
        }
        drop(reader);
        for (hold, subjects) in wanted {
            let (cause, reason) = (self.cause(process)?, "they did leave".to_owned());
            let decision = HoldDecision { cause, hold, approve: true, subjects, reason };
            let decided = process.store.decide(decision).wait()?;
            self.note(&format!("  hold {hold}: {decided:?}"));
        }
        Ok(())
    }

    fn cause(&self, process: &Process) -> Result<Cause, StoreError> {
        let run = process.store.read()?.run_list(None, 1)?.pop();
        let run = run.map_or(RunId(0), |run| run.id);
        Ok(Cause { run, actor: "operator".to_owned(), at: self.ground.clock.now() })
    }
}
