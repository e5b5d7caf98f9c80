//! What people decide, while every single call of the store fails once: a stored plan is carried out, a hold is approved
//! in part and the rest rejected, a change is undone, two mesh objects are merged and the merge is taken back. Whoever
//! decided looks whether it was done and asks again where it was not. In the end everything is as without a failure, and
//! the audit has each decision once.

use std::collections::BTreeMap;

use identitymesh_model::rules::{Limit, Limits};
use identitymesh_model::{Clock as _, DecisionId, HoldId, MeshId, RunId, Timestamp};
use identitymesh_runner::{
    ImportKind, JoinAsk, PlanDirectory, PlanHead, UndoScope, apply_plan, decide_join, import, undo,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{Cause, HoldDecision, HoldFilter, HoldRow, MeshFilter};
use identitymesh_testkit::failing::{Control, Failure};

use crate::anomaly::{End, LATER_SECONDS, audit_is_whole, end};
use crate::guard::limited;
use crate::place::{Place, Target, id, name, over_failing};
use crate::plans::keep;

const PEOPLE: usize = 16;
/// More than go without being held, however small a company is.
const LEAVERS: usize = 11;
const RENAMED: usize = 12;
const PLANNED: usize = 13;
const MERGED: [usize; 2] = [14, 15];
/// How often somebody asks, or starts, before the test gives up.
const TRIES_MAX: usize = 8;

/// In the order in which they are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    CarryOutPlan,
    ApproveOne,
    RejectRest,
    UndoRename,
    Merge,
    TakeMergeBack,
}

const ACTS: [Act; 6] =
    [Act::CarryOutPlan, Act::ApproveOne, Act::RejectRest, Act::UndoRename, Act::Merge, Act::TakeMergeBack];

/// What there is to decide about.
struct Matter {
    place: Place,
    plans: PlanDirectory,
    plan: PlanHead,
    /// Before the rename that is undone.
    before: Timestamp,
    _folder: tempfile::TempDir,
}

/// Leavers over their limit, somebody renamed by mistake, and a plan that is kept.
async fn matter() -> Matter {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    let before = place.clock.now();
    place.pass_seconds(60);
    limited(&place, Limits { disable: Some(Limit { count: Some(1), percent: None }), ..Limits::default() })
        .await;
    for number in 0..LEAVERS {
        assert!(place.hr.set(name("person"), &id(number), name("active"), Some(false.into())));
    }
    rename(&place, RENAMED, "Wrong");
    place.good_cycle().await;
    rename(&place, PLANNED, "Planned");
    place.import(ImportKind::Full).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plans = PlanDirectory::below(folder.path());
    let plan = keep(&place, &plans).await;
    Matter { place, plans, plan, before, _folder: folder }
}

fn rename(place: &Place, number: usize, word: &str) {
    assert!(place.hr.set(name("person"), &id(number), name("sn"), Some(word.into())));
}

type Asked<T> = Result<T, Box<dyn std::error::Error>>;

impl Matter {
    fn hold(&self) -> Asked<HoldRow> {
        let mut holds = self.place.mesh.store.read()?.hold_list(&HoldFilter::default(), None, 2)?;
        assert_eq!(holds.len(), 1);
        Ok(holds.remove(0))
    }

    fn found(&self, number: usize) -> Asked<MeshId> {
        let found = self.place.mesh.store.read()?.mesh_find(&id(number), 2)?;
        found.first().copied().ok_or_else(|| format!("nobody is {number}").into())
    }

    /// Rows of the audit of one kind.
    fn rows(&self, kind: ChangeKind) -> Asked<usize> {
        let changes = self.place.mesh.store.read()?.changes(0, 10_000)?;
        Ok(changes.iter().filter(|change| change.kind == kind).count())
    }

    /// Whether there is anything left to decide, as somebody would look it up.
    fn is_done(&self, act: Act) -> Asked<bool> {
        Ok(match act {
            Act::CarryOutPlan => {
                let people = self.place.mesh.store.read()?.mesh_list(&MeshFilter::default(), None, 100)?;
                people.items.iter().any(|person| person.doc.contains("Planned"))
            }
            Act::ApproveOne => self.rows(ChangeKind::Approve)? > 0,
            Act::RejectRest => self.rows(ChangeKind::Reject)? > 0,
            Act::UndoRename => self.rows(ChangeKind::Undo)? > 0,
            Act::Merge => !self.decisions()?.is_empty(),
            Act::TakeMergeBack => self.decisions()?.len() > 1,
        })
    }

    fn decisions(&self) -> Asked<Vec<DecisionId>> {
        let rows = self.place.mesh.store.read()?.decision_list(None, 10)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn ask(&self, act: Act) -> Asked<()> {
        let mesh = &self.place.mesh;
        match act {
            Act::CarryOutPlan => {
                drop(apply_plan(mesh, self.plans.open(&self.plan.hash)?, "as planned").await?)
            }
            Act::ApproveOne => self.decide(true, vec![self.found(0)?.0])?,
            Act::RejectRest => self.decide(false, Vec::new())?,
            Act::UndoRename => {
                let scope = UndoScope::Object { mesh: self.found(RENAMED)?, to: self.before };
                drop(undo(mesh, &scope, None, "it was a mistake")?);
            }
            Act::Merge => {
                let ask = JoinAsk::Merge(self.found(MERGED[0])?, self.found(MERGED[1])?);
                drop(decide_join(mesh, ask, "one person".to_owned()).await?);
            }
            Act::TakeMergeBack => {
                let merged = self.decisions()?.into_iter().min_by_key(|decision| decision.0);
                let ask = JoinAsk::Revert(merged.ok_or("nobody was merged")?);
                drop(decide_join(mesh, ask, "two persons".to_owned()).await?);
            }
        }
        Ok(())
    }

    fn decide(&self, approve: bool, subjects: Vec<i64>) -> Asked<()> {
        let hold: HoldId = self.hold()?.id;
        let cause = Cause { run: RunId(0), actor: "ada".to_owned(), at: self.place.mesh.clock.now() };
        let reason = "the reorganisation of March".to_owned();
        let _ =
            self.place.mesh.store.decide(HoldDecision { cause, hold, approve, subjects, reason }).wait()?;
        Ok(())
    }

    /// A process that died is started again.
    fn again(mut self, failing: &Control) -> Self {
        if failing.is_dead() && self.place.is_over_failing {
            self.place = self.place.reopen();
        }
        self
    }

    /// Everything is decided, each with the cycles that follow from it.
    async fn live(mut self, failing: &Control) -> Self {
        for act in ACTS {
            let mut is_done = false;
            for _ in 0..TRIES_MAX {
                match self.is_done(act) {
                    Ok(true) => {
                        is_done = true;
                        break;
                    }
                    Ok(false) => self.ask(act).await.unwrap_or_else(|error| eprintln!("{act:?}: {error}")),
                    Err(error) => eprintln!("nobody can see whether it was done: {error}"),
                }
                self = self.again(failing);
            }
            assert!(is_done, "{act:?} is never done");
            self = self.follow(failing, if act == Act::TakeMergeBack { 2 } else { 1 }).await;
        }
        self.place = self.place.reopen();
        // A delta does not show again what it had shown before its account was known to be ours; a full import does.
        import(&self.place.mesh, name("accounts"), ImportKind::Full).await.unwrap();
        self
    }

    /// Cycles until so many in a row were well, with time between.
    async fn follow(mut self, failing: &Control, wanted: usize) -> Self {
        let mut well = 0;
        for _ in 0..TRIES_MAX {
            let is_well = self.place.cycle().await.is_ok_and(|report| report.failed.is_empty());
            well = if is_well { well + 1 } else { 0 };
            self = self.again(failing);
            self.place.pass_seconds(LATER_SECONDS);
            if well == wanted {
                return self;
            }
        }
        panic!("what was decided does not come to its end");
    }

    /// Where it ended, and how often the audit has each decision.
    fn ended(&self) -> (End, BTreeMap<&'static str, usize>) {
        assert!(audit_is_whole(&self.place), "the audit is no whole chain");
        let kinds = [ChangeKind::Approve, ChangeKind::Reject, ChangeKind::Undo, ChangeKind::Decide];
        let rows = kinds.map(|kind| (kind.as_str(), self.rows(kind).unwrap()));
        (end(&self.place), rows.into())
    }
}

/// A life in which the store fails at the call with this number, counted from the first decision.
async fn disturbed(nth: u64, failure: Failure) -> (Matter, u64) {
    let mut matter = matter().await;
    let (place, failing) = over_failing(matter.place);
    matter.place = place;
    failing.fail(nth, failure);
    let matter = matter.live(&failing).await;
    (matter, failing.calls())
}

async fn every_store_call(failure: Failure) {
    let (matter, calls) = disturbed(u64::MAX, failure).await;
    let expected = matter.ended();
    assert!(calls > 100, "{calls} calls are no life");
    eprintln!("{calls} calls of the store");
    assert_eq!(expected.1["approve"], 1);
    assert_eq!(expected.1["reject"], LEAVERS - 1);
    assert!(expected.1["undo"] == 1 && expected.1["decide"] >= 2, "{:?}", expected.1);
    for nth in 1..=calls {
        assert_eq!(disturbed(nth, failure).await.0.ended(), expected, "store call {nth}, {failure:?}");
    }
}

#[tokio::test]
async fn the_store_fails_at_every_call_while_people_decide() {
    every_store_call(Failure::Once).await;
}

#[tokio::test]
async fn the_process_dies_after_every_store_call_while_people_decide() {
    every_store_call(Failure::DiesAfter).await;
}
