//! What LDAP result codes mean (RFC 4511, appendix A; RFC 4528).
//!
//! One table, [`verdict`], decides for every code what became of a write; codes not in it are refusals, because an
//! unknown refusal that is tried for ever helps nobody. What the server says in words is handed on unchanged.

use crate::dialect::active_directory::codes;
use crate::transport::Answer;

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const SIZE_LIMIT_EXCEEDED: u32 = 4;
/// From a replica that takes no writes.
const REFERRAL: u32 = 10;
pub(crate) const UNAVAILABLE_CRITICAL_EXTENSION: u32 = 12;
pub(crate) const NO_SUCH_ATTRIBUTE: u32 = 16;
pub(crate) const ATTRIBUTE_OR_VALUE_EXISTS: u32 = 20;
pub(crate) const NO_SUCH_OBJECT: u32 = 32;
pub(crate) const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;
pub(crate) const OBJECT_CLASS_VIOLATION: u32 = 65;
pub(crate) const ENTRY_ALREADY_EXISTS: u32 = 68;
pub(crate) const ASSERTION_FAILED: u32 = 122;

/// What became of a write, as far as its result code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done.
    Applied,
    /// The entry is not there.
    Missing,
    /// Another entry has this name.
    Exists,
    /// The entry's content is not as the request supposes.
    Differs,
    /// May work later.
    Transient,
    /// Refused for good.
    Refused,
}

/// The table.
pub(crate) const fn verdict(code: u32) -> Verdict {
    match code {
        SUCCESS => Verdict::Applied,
        NO_SUCH_OBJECT => Verdict::Missing,
        ENTRY_ALREADY_EXISTS => Verdict::Exists,
        NO_SUCH_ATTRIBUTE | ATTRIBUTE_OR_VALUE_EXISTS | ASSERTION_FAILED => Verdict::Differs,
        // The server that does may be back at the next attempt.
        REFERRAL => Verdict::Transient,
        code if is_transient(code) => Verdict::Transient,
        _ => Verdict::Refused,
    }
}

/// operationsError, timeLimitExceeded, busy, unavailable, other: the server's trouble, not the request's.
pub(crate) const fn is_transient(code: u32) -> bool {
    matches!(code, 1 | 3 | 51 | 52 | 80)
}

/// `insufficientAccessRights (50): no write access to parent`, with the servers of a referral.
pub(crate) fn in_words(answer: &Answer) -> String {
    let mut words = format!("{} ({})", name(answer.code), answer.code);
    if !answer.message.is_empty() {
        words.push_str(": ");
        words.push_str(&answer.message);
        if let Some(meaning) = codes::explained(&answer.message) {
            words.push_str(" (");
            words.push_str(meaning);
            words.push(')');
        }
    }
    if !answer.referrals.is_empty() {
        words.push_str("; it refers to ");
        words.push_str(&answer.referrals.join(", "));
    }
    words
}

/// The code's name in RFC 4511.
const fn name(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        71 => "affectsMultipleDSAs",
        80 => "other",
        122 => "assertionFailed",
        123 => "authorizationDenied",
        _ => "a result unknown to RFC 4511",
    }
}

/// The words of a server's message that may name an attribute: what stands in quotes or parentheses, before a colon,
/// and behind the word "attribute". Only the caller knows which of them are attributes.
pub(crate) fn names_in(message: &str) -> impl Iterator<Item = &str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-.;".contains(character);
    let mut rest = message;
    let mut before = ' ';
    let mut is_announced = false;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_part)?;
            let opening = rest[..start].chars().next_back().unwrap_or(before);
            let word = &rest[start..];
            let end = word.find(|character| !is_part(character)).unwrap_or(word.len());
            let (word, tail) = word.split_at(end);
            rest = tail;
            before = ' ';
            let closing = tail.chars().next().unwrap_or(' ');
            let is_named = std::mem::replace(&mut is_announced, word.eq_ignore_ascii_case("attribute"))
                || closing == ':'
                || matches!((opening, closing), ('\'', '\'') | ('"', '"') | ('(', ')'));
            if is_named {
                return Some(word);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_verdict() {
        use Verdict::{Applied, Differs, Exists, Missing, Refused, Transient};
        let expected = |code| match code {
            0 => Applied,
            1 | 3 | 10 | 51 | 52 | 80 => Transient,
            16 | 20 | 122 => Differs,
            32 => Missing,
            68 => Exists,
            _ => Refused,
        };
        for code in 0..=4096 {
            assert_eq!(verdict(code), expected(code), "{code}");
        }
    }

    #[test]
    fn the_servers_words_and_referrals_are_kept() {
        let answer = Answer {
            code: 10,
            message: "shadow copy".to_owned(),
            referrals: vec!["ldap://master.test".to_owned()],
            ..Answer::default()
        };
        assert_eq!(in_words(&answer), "referral (10): shadow copy; it refers to ldap://master.test");
        assert_eq!(in_words(&Answer { code: 51, ..Answer::default() }), "busy (51)");
    }

    #[test]
    fn names_are_found_in_what_servers_say() {
        let names = |message| names_in(message).collect::<Vec<_>>();
        assert_eq!(names("mail: value #0 invalid per syntax"), ["mail"]);
        assert_eq!(names("object class 'inetOrgPerson' requires attribute 'sn'"), ["inetOrgPerson", "sn"]);
        assert_eq!(names("attribute \"foo\" not allowed"), ["foo"]);
        assert_eq!(names("Att 9 (title):len"), ["title"]);
        assert_eq!(names("0200D: SINGLE-VALUE attribute title on x"), ["0200D", "title"]);
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("é'ü'"), [""; 0]);
    }
}
