//! What a test chooses about its directory server, and what that means for its configuration.

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
    /// Whether its certificate has expired.
    pub expired: bool,
    /// Whether the server tells what changed (RFC 4533, overlay `syncprov`), and how well it remembers deletions.
    pub sync: Option<SessionLog>,
    /// Whether writes are recorded under `cn=accesslog`, which [`SessionLog::AccessLog`] includes.
    pub access_log: bool,
    /// Whether entries are found by id and by change through an index; otherwise the server is as nobody prepared it.
    pub id_index: bool,
    /// Whether names of deleted and renamed entries are taken out of `member` and `manager` (overlay `refint`).
    pub refint: bool,
    /// Whether `memberOf` is computed and names in `member` follow renames and deletions (overlay `memberof`).
    pub member_of: bool,
}

/// What the server remembers of deletions, and so how it answers an old cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionLog {
    /// Nothing: it names everything that is still there.
    None,
    /// Some operations, until it is restarted: it names what was deleted, else what is still there.
    Memory,
    /// What stands in `cn=accesslog`, over a restart too: it names what was deleted.
    ///
    /// OpenLDAP 2.5.13 ends itself (`syncprov_play_accesslog: Assertion … failed`) when somebody asks who has seen the
    /// newest change already, and the last two writes did not finish in the order in which they began. So this is for
    /// tests whose writes wait for each other.
    AccessLog,
}

impl Default for SlapdOptions {
    fn default() -> Self {
        Self {
            suffix: "dc=mesh,dc=test".to_owned(),
            password: "directory-secret".to_owned(),
            size_limit: None,
            initial_ldif: String::new(),
            tls: true,
            expired: false,
            sync: None,
            access_log: false,
            id_index: true,
            refint: false,
            member_of: false,
        }
    }
}

impl SlapdOptions {
    /// Whether there is a database `cn=accesslog`.
    pub(super) fn has_access_log(&self) -> bool {
        self.access_log || self.sync == Some(SessionLog::AccessLog)
    }

    /// The modules of the overlays.
    pub(super) fn modules(&self) -> String {
        let wanted = [
            ("accesslog", self.has_access_log()),
            ("syncprov", self.sync.is_some()),
            ("memberof", self.member_of),
            ("refint", self.refint),
        ];
        let lines = wanted.iter().filter(|(_, is_wanted)| *is_wanted);
        lines.map(|(name, _)| format!("olcModuleLoad: {name}\n")).collect()
    }

    /// The database that records writes; it must stand before the one whose writes it records.
    pub(super) fn access_log_database(&self, folder: &str) -> String {
        if !self.has_access_log() {
            return String::new();
        }
        let admin = self.bind_dn();
        let provider = if self.sync == Some(SessionLog::AccessLog) {
            "dn: olcOverlay=syncprov,olcDatabase={1}mdb,cn=config\nobjectClass: olcOverlayConfig\n\
             objectClass: olcSyncProvConfig\nolcOverlay: syncprov\nolcSpNoPresent: TRUE\nolcSpReloadHint: TRUE\n\n"
        } else {
            ""
        };
        format!(
            "dn: olcDatabase={{1}}mdb,cn=config\nobjectClass: olcDatabaseConfig\nobjectClass: olcMdbConfig\n\
             olcDatabase: {{1}}mdb\nolcDbDirectory: {folder}/log-data\nolcSuffix: cn=accesslog\n\
             olcRootDN: cn=accesslog\nolcDbMaxSize: 1073741824\nolcDbNoSync: TRUE\n\
             olcDbIndex: default eq\nolcDbIndex: entryCSN,objectClass,reqEnd,reqResult,reqStart,reqDN eq\n\
             olcLimits: dn.exact=\"{admin}\" size=unlimited time=unlimited\n\
             olcAccess: to * by dn.exact=\"{admin}\" read by * none\n\n{provider}"
        )
    }

    /// The overlays of the main database, whose number is `database`.
    pub(super) fn overlays(&self, database: u8) -> String {
        let overlay = |name: &str, class: &str, settings: &str| {
            format!(
                "\ndn: olcOverlay={name},olcDatabase={{{database}}}mdb,cn=config\nobjectClass: olcOverlayConfig\n\
                 objectClass: {class}\nolcOverlay: {name}\n{settings}"
            )
        };
        let mut text = String::new();
        if self.member_of {
            text += &overlay(
                "memberof",
                "olcMemberOfConfig",
                "olcMemberOfGroupOC: groupOfNames\nolcMemberOfMemberAD: member\n\
                 olcMemberOfMemberOfAD: memberOf\nolcMemberOfRefInt: TRUE\n",
            );
        }
        if self.refint {
            text += &overlay(
                "refint",
                "olcRefintConfig",
                "olcRefintAttribute: member manager\nolcRefintNothing: cn=no-members\n",
            );
        }
        if self.has_access_log() {
            text += &overlay(
                "accesslog",
                "olcAccessLogConfig",
                "olcAccessLogDB: cn=accesslog\nolcAccessLogOps: writes\nolcAccessLogSuccess: TRUE\n\
                 olcAccessLogPurge: 07+00:00 01+00:00\n",
            );
        }
        if let Some(log) = self.sync {
            let log = match log {
                SessionLog::None => "",
                SessionLog::Memory => "olcSpSessionlog: 10000\n",
                SessionLog::AccessLog => "olcSpSessionlogSource: cn=accesslog\n",
            };
            text += &overlay("syncprov", "olcSyncProvConfig", &format!("olcSpCheckpoint: 1 1\n{log}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_server_has_no_overlays_and_a_session_log_brings_what_it_needs() {
        let plain = SlapdOptions::default();
        assert_eq!((plain.modules(), plain.access_log_database("/x"), plain.overlays(1)), Default::default());
        let full = SlapdOptions { sync: Some(SessionLog::AccessLog), member_of: true, ..plain };
        assert_eq!(
            full.modules(),
            "olcModuleLoad: accesslog\nolcModuleLoad: syncprov\nolcModuleLoad: memberof\n"
        );
        assert!(full.access_log_database("/x").contains("olcDbDirectory: /x/log-data\n"));
        assert!(full.overlays(2).contains("olcOverlay=syncprov,olcDatabase={2}mdb"));
        assert!(full.overlays(2).contains("olcSpSessionlogSource: cn=accesslog"));
    }
}
