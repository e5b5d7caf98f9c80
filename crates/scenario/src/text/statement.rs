//! The lines of a scenario file, taken apart into statements.

use super::Problem;

/// One statement with the lines that belong to it.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// Its words as written.
    pub(super) text: String,
    /// Rules or rows below it, without indentation, each with its line.
    pub(super) body: Vec<(usize, String)>,
    /// Everything as written, expectations left out.
    pub(super) written: Vec<String>,
}

/// A part of the file that is kept as it is, or a statement.
pub(super) enum Piece {
    Kept(String),
    Statement(Statement),
}

/// Takes a file apart. Indented lines belong to the statement above; so does everything up to `end` after `rules`
/// and `replace`.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('|') {
            continue;
        }
        if line.trim().is_empty() || line.starts_with('#') {
            pieces.push(Piece::Kept(line.to_owned()));
            continue;
        }
        if line.starts_with(' ') {
            return Err(Problem::new(number, "an indented line belongs below a statement"));
        }
        let mut statement = Statement {
            line: number,
            text: line.trim().to_owned(),
            body: Vec::new(),
            written: vec![line.to_owned()],
        };
        if line.starts_with("rules ") || line.starts_with("replace ") {
            loop {
                let Some((at, line)) = lines.next() else {
                    return Err(Problem::new(number, "rules go on to a line `end`, which is missing"));
                };
                statement.written.push(line.to_owned());
                if line == "end" {
                    break;
                }
                statement.body.push((at, line.to_owned()));
            }
        } else {
            while let Some((at, line)) = lines.next_if(|(_, line)| line.starts_with(' ')) {
                statement.written.push(line.to_owned());
                statement.body.push((at, line.trim().to_owned()));
            }
        }
        pieces.push(Piece::Statement(statement));
    }
    Ok(pieces)
}

impl Statement {
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.line, message)
    }

    /// The body as one text.
    pub(super) fn body_text(&self) -> String {
        self.body.iter().map(|(_, line)| format!("{line}\n")).collect()
    }
}
