//! Asking for links again: what the rules in force make of objects that are linked by rules of before.
//!
//! An object is asked for alone first, as if it had no link and had given its mesh object nothing, with all others where
//! they are: what is found again stays. The rest is asked for together, in the order of their ids, as a sync would that
//! met them without links; those before are where they came to be. Nothing is planned here.
//!
//! Where a mesh object would leave without the object, it would keep what it has, and an object that is found by that
//! comes back to it: such a link stays.
//!
//! A mesh object that a create rule made stays with the object of which it was made while a create rule would make it
//! still, unless a join rule finds exactly one other for it: no conflict ends a person.

use std::collections::HashMap;

use identitymesh_model::plan::{Note, NoteKind, Reason};
use identitymesh_model::{Finding, Link, LinkMode, MeshId, SpaceId, SpaceRecord};

use super::join::{Again, Decision, Match};
use super::lifecycle::leaves_without;
use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::Probe;
use super::work::Work;
use crate::joins::{Fate, Found, Reconsidered, Whose};
use crate::rules::ObjectTypeRules;

/// How often objects without a mesh object are asked for again.
const ROUNDS_MAX: u8 = 8;

/// Whether objects are asked for one by one or together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Each as if it alone had no link.
    Alone,
    /// As if none of them had one.
    Together,
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// What becomes of the links of `spaces`, in their order; findings are of those that lose theirs.
    pub(super) fn reconsider(
        mut self,
        spaces: Vec<SpaceRecord>,
        asking: Asking,
    ) -> Result<(Vec<Reconsidered>, Vec<Finding>), N::Error> {
        let spaces = spaces.into_iter().filter(|space| space.link.is_some() && !space.deleted);
        let spaces: Vec<SpaceRecord> = spaces.collect();
        let whose = spaces.iter().filter_map(|space| space.link).map(|link| link.mesh).collect();
        self.load_missing(whose)?;
        let (mut out, mut asked) = (Vec::with_capacity(spaces.len()), Vec::new());
        for space in spaces {
            let object_type = self.rules.object_type(space.connector, space.object_type);
            if object_type.is_some_and(|object_type| self.is_in_scope(&space, object_type)) {
                asked.push(space);
            } else {
                let note = Note::new(NoteKind::OutOfScope, "the connector's scope leaves it out");
                out.push(Reconsidered { space: space.id, fate: Fate::Ends { note, waits: Vec::new() } });
            }
        }
        match asking {
            Asking::Alone => {
                for space in &asked {
                    if let Some(apart) = self.without(space) {
                        self.alone.insert(space.id, apart);
                    }
                }
            }
            Asking::Together => self.take_apart(&asked),
        }
        self.read_rulings(&asked)?;
        let probes = self.probe(&asked)?;
        let mut asked: Vec<(SpaceRecord, Probe)> = asked.into_iter().zip(probes).collect();
        match asking {
            Asking::Alone => {
                for (space, probe) in &asked {
                    let fate = self.ask(space, probe, &HashMap::new());
                    out.push(Reconsidered { space: space.id, fate });
                }
            }
            Asking::Together => self.ask_in_turn(&mut asked, &mut out),
        }
        out.sort_unstable_by_key(|known| known.space);
        Ok((out, self.findings))
    }

    /// Asks for all, and for those without a mesh object again while others find theirs: what one brings may be what
    /// another is found by.
    fn ask_in_turn(&mut self, asked: &mut Vec<(SpaceRecord, Probe)>, out: &mut Vec<Reconsidered>) {
        let mut begun = HashMap::new();
        for round in 1..=ROUNDS_MAX {
            let (told, before) = (self.findings.len(), asked.len());
            let mut left = Vec::new();
            for (space, probe) in asked.drain(..) {
                let fate = self.ask(&space, &probe, &begun);
                if matches!(fate, Fate::Ends { .. }) {
                    left.push((fate, space, probe));
                } else {
                    self.put(&space, &fate, &mut begun);
                    out.push(Reconsidered { space: space.id, fate });
                }
            }
            if round == ROUNDS_MAX || left.is_empty() || left.len() == before {
                out.extend(left.into_iter().map(|(fate, space, _)| Reconsidered { space: space.id, fate }));
                return;
            }
            self.findings.truncate(told);
            asked.extend(left.into_iter().map(|(_, space, probe)| (space, probe)));
        }
    }

    /// What the rules make of one object. What they have to say of an object that keeps a mesh object is no news.
    fn ask(&mut self, space: &SpaceRecord, probe: &Probe, begun: &HashMap<MeshId, SpaceId>) -> Fate {
        let object_type = self.rules.object_type(space.connector, space.object_type);
        let object_type = object_type.expect("objects without rules are out of scope");
        let told = self.findings.len();
        let link = space.link.expect("only links are asked for");
        self.again.insert(space.id, Again { mesh: link.mesh, is_whole: false });
        let decision = self.decide(space, probe, object_type);
        let mut fate = self.fate(link, decision, probe, object_type, begun);
        let work = self.works.position(link.mesh).map(|at| &self.works.list[at]);
        if matches!(fate, Fate::Ends { .. })
            && work.is_some_and(|work| leaves_without(work, self.rules, space))
        {
            // Without it the mesh object would leave, and keep what it has: the object would come back to it as to one
            // that it had left.
            let told = self.findings.len();
            self.again.insert(space.id, Again { mesh: link.mesh, is_whole: true });
            let decision = self.decide(space, probe, object_type);
            if matches!(&decision, Decision::Link(by) if by.mesh == link.mesh) {
                fate = self.fate(link, decision, probe, object_type, begun);
            }
            self.findings.truncate(told);
        }
        if !matches!(fate, Fate::Ends { .. }) {
            self.findings.truncate(told);
        }
        fate
    }

    fn fate(
        &self,
        link: Link,
        decision: Decision,
        probe: &Probe,
        object_type: &ObjectTypeRules,
        begun: &HashMap<MeshId, SpaceId>,
    ) -> Fate {
        let is_its_own = link.mode == LinkMode::Created && self.would_make(link.mesh, probe, object_type);
        match decision {
            Decision::Link(Match { mesh, rule, .. })
                if mesh == link.mesh && (is_its_own || rule == link.rule) =>
            {
                Fate::Stays
            }
            Decision::Link(Match { mesh, rule, matched, score, .. }) => {
                let found = Found { rule, matched, score };
                let whose = begun.get(&mesh).map_or(Whose::Known(mesh), |maker| Whose::Beginning(*maker));
                if mesh == link.mesh { Fate::StaysBy(found) } else { Fate::Moves(whose, found) }
            }
            Decision::Create { .. } | Decision::None(_) if is_its_own => Fate::Stays,
            Decision::Create { rule, anchor } => {
                let create = &object_type.creates[rule];
                Fate::Begins { rule: create.rule, mesh_type: create.mesh_type, anchor }
            }
            Decision::None(note) => {
                let waits = probe.waits(self.rules, object_type);
                Fate::Ends { note: without_beginning(note, begun), waits }
            }
        }
    }

    /// Whether a create rule would make an object of this mesh object's type still.
    fn would_make(&self, mesh: MeshId, probe: &Probe, object_type: &ObjectTypeRules) -> bool {
        let Some((at, Some(_))) = &probe.create else { return false };
        let work = self.works.position(mesh).map(|at| &self.works.list[at]);
        work.is_some_and(|work| work.view.record.mesh_type == object_type.creates[*at].mesh_type)
    }

    /// Takes the links of these objects away, with all that they give.
    fn take_apart(&mut self, spaces: &[SpaceRecord]) {
        let mut touched = Vec::new();
        for space in spaces {
            let Some(at) = space.link.and_then(|link| self.works.position(link.mesh)) else { continue };
            self.works.list[at].view.linked.retain(|known| known.id != space.id);
            touched.push(at);
        }
        touched.sort_unstable();
        touched.dedup();
        touched.into_iter().for_each(|at| self.find_apart(at));
    }

    /// Puts an object where it came to be, for those that follow.
    fn put(&mut self, space: &SpaceRecord, fate: &Fate, begun: &mut HashMap<MeshId, SpaceId>) {
        let mesh = match (fate, space.link) {
            (Fate::Stays | Fate::StaysBy(_), Some(link)) => link.mesh,
            (Fate::Moves(Whose::Known(mesh), _), _) => *mesh,
            (Fate::Moves(Whose::Beginning(maker), _), _) => number_of(*maker),
            (Fate::Begins { rule, mesh_type, anchor }, _) => {
                let id = number_of(space.id);
                let reason = Reason { text: "asked for again".to_owned(), rule: *rule };
                let uid = self.context.ids.next_uid(self.context.now);
                self.works.add(Work::begin(id, uid, *mesh_type, anchor.clone(), reason));
                begun.insert(id, space.id);
                id
            }
            (Fate::Ends { .. }, _) | (_, None) => return,
        };
        let Some(at) = self.works.position(mesh) else { return };
        let linked = &mut self.works.list[at].view.linked;
        let place = linked.partition_point(|known| known.id < space.id);
        linked.insert(place, space.clone());
        self.find_apart(at);
    }

    fn find_apart(&mut self, at: usize) {
        let rules = self.rules;
        let Some(mesh_type) = rules.mesh_type(self.works.list[at].view.record.mesh_type) else { return };
        let mut apart = std::mem::take(&mut self.apart);
        self.set_apart(at, mesh_type, &mut apart);
        self.apart = apart;
    }
}

/// A note that names no mesh object that only begins: it has no number yet.
fn without_beginning(mut note: Note, begun: &HashMap<MeshId, SpaceId>) -> Note {
    for at in (0..note.candidates.len()).rev() {
        if begun.contains_key(&note.candidates[at]) {
            note.candidates.remove(at);
            if at < note.scores.len() {
                note.scores.remove(at);
            }
        }
    }
    note
}

/// What a mesh object is called here that begins with an object: a number that no mesh object has.
const fn number_of(maker: SpaceId) -> MeshId {
    MeshId(-maker.0)
}
