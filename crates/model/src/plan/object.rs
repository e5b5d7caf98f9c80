//! What a plan changes in the mesh for one object, and notes on objects that found no mesh object.

use serde::{Deserialize, Serialize};

use super::ItemPlan;
use crate::{
    ConnectorId, ContentHash, LinkMode, MeshId, MeshState, Name, Object, Provenance, RuleId, SpaceId, Text,
    Timestamp, Uid, Value, Values, canonical,
};

/// A whole plan, or one bounded part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Mesh objects in the order in which they were planned.
    pub objects: Vec<ObjectPlan>,
    /// Management-space objects without a mesh object: why, and what they wait for.
    pub spaces: Vec<SpacePlan>,
    /// Mesh and management-space objects that have to be looked at again.
    pub wakes: Vec<Wake>,
}

impl Plan {
    /// The hash of everything in the plan: what an approval names, and what tells two plans apart.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(&serde_json::to_string(self).expect("a plan is JSON"))
    }
}

/// Why something changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// One sentence in lower case: `joined by employee_id`, `left the scope of staff`.
    pub text: String,
    /// The rule behind it; rule 0 when none is.
    pub rule: RuleId,
}

/// Everything that changes for one mesh object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectPlan {
    /// The mesh object; a new one has its id already.
    pub id: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// Its type.
    pub mesh_type: Name,
    /// Its anchor, as after the change.
    pub anchor: Text,
    /// What happens to the mesh object itself; `None` when only queue items or leave states change.
    pub change: Option<MeshChange>,
    /// Its links.
    pub links: Vec<LinkChange>,
    /// Its keys in the join index.
    pub keys: Vec<KeyChange>,
    /// Its references to other mesh objects.
    pub edges: Vec<EdgeChange>,
    /// Items for the queue. An item replaces the live one of the same target.
    pub items: Vec<ItemPlan>,
    /// Targets whose live item is not wanted any more.
    pub cancelled: Vec<ConnectorId>,
    /// Leave states that begin, go on or end.
    pub leaving: Vec<LeavePlan>,
    /// Names that the object now holds in a target, for uniqueness. Replaces all that it held there before.
    pub names: Vec<IndexKey>,
    /// Why the object was looked at and changed.
    pub reason: Reason,
}

/// What happens to the mesh object itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeshChange {
    /// It is new.
    Create {
        /// Its attributes.
        doc: Object,
        /// Their origins.
        provenance: Provenance,
    },
    /// It changes.
    Update {
        /// Its version before; a store that has another one refuses the plan.
        version: i64,
        /// Its attributes after the change.
        doc: Object,
        /// Their origins.
        provenance: Provenance,
        /// Its state after the change.
        state: MeshState,
        /// What it was before, where that differs.
        before: Before,
    },
    /// Nothing refers to it any more and it goes for good.
    Purge {
        /// Its version before.
        version: i64,
        /// Everything it was.
        before: Before,
    },
}

/// What a mesh object was before a change: the reverse of the change, from which history is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Attributes that changed, with their values before; `None` was absent.
    pub attributes: Vec<(Name, Option<Values>)>,
    /// For the same attributes, the rules that had given them.
    pub rules: Vec<Vec<RuleId>>,
    /// Sets of references, and other sets that change value by value: only what changed.
    pub sets: Vec<SetBefore>,
    /// The state before, when it changed.
    pub state: Option<MeshState>,
    /// The anchor before, when it changed.
    pub anchor: Option<Text>,
    /// The type, of an object that went for good.
    pub mesh_type: Option<Name>,
}

/// What a change did to a set: the set before is the one after it, less what was added, and what was taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetBefore {
    /// The attribute.
    pub name: Name,
    /// What was added.
    pub added: Vec<Value>,
    /// What was taken out.
    pub removed: Vec<Value>,
}

impl SetBefore {
    /// From two sorted sets.
    #[must_use]
    pub fn between(name: Name, old: Option<&Values>, new: Option<&Values>) -> Self {
        let old = old.map_or(&[][..], Values::as_slice);
        let new = new.map_or(&[][..], Values::as_slice);
        let (added, removed) = super::item::set_difference(old, new);
        Self { name, added, removed }
    }
}

impl Before {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.sets.is_empty() && self.state.is_none() && self.anchor.is_none()
    }

    /// The canonical text: members `a` (values), `r` (rules), `v` (values of sets, `+` added and `-` taken out), `s`
    /// (state), `k` (anchor), `t` (type), each only when needed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::from("{");
        let member = |out: &mut String, name: &str| {
            if out.len() > 1 {
                out.push(',');
            }
            canonical::write_text(name, out);
            out.push(':');
        };
        if !self.attributes.is_empty() {
            member(&mut out, "a");
            for (index, (name, values)) in self.attributes.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                canonical::write_text(name.as_str(), &mut out);
                out.push(':');
                match values {
                    Some(values) => canonical::write_values(values, &mut out),
                    None => out.push_str("null"),
                }
            }
            out.push('}');
            if !self.rules.is_empty() {
                member(&mut out, "r");
                out.push_str(&serde_json::to_string(&self.rules).expect("numbers are JSON"));
            }
        }
        if !self.sets.is_empty() {
            member(&mut out, "v");
            for (index, set) in self.sets.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                canonical::write_text(set.name.as_str(), &mut out);
                out.push_str(":{");
                let sides = [("+", &set.added), ("-", &set.removed)];
                for (at, (sign, values)) in sides.into_iter().filter(|(_, list)| !list.is_empty()).enumerate()
                {
                    out.push_str(if at == 0 { "\"" } else { ",\"" });
                    out.push_str(sign);
                    out.push_str("\":");
                    canonical::write_values(&Values::Set(values.clone()), &mut out);
                }
                out.push('}');
            }
            out.push('}');
        }
        if let Some(state) = &self.state {
            member(&mut out, "s");
            out.push_str(&serde_json::to_string(state).expect("a state is JSON"));
        }
        if let Some(anchor) = &self.anchor {
            member(&mut out, "k");
            canonical::write_text(anchor, &mut out);
        }
        if let Some(mesh_type) = &self.mesh_type {
            member(&mut out, "t");
            canonical::write_text(mesh_type.as_str(), &mut out);
        }
        out.push('}');
        out
    }
}

/// A link that begins or ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// It begins.
    Add {
        /// The management-space object.
        space: SpaceId,
        /// The rule.
        rule: RuleId,
        /// How it came about.
        mode: LinkMode,
        /// The values that matched, for people.
        matched: String,
        /// For a fuzzy join: 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<u8>,
    },
    /// It ends; the management-space object itself goes too when `purge` says so.
    Remove {
        /// The management-space object.
        space: SpaceId,
        /// The object is gone in its system, and its row has no more use.
        purge: bool,
    },
}

/// A key of an index: the index's number and the normalised text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// Which index.
    pub index: i64,
    /// The normalised text.
    pub key: Text,
}

/// A key that begins or ends to lead to the mesh object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// The key.
    pub key: IndexKey,
    /// Whether it begins.
    pub add: bool,
}

/// A reference from one mesh object to another that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeChange {
    /// The mesh attribute.
    pub attribute: Name,
    /// The other object.
    pub member: Uid,
    /// Whether it begins.
    pub add: bool,
}

/// The leave state of one target after the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeavePlan {
    /// The object is on its way out, with this many steps planned.
    Set {
        /// The target.
        connector: ConnectorId,
        /// The projection rule.
        rule: RuleId,
        /// Since when.
        since: Timestamp,
        /// Steps planned.
        steps: u16,
    },
    /// The object is back, or all is done.
    Clear {
        /// The target.
        connector: ConnectorId,
    },
}

/// A management-space object that has no mesh object, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpacePlan {
    /// The object.
    pub space: SpaceId,
    /// What to remember about it; `None` when there is nothing any more.
    pub note: Option<Note>,
    /// The keys of mesh objects that it waits for.
    pub waits: Vec<IndexKey>,
    /// It is gone in its system, and its row has no more use.
    pub purge: bool,
}

/// Why an object has no mesh object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// In one word.
    pub kind: NoteKind,
    /// In one sentence.
    pub text: String,
    /// The mesh objects in question, for a conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<MeshId>,
    /// For a conflict of a fuzzy join: how alike each candidate is, 0 to 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<u8>,
}

impl Note {
    /// A note without candidates.
    #[must_use]
    pub fn new(kind: NoteKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), candidates: Vec::new(), scores: Vec::new() }
    }
}

/// Why an object has no mesh object, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// No rule found a mesh object and none may be created.
    Unjoined,
    /// More than one mesh object, or one that is taken.
    Conflict,
    /// The connector's scope leaves it out.
    OutOfScope,
    /// A rule failed on it.
    Failed,
}

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// A mesh object, at once or when time makes a difference.
    Mesh {
        /// Which.
        id: MeshId,
        /// Not before.
        at: Option<Timestamp>,
    },
    /// Objects without a mesh object that wait for one of these keys.
    Waiting {
        /// The key.
        key: IndexKey,
    },
    /// Mesh objects whose source objects refer to this management-space object, but for those of the same plan: they
    /// were planned with it in sight. An object without a mesh object follows its references when it is linked.
    Referrers {
        /// The object that can now be, or can no longer be, resolved.
        space: SpaceId,
    },
    /// Mesh objects that refer to this one.
    Holders {
        /// Which.
        id: MeshId,
    },
    /// The owner waits until the member has an address in the target.
    Address {
        /// The target.
        connector: ConnectorId,
        /// The mesh object whose attribute waits.
        owner: MeshId,
        /// The mesh object that it refers to.
        member: Uid,
    },
}

impl ObjectPlan {
    /// The hash of the mesh object after the change, `None` when it does not change or is gone.
    #[must_use]
    pub fn content_hash(&self) -> Option<ContentHash> {
        match &self.change {
            Some(MeshChange::Create { doc, .. } | MeshChange::Update { doc, .. }) => {
                Some(ContentHash::of(&canonical::object_to_string(doc)))
            }
            _ => None,
        }
    }

    /// Whether carrying it out would change nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.change.is_none()
            && self.links.is_empty()
            && self.keys.is_empty()
            && self.edges.is_empty()
            && self.items.is_empty()
            && self.cancelled.is_empty()
            && self.leaving.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Value};

    fn plan() -> Plan {
        let mail = Name::literal("mail");
        let mut doc = Object::new();
        doc.set(mail, "zoë@x.example");
        doc.set(Name::literal("tags"), Values::set(vec!["a".into()]).unwrap());
        let origin = Origin { space: Some(SpaceId(7)), rule: RuleId(3), run: crate::RunId(2) };
        let provenance = Provenance(vec![std::iter::once(origin).collect(); 2]);
        let before = Before {
            attributes: vec![(mail, None)],
            rules: vec![Vec::new()],
            sets: vec![SetBefore {
                name: Name::literal("members"),
                added: vec![Value::reference("a")],
                removed: Vec::new(),
            }],
            state: Some(MeshState::Active),
            anchor: None,
            mesh_type: None,
        };
        let change = MeshChange::Update { version: 1, doc, provenance, state: MeshState::Active, before };
        let key = IndexKey { index: 1, key: "e-1".into() };
        let object = ObjectPlan {
            id: MeshId(1),
            uid: "018f0000-0000-7000-8000-000000000001".parse().unwrap(),
            mesh_type: Name::literal("user"),
            anchor: "E-1".into(),
            change: Some(change),
            links: vec![LinkChange::Remove { space: SpaceId(9), purge: true }],
            keys: vec![KeyChange { key: key.clone(), add: true }],
            edges: Vec::new(),
            items: Vec::new(),
            cancelled: vec![ConnectorId(4)],
            leaving: vec![LeavePlan::Clear { connector: ConnectorId(4) }],
            names: vec![key.clone()],
            reason: Reason { text: "changed in hr".into(), rule: RuleId(3) },
        };
        Plan { objects: vec![object], spaces: Vec::new(), wakes: vec![Wake::Waiting { key }] }
    }

    #[test]
    fn a_plan_comes_back_from_its_text_whole_and_with_the_same_hash() {
        let plan = plan();
        let text = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(read, plan);
        assert_eq!(read.content_hash(), plan.content_hash());
    }

    #[test]
    fn anything_that_differs_shows_in_the_hash() {
        let mut other = plan();
        other.objects[0].reason.text.push('!');
        assert_ne!(other.content_hash(), plan().content_hash());
        other = plan();
        other.wakes.clear();
        assert_ne!(other.content_hash(), plan().content_hash());
    }
}
