//! A file that nobody can read in one sitting is cut: 800 lines of Rust are the limit, tests included.

use super::source::SourceFile;
use crate::finding::Finding;

const RUST_LINES_MAX: usize = 800;
const RUST_LINES_UNNOTICED: usize = 600;

/// Finds Rust files above the limit.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let lines = rust_lines(file);
    if lines <= RUST_LINES_MAX {
        return Vec::new();
    }
    let message = format!("{lines} lines, the limit is {RUST_LINES_MAX}: cut it where its content parts");
    vec![Finding::new(&file.path, RUST_LINES_MAX + 1, message)]
}

/// True for files that pass and are long all the same.
pub(crate) fn is_worth_a_look(file: &SourceFile) -> bool {
    (RUST_LINES_UNNOTICED + 1..=RUST_LINES_MAX).contains(&rust_lines(file))
}

fn rust_lines(file: &SourceFile) -> usize {
    if file.is_rust() { file.lines().count() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(lines: usize) -> SourceFile {
        SourceFile::new("crates/a/src/b.rs", &"x\n".repeat(lines))
    }

    #[test]
    fn the_limit_passes_and_one_more_does_not() {
        assert_eq!(check(&rust(800)), []);
        assert_eq!(check(&rust(801))[0].line, 801);
        assert_eq!(check(&SourceFile::new("docs/a.md", &"x\n".repeat(2000))), []);
    }

    #[test]
    fn long_files_are_noticed_before_they_fail() {
        assert_eq!(
            [600, 601, 800, 801].map(|lines| is_worth_a_look(&rust(lines))),
            [false, true, true, false]
        );
    }
}
