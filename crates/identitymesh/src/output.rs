//! Answers: tables and sentences for people, JSON for machines. The only place that writes to the output.

use std::io::IsTerminal as _;

use serde::Serialize;

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON instead of tables.
    pub(crate) json: bool,
}

impl Output {
    /// One answer: `text` for people, `data` for machines.
    pub(crate) fn answer(self, data: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let answer = if self.json { serde_json::to_string_pretty(data)? } else { text() };
        write_line(&mut out, &answer)
    }

    /// A sentence for people while work goes on; silent with `--json`.
    pub(crate) fn say(self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { write_line(&mut std::io::stdout().lock(), text) }
    }

    /// A part of an answer for people, as soon as it is there.
    pub(crate) fn part(self, text: &str) -> anyhow::Result<()> {
        write(&mut std::io::stdout().lock(), text)
    }

    /// One line for whoever reads along.
    pub(crate) fn line(self, text: &str) -> anyhow::Result<()> {
        write_line(&mut std::io::stdout().lock(), text)
    }

    /// A remark on the error stream where a person watches.
    pub(crate) fn note(self, text: &str) {
        if self.is_watched() {
            eprintln!("{text}");
        }
    }

    /// A warning on the error stream, whoever reads it.
    pub(crate) fn warn(self, text: &str) {
        eprintln!("warning: {text}");
    }

    /// Whether a person watches.
    pub(crate) fn is_watched(self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }
}

fn write_line(out: &mut impl std::io::Write, text: &str) -> anyhow::Result<()> {
    write(out, text)?;
    write(out, if text.ends_with('\n') { "" } else { "\n" })
}

/// A reader that goes away (`| head`) is no failure.
fn write(out: &mut impl std::io::Write, text: &str) -> anyhow::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A table with aligned columns; wide cells are not cut, so that nothing is hidden.
#[must_use]
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = line(&mut head.iter().copied());
    for row in rows {
        out.push('\n');
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    out
}

/// A count with its noun: `1 person`, `5,000 people`.
#[must_use]
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// A number with thousands set apart.
#[must_use]
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_by_characters() {
        let rows =
            vec![vec!["Zoë".to_owned(), "1".to_owned()], vec!["longer name".to_owned(), "22".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "name         n\nZoë          1\nlonger name  22");
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
        assert_eq!(counted(1, "person", "people"), "1 person");
        assert_eq!(counted(5_000, "person", "people"), "5,000 people");
    }
}
