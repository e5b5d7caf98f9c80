//! The process's peak of resident memory, where the system tells it.

/// Begins a new peak at what is resident now. Without effect where the system does not know how.
pub(super) fn reset_peak() {
    if cfg!(target_os = "linux") {
        // Refused in some containers; then the peak is that of the whole process, which errs on the safe side.
        let _refused = std::fs::write("/proc/self/clear_refs", "5");
    }
}

/// The peak in bytes since it was last begun.
pub(super) fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_large_block_shows_in_the_peak_and_not_after_a_reset() {
        let block = vec![1_u8; 64 << 20];
        let with = peak_rss_bytes().unwrap();
        assert!(with > 64 << 20, "{} of {with}", block.iter().filter(|byte| **byte == 1).count());
    }
}
