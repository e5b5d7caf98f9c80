//! One schema definition as RFC 4512, section 4.1, writes it: `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )`.
//!
//! The reader is lenient where servers are sloppy: keywords in any order and case, unknown ones kept, object
//! identifiers in quotes. It is strict about brackets and quotes, because nothing can be guessed there.

/// Longest definition, in bytes.
pub(crate) const DEFINITION_BYTES_MAX: usize = 256 * 1024;

/// Keywords that stand alone.
const FLAGS: [&str; 7] =
    ["SINGLE-VALUE", "NO-USER-MODIFICATION", "COLLECTIVE", "OBSOLETE", "ABSTRACT", "STRUCTURAL", "AUXILIARY"];

/// A definition taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) oid: String,
    fields: Vec<(String, Vec<String>)>,
}

impl Definition {
    /// From what a server keeps in another form.
    pub(crate) fn new(oid: &str, fields: Vec<(&str, Vec<String>)>) -> Self {
        let fields = fields.into_iter().map(|(keyword, values)| (keyword.to_owned(), values));
        Self { oid: oid.to_owned(), fields: fields.collect() }
    }

    /// Reads a definition, `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > DEFINITION_BYTES_MAX {
            return None;
        }
        let mut tokens = Tokens(text.trim());
        if tokens.next()?? != Token::Open {
            return None;
        }
        let Token::Word(oid) = tokens.next()?? else { return None };
        let mut definition = Self { oid: oid.to_owned(), fields: Vec::new() };
        loop {
            match tokens.next()?? {
                Token::Close => break,
                Token::Open => return None,
                Token::Word(keyword) => {
                    let keyword = keyword.to_ascii_uppercase();
                    let values =
                        if FLAGS.contains(&keyword.as_str()) { Vec::new() } else { values(&mut tokens)? };
                    definition.fields.push((keyword, values));
                }
            }
        }
        tokens.next().is_none().then_some(definition)
    }

    /// All values of a keyword, none when it is missing.
    pub(crate) fn all(&self, keyword: &str) -> &[String] {
        let found = self.fields.iter().find(|(known, _)| known == keyword);
        found.map_or(&[], |(_, values)| values)
    }

    /// The only value of a keyword.
    pub(crate) fn one(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).first().map(String::as_str)
    }

    /// Whether a keyword stands there.
    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == keyword)
    }
}

fn values(tokens: &mut Tokens<'_>) -> Option<Vec<String>> {
    match tokens.next()?? {
        Token::Word(word) => Some(vec![word.to_owned()]),
        Token::Close => None,
        Token::Open => {
            let mut values = Vec::new();
            loop {
                match tokens.next()?? {
                    Token::Close => return Some(values),
                    Token::Open => return None,
                    Token::Word("$") => {}
                    Token::Word(word) => values.push(word.to_owned()),
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Word(&'a str),
}

/// Tokens of the rest of a text; an inner `None` is a quote that is never closed.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Option<Token<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start();
        let first = text.chars().next()?;
        let is_end = |character: char| character.is_whitespace() || "()$".contains(character);
        let (token, rest) = match first {
            '(' => (Some(Token::Open), &text[1..]),
            ')' => (Some(Token::Close), &text[1..]),
            '$' => (Some(Token::Word("$")), &text[1..]),
            '\'' => match text[1..].split_once('\'') {
                // A word that goes on behind its quote is none that anybody could read the same way.
                Some((word, rest)) if rest.starts_with(is_end) || rest.is_empty() => {
                    (Some(Token::Word(word)), rest)
                }
                _ => (None, ""),
            },
            _ => {
                let end = text.find(is_end).unwrap_or(text.len());
                (Some(Token::Word(&text[..end])), &text[end..])
            }
        };
        self.0 = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_taken_apart() {
        let text = "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'it''s (one) $' SUP name \
            SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} SINGLE-VALUE X-ORIGIN 'RFC 4519' )";
        // Two quotes in a row end one word and begin another, so such a description is no definition.
        assert_eq!(Definition::parse(text), None);
        let definition = Definition::parse(&text.replace("''", " ")).unwrap();
        assert_eq!(definition.oid, "2.5.4.4");
        assert_eq!(definition.all("NAME"), ["sn", "surname"]);
        assert_eq!(definition.one("SUP"), Some("name"));
        assert!(definition.has("SINGLE-VALUE") && !definition.has("COLLECTIVE"));
    }

    #[test]
    fn lists_may_be_written_tightly() {
        let definition = Definition::parse("(1.2 NAME 'a' MUST (cn$sn $ x) MAY y)").unwrap();
        assert_eq!(definition.all("MUST"), ["cn", "sn", "x"]);
        assert_eq!(definition.all("MAY"), ["y"]);
    }

    #[test]
    fn what_is_no_definition_is_none() {
        for text in [
            "",
            "(",
            ")",
            "()",
            "( 1.2",
            "( 1.2 NAME 'a )",
            "( 1.2 NAME ( 'a' ) ",
            "( 1.2 NAME ) )",
            "1.2",
            "( ( 1.2 ) )",
            "( 1.2 NAME ( ( 'a' ) ) )",
            "( 1.2 ) x",
        ] {
            assert_eq!(Definition::parse(text), None, "{text}");
        }
        let long = |bytes: usize| format!("( 1.2 DESC '{}' )", "x".repeat(bytes - 15));
        assert!(Definition::parse(&long(DEFINITION_BYTES_MAX)).is_some());
        assert!(Definition::parse(&long(DEFINITION_BYTES_MAX + 1)).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_ends_the_task(text in "[()'$ a-zé1.]{0,60}") {
            let _read = Definition::parse(&text);
        }
    }
}
