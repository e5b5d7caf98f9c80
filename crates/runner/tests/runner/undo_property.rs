//! Whatever a cycle did to a target, undoing its exports brings back what was there, and it stays so.

use crate::place::{Place, Target, id, name};
use crate::undo::{accounts, exports_after, settled};

const PEOPLE: usize = 8;
const SEEDS: u64 = 40;

/// Numbers that look random and are the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn person(&mut self) -> String {
        id(usize::try_from(self.roll(PEOPLE as u64 + 4)).unwrap())
    }
}

/// A few changes in the HR system, and perhaps some days.
fn live(place: &Place, dice: &mut Dice) {
    for _ in 0..=dice.roll(5) {
        let (who, what) = (dice.person(), dice.roll(7));
        let set = |attribute: &str, value: Option<identitymesh_model::Values>| {
            place.hr.set(name("person"), &who, name(attribute), value);
        };
        match what {
            0 => set("sn", Some(format!("Name {}", dice.roll(9)).as_str().into())),
            1 => set("mail", Some(format!("{}@corp.example", dice.roll(9)).as_str().into())),
            2 => set("mail", None),
            3 => set("active", Some((dice.roll(2) == 0).into())),
            4 => drop(place.hr.remove(name("person"), &who)),
            5 => {
                let number = usize::try_from(dice.roll(PEOPLE as u64 + 4)).unwrap();
                place.hire(number..number + 1);
            }
            _ => place.pass_seconds(i64::try_from(dice.roll(5)).unwrap() * 24 * 3_600),
        }
    }
}

async fn undone(target: Target, seed: u64) {
    let mut dice = Dice(seed);
    let place = settled(target, PEOPLE).await;
    for _ in 0..dice.roll(3) {
        live(&place, &mut dice);
        place.good_cycle().await;
    }
    let before = accounts(&place);
    let last = place.newest_run().id;
    live(&place, &mut dice);
    place.good_cycle().await;
    for run in exports_after(&place, last) {
        match identitymesh_runner::undo(
            &place.mesh,
            &identitymesh_runner::UndoScope::Run(run),
            None,
            "because a property says so",
        ) {
            Ok(report) => assert_eq!(report.count("stays"), 0, "{target:?} {seed}: {report:?}"),
            Err(error) => panic!("{target:?} {seed}: {error}"),
        }
        place.export().await.unwrap();
    }
    assert_eq!(accounts(&place), before, "{target:?} {seed}: it goes back");
    place.good_cycle().await;
    assert_eq!(accounts(&place), before, "{target:?} {seed}: it stays so");
}

#[tokio::test]
async fn undoing_a_cycle_brings_back_what_was_there() {
    for seed in 0..SEEDS {
        for target in [Target::Flat, Target::Tree] {
            undone(target, seed).await;
        }
    }
}
