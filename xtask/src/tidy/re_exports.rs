//! `lib.rs` and `mod.rs` are tables of contents: documentation and re-exports, no functions.
//!
//! Told by lines that open a function or an implementation, which is enough: rustfmt puts each on a line
//! of its own.

use std::sync::LazyLock;

use regex::Regex;

use super::source::SourceFile;
use crate::finding::Finding;

static LOGIC: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"^\s*(pub(\([a-z :]+\))? )?((const|async|unsafe|extern( "[^"]*")?) )*(fn|impl)\b"#;
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Finds the first function of a file that should hold none.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if !matches!(file.name(), "lib.rs" | "mod.rs") {
        return Vec::new();
    }
    let first = file.lines().find(|(_, line)| LOGIC.is_match(line));
    let message = || format!("{} holds documentation and re-exports; move the code to a module", file.name());
    first.into_iter().map(|(line, _)| Finding::new(&file.path, line, message())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(path: &str, text: &str) -> Vec<usize> {
        check(&SourceFile::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn re_exports_pass_and_functions_do_not() {
        assert_eq!(lines_found("crates/a/src/lib.rs", "//! fn of a\nmod b;\npub use b::fnord;\n"), [0; 0]);
        for code in
            ["fn a() {}", "pub(crate) async fn a() {}", "pub const fn a() {}", "impl A {", "    fn a();"]
        {
            assert_eq!(lines_found("crates/a/src/b/mod.rs", &format!("//! B\n{code}\n")), [2], "{code}");
        }
    }

    #[test]
    fn other_files_hold_functions() {
        assert_eq!(lines_found("crates/a/src/b.rs", "fn a() {}\n"), [0; 0]);
    }
}
