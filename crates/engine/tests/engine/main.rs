//! Tests of the engine in a world of its own: scenario files, properties, and counts of work.

mod properties;
mod scenarios;
mod work;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = scenarios::trials();
    trials.extend(properties::trials());
    trials.extend(work::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}
