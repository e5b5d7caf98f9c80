//! No text panics the compiler, no value the evaluator, and the same inputs give the same result.

use identitymesh_expr::{Evaluator, Program, Scope, library};
use identitymesh_model::{Object, Timestamp, Value, Values};
use proptest::prelude::*;

use crate::support::{Counting, Names, name, open};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,12}".prop_map(Value::text),
        "[ -~]{0,30}".prop_map(Value::reference),
        any::<i64>().prop_map(Value::Integer),
        (-3_i64..70).prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        (-377_705_000_000_000_000_i64..253_000_000_000_000_000)
            .prop_map(|micros| Value::DateTime(Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH))),
        proptest::collection::vec(any::<u8>(), 0..30).prop_map(|bytes| Value::Binary(bytes.into())),
    ]
}

fn object() -> impl Strategy<Value = Object> {
    let values = prop_oneof![
        value().prop_map(Some).prop_map(|value| value.map(Values::One)),
        proptest::collection::vec(value(), 0..5).prop_map(Values::set),
    ];
    proptest::collection::vec(values, 4).prop_map(|all| {
        let mut object = Object::new();
        for (attribute, values) in ["a", "b", "c", "d"].into_iter().zip(all) {
            object.put(name(attribute), values);
        }
        object
    })
}

/// Pieces of the grammar in any order, so that more than a few of them parse.
fn soup() -> impl Strategy<Value = String> {
    let words: Vec<String> = library()
        .iter()
        .map(|function| format!("{}(", function.name))
        .chain(
            [
                "a",
                "b",
                "'x'",
                "\"",
                "1",
                "-",
                "!",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                ",",
                ".",
                " ? ",
                ":",
                " == ",
                " && ",
                " || ",
                " in ",
                "null",
                "x.map(y, ",
                "b'\\377'",
                "1.5",
                "5u",
                "é",
                "\\",
                "`",
                "//",
                "\n",
                "r'",
                "'''",
                "@",
                "#",
                "source.",
                "has(",
                "0x",
                "9223372036854775808",
                "true",
                ">=",
            ]
            .map(str::to_owned),
        )
        .collect();
    proptest::collection::vec(proptest::sample::select(words), 0..25).prop_map(|words| words.concat())
}

fn run(expression: &str, object: &Object) -> Option<String> {
    let program = Program::compile(expression, &open()).ok()?;
    let (names, random) = (Names::default(), Counting::default());
    let now = "2026-03-02T08:15:30Z".parse().unwrap();
    let scope = Scope { names: Some(&names), random: Some(&random), ..Scope::at(now).with_source(object) };
    let mut evaluator = Evaluator::new();
    drop(evaluator.test(&program, &scope));
    let fresh = (Names::default(), Counting::default());
    let again = Scope { names: Some(&fresh.0), random: Some(&fresh.1), ..scope.clone() };
    Some(format!("{:?}", evaluator.evaluate(&program, &again)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,60}", object in object()) {
        run(&text, &object);
    }

    #[test]
    fn no_soup_of_words_panics(text in soup(), object in object()) {
        run(&text, &object);
    }

    #[test]
    fn no_value_panics_any_function_and_results_repeat(object in object()) {
        for function in library() {
            for count in function.argument_count_min()..=function.parameters.len() {
                let arguments = ["a", "b", "c", "d"];
                let call = format!("{}({})", function.name, arguments[..count.min(4)].join(", "));
                prop_assert_eq!(run(&call, &object), run(&call, &object), "{}", call);
            }
        }
        for operator in ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"] {
            run(&format!("a {operator} b"), &object);
        }
        for expression in ["a[b]", "a ? b : c", "!a", "-a", "a.map(x, x + b)", "a.filter(x, x == b)", "[a, b, c]", "{'k': a}.k"] {
            run(expression, &object);
        }
    }
}
