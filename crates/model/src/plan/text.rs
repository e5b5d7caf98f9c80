//! A plan as text: stable, line by line, for people, scenario files and differences.
//!
//! Objects are ordered by type and anchor, so that the text does not depend on the order in which they were planned;
//! internal numbers never appear.

use std::fmt::Write as _;

use super::{
    Before, Edit, ItemAction, ItemPlan, LeavePlan, LinkChange, MeshChange, NoteKind, ObjectPlan, Plan,
};
use crate::{ConnectorId, MeshState, Name, RuleId, SpaceId, Value, Values};

/// Gives names to numbers, so that a plan reads without a store.
pub trait PlanNames {
    /// A connector's name.
    fn connector(&self, id: ConnectorId) -> String;
    /// A rule's name.
    fn rule(&self, id: RuleId) -> String;
    /// `connector/external id` of a management-space object.
    fn space(&self, id: SpaceId) -> String;
    /// How a mesh object is called in a reference: type and anchor, else its public id.
    fn mesh(&self, uid: &str) -> String;
}

/// Appends the plan's text to `out`.
pub fn write_plan(plan: &Plan, names: &dyn PlanNames, out: &mut String) {
    let mut objects: Vec<&ObjectPlan> = plan.objects.iter().filter(|object| !object.is_empty()).collect();
    objects.sort_by(|a, b| (a.mesh_type, &a.anchor, a.uid).cmp(&(b.mesh_type, &b.anchor, b.uid)));
    for object in objects {
        write_object(object, names, out);
    }
    let mut notes: Vec<String> = plan
        .spaces
        .iter()
        .filter_map(|space| Some((space, space.note.as_ref()?)))
        .map(|(space, note)| format!("{} {}: {}", word(note.kind), names.space(space.space), note.text))
        .collect();
    notes.sort_unstable();
    for note in notes {
        line(out, 0, &note);
    }
}

const fn word(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Unjoined => "unjoined",
        NoteKind::Conflict => "conflict",
        NoteKind::OutOfScope => "out of scope",
        NoteKind::Failed => "failed",
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    writeln!(out, "{:depth$}{text}", "", depth = depth * 2).expect("a string takes what is written");
}

fn write_object(object: &ObjectPlan, names: &dyn PlanNames, out: &mut String) {
    let verb = match &object.change {
        Some(MeshChange::Create { .. }) => "create",
        Some(MeshChange::Update { state: MeshState::Leaving { .. }, before, .. })
            if before.state.is_some() =>
        {
            "leave"
        }
        Some(MeshChange::Update { state: MeshState::Deleted { .. }, before, .. })
            if before.state.is_some() =>
        {
            "delete"
        }
        Some(MeshChange::Update { before, .. }) if before.state.is_some() => "return",
        Some(MeshChange::Update { before, .. }) if !before.is_empty() => "update",
        Some(MeshChange::Purge { .. }) => "purge",
        _ => "keep",
    };
    line(out, 0, &format!("{verb} {} {}: {}", object.mesh_type, object.anchor, object.reason.text));
    write_links(object, names, out);
    write_attributes(object, names, out);
    for leave in &object.leaving {
        match leave {
            LeavePlan::Set { connector, rule, since, steps } => line(
                out,
                1,
                &format!(
                    "leaving {} by {} since {since}, {steps} steps",
                    names.connector(*connector),
                    names.rule(*rule)
                ),
            ),
            LeavePlan::Clear { connector } => {
                line(out, 1, &format!("no longer leaving {}", names.connector(*connector)))
            }
        }
    }
    for connector in &object.cancelled {
        line(out, 1, &format!("→ {} cancel what is waiting", names.connector(*connector)));
    }
    for item in &object.items {
        write_item(item, names, out);
    }
}

fn write_links(object: &ObjectPlan, names: &dyn PlanNames, out: &mut String) {
    let mut lines: Vec<String> = object
        .links
        .iter()
        .map(|link| match link {
            LinkChange::Add { space, matched, .. } => format!("link {}: {matched}", names.space(*space)),
            LinkChange::Remove { space, .. } => format!("unlink {}", names.space(*space)),
        })
        .collect();
    lines.sort_unstable();
    lines.iter().for_each(|text| line(out, 1, text));
}

fn write_attributes(object: &ObjectPlan, names: &dyn PlanNames, out: &mut String) {
    let (doc, provenance, before) = match &object.change {
        Some(MeshChange::Create { doc, provenance }) => (doc, provenance, None),
        Some(MeshChange::Update { doc, provenance, before, .. }) => (doc, provenance, Some(before)),
        _ => return,
    };
    for (at, (name, values)) in doc.iter().enumerate() {
        let Some(change) = change_in_words(name, values, before, names) else { continue };
        let origins = provenance.0.get(at).into_iter().flatten().map(|origin| match origin.space {
            Some(space) => format!("{} from {}", names.rule(origin.rule), names.space(space)),
            None => names.rule(origin.rule),
        });
        let origins: Vec<String> = origins.collect();
        line(out, 1, &format!("{change}  ({})", origins.join(", ")));
    }
    let Some(before) = before else { return };
    for (name, old) in before.attributes.iter().filter(|(name, _)| doc.get(*name).is_none()) {
        line(out, 1, &in_words(*name, old.as_ref(), None, names));
    }
    for set in before.sets.iter().filter(|set| doc.get(set.name).is_none()) {
        line(out, 1, &set_in_words(set.name, &set.added, &set.removed, names));
    }
}

/// What became of an attribute that the object has; `None` when it is as it was.
fn change_in_words(
    name: Name,
    values: &Values,
    before: Option<&Before>,
    names: &dyn PlanNames,
) -> Option<String> {
    let Some(before) = before else { return Some(in_words(name, None, Some(values), names)) };
    if let Some(set) = before.sets.iter().find(|set| set.name == name) {
        return Some(set_in_words(name, &set.added, &set.removed, names));
    }
    let (_, old) = before.attributes.iter().find(|(changed, _)| *changed == name)?;
    Some(in_words(name, old.as_ref(), Some(values), names))
}

fn write_item(item: &ItemPlan, names: &dyn PlanNames, out: &mut String) {
    let target = names.connector(item.connector);
    let rule = names.rule(item.rule);
    line(
        out,
        1,
        &format!("→ {target} {} {} by {rule}: {}", item.operation, item.object_type, item.reason.text),
    );
    match &item.action {
        ItemAction::Create { attributes, .. } => {
            for (name, values) in attributes.iter() {
                line(out, 2, &in_words(name, None, Some(values), names));
            }
        }
        ItemAction::Update { address, changes, .. } => {
            if let Some(address) = address {
                line(out, 2, &format!("address = {address:?}"));
            }
            for change in changes {
                let text = match &change.edit {
                    Edit::Replace { old, new } => in_words(change.name, old.as_ref(), new.as_ref(), names),
                    Edit::Set { add, remove, .. } => set_in_words(change.name, add, remove, names),
                };
                line(out, 2, &text);
            }
        }
        ItemAction::Delete { .. } => {}
    }
}

fn in_words(name: Name, old: Option<&Values>, new: Option<&Values>, names: &dyn PlanNames) -> String {
    let show = |values: &Values| match values {
        Values::One(value) => value_in_words(value, names),
        Values::Set(list) => list_in_words(list, names),
    };
    match (old, new) {
        (None, Some(new)) => format!("{name} = {}", show(new)),
        (Some(old), Some(new)) => format!("{name} = {} (was {})", show(new), show(old)),
        (Some(old), None) => format!("{name} removed (was {})", show(old)),
        (None, None) => format!("{name} absent"),
    }
}

fn set_in_words(name: Name, added: &[Value], removed: &[Value], names: &dyn PlanNames) -> String {
    let mut text = name.to_string();
    for (sign, list) in [("+", added), ("-", removed)].into_iter().filter(|(_, list)| !list.is_empty()) {
        text.push_str(&format!(" {sign} {}", list_in_words(list, names)));
    }
    text
}

fn list_in_words(list: &[Value], names: &dyn PlanNames) -> String {
    let shown: Vec<String> = list.iter().map(|value| value_in_words(value, names)).collect();
    format!("[{}]", shown.join(", "))
}

fn value_in_words(value: &Value, names: &dyn PlanNames) -> String {
    match (ItemAction::pending_uid(value), value) {
        (Some(uid), _) => format!("→{}", names.mesh(uid)),
        (None, Value::Reference(key)) => format!("→{}", names.mesh(key)),
        (None, value) => format!("{value:?}"),
    }
}
