//! How fast operations are sent, where somebody set a limit: a directory serves others too.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets operations go one by one, each its time after the one before. Time that nobody used is not made up for.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// At most so many a second; without a number as fast as the window allows.
    pub(crate) fn of(writes_per_s_max: Option<u32>) -> Self {
        let gap = writes_per_s_max.filter(|most| *most > 0).map(|most| Duration::from_secs(1) / most);
        Self { gap, next: Instant::now() }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&mut self) {
        if let Some(at) = self.begin(Instant::now()) {
            sleep_until(at).await;
        }
    }

    /// When the next operation may go, asked for at `now`; `None` where nobody has to wait.
    fn begin(&mut self, now: Instant) -> Option<Instant> {
        let gap = self.gap?;
        let at = self.next.max(now);
        self.next = at + gap;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_go_in_a_second_than_was_said() {
        let mut pace = Pace::of(Some(50));
        let start = Instant::now();
        let last = (0..101).filter_map(|_| pace.begin(start)).last().unwrap();
        assert_eq!((last - start).as_millis(), 2_000);
        // A pause is not made up for.
        let later = start + Duration::from_secs(12);
        let last = (0..51).filter_map(|_| pace.begin(later)).last().unwrap();
        assert_eq!((last - later).as_millis(), 1_000);
        assert_eq!(Pace::of(None).begin(start), None);
    }
}
