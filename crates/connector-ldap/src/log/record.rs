//! What a log says of one write.

use crate::transport::Bytes;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The entry's name before the write.
    pub(crate) target: String,
    /// What identifies the entry; missing when the server is not told to record it.
    pub(crate) id: Option<String>,
    pub(crate) kind: Kind,
}

/// What kind of write it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The entry was made, or something happened that is not known.
    Whole,
    /// Some attributes changed; `None` when it cannot be read which.
    Modify(Option<Vec<Step>>),
    /// The entry has another name, and so has what lies below it.
    Rename,
    /// The entry is gone.
    Delete,
}

/// One modification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) attribute: String,
    pub(crate) values: Vec<Bytes>,
    pub(crate) is: StepKind,
}

/// What a modification does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    Add,
    Delete,
    Replace,
}
