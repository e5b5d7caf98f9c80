//! The properties as tests: seeds, number of histories, and where one that breaks a property is kept.

use libtest_mimic::{Failed, Trial};
use proptest::strategy::Strategy;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};

use super::{history, laws};

/// Histories played for each property; `PROPTEST_CASES` asks for more.
const CASES: u32 = 96;

/// A property as a test.
fn property<S: Strategy + 'static>(
    name: &'static str,
    histories: fn() -> S,
    law: fn(S::Value) -> Result<(), TestCaseError>,
) -> Trial {
    Trial::test(format!("properties/{name}"), move || {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.regressions");
        let config = Config {
            cases: if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { CASES },
            max_shrink_iters: 2_000,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
            source_file: Some(file!()),
            ..Config::default()
        };
        let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, seed);
        runner.run(&histories(), law).map_err(|broken| Failed::from(broken.to_string()))
    })
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        property("every history comes to rest", history::any, laws::comes_to_rest),
        property("the order of arrival does not matter", history::arrivals, laws::order_does_not_matter),
        property("an unrelated system changes nothing", history::any, laws::unrelated_changes_nothing),
        property("what is removed everywhere does not come back", history::any, laws::nothing_is_resurrected),
        property(
            "an interrupted run ends as an undisturbed one",
            history::disturbed,
            laws::interruptions_leave_no_trace,
        ),
    ]
}
