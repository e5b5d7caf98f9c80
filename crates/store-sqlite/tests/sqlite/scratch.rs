//! A store to try things out in: as the other was when it began, whatever becomes of either.

use std::path::Path;
use std::sync::Arc;

use identitymesh_model::CountingIds;
use identitymesh_store::Store;
use identitymesh_store_sqlite::SqliteStore;

use crate::harness::open;

/// Notes of several pages each, so that they reach all over the file.
const NOTES: usize = 60;

fn put(store: &SqliteStore, note: usize, text: &str) {
    store.put_note(format!("note {note}"), text.repeat(20_000)).wait().unwrap();
}

/// The first letter of each note, `-` for one that is not there.
fn seen(store: &SqliteStore) -> String {
    let mut reader = store.read().unwrap();
    (0..NOTES)
        .map(|note| {
            let text = reader.note(&format!("note {note}")).unwrap();
            text.map_or('-', |text| text.chars().next().unwrap())
        })
        .collect()
}

fn laid_over(store: &SqliteStore, folder: &Path) -> SqliteStore {
    store.scratch(folder, Arc::new(CountingIds::starting_at(1 << 40))).unwrap()
}

fn letters(letter: impl Fn(usize) -> char) -> String {
    (0..NOTES).map(letter).collect()
}

#[test]
fn what_is_tried_out_is_seen_there_and_nowhere_else() {
    let (real, tried) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = real.path().join("store.db");
    let store = open(&path).unwrap();
    (0..NOTES / 2).for_each(|note| put(&store, note, "a"));
    store.close().unwrap();
    // What is in the file and what stands in the log alone.
    let store = open(&path).unwrap();
    (NOTES / 4..NOTES / 2).for_each(|note| put(&store, note, "b"));
    let log = real.path().join("store.db-wal");
    let bytes = || (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
    let before = bytes();
    let first = letters(|note| {
        if note < NOTES / 4 {
            'a'
        } else if note < NOTES / 2 {
            'b'
        } else {
            '-'
        }
    });

    let scratch = laid_over(&store, tried.path());
    assert_eq!(seen(&scratch), first);
    (0..NOTES).step_by(2).for_each(|note| put(&scratch, note, "c"));
    let changed = letters(|note| if note % 2 == 0 { 'c' } else { first.chars().nth(note).unwrap() });
    assert_eq!(seen(&scratch), changed);
    assert_eq!(seen(&store), first);
    assert!(bytes() == before, "trying things out wrote to the store");

    // Two at once do not meet, and neither sees what the store goes on to write.
    let other = laid_over(&store, tried.path());
    (0..NOTES).for_each(|note| put(&store, note, "d"));
    assert_eq!(seen(&other), first);
    assert_eq!(seen(&scratch), changed);
    store.close().unwrap();
    assert_eq!((seen(&other), seen(&scratch)), (first, changed));
    drop((scratch, other));
    assert_eq!(seen(&open(&path).unwrap()), letters(|_| 'd'));
}

#[test]
fn more_than_the_log_holds_can_be_written_over_a_store() {
    let (real, tried) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = real.path().join("store.db");
    let store = open(&path).unwrap();
    (0..NOTES).for_each(|note| put(&store, note, "a"));
    store.close().unwrap();
    let store = open(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let scratch = laid_over(&store, tried.path());
    // 400 times 400 kB: the log is copied into the file above, and begun anew, more than once.
    for note in 0..400 {
        let text = ["b", "c"][note % 2];
        scratch.put_note(format!("note {}", note % 80), text.repeat(400_000)).wait().unwrap();
    }
    assert_eq!(seen(&scratch), letters(|note| ['b', 'c'][note % 2]));
    assert_eq!(seen(&store), letters(|_| 'a'));
    assert!(std::fs::read(&path).unwrap() == before, "the file beneath was written");
}
