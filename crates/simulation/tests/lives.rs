//! A bounded number of lives, in every run of the tests; `cargo xtask simulate` plays as many as wanted.

use identitymesh_simulation::{Extent, live};

/// How many; they come from four tests at once, so that as many processors have something to do.
const LIVES_COUNT: u64 = 25;

fn lives(first: u64) {
    for seed in first..first + LIVES_COUNT {
        if let Err(broken) = live(seed, Extent::Full) {
            panic!("{broken}");
        }
    }
}

#[test]
fn the_first_lives_keep_every_law() {
    lives(1);
}

#[test]
fn the_next_lives_keep_every_law() {
    lives(1_001);
}

#[test]
fn other_lives_keep_every_law() {
    lives(1_000_001);
}

#[test]
fn the_last_lives_keep_every_law() {
    lives(u64::MAX - LIVES_COUNT);
}

/// Each of these ended in a broken law until what was wrong was mended. They were drawn before there were decisions and
/// lies.
#[test]
fn plain_lives_that_broke_a_law_keep_it_now() {
    let seeds = [
        5_046,  // a contact whose create was never answered came back by an import, and was not deleted
        8_585,  // the same, and somebody changed it before the target was asked
        4_152,  // a mesh object went while an answer about it was still out
        50_580, // a value that was taken out and that somebody put back stayed
        1_664,  // an administrator filled a group that HR has empty
        53_423, // an administrator removed the only account, and the empty directory was not believed
        6_853,  // an administrator changed a contact before it was known that it was made
        11_153, // the same with an account, of which HR then took the mail away
        27_838, // an account whose create was never answered was imported, then removed, and made a second time
        50_430, // the second try of a create whose first was never answered was refused, and what the first made stayed
        60_521, // the same, and the second try met a conflict
        75_805, // an administrator changed a value again before it was seen that the first change was undone
    ];
    for seed in seeds {
        if let Err(broken) = live(seed, Extent::Plain) {
            panic!("{broken}");
        }
    }
}

/// The same, of lives with everything in them.
#[test]
fn lives_that_broke_a_law_keep_it_now() {
    let seeds = [
        (2_461, Extent::Decided), // somebody parted a person from an account, and another was made with the same login
        (2_476, Extent::Decided), // the same
        (2_773, Extent::Decided), // HR withheld somebody about whom a person had decided, and the reader took that for no loss
        (21_125, Extent::Decided), // half a read was held, and a delta that showed some of it left fewer than the limit
        (100_280, Extent::Full), // the login of an account that an undo was to make again was given to somebody else
        (150_812, Extent::Full), // the same
        (100_361, Extent::Full), // a first import by delta was half a read, and the reader did not take that for one
        (250_181, Extent::Full), // a person gave away the account of somebody whom HR withheld, and the reader did not see whose it was
        (312_079, Extent::Full), // whom a person parted got a contact made in the place of one deleted, and the reader took it for the same
        (319_171, Extent::Full), // somebody came back as a new person while the deletion of their account was held, and the reader never decided on it
        (322_467, Extent::Full), // an administrator removed one of eleven in a hold, and the reader did not let the ten go
        (367_888, Extent::Full), // the same
        (323_443, Extent::Full), // a create took over the contact of somebody else, and the deletion planned for that one removed it
        (713_658, Extent::Full), // somebody was parted while the disabling was on its way, and the reader took the account for another's
        (654_505, Extent::Full), // an account was made with its manager, whose account went before the lost answer was asked for
        (367_201, Extent::Full), // an undo kept one of eleven deletions for the next export, and the reader counted both exports as one
    ];
    for (seed, extent) in seeds {
        if let Err(broken) = live(seed, extent) {
            panic!("{broken}");
        }
    }
}

/// Otherwise a printed seed would be worth nothing.
#[test]
fn the_same_seed_is_the_same_life() {
    for seed in 1..20 {
        let [once, again] = [live(seed, Extent::Full), live(seed, Extent::Full)]
            .map(|life| life.map_or_else(|broken| panic!("{broken}"), |it| it.trace));
        assert_eq!(once, again, "seed {seed}");
    }
}
