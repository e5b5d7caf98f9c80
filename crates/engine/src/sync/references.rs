//! References in both directions (sync semantics, section 5): where those of source objects lead, and how a target
//! calls the mesh objects that its own objects refer to. All look-ups are for all objects of a part at once.

use std::collections::{HashMap, HashSet};

use identitymesh_model::plan::LinkChange;
use identitymesh_model::{ConnectorId, MeshState, Name, SpaceId, Text, Uid, Value, ValueType};

use super::neighbours::Neighbours;
use super::part::Part;
use super::resolve::{References, Resolver};
use super::target::Addresses;
use super::work::Work;
use crate::rules::{MeshTypeRules, ObjectTypeRules, Projection, ProjectionValue};

impl<N: Neighbours> Part<'_, '_, N> {
    /// Looks up where the references of all objects at work lead.
    pub(super) fn follow_references(&mut self) -> Result<(), N::Error> {
        if !self.rules.references {
            return Ok(());
        }
        let rules = self.rules;
        let mut wanted: HashMap<(ConnectorId, Option<i64>), HashSet<Text>> = HashMap::new();
        let none = References::new();
        let mut ignored = Vec::new();
        let mut resolver = Resolver {
            rules,
            now: self.context.now,
            run: self.context.run,
            evaluator: self.evaluator,
            references: &none,
            findings: &mut ignored,
        };
        let unresolved =
            |work: &&Work| work.is_dirty && work.resolved.is_none() && work.state == MeshState::Active;
        for work in self.works.list.iter().filter(unresolved) {
            let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) else { continue };
            for space in &work.view.linked {
                let Some(object_type) = rules.object_type(space.connector, space.object_type) else {
                    continue;
                };
                let by_address = rules.reference_index(space.connector, space.object_type);
                for flow in &object_type.flows {
                    let follows = mesh_type
                        .attribute(flow.target)
                        .is_some_and(|attribute| attribute.kind.value == ValueType::Reference);
                    if !follows {
                        continue;
                    }
                    if let Ok(Some(values)) = resolver.raw(flow, space) {
                        let keys = values.as_slice().iter().filter_map(Value::as_text).map(Text::new);
                        wanted.entry((space.connector, by_address)).or_default().extend(keys);
                    }
                }
            }
        }
        for ((connector, by_address), keys) in wanted {
            self.look_up(connector, by_address, keys)?;
        }
        Ok(())
    }

    fn look_up(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        keys: HashSet<Text>,
    ) -> Result<(), N::Error> {
        let mut keys: Vec<Text> = keys.into_iter().collect();
        keys.sort_unstable();
        let asked: Vec<Text> =
            keys.iter().map(|key| self.rules.reference_key(connector, by_address, key)).collect();
        let found = self.neighbours.referred(connector, by_address, &asked)?;
        // What this part links or unlinks is not in the state around it yet.
        let ended = self.works.list.iter().flat_map(|work| &work.links).filter_map(|link| match link {
            LinkChange::Remove { space, .. } => Some((*space, None)),
            LinkChange::Add { .. } => None,
        });
        let mut here: HashMap<SpaceId, Option<Uid>> = ended.collect();
        for work in &self.works.list {
            here.extend(work.view.linked.iter().map(|space| (space.id, Some(work.view.record.uid))));
        }
        for (key, referred) in keys.into_iter().zip(found) {
            let Some(referred) = referred else { continue };
            if let Some(uid) = here.get(&referred.space).copied().unwrap_or(referred.mesh) {
                self.references.insert((connector, key), uid);
            }
        }
        Ok(())
    }

    /// Looks up the addresses, in every target that wants them, of all mesh objects that are referred to.
    pub(super) fn addresses(&mut self) -> Result<HashMap<ConnectorId, Addresses>, N::Error> {
        let rules = self.rules;
        let mut wanted: HashMap<ConnectorId, (Option<Name>, HashSet<Uid>)> = HashMap::new();
        for work in self.works.list.iter().filter(|work| work.is_dirty) {
            let (Some(mesh_type), Some(resolved)) =
                (rules.mesh_type(work.view.record.mesh_type), &work.resolved)
            else {
                continue;
            };
            for (connector, projection, attribute) in mesh_type.projected_references() {
                let Some(values) = resolved.doc.get(attribute) else { continue };
                let address = rules
                    .object_type(connector, projection.object_type)
                    .and_then(ObjectTypeRules::address)
                    .or_else(|| projection.place.as_ref().map(|place| place.address));
                let uids = values
                    .as_slice()
                    .iter()
                    .filter_map(Value::as_text)
                    .filter_map(|uid| uid.parse::<Uid>().ok());
                wanted.entry(connector).or_insert_with(|| (address, HashSet::new())).1.extend(uids);
            }
        }
        let mut addresses = HashMap::new();
        for (connector, (address, uids)) in wanted {
            let mut uids: Vec<Uid> = uids.into_iter().collect();
            uids.sort_unstable();
            let found = self.neighbours.addresses(connector, address, &uids)?;
            addresses.insert(
                connector,
                uids.iter().map(|uid| Text::from(uid.to_string())).zip(found).collect::<Addresses>(),
            );
        }
        Ok(addresses)
    }
}

impl MeshTypeRules {
    /// Everything in projection rules that becomes references in a target: target, rule, mesh attribute.
    fn projected_references(&self) -> impl Iterator<Item = (ConnectorId, &Projection, Name)> {
        self.targets.iter().flat_map(|(connector, projections)| {
            projections.iter().flat_map(move |projection| {
                projection.attributes.iter().filter_map(move |attribute| match attribute.value {
                    ProjectionValue::References(source) => Some((*connector, projection, source)),
                    ProjectionValue::Expression(_) => None,
                })
            })
        })
    }
}
