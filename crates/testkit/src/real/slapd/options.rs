//! What a test chooses about its directory server.

/// Options of a server; the default is an empty directory `dc=mesh,dc=test` with TLS and without limits.
#[derive(Debug, Clone)]
pub struct SlapdOptions {
    /// Distinguished name under which everything stands; its entry is made, of class `organization` or
    /// `organizationalUnit`, so it must begin with `dc=`, `o=` or `ou=`.
    pub suffix: String,
    /// Password of the administrator `cn=admin,SUFFIX`, who may do everything.
    pub password: String,
    /// Entries that one unpaged search returns at most. Binds everyone but the administrator, as OpenLDAP
    /// does: bind as an entry of `initial_ldif` that has a `userPassword` to meet it.
    pub size_limit: Option<u32>,
    /// Entries loaded before the first start, parents first; the suffix itself is there already.
    pub initial_ldif: String,
    /// Whether the server offers StartTLS and LDAPS.
    pub tls: bool,
}

impl Default for SlapdOptions {
    fn default() -> Self {
        Self {
            suffix: "dc=mesh,dc=test".to_owned(),
            password: "directory-secret".to_owned(),
            size_limit: None,
            initial_ldif: String::new(),
            tls: true,
        }
    }
}
