//! What the rules in force would make of links that rules made before. Nothing is written.
//!
//! Links by hand, links that exports made and what people said for good are left alone and counted. Objects are asked
//! for one by one first; those that would change are asked for again together, with what else is linked to their mesh
//! objects, so that what moves is followed by what was found by it.

use std::collections::{BTreeMap, HashMap, HashSet};

use identitymesh_engine::joins::{Asked, Fate, Reconsidered, Reevaluation, Whose, reevaluate};
use identitymesh_engine::{Asking, PlanContext, Planner};
use identitymesh_model::joins::Member;
use identitymesh_model::plan::NoteKind;
use identitymesh_model::{
    ConnectorId, Finding, LinkMode, MeshId, MeshView, Name, RuleId, RunId, SpaceId, SpaceRecord,
};
use identitymesh_store::Reader;

use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// Objects that are asked for at once.
const PART_OBJECTS: usize = 5_000;
/// Most links that one act changes; what is left is told, and changed by the next.
const CHANGES_MAX: usize = 10_000;

/// Which links are asked for again; all that rules made where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkScope {
    /// Those of this connector.
    pub connector: Option<Name>,
    /// Those of objects of this type.
    pub object_type: Option<Name>,
    /// Those that this rule made, in force or not; with its connector before a colon where several are called so.
    pub rule: Option<String>,
    /// So many changes at most, and never more than one act makes.
    pub limit: Option<usize>,
}

/// What the rules in force make of links.
#[derive(Debug, Default)]
pub struct LinksAgain {
    /// How many links stay, move, and so on.
    pub counts: BTreeMap<&'static str, u64>,
    /// Those that would not stay as they are, in the order of their objects.
    pub changes: Vec<ChangedLink>,
}

/// A link that would not stay as it is.
#[derive(Clone, Debug)]
pub struct ChangedLink {
    /// The object with its link as it is.
    pub space: SpaceRecord,
    /// Its mesh object.
    pub mesh: MeshView,
    /// What the rules make of it.
    pub fate: Fate,
    /// Why it stays for now nevertheless.
    pub waits: Option<String>,
}

impl ChangedLink {
    /// What becomes of it, in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match &self.fate {
            _ if self.waits.is_some() => "waits",
            Fate::Stays => "stays",
            Fate::StaysBy(_) => "other_rule",
            Fate::Moves(..) => "moves",
            Fate::Begins { .. } => "begins",
            Fate::Ends { note, .. } => match note.kind {
                NoteKind::Conflict => "conflict",
                NoteKind::OutOfScope => "out_of_scope",
                NoteKind::Unjoined | NoteKind::Failed => "unjoined",
            },
        }
    }
}

/// What the rules in force make of the links of `scope`.
///
/// # Errors
/// `RUN-021` while not everybody was looked at under the rules in force, `RUN-022` when no rule is called so; else when
/// the store cannot be read.
pub fn reconsider_links(mesh: &Mesh, scope: &LinkScope) -> Result<LinksAgain, RunError> {
    let in_force = mesh.in_force()?;
    Ok(ask(mesh, &in_force, scope)?.links)
}

/// The same, with what carries it out.
pub(crate) struct Answer {
    pub(crate) links: LinksAgain,
    pub(crate) evaluation: Reevaluation,
    pub(crate) findings: Vec<Finding>,
}

pub(crate) fn ask(mesh: &Mesh, in_force: &InForce, scope: &LinkScope) -> Result<Answer, RunError> {
    let mut reader = mesh.store.read()?;
    let reader = reader.as_mut();
    check_looked_at(reader, in_force)?;
    let connectors = match scope.connector {
        Some(name) => vec![in_force.id(name)?],
        None => in_force.rules.connectors().into_iter().map(|known| known.id).collect(),
    };
    let rules = match &scope.rule {
        Some(called) => Some(rules_called(reader, called)?),
        None => None,
    };
    let wanted = Wanted { connectors, object_type: scope.object_type, rules };
    let changes_max = scope.limit.map_or(CHANGES_MAX, |limit| limit.min(CHANGES_MAX));
    let (counts, left) = (BTreeMap::new(), HashSet::new());
    let mut asking = Questions { mesh, in_force, reader, wanted, changes_max, counts, left };
    let changed = asking.one_by_one()?;
    let (fates, findings) = asking.together(changed)?;
    asking.answer(fates, findings)
}

/// A key that a rule reads is filled in when everybody is looked at; before that, nobody would be found by it. Under
/// the first rules that there were, nobody came to be without all keys.
fn check_looked_at(reader: &mut dyn Reader, in_force: &InForce) -> Result<(), RunError> {
    let is_done = reader.configuration()?.is_some_and(|stored| stored.full_sync.is_some());
    if is_done || in_force.version <= 1 {
        Ok(())
    } else {
        Err(RunError::NotLookedAt { version: in_force.version })
    }
}

/// The join and create rules that are or were called so.
fn rules_called(reader: &mut dyn Reader, called: &str) -> Result<Vec<RuleId>, RunError> {
    let numbers = reader.numbers()?;
    let named = |key: &str| -> Option<String> {
        let name = key.strip_prefix("join:").or_else(|| key.strip_prefix("create:"))?;
        Some(name.to_owned())
    };
    let is_called = |name: &str| {
        name.eq_ignore_ascii_case(called)
            || name.split_once(':').is_some_and(|(_, short)| short.eq_ignore_ascii_case(called))
    };
    let known: Vec<(String, i64)> =
        numbers.iter().filter_map(|(key, number)| Some((named(key)?, *number))).collect();
    let found: Vec<RuleId> =
        known.iter().filter(|(name, _)| is_called(name)).map(|(_, number)| RuleId(*number)).collect();
    if found.is_empty() {
        let mut names: Vec<String> = known.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        return Err(RunError::UnknownRule { called: called.to_owned(), known: names.join(", ") });
    }
    Ok(found)
}

struct Wanted {
    connectors: Vec<ConnectorId>,
    object_type: Option<Name>,
    rules: Option<Vec<RuleId>>,
}

impl Wanted {
    fn holds(&self, space: &SpaceRecord) -> bool {
        self.is_of_type(space)
            && space.link.is_some_and(|link| {
                matches!(link.mode, LinkMode::Joined | LinkMode::Created)
                    && self.rules.as_ref().is_none_or(|rules| rules.contains(&link.rule))
            })
    }

    fn is_of_type(&self, space: &SpaceRecord) -> bool {
        self.connectors.contains(&space.connector)
            && !space.deleted
            && self.object_type.is_none_or(|only| only == space.object_type)
    }
}

/// Objects with what becomes of their links.
type Fates = Vec<(SpaceRecord, Fate)>;

struct Questions<'a> {
    mesh: &'a Mesh,
    in_force: &'a InForce,
    reader: &'a mut dyn Reader,
    wanted: Wanted,
    changes_max: usize,
    counts: BTreeMap<&'static str, u64>,
    /// Objects whose links would change too, and are left for the next act.
    left: HashSet<SpaceId>,
}

impl Questions<'_> {
    fn count(&mut self, what: &'static str, by: usize) {
        if by > 0 {
            *self.counts.entry(what).or_insert(0) += by as u64;
        }
    }

    fn reconsider(
        &mut self,
        spaces: Vec<SpaceRecord>,
        asking: Asking,
    ) -> Result<(Vec<Reconsidered>, Vec<Finding>), RunError> {
        let (now, ids) = (self.mesh.clock.now(), self.mesh.ids.as_ref());
        let context = PlanContext { now, run: RunId(0), ids, reindex: false };
        let mut around = Surroundings { reader: self.reader, imagined: &HashMap::new(), cut: None };
        Ok(Planner::new(&self.in_force.rules).reconsider(spaces, asking, &context, &mut around)?)
    }

    /// The links that would not stay if they alone were asked for.
    fn one_by_one(&mut self) -> Result<Fates, RunError> {
        let mut changed = Vec::new();
        for connector in self.wanted.connectors.clone() {
            let mut after = SpaceId(0);
            loop {
                self.mesh.check_cancelled()?;
                let page = self.reader.spaces_after(connector, after, PART_OBJECTS)?;
                let Some(last) = page.last().map(|space| space.id) else { break };
                after = last;
                let page = self.sort_out(page)?;
                self.count("links", page.len());
                let (fates, _) = self.reconsider(page.clone(), Asking::Alone)?;
                let mut fates: HashMap<SpaceId, Fate> =
                    fates.into_iter().map(|known| (known.space, known.fate)).collect();
                for space in page {
                    match fates.remove(&space.id) {
                        Some(Fate::Stays) | None => {}
                        Some(_) if changed.len() >= self.changes_max => {
                            self.left.insert(space.id);
                        }
                        Some(fate) => changed.push((space, fate)),
                    }
                }
            }
        }
        Ok(changed)
    }

    /// Counts what is left alone, and keeps what is asked for.
    fn sort_out(&mut self, mut page: Vec<SpaceRecord>) -> Result<Vec<SpaceRecord>, RunError> {
        page.retain(|space| self.wanted.is_of_type(space));
        let of_mode = |is: fn(LinkMode) -> bool| {
            page.iter().filter(|space| space.link.is_some_and(|link| is(link.mode))).count()
        };
        let (by_hand, by_export) =
            (of_mode(|mode| mode == LinkMode::Manual), of_mode(LinkMode::is_by_export));
        let members: Vec<Member> = page.iter().map(Member::of).collect();
        let never = self.reader.rulings_of(&members)?.concat().iter().filter(|(_, belongs)| !belongs).count();
        self.count("by_hand", by_hand);
        self.count("by_export", by_export);
        self.count("never_marks", never);
        page.retain(|space| self.wanted.holds(space));
        Ok(page)
    }

    /// Those again, as if none of them had a link, with whoever else is linked to their mesh objects.
    fn together(&mut self, changed: Fates) -> Result<(Fates, Vec<Finding>), RunError> {
        let (mut out, leaving): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|(_, fate)| matches!(fate, Fate::StaysBy(_)));
        let mut asked: HashMap<SpaceId, SpaceRecord> =
            leaving.into_iter().map(|(space, _)| (space.id, space)).collect();
        let whose: HashSet<MeshId> =
            asked.values().filter_map(|space| space.link).map(|link| link.mesh).collect();
        let mut whose: Vec<MeshId> = whose.into_iter().collect();
        whose.sort_unstable();
        for ids in whose.chunks(PART_OBJECTS) {
            for view in self.reader.views(ids)?.into_iter().flatten() {
                let others = view.linked.into_iter().filter(|space| self.wanted.holds(space));
                asked.extend(others.map(|space| (space.id, space)));
            }
        }
        let (fates, findings) = self.reconsider(asked.values().cloned().collect(), Asking::Together)?;
        for Reconsidered { space, fate } in fates {
            out.extend(asked.remove(&space).filter(|_| fate != Fate::Stays).map(|space| (space, fate)));
        }
        self.leave_who_is_in_the_way(&mut out)?;
        out.sort_unstable_by_key(|(space, _)| space.id);
        let mut seen = HashSet::new();
        out.retain(|(space, _)| seen.insert(space.id));
        Ok((out, findings))
    }

    /// A conflict with an object that the next act moves away may be none by then, so it is left for that act too.
    fn leave_who_is_in_the_way(&mut self, fates: &mut Fates) -> Result<(), RunError> {
        if self.left.is_empty() {
            return Ok(());
        }
        let candidates = |fate: &Fate| match fate {
            Fate::Ends { note, .. } => note.candidates.clone(),
            _ => Vec::new(),
        };
        let views = self.views(fates.iter().flat_map(|(_, fate)| candidates(fate)))?;
        let (mut kept, mut left) = (Vec::with_capacity(fates.len()), Vec::new());
        for (space, fate) in fates.drain(..) {
            let there = candidates(&fate).into_iter().filter_map(|id| views.get(&id));
            let is_left = there.flat_map(|view| &view.linked).any(|linked| self.left.contains(&linked.id));
            if is_left { left.push(space.id) } else { kept.push((space, fate)) }
        }
        *fates = kept;
        self.left.extend(left);
        Ok(())
    }

    fn views(&mut self, ids: impl Iterator<Item = MeshId>) -> Result<HashMap<MeshId, MeshView>, RunError> {
        let ids: HashSet<MeshId> = ids.collect();
        let mut ids: Vec<MeshId> = ids.into_iter().collect();
        ids.sort_unstable();
        let views = self.reader.views(&ids)?.into_iter().flatten();
        Ok(views.map(|view| (view.record.id, view)).collect())
    }

    fn answer(mut self, fates: Fates, findings: Vec<Finding>) -> Result<Answer, RunError> {
        let targets = fates.iter().filter_map(|(_, fate)| match fate {
            Fate::Moves(Whose::Known(id), _) => Some(*id),
            _ => None,
        });
        let own = fates.iter().filter_map(|(space, _)| space.link).map(|link| link.mesh);
        let views = self.views(targets.chain(own))?;
        let asked: Vec<Asked> = fates
            .into_iter()
            .filter_map(|(space, fate)| {
                let mesh = views.get(&space.link?.mesh)?.clone();
                Some(Asked { space, mesh, fate })
            })
            .collect();
        let now = self.mesh.clock.now();
        let evaluation = reevaluate(asked.clone(), &views, || self.mesh.ids.next_uid(now));
        let mut waiting: HashMap<SpaceId, String> = evaluation.waiting.iter().cloned().collect();
        let changes: Vec<ChangedLink> = asked
            .into_iter()
            .map(|Asked { space, mesh, fate }| {
                let waits = waiting.remove(&space.id);
                ChangedLink { space, mesh, fate, waits }
            })
            .collect();
        changes.iter().for_each(|change| self.count(change.word(), 1));
        let left = self.left.len();
        self.count("left_for_next", left);
        let all = self.counts.get("links").copied().unwrap_or(0) as usize;
        self.count("stays", all.saturating_sub(changes.len() + left));
        Ok(Answer { links: LinksAgain { counts: self.counts, changes }, evaluation, findings })
    }
}
