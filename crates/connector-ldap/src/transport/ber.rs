//! Entries and control values out of decoded BER, with every surprise an error.
//!
//! The protocol library has readers of its own for these, but they end the process's task on malformed input; what
//! a server sends must never do that.

use ldap3::asn1::{PL, StructureTag, parse_tag};

use super::requests::{Attribute, Bytes, Entry, Failure};

fn malformed(what: &str) -> Failure {
    Failure::Malformed(format!("the server sent {what}"))
}

fn parts(tag: StructureTag, what: &str) -> Result<Vec<StructureTag>, Failure> {
    tag.expect_constructed().ok_or_else(|| malformed(what))
}

fn bytes(tag: StructureTag, what: &str) -> Result<Bytes, Failure> {
    tag.expect_primitive().ok_or_else(|| malformed(what))
}

fn text(tag: StructureTag, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes(tag, what)?).map_err(|_| malformed(what))
}

/// `SEQUENCE { name, attributes }`, whatever its tag: a search entry or the entry of a read control.
pub(crate) fn entry(tag: StructureTag) -> Result<Entry, Failure> {
    let mut parts = parts(tag, "an entry without content")?.into_iter();
    let (Some(dn), Some(attributes)) = (parts.next(), parts.next()) else {
        return Err(malformed("an entry without a name or attributes"));
    };
    let dn = text(dn, "an entry whose name is not UTF-8")?;
    let attributes = self::parts(attributes, "an entry whose attributes are no list")?;
    Ok(Entry { dn, attributes: attributes.into_iter().map(attribute).collect::<Result<_, _>>()? })
}

fn attribute(tag: StructureTag) -> Result<Attribute, Failure> {
    let mut parts = parts(tag, "an attribute without content")?.into_iter();
    let (Some(name), Some(values)) = (parts.next(), parts.next()) else {
        return Err(malformed("an attribute without a name or values"));
    };
    let name = text(name, "an attribute whose name is not text")?;
    let values = self::parts(values, "an attribute whose values are no set")?;
    let values = values.into_iter().map(|value| bytes(value, "a value that is no octet string"));
    Ok((name, values.collect::<Result<_, _>>()?))
}

/// The addresses in a search reference.
pub(crate) fn references(tag: StructureTag) -> Result<Vec<String>, Failure> {
    let what = "a search reference without addresses";
    parts(tag, what)?.into_iter().map(|address| text(address, what)).collect()
}

/// The cookie in the value of a paged results control (RFC 2696): `SEQUENCE { size, cookie }`.
pub(crate) fn page_cookie(value: &[u8]) -> Result<Bytes, Failure> {
    let what = "a paged results control that cannot be read";
    let (_, tag) = parse_tag(value).map_err(|_| malformed(what))?;
    match tag.payload {
        PL::C(parts) if parts.len() == 2 => {
            parts.into_iter().nth(1).map_or_else(|| Err(malformed(what)), |cookie| bytes(cookie, what))
        }
        _ => Err(malformed(what)),
    }
}

/// The entry in the value of a read control (RFC 4527).
pub(crate) fn control_entry(value: &[u8]) -> Result<Entry, Failure> {
    let (_, tag) = parse_tag(value).map_err(|_| malformed("a read control that cannot be read"))?;
    entry(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: [u8; 9] = [0x30, 0x07, 0x02, 0x01, 0x00, 0x04, 0x02, b'a', b'b'];

    #[test]
    fn a_page_cookie_is_read() {
        assert_eq!(page_cookie(&PAGE).unwrap(), b"ab");
    }

    #[test]
    fn every_truncation_of_a_control_is_an_error_or_shorter_and_never_a_panic() {
        for end in 0..PAGE.len() {
            assert!(page_cookie(&PAGE[..end]).is_err(), "{end}");
            assert!(control_entry(&PAGE[..end]).is_err(), "{end}");
        }
        assert!(page_cookie(&[0x04, 0x01, 0x00]).is_err());
        assert!(page_cookie(&[0x30, 0x03, 0x02, 0x01, 0x00]).is_err());
    }

    #[test]
    fn entries_are_read_with_every_byte_and_refused_when_their_name_is_not_text() {
        let entry_bytes = |dn: &[u8]| {
            let mut value = vec![0x30, 0x0f, 0x04, 0x02];
            value.extend_from_slice(dn);
            value.extend_from_slice(&[0x30, 0x09, 0x30, 0x07, 0x04, 0x01, b'x', 0x31, 0x02, 0x04, 0x00]);
            value
        };
        let read = control_entry(&entry_bytes(b"o=")).unwrap();
        assert_eq!(read, Entry { dn: "o=".to_owned(), attributes: vec![("x".to_owned(), vec![vec![]])] });
        assert!(control_entry(&entry_bytes(&[0xff, 0xfe])).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_end_the_task(bytes: Vec<u8>) {
            let _read = (page_cookie(&bytes).is_ok(), control_entry(&bytes).is_ok());
        }
    }
}
