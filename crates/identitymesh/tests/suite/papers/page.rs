//! A page of the documentation and the blocks in it.

use std::path::Path;

/// A block of text between fences.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The word behind the fence, such as `sh`.
    pub(super) language: String,
    pub(super) text: String,
}

/// The text of a page, by its path in the repository.
pub(super) fn page(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The part of a page from one line to another.
pub(super) fn part<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("the page has no {from:?}"));
    let end = page[start..].find(to).unwrap_or_else(|| panic!("the page has no {to:?} behind {from:?}"));
    &page[start..start + end]
}

/// The blocks of a page or a part of one, with the reader's own words in place of the example's.
pub(super) fn blocks(text: &str, own: &[(&str, &str)]) -> Vec<Block> {
    for (word, _) in own {
        assert!(text.contains(word), "the page does not say {word}");
    }
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| {
            let (language, text) = block.split_once('\n').expect("a fence ends its line");
            let text = own.iter().fold(format!("{text}\n"), |text, (word, own)| text.replace(word, own));
            Block { language: language.to_owned(), text }
        })
        .collect()
}

/// The only block of a language that holds these words.
pub(super) fn the_block<'a>(blocks: &'a [Block], language: &str, words: &str) -> &'a str {
    let mut found = blocks.iter().filter(|block| block.language == language && block.text.contains(words));
    let (Some(block), None) = (found.next(), found.next()) else {
        panic!("there is not one block of {language} with {words:?}")
    };
    &block.text
}
