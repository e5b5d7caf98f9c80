//! The settings' schema, from which forms and help are made.

use super::types::Family;
use identitymesh_connector::{Capabilities, Descriptor, SettingKind, SettingSchema, SettingsSchema};

/// Most entries in a page, and so in one change of memory.
pub(crate) const PAGE_SIZE_MAX: i64 = 5_000;
/// Most operations in flight on one connection.
pub(crate) const WINDOW_MAX: i64 = 256;
/// Faster than any directory writes.
const WRITES_PER_S_MAX: i64 = 100_000;
/// Longest deadline of one request.
pub(crate) const REQUEST_TIMEOUT_S_MAX: i64 = 600;
/// A member for groups that would be empty: a name that no entry has, so it gives nobody anything.
const EMPTY_MEMBER: &str = "cn=no-members";

/// Where the overlay `accesslog` keeps its log in every handbook.
const LOG_BASE: &str = "cn=accesslog";

/// What the kind is and can do.
pub(crate) fn descriptor(family: Family) -> Descriptor {
    let (kind, title, summary) = match family {
        Family::Any => {
            ("ldap", "LDAP directory", "Reads and writes the entries of an LDAP directory such as OpenLDAP.")
        }
        Family::ActiveDirectory => (
            "active-directory",
            "Active Directory",
            "Reads and writes users, groups and other entries of an Active Directory domain.",
        ),
    };
    Descriptor {
        kind,
        title,
        summary,
        capabilities: Capabilities {
            full_import: true,
            delta_import: true,
            export: true,
            discover: true,
            hierarchical: true,
            compare_and_set: true,
            follow: true,
            mends_references: true,
            set_password: true,
            must_change_password: family == Family::ActiveDirectory,
        },
        settings: SettingsSchema { settings: [reaching(), reading(), writing(), of_family(family)].concat() },
    }
}

fn reaching() -> Vec<SettingSchema> {
    use SettingKind::{Boolean, Integer, Path, Secret, Text, TextList};
    vec![
        SettingSchema::required(
            "servers",
            TextList,
            "Addresses such as ldaps://ldap1.example.com, tried in this order.",
        ),
        SettingSchema::optional("starttls", Boolean, "Encrypt ldap:// connections by StartTLS.").or(false),
        SettingSchema::optional(
            "ca_file",
            Path,
            "PEM file of the authority that signed the servers' certificates; without it those of the operating system are trusted.",
        ),
        SettingSchema::optional(
            "trust_server_certificate",
            Boolean,
            "Accept any certificate. Whoever stands between can read and change everything; for experiments only.",
        )
        .or(false),
        SettingSchema::optional(
            "allow_plain",
            Boolean,
            "Send the password without encryption to a server that is not this machine.",
        )
        .or(false),
        SettingSchema::optional("bind_dn", Text, "The account to sign in as; without it the directory is read anonymously."),
        SettingSchema::optional("bind_password", Secret, "Its password."),
        SettingSchema::optional(
            "kerberos",
            Boolean,
            "Sign in by Kerberos instead of a password; needs the library libgssapi_krb5 on this machine.",
        )
        .or(false),
        SettingSchema::optional(
            "keytab",
            Path,
            "File with the keys of the account for Kerberos; without it the machine's own tickets and keys are used.",
        ),
        SettingSchema::optional("principal", Text, "The account in the keytab, such as mesh@EXAMPLE.COM; without it the first one."),
        SettingSchema::optional(
            "request_timeout_s",
            Integer { min: 1, max: REQUEST_TIMEOUT_S_MAX },
            "Seconds that one request may take.",
        )
        .or(30),
    ]
}

fn reading() -> Vec<SettingSchema> {
    use SettingKind::{Integer, Structure, Text, TextList};
    vec![
        SettingSchema::required(
            "base",
            Text,
            "The entry below which everything lies, such as dc=example,dc=com.",
        ),
        SettingSchema::optional(
            "types",
            Structure,
            "A table per object type with object_class, filter, base, attributes and extra_object_class; without it user, group and orgUnit.",
        ),
        SettingSchema::optional(
            "include",
            TextList,
            "Containers that belong to the connector; the nearest statement decides.",
        ),
        SettingSchema::optional("exclude", TextList, "Containers that do not."),
        SettingSchema::optional(
            "external_id",
            Text,
            "The attribute that identifies an entry for good and never changes; without it the one that the server's family has: entryUUID, nsUniqueId or objectGUID.",
        ),
        SettingSchema::optional(
            "page_size",
            Integer { min: 1, max: PAGE_SIZE_MAX },
            "Entries per page; lower it when the server's limit is lower.",
        )
        .or(1_000),
    ]
}

/// What only servers of this family understand.
fn of_family(family: Family) -> Vec<SettingSchema> {
    match family {
        Family::Any => vec![
            SettingSchema::optional(
                "changes",
                SettingKind::Text,
                "How to ask what changed: auto (content synchronisation or the retro changelog, whichever the server has), accesslog (OpenLDAP's log of writes), or none.",
            )
            .or("auto"),
            SettingSchema::optional(
                "log_base",
                SettingKind::Text,
                "The entry below which OpenLDAP's log of writes lies, for changes = \"accesslog\".",
            )
            .or(LOG_BASE),
            SettingSchema::optional(
                "refint_attributes",
                SettingKind::TextList,
                "What olcRefintAttribute says where OpenLDAP has the overlay refint: attributes such as member out of which it takes entries that are deleted, without telling anybody.",
            ),
        ],
        Family::ActiveDirectory => vec![
            SettingSchema::optional(
                "changes",
                SettingKind::Text,
                "How to ask what changed: auto (DirSync where the account may, else sequence numbers), usn, or none.",
            )
            .or("auto"),
        ],
    }
}

fn writing() -> Vec<SettingSchema> {
    use SettingKind::{Integer, Text};
    vec![
        SettingSchema::optional(
            "window",
            Integer { min: 1, max: WINDOW_MAX },
            "Operations in flight at a time.",
        )
        .or(16),
        SettingSchema::optional(
            "writes_per_s_max",
            Integer { min: 1, max: WRITES_PER_S_MAX },
            "Most operations begun in a second, to spare a directory that serves others; without it as many as the window allows.",
        ),
        SettingSchema::optional(
            "empty_member",
            Text,
            "The member of a groupOfNames that would have none; it is never shown as a member.",
        )
        .or(EMPTY_MEMBER),
    ]
}
