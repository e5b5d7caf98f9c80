//! The controls and messages of content synchronisation (RFC 4533, section 2), into bytes and out of them.
//!
//! Every surprise is an error of the read, never a panic: what a server sends must not end the task.

use crate::transport::ber::{BOOLEAN, ENUMERATED, OCTETS, Reader, SEQUENCE, SET, Writer, malformed};
use crate::transport::{Bytes, Control, Failure};

/// The request control, which servers that offer synchronisation list in their root entry.
pub(crate) const REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
pub(super) const STATE_CONTROL: &str = "1.3.6.1.4.1.4203.1.9.1.2";
pub(super) const DONE_CONTROL: &str = "1.3.6.1.4.1.4203.1.9.1.3";
pub(super) const INFO_MESSAGE: &str = "1.3.6.1.4.1.4203.1.9.1.4";

/// Tags of the choices of the information message.
const NEW_COOKIE: u8 = 0x80;
const REFRESH_DELETE: u8 = 0xa1;
const REFRESH_PRESENT: u8 = 0xa2;
const ID_SET: u8 = 0xa3;

/// What identifies an entry for good.
pub(crate) type EntryUuid = [u8; 16];

/// Whether the search ends when everything was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It ends.
    RefreshOnly,
    /// It stays, and tells what changes.
    RefreshAndPersist,
}

/// Asks for what changed since the cookie, for everything without one.
///
/// No hint that everything may come again is given: the caller prefers to hear that a cookie is too old, and to read
/// everything in pages and under a certificate.
pub(crate) fn request(mode: Mode, cookie: Option<&[u8]>) -> Control {
    let mut writer = Writer::default();
    writer.nested(SEQUENCE, |writer| {
        writer.integer(
            ENUMERATED,
            match mode {
                Mode::RefreshOnly => 1,
                Mode::RefreshAndPersist => 3,
            },
        );
        if let Some(cookie) = cookie {
            writer.octets(OCTETS, cookie);
        }
    });
    Control::critical(REQUEST, writer.into_bytes())
}

/// What an entry of the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There, as it was.
    Present,
    /// New, or as it is now.
    Add,
    /// As it is now.
    Modify,
    /// Gone, or not among what was searched for any more.
    Delete,
}

/// What is said of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryState {
    pub(crate) state: State,
    pub(crate) uuid: EntryUuid,
    pub(crate) cookie: Option<Bytes>,
}

/// What the controls say of the entry that they came with.
pub(crate) fn entry_state(controls: &[Control]) -> Result<EntryState, Failure> {
    const WHAT: &str = "an entry whose state cannot be read";
    let value =
        Control::value_of(controls, STATE_CONTROL).ok_or_else(|| malformed("an entry without its state"))?;
    let mut parts = Reader::new(value).inside(SEQUENCE, WHAT)?;
    let state = match parts.integer(ENUMERATED, WHAT)? {
        0 => State::Present,
        1 => State::Add,
        2 => State::Modify,
        3 => State::Delete,
        _ => return Err(malformed(WHAT)),
    };
    let uuid = uuid(parts.content(OCTETS, WHAT)?)?;
    Ok(EntryState { state, uuid, cookie: parts.optional(OCTETS, WHAT)?.map(<[u8]>::to_vec) })
}

/// How a refresh ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) cookie: Option<Bytes>,
    /// What is gone was named. Otherwise what was not named is gone.
    pub(crate) names_deletes: bool,
}

/// What the controls of the last answer say.
pub(crate) fn done(controls: &[Control]) -> Result<Done, Failure> {
    const WHAT: &str = "the end of a refresh that cannot be read";
    let value =
        Control::value_of(controls, DONE_CONTROL).ok_or_else(|| malformed("a refresh without its end"))?;
    let mut parts = Reader::new(value).inside(SEQUENCE, WHAT)?;
    let cookie = parts.optional(OCTETS, WHAT)?.map(<[u8]>::to_vec);
    Ok(Done { cookie, names_deletes: flag(&mut parts, false, WHAT)? })
}

/// What comes between the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Info {
    /// Nothing but where the client stands now.
    NewCookie(Bytes),
    /// The end of a phase that named what is gone.
    RefreshDelete { cookie: Option<Bytes>, is_last: bool },
    /// The end of a phase that named what is there.
    RefreshPresent { cookie: Option<Bytes>, is_last: bool },
    /// Entries that are gone, or are there as they were.
    IdSet { cookie: Option<Bytes>, are_deleted: bool, uuids: Vec<EntryUuid> },
}

/// Reads an intermediate answer; nothing when it is about something else.
pub(crate) fn info(oid: Option<&str>, value: Option<&[u8]>) -> Result<Option<Info>, Failure> {
    const WHAT: &str = "information on a refresh that cannot be read";
    if oid != Some(INFO_MESSAGE) {
        return Ok(None);
    }
    let (tag, content) = Reader::new(value.unwrap_or_default()).element(WHAT)?;
    let mut parts = Reader::new(content);
    let cookie = |parts: &mut Reader<'_>| Ok::<_, Failure>(parts.optional(OCTETS, WHAT)?.map(<[u8]>::to_vec));
    Ok(Some(match tag {
        NEW_COOKIE => Info::NewCookie(content.to_vec()),
        REFRESH_DELETE => {
            Info::RefreshDelete { cookie: cookie(&mut parts)?, is_last: flag(&mut parts, true, WHAT)? }
        }
        REFRESH_PRESENT => {
            Info::RefreshPresent { cookie: cookie(&mut parts)?, is_last: flag(&mut parts, true, WHAT)? }
        }
        ID_SET => {
            let cookie = cookie(&mut parts)?;
            let are_deleted = flag(&mut parts, false, WHAT)?;
            let mut set = parts.inside(SET, WHAT)?;
            let mut uuids = Vec::new();
            while !set.is_empty() {
                uuids.push(uuid(set.content(OCTETS, WHAT)?)?);
            }
            Info::IdSet { cookie, are_deleted, uuids }
        }
        _ => return Err(malformed(WHAT)),
    }))
}

fn flag(parts: &mut Reader<'_>, default: bool, what: &str) -> Result<bool, Failure> {
    if parts.peek() == Some(BOOLEAN) { parts.boolean(what) } else { Ok(default) }
}

fn uuid(bytes: &[u8]) -> Result<EntryUuid, Failure> {
    bytes.try_into().map_err(|_| malformed("an entry id that has not 16 bytes"))
}

/// The id in the form of the attribute `entryUUID`.
pub(crate) fn uuid_text(uuid: &EntryUuid) -> String {
    uuid::Uuid::from_bytes(*uuid).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: EntryUuid = [0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff];

    fn control(oid: &'static str, value: Vec<u8>) -> Vec<Control> {
        vec![
            Control::critical("1.2.3", vec![]),
            Control { is_critical: false, ..Control::critical(oid, value) },
        ]
    }

    /// A value as a server writes it.
    fn made(tag: u8, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.nested(tag, fill);
        writer.into_bytes()
    }

    #[test]
    fn requests_have_the_bytes_of_the_specification() {
        let first = request(Mode::RefreshOnly, None);
        assert_eq!((first.oid.as_ref(), first.is_critical), (REQUEST, true));
        assert_eq!(first.value.unwrap(), [0x30, 3, 0x0a, 1, 1]);
        let later = request(Mode::RefreshAndPersist, Some(b"ab"));
        assert_eq!(later.value.unwrap(), [0x30, 7, 0x0a, 1, 3, 4, 2, b'a', b'b']);
    }

    #[test]
    fn states_are_read_with_and_without_a_cookie() {
        for (number, state) in [(0, State::Present), (1, State::Add), (2, State::Modify), (3, State::Delete)]
        {
            for cookie in [None, Some(b"c".to_vec())] {
                let value = made(SEQUENCE, |writer| {
                    writer.integer(ENUMERATED, number);
                    writer.octets(OCTETS, &UUID);
                    cookie.iter().for_each(|cookie| writer.octets(OCTETS, cookie));
                });
                let read = entry_state(&control(STATE_CONTROL, value)).unwrap();
                assert_eq!(read, EntryState { state, uuid: UUID, cookie });
            }
        }
        assert!(entry_state(&[]).is_err());
        let strange = |number, uuid: &[u8]| {
            let value = made(SEQUENCE, |writer| {
                writer.integer(ENUMERATED, number);
                writer.octets(OCTETS, uuid);
            });
            entry_state(&control(STATE_CONTROL, value)).is_err()
        };
        assert!(strange(4, &UUID) && strange(1, &UUID[1..]) && !strange(1, &UUID));
    }

    #[test]
    fn the_end_says_whether_deletes_were_named() {
        let read = |bytes: &[u8]| done(&control(DONE_CONTROL, bytes.to_vec())).unwrap();
        assert_eq!(read(&[0x30, 0]), Done { cookie: None, names_deletes: false });
        assert_eq!(read(&[0x30, 3, 1, 1, 0xff]), Done { cookie: None, names_deletes: true });
        assert_eq!(read(&[0x30, 3, 4, 1, b'c']), Done { cookie: Some(vec![b'c']), names_deletes: false });
        let both = [0x30, 6, 4, 1, b'c', 1, 1, 0xff];
        assert_eq!(read(&both), Done { cookie: Some(vec![b'c']), names_deletes: true });
        assert!(done(&[]).is_err() && done(&control(DONE_CONTROL, vec![0x04, 0])).is_err());
    }

    #[test]
    fn all_four_kinds_of_information_are_read_with_their_defaults() {
        let read = |bytes: &[u8]| info(Some(INFO_MESSAGE), Some(bytes)).unwrap().unwrap();
        assert_eq!(read(&[0x80, 2, b'a', b'b']), Info::NewCookie(b"ab".to_vec()));
        assert_eq!(read(&[0xa1, 0]), Info::RefreshDelete { cookie: None, is_last: true });
        assert_eq!(
            read(&[0xa2, 6, 4, 1, b'c', 1, 1, 0]),
            Info::RefreshPresent { cookie: Some(vec![b'c']), is_last: false }
        );
        for are_deleted in [false, true] {
            let value = made(ID_SET, |writer| {
                writer.octets(OCTETS, b"c");
                if are_deleted {
                    writer.boolean(BOOLEAN, true);
                }
                writer.nested(SET, |writer| (0..2).for_each(|_| writer.octets(OCTETS, &UUID)));
            });
            let cookie = Some(b"c".to_vec());
            assert_eq!(read(&value), Info::IdSet { cookie, are_deleted, uuids: vec![UUID, UUID] });
        }
        assert_eq!(info(Some("1.2"), None).unwrap(), None);
        assert_eq!(info(None, None).unwrap(), None);
        assert!(info(Some(INFO_MESSAGE), None).is_err());
        assert!(info(Some(INFO_MESSAGE), Some(&[0xa4, 0])).is_err());
        assert!(info(Some(INFO_MESSAGE), Some(&[0xa3, 0])).is_err());
    }

    #[test]
    fn ids_have_the_form_of_the_attribute() {
        assert_eq!(uuid_text(&UUID), "ab010203-0405-0607-0809-0a0b0c0d0eff");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_end_the_task(bytes: Vec<u8>, tag in 0x80..0xb0_u8) {
            let framed = made(tag, |writer| writer.raw(&bytes));
            for value in [bytes.clone(), made(SEQUENCE, |writer| writer.raw(&bytes)), framed] {
                let _read = entry_state(&control(STATE_CONTROL, value.clone()));
                let _read = done(&control(DONE_CONTROL, value.clone()));
                let _read = info(Some(INFO_MESSAGE), Some(&value));
            }
        }
    }
}
