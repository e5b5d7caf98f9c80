//! Clauses 50 and 51: what people and attackers type.

use identitymesh_model::{Text, Value};

use super::bench::{Bench, upserts};
use super::stop::{Stop, ensure, offered};
use crate::{Identity, OperationKind, Outcome};

/// Longest value that every system has to take or refuse, in bytes.
const LONG_BYTES: usize = 64 * 1024;

fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "O'Brien \"Quote\" `tick` 'x' OR '1'='1'; DROP TABLE people; --",
        "*)(objectClass=*)(|(cn=*",
        "cn=a\\,b+c=d<e>;\"f\"=#g",
        "line one\nline two\r\n\ttabbed",
        "Zoë Ångström 山田太郎 🧑‍💼 \u{202e}tfel",
        "e\u{301} is not é",
        "a,b;c|d\te\\f",
        "=1+1",
        "{{secret:x}} ${HOME} %PATH% $(id) <script>alert(1)</script>",
        " blanks around ",
        "nul \u{0} within",
        "\u{feff}mark",
        "NULL",
        "null",
        "0",
        "007",
        "1e3",
        "true",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(LONG_BYTES));
    texts.push("ü'\n".repeat(LONG_BYTES / 4));
    texts
}

pub(super) async fn c50_hostile_values_survive_or_are_refused(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let texts = hostile();
    for (number, text) in (0..).zip(&texts) {
        let mut wanted = bench.subject.sample(number);
        wanted.set(bench.form.text, text.as_str());
        match open.export_one(bench, bench.create(wanted)).await? {
            Outcome::Applied(written) => {
                let held = bench.held().await?;
                let object = written.external_id.as_ref().and_then(|id| held.get(id));
                let found = object.and_then(|object| object.single(bench.form.text)).and_then(Value::as_text);
                ensure!(found == Some(text), "{:?} became {:?}", head(text), found.map(head));
            }
            Outcome::Refused { reason, .. } => {
                ensure!(!reason.is_empty(), "{:?} was refused without a reason", head(text));
            }
            other => return Err(Stop::Broken(format!("{:?} ended as {other:?}", head(text)))),
        }
    }
    drop(open);
    if bench.can().full_import {
        let imported = bench.full().await?;
        let held = bench.held().await?;
        for object in upserts(&imported.changes) {
            let same = held.get(&object.external_id) == Some(&object.attributes);
            ensure!(same, "hostile content was imported differently: {:?}", object.attributes);
        }
    }
    Ok(())
}

pub(super) async fn c51_hostile_external_ids_find_nothing(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().export, "export")?;
    bench.seed(0..3).await?;
    let before = bench.held().await?;
    let mut open = bench.open().await?;
    for text in hostile().into_iter().filter(|text| text.len() <= 1_024) {
        let identity = Identity { external_id: Text::new(&text), address: Some(Text::new(&text)) };
        if before.contains_key(&identity.external_id) {
            continue;
        }
        let outcome = open.export_one(bench, OperationKind::Delete { identity }).await?;
        let harmless =
            matches!(outcome, Outcome::AlreadySo(_) | Outcome::Refused { .. } | Outcome::Conflict { .. });
        ensure!(harmless, "a delete of {text:?} ended as {outcome:?}");
    }
    let after = bench.held().await?;
    ensure!(before == after, "deletes of strange external ids turned {before:?} into {after:?}");
    Ok(())
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}
