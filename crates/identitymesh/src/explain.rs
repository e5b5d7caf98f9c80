//! A failure, for the person at the terminal: what was attempted, why it failed, what to try.

use identitymesh_connector::ConnectorError;
use identitymesh_runner::RunError;
use identitymesh_store::StoreError;

/// Prints a failure to the error stream, its whole chain once.
#[expect(clippy::print_stderr, reason = "this is where failures meet the terminal")]
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("identitymesh: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if !last.contains(&text) {
            eprintln!("  because: {text}");
        }
        last = text;
    }
    for cause in error.chain() {
        details(cause);
    }
}

#[expect(clippy::print_stderr, reason = "this is where failures meet the terminal")]
fn details(cause: &(dyn std::error::Error + 'static)) {
    if let Some(RunError::Rules(problems)) = cause.downcast_ref::<RunError>() {
        for problem in problems {
            eprintln!("  {problem}");
        }
    }
    let advice = cause
        .downcast_ref::<ConnectorError>()
        .and_then(|error| error.advice.clone())
        .or_else(|| cause.downcast_ref::<StoreError>().and_then(|error| error.advice.map(str::to_owned)));
    if let Some(advice) = advice {
        eprintln!("  try: {advice}");
    }
}
