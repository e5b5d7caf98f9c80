//! How often and when an export is tried again (sync semantics, section 9).

use identitymesh_model::Timestamp;

/// How often an item is sent before it is put aside.
pub const ATTEMPTS_MAX: u32 = 3;
/// The first wait before an item is sent again; each further one is twice as long.
const FIRST_SECONDS: i64 = 30;
/// The longest wait.
const SECONDS_MAX: i64 = 3_600;

/// Whether an item that has been sent `attempts` times may be sent once more.
#[must_use]
pub const fn may_try(attempts: u32) -> bool {
    attempts < ATTEMPTS_MAX
}

/// When an item that has been sent `attempts` times may be sent again, `None` when it has been tried often enough.
/// An item whose answer was lost is never put aside: the target is asked for as long as it takes. `asked` is the wait
/// in seconds that the target itself asked for.
#[must_use]
pub fn again(now: Timestamp, attempts: u32, is_unknown: bool, asked: Option<u32>) -> Option<Timestamp> {
    if !may_try(attempts) && !is_unknown {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(7);
    let doubled = FIRST_SECONDS.saturating_mul(1 << doublings).min(SECONDS_MAX);
    Some(now.saturating_add_seconds(asked.map_or(doubled, i64::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let wait = |attempts, is_unknown, asked| {
            again(Timestamp::EPOCH, attempts, is_unknown, asked).map(|at| at.as_micros() / 1_000_000)
        };
        assert_eq!(wait(1, false, None), Some(30));
        assert_eq!(wait(2, false, None), Some(60));
        assert_eq!(wait(2, false, Some(7)), Some(7));
        assert_eq!(wait(3, false, None), None);
        assert_eq!(wait(3, true, None), Some(120));
        assert_eq!(wait(4_000_000_000, true, None), Some(3_600));
    }
}
