//! One part of an import on its way into the store: read against what is known, reduced to what differs.

use std::collections::HashMap;

use identitymesh_connector::{Change, ImportedObject};
use identitymesh_engine::rules::{Referring, RuleSet};
use identitymesh_engine::stage::{
    Difference, Referents, Told, compare, doubtful_references, fingerprint, names, patched, staged,
    with_known,
};
use identitymesh_model::{ConnectorId, ContentHash, Finding, Name, Object, SpaceId, SpaceRecord, Text};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{
    Cause, ExportedText, Known, Reader, ReferenceForm, SpaceBody, StageBatch, StageInsert, StageUpdate,
    StoreError,
};

use super::bounds::{Admitted, admit};

/// What a part changes, and what it saw.
#[derive(Default)]
pub(super) struct PartResult {
    pub(super) inserts: Vec<StageInsert>,
    pub(super) updates: Vec<StageUpdate>,
    pub(super) deletes: Vec<SpaceId>,
    /// Objects that were reported as gone; the guard decides when the read is at its end.
    pub(super) gone: Vec<(Name, SpaceId)>,
    /// Those of them that are deleted, and have not only left what is imported.
    pub(super) deleted: Vec<SpaceId>,
    /// Objects that were reported as deleted and are not known any more, or known as gone already.
    pub(super) departed: Vec<(Name, Text)>,
    pub(super) findings: Vec<Finding>,
    /// Objects that are there and stay as they were, because they are beyond a bound.
    pub(super) refused: Vec<(Name, Text)>,
    /// Objects whose references seem to be changed by somebody else, as they are now: they may only mean somebody who
    /// has another address, which what follows will tell.
    pub(super) doubtful: Vec<Change>,
    /// Under which names those are found now.
    pub(super) told: Told,
    /// Object types of whole objects that came more than once in this part, once for each time too many.
    pub(super) repeated: Vec<Name>,
    /// Known objects that were seen, by type.
    pub(super) seen: Vec<(Name, SpaceId)>,
    pub(super) unchanged: u64,
    pub(super) confirmed: u64,
    pub(super) drifted: u64,
    /// Patches and deletes of objects that nobody knows.
    pub(super) unknown: u64,
}

impl PartResult {
    pub(super) const fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.updates.is_empty() && self.deletes.is_empty()
    }
}

/// Compares a part with what is known.
pub(super) struct Comparer<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) connector: ConnectorId,
    pub(super) cause: &'a Cause,
    /// None of the objects of the part is known yet.
    pub(super) are_new: bool,
    /// The system showed them; otherwise what they are follows from something else.
    pub(super) are_shown: bool,
    /// What objects in doubt told of themselves, once all others have told their addresses; nothing is in doubt any more.
    pub(super) told: Option<&'a Told>,
}

enum Incoming {
    /// All of it but the attributes in `unread`, which stay as they are known.
    Object {
        object: Object,
        print: (ContentHash, String),
        unread: Vec<Name>,
    },
    Patch(identitymesh_connector::Patch),
    Gone {
        is_deleted: bool,
    },
}

impl Incoming {
    /// Whether it says everything about the object, whatever was said before.
    fn is_whole(&self) -> bool {
        match self {
            Self::Object { unread, .. } => unread.is_empty(),
            Self::Patch(_) => false,
            Self::Gone { .. } => true,
        }
    }
}

impl Comparer<'_> {
    /// What `changes` mean; of one object the last one counts, and patches add up in order.
    pub(super) fn compare(
        &self,
        changes: Vec<Change>,
        reader: &mut dyn Reader,
    ) -> Result<PartResult, StoreError> {
        let mut result = PartResult::default();
        let mut by_type: HashMap<Name, Vec<(Text, Incoming)>> = HashMap::new();
        for change in changes {
            let Some((object_type, id, incoming)) = self.admit(change, &mut result) else {
                continue;
            };
            by_type.entry(object_type).or_default().push((id, incoming));
        }
        let mut by_type: Vec<(Name, Vec<(Text, Incoming)>)> = by_type.into_iter().collect();
        by_type.sort_by_key(|(object_type, _)| *object_type);
        for (object_type, mut incoming) in by_type {
            // A stable sort: changes of one object keep their order.
            incoming.sort_by(|(left, _), (right, _)| left.cmp(right));
            self.compare_type(object_type, incoming, reader, &mut result)?;
        }
        Ok(result)
    }

    /// What is within the bounds, with a finding for what is not.
    fn admit(&self, change: Change, result: &mut PartResult) -> Option<(Name, Text, Incoming)> {
        let Admitted { change, refused, problems } = admit(change);
        for (id, message) in problems {
            let mut finding = Finding::new("IMP-001", message);
            finding.connector = Some(self.connector);
            finding.subject = Some(id);
            result.findings.push(finding);
        }
        result.refused.extend(refused);
        Some(match change? {
            Change::Upsert(object) => {
                let print = fingerprint(&object.attributes);
                let incoming = Incoming::Object { object: object.attributes, print, unread: object.unread };
                (object.object_type, object.external_id, incoming)
            }
            Change::Patch(patch) => (patch.object_type, patch.external_id.clone(), Incoming::Patch(patch)),
            Change::Delete { object_type, external_id } => {
                (object_type, external_id, Incoming::Gone { is_deleted: true })
            }
            Change::Left { object_type, external_id } => {
                (object_type, external_id, Incoming::Gone { is_deleted: false })
            }
        })
    }

    fn compare_type(
        &self,
        object_type: Name,
        incoming: Vec<(Text, Incoming)>,
        reader: &mut dyn Reader,
        result: &mut PartResult,
    ) -> Result<(), StoreError> {
        let mut ids: Vec<&str> = incoming.iter().map(|(id, _)| id.as_str()).collect();
        ids.dedup();
        // One answer for each id, in their order, which is the order of the groups below.
        let answers = match self.are_new {
            true => vec![None; ids.len()],
            false => reader.known(self.connector, object_type, &ids)?,
        };
        let mut answers = answers.into_iter();
        let mut rest = incoming.into_iter().peekable();
        let mut careful = Vec::new();
        while let Some((id, first)) = rest.next() {
            let mut changes = vec![first];
            while let Some((_, change)) = rest.next_if(|(next, _)| *next == id) {
                changes.push(change);
            }
            let whole = changes.iter().filter(|change| matches!(change, Incoming::Object { .. })).count();
            result.repeated.extend(std::iter::repeat_n(object_type, whole.saturating_sub(1)));
            // The newest whole statement about the object makes all older ones void.
            let from = changes.iter().rposition(Incoming::is_whole).unwrap_or(0);
            let changes = changes.split_off(from);
            let known = answers.next().flatten();
            self.one(object_type, id, changes, known, &mut careful, result);
        }
        self.compare_carefully(object_type, careful, reader, result)
    }

    fn one(
        &self,
        object_type: Name,
        id: Text,
        mut changes: Vec<Incoming>,
        known: Option<Known>,
        careful: &mut Vec<(Known, Vec<Incoming>)>,
        result: &mut PartResult,
    ) {
        let is_single = changes.len() == 1;
        match (changes.first(), known) {
            (Some(Incoming::Object { .. }), None) if is_single => {
                let Some(Incoming::Object { object, print, .. }) = changes.pop() else { return };
                let body = self.body(object_type, &object, print);
                result.inserts.push(StageInsert { object_type, external_id: id, body });
            }
            (Some(Incoming::Object { print, unread, .. }), Some(known))
                if is_single && unread.is_empty() && is_as_known(print.0, &known) =>
            {
                result.unchanged += 1;
                result.seen.push((object_type, known.id));
            }
            (Some(Incoming::Object { unread, .. }), Some(known))
                if is_single && unread.is_empty() && !known.exported && !known.deleted =>
            {
                let Some(Incoming::Object { object, print, .. }) = changes.pop() else { return };
                let body = self.body(object_type, &object, print);
                result.seen.push((object_type, known.id));
                result.updates.push(StageUpdate {
                    id: known.id,
                    body,
                    exported: None,
                    touch: true,
                    shown: true,
                    row: None,
                });
            }
            (Some(Incoming::Gone { is_deleted }), Some(known)) if is_single => {
                if !known.deleted {
                    result.gone.push((object_type, known.id));
                    result.deleted.extend(is_deleted.then_some(known.id));
                } else if *is_deleted {
                    result.departed.push((object_type, id));
                }
            }
            (_, Some(known)) => careful.push((known, changes)),
            (_, None) => self.unknown(object_type, id, changes, result),
        }
    }

    /// Several changes of an object that is not known: an upsert with patches behind it, or nothing to stand on.
    fn unknown(&self, object_type: Name, id: Text, changes: Vec<Incoming>, result: &mut PartResult) {
        let is_deleted = matches!(changes.first(), Some(Incoming::Gone { is_deleted: true }));
        let mut object: Option<Object> = None;
        for change in changes {
            object = match change {
                Incoming::Object { object: new, unread, .. } => {
                    Some(with_known(new, &unread, &object.unwrap_or_default()))
                }
                Incoming::Patch(patch) => object.map(|object| apply(&object, &patch)),
                Incoming::Gone { .. } => None,
            };
        }
        match object {
            Some(object) => {
                let print = fingerprint(&object);
                let body = self.body(object_type, &object, print);
                result.inserts.push(StageInsert { object_type, external_id: id, body });
            }
            None => {
                result.unknown += 1;
                result.departed.extend(is_deleted.then_some((object_type, id)));
            }
        }
    }

    /// Objects that need to be compared attribute by attribute: exported ones, patched ones, returning ones, and those
    /// that could not be read whole.
    fn compare_carefully(
        &self,
        object_type: Name,
        careful: Vec<(Known, Vec<Incoming>)>,
        reader: &mut dyn Reader,
        result: &mut PartResult,
    ) -> Result<(), StoreError> {
        let ids: Vec<SpaceId> = careful.iter().map(|(known, _)| known.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let records = reader.spaces(&ids)?;
        let mut differing = Vec::new();
        let mut doubtful = Vec::new();
        for ((known, changes), record) in careful.into_iter().zip(records) {
            let Some(record) = record else { continue };
            let is_deleted = matches!(changes.first(), Some(Incoming::Gone { is_deleted: true }));
            let (now, is_gone) = self.after(&record, changes);
            let print = fingerprint(&now);
            let is_same = is_as_known(print.0, &known);
            let doubts = match is_gone || is_same {
                true => Vec::new(),
                false => doubtful_references(&record, &now, self.rules),
            };
            if !doubts.is_empty() && self.told.is_none() {
                let names = names(self.rules, self.connector, object_type, &now);
                result.told.extend(names.into_iter().map(|name| (name, record.id)));
                let external_id = record.external_id.clone();
                result.doubtful.push(Change::Upsert(ImportedObject::whole(object_type, external_id, now)));
                continue;
            }
            result.seen.push((object_type, known.id));
            if is_gone {
                if !known.deleted {
                    result.gone.push((object_type, known.id));
                    result.deleted.extend(is_deleted.then_some(known.id));
                }
            } else if is_same {
                result.unchanged += 1;
            } else {
                doubtful.extend(doubts);
                differing.push((record, now, print));
            }
        }
        let nothing = Told::new();
        let referents = referents(self.connector, doubtful, self.told.unwrap_or(&nothing), reader)?;
        let mut drifted_meshes = Vec::new();
        for (record, now, print) in differing {
            let difference = compare(&record, &now, self.rules, &referents);
            if !difference.drifted.is_empty() {
                drifted_meshes
                    .extend(record.link.map(|link| (link.mesh, result.updates.len(), difference.clone())));
                result.drifted += 1;
            } else if record.unconfirmed && self.are_shown {
                result.confirmed += 1;
            }
            let exported = ExportedText {
                names: difference.exported.names.clone(),
                drift: difference.exported.drift_text(),
            };
            let body = self.body(object_type, &now, print);
            result.updates.push(StageUpdate {
                id: record.id,
                body,
                exported: Some(exported),
                touch: difference.touch,
                shown: self.are_shown,
                row: None,
            });
        }
        self.tell_drift(drifted_meshes, reader, result)
    }

    fn after(&self, record: &SpaceRecord, changes: Vec<Incoming>) -> (Object, bool) {
        let (mut now, mut is_gone) = (record.doc.clone(), record.deleted);
        for change in changes {
            (now, is_gone) = match change {
                Incoming::Object { object, unread, .. } => (with_known(object, &unread, &now), false),
                Incoming::Patch(patch) => (apply(&now, &patch), is_gone),
                Incoming::Gone { .. } => (now, true),
            };
        }
        (now, is_gone)
    }

    /// Drift is a change that somebody made to what we wrote, so the audit has a row of it.
    fn tell_drift(
        &self,
        drifted: Vec<(identitymesh_model::MeshId, usize, Difference)>,
        reader: &mut dyn Reader,
        result: &mut PartResult,
    ) -> Result<(), StoreError> {
        if drifted.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = drifted.iter().map(|(mesh, _, _)| *mesh).collect();
        let views = reader.views(&ids)?;
        for ((mesh, at, difference), view) in drifted.into_iter().zip(views) {
            let Some(view) = view else { continue };
            let before = identitymesh_model::plan::Before {
                rules: difference.drifted.iter().map(|_| Vec::new()).collect(),
                attributes: difference.drifted,
                ..Default::default()
            };
            let update = &mut result.updates[at];
            update.row = Some(ChangeRow::new(
                mesh,
                view.record.uid,
                self.cause.run,
                self.cause.at,
                &self.cause.actor,
                ChangeKind::Drift,
                Some(self.connector),
                before.to_text(),
                Some(update.body.hash),
            ));
        }
        Ok(())
    }

    fn body(&self, object_type: Name, object: &Object, print: (ContentHash, String)) -> SpaceBody {
        body(self.rules, self.connector, object_type, object, print)
    }
}

/// Whether nothing has to be written: the content is the known one, it is not gone and needs no confirmation.
fn is_as_known(hash: ContentHash, known: &Known) -> bool {
    hash == known.hash && !known.deleted && !known.unconfirmed
}

fn apply(object: &Object, patch: &identitymesh_connector::Patch) -> Object {
    patched(object, &patch.set, &patch.add, &patch.remove)
}

/// Looks up whom references mean.
pub(crate) fn referents(
    connector: ConnectorId,
    references: Vec<(Referring, Text)>,
    told: &Told,
    reader: &mut dyn Reader,
) -> Result<Referents, StoreError> {
    Referents::of(references, told, |index, keys| reader.bearers(connector, index, keys))
}

/// An object in the store's form.
pub(crate) fn body(
    rules: &RuleSet,
    connector: ConnectorId,
    object_type: Name,
    object: &Object,
    print: (ContentHash, String),
) -> SpaceBody {
    let staged = staged(rules, connector, object_type, object, print);
    let form = |is_set| if is_set { ReferenceForm::Set } else { ReferenceForm::Single };
    SpaceBody {
        hash: staged.hash,
        doc: staged.doc,
        references: staged
            .references
            .into_iter()
            .map(|(name, key, is_set)| (name, key, form(is_set)))
            .collect(),
        names: staged.names,
    }
}

/// A batch for the store.
pub(super) fn batch(cause: Cause, connector: ConnectorId, part: PartResult) -> StageBatch {
    StageBatch {
        cause,
        connector,
        inserts: part.inserts,
        updates: part.updates,
        referred: Vec::new(),
        deletes: part.deletes,
        watermark: None,
        covered: Vec::new(),
        settled: None,
        findings: part.findings,
        counters: identitymesh_store::Counters::new(),
    }
}
