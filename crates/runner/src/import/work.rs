//! The work of an import: where to start, reading, handing pages on.

use identitymesh_connector::{
    Class, ConnectorError, ImportMode, ImportRequest, Importer, Session, Watermark,
};
use identitymesh_engine::rules::ObjectTypeRules;
use identitymesh_model::{ConnectorId, Name};
use tokio::sync::mpsc;

use super::mended::Mended;
use super::presence::{self, Asker};
use super::stager::{Piece, Stager};
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError, Stage};

/// Objects that a connector is asked to put into one page.
pub(crate) const PAGE_OBJECTS: usize = 2_000;
/// Pages that may wait between reading and staging.
pub(crate) const PAGES_WAITING: usize = 8;
/// The code with which a connector refuses a watermark.
const WATERMARK_REFUSED: &str = "CON-010";

/// What to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// Everything.
    Full,
    /// What changed, where the connector can say; else everything.
    Delta,
    /// What the target says after an export: by delta where it can, else everything.
    Confirming,
}

/// Runs an import to its end.
///
/// # Errors
/// When the connected system or the store fails, or the run is cancelled; parts written before are kept.
pub async fn import(mesh: &Mesh, name: Name, kind: ImportKind) -> Result<RunReport, RunError> {
    let (in_force, id) = mesh.runnable(name)?;
    let config = in_force.connector(name)?;
    let capabilities = mesh.registry.get(&config.connector.kind).map(|kind| kind.descriptor().capabilities);
    let can_delta = capabilities.is_some_and(|capabilities| capabilities.delta_import);
    if !capabilities.is_some_and(|capabilities| capabilities.full_import) {
        return Err(RunError::Unsupported { name: name.to_string(), what: "import" });
    }
    let watermark = match kind {
        ImportKind::Full => None,
        _ if !can_delta => None,
        _ => committed_watermark(mesh, id)?,
    };
    let step = match (kind, &watermark) {
        (ImportKind::Confirming, _) => Steps::ConfirmingImport,
        (_, Some(_)) => Steps::DeltaImport,
        (_, None) => Steps::FullImport,
    };
    let mut run = Run::begin(mesh, step, Some((name, id)))?;
    if kind == ImportKind::Delta && can_delta && watermark.is_none() {
        run.message = Some("everything was read, because there is no point to start a delta from".to_owned());
    }
    let stager = Stager::new(in_force.clone(), id, run);
    let (stager, result) = read(mesh, &in_force, name, stager, watermark).await?;
    stager.run.end(result)
}

/// Where the last import of this connector ended.
pub(crate) fn committed_watermark(mesh: &Mesh, id: ConnectorId) -> Result<Option<Watermark>, RunError> {
    let text = mesh.store.read()?.watermark(id)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|source| RunError::Stored { what: "watermark", source })
}

/// Reads pages and stages them on a thread of their own.
async fn read(
    mesh: &Mesh,
    in_force: &crate::InForce,
    name: Name,
    mut stager: Stager,
    watermark: Option<Watermark>,
) -> Result<(Stager, Result<(), RunError>), RunError> {
    let mut session = match mesh.connect(in_force, name).await {
        Ok(session) => session,
        Err(error) => return Ok((stager, Err(error))),
    };
    let Some(importer) = session.importer() else {
        return Ok((stager, Err(ConnectorError::unsupported("import").into())));
    };
    let full = ImportRequest {
        mode: ImportMode::Full,
        object_types: stager.object_types(),
        page_size_max: PAGE_OBJECTS,
    };
    match begin(importer, &full, watermark).await {
        Ok(Begun::Delta) => stager.is_full = false,
        Ok(Begun::Full(note)) => stager.run.message = note.or(stager.run.message.take()),
        Err(error) => return Ok((stager, Err(error))),
    }
    // Behind the beginning, where the connector has said what it cannot do without itself.
    if let Err(error) = check_schema(mesh, in_force, name, session.as_mut()).await {
        return Ok((stager, Err(error)));
    }
    match mended(mesh, in_force, name, session.as_mut()).await {
        Ok(mended) => stager.mended = mended,
        Err(error) => return Ok((stager, Err(error))),
    }
    let Some(importer) = session.importer() else {
        return Ok((stager, Err(ConnectorError::unsupported("import").into())));
    };
    if let Err(error) = stager.run.reads(importer.source()) {
        return Ok((stager, Err(error)));
    }
    let is_full = stager.is_full;
    let (sender, receiver) = mpsc::channel::<Piece>(PAGES_WAITING);
    let staging = tokio::task::spawn_blocking(move || stager.work(receiver));
    let (asker, questions) = presence::channel();
    let read = forward(mesh, importer, full, is_full, &sender, asker).await;
    drop(sender);
    questions.answer(importer).await;
    let (stager, staged) = staging.await.map_err(|_| RunError::Worker)?;
    // Where both failed, the reader only met a stager that had gone away.
    Ok((stager, staged.and(read)))
}

/// How a read began.
enum Begun {
    Delta,
    /// With everything, and why that is when a delta was wanted.
    Full(Option<String>),
}

/// Begins at the watermark, or with everything where there is none or the system refuses it.
async fn begin(
    importer: &mut dyn Importer,
    full: &ImportRequest,
    watermark: Option<Watermark>,
) -> Result<Begun, RunError> {
    let note = match watermark {
        None => None,
        Some(since) => {
            let delta = ImportRequest { mode: ImportMode::Delta { since }, ..full.clone() };
            match importer.begin(delta).await {
                Ok(()) => return Ok(Begun::Delta),
                Err(error) if is_refusal(&error) => Some(refused(&error)),
                Err(error) => return Err(error.into()),
            }
        }
    };
    importer.begin(full.clone()).await?;
    Ok(Begun::Full(note))
}

fn refused(error: &ConnectorError) -> String {
    tracing::warn!(%error, "the watermark was refused");
    format!("everything was read, because the system refused where the last import ended: {error}")
}

/// Which references the system mends without telling.
pub(crate) async fn mended(
    mesh: &Mesh,
    in_force: &crate::InForce,
    name: Name,
    session: &mut dyn Session,
) -> Result<Mended, RunError> {
    let kind = mesh.registry.get(&in_force.connector(name)?.connector.kind);
    if !kind.is_some_and(|kind| kind.descriptor().capabilities.mends_references) {
        return Ok(Mended::default());
    }
    Ok(Mended::by(&session.schema().await?))
}

/// Refuses to import from a table that lost a column which rules read.
async fn check_schema(
    mesh: &Mesh,
    in_force: &crate::InForce,
    name: Name,
    session: &mut dyn Session,
) -> Result<(), RunError> {
    let kind = mesh.registry.get(&in_force.connector(name)?.connector.kind);
    let rules = in_force.rules.connector(in_force.id(name)?);
    let (Some(rules), true) = (rules, kind.is_some_and(|kind| kind.has_whole_schema())) else {
        return Ok(());
    };
    let schema = session.schema().await?;
    for object_type in rules.object_types() {
        let reads = rules.object_type(object_type).map(ObjectTypeRules::reads).unwrap_or_default();
        let Some(known) = schema.object_type(object_type) else { continue };
        let missing = reads.iter().filter(|attribute| known.attribute(**attribute).is_none());
        let missing: Vec<&str> = missing.map(|attribute| attribute.as_str()).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(RunError::Vanished { name: name.to_string(), object_type, missing });
        }
    }
    Ok(())
}

/// Hands pages on, and [`Piece::End`] after the last, which alone says that the read is whole. A watermark that is only
/// refused on the way turns a delta into a full read too. Stops early when the stager has gone away, whose error counts.
async fn forward(
    mesh: &Mesh,
    importer: &mut dyn Importer,
    full: ImportRequest,
    is_full: bool,
    sender: &mpsc::Sender<Piece>,
    asker: Asker,
) -> Result<(), RunError> {
    match pages(mesh, importer, sender, &asker).await {
        Err(RunError::Connector(error)) if !is_full && is_refusal(&error) => {
            if sender.send(Piece::Restart(refused(&error))).await.is_err() {
                return Ok(());
            }
            importer.begin(full).await?;
            pages(mesh, importer, sender, &asker).await
        }
        other => other,
    }
}

async fn pages(
    mesh: &Mesh,
    importer: &mut dyn Importer,
    sender: &mpsc::Sender<Piece>,
    asker: &Asker,
) -> Result<(), RunError> {
    loop {
        mesh.check_cancelled()?;
        let page = importer.next_page().await?;
        if let Some(page) = &page {
            mesh.observer.progressed(Stage::Import, page.progress.done, page.progress.total);
        }
        let is_last = page.is_none();
        let piece = page.map_or_else(|| Piece::End(asker.clone()), Piece::Page);
        if sender.send(piece).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// Whether the system refused to go on from a watermark, so that only a full import helps.
pub(crate) fn is_refusal(error: &ConnectorError) -> bool {
    error.class == Class::Conflict && error.code == WATERMARK_REFUSED
}
