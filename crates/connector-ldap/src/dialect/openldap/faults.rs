//! Refreshes that go wrong, and what no server shows on demand.

use std::sync::Arc;

use identitymesh_connector::{Change, Class, ConnectorError, Page};

use super::codec::{DONE_CONTROL, INFO_MESSAGE, Mode, STATE_CONTROL};
use super::refresh::{At, Cookies, Refresh};
use super::witnesses::Witnesses;
use crate::delta::Pages;
use crate::session_faults::session;
use crate::transport::ber::{BOOLEAN, ENUMERATED, OCTETS, SEQUENCE, SET, Writer};
use crate::transport::fake::Fake;
use crate::transport::{Answer, Control, Entry, Item};

fn made(tag: u8, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.nested(tag, fill);
    writer.into_bytes()
}

fn control(oid: &'static str, value: Vec<u8>) -> Vec<Control> {
    vec![Control { is_critical: false, ..Control::critical(oid, value) }]
}

/// The id of the n-th entry, and its text.
fn id(number: u8) -> [u8; 16] {
    [number; 16]
}

fn text(number: u8) -> String {
    super::codec::uuid_text(&id(number))
}

fn entry(number: u8, state: i64) -> Item {
    let value = made(SEQUENCE, |writer| {
        writer.integer(ENUMERATED, state);
        writer.octets(OCTETS, &id(number));
    });
    let attributes = ["cn", "sn"].map(|name| (name.to_owned(), vec![b"x".to_vec()]));
    let mut entry = Entry { dn: format!("uid={number},dc=t"), attributes: attributes.to_vec() };
    entry.attributes.push(("entryUUID".to_owned(), vec![text(number).into()]));
    Item::Entry(entry, control(STATE_CONTROL, value))
}

fn ids(numbers: &[u8], are_deleted: bool) -> Item {
    let value = made(0xa3, |writer| {
        writer.boolean(BOOLEAN, are_deleted);
        writer.nested(SET, |writer| numbers.iter().for_each(|number| writer.octets(OCTETS, &id(*number))));
    });
    Item::Intermediate { oid: Some(INFO_MESSAGE.to_owned()), value: Some(value) }
}

fn done(cookie: Option<&str>, names_deletes: bool) -> Item {
    let value = made(SEQUENCE, |writer| {
        cookie.iter().for_each(|cookie| writer.octets(OCTETS, cookie.as_bytes()));
        writer.boolean(BOOLEAN, names_deletes);
    });
    Item::Done(Answer { controls: control(DONE_CONTROL, value), ..Answer::default() })
}

/// All pages of a refresh whose two searches, for users and for containers, are answered so.
async fn refresh(users: Vec<Item>, containers: Vec<Item>) -> (Vec<Page>, Result<(), ConnectorError>) {
    let fake = Arc::new(Fake::default());
    let mut session = session(&fake).await;
    let (transport, directory) = session.ready().await.unwrap();
    let around = session.around(transport, &directory, directory.types(), 100);
    fake.scripts.lock().unwrap().extend([users, containers]);
    let cookies: Cookies = ["user", ""].map(|name| (name.to_owned(), "rid=000,csn=1".to_owned())).into();
    let at = At { cookies, seen: Witnesses::default() };
    let mut refresh = Refresh::start(around, Mode::RefreshOnly, at).await.unwrap();
    let mut pages = Vec::new();
    loop {
        match refresh.next_page().await {
            Ok(Some(page)) => pages.push(page),
            Ok(None) => return (pages, Ok(())),
            Err(error) => return (pages, Err(error)),
        }
    }
}

fn quiet() -> Vec<Item> {
    vec![done(None, true)]
}

#[tokio::test]
async fn the_phase_that_names_what_is_there_certifies_when_it_is_whole() {
    let users = vec![ids(&[1, 2], false), entry(3, 1), entry(4, 0), done(Some("rid=000,csn=2"), false)];
    let (pages, end) = refresh(users, quiet()).await;
    end.unwrap();
    let [page] = &pages[..] else { panic!("{pages:?}") };
    let present: Vec<&str> = page.present.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(present, [text(1), text(2), text(4)]);
    assert_eq!(page.changes.len(), 1);
    let [certificate] = &page.certificates[..] else { panic!("{:?}", page.certificates) };
    assert!(certificate.is_complete() && certificate.objects == 4, "{certificate:?}");
    assert!(page.watermark.as_ref().unwrap().body.contains("csn=2"));
}

#[tokio::test]
async fn a_cut_stream_certifies_nothing_and_leaves_no_mark() {
    let whole = || vec![ids(&[1, 2], false), entry(3, 1), done(Some("rid=000,csn=2"), false)];
    for kept in 0..3 {
        let mut cut = whole();
        cut.truncate(kept);
        let (pages, end) = refresh(cut, quiet()).await;
        assert_eq!(end.unwrap_err().class, Class::Transient, "{kept}");
        assert!(pages.iter().all(|page| page.certificates.is_empty() && page.watermark.is_none()), "{kept}");
    }
    // The other search may be whole: the mark is one for both, and the end is not reached.
    let (pages, end) = refresh(whole(), vec![]).await;
    assert!(end.is_err());
    assert!(pages.iter().all(|page| page.watermark.is_none()));
}

#[tokio::test]
async fn named_deletes_come_in_their_order_and_certify_nothing() {
    let users = vec![ids(&[1, 2], true), entry(2, 1), done(None, true)];
    let (pages, end) = refresh(users, quiet()).await;
    end.unwrap();
    let [page] = &pages[..] else { panic!("{pages:?}") };
    let [Change::Delete { .. }, Change::Delete { external_id, .. }, Change::Upsert(object)] =
        &page.changes[..]
    else {
        panic!("{:?}", page.changes)
    };
    assert_eq!((external_id, external_id.as_str()), (&object.external_id, text(2).as_str()));
    assert!(page.certificates.is_empty());
    assert!(
        page.watermark.as_ref().unwrap().body.contains("csn=1"),
        "without a new cookie the old one stays"
    );
}

#[tokio::test]
async fn what_the_server_does_not_go_on_from_is_refused_as_a_conflict() {
    for code in [4096, 53, 12] {
        let refusal = Item::Done(Answer { code, ..Answer::default() });
        let (pages, end) = refresh(vec![entry(1, 1), refusal], quiet()).await;
        let error = end.unwrap_err();
        assert_eq!((error.code, error.class), ("CON-010", Class::Conflict), "{code}");
        assert!(pages.iter().all(|page| page.watermark.is_none()));
    }
    let busy = Item::Done(Answer { code: 51, ..Answer::default() });
    assert_eq!(refresh(vec![busy], quiet()).await.1.unwrap_err().class, Class::Transient);
}

#[tokio::test]
async fn what_cannot_be_understood_ends_the_read() {
    let without_state = Item::Entry(Entry::default(), Vec::new());
    let without_end = Item::Done(Answer::default());
    let strange = Item::Intermediate { oid: Some(INFO_MESSAGE.to_owned()), value: Some(vec![0xff]) };
    for item in [without_state, without_end, strange] {
        assert_eq!(refresh(vec![item], quiet()).await.1.unwrap_err().code, "LDP-013");
    }
    let foreign = Item::Intermediate { oid: Some("1.2.3".to_owned()), value: None };
    refresh(vec![foreign, done(None, true)], quiet()).await.1.unwrap();
}
