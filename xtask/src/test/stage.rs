//! The stages that cargo runs, in order, with what to install where a part of the toolchain is missing.

/// One cargo call of the test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Arguments of cargo.
    pub(crate) arguments: &'static [&'static str],
    /// A component of the Rust toolchain that the call needs.
    pub(crate) component: Option<&'static str>,
}

const FORMAT: Stage = Stage { arguments: &["fmt", "--all", "--check"], component: Some("rustfmt") };
const LINTS: Stage = Stage {
    arguments: &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    component: Some("clippy"),
};
/// Nextest does not run documentation tests, and in both cases the others are to come last.
const DOC_TESTS: Stage = Stage { arguments: &["test", "--workspace", "--doc", "--quiet"], component: None };
const NEXTEST: Stage = Stage { arguments: &["nextest", "run", "--workspace"], component: None };
const LIBTEST: Stage =
    Stage { arguments: &["test", "--workspace", "--tests", "--no-fail-fast"], component: None };

/// Cheap stages first, the tests last.
pub(crate) fn stages(has_nextest: bool) -> [Stage; 4] {
    [FORMAT, LINTS, DOC_TESTS, if has_nextest { NEXTEST } else { LIBTEST }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_is_the_test_runner() {
        assert_eq!(stages(true)[3], NEXTEST);
        assert_eq!(stages(false)[3], LIBTEST);
    }
}
