//! Deciding about joins.

use identitymesh_engine::joins::{Fate, Whose};
use identitymesh_model::{MeshId, MeshState, SpaceId};
use identitymesh_runner::{JoinAsk, LinkScope, decide_join, reconsider_links, reevaluate_joins};
use identitymesh_store::{MeshFilter, MeshRow, SpaceFilter, SpaceRow, StoreError};

use super::{CHANGES_MAX, Outcome, Person, ROWS_MAX, answered, one_of};
use crate::die::Die;
use crate::systems::name;

/// A decision about joins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Join {
    Link,
    Unlink,
    Never,
    Split,
    Merge,
    /// The newest decision that was not taken back yet is taken back.
    TakeBack,
}

impl Join {
    pub(super) fn draw(die: &mut Die) -> Self {
        die.pick(&[
            Self::Link,
            Self::Unlink,
            Self::Never,
            Self::Split,
            Self::Merge,
            Self::TakeBack,
            Self::TakeBack,
        ])
    }
}

impl Person<'_> {
    pub(super) async fn join(&mut self, join: Join) -> Outcome {
        let Some((ask, mut anchors)) = self.ask(join)? else {
            return Ok(vec!["there is nothing to decide about".to_owned()]);
        };
        if let JoinAsk::Link(space, _) | JoinAsk::Never(space, _) = &ask {
            anchors.extend(self.named_in(*space)?);
        }
        self.decides_about(anchors.iter().map(String::as_str));
        let told = format!("{ask:?}, about {}", anchors.join(", "));
        let decided = decide_join(&self.process.mesh, ask, "somebody knows better".to_owned()).await;
        answered(decided, |decided| format!("decision {}: {told}", decided.id))
    }

    /// Lets the rules look again at all links that they made, having seen what that changes.
    pub(super) async fn reevaluate(&mut self) -> Outcome {
        let links = match reconsider_links(&self.process.mesh, &LinkScope::default()) {
            Ok(links) => links,
            Err(error) => return answered(Err(error), |()| String::new()),
        };
        if links.changes.is_empty() || links.changes.len() > CHANGES_MAX {
            return Ok(vec![format!("re-evaluation: {} changes are left alone", links.changes.len())]);
        }
        let mut anchors = Vec::new();
        for change in &links.changes {
            anchors.extend([change.mesh.record.anchor.to_string(), change.space.external_id.to_string()]);
            match &change.fate {
                Fate::Begins { anchor, .. } => anchors.push(anchor.to_string()),
                Fate::Moves(Whose::Known(mesh), _) => {
                    let view = self.reader()?.views(&[*mesh])?.pop().flatten();
                    anchors.extend(view.map(|view| view.record.anchor.to_string()));
                }
                _ => {}
            }
        }
        self.decides_about(anchors.iter().map(String::as_str));
        let mesh = &self.process.mesh;
        let answer = reevaluate_joins(mesh, LinkScope::default(), "the rules know better".to_owned()).await;
        let words: Vec<String> = links.changes.iter().map(|change| change.word().to_owned()).collect();
        answered(answer, |_| format!("re-evaluation: {}, about {}", words.join(", "), anchors.join(", ")))
    }

    /// What to decide, and the anchors of all whom it is about.
    fn ask(&mut self, join: Join) -> Result<Option<(JoinAsk, Vec<String>)>, StoreError> {
        let (people, objects) = (self.people()?, self.objects()?);
        let owner = |id: Option<MeshId>| {
            people.iter().find(|row| Some(row.id) == id).map(|row| row.anchor.to_string())
        };
        let linked: Vec<&SpaceRow> = objects.iter().filter(|space| owner(space.mesh).is_some()).collect();
        let mut somebody = || one_of(self.die, people.iter().collect::<Vec<&MeshRow>>());
        let chosen = match join {
            Join::Link | Join::Never => {
                let (Some(mesh), Some(space)) =
                    (somebody(), one_of(self.die, objects.iter().collect::<Vec<_>>()))
                else {
                    return Ok(None);
                };
                let named =
                    [owner(space.mesh), Some(space.external_id.to_string()), Some(mesh.anchor.to_string())];
                let ask = match join {
                    Join::Link => JoinAsk::Link(space.id, mesh.id),
                    _ => JoinAsk::Never(space.id, mesh.id),
                };
                Some((ask, named.into_iter().flatten().collect()))
            }
            Join::Unlink => one_of(self.die, linked)
                .map(|space| (JoinAsk::Unlink(space.id), owner(space.mesh).into_iter().collect())),
            Join::Split => one_of(self.die, linked).and_then(|space| {
                let (mesh, anchor) = (space.mesh?, owner(space.mesh)?);
                let new = format!("{anchor}-{}", space.id);
                Some((JoinAsk::Split(mesh, vec![space.id], Some(new.as_str().into())), vec![anchor, new]))
            }),
            Join::Merge => match (somebody(), somebody()) {
                (Some(one), Some(other)) if one.id != other.id => {
                    let anchors = vec![one.anchor.to_string(), other.anchor.to_string()];
                    Some((JoinAsk::Merge(one.id, other.id), anchors))
                }
                _ => None,
            },
            Join::TakeBack => self.newest_decision()?.map(|id| (JoinAsk::Revert(id), Vec::new())),
        };
        Ok(chosen)
    }

    /// Whose name stands in an object: it was theirs, although it may belong to nobody now.
    fn named_in(&self, space: SpaceId) -> Result<Option<String>, StoreError> {
        let record = self.reader()?.spaces(&[space])?.pop().flatten();
        let named = record.and_then(|record| {
            let value = ["uid", "id"].into_iter().find_map(|it| record.doc.single(name(it)).cloned())?;
            value.as_text().map(str::to_owned)
        });
        Ok(named)
    }

    fn newest_decision(&self) -> Result<Option<identitymesh_model::DecisionId>, StoreError> {
        let decisions = self.reader()?.decision_list(None, ROWS_MAX)?;
        let mut open = decisions.into_iter().filter(|row| row.reverts.is_none() && row.reverted_by.is_none());
        Ok(open.next().map(|row| row.id))
    }

    fn people(&self) -> Result<Vec<MeshRow>, StoreError> {
        let of_type = MeshFilter { mesh_type: Some(name("user")), contains: None };
        let mut people = self.reader()?.mesh_list(&of_type, None, ROWS_MAX)?.items;
        people.retain(|row| row.state == MeshState::Active);
        Ok(people)
    }

    /// Objects that belong to a person or could.
    fn objects(&self) -> Result<Vec<SpaceRow>, StoreError> {
        let mut objects = self.reader()?.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items;
        let of_people = [name("person"), name("account"), name("contact")];
        objects.retain(|space| !space.deleted && of_people.contains(&space.object_type));
        Ok(objects)
    }
}
