//! Lines end where they end: no blanks behind them, and a line feed behind the last.

use super::source::SourceFile;
use crate::finding::Finding;

/// Finds trailing blanks (a carriage return is one) and a missing end of the last line.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let blanks = file.lines().filter(|(_, line)| line.ends_with(char::is_whitespace));
    let mut findings: Vec<Finding> =
        blanks.map(|(line, _)| Finding::new(&file.path, line, "blanks at the end of the line")).collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(&file.path, file.lines().count(), "no line feed at the end of the file"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(text: &str) -> Vec<usize> {
        check(&SourceFile::new("a.md", text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn clean_and_empty_texts_pass() {
        assert_eq!(lines_found("a\n\nb\n"), [0; 0]);
        assert_eq!(lines_found(""), [0; 0]);
    }

    #[test]
    fn blanks_and_a_missing_line_feed_are_found() {
        assert_eq!(lines_found("a \nb\t\nc\r\n\x20\nd"), [1, 2, 3, 4, 5]);
    }
}
