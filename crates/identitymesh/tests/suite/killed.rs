//! `kill -9` at a thousand points of a mesh's days. Whatever the moment, the next start goes on, and in the end
//! everything is as if nobody had killed anything: the same rows, written by the same statements in the same order for
//! each row, the same directory, the same history of everybody, and an audit chain without a gap.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;

use crate::process::Place;

/// Kills in all four tests together: the number that `docs/reliability.md` publishes.
const KILLS_COUNT: usize = 1_000;
const DAYS: usize = 6;
const PEOPLE: usize = 30;
/// Kills on each day of a life, spread over what the day's work takes.
const KILLS_PER_DAY: usize = 12;
/// A cycle that nobody kills takes at least this long, and a first guess is needed before one was timed.
const CYCLE_GUESS: Duration = Duration::from_millis(150);

/// A target that writes down every statement that changed a row.
const TABLES: &str = "
CREATE TABLE account (number TEXT PRIMARY KEY, surname TEXT, mail TEXT, manager TEXT, state TEXT);
CREATE TABLE statement (place INTEGER PRIMARY KEY, number TEXT, what TEXT);
CREATE TRIGGER inserted AFTER INSERT ON account BEGIN
  INSERT INTO statement (number, what) VALUES (new.number, json_array('insert', new.surname, new.mail, new.state)); END;
CREATE TRIGGER updated AFTER UPDATE ON account BEGIN
  INSERT INTO statement (number, what) VALUES (new.number, json_array('update', new.surname, new.mail, new.state)); END;
CREATE TRIGGER deleted AFTER DELETE ON account BEGIN
  INSERT INTO statement (number, what) VALUES (old.number, json_array('delete', old.surname, old.mail, old.state)); END;
";

const ACCOUNTS: &str = r#"
[connector]
name = "accounts"
type = "sqlite"
[connector.settings]
path = "../accounts.db"
[connector.settings.types.account]
table = "account"
key = "number"
attributes = { manager = "reference" }

[[projection]]
name = "accounts"
mesh_type = "user"
object_type = "account"
scope = "active"
leave = [{ do = "delete" }]
[[projection.attribute]]
target = "number"
source = "employeeId"
mode = "create_only"
[[projection.attribute]]
target = "surname"
source = "sn"
[[projection.attribute]]
target = "mail"
source = "mail"
[[projection.attribute]]
target = "manager"
source = "manager"
"#;

/// The row of a person on a day: some are away, some are suspended, all change now and then.
fn row(number: usize, day: usize) -> Option<String> {
    let is_away = day > 0 && (number + 3 * day).is_multiple_of(13);
    let status = if day > 0 && (number + day) % 17 == 5 { "left" } else { "active" };
    let (mail, surname, manager) = ((number + day) / 4, (number * 3 + day) / 7, number / 3);
    let manager = if manager == number { String::new() } else { format!("{manager:03}") };
    let row = format!(
        "{number:03},Given{number},Sur{surname},Sales,Clerk,p{number}.{mail}@corp.example,{manager},{status}\n"
    );
    (!is_away).then_some(row)
}

fn dawn(place: &Place, day: usize) {
    let header = "employee_id,given_name,surname,department,title,mail,manager_id,status\n".to_owned();
    let file = (0..PEOPLE + day).filter_map(|number| row(number, day)).fold(header, |file, row| file + &row);
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), file).unwrap();
}

fn mesh() -> Place {
    let place = Place::in_memory();
    place.good(&["init", "mesh"]);
    std::fs::write(place.path().join("mesh/connectors/accounts.toml"), ACCOUNTS).unwrap();
    rusqlite::Connection::open(place.path().join("mesh/accounts.db")).unwrap().execute_batch(TABLES).unwrap();
    dawn(&place, 0);
    place.good(&["apply", "mesh"]);
    place
}

#[derive(Debug, PartialEq)]
struct End {
    accounts: Vec<[Option<String>; 5]>,
    /// For each row the statements that made and changed it.
    statements: BTreeMap<String, Vec<String>>,
    directory: String,
    history: BTreeMap<String, Vec<String>>,
}

fn end(place: &Place) -> End {
    let database = rusqlite::Connection::open(place.path().join("mesh/accounts.db")).unwrap();
    let mut accounts = database.prepare("SELECT * FROM account ORDER BY number").unwrap();
    let accounts =
        accounts.query_map([], |row| Ok([0, 1, 2, 3, 4].map(|column| row.get(column).unwrap()))).unwrap();
    let accounts = accounts.map(Result::unwrap).collect();
    let mut log = database.prepare("SELECT number, what FROM statement ORDER BY place").unwrap();
    let mut statements = BTreeMap::<String, Vec<String>>::new();
    for line in log.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (number, what) = line.unwrap();
        statements.entry(number).or_default().push(what);
    }
    let people = place.json(&["mesh", "list"]);
    let people: Vec<(String, String)> = people["items"].as_array().unwrap().iter().map(named).collect();
    let history =
        people.iter().map(|(anchor, _)| (anchor.clone(), history(place, anchor, &people))).collect();
    let directory = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    End { accounts, statements, directory, history }
}

fn named(person: &Json) -> (String, String) {
    let word = |key: &str| person[key].as_str().unwrap().to_owned();
    (word("anchor"), word("uid"))
}

/// What changed of somebody, oldest first. Public ids and times differ from life to life, who is meant does not.
fn history(place: &Place, anchor: &str, people: &[(String, String)]) -> Vec<String> {
    let changes = place.json(&["mesh", "history", anchor]);
    let told = |change: &Json| {
        let text = format!("{} {} {}", change["where"], change["kind"], change["before"]);
        let text = people.iter().fold(text, |text, (anchor, uid)| text.replace(uid.as_str(), anchor));
        without_times(&text)
    };
    // Two targets are written in no particular order.
    let mut told: Vec<String> = changes.as_array().unwrap().iter().map(told).collect();
    told.sort();
    told
}

/// The text with every moment in it taken out.
fn without_times(text: &str) -> String {
    let mut parts = text.split("\"since\":");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once([',', '}']).map_or("", |(_, rest)| rest));
    }
    out
}

fn undisturbed() -> End {
    let place = mesh();
    for day in 0..DAYS {
        dawn(&place, day);
        place.good(&["run", "cycle", "--strict"]);
    }
    end(&place)
}

/// Starts a cycle and kills it after a while. Whether it was still at work.
fn kill(place: &Place, after: Duration) -> bool {
    let mut child =
        place.command(&["run", "cycle"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let is_at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    is_at_work
}

fn killed_a_quarter(seed: u64) {
    let expected = undisturbed();
    let mut die = fastrand::Rng::with_seed(seed);
    let mut kills = 0;
    while kills < KILLS_COUNT / 4 {
        let place = mesh();
        let mut longest = CYCLE_GUESS;
        for day in 0..DAYS {
            dawn(&place, day);
            for _ in 0..KILLS_PER_DAY {
                let after = longest.mul_f64(die.f64());
                if kill(&place, after) {
                    kills += 1;
                } else {
                    // It was through sooner; the next ones are killed within that time.
                    longest = after.max(Duration::from_millis(20));
                }
            }
            place.good(&["run", "cycle", "--strict"]);
            longest = longest.mul_f64(1.5).min(CYCLE_GUESS * 4);
        }
        assert_eq!(end(&place), expected, "seed {seed}, {kills} kills");
        assert!(place.good(&["audit", "verify"]).contains("the audit is whole"));
    }
    eprintln!("{kills} kills");
}

#[test]
fn killed_at_a_thousand_points_it_ends_the_same_first_quarter() {
    killed_a_quarter(1);
}

#[test]
fn killed_at_a_thousand_points_it_ends_the_same_second_quarter() {
    killed_a_quarter(2);
}

#[test]
fn killed_at_a_thousand_points_it_ends_the_same_third_quarter() {
    killed_a_quarter(3);
}

#[test]
fn killed_at_a_thousand_points_it_ends_the_same_last_quarter() {
    killed_a_quarter(4);
}
