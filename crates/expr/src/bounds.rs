//! What one expression may ask for, each limit with its name and its reason.
//!
//! An expression is written by an administrator and runs for every one of a million objects over values that a
//! foreign system chose, so neither its text nor its inputs may decide how long it runs or how much it holds. Every
//! limit is crossed by a test. The shape of the text is checked before the parser sees it, because the parser
//! recurses (sync semantics, section 10).

/// Most bytes in the text of one expression.
pub const EXPRESSION_BYTES_MAX: usize = 8 * 1024;
/// Deepest nesting of brackets; fifty levels is far beyond what anybody can read.
pub const NESTING_MAX: usize = 50;
/// Most operators, dots and opening square brackets in one expression: a chain of them nests once for each in the
/// syntax tree.
pub const OPERATORS_MAX: usize = 200;
/// Most values in a list that an expression makes; a set that an object holds may be larger and be walked.
pub const LIST_COUNT_MAX: usize = 100_000;
/// Most bytes in a text that an expression makes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most bytes in a binary value that an expression makes.
pub const BINARY_BYTES_MAX: usize = identitymesh_model::VALUE_BYTES_MAX;
/// Most bytes in the text of a regular expression.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Most bytes that a compiled regular expression may take.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 1 << 20;
/// Patterns made at run time that one evaluator keeps compiled.
pub const PATTERN_CACHE_COUNT_MAX: usize = 64;
/// Most bytes in a date pattern.
pub const DATE_PATTERN_BYTES_MAX: usize = 128;
/// Steps that one evaluation may take: a step is a node of the tree, or [`STEP_BYTES`] bytes handed to a function.
pub const STEPS_MAX: u64 = 2_000_000;
/// Bytes of argument that count as one step.
pub const STEP_BYTES: usize = 64;
/// Steps that each [`STEP_BYTES`] cost a function that matches a regular expression.
pub const PATTERN_STEP_FACTOR: u64 = 16;
/// Most intermediate values that the trace of one evaluation notes.
pub const TRACE_STEPS_MAX: usize = 1_000;
/// Most bytes of values that the trace of one evaluation notes.
pub const TRACE_BYTES_MAX: usize = 4 << 20;
/// Most names that one `Unique` asks for before it gives up.
pub const UNIQUE_ATTEMPTS_MAX: usize = 1_000;
/// Shortest password that `RandomPassword` makes.
pub const PASSWORD_LENGTH_MIN: usize = 8;
/// Longest password that `RandomPassword` makes.
pub const PASSWORD_LENGTH_MAX: usize = 128;

/// The first limit that the shape of `text` crosses, found without parsing it.
pub(crate) fn crossed(text: &str) -> Option<Crossed> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Some(Crossed::Length { bytes: text.len() });
    }
    let (mut depth, mut operators, mut quote, mut last) = (0_usize, 0_usize, None, ' ');
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match (quote, char) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        // The second half of `&&`, `||`, `==`, `<=` and so on belongs to the first.
        let second = matches!((last, char), ('&', '&') | ('|', '|') | ('=' | '!' | '<' | '>', '='));
        if quote.is_none() && "+-*/%!?<>=&|.[".contains(char) && !second {
            operators += 1;
        }
        last = if second { ' ' } else { char };
        if depth > NESTING_MAX {
            return Some(Crossed::Nesting { at });
        }
        if operators > OPERATORS_MAX {
            return Some(Crossed::Operators { at });
        }
    }
    None
}

/// A limit on the shape of the text, and where it was crossed (byte offset).
pub(crate) enum Crossed {
    Length { bytes: usize },
    Nesting { at: usize },
    Operators { at: usize },
}
