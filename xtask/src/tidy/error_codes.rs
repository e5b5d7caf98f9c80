//! Error codes and their pages agree: each code that the product names has a page, and each page a code.
//!
//! The product is what stands in `crates/*/src` outside of tests. A page is `docs/error-codes/CODE.md` and
//! opens with its code as the title; `docs/error-codes/README.md` says what else it holds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::source::SourceFile;
use crate::finding::Finding;

/// Three letters for each area of the product, so that a number in a log cannot be taken for a code.
const AREAS: &[&str] = &[
    "MDL", "EXP", "ENG", "CFG", "STO", "SQL", "FIL", "LDP", "CON", "RUN", "SEC", "CLI", "IMP", "JOI", "FLO",
    "PRJ", "LVG", "XPT", "DEM", "SMP", "FAK", "AUD", "PWD",
];

const PAGES: &str = "docs/error-codes/";

static CODE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = format!(r"\b(?:{})-\d{{3}}\b", AREAS.join("|"));
    Regex::new(&pattern).expect("the pattern is constant and tested")
});

/// Compares codes with pages, in both directions.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let codes = codes(files);
    let pages = pages(files);
    let missing = codes.iter().filter(|(code, _)| !pages.contains_key(*code)).map(|(code, (path, line))| {
        Finding::new(path, *line, format!("{code} has no page; write {PAGES}{code}.md"))
    });
    pages.iter().filter_map(|(name, page)| page_problem(name, page, &codes)).chain(missing).collect()
}

/// Where each code is named first.
fn codes(files: &[SourceFile]) -> BTreeMap<&str, (&str, usize)> {
    let mut codes = BTreeMap::new();
    for file in files.iter().filter(|file| is_product(&file.path)) {
        let test_start = test_module_line(file).unwrap_or(usize::MAX);
        for (line, text) in file.lines().take_while(|(line, _)| *line < test_start) {
            for code in CODE.find_iter(text) {
                codes.entry(code.as_str()).or_insert((file.path.as_str(), line));
            }
        }
    }
    codes
}

fn pages(files: &[SourceFile]) -> BTreeMap<&str, &SourceFile> {
    let names =
        files.iter().filter_map(|file| Some((file.path.strip_prefix(PAGES)?.strip_suffix(".md")?, file)));
    names.filter(|(name, _)| *name != "README").collect()
}

fn page_problem(name: &str, page: &SourceFile, codes: &BTreeMap<&str, (&str, usize)>) -> Option<Finding> {
    let title = page.lines().next().and_then(|(_, line)| line.strip_prefix("# ")).unwrap_or_default();
    let message = if !codes.contains_key(name) {
        format!("no code in crates/*/src is called {name}; rename or remove the page")
    } else if !title.starts_with(name) {
        format!("open the page with the title `# {name}: …`")
    } else {
        return None;
    };
    Some(Finding::new(&page.path, 1, message))
}

fn is_product(path: &str) -> bool {
    let mut parts = path.split('/');
    let in_source = parts.next() == Some("crates") && parts.nth(1) == Some("src");
    in_source && path.ends_with(".rs") && !parts.any(|part| part == "tests" || part == "tests.rs")
}

/// The line on which the unit tests of a file begin; they come last.
fn test_module_line(file: &SourceFile) -> Option<usize> {
    let mut lines = file.lines().peekable();
    while let Some((line, text)) = lines.next() {
        let opens_module = |next: &(usize, &str)| next.1.starts_with("mod ") && next.1.ends_with('{');
        if text == "#[cfg(test)]" && lines.peek().is_some_and(opens_module) {
            return Some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "crates/a/src/error.rs";

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| SourceFile::new(path, text)).collect();
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn codes_with_pages_pass() {
        let found = messages(&[
            (SOURCE, "//! Errors.\nconst A: &str = \"FIL-003\";\n"),
            ("docs/error-codes/FIL-003.md", "# FIL-003: a broken quote\n"),
            ("docs/error-codes/README.md", "# Error codes\n"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_code_without_a_page_is_found_where_it_is_named_first() {
        let found = messages(&[(SOURCE, "//! Errors.\n// STO-010\n// STO-010\n")]);
        assert_eq!(
            found,
            ["crates/a/src/error.rs:2: STO-010 has no page; write docs/error-codes/STO-010.md"]
        );
    }

    #[test]
    fn a_page_without_a_code_or_title_is_found() {
        let found = messages(&[
            (SOURCE, "const A: &str = \"FIL-003\";\n"),
            ("docs/error-codes/FIL-003.md", "Broken quote\n"),
            ("docs/error-codes/FIL-004.md", "# FIL-004: gone\n"),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("title") && found[1].contains("remove the page"), "{found:?}");
    }

    #[test]
    fn tests_and_unknown_areas_name_no_codes() {
        let found = messages(&[
            (SOURCE, "// ABC-123 FIL-12 FIL-1234\n#[cfg(test)]\nmod tests {\n// FIL-001\n}\n"),
            ("crates/a/src/error/tests.rs", "// FIL-002\n"),
            ("crates/a/src/tests/one.rs", "// FIL-002\n"),
            ("crates/a/tests/it/main.rs", "// FIL-002\n"),
            ("xtask/src/main.rs", "// FIL-002\n"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn code_below_a_test_only_item_still_counts() {
        let found = messages(&[(SOURCE, "#[cfg(test)]\nmod tests;\n\n// RUN-001\n")]);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
