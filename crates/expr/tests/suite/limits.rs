//! Every bound, just within and just beyond.

use std::time::Duration;

use identitymesh_expr::{Evaluator, Program, Scope, bounds};
use identitymesh_model::{Object, Value, Values};

use crate::support::{Counting, Names, give_in, name, now, open};

/// Runs on a thread with the stack that worker threads have.
fn on_a_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap();
    thread.join().expect("the stack suffices")
}

fn compiles(expression: String) -> String {
    on_a_worker(move || match Program::compile(&expression, &open()) {
        Ok(program) => match Evaluator::new().evaluate(&program, &Scope::at(now())) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    })
}

#[test]
fn the_length_of_the_text_is_bounded() {
    let quoted = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert_eq!(compiles(quoted(bounds::EXPRESSION_BYTES_MAX)), "fine");
    assert!(compiles(quoted(bounds::EXPRESSION_BYTES_MAX + 1)).starts_with("EXP-001"));
}

#[test]
fn nesting_is_bounded_before_the_parser_recurses() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(compiles(nested(bounds::NESTING_MAX)), "fine");
    assert!(compiles(nested(bounds::NESTING_MAX + 1)).starts_with("EXP-002"));
    assert!(compiles("(".repeat(8_000)).starts_with("EXP-002"));
    assert!(compiles("(".repeat(10_000)).starts_with("EXP-001"));
    assert!(compiles("[".repeat(8_000)).starts_with("EXP-002"));
    let calls = format!("{}'x'{}", "Trim(".repeat(50), ")".repeat(50));
    assert_eq!(compiles(calls), "fine");
}

#[test]
fn chains_of_operators_are_bounded() {
    for operator in ["+", "&&", "||", "==", "-", "<=", "in"] {
        let chain = |count: usize| vec!["null"; count].join(&format!(" {operator} "));
        assert_eq!(compiles(chain(bounds::OPERATORS_MAX + 1)), "fine", "{operator}");
        if operator != "in" {
            assert!(compiles(chain(bounds::OPERATORS_MAX + 2)).starts_with("EXP-002"), "{operator}");
        }
    }
    assert_eq!(compiles(format!("{}true", "!".repeat(bounds::OPERATORS_MAX))), "fine");
    assert_eq!(compiles(format!("x{}", "[0]".repeat(bounds::OPERATORS_MAX))), "fine");
    assert_eq!(compiles(format!("x{}", ".map(y, y)".repeat(bounds::OPERATORS_MAX))), "fine");
    for (piece, count) in [
        ("!", 8_000),
        ("-", 8_000),
        ("x.", 4_000),
        ("x[0]", 2_000),
        ("true ? 1 : ", 700),
        ("true ? 1 : ", 150),
    ] {
        let found = compiles(format!("{}true", piece.repeat(count)));
        assert!(found.starts_with("EXP-002"), "{piece}: {found}");
    }
}

#[test]
fn everything_at_its_bound_at_once_fits_the_stack() {
    let nested = |inner: &str| {
        let depth = bounds::NESTING_MAX - 1;
        compiles(format!("{}{inner}{}", "Coalesce(".repeat(depth), ")".repeat(depth)))
    };
    assert_eq!(nested(&vec!["null"; bounds::OPERATORS_MAX + 1].join(" == ")), "fine");
    assert_eq!(nested(&format!("x{}", ".size()".repeat(bounds::OPERATORS_MAX))), "fine");
    let loops = format!("{}1{}", "[1].map(y, ".repeat(25), ")".repeat(25));
    assert!(compiles(loops).starts_with("EXP-027"), "a list in a list is no value, but it was evaluated");
}

fn with_many(count: usize, text: &str) -> Object {
    let mut object = Object::new();
    let values = (0..count).map(|index| Value::text(format!("{text}{index}"))).collect();
    object.set(name("many"), Values::set(values).unwrap());
    object
}

fn give(expression: &str, object: &Object) -> String {
    give_in(expression, &open(), &Scope::at(now()).with_source(object))
}

#[test]
fn made_lists_and_texts_are_bounded() {
    let object = with_many(60_000, "m");
    assert_eq!(give("Count(many)", &object), "60000");
    assert!(give("Count(many + many)", &object).starts_with("EXP-022"));
    assert!(give("Join(many, ';')", &object).starts_with("EXP-022"));
    let mut long = Object::new();
    long.set(name("photo"), Values::One(Value::Binary(vec![7; 60_000].into())));
    long.set(name("text"), "a".repeat(40_000).as_str());
    for expression in [
        "text + text",
        "Concat(text, text)",
        "Replace(text, 'a', 'bb')",
        "RegexReplace(text, 'a', '$0$0')",
        "RegexReplace(text, 'a+', '$0$0$0$0$0$0$0$0$0$0')",
        "HexEncode(photo)",
        "Base64Encode(photo)",
        "PadLeft(text, 65537)",
    ] {
        assert!(give(expression, &long).starts_with("EXP-022"), "{expression}");
    }
    assert_eq!(give("Length(PadLeft(text, 65536))", &long), "65536");
    assert!(give("Length(Split(Replace(text, 'a', 'x'), 'x'))", &long).starts_with("40001"));
}

#[test]
fn what_an_object_holds_passes_whatever_its_size() {
    let mut object = Object::new();
    object.set(name("text"), "a".repeat(1 << 20).as_str());
    assert_eq!(give("Length(Trim(text))", &object), (1 << 20).to_string());
}

#[test]
fn loops_end_in_bounded_time() {
    let object = with_many(100_000, "member");
    for expression in [
        "many.filter(a, many.exists(b, a == b + 'x'))",
        "many.map(a, many.map(b, many.map(c, a + b + c)))",
        "many.filter(a, a in many)",
        "many.map(a, PadLeft(a, 60000))",
        "many.filter(a, RegexMatch(PadLeft(a, 9000), '(a|b|ab)*c'))",
        "many.map(a, PadLeft('x', 60000)).map(a, [1,2,3,4].map(i, a))",
    ] {
        let started = stopwatch();
        let found = give(expression, &object);
        assert!(found.starts_with("EXP-023"), "{expression}: {found}");
        assert!(started() < Duration::from_secs(20), "{expression} took {:?}", started());
    }
    assert_eq!(give("Count(many.filter(a, EndsWith(a, '99999')))", &object), "1");
    assert_eq!(give("Count(many.filter(a, RegexMatch(a, '9999$')))", &object), "10");
}

#[expect(clippy::disallowed_methods, reason = "a test that something ends in time has to look at the time")]
fn stopwatch() -> impl Fn() -> Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}

#[test]
fn notes_of_a_trace_are_bounded() {
    let object = with_many(2_000, "m");
    let program = Program::compile("many.map(a, ToUpper(a))", &open()).unwrap();
    let trace = Evaluator::new().trace(&program, &Scope::at(now()).with_source(&object));
    assert_eq!(trace.steps.len(), bounds::TRACE_STEPS_MAX);
    assert_eq!(trace.outcome.unwrap().unwrap().as_slice().len(), 2_000);
    let mut wide = Object::new();
    wide.set(name("many"), Values::set((0..50).map(Value::Integer).collect()).unwrap());
    wide.set(name("photo"), "p".repeat(1 << 20).as_str());
    let program = Program::compile("Count(many.map(a, Length(photo)))", &open()).unwrap();
    let trace = Evaluator::new().trace(&program, &Scope::at(now()).with_source(&wide));
    let noted: usize = trace
        .steps
        .iter()
        .flat_map(|step| &step.value)
        .flat_map(Values::as_slice)
        .map(Value::size_bytes)
        .sum();
    assert!(noted <= bounds::TRACE_BYTES_MAX, "{noted}");
    assert_eq!(trace.outcome, Ok(Some(50.into())));
}

#[test]
fn patterns_are_bounded() {
    let object = with_many(1, "m");
    let long = "a".repeat(bounds::PATTERN_BYTES_MAX + 1);
    assert!(give(&format!("RegexMatch('a', '{long}')"), &object).starts_with("EXP-010"));
    assert!(give(&format!("RegexMatch('a', Concat('{long}'))"), &object).starts_with("EXP-021"));
    assert!(give("RegexMatch('a', '(((a{99}){99}){99}){99}')", &object).starts_with("EXP-010"));
    let date = "-".repeat(bounds::DATE_PATTERN_BYTES_MAX + 1);
    assert!(give(&format!("FormatDate(Today(), '{date}')"), &object).starts_with("EXP-010"));
}

#[test]
fn names_are_asked_for_a_bounded_number_of_times() {
    struct Full;
    impl identitymesh_expr::Uniqueness for Full {
        fn claim(&self, _: &str) -> Result<bool, String> {
            Ok(false)
        }
    }
    let scope = Scope { names: Some(&Full), ..Scope::at(now()) };
    let found = give_in("Unique('ann')", &open(), &scope);
    assert!(
        found.starts_with("EXP-025: no free name after 1000 attempts, the last was \"ann1000\""),
        "{found}"
    );
}

#[test]
fn what_the_run_cannot_provide_is_said() {
    struct Broken;
    impl identitymesh_expr::Uniqueness for Broken {
        fn claim(&self, _: &str) -> Result<bool, String> {
            Err("the directory does not answer".to_owned())
        }
    }
    impl identitymesh_expr::RandomSource for Broken {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
            bytes.fill(255);
            Ok(())
        }
    }
    let scope = Scope { names: Some(&Broken), random: Some(&Broken), ..Scope::at(now()) };
    let found = give_in("Unique('ann')", &open(), &scope);
    assert!(found.starts_with("EXP-026: Unique is not available: the directory does not answer"), "{found}");
    // 255 is never a fair byte for the 25 small letters: a stuck source is noticed, not waited for.
    let found = give_in("RandomPassword(12, 'lower')", &open(), &scope);
    assert!(found.starts_with("EXP-026: RandomPassword"), "{found}");
    let program = Program::compile("Unique('a') + RandomPassword(9)", &open()).unwrap();
    let bare = Evaluator::new().evaluate(&program, &Scope::at(now())).unwrap_err();
    assert!(bare.to_string().starts_with("EXP-026"), "{bare}");
    let (names, random) = (Names::default(), Counting::default());
    let whole = Scope { names: Some(&names), random: Some(&random), ..Scope::at(now()) };
    assert!(Evaluator::new().evaluate(&program, &whole).unwrap().is_some());
}
