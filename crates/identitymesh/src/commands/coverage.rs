//! Whether the deletes of a connector are seen: what its last imports proved, in words for people.

use identitymesh_model::ConnectorId;
use identitymesh_runner::InForce;
use identitymesh_store::{CoverageRow, DeletesUnseen};

/// What is known of the object types that a connector is configured to read. Others are not read any more.
pub(super) fn of<'r>(
    in_force: &InForce,
    rows: &'r [CoverageRow],
    connector: ConnectorId,
) -> Vec<&'r CoverageRow> {
    let read = in_force.rules.connector(connector).map_or_else(Vec::new, |rules| rules.object_types());
    rows.iter().filter(|row| row.connector == connector && read.contains(&row.object_type)).collect()
}

/// A cell of a table.
pub(super) fn in_words(rows: &[&CoverageRow]) -> String {
    let unseen: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let unseen = row.unseen.as_ref()?;
            Some(format!("{} since run {}", row.object_type, unseen.since_run))
        })
        .collect();
    match (rows, unseen.as_slice()) {
        ([], _) => "not read in full yet".to_owned(),
        (_, []) => "deletes seen".to_owned(),
        (_, unseen) => format!("deletes unseen: {}", unseen.join(", ")),
    }
}

/// A sentence about one object type.
pub(super) fn sentence(unseen: &DeletesUnseen) -> String {
    format!("since run {} ({}): {}", unseen.since_run, unseen.since, unseen.gap.why)
}
