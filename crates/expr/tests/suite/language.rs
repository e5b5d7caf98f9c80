//! Operators, absence, sides, loops, results.

use identitymesh_expr::{
    Attributes, Environment, Evaluator, Expected, Namespace, Needs, Program, Scope, missing_input,
};
use identitymesh_model::{Object, Value};

use crate::support::{Names, check, expecting, give_in, name, now, open, person, test};

#[test]
fn operators_do_what_administrators_expect() {
    check(&[
        ("givenName", r#""Zoë""#),
        ("manager", r#"→"CN=Boss,DC=corp""#),
        ("oneOfMany", r#"["only"]"#),
        ("oneOfMany + '!'", r#""only!""#),
        ("nothing", "absent"),
        ("null", "absent"),
        ("givenName + ' ' + sn", r#""Zoë O'Neill-Łuć""#),
        ("givenName + ' ' + nothing", "absent"),
        ("'E' + employeeNumber", r#""E42""#),
        ("1 + 2 + 3", "6"),
        ("1 - 2 - 3", "-4"),
        ("7 / 2 * 2 + 7 % 2", "7"),
        ("-employeeNumber", "-42"),
        ("1 + nothing", "absent"),
        ("2 * nothing", "absent"),
        ("1 / 0", "EXP-024"),
        ("9223372036854775807 + 1", "EXP-024"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775808 / -1", "EXP-024"),
        ("'a' + true", "EXP-007"),
        ("sn + active", "EXP-020"),
        ("['a'] + ['b'] + 'c'", r#"["a", "b", "c"]"#),
        ("nothing == null", "true"),
        ("givenName != null", "true"),
        ("nothing == 'x'", "false"),
        ("nothing != 'x'", "true"),
        ("manager == 'CN=Boss,DC=corp'", "true"),
        ("nothing < 1", "false"),
        ("nothing >= 1", "false"),
        ("'a' < 'b'", "true"),
        ("hired > ParseDate('2026-01-01')", "true"),
        ("hired > sn", "EXP-020"),
        ("1 < 'a'", "EXP-007"),
        ("'x' in ['x', 'y']", "true"),
        ("sn in {'a': 1}", "false"),
        ("'smtp:z@corp.example' in proxyAddresses", "true"),
        ("'only' in oneOfMany", "true"),
        ("'x' in nothing", "false"),
        ("proxyAddresses[0]", r#""SMTP:zoe@corp.example""#),
        ("proxyAddresses[7]", "absent"),
        ("proxyAddresses[-1]", "absent"),
        ("oneOfMany[0]", r#""only""#),
        ("{'a': 'b'}.a", r#""b""#),
        ("{'a': 'b'}['z']", "absent"),
        ("{'a': 1, 'a': 2}", "EXP-003"),
        ("{'a': 1}", "EXP-007"),
        ("[1, nothing, 2]", "[1, 2]"),
        ("[[1]]", "EXP-027"),
        ("[]", "absent"),
        ("active ? 'on' : 'off'", r#""on""#),
        ("'double' + \"single\"", r#""doublesingle""#),
        ("proxyAddresses.exists(a, a.startsWith('SMTP:'))", "true"),
        ("proxyAddresses.all(a, a.contains('@'))", "true"),
        ("all('nothing').all(a, false)", "true"),
        ("nothing.exists(a, true)", "false"),
        ("proxyAddresses.exists_one(a, a.endsWith('example'))", "false"),
        ("proxyAddresses.map(a, a.matches('^SMTP'), a.size())", "[21]"),
        ("[1, 2].map(x, [10, 20].map(y, x + y)[1])", "[21, 22]"),
        ("[1, 2, 3].filter(x, x != 2)", "[1, 3]"),
        ("givenName.map(x, x + '!')", r#"["Zoë!"]"#),
        ("['z'].map(givenName, givenName)", r#"["z"]"#),
        ("Coalesce(nothing, Iif(!nothing, string(int('7')), 'x'))", r#""7""#),
    ]);
}

#[test]
fn conditions_take_absent_for_false() {
    for (condition, expected) in [
        ("active && employeeType != 'external'", true),
        ("nothing && true", false),
        ("nothing || active", true),
        ("!nothing", true),
        ("!(nothing < 3)", true),
        ("nothing", false),
        ("locked || nothing", false),
        ("has(mail) && !has(nothing)", true),
        ("false && 1 / 0 == 1", false),
        ("true || 1 / 0 == 1", true),
    ] {
        assert_eq!(test(condition), Ok(expected), "{condition}");
    }
    assert!(test("givenName").unwrap_err().starts_with("EXP-020"));
    assert!(test("'yes'").unwrap_err().starts_with("EXP-007"));
    assert!(test("active && sn").unwrap_err().starts_with("EXP-020: an operand of && must be true or false"));
}

#[test]
fn each_side_has_its_own_attributes() {
    let mut mesh = Object::new();
    mesh.set(name("mail"), "mesh@x");
    mesh.set(name("roles"), "r1");
    let (source, settings) = (person(), [(name("name"), Value::text("hr"))]);
    let scope = Scope { connector: &settings, ..Scope::at(now()).with_source(&source).with_mesh(&mesh) };
    let both = Environment { mesh: Some(Attributes::Any), connector: Some(Attributes::Any), ..open() };
    for (expression, expected) in [
        ("Trim(mail) + '|' + mesh.mail", r#""Zoe.ONeill@Corp.Example|mesh@x""#),
        ("source.givenName", r#""Zoë""#),
        ("source['extension-attribute-1']", r#""ext""#),
        ("connector.name", r#""hr""#),
        ("connector.name + '!'", r#""hr!""#),
        ("all(mesh.roles)", r#"["r1"]"#),
        ("has(mesh.sn)", "false"),
        ("Coalesce(mesh.sn, sn)", r#""O'Neill-Łuć""#),
    ] {
        assert_eq!(give_in(expression, &both, &scope), expected, "{expression}");
    }
    assert!(give_in("mesh.mail", &open(), &scope).starts_with("EXP-009"));
    let program = Program::compile("mail + mesh.mail + source.sn", &both).unwrap();
    assert_eq!(program.reads(), [name("mail"), name("sn")]);
    assert_eq!(program.reads_of(Namespace::Mesh), [name("mail")]);
    assert!(program.reads_of(Namespace::Connector).is_empty());
}

#[test]
fn text_results_are_one_text() {
    let (person, text) = (person(), expecting(Expected::Text));
    let scope = Scope::at(now()).with_source(&person);
    let container = "'OU=' + EscapeDn('R&D, Wien') + ',DC=corp'";
    assert_eq!(give_in(container, &text, &scope), r#""OU=R&D\\, Wien,DC=corp""#);
    assert_eq!(give_in("employeeNumber", &text, &scope), r#""42""#);
    assert_eq!(give_in("nothing", &text, &scope), "absent");
    assert!(give_in("proxyAddresses", &text, &scope).starts_with("EXP-027"));
    assert!(give_in("true", &text, &scope).starts_with("EXP-007"));
}

#[test]
fn a_plain_read_that_is_absent_is_missing_input() {
    let person = person();
    let scope = Scope::at(now()).with_source(&person);
    for (expression, missing) in [
        ("givenName + nothing", Some("nothing")),
        ("attr('nothing')", Some("nothing")),
        ("Iif(nothing, 'a', 'b')", Some("nothing")),
        ("Coalesce(nothing, 'x') + IfEmpty(nowhere, 'y')", None),
        ("has(nothing)", None),
        ("nothing == null", None),
        ("nothing == 'x'", Some("nothing")),
        ("all('nothing')", None),
        ("Count(nothing)", None),
        ("nothing.exists(x, x == sn)", None),
        ("empty + 'x'", None),
        ("Coalesce(nothing, 'x') + ToLower(nothing)", Some("nothing")),
    ] {
        let program = Program::compile(expression, &open()).unwrap();
        assert_eq!(missing_input(&program, &scope), missing.map(name), "{expression}");
        assert!(program.reads().len() >= usize::from(missing.is_some()), "{expression}");
    }
}

#[test]
fn what_a_program_needs_is_known() {
    for (expression, needs) in [
        ("mail", Needs::empty()),
        ("Today() < hired", Needs::TODAY),
        ("Coalesce(mail, Unique('a', 20))", Needs::UNIQUE),
        ("FormatDate(Now(), 'yyyy') + RandomPassword(9)", Needs::NOW | Needs::RANDOM),
    ] {
        assert_eq!(Program::compile(expression, &open()).unwrap().needs(), needs, "{expression}");
    }
}

#[test]
fn names_are_taken_in_order_then_counted_and_shortened() {
    let person = person();
    let names = Names::taken(&["zoneill", "zoe.oneill", "zoneill2"]);
    let scope = Scope { names: Some(&names), ..Scope::at(now()).with_source(&person) };
    let give = |expression: &str| give_in(expression, &open(), &scope);
    assert_eq!(give("Unique('zoneill', 'zoe.oneill', 20)"), r#""zoneill3""#);
    assert_eq!(give("Unique('zoneill', 'zoe.oneill', 20)"), r#""zoneill4""#);
    assert_eq!(give("Unique('zoneill', 'zo', 20)"), r#""zo""#);
    assert_eq!(give("Unique('abcdef', 3)"), r#""abc""#);
    assert_eq!(give("Unique('abcdef', 3)"), r#""ab2""#);
    // A branch that is not taken takes no name.
    assert_eq!(give("Coalesce(givenName, Unique('fresh', 20))"), r#""Zoë""#);
    assert_eq!(give("Unique('fresh', 20)"), r#""fresh""#);
    for _ in 0..9 {
        give("Unique('x', 1)");
    }
    assert!(give("Unique('x', 1)").starts_with("EXP-025"));
}

#[test]
fn days_begin_in_the_zone_of_the_scope() {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_hours(10).unwrap());
    let late = "2026-03-02T15:00:00Z".parse().unwrap();
    let scope = Scope { zone, ..Scope::at(late) };
    assert_eq!(give_in("Today()", &open(), &scope), "2026-03-02T14:00:00Z");
    assert_eq!(give_in("ParseDate('2026-03-03')", &open(), &scope), "2026-03-02T14:00:00Z");
    assert_eq!(give_in("FormatDate(Now(), 'yyyy-MM-dd HH:mm')", &open(), &scope), r#""2026-03-03 01:00""#);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let found = crate::support::give("Concat(givenName,\n  ' – ', ToLower(proxyAddresses))");
    assert_eq!(
        found,
        "EXP-020: the text of ToLower must be text, but is a list; use First, Join or .map(x, …) \
         (in ToLower at line 2, column 17)"
    );
    let program = Program::compile("1 + ToInteger(sn)", &open()).unwrap();
    let person = person();
    let error = Evaluator::new().evaluate(&program, &Scope::at(now()).with_source(&person)).unwrap_err();
    assert_eq!((error.at.line, error.inside), (1, "ToInteger"));
}

#[test]
fn a_trace_shows_every_intermediate_value() {
    let person = person();
    let scope = Scope::at(now()).with_source(&person);
    let program = Program::compile("ToUpper(Left(givenName, 2)) + Coalesce(nothing, '!')", &open()).unwrap();
    let trace = Evaluator::new().trace(&program, &scope);
    let shown: Vec<String> =
        trace.steps.iter().map(|step| format!("{} {} {:?}", step.at.column, step.what, step.value)).collect();
    assert_eq!(
        shown,
        [
            "14 givenName Some(\"Zoë\")",
            "13 Left Some(\"Zo\")",
            "8 ToUpper Some(\"ZO\")",
            "40 nothing None",
            "39 Coalesce Some(\"!\")",
            "29 + Some(\"ZO!\")",
        ]
    );
    assert_eq!(trace.outcome, Evaluator::new().evaluate(&program, &scope));
    let failing = Program::compile("ToInteger(Trim(sn))", &open()).unwrap();
    let trace = Evaluator::new().trace(&failing, &scope);
    assert_eq!(trace.steps.len(), 2, "what went well before the error is shown");
    assert!(trace.outcome.unwrap_err().to_string().starts_with("EXP-021"));
}
