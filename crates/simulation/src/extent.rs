//! How much can happen in a life.

use std::fmt;

/// What a life is drawn from. A seed of an extent from before there was more is still the same life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// People decide about nothing but to approve what is held, all of it, and no source lies in a way that has to be
    /// believed.
    Plain,
    /// People decide, and sources lie.
    Decided,
    /// And people let the rules look again at links that rules made.
    #[default]
    Full,
}

impl Extent {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Decided, Self::Full];
}

/// Its word.
impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Decided => "decided",
            Self::Full => "full",
        })
    }
}
