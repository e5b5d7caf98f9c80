//! `audit verify`: computes every row's hash and the chain again.

use identitymesh_model::hex;
use identitymesh_store::audit::{CHAIN_START, ChangeRow, chain};
use serde_json::json;

use super::{Done, Shell};
use crate::arguments::AuditCommand;
use crate::output::counted;

/// Rows read at once.
const ROWS_READ: usize = 10_000;

pub(super) fn run(shell: &Shell, command: AuditCommand) -> anyhow::Result<Done> {
    let AuditCommand::Verify = command;
    let opened = shell.read()?;
    let (mut after, mut count, mut previous) = (0, 0_u64, CHAIN_START);
    loop {
        let rows = opened.mesh.store.read()?.changes(after, ROWS_READ)?;
        let Some(last) = rows.last() else { break };
        let last = last.seq;
        for row in &rows {
            let leaf = ChangeRow::from(row).leaf();
            let expected = chain(&previous, &row.leaf);
            let problem = if leaf != row.leaf {
                Some("its content is not what was written")
            } else if expected != row.chain {
                Some("it does not follow the row before it: a row was changed, removed or added")
            } else {
                None
            };
            if let Some(problem) = problem {
                anyhow::bail!(
                    "AUD-001: row {} of the audit is broken: {problem}; {count} rows before it are whole",
                    row.seq
                );
            }
            previous = row.chain;
            count += 1;
        }
        after = last;
    }
    let head = hex(&previous);
    shell.output.answer(&json!({ "rows": count, "head": head, "whole": true }), || {
        format!("the audit is whole: {}, head {head}", counted(count, "row", "rows"))
    })?;
    Ok(Done::Well)
}
