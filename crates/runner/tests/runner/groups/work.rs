//! What one change of a large group costs, counted: things asked of the store, values read, rows written.

use std::sync::Arc;
use std::time::Instant;

use identitymesh_model::Clock as _;
use identitymesh_runner::ImportKind;
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{Asked, Control, over};

use super::place::{Fed, Rules, Shape};
use crate::place::name;

/// so many in every run of the tests; 100,000 take minutes to load without optimisation, see `docs/performance.md`.
const MEMBERS: usize = 5_000;

/// The same with as many as somebody asks for.
fn members() -> usize {
    let asked = std::env::var("IDENTITYMESH_MEASURE_MEMBERS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(MEMBERS)
}

/// What a change of one member may cost at most in things asked for, values read and rows written; a group of three
/// members is not much cheaper.
const THINGS_MAX: usize = 120;
const VALUES_MAX: usize = 200;
const ROWS_MAX: usize = 120;

async fn counted(large_set: usize) -> (Fed, Arc<Control>) {
    let control = Arc::<Control>::default();
    let around = Arc::clone(&control);
    let fed = Fed::over(large_set, Shape::Flat, Rules::Plain, |path, ids, clock| {
        let store = SqliteStore::open(&path, OpenOptions::exclusive(ids.clone(), clock.now())).unwrap();
        over(Arc::new(store), around)
    })
    .await;
    (fed, control)
}

/// From now on every row that is written in the store counts.
fn count_rows(fed: &Fed) {
    let database = fed.database();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    database
        .execute_batch("CREATE TABLE written (rows INTEGER NOT NULL); INSERT INTO written VALUES (0)")
        .unwrap();
    for table in tables {
        for act in ["INSERT", "UPDATE", "DELETE"] {
            database
                .execute_batch(&format!(
                    "CREATE TRIGGER written_{act}_{table} AFTER {act} ON {table} \
                     BEGIN UPDATE written SET rows = rows + 1; END"
                ))
                .unwrap();
        }
    }
}

fn take_rows(fed: &Fed) -> usize {
    let database = fed.database();
    let rows: i64 = database.query_row("SELECT rows FROM written", [], |row| row.get(0)).unwrap();
    database.execute_batch("UPDATE written SET rows = 0").unwrap();
    usize::try_from(rows).unwrap()
}

struct Cost {
    sync: Asked,
    rows: usize,
}

/// Imports what changed, syncs and exports it; tells the time of each, for whoever measures.
#[expect(clippy::disallowed_methods, reason = "measuring is about the real time of this process")]
#[expect(clippy::print_stdout, reason = "the figures are for docs/performance.md")]
async fn cost(fed: &Fed, control: &Control) -> Cost {
    let begun = Instant::now();
    fed.import("dir", ImportKind::Delta).await;
    let imported = begun.elapsed();
    let import = control.take_asked();
    fed.sync("dir").await;
    let synced = begun.elapsed() - imported;
    let sync = control.take_asked();
    fed.export().await;
    let exported = begun.elapsed() - imported - synced;
    let export = control.take_asked();
    let rows = take_rows(fed);
    println!(
        "import {imported:?} {import:?}\nsync {synced:?} {sync:?}\nexport {exported:?} {export:?}\n{rows} rows"
    );
    Cost { sync, rows }
}

fn things(asked: &Asked) -> usize {
    asked.things.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_large_group_costs_what_changed() {
    let count = members();
    let (fed, control) = counted(identitymesh_runner::LARGE_SET_MEMBERS).await;
    (0..count).for_each(|number| fed.put_person(number, "a"));
    fed.put_group(1, (0..count - 10).map(|number| format!("p{number}")));
    fed.round().await;
    // A look at the whole group, now that the target holds it.
    fed.round().await;
    let mut members = fed.members(1);
    count_rows(&fed);
    for changed in [1, 5] {
        members.drain(0..changed);
        members.push(format!("p{}", count - changed));
        fed.set_members(1, members.clone());
        let Cost { sync, rows } = cost(&fed, &control).await;
        assert!(things(&sync) <= THINGS_MAX * (changed + 1), "{sync:?}");
        assert!(sync.values <= VALUES_MAX * (changed + 1), "{sync:?}");
        assert!(rows <= ROWS_MAX * (changed + 1), "{rows} rows for {changed} + 1 members");
        let there = fed.out.objects().into_iter().find(|object| object.object_type == name("team"));
        let there = there.unwrap().attributes.get(name("member")).unwrap().as_slice().len();
        assert_eq!(there, members.len());
    }
    // A member who is not there any more.
    fed.dir.remove(name("person"), "p100");
    let Cost { sync, rows } = cost(&fed, &control).await;
    assert!(things(&sync) <= THINGS_MAX && sync.values <= VALUES_MAX, "{sync:?}");
    assert!(rows <= ROWS_MAX, "{rows} rows");
}
