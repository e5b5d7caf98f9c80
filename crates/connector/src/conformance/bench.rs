//! What clauses have in common: connecting, importing into a map, exporting one operation, looking things up.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use identitymesh_model::{ItemId, Name, Object, Text, Values};
use tokio_util::sync::CancellationToken;

use super::stop::{Stop, ensure, offered};
use super::{Form, Subject};
use crate::{
    AttributeChange, Capabilities, Certificate, Change, ChangeKind, Context, Identity, ImportMode,
    ImportRequest, ImportedObject, ObjectFinding, Operation, OperationKind, Outcome, Patch, Session,
    Settings, Watermark,
};

/// No call of a clause may take longer, in seconds: far more than a local system needs.
const CALL_SECONDS_MAX: u64 = 30;

/// Objects by external id, as somebody who follows the connector would hold them.
pub(super) type Objects = BTreeMap<Text, Object>;

/// A subject, and shorthands.
pub(super) struct Bench<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) form: Form,
}

/// A session and the token that ends its calls.
pub(super) struct Open {
    pub(super) session: Box<dyn Session>,
    pub(super) cancel: CancellationToken,
}

/// An import that ran to its end.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) changes: Vec<Change>,
    pub(super) present: Vec<(Name, Text)>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) watermark: Option<Watermark>,
    pub(super) page_sizes: Vec<usize>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(subject: &'a dyn Subject) -> Self {
        Self { subject, form: subject.form() }
    }

    pub(super) fn can(&self) -> Capabilities {
        self.subject.kind().descriptor().capabilities
    }

    pub(super) fn settings(&self) -> Result<Settings, Stop> {
        let prepared = self.subject.kind().prepare(&self.subject.written(), &self.subject.base());
        prepared
            .map_err(|problems| Stop::Broken(format!("the subject's own settings are refused: {problems:?}")))
    }

    pub(super) async fn open(&self) -> Result<Open, Stop> {
        let cancel = CancellationToken::new();
        let context = Context {
            cancel: cancel.clone(),
            request_timeout: Duration::from_secs(CALL_SECONDS_MAX / 3),
            schema: self.subject.schema(),
            reads_only: false,
        };
        let session = self.subject.kind().connect(&self.settings()?, &context).await?;
        Ok(Open { session, cancel })
    }

    pub(super) async fn seed(&self, numbers: std::ops::Range<u32>) -> Result<Vec<Text>, Stop> {
        let mut ids = Vec::new();
        for number in numbers {
            ids.push(self.subject.insert(&self.subject.sample(number)).await?);
        }
        Ok(ids)
    }

    pub(super) async fn import(&self, mode: ImportMode, page_size_max: usize) -> Result<Imported, Stop> {
        self.open().await?.import(self.form.object_type, mode, page_size_max).await
    }

    pub(super) async fn full(&self) -> Result<Imported, Stop> {
        offered(self.can().full_import, "full import")?;
        self.import(ImportMode::Full, 100).await
    }

    /// What the system holds, without what only the system itself writes.
    pub(super) async fn held(&self) -> Result<Objects, Stop> {
        let objects = self.subject.inspect().await?;
        Ok(objects.into_iter().map(|object| (object.external_id, object.attributes)).collect())
    }

    pub(super) async fn exports(&self) -> Result<Open, Stop> {
        offered(self.can().export, "export")?;
        self.open().await
    }

    pub(super) fn create(&self, attributes: Object) -> OperationKind {
        OperationKind::Create { attributes, create_container: false, password: None }
    }

    pub(super) fn replace(
        &self,
        id: &Identity,
        name: Name,
        old: Option<Values>,
        new: Option<Values>,
    ) -> OperationKind {
        self.update(id, AttributeChange { name, kind: ChangeKind::Replace { old, new } })
    }

    pub(super) fn update(&self, id: &Identity, change: AttributeChange) -> OperationKind {
        OperationKind::Update {
            identity: id.clone(),
            new_address: None,
            create_container: false,
            changes: vec![change],
        }
    }

    pub(super) async fn identity(&self, external_id: &Text) -> Result<Identity, Stop> {
        let schema = self.open().await?.session.schema().await?;
        let address = schema.object_type(self.form.object_type).and_then(|schema| schema.address);
        let held = self.held().await?;
        let object = held.get(external_id);
        let address = address.and_then(|name| object?.single(name)?.as_text().map(Text::new));
        Ok(Identity { external_id: external_id.clone(), address })
    }

    /// One sample that is there already: its identity and content.
    pub(super) async fn one(&self) -> Result<(Identity, Object), Stop> {
        let id = self.seed(0..1).await?.remove(0);
        let object = self.held().await?.remove(&id);
        let object =
            object.ok_or_else(|| Stop::Broken(format!("the subject does not hold {id} after insert")))?;
        Ok((self.identity(&id).await?, object))
    }
}

impl Open {
    pub(super) async fn begin(
        &mut self,
        object_type: Name,
        mode: ImportMode,
        page: usize,
    ) -> Result<(), Stop> {
        let request = ImportRequest { mode, object_types: vec![object_type], page_size_max: page };
        let importer = self.session.importer().ok_or(Stop::NotOffered("import"))?;
        in_time("begin", importer.begin(request)).await??;
        Ok(())
    }

    pub(super) async fn import(
        &mut self,
        object_type: Name,
        mode: ImportMode,
        page_size_max: usize,
    ) -> Result<Imported, Stop> {
        self.begin(object_type, mode, page_size_max).await?;
        let (imported, findings) = self.pages().await?;
        ensure!(findings.is_empty(), "findings on sound objects: {findings:?}");
        let unread = upserts(&imported.changes).find(|object| !object.unread.is_empty());
        ensure!(unread.is_none(), "unread attributes on a sound object: {unread:?}");
        Ok(imported)
    }

    /// A full import of objects that need not be sound.
    pub(super) async fn import_with_findings(
        &mut self,
        object_type: Name,
    ) -> Result<(Imported, Vec<ObjectFinding>), Stop> {
        self.begin(object_type, ImportMode::Full, 100).await?;
        self.pages().await
    }

    async fn pages(&mut self) -> Result<(Imported, Vec<ObjectFinding>), Stop> {
        let (mut imported, mut findings) = (Imported::default(), Vec::new());
        let importer = self.session.importer().ok_or(Stop::NotOffered("import"))?;
        while let Some(page) = in_time("next_page", importer.next_page()).await?? {
            findings.extend(page.findings);
            imported.page_sizes.push(page.changes.len());
            imported.changes.extend(page.changes);
            imported.present.extend(page.present);
            imported.certificates.extend(page.certificates);
            imported.watermark = page.watermark.or(imported.watermark);
        }
        Ok((imported, findings))
    }

    /// Exports operations of the subject's type; outcomes in the order of the operations, each item exactly once.
    pub(super) async fn export(
        &mut self,
        bench: &Bench<'_>,
        kinds: Vec<OperationKind>,
    ) -> Result<Vec<Outcome>, Stop> {
        let count = kinds.len();
        let object_type = bench.form.object_type;
        let operations: Vec<Operation> = (1_i64..)
            .zip(kinds)
            .map(|(item, kind)| Operation { item: ItemId(item), object_type, kind })
            .collect();
        let exporter = self.session.exporter().ok_or(Stop::NotOffered("export"))?;
        let mut answers = in_time("export", exporter.export(operations)).await??;
        answers.sort_by_key(|(item, _)| *item);
        let items: Vec<i64> = answers.iter().map(|(item, _)| item.0).collect();
        let wanted: Vec<i64> = (1_i64..).take(count).collect();
        ensure!(items == wanted, "{count} operations were answered for the items {items:?}");
        Ok(answers.into_iter().map(|(_, outcome)| outcome).collect())
    }

    pub(super) async fn export_one(
        &mut self,
        bench: &Bench<'_>,
        kind: OperationKind,
    ) -> Result<Outcome, Stop> {
        Ok(self.export(bench, vec![kind]).await?.remove(0))
    }

    /// Exports a create that has to be applied, and returns the external id.
    pub(super) async fn created(&mut self, bench: &Bench<'_>, attributes: Object) -> Result<Text, Stop> {
        match self.export_one(bench, bench.create(attributes)).await? {
            Outcome::Applied(written) => written
                .external_id
                .ok_or_else(|| Stop::Broken("a create was applied without an external id".to_owned())),
            other => Err(Stop::Broken(format!("a create of a sound object ended as {other:?}"))),
        }
    }
}

/// The call's own result, or a broken clause when it does not return.
pub(super) async fn in_time<T>(call: &str, future: impl Future<Output = T>) -> Result<T, Stop> {
    tokio::time::timeout(Duration::from_secs(CALL_SECONDS_MAX), future)
        .await
        .map_err(|_| Stop::Broken(format!("{call} did not return within {CALL_SECONDS_MAX} s")))
}

/// Applies a delta as the runner does: its changes, and for a certified type the absence of what it did not name.
pub(super) fn follow_delta(objects: &mut Objects, delta: &Imported) {
    follow(objects, &delta.changes);
    for certificate in delta.certificates.iter().filter(|certificate| certificate.is_complete()) {
        let of_type =
            |(object_type, id): &(Name, Text)| (*object_type == certificate.object_type).then(|| id.clone());
        let mut named: BTreeSet<Text> = delta.present.iter().filter_map(of_type).collect();
        named.extend(upserts(&delta.changes).map(|object| object.external_id.clone()));
        objects.retain(|id, _| named.contains(id));
    }
}

/// Applies changes in their order.
pub(super) fn follow(objects: &mut Objects, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Upsert(object) => {
                drop(objects.insert(object.external_id.clone(), object.attributes.clone()))
            }
            Change::Delete { external_id, .. } | Change::Left { external_id, .. } => {
                drop(objects.remove(external_id));
            }
            Change::Patch(patch) => {
                follow_patch(objects.entry(patch.external_id.clone()).or_default(), patch);
            }
        }
    }
}

fn follow_patch(object: &mut Object, patch: &Patch) {
    for (name, values) in &patch.set {
        object.put(*name, values.clone());
    }
    for (name, added) in &patch.add {
        let mut values = object.remove(*name).map(Values::into_vec).unwrap_or_default();
        values.extend(added.iter().cloned());
        object.put(*name, Values::set(values));
    }
    for (name, removed) in &patch.remove {
        let mut values = object.remove(*name).map(Values::into_vec).unwrap_or_default();
        values.retain(|value| !removed.contains(value));
        object.put(*name, Values::set(values));
    }
}

/// What was upserted, for clauses that look at single objects.
pub(super) fn upserts(changes: &[Change]) -> impl Iterator<Item = &ImportedObject> {
    changes.iter().filter_map(|change| match change {
        Change::Upsert(object) => Some(object),
        _ => None,
    })
}
