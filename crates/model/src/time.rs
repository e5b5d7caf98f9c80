//! Points in time, and the clock as a parameter.
//!
//! A [`Timestamp`] is UTC with microseconds, the finest that every supported store keeps. Nothing in the core asks
//! what time it is: whoever needs to know is handed a [`Clock`], so that a plan made twice is the same plan.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z, between the years -9999 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text or number that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("MDL-010: {text:?} is not a date and time such as 2026-03-02T08:00:00Z")]
pub struct TimestampError {
    /// What was given.
    pub text: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch.
    ///
    /// # Errors
    /// When the point lies outside the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        match jiff::Timestamp::from_microsecond(micros) {
            Ok(_) => Ok(Self(micros)),
            Err(_) => Err(TimestampError { text: micros.to_string() }),
        }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, as UUID version 7 counts; zero before it.
    #[must_use]
    pub fn as_unix_millis(self) -> u64 {
        u64::try_from(self.0 / 1_000).unwrap_or(0)
    }

    /// This moment plus `micros`, held at the ends of the representable range.
    #[must_use]
    pub fn saturating_add_micros(self, micros: i64) -> Self {
        let (min, max) = (jiff::Timestamp::MIN.as_microsecond(), jiff::Timestamp::MAX.as_microsecond());
        Self(self.0.saturating_add(micros).clamp(min, max))
    }

    /// This moment plus whole seconds.
    #[must_use]
    pub fn saturating_add_seconds(self, seconds: i64) -> Self {
        self.saturating_add_micros(seconds.saturating_mul(1_000_000))
    }

    /// The same moment for calendar arithmetic.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("the constructors keep the range")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(value: jiff::Timestamp) -> Self {
        Self(value.as_microsecond())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.parse::<jiff::Timestamp>().map_err(|_| TimestampError { text: text.to_owned() })?;
        Ok(parsed.into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Tells the time. The binary hands out the system's; tests and scenarios hand out one they move themselves.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock standing at `start`.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self(std::sync::atomic::AtomicI64::new(start.0))
    }

    /// Sets the hand, backwards too: clocks do jump.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, std::sync::atomic::Ordering::SeqCst);
    }

    /// Moves the hand forward.
    pub fn advance_seconds(&self, seconds: i64) {
        self.set(self.now().saturating_add_seconds(seconds));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_with_microseconds() {
        for text in ["1970-01-01T00:00:00Z", "2026-03-02T08:15:30.000001Z", "1601-01-01T00:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2026-03-02T09:00:00+01:00".parse::<Timestamp>().unwrap().to_string(),
            "2026-03-02T08:00:00Z"
        );
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let late = Timestamp::EPOCH.saturating_add_seconds(i64::MAX);
        assert_eq!(late.saturating_add_seconds(1), late);
        assert!(Timestamp::from_micros(i64::MAX).is_err());
    }

    #[test]
    fn a_manual_clock_goes_where_it_is_set() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        clock.advance_seconds(5);
        assert_eq!(clock.now().as_micros(), 5_000_000);
        clock.set(Timestamp::EPOCH);
        assert_eq!(clock.now(), Timestamp::EPOCH);
    }
}
