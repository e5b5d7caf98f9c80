//! The `tidy` command: reads the files, runs every rule over them, reports.

use std::process::ExitCode;

use anyhow::Result;

use super::source::{SourceFile, read_all};
use super::{code_map, error_codes, markers, module_docs, paths, re_exports, size, whitespace};
use crate::finding::{Finding, report};
use crate::process::workspace_root;

type Rule = fn(&SourceFile) -> Vec<Finding>;
type RuleAcross = fn(&[SourceFile]) -> Vec<Finding>;

/// Rules that look at one file.
const RULES: &[Rule] =
    &[markers::check, module_docs::check, paths::check, re_exports::check, size::check, whitespace::check];

/// Rules that compare files with each other.
const RULES_ACROSS: &[RuleAcross] = &[code_map::check, error_codes::check];

/// Checks every file that git tracks or would track.
pub(crate) fn run() -> Result<ExitCode> {
    let files = read_all(&workspace_root()?)?;
    for file in files.iter().filter(|file| size::is_worth_a_look(file)) {
        eprintln!("look twice: {} has {} lines", file.path, file.lines().count());
    }
    let mut findings: Vec<Finding> =
        files.iter().flat_map(|file| RULES.iter().flat_map(|rule| rule(file))).collect();
    findings.extend(RULES_ACROSS.iter().flat_map(|rule| rule(&files)));
    Ok(report("tidy", &format!("files: {}", files.len()), findings))
}
