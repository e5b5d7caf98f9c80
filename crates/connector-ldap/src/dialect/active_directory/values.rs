//! Values that Active Directory keeps in forms of its own: GUIDs, SIDs, moments as FILETIME.
//!
//! All three have one text or moment that people know; every other length or number is refused with a reason.

use identitymesh_model::Timestamp;

/// Microseconds from 1601, where FILETIME begins, to 1970.
const EPOCH_MICROS: i64 = 11_644_473_600_000_000;
/// The FILETIME that means "never", besides zero.
const NEVER: i64 = i64::MAX;
/// Most sub-authorities of a SID.
const SUB_AUTHORITY_COUNT_MAX: usize = 15;

/// The text of a GUID, whose first three groups travel with their lowest byte first.
pub(crate) fn guid_text(bytes: &[u8]) -> Option<String> {
    let bytes: &[u8; 16] = bytes.try_into().ok()?;
    Some(uuid::Uuid::from_bytes_le(*bytes).to_string())
}

/// The bytes of a GUID.
pub(crate) fn guid_bytes(text: &str) -> Option<[u8; 16]> {
    uuid::Uuid::try_parse(text).ok().map(|guid| guid.to_bytes_le())
}

/// `S-1-5-21-…`.
pub(crate) fn sid_text(bytes: &[u8]) -> Option<String> {
    let (&[revision, count], rest) = bytes.split_first_chunk::<2>()?;
    let (authority, subs) = rest.split_first_chunk::<6>()?;
    let count = usize::from(count);
    if revision != 1 || count > SUB_AUTHORITY_COUNT_MAX || subs.len() != count * 4 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut text = format!("S-1-{authority}");
    for sub in subs.chunks_exact(4) {
        let sub = u32::from_le_bytes(sub.try_into().ok()?);
        text.push('-');
        text.push_str(&sub.to_string());
    }
    Some(text)
}

/// The bytes of a SID.
pub(crate) fn sid_bytes(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.strip_prefix("S-1-")?.split('-');
    let authority: u64 = parts.next()?.parse().ok().filter(|number| *number < 1 << 48)?;
    let subs = parts.map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>()?;
    let count =
        u8::try_from(subs.len()).ok().filter(|count| usize::from(*count) <= SUB_AUTHORITY_COUNT_MAX)?;
    let mut bytes = vec![1, count];
    bytes.extend_from_slice(&authority.to_be_bytes()[2..]);
    subs.iter().for_each(|sub| bytes.extend_from_slice(&sub.to_le_bytes()));
    Some(bytes)
}

/// The moment of a FILETIME; an inner `None` is "never" or "not yet", which is no moment.
///
/// Numbers are tenths of a microsecond; the mesh knows microseconds, so the last digit is dropped.
pub(crate) fn filetime(number: i64) -> Option<Option<Timestamp>> {
    if matches!(number, 0 | NEVER) {
        return Some(None);
    }
    let micros = (number >= 0).then_some(number / 10)?;
    Timestamp::from_micros(micros - EPOCH_MICROS).ok().map(Some)
}

/// The FILETIME of a moment, `None` before 1601 and beyond the range.
pub(crate) fn to_filetime(at: Timestamp) -> Option<i64> {
    at.as_micros().checked_add(EPOCH_MICROS).filter(|micros| *micros > 0)?.checked_mul(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_microsofts_order_of_bytes() {
        let bytes = [0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 8];
        let text = "12345678-9abc-def0-0102-030405060708";
        assert_eq!(guid_text(&bytes).as_deref(), Some(text));
        assert_eq!(guid_bytes(text), Some(bytes));
        assert_eq!((guid_text(&bytes[1..]), guid_bytes("x")), (None, None));
    }

    #[test]
    fn sids_go_out_and_come_back() {
        let text = "S-1-5-21-3623811015-3361044348-30300820-1013";
        let bytes = sid_bytes(text).unwrap();
        assert_eq!(bytes[..8], [1, 5, 0, 0, 0, 0, 0, 5]);
        assert_eq!(sid_text(&bytes).as_deref(), Some(text));
        assert_eq!(sid_text(&sid_bytes("S-1-1-0").unwrap()).as_deref(), Some("S-1-1-0"));
        assert_eq!(sid_text(&bytes[..bytes.len() - 1]), None);
        assert_eq!(sid_text(&[2, 0, 0, 0, 0, 0, 0, 5]), None);
        for wrong in ["", "S-1-", "S-2-5", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656"] {
            assert_eq!(sid_bytes(wrong), None, "{wrong}");
        }
        assert!(sid_bytes(&format!("S-1-5{}", "-1".repeat(15))).is_some());
        assert!(sid_bytes(&format!("S-1-5{}", "-1".repeat(16))).is_none());
    }

    #[test]
    fn moments_are_counted_from_1601_and_never_is_none() {
        let at: Timestamp = "2026-03-02T08:15:30.123456Z".parse().unwrap();
        assert_eq!(to_filetime(at), Some(134_169_129_301_234_560));
        assert_eq!(filetime(134_169_129_301_234_567), Some(Some(at)));
        assert_eq!((filetime(0), filetime(i64::MAX), filetime(-1)), (Some(None), Some(None), None));
        assert_eq!(to_filetime("1600-12-31T23:59:59Z".parse().unwrap()), None);
    }
}
