//! Expressions that cannot be saved, with the message that says why.

use identitymesh_expr::{Attribute, Attributes, Environment, Expected, Kinds, Needs, Program};

use crate::support::name;

fn known() -> Environment {
    let attribute = |text: &str, kind, multi| Attribute { name: name(text), kind, multi };
    let attributes = Attributes::known([
        attribute("givenName", Kinds::TEXT, false),
        attribute("employeeNumber", Kinds::INTEGER, false),
        attribute("active", Kinds::BOOLEAN, false),
        attribute("hired", Kinds::DATE, false),
        attribute("proxyAddresses", Kinds::TEXT, true),
    ]);
    Environment::of_mesh(attributes)
}

fn message(expression: &str, environment: &Environment) -> String {
    match Program::compile(expression, environment) {
        Ok(_) => "compiles".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (expression, expected) in [
        (
            "givenNam",
            "EXP-005: mesh has no attribute \"givenNam\"; did you mean givenName? (at line 1, column 1)",
        ),
        ("'ß' + zzz", "EXP-005: mesh has no attribute \"zzz\" (at line 1, column 7)"),
        (
            "Lower(givenName)",
            "EXP-004: there is no function \"Lower\"; did you mean ToLower? (at line 1, column 6)",
        ),
        (
            "givenName.ToLower()",
            "EXP-004: there is no function \"….ToLower\"; it is called as ToLower(text) ",
        ),
        ("ToLower()", "EXP-006: ToLower takes 1 argument, not 0: ToLower(text)"),
        ("Mid(givenName)", "EXP-006: Mid takes 2 or 3 arguments, not 1"),
        ("Now('x')", "EXP-006: Now takes no argument, not 1"),
        ("Coalesce()", "EXP-006: Coalesce takes at least 1 argument, not 0"),
        (
            "ToLower(active)",
            "EXP-007: the text of ToLower must be text or an integer, but is true or false; use ToText",
        ),
        (
            "hired > '2026-01-01'",
            "EXP-007: the right side of the comparison must be a date-time, but is text; use ParseDate",
        ),
        (
            "employeeNumber == '5'",
            "EXP-007: the right side of the comparison must be an integer, but is text; use ToInteger",
        ),
        (
            "givenName ? 1 : 2",
            "EXP-007: the condition must be true or false, but is text; compare it, or use ToBoolean or has",
        ),
        (
            "AddDays(givenName, 1)",
            "EXP-007: the date of AddDays must be a date-time, but is text; use ParseDate",
        ),
        ("Now()", "EXP-008: Now cannot be used here"),
        ("Coalesce(givenName, Unique('a'))", "EXP-008: Unique cannot be used here"),
        ("RandomPassword(12)", "EXP-008"),
        ("source.x", "EXP-009: \"source\" does not exist in this rule, only mesh"),
        ("RegexMatch(givenName, '[')", "EXP-010: RegexMatch is given a pattern that cannot be used"),
        (
            "FormatDate(hired, 'DD.MM.YYYY')",
            "EXP-010: FormatDate is given a pattern that cannot be used: \"DD\" means nothing",
        ),
        ("attr(givenName)", "EXP-011: attr takes the name of an attribute in quotes"),
        ("all(ToLower(givenName))", "EXP-011"),
        ("1.5", "EXP-012: a number with a fraction cannot be used"),
        ("5u", "EXP-012"),
        ("Message{a: 1}", "EXP-012"),
        (".givenName", "EXP-012"),
        ("", "EXP-003"),
        ("givenName +", "EXP-003"),
        ("'open", "EXP-003"),
        ("givenName sn", "EXP-003"),
        ("[1].map(1, 2)", "EXP-003: not an expression: map takes the name of a variable first"),
        (
            "ToLower",
            "EXP-005: mesh has no attribute \"ToLower\"; ToLower is a function, call it as ToLower(…)",
        ),
        ("givenName.x", "EXP-007: what has the member \"x\" must be a table, but is text"),
    ] {
        let found = message(expression, &known());
        assert!(found.starts_with(expected), "{expression}\n  expected {expected}\n  found    {found}");
    }
}

#[test]
fn all_problems_come_at_once_in_order() {
    let error = Program::compile("Lower(a) + Upper(givenName,\n b)", &known()).unwrap_err();
    let codes: Vec<String> =
        error.problems.iter().map(|problem| problem.kind.to_string()[..7].to_owned()).collect();
    assert_eq!(codes, ["EXP-004", "EXP-004"]);
    assert!(error.problems.is_sorted_by_key(|problem| problem.at));
    let error = Program::compile("a + b + ToLower(hired)", &known()).unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
}

#[test]
fn good_expressions_compile() {
    let today = Environment { allowed: Needs::empty(), expected: Expected::Condition, ..known() };
    for expression in [
        "active && hired <= AddDays(Today(), 14)",
        "proxyAddresses.exists(a, StartsWith(a, 'SMTP:'))",
        "GIVENNAME == givenname",
        "// a comment\nactive",
        "hired == null",
    ] {
        assert_eq!(message(expression, &today), "compiles", "{expression}");
    }
}

#[test]
fn what_a_program_can_give_is_known() {
    for (expression, kinds) in [
        ("givenName", Kinds::TEXT),
        ("proxyAddresses", Kinds::TEXT | Kinds::LIST),
        ("active ? employeeNumber : givenName", Kinds::TEXT | Kinds::INTEGER),
        ("AddDays(hired, 1)", Kinds::DATE),
        ("null", Kinds::empty()),
    ] {
        assert_eq!(Program::compile(expression, &known()).unwrap().gives(), kinds, "{expression}");
    }
}

#[test]
fn programs_are_shared_between_threads() {
    const fn shared<T: Send + Sync + Clone>() {}
    shared::<Program>();
}
