//! The documentation agrees with the tables.

use std::fmt::Write as _;
use std::path::PathBuf;

use identitymesh_expr::library;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The reference part of the page, from the tables.
fn reference() -> String {
    let mut out = String::new();
    let mut family = "";
    for function in library() {
        if function.family != family {
            family = function.family;
            write!(out, "\n### {family}\n\n| Call | What it gives | Example | Result |\n|---|---|---|---|\n")
                .unwrap();
        }
        let cell = |text: &str| text.replace('|', "\\|");
        let (call, help) = (cell(function.signature), cell(function.help));
        let (example, result) = (cell(function.example.expression), cell(function.example.result));
        writeln!(out, "| `{call}` | {help} | `{example}` | `{result}` |").unwrap();
    }
    out
}

/// Run with `UPDATE_DOCS=1` to write the reference anew.
#[test]
fn the_page_on_transforms_lists_every_function() {
    const MARK: &str = "<!-- the tables below are generated from the library -->\n";
    let path = docs().join("transforms.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (prose, _) = page.split_once(MARK).expect("the page has the mark");
    let expected = format!("{prose}{MARK}{}", reference());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert_eq!(page, expected, "run the test with UPDATE_DOCS=1");
}

#[test]
fn every_code_has_a_page_in_the_common_form() {
    let source = include_str!("../../src/errors.rs");
    let mut codes: Vec<&str> =
        source.match_indices("\"EXP-").map(|(at, _)| &source[at + 1..at + 8]).collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 20, "{codes:?}");
    for code in codes {
        let page = std::fs::read_to_string(docs().join(format!("error-codes/{code}.md"))).expect(code);
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        for heading in ["\n## What it means\n", "\n## Usual causes\n", "\n## What to do\n"] {
            assert!(page.contains(heading), "{code} lacks {heading:?}");
        }
    }
}
