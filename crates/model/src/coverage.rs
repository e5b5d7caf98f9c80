//! Whether what is known of a connected system is what it has.

/// Whether what is known of a connector's objects of one type is what the system has, as of the last import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The last import ended well, and the last one of everything proved that it had shown everything.
    Whole,
    /// Nobody knows, and here is why: a sentence about the connector without its subject.
    Unknown(String),
}
