//! How much can happen in a life.

/// What a life is drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    #[default]
    Full,
    /// People decide about nothing but to approve what is held, all of it, and no source lies in a way that has to be
    /// believed. A seed of such a life from before there was more still is the same life.
    Plain,
}
