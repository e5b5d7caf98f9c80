//! Decisions: what changes hands, and what is said for good.

use std::collections::HashMap;

use identitymesh_expr::Evaluator;
use identitymesh_model::joins::{Bond, DecisionKind, JoinDecision, Member, MeshSeed, Move, RulingChange};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    LinkMode, MeshRecord, MeshState, MeshView, Name, SpaceRecord, Text, Timestamp, Uid,
};

use crate::rules::RuleSet;
use crate::sync::{Prober, anchor_key};

/// Why a decision is not carried out, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// A management-space object with what is around it.
#[derive(Clone, Debug)]
pub struct Around {
    /// The object.
    pub space: SpaceRecord,
    /// Its mesh object.
    pub mesh: Option<MeshView>,
    /// What people said for good about it and mesh objects.
    pub rulings: Vec<(Uid, bool)>,
}

impl Around {
    fn member(&self) -> Member {
        Member::of(&self.space)
    }

    fn bond(&self) -> Option<Bond> {
        bond(&self.space, self.mesh.as_ref()?.record.uid)
    }

    fn said(&self, mesh: Uid) -> Option<bool> {
        self.rulings.iter().find(|(uid, _)| *uid == mesh).map(|(_, belongs)| *belongs)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.space.deleted {
            let id = &self.space.external_id;
            return refuse(format!("{id} is gone in its system; the next sync takes it out of the mesh"));
        }
        self.mesh.as_ref().map_or(Ok(()), is_at_rest)
    }

    /// The rulings that say that it belongs to `mesh` and to nobody else.
    fn belongs_to(&self, mesh: Uid) -> Vec<RulingChange> {
        let others = self.rulings.iter().filter(|(uid, belongs)| *belongs && *uid != mesh);
        let ended = others.map(|(uid, _)| ruling(self.member(), *uid, Some(true), None));
        let said = self.said(mesh);
        let begun = (said != Some(true)).then(|| ruling(self.member(), mesh, said, Some(true)));
        ended.chain(begun).collect()
    }
}

pub(super) fn bond(space: &SpaceRecord, mesh: Uid) -> Option<Bond> {
    space.link.map(|link| Bond { mesh, rule: link.rule, mode: link.mode, score: link.score })
}

const fn ruling(member: Member, mesh: Uid, before: Option<bool>, after: Option<bool>) -> RulingChange {
    RulingChange { member, mesh, before, after }
}

pub(super) fn seed(record: &MeshRecord) -> MeshSeed {
    MeshSeed { uid: record.uid, mesh_type: record.mesh_type, anchor: record.anchor.clone() }
}

fn refuse<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(text.into()))
}

pub(super) fn decision(kind: DecisionKind) -> JoinDecision {
    JoinDecision {
        kind,
        moves: Vec::new(),
        rulings: Vec::new(),
        born: Vec::new(),
        gone: Vec::new(),
        losing: Vec::new(),
    }
}

fn called(record: &MeshRecord) -> String {
    format!("{} {}", record.mesh_type, record.anchor)
}

/// What is being sent to a target may not change hands until its answer is there, nor what a person wants sent: no
/// plan would replace it, so it would reach whoever has the object then.
pub(super) fn is_at_rest(view: &MeshView) -> Result<(), Refusal> {
    let name = called(&view.record);
    if view.items.iter().any(|item| item.in_flight) {
        return refuse(format!("an export of {name} is on its way; decide when it has ended"));
    }
    if view.items.iter().any(|item| item.by_hand && !item.dead) {
        return refuse(format!("an undo of {name} waits to be sent; run the export first, then decide"));
    }
    Ok(())
}

pub(super) fn is_alive(view: &MeshView) -> Result<(), Refusal> {
    if matches!(view.record.state, MeshState::Deleted { .. }) {
        return refuse(format!("{} is deleted and waits for its targets only", called(&view.record)));
    }
    is_at_rest(view)
}

/// A person's link keeps how an object in a target came about: who made it decides whether it may be deleted.
fn taken_over(bond: Option<Bond>, mesh: Uid) -> Bond {
    match bond {
        Some(bond) if bond.mode == LinkMode::Projected => Bond { mesh, ..bond },
        _ => Bond::by_hand(mesh),
    }
}

/// The object belongs to this mesh object, wherever it was before.
///
/// # Errors
/// When it is gone, belongs there by a person's word already, or an export of either is on its way.
pub fn link(around: &Around, target: &MeshView) -> Result<JoinDecision, Refusal> {
    around.check()?;
    is_alive(target)?;
    let (bond, uid) = (around.bond(), target.record.uid);
    let mut made = decision(DecisionKind::Link);
    made.rulings = around.belongs_to(uid);
    let to = taken_over(bond, uid);
    if bond != Some(to) {
        made.moves.push(Move { member: around.member(), from: bond, to: Some(to) });
    }
    if made.moves.is_empty() && made.rulings.is_empty() {
        return refuse(format!(
            "{} is linked to {} by hand already",
            around.space.external_id,
            called(&target.record)
        ));
    }
    Ok(made)
}

/// No rule may link the two; a link that is there ends.
///
/// # Errors
/// When that is said already, or an export of the mesh object is on its way.
pub fn never(around: &Around, target: &MeshView) -> Result<JoinDecision, Refusal> {
    around.check()?;
    is_at_rest(target)?;
    let uid = target.record.uid;
    let bond = around.bond().filter(|bond| bond.mesh == uid);
    let said = around.said(uid);
    if said == Some(false) && bond.is_none() {
        return refuse(format!(
            "no rule may link {} and {} already",
            around.space.external_id,
            called(&target.record)
        ));
    }
    let kind = if bond.is_some() { DecisionKind::Unlink } else { DecisionKind::Never };
    let mut made = decision(kind);
    made.rulings.push(ruling(around.member(), uid, said, Some(false)));
    made.losing.extend(bond.map(|_| seed(&target.record)));
    made.moves.extend(bond.map(|bond| Move { member: around.member(), from: Some(bond), to: None }));
    Ok(made)
}

/// Some objects of a mesh object become the mesh object `uid` of their own, with this anchor.
///
/// # Errors
/// When an object is not linked to it, all of its objects are named, or an export of it is on its way.
pub fn split(from: &MeshView, members: &[Around], uid: Uid, anchor: Text) -> Result<JoinDecision, Refusal> {
    is_alive(from)?;
    let name = called(&from.record);
    if members.is_empty() {
        return refuse("name the objects that become a mesh object of their own");
    }
    let mut made = decision(DecisionKind::Split);
    for around in members {
        around.check()?;
        let bond = around.bond().filter(|bond| bond.mesh == from.record.uid);
        let Some(bond) = bond else {
            return refuse(format!("{} is not linked to {name}", around.space.external_id));
        };
        made.rulings.extend(around.belongs_to(uid));
        made.moves.push(Move {
            member: around.member(),
            from: Some(bond),
            to: Some(taken_over(Some(bond), uid)),
        });
    }
    let stays =
        |space: &&SpaceRecord| !space.deleted && members.iter().all(|around| around.space.id != space.id);
    if !from.linked.iter().any(|space| stays(&space)) {
        return refuse(format!("nothing would be left of {name}; leave at least one object with it"));
    }
    made.born.push(MeshSeed { uid, mesh_type: from.record.mesh_type, anchor });
    Ok(made)
}

/// Two mesh objects are one: everything that is linked to `other` goes to `survivor`, which keeps its anchor. What both
/// have in a target stays with `other`, which ends, so that the target's leave rule decides about it.
///
/// # Errors
/// When they are of two types, a person said that an object of the one never belongs to the other, or an export of
/// either is on its way.
pub fn merge(
    rules: &RuleSet,
    survivor: &MeshView,
    other: &MeshView,
    said_of_linked: &[Vec<(Uid, bool)>],
    said_on_other: &[(Member, bool)],
    said_on_survivor: &[(Member, bool)],
) -> Result<JoinDecision, Refusal> {
    is_alive(survivor)?;
    is_alive(other)?;
    let (into, out) = (&survivor.record, &other.record);
    if into.uid == out.uid {
        return refuse(format!("{} is one already", called(into)));
    }
    if into.mesh_type != out.mesh_type {
        return refuse(format!("{} and {} are of two types", called(into), called(out)));
    }
    let mut made = decision(DecisionKind::Merge);
    for (space, said) in other.linked.iter().zip(said_of_linked).filter(|(space, _)| !space.deleted) {
        let around = Around { space: space.clone(), mesh: Some(other.clone()), rulings: said.clone() };
        if around.said(into.uid) == Some(false) {
            return refuse(format!(
                "a person said that {} never belongs to {}; take that decision back first",
                space.external_id,
                called(into)
            ));
        }
        if is_twice_in_target(rules, space, survivor) {
            continue;
        }
        let bond = around.bond();
        made.rulings.extend(around.belongs_to(into.uid));
        made.moves.push(Move { member: around.member(), from: bond, to: Some(taken_over(bond, into.uid)) });
    }
    for (who, belongs) in said_on_other {
        // Those that move have been spoken of above.
        if made.rulings.iter().any(|change| change.member == *who && change.mesh == out.uid) {
            continue;
        }
        let is_linked = survivor.linked.iter().any(|space| !space.deleted && Member::of(space) == *who);
        if is_linked && !belongs {
            return refuse(format!(
                "a person said that {} never belongs to {}; take that decision back first",
                who.external_id,
                called(out)
            ));
        }
        let is_said = said_on_survivor.iter().find(|(known, _)| known == who).map(|(_, said)| *said);
        let moves = made.rulings.iter().any(|change| change.member == *who);
        made.rulings.push(ruling(who.clone(), out.uid, Some(*belongs), None));
        if is_said.is_none() && !moves {
            made.rulings.push(ruling(who.clone(), into.uid, None, Some(*belongs)));
        }
    }
    made.gone.push(seed(out));
    Ok(made)
}

fn is_twice_in_target(rules: &RuleSet, space: &SpaceRecord, survivor: &MeshView) -> bool {
    let is_target =
        rules.object_type(space.connector, space.object_type).is_some_and(|known| known.is_target);
    is_target
        && survivor.linked.iter().any(|known| {
            !known.deleted && (known.connector, known.object_type) == (space.connector, space.object_type)
        })
}

/// The decision that takes `before` back, given its objects as they are now, in the order of
/// [`JoinDecision::members`]. Of the mesh objects that lost an object by it, `ended` are not alive any more.
///
/// # Errors
/// When an object is not where the decision put it any more, or an export is on its way.
pub fn revert(
    rules: &RuleSet,
    before: &JoinDecision,
    now: &[Option<Around>],
    ended: &[Uid],
) -> Result<JoinDecision, Refusal> {
    let mut made = before.reversed();
    let known: HashMap<Member, &Around> = before
        .members()
        .into_iter()
        .zip(now)
        .filter_map(|(member, around)| Some((member.clone(), around.as_ref()?)))
        .collect();
    let of = |member: &Member| known.get(member).copied();
    made.born.extend(before.losing.iter().filter(|seed| ended.contains(&seed.uid)).cloned());
    for change in &mut made.moves {
        let Some(around) = of(&change.member) else { continue };
        around.check()?;
        let there = around.bond();
        match change.from {
            Some(bond) if there.map(|there| there.mesh) != Some(bond.mesh) => {
                return refuse(format!(
                    "{} is not where that decision put it any more; take later decisions back first",
                    around.space.external_id
                ));
            }
            Some(_) => {}
            // It was let go, and the rules may have made a mesh object of it since, which ends with it.
            None => {
                change.from = there;
                let made_of_it =
                    around.mesh.as_ref().filter(|view| is_only_source(rules, view, &around.space));
                made.gone.extend(made_of_it.map(|view| seed(&view.record)));
            }
        }
    }
    // An object that is gone in its system has nothing to move; what was said of it is taken back all the same.
    made.moves.retain(|change| of(&change.member).is_some());
    for change in &made.rulings {
        let Some(around) = of(&change.member) else { continue };
        if around.said(change.mesh) != change.before {
            return refuse(format!(
                "something else was decided about {} since; take later decisions back first",
                around.space.external_id
            ));
        }
    }
    Ok(made)
}

fn is_only_source(rules: &RuleSet, view: &MeshView, space: &SpaceRecord) -> bool {
    let is_created = space.link.is_some_and(|link| link.mode == LinkMode::Created);
    let is_target = |known: &SpaceRecord| {
        rules.object_type(known.connector, known.object_type).is_some_and(|known| known.is_target)
    };
    is_created && view.linked.iter().all(|known| known.id == space.id || known.deleted || is_target(known))
}

/// The anchor that the create rules would give a mesh object made of `space`.
#[must_use]
pub fn anchor_of(rules: &RuleSet, space: &SpaceRecord, mesh_type: Name, now: Timestamp) -> Option<Text> {
    let object_type = rules.object_type(space.connector, space.object_type)?;
    let create = object_type.creates.iter().find(|create| create.mesh_type == mesh_type)?;
    let mut prober = Prober { now, evaluator: &mut Evaluator::new(), findings: &mut Vec::new() };
    prober.anchor(create, space)
}

/// The key by which a mesh object with this anchor is found.
#[must_use]
pub fn anchor_key_of(rules: &RuleSet, mesh_type: Name, anchor: &str) -> Option<IndexKey> {
    anchor_key(rules, mesh_type, anchor)
}
