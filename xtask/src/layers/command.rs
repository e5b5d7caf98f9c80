//! The `check-layers` command: reads the graph and the manifests, runs the rules, reports.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::workspace::Workspace;
use super::{arrows, core_purity, manifest};
use crate::finding::report;
use crate::process::workspace_root;

/// Checks the whole workspace.
pub(crate) fn run() -> Result<ExitCode> {
    let root = workspace_root()?;
    let workspace = Workspace::load(&root)?;
    let mut findings = arrows::check(&workspace);
    findings.extend(core_purity::check(&workspace));
    let members = workspace.members.iter().map(|member| member.manifest.as_str());
    for path in members.chain(["Cargo.toml"]) {
        let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        findings.extend(manifest::check(path, &text));
    }
    Ok(report("check-layers", &format!("crates: {}", workspace.members.len()), findings))
}
