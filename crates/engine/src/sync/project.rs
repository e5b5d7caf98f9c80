//! Projection: which targets a mesh object belongs to, and what is to be sent there (sync semantics, sections 6, 7).

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::plan::{ItemAction, ItemPlan, LeavePlan, Operation, Reason, Wake};
use identitymesh_model::{
    ConnectorId, Finding, ItemRecord, MeshState, Name, RuleId, SpaceId, SpaceRecord, Timestamp, Uid,
};

use super::active::Coverages;
use super::leave::Leaver;
use super::names::Names;
use super::neighbours::Neighbours;
use super::resolve::Resolved;
use super::target::{Addresses, Target};
use super::work::Work;
use crate::export::waiting;
use crate::rules::{MeshTypeRules, Projection, RuleSet};

/// How long a plan waits for an item that is being sent just now.
const IN_FLIGHT_WAIT_SECONDS: i64 = 30;

/// What projection found for one mesh object.
#[derive(Default)]
pub(super) struct Projected {
    pub(super) items: Vec<ItemPlan>,
    pub(super) cancelled: Vec<ConnectorId>,
    pub(super) leaving: Vec<LeavePlan>,
    pub(super) wakes: Vec<Wake>,
    /// Objects in targets that nothing is left to do for.
    pub(super) released: Vec<SpaceId>,
    /// Objects of sources that a deletion in a target waits for.
    pub(super) witnesses: Vec<SpaceId>,
}

/// Projects mesh objects.
pub(super) struct Projector<'a, N: Neighbours> {
    pub(super) rules: &'a RuleSet,
    pub(super) now: Timestamp,
    pub(super) evaluator: &'a mut Evaluator,
    /// Names that nobody else has; `None` where no rule asks for any.
    pub(super) names: Option<Names<'a, N>>,
    pub(super) findings: Vec<Finding>,
    pub(super) addresses: &'a std::collections::HashMap<ConnectorId, Addresses>,
    pub(super) coverages: &'a Coverages,
}

impl<N: Neighbours> Projector<'_, N> {
    /// What is to be done for `work` in all targets of its type.
    pub(super) fn project(
        &mut self,
        work: &Work,
        resolved: &Resolved,
        mesh_type: &MeshTypeRules,
    ) -> Result<Projected, N::Error> {
        let mut projected = Projected::default();
        for (connector, projections) in &mesh_type.targets {
            // In a tree of which nothing is known yet an object has no address, and references would be none.
            let types = projections.iter().map(|rule| rule.object_type);
            if !self.rules.connector(*connector).is_some_and(|known| known.enabled && known.is_ready(types)) {
                continue;
            }
            let item = work.view.items.iter().find(|item| item.connector == *connector);
            if let Some(item) = item.filter(|item| is_left_alone(item)) {
                // Where a person asked for it, the end of it wakes the mesh object.
                if !item.in_flight {
                    continue;
                }
                let at = Some(self.now.saturating_add_seconds(IN_FLIGHT_WAIT_SECONDS));
                projected.wakes.push(Wake::Mesh { id: work.view.record.id, at });
                continue;
            }
            self.target(work, resolved, *connector, projections, item, &mut projected)?;
        }
        Ok(projected)
    }

    fn target(
        &mut self,
        work: &Work,
        resolved: &Resolved,
        connector: ConnectorId,
        projections: &[Projection],
        item: Option<&ItemRecord>,
        projected: &mut Projected,
    ) -> Result<(), N::Error> {
        let rule = match work.state {
            MeshState::Active => self.in_scope(work, resolved, connector, projections),
            _ => None,
        };
        let mut held = work.view.linked.iter().filter(|space| {
            space.connector == connector
                && !space.deleted
                && projections.iter().any(|rule| rule.object_type == space.object_type)
        });
        let space = held.next();
        if held.next().is_some() {
            let message = "the target has several objects for this mesh object, so none of them is changed";
            self.finding("PRJ-004", message, work, connector);
            return Ok(());
        }
        if projections.iter().any(|rule| rule.reads_time) && work.state == MeshState::Active {
            projected.wakes.push(Wake::Mesh { id: work.view.record.id, at: Some(next_boundary(self.now)) });
        }
        let leave = work.view.leaving.iter().find(|leave| leave.connector == connector);
        let planned = match (rule, space) {
            (Some(rule), space) => {
                if leave.is_some() {
                    projected.leaving.push(LeavePlan::Clear { connector });
                }
                let mut waits = Vec::new();
                let planned = self.held(work, resolved, connector, rule, space, item, &mut waits)?;
                let owner = work.view.record.id;
                projected.wakes.extend(waits.into_iter().map(|member| Wake::Address {
                    connector,
                    owner,
                    member,
                }));
                planned
            }
            (None, Some(space)) => {
                self.left(&Leaver { work, connector, space, leave }, projections, projected)?
            }
            (None, None) => None,
        };
        queue(planned, item, connector, projected, work);
        Ok(())
    }

    /// The first rule, in order of precedence, whose scope the object is in.
    fn in_scope<'p>(
        &mut self,
        work: &Work,
        resolved: &Resolved,
        connector: ConnectorId,
        projections: &'p [Projection],
    ) -> Option<&'p Projection> {
        let scope = Scope::at(self.now).with_mesh(&resolved.doc);
        projections.iter().find(|rule| match &rule.scope {
            None => true,
            Some(program) => self.evaluator.test(program, &scope).unwrap_or_else(|error| {
                let message = format!("the scope of {} failed and counts as false: {error}", rule.name);
                let mut finding = Finding::new("PRJ-001", message);
                finding.connector = Some(connector);
                finding.mesh = Some(work.view.record.id);
                finding.subject = Some(work.anchor.to_string());
                self.findings.push(finding);
                false
            }),
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a different part of one object's state in one target"
    )]
    fn held(
        &mut self,
        work: &Work,
        resolved: &Resolved,
        connector: ConnectorId,
        rule: &Projection,
        space: Option<&SpaceRecord>,
        item: Option<&ItemRecord>,
        waits: &mut Vec<Uid>,
    ) -> Result<Option<Planned>, N::Error> {
        let none = Addresses::new();
        let mut target = Target {
            connector,
            hierarchical: self.rules.connector(connector).is_some_and(|known| known.hierarchical),
            rule,
            mesh: work.view.record.id,
            anchor: &work.anchor,
            doc: &resolved.doc,
            addresses: self.addresses.get(&connector).unwrap_or(&none),
            now: self.now,
            evaluator: self.evaluator,
            names: self.names.as_mut().map(Names::again),
            findings: &mut self.findings,
            waits: Vec::new(),
        };
        let (operation, action, text) = match space {
            None if !rule.create => return Ok(None),
            None => {
                let waiting = item.and_then(|item| match &item.action {
                    ItemAction::Create { attributes, .. } => Some(attributes),
                    _ => None,
                });
                let Some(action) = target.create(waiting)? else { return Ok(None) };
                (Operation::Create, action, format!("in scope of {}", rule.name))
            }
            Some(_) if !rule.update => return Ok(None),
            Some(space) => {
                let planned = target.update(space)?;
                waits.append(&mut target.waits);
                let Some((operation, action)) = planned else { return Ok(None) };
                (operation, action, work.reason.text.clone())
            }
        };
        Ok(Some(Planned { rule: rule.rule, object_type: rule.object_type, operation, action, text }))
    }

    pub(super) fn finding(&mut self, code: &'static str, message: &str, work: &Work, connector: ConnectorId) {
        let mut finding = Finding::new(code, message);
        finding.connector = Some(connector);
        finding.mesh = Some(work.view.record.id);
        finding.subject = Some(work.anchor.to_string());
        self.findings.push(finding);
    }
}

/// Whether a plan has nothing to say about a target while this item is there: it is being sent, or a person asked for
/// it.
pub(super) const fn is_left_alone(item: &ItemRecord) -> bool {
    item.in_flight || (item.by_hand && !item.dead)
}

/// What should be queued for one target.
pub(super) struct Planned {
    pub(super) rule: RuleId,
    pub(super) object_type: Name,
    pub(super) operation: Operation,
    pub(super) action: ItemAction,
    pub(super) text: String,
}

/// Puts what is planned in place of the live item, unless that is the same already.
fn queue(
    planned: Option<Planned>,
    item: Option<&ItemRecord>,
    connector: ConnectorId,
    projected: &mut Projected,
    work: &Work,
) {
    match (planned, item) {
        (None, None) => {}
        (None, Some(_)) => projected.cancelled.push(connector),
        (Some(planned), Some(item)) if planned.action == item.action => {}
        (Some(planned), _) => {
            wait_for_references(&planned.action, connector, projected, work);
            projected.items.push(ItemPlan {
                connector,
                rule: planned.rule,
                object_type: planned.object_type,
                operation: planned.operation,
                action: planned.action,
                reason: Reason { text: planned.text, rule: planned.rule },
            });
        }
    }
}

fn wait_for_references(action: &ItemAction, connector: ConnectorId, projected: &mut Projected, work: &Work) {
    let owner = work.view.record.id;
    let members = waiting(action);
    projected.wakes.extend(members.map(|member| Wake::Address { connector, owner, member }));
}

/// The next moment at which the day changes in UTC.
pub(super) fn next_boundary(now: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    let into_day = now.as_micros().rem_euclid(DAY);
    now.saturating_add_micros(DAY - into_day)
}
