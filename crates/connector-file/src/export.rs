//! One batch of operations into the target file, or into a new change file.
//!
//! A full export changes the loaded content, writes it once and only then answers, so what is said to be applied is
//! on disk. If the file was changed by somebody else since it was loaded, nothing is written.

use std::path::Path;
use std::sync::Arc;

use identitymesh_connector::{ChangeKind, ConnectorError, Operation, OperationKind, Outcome};
use identitymesh_model::{ItemId, Name, Schema, Values};

use crate::apply::Target;
use crate::config::Config;
use crate::layout::{Layout, learn};
use crate::source::{self, Stamp};
use crate::table::{OBJECT_COUNT_MAX, Table};
use crate::{atomic, changes, error};

/// What became of each operation.
pub(crate) type Answers = Vec<(ItemId, Outcome)>;

/// The file's content as loaded, and how the file looked then.
pub(crate) struct Loaded {
    stamp: Option<Stamp>,
    pub(crate) table: Table,
}

impl Loaded {
    /// The content of the file now: `known` where the file did not change since.
    pub(crate) fn now(config: &Config, layout: &Layout, known: Option<Self>) -> Result<Self, ConnectorError> {
        let stamp = stamp(&config.path)?;
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return Ok(known);
        }
        if stamp.is_none() {
            return Ok(Self { stamp, table: Table::default() });
        }
        let file = source::open(&config.path)?;
        let input = source::input(config, file, Arc::default());
        let layout = without_demands(layout, stamp);
        let table = match layout {
            None => Table::default(),
            Some(layout) => {
                let mut reader = source::reader(config, layout, &config.path, input, true)?;
                Table::load(&config.path, reader.as_mut(), OBJECT_COUNT_MAX)?
            }
        };
        Ok(Self { stamp, table })
    }
}

/// A file without a byte has nothing to load.
fn without_demands(layout: &Layout, stamp: Option<Stamp>) -> Option<&Layout> {
    stamp.filter(|stamp| stamp.bytes > 0).map(|_| layout)
}

fn stamp(path: &Path) -> Result<Option<Stamp>, ConnectorError> {
    match std::fs::File::open(path) {
        Ok(file) => Stamp::of(&file, path).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error::unreadable(path, error)),
    }
}

/// Adds to the schema what the operations write and it does not know yet.
pub(crate) fn learn_attributes(config: &Config, schema: &mut Schema, operations: &[Operation]) {
    for operation in operations {
        let found = schema.object_types.iter_mut().find(|known| known.object_type == operation.object_type);
        let Some(known) = found else { continue };
        let mut see = |name: Name, values: &Values| {
            let is_known = known.attribute(name).is_some();
            // What cannot be learned is refused with its operation.
            let _ = is_known || learn(config, known, name, values);
        };
        match &operation.kind {
            OperationKind::Create { attributes, .. } => {
                attributes.iter().for_each(|(name, values)| see(name, values))
            }
            OperationKind::Update { changes, .. } => {
                for change in changes {
                    if let ChangeKind::Replace { new: Some(new), .. } = &change.kind {
                        see(change.name, new);
                    }
                }
            }
            OperationKind::Delete { .. } => {}
        }
    }
}

/// Carries out a batch on the whole file.
pub(crate) fn full(
    config: &Config,
    layout: &Layout,
    mut loaded: Loaded,
    operations: Vec<Operation>,
) -> Result<(Loaded, Answers), ConnectorError> {
    let mut target = Target { config, layout, table: &mut loaded.table };
    let answers: Answers =
        operations.into_iter().map(|operation| (operation.item, target.apply(operation))).collect();
    if !answers.iter().any(|(_, outcome)| matches!(outcome, Outcome::Applied(_))) {
        return Ok((loaded, answers));
    }
    let content = loaded.table.render(config, layout).map_err(|reason| {
        let message = format!("{} cannot be written: {reason}", config.path.display());
        error::data(error::UNWRITABLE_VALUE, message, "correct the value that the file's format cannot hold")
    })?;
    if stamp(&config.path)? != loaded.stamp {
        return Err(error::changing(&config.path, "while it was exported to; nothing was written"));
    }
    atomic::replace(&config.path, &content).map_err(|error| error::unwritable(&config.path, error))?;
    loaded.stamp = stamp(&config.path)?;
    Ok((loaded, answers))
}

/// Writes a batch as a change file.
pub(crate) fn as_changes(
    config: &Config,
    layout: &Layout,
    folder: &Path,
    operations: &[Operation],
) -> Result<Answers, ConnectorError> {
    let (text, answers) = changes::render(config, layout, operations);
    if !answers.iter().any(|(_, outcome)| matches!(outcome, Outcome::Applied(_))) {
        return Ok(answers);
    }
    let content = config.encoding.encode(&text).map_err(|character| {
        let message = format!("the file's encoding has no {character:?}");
        error::data(error::UNWRITABLE_VALUE, message, "use encoding = \"utf-8\"")
    })?;
    let path = changes::next_path(config, folder).map_err(|error| error::unwritable(folder, error))?;
    atomic::replace(&path, &content).map_err(|error| error::unwritable(&path, error))?;
    Ok(answers)
}
