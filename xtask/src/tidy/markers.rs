//! Nothing unfinished is committed: what is left to do is an issue, and a test either runs or does not exist.

use std::sync::LazyLock;

use regex::Regex;

use super::source::SourceFile;
use crate::finding::Finding;

/// The markers, each cut in two so that this file does not find itself.
static MARKERS: LazyLock<Regex> = LazyLock::new(|| {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")].join("|");
    let macros = [concat!("to", "do"), concat!("un", "implemented")].join("|");
    let pattern = format!(r"\b({words})\b|\b({macros})!\s*\(|#\[ignore\b");
    Regex::new(&pattern).expect("the pattern is constant and tested")
});

/// Finds every marker.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let marked = file.lines().filter_map(|(line, text)| Some((line, MARKERS.find(text)?.as_str())));
    marked
        .map(|(line, marker)| {
            Finding::new(&file.path, line, format!("unfinished: {marker}; finish it or open an issue"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(text: &str) -> Vec<usize> {
        check(&SourceFile::new("crates/a/src/b.rs", text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn every_marker_is_found() {
        let markers = [
            concat!("// TO", "DO: x"),
            concat!("# FIX", "ME"),
            concat!("XX", "X y"),
            concat!("to", "do!()"),
            concat!("un", "implemented!(\"x\")"),
            concat!("#[", "ignore]"),
            concat!("#[", "ignore = \"slow\"]"),
        ];
        for marker in markers {
            assert_eq!(lines_found(&format!("\n  {marker}\n")), [2], "{marker}");
        }
    }

    #[test]
    fn words_that_only_look_like_markers_pass() {
        assert_eq!(lines_found("mktemp im.XXXXXX\nautodo\nignore case\n#[expect(dead_code)]\n"), [0; 0]);
    }
}
