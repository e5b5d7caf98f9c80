//! The processor's time that the process took, where the system tells it.

use std::time::Duration;

/// Ticks of a second in what Linux tells a process about itself, on every architecture.
const TICKS_PER_S: u64 = 100;
/// The places of the time in user mode and in the kernel, counted behind the name.
const USER_FIELD: usize = 11;
const KERNEL_FIELD: usize = 12;

/// The time of all threads together since the process began, to a hundredth of a second.
pub(super) fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything, and ends with the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks(USER_FIELD)? + ticks(KERNEL_FIELD)?) * 1_000 / TICKS_PER_S))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_of_the_processor() {
        let before = cpu_time().unwrap();
        let mut sum = 0_u64;
        while cpu_time().unwrap() < before + Duration::from_millis(30) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
        }
        assert!(cpu_time().unwrap() > before, "{sum}");
    }
}
