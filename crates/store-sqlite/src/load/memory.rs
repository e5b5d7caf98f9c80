//! What a connection remembers from one read to the next.

use std::rc::Rc;

use identitymesh_model::canonical::DocumentReader;
use identitymesh_model::{Text, Uid};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::codec::uid_bytes;
use crate::dictionary::Dictionary;

/// Names met and the shapes of documents met; never anything that a commit could change.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) dictionary: Dictionary,
    pub(crate) space_docs: DocumentReader,
    pub(crate) mesh_docs: DocumentReader,
}

/// A connection together with its memory.
pub(crate) struct Loader<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) memory: &'c mut Memory,
}

/// Ids as the array that `rarray` takes.
pub(crate) fn id_array(ids: impl IntoIterator<Item = i64>) -> Rc<Vec<Value>> {
    Rc::new(ids.into_iter().map(Value::Integer).collect())
}

/// Texts as the array that `rarray` takes.
pub(crate) fn text_array(texts: &[Text]) -> Rc<Vec<Value>> {
    Rc::new(texts.iter().map(|text| Value::Text(text.to_string())).collect())
}

/// Public ids as the array that `rarray` takes.
pub(crate) fn uid_array(uids: &[Uid]) -> Rc<Vec<Value>> {
    Rc::new(uids.iter().map(|uid| Value::Blob(uid_bytes(uid).to_vec())).collect())
}

/// The place in a question that a row of `rarray`, which counts from 1, answers.
pub(crate) fn place(rowid: i64) -> usize {
    usize::try_from(rowid - 1).expect("an array's rows count from 1")
}
