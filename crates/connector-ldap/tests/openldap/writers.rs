//! Many who write at once while changes are read: whoever follows them misses none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use identitymesh_testkit::real::{Ds389, Ds389Options, SessionLog, Slapd, SlapdOptions};

use crate::changes::{BASE, Followed, population};
use crate::subject::{Logged, Server};
use crate::support::{TREE, person};

const WRITERS: usize = 3;
/// Batches of each writer.
const TURNS: usize = 12;
/// Entries that a batch makes.
const ROUNDS: usize = 6;
/// A breath, for the reader on a machine with few processors.
const PAUSE: Duration = Duration::from_millis(30);
/// The log of writes is read in windows of as many records as a page may need.
const PAGE: usize = 1_000;

/// What one of them writes: titles of somebody, entries that come and go, members of the one group that all change.
fn records(writer: usize, turn: usize) -> String {
    let mut text = String::new();
    for round in 0..ROUNDS {
        let own = format!("w{writer}t{turn}r{round}");
        let dn = format!("uid={own},ou=people,{BASE}");
        writeln!(text, "{}", person(&own).replacen('\n', "\nchangetype: add\n", 1)).unwrap();
        let mut modify =
            |dn: &str, change: &str| writeln!(text, "dn: {dn}\nchangetype: modify\n{change}\n").unwrap();
        modify(&format!("uid=p{writer},ou=people,{BASE}"), &format!("replace: title\ntitle: {turn} {round}"));
        modify(&format!("cn=all,ou=groups,{BASE}"), &format!("add: member\nmember: {dn}"));
        if round % 3 == 0 {
            writeln!(text, "dn: {dn}\nchangetype: delete\n").unwrap();
        }
        if round % 3 == 1 {
            writeln!(text, "dn: {dn}\nchangetype: modrdn\nnewrdn: uid={own}x\ndeleteoldrdn: 1\n").unwrap();
        }
    }
    text
}

async fn none_is_missed(server: &(dyn Server + Sync)) {
    let mut followed = Followed::full(server).await;
    let left = AtomicUsize::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let left = &left;
            scope.spawn(move || {
                let written = (0..TURNS).try_for_each(|turn| {
                    std::thread::sleep(PAUSE);
                    server.change(&records(writer, turn))
                });
                left.fetch_sub(1, Ordering::SeqCst);
                written.unwrap();
            });
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                while left.load(Ordering::SeqCst) > 0 {
                    followed.delta_in_pages(server, PAGE).await;
                }
            });
        });
    });
    followed.delta_in_pages(server, PAGE).await;
    followed.is_as_full(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_tells_what_many_write_at_once() {
    for log in [SessionLog::Memory, SessionLog::None] {
        let initial_ldif = format!("{TREE}{}", population());
        let options = SlapdOptions { initial_ldif, sync: Some(log), ..SlapdOptions::default() };
        let Some(slapd) = Slapd::start(options) else { return };
        none_is_missed(&slapd).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_s_log_tells_what_many_write_at_once() {
    let Some(logged) = Logged::start(&population()) else { return };
    none_is_missed(&logged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_server_389_tells_what_many_write_at_once() {
    let tree = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
        dn: ou=groups,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: groups\n\n";
    let initial_ldif = format!("{tree}{}", population());
    let Some(server) = Ds389::start(Ds389Options { initial_ldif, ..Ds389Options::default() }) else { return };
    none_is_missed(&server).await;
}
