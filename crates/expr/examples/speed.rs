//! Nanoseconds for each evaluation of some typical expressions, on one object of twenty attributes.
//!
//! `cargo run --release -p identitymesh-expr --example speed`

use std::hint::black_box;
use std::time::Duration;

use identitymesh_expr::{Attributes, Environment, Evaluator, Program, Scope};
use identitymesh_model::{Name, Object, Timestamp, Value, Values};

const EXPRESSIONS: [&str; 10] = [
    "mail",
    "ToLower(Trim(mail))",
    "givenName + ' ' + sn",
    "active && employeeType != 'external'",
    "startDate <= AddDays(Today(), 14) && (!has(endDate) || endDate > Today())",
    "Iif(Contains(title, 'Head'), 'managers', Lookup(country, {'AT': 'staff-at', 'DE': 'staff-de'}, 'staff'))",
    "'OU=' + EscapeDn(department) + ',OU=People,DC=corp,DC=example'",
    "ToAscii(ToLower(Left(givenName, 1) + sn))",
    "RegexReplace(phone, '[^0-9+]', '')",
    "proxyAddresses.filter(a, StartsWith(a, 'SMTP:')).map(a, Mid(a, 6))",
];

fn main() {
    let person = person();
    let now: Timestamp = "2026-03-02T08:15:30Z".parse().expect("a moment in the usual form");
    let scope = Scope::at(now).with_source(&person);
    let environment = Environment::of_source(Attributes::Any);
    let mut evaluator = Evaluator::new();
    for expression in EXPRESSIONS {
        let program = Program::compile(expression, &environment).expect("the expressions above compile");
        let rounds = 200_000_u32;
        let elapsed = stopwatch(|| {
            for _ in 0..rounds {
                let values = evaluator.evaluate(black_box(&program), black_box(&scope));
                black_box(values.expect("the expressions above fit the person"));
            }
        });
        report(elapsed / rounds, expression);
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn stopwatch(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn report(each: Duration, expression: &str) {
    println!("{:>6} ns  {expression}", each.as_nanos());
}

fn person() -> Object {
    let name = |text: &str| Name::new(text).expect("the names below are valid");
    let mut object = Object::new();
    let texts = [
        ("givenName", "Zoë"),
        ("sn", "O'Neill-Łuć"),
        ("mail", " Zoe.ONeill@Corp.Example "),
        ("title", "Head of Sales"),
        ("country", "AT"),
        ("department", "Sales, Marketing"),
        ("phone", "+43 660 / 123 45-67"),
        ("employeeType", "internal"),
        ("company", "Corp"),
        ("street", "Ring 1"),
        ("city", "Wien"),
        ("postalCode", "1010"),
        ("room", "A1.23"),
        ("costCenter", "4711"),
        ("language", "de-AT"),
        ("building", "A"),
    ];
    for (attribute, text) in texts {
        object.set(name(attribute), text);
    }
    object.set(name("active"), true);
    object.set(name("employeeNumber"), 42);
    object.set(
        name("startDate"),
        "2026-03-10T00:00:00Z".parse::<Timestamp>().expect("a moment in the usual form"),
    );
    let addresses = ["SMTP:zoe@corp.example", "smtp:z@corp.example", "smtp:oneill@corp.example"];
    if let Some(set) = Values::set(addresses.into_iter().map(Value::text).collect()) {
        object.set(name("proxyAddresses"), set);
    }
    object
}
