//! Every module opens with what it is: one to fifteen lines of `//!` before anything else.

use super::source::SourceFile;
use crate::finding::Finding;

const DOC_LINES_MAX: usize = 15;

/// Checks the opening lines of a Rust file.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let docs = file.lines().take_while(|(_, line)| line.starts_with("//!")).count();
    match docs {
        0 => vec![Finding::new(
            &file.path,
            1,
            "open the module with `//!`: what it is, its edges, its invariants",
        )],
        1..=DOC_LINES_MAX => Vec::new(),
        _ => {
            let message = format!("{docs} lines of module documentation, the limit is {DOC_LINES_MAX}");
            vec![Finding::new(&file.path, DOC_LINES_MAX + 1, message)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(text: &str) -> Vec<usize> {
        let file = SourceFile::new("crates/a/src/b.rs", text);
        check(&file).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn one_to_fifteen_lines_pass() {
        assert_eq!(lines_found("//! What it is.\n\nuse a;\n"), [0; 0]);
        assert_eq!(lines_found(&"//! line\n".repeat(15)), [0; 0]);
    }

    #[test]
    fn none_too_late_and_too_many_are_found() {
        assert_eq!(lines_found(""), [1]);
        assert_eq!(lines_found("use a;\n//! late\n"), [1]);
        assert_eq!(lines_found(&"//! line\n".repeat(16)), [16]);
        assert_eq!(check(&SourceFile::new("a.sh", "x\n")), []);
    }
}
