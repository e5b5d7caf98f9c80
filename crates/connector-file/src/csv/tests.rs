//! Splitting rows, and writing against an independent reader.

use std::io::Read;

use identitymesh_model::{Name, Object, Values};
use proptest::prelude::*;
use serde_json::json;

use super::scan::{Row, Scanned, Scanner};
use super::write::write_fields;
use crate::config::{Config, Format};
use crate::testing;

/// What the scanner makes of a text: rows of fields, or the line of a broken quote.
fn scan(text: &[u8]) -> Vec<Result<Vec<Vec<u8>>, u64>> {
    scan_from(text)
}

fn scan_from(input: impl Read) -> Vec<Result<Vec<Vec<u8>>, u64>> {
    let (mut scanner, mut row, mut out) = (Scanner::new(input, b',', b'"'), Row::default(), Vec::new());
    loop {
        match scanner.read(&mut row).unwrap() {
            Scanned::Row => {
                out.push(Ok((0..row.len()).map(|at| row.field(at).unwrap().0.to_vec()).collect()))
            }
            Scanned::BrokenQuote { line } => out.push(Err(line)),
            Scanned::TooLarge { .. } => panic!("no test text is that large"),
            Scanned::End => return out,
        }
    }
}

fn rows(expected: &[&[&str]]) -> Vec<Result<Vec<Vec<u8>>, u64>> {
    expected.iter().map(|row| Ok(row.iter().map(|field| field.as_bytes().to_vec()).collect())).collect()
}

fn config() -> Config {
    testing::config(Format::Csv, json!({}))
}

#[test]
fn fields_lines_and_quotes() {
    assert_eq!(
        scan(b"a,b\r\n\r\n\n\"c,\"\"d\"\"\ne\",\n,"),
        rows(&[&["a", "b"], &["c,\"d\"\ne", ""], &["", ""]])
    );
    assert_eq!(scan(b"\"\"\n"), rows(&[&[""]]));
    assert_eq!(scan(b"a\rb,c\n"), rows(&[&["a\rb", "c"]]));
    assert_eq!(scan(b""), []);
}

#[test]
fn broken_quotes_in_every_place() {
    for text in ["a\"b\nok\n", "\"a\"b\nok\n", "\"a\nok\n", " \"a\"\nok\n", "\"a\"\rb\nok\n"] {
        let found = scan(text.as_bytes());
        assert_eq!((found.first(), found.last()), (Some(&Err(1)), rows(&[&["ok"]]).last()), "{text:?}");
    }
}

/// Hands out a text in pieces of at most three bytes.
struct Drip<'t>(&'t [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.0.len()).min(3);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["[a,\"\n\r=@ é\u{0}\u{feff}|]{0,12}", any::<String>()]
}

/// All but lists with an empty member or one that holds the separator.
fn can_hold(object: &Object) -> bool {
    let tags = object.get(Name::literal("tags")).map_or(&[][..], Values::as_slice);
    tags.iter().all(|tag| tag.as_text().is_some_and(|tag| !tag.is_empty() && !tag.contains('|')))
}

proptest! {
    #[test]
    fn objects_that_are_written_read_back(objects in testing::objects()) {
        testing::check(&config(), &objects, can_hold);
        testing::check(&testing::config(Format::Csv, json!({ "delimiter": "\\t", "encoding": "utf-16be" })), &objects, can_hold);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let header = b"id,sn,tags,grade,on,at,raw,boss\n".to_vec();
        let _ = testing::read(&config(), bytes.clone());
        let _ = testing::read(&config(), [header, bytes].concat());
    }

    #[test]
    fn what_is_written_reads_back_here_and_elsewhere(
        table in prop::collection::vec(prop::collection::vec(hostile(), 3), 1..6)
    ) {
        let mut text = String::new();
        for row in &table {
            write_fields(&config(), &mut text, row.iter().map(|field| Some(field.clone())));
        }
        let expected: Vec<_> =
            table.iter().map(|row| Ok(row.iter().map(|field| field.as_bytes().to_vec()).collect())).collect();
        prop_assert_eq!(scan(text.as_bytes()), expected);
        // The other reader takes a U+FEFF at the very start for a byte order mark, so a header goes first.
        let text = format!("a,b,c\n{text}");
        let mut other = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let other: Vec<Vec<String>> =
            other.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(other, table);
    }

    #[test]
    fn any_bytes_are_read_alike_in_any_pieces(bytes in prop::collection::vec(
        prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..80
    )) {
        prop_assert_eq!(scan(&bytes), scan_from(Drip(&bytes)));
    }
}

#[test]
fn a_row_over_several_chunks() {
    let long = "x\n".repeat(200_000);
    assert_eq!(scan(format!("a\n\"{long}\"\nb").as_bytes()), rows(&[&["a"], &[&long], &["b"]]));
}
