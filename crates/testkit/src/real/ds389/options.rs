//! What a test chooses about its directory server.

/// Options of a server; the default is an empty directory `dc=mesh,dc=test` with a changelog.
#[derive(Debug, Clone)]
pub struct Ds389Options {
    /// Distinguished name under which everything stands; must begin with `dc=`.
    pub suffix: String,
    /// Password of `cn=Directory Manager`, who may do everything.
    pub password: String,
    /// Entries loaded before the first start, parents first; the suffix itself is there already.
    pub initial_ldif: String,
    /// Whether changes are recorded under `cn=changelog`.
    pub changelog: bool,
    /// Whether `memberOf` is computed.
    pub member_of: bool,
    /// Whether references to deleted and renamed entries are kept in step (plugin `referential integrity postoperation`).
    pub refint: bool,
}

impl Default for Ds389Options {
    fn default() -> Self {
        Self {
            suffix: "dc=mesh,dc=test".to_owned(),
            password: "directory-secret".to_owned(),
            initial_ldif: String::new(),
            changelog: true,
            member_of: false,
            refint: false,
        }
    }
}
