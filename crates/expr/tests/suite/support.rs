//! One sample object, a fixed moment, and results as text.

use std::cell::RefCell;
use std::collections::BTreeSet;

use identitymesh_expr::{
    Attributes, Environment, Evaluator, Expected, Needs, Program, RandomSource, Scope, Uniqueness,
};
use identitymesh_model::{Name, Object, Timestamp, Value, Values};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A person with every kind of value; `nothing` and other names are absent.
pub(crate) fn person() -> Object {
    let set = |values: &[&str]| Values::set(values.iter().map(|text| Value::text(*text)).collect()).unwrap();
    let mut object = Object::new();
    let mut put = |text: &str, values: Values| object.set(name(text), values);
    put("givenName", "Zoë".into());
    put("sn", "O'Neill-Łuć".into());
    put("mail", "  Zoe.ONeill@Corp.Example ".into());
    put("empty", "".into());
    put("employeeNumber", Value::Integer(42).into());
    put("active", Value::Boolean(true).into());
    put("locked", Value::Boolean(false).into());
    put("hired", "2026-03-02T08:15:30Z".parse::<Timestamp>().unwrap().into());
    put("objectGuid", Values::One(Value::Binary((1..=16).collect())));
    put("manager", Values::One(Value::reference("CN=Boss,DC=corp")));
    put("proxyAddresses", set(&["SMTP:zoe@corp.example", "smtp:z@corp.example"]));
    put("extension-attribute-1", "ext".into());
    put("oneOfMany", set(&["only"]));
    object
}

/// Every free function is allowed, and any attribute may exist.
pub(crate) fn open() -> Environment {
    Environment { allowed: Needs::all(), ..Environment::of_source(Attributes::Any) }
}

pub(crate) fn expecting(expected: Expected) -> Environment {
    Environment { expected, ..open() }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-02T08:15:30Z".parse().unwrap()
}

/// Names that are taken, and grow by what is claimed.
#[derive(Default)]
pub(crate) struct Names(RefCell<BTreeSet<String>>);

impl Names {
    pub(crate) fn taken(names: &[&str]) -> Self {
        Self(RefCell::new(names.iter().map(ToString::to_string).collect()))
    }
}

impl Uniqueness for Names {
    fn claim(&self, candidate: &str) -> Result<bool, String> {
        Ok(self.0.borrow_mut().insert(candidate.to_owned()))
    }
}

/// Counts up: repeatable, and fair enough for a shuffle to move things.
#[derive(Default)]
pub(crate) struct Counting(RefCell<u8>);

impl RandomSource for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        for byte in bytes {
            let mut state = self.0.borrow_mut();
            *state = state.wrapping_mul(5).wrapping_add(113);
            *byte = *state;
        }
        Ok(())
    }
}

/// What the expression gives for the sample person, or the message.
pub(crate) fn give(expression: &str) -> String {
    give_in(expression, &open(), &Scope::at(now()).with_source(&person()))
}

pub(crate) fn give_in(expression: &str, environment: &Environment, scope: &Scope<'_>) -> String {
    let (names, random) = (Names::default(), Counting::default());
    let scope = Scope {
        names: Some(scope.names.unwrap_or(&names)),
        random: Some(scope.random.unwrap_or(&random)),
        ..scope.clone()
    };
    match Program::compile(expression, environment) {
        Err(error) => error.to_string(),
        Ok(program) => match Evaluator::new().evaluate(&program, &scope) {
            Err(error) => error.to_string(),
            Ok(None) => "absent".to_owned(),
            Ok(Some(values)) => format!("{values:?}"),
        },
    }
}

pub(crate) fn test(expression: &str) -> Result<bool, String> {
    let program =
        Program::compile(expression, &expecting(Expected::Condition)).map_err(|error| error.to_string())?;
    let person = person();
    Evaluator::new().test(&program, &Scope::at(now()).with_source(&person)).map_err(|error| error.to_string())
}

/// Whether `found` is `expected`, or the message that starts with it where it is a code.
pub(crate) fn matches(found: &str, expected: &str) -> bool {
    if expected.starts_with("EXP-") { found.starts_with(expected) } else { found == expected }
}

/// Checks rows of expression and result, and reports every one that differs.
pub(crate) fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(expression, expected)| (expression, expected, give(expression)))
        .filter(|(_, expected, found)| !matches(found, expected))
        .map(|(expression, expected, found)| {
            format!("{expression}\n  expected {expected}\n  found    {found}")
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
