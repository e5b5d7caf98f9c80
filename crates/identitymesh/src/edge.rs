//! The edges of the process: the system's clock and the system's randomness, nowhere else.

use std::time::{Duration, Instant};

use identitymesh_model::{Clock, IdSource, Timestamp, Uid};

/// The system's clock.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the process asks for the time"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.saturating_add_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "measuring is about the real time of this process")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Public ids of version 7 with random tails.
#[derive(Debug, Default)]
pub(crate) struct RandomIds;

impl IdSource for RandomIds {
    fn next_uid(&self, at: Timestamp) -> Uid {
        let mut tail = [0_u8; 10];
        aws_lc_rs::rand::fill(&mut tail).expect("the system's random source does not fail once it is seeded");
        Uid(uuid::Builder::from_unix_timestamp_millis(at.as_unix_millis(), &tail).into_uuid())
    }
}
