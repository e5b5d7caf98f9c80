//! What is delivered with a password.

use std::collections::BTreeMap;

use serde::Serialize;
use zeroize::Zeroizing;

/// What a sealed file holds, as one JSON object.
#[derive(Serialize)]
pub struct Notice<'a> {
    /// Always `identitymesh password 1`.
    pub format: &'static str,
    /// The connector that set it.
    pub connector: &'a str,
    /// The object's type in the target.
    pub object_type: &'a str,
    /// The object's address in the target, or its external id.
    pub account: &'a str,
    /// The anchor of the mesh object.
    pub anchor: &'a str,
    /// The attributes that the rule includes.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The password.
    pub password: &'a str,
    /// It has to be changed at the first sign-in.
    pub must_change: bool,
    /// When it was set, in UTC.
    pub set_at: String,
}

impl Notice<'_> {
    /// The word for this form.
    pub const FORMAT: &'static str = "identitymesh password 1";

    /// Its text, in memory that is wiped.
    pub(crate) fn to_text(&self) -> Zeroizing<Vec<u8>> {
        // Measured before it is written: growing would leave the password behind in freed memory.
        let mut counter = Counter(0);
        serde_json::to_writer_pretty(&mut counter, self).expect("a notice is JSON and counting cannot fail");
        let mut text = Zeroizing::new(Vec::with_capacity(counter.0 + 1));
        serde_json::to_writer_pretty(&mut *text, self).expect("a notice is JSON and memory takes it");
        text.push(b'\n');
        text
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_written_without_growing() {
        let notice = Notice {
            format: Notice::FORMAT,
            connector: "ad",
            object_type: "user",
            account: "CN=Ada",
            anchor: "1",
            attributes: BTreeMap::from([("sAMAccountName".to_owned(), vec!["ada".to_owned()])]),
            password: "p\"w",
            must_change: true,
            set_at: "2026-03-02T08:00:00Z".to_owned(),
        };
        let text = notice.to_text();
        assert_eq!(text.len(), text.capacity());
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["password"], "p\"w");
        assert_eq!(read["attributes"]["sAMAccountName"][0], "ada");
    }
}
