//! LDAP messages: requests into bytes, answers out of bytes (RFC 4511, section 4).
//!
//! An answer is taken apart where it is wanted, not where it arrives. Whatever cannot be understood is an error of the
//! request that it belongs to.

use super::ber::{self, BOOLEAN, ENUMERATED, INTEGER, OCTETS, Reader, SEQUENCE, SET, Writer, malformed};
use super::filter;
use super::requests::{
    Answer, Attribute, Bytes, Control, Entry, Failure, Item, Modification, Reach, Search, Write, WriteRequest,
};

pub(crate) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
pub(crate) const POST_READ: &str = "1.3.6.1.1.13.2";
const ASSERTION: &str = "1.3.6.1.1.12";
pub(crate) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// The element with a message's controls.
const CONTROLS: u8 = 0xa0;
/// Most controls of one message, and most referrals of one answer.
const LIST_COUNT_MAX: usize = 1_000;

/// How somebody signs in.
pub(crate) enum Credentials<'a> {
    Simple { dn: &'a str, password: &'a str },
    Sasl { mechanism: &'a str, token: Option<&'a [u8]> },
}

fn message(id: i32, controls: &[Control], operation: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.nested(SEQUENCE, |writer| {
        writer.integer(INTEGER, i64::from(id));
        operation(writer);
        if !controls.is_empty() {
            writer.nested(CONTROLS, |writer| {
                controls.iter().for_each(|control| write_control(writer, control))
            });
        }
    });
    writer.into_bytes()
}

fn write_control(writer: &mut Writer, control: &Control) {
    writer.nested(SEQUENCE, |writer| {
        writer.octets(OCTETS, control.oid.as_bytes());
        if control.is_critical {
            writer.boolean(BOOLEAN, true);
        }
        if let Some(value) = &control.value {
            writer.octets(OCTETS, value);
        }
    });
}

/// Signing in.
pub(crate) fn bind(id: i32, credentials: &Credentials<'_>) -> Vec<u8> {
    message(id, &[], |writer| {
        writer.nested(0x60, |writer| {
            writer.integer(INTEGER, 3);
            match credentials {
                Credentials::Simple { dn, password } => {
                    writer.octets(OCTETS, dn.as_bytes());
                    writer.octets(0x80, password.as_bytes());
                }
                Credentials::Sasl { mechanism, token } => {
                    writer.octets(OCTETS, b"");
                    writer.nested(0xa3, |writer| {
                        writer.octets(OCTETS, mechanism.as_bytes());
                        if let Some(token) = token {
                            writer.octets(OCTETS, token);
                        }
                    });
                }
            }
        });
    })
}

/// Saying goodbye.
pub(crate) fn unbind(id: i32) -> Vec<u8> {
    message(id, &[], |writer| writer.octets(0x42, b""))
}

/// Giving up another request; there is no answer.
pub(crate) fn abandon(id: i32, given_up: i32) -> Vec<u8> {
    message(id, &[], |writer| writer.integer(0x50, i64::from(given_up)))
}

/// An extended operation.
pub(crate) fn extended(id: i32, oid: &str, value: Option<&[u8]>) -> Vec<u8> {
    message(id, &[], |writer| {
        writer.nested(0x77, |writer| {
            writer.octets(0x80, oid.as_bytes());
            if let Some(value) = value {
                writer.octets(0x81, value);
            }
        });
    })
}

/// A search.
pub(crate) fn search(id: i32, search: &Search) -> Result<Vec<u8>, Failure> {
    let filter = filter::encode(&search.filter)
        .ok_or_else(|| Failure::Malformed(format!("{} is no filter", search.filter)))?;
    let mut controls = search.controls.clone();
    if let Some(page) = &search.page {
        let mut value = Writer::default();
        value.nested(SEQUENCE, |writer| {
            writer.integer(INTEGER, i64::from(page.size));
            writer.octets(OCTETS, &page.cookie);
        });
        controls.push(Control::critical(PAGED_RESULTS, value.into_bytes()));
    }
    Ok(message(id, &controls, |writer| {
        writer.nested(0x63, |writer| {
            writer.octets(OCTETS, search.base.as_bytes());
            writer.integer(
                ENUMERATED,
                match search.reach {
                    Reach::Base => 0,
                    Reach::OneLevel => 1,
                    Reach::Subtree => 2,
                },
            );
            // Aliases are never followed: an entry is where its name says.
            writer.integer(ENUMERATED, 0);
            writer.integer(INTEGER, 0);
            writer.integer(INTEGER, 0);
            writer.boolean(BOOLEAN, false);
            writer.raw(&filter);
            writer.nested(SEQUENCE, |writer| {
                search.attributes.iter().for_each(|name| writer.octets(OCTETS, name.as_bytes()));
            });
        });
    }))
}

/// A write.
pub(crate) fn write(id: i32, request: &WriteRequest) -> Result<Vec<u8>, Failure> {
    let mut controls = request.controls.clone();
    if let Some(text) = &request.assertion {
        let filter =
            filter::encode(text).ok_or_else(|| Failure::Malformed(format!("{text} is no filter")))?;
        controls.push(Control::critical(ASSERTION, filter));
    }
    if !request.post_read.is_empty() {
        let mut value = Writer::default();
        value.nested(SEQUENCE, |writer| {
            request.post_read.iter().for_each(|name| writer.octets(OCTETS, name.as_bytes()));
        });
        controls.push(Control { is_critical: false, ..Control::critical(POST_READ, value.into_bytes()) });
    }
    Ok(message(id, &controls, |writer| match &request.write {
        Write::Add { dn, attributes } => writer.nested(0x68, |writer| {
            writer.octets(OCTETS, dn.as_bytes());
            writer.nested(SEQUENCE, |writer| {
                attributes.iter().for_each(|(name, values)| write_attribute(writer, name, values));
            });
        }),
        Write::Modify { dn, changes } => writer.nested(0x66, |writer| {
            writer.octets(OCTETS, dn.as_bytes());
            writer.nested(SEQUENCE, |writer| changes.iter().for_each(|change| write_change(writer, change)));
        }),
        Write::Rename { dn, new_rdn, delete_old, new_parent } => writer.nested(0x6c, |writer| {
            writer.octets(OCTETS, dn.as_bytes());
            writer.octets(OCTETS, new_rdn.as_bytes());
            writer.boolean(BOOLEAN, *delete_old);
            if let Some(parent) = new_parent {
                writer.octets(0x80, parent.as_bytes());
            }
        }),
        Write::Delete { dn } => writer.octets(0x4a, dn.as_bytes()),
    }))
}

fn write_change(writer: &mut Writer, change: &Modification) {
    let (kind, name, values) = match change {
        Modification::Add(name, values) => (0, name, values),
        Modification::Delete(name, values) => (1, name, values),
        Modification::Replace(name, values) => (2, name, values),
    };
    writer.nested(SEQUENCE, |writer| {
        writer.integer(ENUMERATED, kind);
        write_attribute(writer, name, values);
    });
}

fn write_attribute(writer: &mut Writer, name: &str, values: &[Bytes]) {
    writer.nested(SEQUENCE, |writer| {
        writer.octets(OCTETS, name.as_bytes());
        writer.nested(SET, |writer| values.iter().for_each(|value| writer.octets(OCTETS, value)));
    });
}

/// A message that arrived, not yet taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) id: i32,
    /// The tag of what it is.
    pub(crate) tag: u8,
    content: &'a [u8],
    controls: Option<&'a [u8]>,
}

impl<'a> Arrived<'a> {
    /// Reads the envelope.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Failure> {
        const WHAT: &str = "a message that cannot be read";
        let mut message = Reader::new(bytes).inside(SEQUENCE, WHAT)?;
        let id = i32::try_from(message.integer(INTEGER, WHAT)?).map_err(|_| malformed(WHAT))?;
        let (tag, content) = message.element(WHAT)?;
        // Behind it Microsoft's servers put more than the controls into a notice of disconnection.
        Ok(Self { id, tag, content, controls: message.optional(CONTROLS, WHAT).ok().flatten() })
    }

    /// Whether more messages follow for the same request.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self.tag, 0x64 | 0x73 | 0x79)
    }

    /// The content as part of a search.
    pub(crate) fn item(&self) -> Result<Item, Failure> {
        let mut content = Reader::new(self.content);
        match self.tag {
            0x64 => Ok(Item::Entry(read_entry(&mut content)?, self.controls()?)),
            0x73 => Ok(Item::References(read_texts(&mut content, "a reference without addresses")?)),
            0x79 => {
                const WHAT: &str = "an intermediate answer that cannot be read";
                let oid = content.optional(0x80, WHAT)?.map(|oid| String::from_utf8_lossy(oid).into_owned());
                let value = content.optional(0x81, WHAT)?.map(<[u8]>::to_vec);
                Ok(Item::Intermediate { oid, value })
            }
            0x65 => Ok(Item::Done(self.answer()?)),
            _ => Err(malformed("an answer of another kind than was asked for")),
        }
    }

    /// The content as the end of a request.
    pub(crate) fn answer(&self) -> Result<Answer, Failure> {
        self.answer_with(&mut Reader::new(self.content))
    }

    /// The end of a bind, with the server's next token.
    pub(crate) fn bound(&self) -> Result<(Answer, Option<Bytes>), Failure> {
        let mut content = Reader::new(self.content);
        let answer = self.answer_with(&mut content)?;
        Ok((answer, content.optional(0x87, "a bind answer that cannot be read")?.map(<[u8]>::to_vec)))
    }

    /// The end of an extended operation, with its name and value.
    pub(crate) fn extended(&self) -> Result<(Answer, Option<String>, Option<Bytes>), Failure> {
        const WHAT: &str = "an extended answer that cannot be read";
        let mut content = Reader::new(self.content);
        let answer = self.answer_with(&mut content)?;
        let oid = content.optional(0x8a, WHAT)?.map(|oid| String::from_utf8_lossy(oid).into_owned());
        Ok((answer, oid, content.optional(0x8b, WHAT)?.map(<[u8]>::to_vec)))
    }

    fn answer_with(&self, content: &mut Reader<'_>) -> Result<Answer, Failure> {
        const WHAT: &str = "an answer that cannot be read";
        let code = u32::try_from(content.integer(ENUMERATED, WHAT)?).map_err(|_| malformed(WHAT))?;
        content.content(OCTETS, WHAT)?;
        let message = String::from_utf8_lossy(content.content(OCTETS, WHAT)?);
        let message = message.trim_end_matches('\0').to_owned();
        let referrals = match content.optional(0xa3, WHAT)? {
            Some(list) => read_texts(&mut Reader::new(list), WHAT)?,
            None => Vec::new(),
        };
        let controls = self.controls()?;
        let after = controls.iter().find(|control| control.oid == POST_READ);
        let entry = after.and_then(|control| control.value.as_deref()).map(control_entry).transpose()?;
        Ok(Answer { code, message, referrals, entry, controls })
    }

    fn controls(&self) -> Result<Vec<Control>, Failure> {
        const WHAT: &str = "controls that cannot be read";
        let (mut list, mut controls) = (Reader::new(self.controls.unwrap_or_default()), Vec::new());
        while !list.is_empty() {
            if controls.len() == LIST_COUNT_MAX {
                return Err(malformed(WHAT));
            }
            let mut control = list.inside(SEQUENCE, WHAT)?;
            let oid = control.text(OCTETS, WHAT)?.to_owned().into();
            let is_critical = control.peek() == Some(BOOLEAN) && control.boolean(WHAT)?;
            let value = control.optional(OCTETS, WHAT)?.map(<[u8]>::to_vec);
            controls.push(Control { oid, is_critical, value });
        }
        Ok(controls)
    }
}

fn read_entry(content: &mut Reader<'_>) -> Result<Entry, Failure> {
    let dn = content.text(OCTETS, "an entry whose name is not UTF-8")?.to_owned();
    let mut list = content.inside(SEQUENCE, "an entry whose attributes are no list")?;
    let mut attributes = Vec::new();
    while !list.is_empty() {
        attributes.push(read_attribute(&mut list)?);
    }
    Ok(Entry { dn, attributes })
}

fn read_attribute(list: &mut Reader<'_>) -> Result<Attribute, Failure> {
    let mut attribute = list.inside(SEQUENCE, "an attribute without content")?;
    let name = attribute.text(OCTETS, "an attribute whose name is not text")?.to_owned();
    let mut set = attribute.inside(SET, "an attribute whose values are no set")?;
    let mut values = Vec::new();
    while !set.is_empty() {
        values.push(set.content(OCTETS, "a value that is no octet string")?.to_vec());
    }
    Ok((name, values))
}

fn read_texts(list: &mut Reader<'_>, what: &str) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    while !list.is_empty() {
        if texts.len() == LIST_COUNT_MAX {
            return Err(malformed(what));
        }
        texts.push(list.text(OCTETS, what)?.to_owned());
    }
    Ok(texts)
}

/// The cookie of the page behind this answer, empty when there is none.
pub(crate) fn page_of(answer: &Answer) -> Result<Bytes, Failure> {
    Control::value_of(&answer.controls, PAGED_RESULTS).map_or(Ok(Bytes::new()), page_cookie)
}

/// The cookie in the value of a paged results control (RFC 2696): `SEQUENCE { size, cookie }`.
fn page_cookie(value: &[u8]) -> Result<Bytes, Failure> {
    const WHAT: &str = "a paged results control that cannot be read";
    let mut content = Reader::new(value).inside(SEQUENCE, WHAT)?;
    content.integer(INTEGER, WHAT)?;
    Ok(content.content(OCTETS, WHAT)?.to_vec())
}

/// The entry in the value of a read control (RFC 4527).
pub(crate) fn control_entry(value: &[u8]) -> Result<Entry, Failure> {
    const WHAT: &str = "a read control that cannot be read";
    match Reader::new(value).element(WHAT)? {
        (SEQUENCE | 0x64, content) => read_entry(&mut ber::Reader::new(content)),
        _ => Err(malformed(WHAT)),
    }
}
