//! What every `Cargo.toml` states: inherited lints, versions in one place, a reason for each dependency.
//!
//! Works on the text, because comments are what it looks for. The root manifest holds the versions; our own
//! crates in its list need no reason, since `ARCHITECTURE.md` says what each is for.

use crate::finding::Finding;

const LIST_OF_VERSIONS: &str = "workspace.dependencies";

/// Checks one manifest; `path` is relative to the workspace root and decides nothing but the output.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut section = "";
    let mut line_above = "";
    let mut inherits_lints = false;
    for (index, line) in text.lines().enumerate() {
        let bare = without_comment(line).trim();
        if let Some(header) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = header.trim_matches(['[', ']']);
            if section.rsplit_once('.').is_some_and(|(list, _)| is_dependency_list(list)) {
                findings.push(Finding::new(
                    path,
                    index + 1,
                    "write the dependency on one line, with its reason",
                ));
            }
        } else if section == "lints" && bare == "workspace = true" {
            inherits_lints = true;
        }
        let has_reason = bare.len() < line.trim_end().len() || line_above.trim_start().starts_with('#');
        if let Some(message) = dependency_problem(section, line, bare, has_reason) {
            findings.push(Finding::new(path, index + 1, message));
        }
        line_above = line;
    }
    let is_package = text.lines().any(|line| line.trim() == "[package]");
    if is_package && !inherits_lints {
        findings.push(Finding::new(
            path,
            1,
            "add `[lints]` with `workspace = true`: lints are the same everywhere",
        ));
    }
    findings
}

fn dependency_problem(section: &str, line: &str, bare: &str, has_reason: bool) -> Option<String> {
    let is_entry = line.starts_with(|first: char| first.is_ascii_alphanumeric());
    let (name, value) = bare.split_once('=').filter(|_| is_entry && is_dependency_list(section))?;
    let name = name.trim().trim_end_matches(".workspace");
    let is_version_list = section == LIST_OF_VERSIONS;
    if !is_version_list && !bare.contains("workspace = true") {
        return Some(format!("the version of {name} belongs in the root's [{LIST_OF_VERSIONS}]"));
    }
    let is_ours = is_version_list && value.contains("path =");
    let message = || format!("say why {name} is needed, in a comment on its line or the line above");
    (!has_reason && !is_ours).then(message)
}

fn is_dependency_list(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    matches!(last, "dependencies" | "dev-dependencies" | "build-dependencies")
}

/// The line up to a `#` that stands outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut in_quotes = false;
    for (position, character) in line.char_indices() {
        match character {
            '"' => in_quotes = !in_quotes,
            '#' if !in_quotes => return &line[..position],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\n\n[dependencies]\nserde.workspace = true # rules as data\n\
        # Bytes of keys.\nbase64 = { workspace = true }\n\n[dev-dependencies]\n\n[lints]\nworkspace = true\n";

    fn messages(text: &str) -> Vec<String> {
        check("crates/a/Cargo.toml", text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_manifest_that_states_everything_passes() {
        assert_eq!(messages(GOOD), [""; 0]);
    }

    #[test]
    fn a_dependency_without_a_reason_is_found_at_its_line() {
        let found = messages(&GOOD.replace(" # rules as data", ""));
        assert!(
            found.len() == 1 && found[0].starts_with("crates/a/Cargo.toml:5: say why serde"),
            "{found:?}"
        );
        let in_quotes = "[target.'cfg(unix)'.dependencies]\na = { workspace = true, features = [\"#x\"] }\n";
        assert_eq!(messages(in_quotes).len(), 1);
        assert_eq!(messages("[dependencies.serde]\nworkspace = true\n").len(), 1);
    }

    #[test]
    fn a_version_outside_the_root_is_found() {
        let found =
            messages(&GOOD.replace("[dev-dependencies]", "[dev-dependencies]\ninsta = \"1\" # snapshots"));
        assert!(found.len() == 1 && found[0].contains("version of insta"), "{found:?}");
    }

    #[test]
    fn lints_must_be_inherited_by_packages_only() {
        let found = messages(&GOOD.replace("[lints]\nworkspace = true", ""));
        assert!(found.len() == 1 && found[0].contains("[lints]"), "{found:?}");
        assert_eq!(messages("[workspace]\nresolver = \"3\"\n"), [""; 0]);
    }

    #[test]
    fn the_root_list_needs_reasons_for_libraries_and_none_for_our_crates() {
        let list = "[workspace.dependencies]\nidentitymesh-a = { path = \"crates/a\" }\nserde = \"1\"\n";
        let found = messages(list);
        assert!(found.len() == 1 && found[0].contains(":3: say why serde"), "{found:?}");
    }
}
