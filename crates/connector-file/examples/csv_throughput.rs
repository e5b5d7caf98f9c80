//! How fast a CSV file of people is imported: `cargo run --release -p identitymesh-connector-file --example
//! csv_throughput [ROWS]`. Prints rows a second and the time for one attribute; asserts nothing about time.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use identitymesh_connector::{ConnectorKind, Context, ImportMode, ImportRequest};
use identitymesh_connector_file::FileKind;
use identitymesh_model::Name;
use tokio_util::sync::CancellationToken;

/// Attributes of one row.
const COLUMN_COUNT: usize = 12;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
#[expect(clippy::disallowed_methods, reason = "an example measures real time")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rows: usize = std::env::args().nth(1).map_or(Ok(200_000), |word| word.parse())?;
    let folder = tempfile::tempdir()?;
    write_people(&folder.path().join("people.csv"), rows)?;
    let written = serde_json::from_str(r#"{ "path": "people.csv", "key": "id", "settle_ms": 0 }"#)?;
    let kind = FileKind::csv();
    let settings = kind.prepare(&written, folder.path()).map_err(|problems| format!("{problems:?}"))?;
    let context = Context {
        cancel: CancellationToken::new(),
        request_timeout: Duration::from_secs(60),
        schema: None,
        reads_only: false,
    };
    let mut session = kind.connect(&settings, &context).await?;
    let importer = session.importer().ok_or("the kind imports")?;
    let start = std::time::Instant::now();
    let object_types = vec![Name::new("user")?];
    importer.begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max: 5_000 }).await?;
    let mut objects = 0;
    while let Some(page) = importer.next_page().await? {
        objects += page.changes.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let each = seconds * 1e6 / (objects * COLUMN_COUNT) as f64;
    println!(
        "{objects} rows in {seconds:.2} s, {:.0} rows/s, {each:.3} µs an attribute",
        objects as f64 / seconds
    );
    Ok(())
}

fn write_people(path: &Path, rows: usize) -> Result<(), Box<dyn Error>> {
    let mut text = String::from("id,given,sn,mail,phone,street,city,unit,title,manager,hired,note\n");
    for row in 0..rows {
        writeln!(
            text,
            "{row},Anna,Nuñez {row},anna.{row}@mesh.test,+49 30 {row},\"Long street, {row}\",Berlin,Sales,Clerk,{},2026-03-02,",
            row / 10
        )?;
    }
    Ok(std::fs::write(path, text)?)
}
