//! What a test chooses about its domain controller.

/// Options of a controller; the default is a new domain.
#[derive(Debug, Clone, Default)]
pub struct SambaAdOptions {
    /// Entries put into the database before the first start, parents first. Fast, also for tens of thousands.
    pub initial_ldif: String,
    /// Simple binds without encryption are refused, as Microsoft's controllers can be told to.
    pub strong_auth: bool,
}
