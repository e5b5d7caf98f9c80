//! What a held run says: how many of what, over which limit, what they have in common, and what to do about it.

use identitymesh_model::ConnectorId;
use identitymesh_store::{HoldClass, HoldFilter, HoldRow, HoldSide, HoldStanding, Reader};

use crate::RunError;

/// Most holds that one message tells of.
const HOLDS_TOLD: usize = 5;
/// Holds that are read at once.
const HOLDS_READ: usize = 1_000;

/// The open holds of a connector, of exports or of imports, as one message; `None` when there are none.
pub(super) fn told(
    reader: &mut dyn Reader,
    connector: ConnectorId,
    side: HoldSide,
) -> Result<Option<String>, RunError> {
    let filter = HoldFilter { connector: Some(connector), side: Some(side), standing: HoldStanding::Open };
    let holds = reader.hold_list(&filter, None, HOLDS_TOLD + 1)?;
    if holds.is_empty() {
        return Ok(None);
    }
    let more = holds.len().saturating_sub(HOLDS_TOLD);
    let mut sentences: Vec<String> = holds.iter().take(HOLDS_TOLD).map(one).collect();
    if more > 0 {
        sentences.push("there are more holds: `identitymesh holds list`".to_owned());
    }
    Ok(Some(sentences.join("\n")))
}

/// All holds of a kind, newest first.
pub(super) fn every_hold(reader: &mut dyn Reader, filter: HoldFilter) -> Result<Vec<HoldRow>, RunError> {
    let mut out: Vec<HoldRow> = Vec::new();
    loop {
        let page = reader.hold_list(&filter, out.last().map(|hold| hold.id), HOLDS_READ)?;
        let is_last = page.len() < HOLDS_READ;
        out.extend(page);
        if is_last {
            return Ok(out);
        }
    }
}

fn one(hold: &HoldRow) -> String {
    let HoldRow { id, size, population, allowed, waiting, object_type, class, .. } = hold;
    let part = hold.within.as_ref().map_or_else(String::new, |part| format!(" ({part})"));
    let why = match hold.again {
        Some(again) => format!("and that repeats what was not let go in hold {again}"),
        None => format!(
            "more than the limit of {allowed} (`{key}` in [{table}])",
            key = class.as_str(),
            table = if hold.within.is_some() { "[connector.limits.within]" } else { "connector.limits" }
        ),
    };
    let what = match class {
        HoldClass::Export(operation) => {
            format!("{size} of {population} {object_type} objects{part} would get the operation {operation}")
        }
        HoldClass::ImportDelete => format!("{size} of {population} {object_type} objects{part} are missing"),
        HoldClass::Change => format!("{size} of {population} {object_type} objects would change{part}"),
        HoldClass::Clear => format!("{size} of {population} {object_type} objects would lose a value{part}"),
    };
    let effect = match class {
        HoldClass::Export(_) | HoldClass::Change | HoldClass::Clear => "are not sent, everything else is",
        HoldClass::ImportDelete => "are not taken as gone",
    };
    let common = if hold.common.is_empty() {
        String::new()
    } else {
        format!("; in common: {}", hold.common.join("; "))
    };
    format!(
        "hold {id}: {what}, {why}; {waiting} of them wait and {effect}{common}. Look with `identitymesh holds show \
         {id}`, then `identitymesh holds approve {id} --reason TEXT` or `identitymesh holds reject {id} --reason TEXT`"
    )
}
