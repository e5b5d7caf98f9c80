//! What Active Directory's own numbers mean, which it hides in the text of an answer.
//!
//! A refused bind says `data 52e`; other refusals begin with a Windows error such as `00000525`. The server's words are
//! handed on unchanged; these are added.

/// In words, what the numbers in a server's text say.
pub(crate) fn explained(message: &str) -> Option<&'static str> {
    if let Some((_, rest)) = message.split_once("AcceptSecurityContext error, data ") {
        return bind(rest.split([',', ' ']).next()?);
    }
    let (number, _) = message.split_once(':')?;
    let number = number.trim_start_matches('<').trim();
    (number.len() == 8).then(|| u32::from_str_radix(number, 16).ok()).flatten().and_then(windows)
}

fn bind(data: &str) -> Option<&'static str> {
    Some(match data.to_ascii_lowercase().as_str() {
        "525" => "there is no such account",
        "52e" => "the name or the password is wrong",
        "52f" => "a restriction of the account does not allow it",
        "530" => "the account may not sign in at this time",
        "531" => "the account may not sign in from this machine",
        "532" => "the password has expired",
        "533" => "the account is disabled",
        "568" => "the account is in too many groups",
        "701" => "the account has expired",
        "773" => "the password must be changed before the next sign-in",
        "775" => "the account is locked",
        "80090346" => "the server demands channel binding",
        _ => return None,
    })
}

fn windows(number: u32) -> Option<&'static str> {
    Some(match number {
        0x0000_0005 | 0x0000_2098 => "this account lacks the right",
        0x0000_001f => "the controller could not do it, often because the connection is not encrypted",
        0x0000_052d | 0x0000_0a29 => "the password does not fit the domain's policy",
        0x0000_0524 | 0x0000_0526 => "the account name is taken",
        0x0000_0525 | 0x0000_208d => "an object that it names is not there",
        0x0000_0561 => "it is not among the members",
        0x0000_0562 => "it is among the members already",
        0x0000_200a | 0x0000_2076 => "the schema knows no such attribute, or it may not be written like this",
        0x0000_200b => "the value does not fit the attribute",
        0x0000_200d => "the attribute has one value only",
        0x0000_200e => "the controller is busy",
        0x0000_200f => "the controller is not available",
        0x0000_2014 => "the attribute is not among those of the object's class",
        0x0000_2015 => "the object has others below it",
        0x0000_2030 => "there is no such object",
        0x0000_2071 => "there is an object of this name, or its account name is taken",
        0x0000_2083 => "the value is there already",
        0x0000_2085 => "the value is not there",
        0x0000_20e7 => "the controller does not allow the change",
        0x0000_21c7 => "another object has this name or service name already",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_have_words() {
        let bind = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 533, v2580";
        assert_eq!(explained(bind), Some("the account is disabled"));
        let password = "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0";
        assert_eq!(explained(password), Some("the password does not fit the domain's policy"));
        for text in
            ["", "no write access", "0000ZZZZ: x", "99999999: x", "AcceptSecurityContext error, data zz"]
        {
            assert_eq!(explained(text), None, "{text}");
        }
    }
}
