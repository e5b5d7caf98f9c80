//! Changes of a whole population, grouped: so many objects, the same change, the same reason.

use std::collections::HashMap;

use identitymesh_model::plan::{Edit, ItemAction, MeshChange, ObjectPlan, Plan};
use identitymesh_model::{ConnectorId, MeshState, Name, RuleId};
use serde::Serialize;

use crate::InForce;

/// Most groups that are told apart; what does not fit into one of them is counted by kind alone.
const GROUPS_MAX: usize = 5_000;
/// Objects that a group names.
const EXAMPLES_MAX: usize = 5;

/// Objects of one type that change in the same way for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The target; `None` for changes of the mesh itself.
    pub connector: Option<String>,
    /// The object type there.
    pub object_type: Name,
    /// What happens to each: `create`, `update`, `leave`, `disable`, …
    pub what: &'static str,
    /// The attributes that change, in the order of names.
    pub attributes: Vec<Name>,
    /// Why.
    pub reason: String,
    /// The rule behind it.
    pub rule: Option<String>,
    /// How many objects.
    pub count: u64,
    /// Some of them by their anchors.
    pub examples: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    connector: Option<ConnectorId>,
    object_type: Name,
    what: &'static str,
    attributes: Vec<Name>,
    reason: String,
    rule: RuleId,
}

/// Gathers groups, part by part.
#[derive(Debug, Default)]
pub struct Groups(HashMap<Key, (u64, Vec<String>)>);

impl Groups {
    /// Takes in one part of a plan.
    pub fn add(&mut self, plan: &Plan) {
        for object in &plan.objects {
            if let Some((what, attributes)) = mesh_change(object) {
                let (reason, rule) = (object.reason.text.clone(), object.reason.rule);
                let key =
                    Key { connector: None, object_type: object.mesh_type, what, attributes, reason, rule };
                self.count(key, &object.anchor);
            }
            for item in &object.items {
                let key = Key {
                    connector: Some(item.connector),
                    object_type: item.object_type,
                    what: item.operation.as_str(),
                    attributes: changed(&item.action),
                    reason: item.reason.text.clone(),
                    rule: item.rule,
                };
                self.count(key, &object.anchor);
            }
        }
    }

    fn count(&mut self, mut key: Key, anchor: &str) {
        if self.0.len() >= GROUPS_MAX && !self.0.contains_key(&key) {
            (key.attributes, key.reason, key.rule) = (Vec::new(), "various".to_owned(), RuleId(0));
        }
        let (count, examples) = self.0.entry(key).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX {
            examples.push(anchor.to_owned());
        }
    }

    /// The groups, the mesh first, then by target, type and kind, the large ones first.
    #[must_use]
    pub fn into_list(self, in_force: &InForce) -> Vec<Group> {
        let group = |(key, (count, examples)): (Key, (u64, Vec<String>))| Group {
            connector: key.connector.map(|id| in_force.name_of(id)),
            object_type: key.object_type,
            what: key.what,
            attributes: key.attributes,
            reason: key.reason,
            rule: (key.rule != RuleId(0)).then(|| in_force.rules.rule_name(key.rule)),
            count,
            examples,
        };
        let mut out: Vec<Group> = self.0.into_iter().map(group).collect();
        out.sort_by(|a, b| {
            let by_kind = (&a.connector, a.object_type, a.what).cmp(&(&b.connector, b.object_type, b.what));
            by_kind
                .then(b.count.cmp(&a.count))
                .then_with(|| (&a.attributes, &a.reason).cmp(&(&b.attributes, &b.reason)))
        });
        out
    }
}

/// What happens to the mesh object itself, and which of its attributes change.
fn mesh_change(object: &ObjectPlan) -> Option<(&'static str, Vec<Name>)> {
    match object.change.as_ref()? {
        MeshChange::Create { .. } => Some(("create", Vec::new())),
        MeshChange::Purge { .. } => Some(("purge", Vec::new())),
        MeshChange::Update { before, .. } if before.is_empty() => None,
        MeshChange::Update { before, state, .. } => {
            let what = match (before.state.is_some(), state) {
                (false, _) => "update",
                (true, MeshState::Active) => "return",
                (true, MeshState::Leaving { .. }) => "leave",
                (true, MeshState::Deleted { .. }) => "delete",
            };
            let single = before.attributes.iter().map(|(name, _)| *name);
            let mut names: Vec<Name> = single.chain(before.sets.iter().map(|set| set.name)).collect();
            names.sort_unstable();
            Some((what, names))
        }
    }
}

fn changed(action: &ItemAction) -> Vec<Name> {
    let ItemAction::Update { changes, .. } = action else { return Vec::new() };
    let is_change = |edit: &Edit| match edit {
        Edit::Replace { old, new } => old != new,
        Edit::Set { add, remove, .. } => !add.is_empty() || !remove.is_empty(),
    };
    changes.iter().filter(|change| is_change(&change.edit)).map(|change| change.name).collect()
}
