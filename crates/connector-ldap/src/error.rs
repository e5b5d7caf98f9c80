//! Stable codes, and calls that failed as a whole in words that say what to do.
//!
//! Each code has a page in `docs/error-codes`. What a failure of the transport means for a single write is decided
//! in `export`, because there "nobody knows" is an answer of its own.

use identitymesh_connector::{Class, ConnectorError};

use crate::result;
use crate::transport::{Answer, Failure};

/// The server cannot be reached.
pub(crate) const UNREACHABLE: &str = "LDP-001";
/// TLS failed: the certificate is not trusted, or the server speaks no TLS.
pub(crate) const TLS: &str = "LDP-002";
/// The settings cannot be used.
pub(crate) const SETTINGS: &str = "LDP-003";
/// The server refuses the bind.
pub(crate) const BIND: &str = "LDP-004";
/// The server wants an encrypted connection.
pub(crate) const ENCRYPTION_WANTED: &str = "LDP-005";
/// A search was refused.
pub(crate) const SEARCH: &str = "LDP-010";
/// The base of a search does not exist.
pub(crate) const NO_BASE: &str = "LDP-011";
/// The connection was lost, or an answer did not come in time.
pub(crate) const LOST: &str = "LDP-012";
/// The server sent something that is no LDAP.
pub(crate) const MALFORMED: &str = "LDP-013";
/// The server repeats pages.
pub(crate) const REPEATS: &str = "LDP-014";
/// The schema cannot be read.
pub(crate) const SCHEMA: &str = "LDP-015";
/// The object type is not configured.
pub(crate) const UNKNOWN_TYPE: &str = "LDP-016";
/// The server belongs to another family than the connector's type says.
pub(crate) const OTHER_SERVER: &str = "LDP-017";
/// Kerberos is asked for and this machine does not have it.
pub(crate) const NO_KERBEROS: &str = "LDP-018";
/// Kerberos gives no ticket, or the server does not take it.
pub(crate) const TICKET: &str = "LDP-019";
/// Finding: an entry without a usable external id.
pub(crate) const NO_EXTERNAL_ID: &str = "LDP-020";
/// Finding: a value that does not fit its attribute's type.
pub(crate) const VALUE: &str = "LDP-021";
/// The server refuses a write for good.
pub(crate) const REFUSED: &str = "LDP-030";
/// The server cannot do a write now.
pub(crate) const BUSY: &str = "LDP-031";
/// The target is not as expected.
pub(crate) const CONFLICT: &str = "LDP-032";
/// Sent, and the answer was lost.
pub(crate) const UNKNOWN: &str = "LDP-033";
/// The operation makes no sense for a directory, so it was not sent.
pub(crate) const UNSENDABLE: &str = "LDP-034";
/// Not sent because the run was cancelled or the connection was gone.
pub(crate) const NOT_SENT: &str = "LDP-035";

/// A read that got no answer.
pub(crate) fn no_answer(what: &str, failure: Failure) -> ConnectorError {
    match failure {
        Failure::Malformed(_) => ConnectorError::new(
            MALFORMED,
            Class::Data,
            format!("{what}: the answer cannot be understood"),
        )
        .advice(
            "check that the address is that of an LDAP server and that nothing between changes the traffic",
        ),
        Failure::TimedOut(_) => {
            ConnectorError::new(LOST, Class::Transient, format!("{what}: no answer in time"))
                .advice("raise request_timeout_s, or lower page_size if the server is slow rather than gone")
        }
        Failure::NotSent | Failure::Lost(_) => {
            ConnectorError::new(LOST, Class::Transient, format!("{what}: the connection was lost"))
        }
    }
    .caused_by(failure)
}

/// A search that the server answered with an error.
pub(crate) fn search_refused(what: &str, base: &str, answer: &Answer) -> ConnectorError {
    let said = result::in_words(answer);
    if answer.code == result::NO_SUCH_OBJECT {
        return ConnectorError::new(NO_BASE, Class::Configuration, format!("{what}: {base} is not there: {said}"))
            .advice(
                "check `base` in the settings, and that the bind account may see it: a server hides what may not be read",
            );
    }
    let class = match answer.code {
        result::INSUFFICIENT_ACCESS_RIGHTS => Class::Denied,
        result::UNAVAILABLE_CRITICAL_EXTENSION => Class::Configuration,
        code if result::is_transient(code) => Class::Transient,
        _ => Class::Data,
    };
    ConnectorError::new(SEARCH, class, format!("{what}: the server answered {said}"))
}
