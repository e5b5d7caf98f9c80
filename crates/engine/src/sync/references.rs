//! References in both directions (sync semantics, section 5): where those of source objects lead, and how a target
//! calls the mesh objects that its own objects refer to. All look-ups are for all objects of a part at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use identitymesh_model::plan::LinkChange;
use identitymesh_model::{ConnectorId, MeshState, Name, SpaceId, Text, Uid, Value, ValueType};

use super::neighbours::Neighbours;
use super::part::Part;
use super::resolve::{References, Resolver};
use super::target::{Addresses, Called};
use super::work::Work;
use crate::rules::{MeshTypeRules, ObjectTypeRules, Projection, ProjectionValue, Referring, TargetAttribute};

impl<N: Neighbours> Part<'_, '_, N> {
    /// Looks up where the references of all objects at work lead.
    pub(super) fn follow_references(&mut self) -> Result<(), N::Error> {
        if !self.rules.references {
            return Ok(());
        }
        let rules = self.rules;
        let mut wanted: HashMap<(ConnectorId, Referring), HashSet<Text>> = HashMap::new();
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
                for flow in &object_type.flows {
                    let follows = mesh_type
                        .attribute(flow.target)
                        .is_some_and(|attribute| attribute.kind.value == ValueType::Reference);
                    if !follows {
                        continue;
                    }
                    if let Ok(Some(values)) = resolver.raw(flow, space) {
                        let keys = values.as_slice().iter().filter_map(Value::as_text).map(Text::new);
                        let referring = rules.referring(space.connector, space.object_type, flow.refers_by);
                        wanted.entry((space.connector, referring)).or_default().extend(keys);
                    }
                }
            }
        }
        for ((connector, referring), keys) in wanted {
            self.look_up(connector, referring, keys)?;
        }
        Ok(())
    }

    fn look_up(
        &mut self,
        connector: ConnectorId,
        referring: Referring,
        keys: HashSet<Text>,
    ) -> Result<(), N::Error> {
        let mut keys: Vec<Text> = keys.into_iter().collect();
        keys.sort_unstable();
        let asked: Vec<Text> = keys.iter().map(|key| referring.key(key)).collect();
        let found = self.neighbours.referred(connector, referring.index, &asked)?;
        // What this part links or unlinks is not in the state around it yet.
        let ended = self.works.list.iter().flat_map(|work| &work.links).filter_map(|link| match link {
            LinkChange::Remove { space, .. } => Some((*space, None)),
            LinkChange::Add { .. } => None,
        });
        let mut here: HashMap<SpaceId, Option<Uid>> = ended.collect();
        for work in &self.works.list {
            here.extend(work.view.linked.iter().map(|space| (space.id, Some(work.view.record.uid))));
        }
        let known = self.references.entry((connector, referring)).or_default();
        known.reserve(keys.len());
        known.extend(keys.into_iter().zip(found).filter_map(|(key, referred)| {
            let referred = referred?;
            Some((key, here.get(&referred.space).copied().unwrap_or(referred.mesh)?))
        }));
        Ok(())
    }

    /// Looks up what every target that refers to them calls all mesh objects that are referred to.
    pub(super) fn addresses(&mut self) -> Result<HashMap<ConnectorId, Addresses>, N::Error> {
        let rules = self.rules;
        let mut wanted: HashMap<ConnectorId, Wanted> = HashMap::new();
        for work in self.works.list.iter().filter(|work| work.is_dirty) {
            let (Some(mesh_type), Some(resolved)) =
                (rules.mesh_type(work.view.record.mesh_type), &work.resolved)
            else {
                continue;
            };
            for (connector, projection, attribute, source) in mesh_type.projected_references() {
                let Some(values) = resolved.doc.get(source) else { continue };
                let uids = values.as_slice().iter().filter_map(Value::as_text);
                let uids = uids.filter_map(|uid| uid.parse::<Uid>().ok());
                let wanted = wanted.entry(connector).or_default();
                wanted.address = rules
                    .object_type(connector, projection.object_type)
                    .and_then(ObjectTypeRules::address)
                    .or_else(|| projection.place.as_ref().map(|place| place.address));
                wanted.uids.entry(attribute.refers_by).or_default().extend(uids);
            }
        }
        let mut addresses = HashMap::new();
        for (connector, wanted) in wanted {
            addresses.insert(connector, self.called(connector, wanted)?);
        }
        Ok(addresses)
    }

    fn called(&mut self, connector: ConnectorId, wanted: Wanted) -> Result<Addresses, N::Error> {
        let mut called = Addresses::new();
        for (by, uids) in wanted.uids {
            let mut uids: Vec<Uid> = uids.into_iter().collect();
            uids.sort_unstable();
            let found = self.neighbours.addresses(connector, by.or(wanted.address), &uids)?;
            let (named, unnamed): (Vec<_>, Vec<_>) =
                uids.into_iter().zip(found).partition(|(_, found)| found.is_some());
            let unnamed: Vec<Uid> = unnamed.into_iter().map(|(uid, _)| uid).collect();
            // Who is there, and holds nothing in the attribute, is not waited for.
            let there = match by {
                Some(_) if !unnamed.is_empty() => {
                    self.neighbours.addresses(connector, wanted.address, &unnamed)?
                }
                _ => vec![None; unnamed.len()],
            };
            let known = called.entry(by).or_default();
            known.extend(named.into_iter().filter_map(|(uid, found)| Some((uid, Called::By(found?)))));
            known.extend(
                unnamed
                    .into_iter()
                    .zip(there)
                    .map(|(uid, there)| (uid, there.map_or(Called::Nowhere, |_| Called::Nothing))),
            );
        }
        Ok(called)
    }
}

/// Whose addresses are looked up in one target: by the attribute that holds them, or else by the address.
#[derive(Default)]
struct Wanted {
    address: Option<Name>,
    uids: BTreeMap<Option<Name>, HashSet<Uid>>,
}

impl MeshTypeRules {
    /// Everything in projection rules that becomes references in a target: target, rule, attribute, mesh attribute.
    fn projected_references(
        &self,
    ) -> impl Iterator<Item = (ConnectorId, &Projection, &TargetAttribute, Name)> {
        self.targets.iter().flat_map(|(connector, projections)| {
            projections.iter().flat_map(move |projection| {
                projection.attributes.iter().filter_map(move |attribute| match attribute.value {
                    ProjectionValue::References(source) => Some((*connector, projection, attribute, source)),
                    ProjectionValue::Expression(_) => None,
                })
            })
        })
    }
}
