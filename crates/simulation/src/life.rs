//! One life: steps drawn from a seed, the laws after each, and at the end rest and the oracle.

use std::fmt;

use identitymesh_connector_fake::Fault;
use identitymesh_model::Clock as _;
use identitymesh_store::{SpaceFilter, StoreError};
use identitymesh_testkit::failing::Failure;

use crate::acts::{Act, Person};
use crate::die::Die;
use crate::extent::Extent;
use crate::outside::Outside;
use crate::process::{Ground, Process, configure};
use crate::said::Said;
use crate::shorten::shortest;
use crate::step::{Disturbance, Failed, Step, Work};
use crate::systems::Which;
use crate::{laws, oracle};

/// Fewest and most steps of a life.
const STEPS: (u64, u64) = (15, 45);
/// Long enough for every time of grace and every leave step to end.
const MUCH_LATER_SECONDS: i64 = 30 * 86_400;
pub(crate) const ROWS_MAX: usize = 10_000;

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
    /// Drawn from how much.
    pub extent: Extent,
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
            if let Some((Step::Work(_, disturbance @ Some(_)) | Step::Act(_, disturbance @ Some(_)), _)) =
                script.get_mut(at)
            {
                *disturbance = None;
                self.still_breaks(&script, &mut best);
            }
        }
        best
    }

    /// Whether the same law breaks in this life, which then is the best one so far.
    fn still_breaks(&self, script: &[(Step, Die)], best: &mut Self) -> bool {
        let law = |text: &str| text.split(':').next().map(str::to_owned);
        match play(self.seed, self.extent, Some(script.to_vec())) {
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
        let extent = match self.extent {
            Extent::Full => String::new(),
            other => format!(" --extent {other}"),
        };
        write!(f, "the same again: cargo xtask simulate --first {} --seeds 1{extent}", self.seed)
    }
}

impl std::error::Error for Broken {}

/// Plays the life of `seed`.
///
/// # Errors
/// The first law that was broken, with everything that happened before.
pub fn live(seed: u64, extent: Extent) -> Result<Life, Box<Broken>> {
    play(seed, extent, None)
}

/// Plays what `script` says, or where there is none what `seed` says.
fn play(seed: u64, extent: Extent, script: Option<Script>) -> Result<Life, Box<Broken>> {
    let mut played = Life::default();
    let cannot = |error: &dyn fmt::Display| format!("this machine cannot play: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let outcome = match (runtime, Ground::new(seed, extent)) {
        (Ok(runtime), Ok(ground)) => {
            let mut playing = Playing::new(seed, extent, ground, &mut played);
            let outcome = runtime.block_on(playing.play(script));
            outcome.map_err(|law| (law, playing.ground.store_bytes()))
        }
        (Err(error), _) => Err((cannot(&error), Vec::new())),
        (_, Err(error)) => Err((cannot(&error), Vec::new())),
    };
    match outcome {
        Ok(()) => Ok(played),
        Err((law, store)) => {
            Err(Box::new(Broken { seed, extent, law, trace: played.trace, store, script: played.script }))
        }
    }
}

/// A life while it is played.
pub(crate) struct Playing<'l> {
    pub(crate) extent: Extent,
    pub(crate) die: Die,
    pub(crate) ground: Ground,
    pub(crate) outside: Outside,
    pub(crate) said: Said,
    pub(crate) memory: laws::Memory,
    /// Hashes of plans that were kept.
    plans: Vec<String>,
    life: &'l mut Life,
}

impl<'l> Playing<'l> {
    fn new(seed: u64, extent: Extent, ground: Ground, life: &'l mut Life) -> Self {
        let (outside, said, memory) = (Outside::default(), Said::default(), laws::Memory::default());
        Self { extent, die: Die::new(seed), ground, outside, said, memory, plans: Vec::new(), life }
    }

    async fn play(&mut self, script: Option<Script>) -> laws::Verdict {
        let mut process = self.ground.start()?;
        let connectors = configure(&process.mesh, self.ground.loss).await;
        self.ground.connectors = connectors.map_err(|error| format!("{error}: {error:?}"))?;
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
                None => Step::draw(&mut self.die, &self.outside, self.extent),
            };
            self.life.script.push((step.clone(), self.die.clone()));
            self.life.trace.push(step.to_string());
            process = self.take(&step, process).await?;
            self.check(&process, &step)?;
            if step.reads_and_writes_all() {
                self.outside.are_known();
            }
        }
        self.note("nothing disturbs any more");
        self.rest(&process).await?;
        self.note("thirty days pass");
        self.ground.pass_seconds(MUCH_LATER_SECONDS);
        self.rest(&process).await?;
        let mut reader = process.store.read().map_err(laws::unreadable)?;
        laws::check_whole_audit(reader.as_mut())?;
        self.memory.check_all_past(reader.as_mut())?;
        oracle::check(&self.outside, &self.said, &self.ground.systems)
    }

    async fn take(&mut self, step: &Step, process: Process) -> Result<Process, String> {
        let (outcome, disturbance) = match step {
            Step::Outside(event) => {
                self.outside.happen(*event, &self.ground.systems, &mut self.die);
                return Ok(process);
            }
            Step::Pass(seconds) => {
                self.ground.pass_seconds(*seconds);
                return Ok(process);
            }
            Step::Die => return self.restart(process),
            Step::Act(act, disturbance) => {
                self.disturb(disturbance.as_ref(), &process);
                (self.decide(*act, &process).await, disturbance)
            }
            Step::Work(work, disturbance) => {
                self.disturb(disturbance.as_ref(), &process);
                self.is_told(work, disturbance.as_ref(), &process).map_err(laws::unreadable)?;
                (work.carry_out(&process.mesh).await, disturbance)
            }
        };
        self.ground.systems.calm();
        if let Err(Failed(why)) = &outcome {
            self.note(&format!("  {why}"));
        }
        if process.control.is_dead() {
            self.life.deaths += 1;
            return self.restart(process);
        }
        process.control.fail(u64::MAX, Failure::Once);
        match (outcome, disturbance) {
            (Err(Failed(why)), None) => Err(format!("what nobody disturbs does not fail: {why}")),
            _ => Ok(process),
        }
    }

    /// A person decides.
    pub(crate) async fn decide(&mut self, act: Act, process: &Process) -> Result<(), Failed> {
        let Self { extent, ground, outside, said, plans, die, memory, .. } = self;
        let guard = &mut memory.guard;
        let mut person = Person { process, ground, outside, said, guard, plans, die, extent: *extent };
        for told in person.decide(act).await? {
            self.note(&format!("  {told}"));
        }
        Ok(())
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

    /// Takes down what HR is about to say that is not so.
    fn is_told(
        &mut self,
        work: &Work,
        disturbance: Option<&Disturbance>,
        process: &Process,
    ) -> Result<(), StoreError> {
        let Some(Disturbance::System(Which::Hr, fault)) = disturbance else { return Ok(()) };
        // A delta with no point to start from reads everything too.
        let hr = self.ground.connectors.iter().find_map(|(id, which)| (*which == Which::Hr).then_some(*id));
        let begins = match hr {
            Some(hr) => process.store.read()?.watermark(hr)?.is_none(),
            None => true,
        };
        if !(work.imports_all(Which::Hr) || (begins && work.imports(Which::Hr))) {
            return Ok(());
        }
        let rows = self.ground.systems.hr.objects();
        match fault {
            Fault::HalfRows => {
                let spaces = process.store.read()?.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items;
                let known = spaces
                    .into_iter()
                    .filter(|space| !space.deleted && self.ground.which(space.connector) == Some(Which::Hr));
                let known: Vec<_> = known.map(|space| (space.object_type, space.external_id)).collect();
                self.said.half_is_shown(&rows, &known, &mut self.outside);
            }
            Fault::ShuffledKeys => Said::rows_are_shuffled(&rows, &mut self.outside),
            _ => {}
        }
        Ok(())
    }

    /// Checks every law after a step.
    pub(crate) fn check(&mut self, process: &Process, step: &Step) -> laws::Verdict {
        let Self { ground, outside, said, memory, .. } = self;
        let scene = laws::Scene {
            systems: &ground.systems,
            outside,
            said,
            connectors: &ground.connectors,
            loss: ground.loss,
            now: ground.clock.now(),
            step,
        };
        if matches!(step, Step::Outside(_) | Step::Pass(_)) {
            // Nobody was at work: the store is as it was after the step before.
            memory.check_outside(&scene)?;
        } else {
            let mut reader = process.store.read().map_err(laws::unreadable)?;
            memory.check(reader.as_mut(), &scene)?;
        }
        let is_disturbed = matches!(step, Step::Work(_, Some(_)));
        self.outside.look(&self.ground.systems, is_disturbed);
        Ok(())
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.life.trace.push(text.to_owned());
    }
}
