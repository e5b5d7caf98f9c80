//! Many who write at once while changes are read: whoever follows them misses none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use identitymesh_testkit::real::SessionLog;

use crate::changes::{BASE, Followed, ds389, population, slapd};
use crate::subject::{Server, Wired};
use crate::support::person;

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

/// Lets writers write some batches each, all at once, and meanwhile follows what they do, over and over. Which writer and
/// which of its batches it is, `write` is told.
pub(crate) fn while_many_write(
    turns: usize,
    write: impl Fn(usize, usize) -> anyhow::Result<()> + Sync,
    mut follow: impl AsyncFnMut(),
) {
    let left = AtomicUsize::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (left, write) = (&left, &write);
            scope.spawn(move || {
                let written = (0..turns).try_for_each(|turn| {
                    std::thread::sleep(PAUSE);
                    write(writer, turn)
                });
                left.fetch_sub(1, Ordering::SeqCst);
                written.unwrap();
            });
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                while left.load(Ordering::SeqCst) > 0 {
                    follow().await;
                }
            });
        });
    });
}

async fn none_is_missed(server: &dyn Server) {
    let mut followed = Followed::full(server).await;
    while_many_write(
        TURNS,
        |writer, turn| server.change(&records(writer, turn)),
        async || {
            followed.delta_in_pages(server, PAGE).await;
        },
    );
    followed.delta_in_pages(server, PAGE).await;
    followed.is_as_full(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_tells_what_many_write_at_once() {
    for log in [SessionLog::Memory, SessionLog::None] {
        let Some(slapd) = slapd(log, &population()) else { return };
        none_is_missed(&slapd).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_s_log_tells_what_many_write_at_once() {
    let Some(logged) = Wired::logged(&population()) else { return };
    none_is_missed(&logged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_server_389_tells_what_many_write_at_once() {
    let Some(server) = ds389(&population()) else { return };
    none_is_missed(&server).await;
}
