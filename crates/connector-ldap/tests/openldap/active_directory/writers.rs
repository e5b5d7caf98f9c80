//! Many who write at once while changes are read: whoever follows them misses none.

use std::fmt::Write as _;

use identitymesh_testkit::real::SambaAd;
use serde_json::{Value as Json, json};

use super::support::{Followed, GROUPS, PEOPLE, connect, dn, people, start};
use crate::support::context;
use crate::writers::while_many_write;

const TYPES: &[&str] = &["user", "group", "orgUnit"];
/// Batches of each writer.
const TURNS: usize = 4;
/// Entries that a batch makes.
const ROUNDS: usize = 6;

/// What one of them writes: names of somebody, people who come and go or are renamed, members of the one group that all
/// change.
fn records(writer: usize, turn: usize) -> String {
    let mut text = String::new();
    for round in 0..ROUNDS {
        let own = format!("w{writer}t{turn}r{round}");
        let new = format!("CN={own},{PEOPLE}");
        writeln!(text, "dn: {new}\nchangetype: add\nobjectClass: user\nsAMAccountName: {own}\n").unwrap();
        let mut modify =
            |dn: &str, change: &str| writeln!(text, "dn: {dn}\nchangetype: modify\n{change}\n").unwrap();
        modify(&dn(writer), &format!("replace: displayName\ndisplayName: {turn} {round}"));
        modify(&format!("CN=team,{GROUPS}"), &format!("add: member\nmember: {new}"));
        if round % 3 == 0 {
            writeln!(text, "dn: {new}\nchangetype: delete\n").unwrap();
        }
        if round % 3 == 1 {
            writeln!(text, "dn: {new}\nchangetype: modrdn\nnewrdn: CN={own}x\ndeleteoldrdn: 1\n").unwrap();
        }
    }
    text
}

async fn none_is_missed(ad: &SambaAd, changes: Json) {
    let mut session = connect(ad, &context(), changes).await.unwrap();
    let mut followed = Followed::full(session.as_mut(), TYPES).await;
    while_many_write(
        TURNS,
        |writer, turn| ad.modify(&records(writer, turn)),
        async || {
            followed.delta(session.as_mut(), TYPES).await;
        },
    );
    followed.delta(session.as_mut(), TYPES).await;
    followed.is_as_full(session.as_mut(), TYPES).await;
}

fn domain() -> Option<SambaAd> {
    start(&format!("{}dn: CN=team,{GROUPS}\nobjectClass: group\nsAMAccountName: team\n\n", people(5)))
}

#[tokio::test(flavor = "multi_thread")]
async fn dirsync_tells_what_many_write_at_once() {
    let Some(ad) = domain() else { return };
    none_is_missed(&ad, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sequence_numbers_tell_what_many_write_at_once() {
    let Some(ad) = domain() else { return };
    // Somebody who is gone shows that this account sees who is gone.
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(4))).unwrap();
    none_is_missed(&ad, json!({"changes": "usn"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_while_all_is_read_is_not_new_afterwards() {
    let Some(ad) = domain() else { return };
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(4))).unwrap();
    for (changes, made) in [(json!({}), "first"), (json!({"changes": "usn"}), "second")] {
        let (person, group) = (format!("CN={made},{PEOPLE}"), format!("CN=of {made},{GROUPS}"));
        let mut session = connect(&ad, &context(), changes).await.unwrap();
        let mut followed = Followed::full_while(session.as_mut(), TYPES, || {
            let add = |dn: &str, class: &str, account: &str| {
                format!("dn: {dn}\nchangetype: add\nobjectClass: {class}\nsAMAccountName: {account}\n\n")
            };
            let member =
                format!("dn: CN=team,{GROUPS}\nchangetype: modify\nadd: member\nmember: {person}\n\n");
            let (person, group) = (add(&person, "user", made), add(&group, "group", &format!("of-{made}")));
            ad.modify(&format!("{person}{group}{member}")).unwrap();
        })
        .await;
        assert!(followed.at(&group).is_some(), "groups are read after people");
        // The changes tell of both as new, under the name and at the place that nobody knows yet.
        let rename = |dn: &str, to: &str, place: &str| {
            format!("dn: {dn}\nchangetype: moddn\nnewrdn: CN={to}\ndeleteoldrdn: 1\nnewsuperior: {place}\n\n")
        };
        let renamed = rename(&person, &format!("{made}x"), PEOPLE);
        ad.modify(&format!("{renamed}{}", rename(&group, &format!("of {made}"), &ad.users()))).unwrap();
        followed.delta(session.as_mut(), TYPES).await;
        assert!(followed.at(&group).is_none(), "it is in no place that is read");
        followed.is_as_full(session.as_mut(), TYPES).await;
    }
}
