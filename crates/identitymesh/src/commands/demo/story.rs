//! The demo's words.

use identitymesh_engine::explain::explain;
use identitymesh_model::Name;
use serde_json::{Value as Json, json};

use super::acts::{Act, Days};
use super::files::Places;
use super::summary::Summary;
use crate::commands::lookup::{mesh_object, shown};
use crate::open::Opened;
use crate::output::{counted, table, thousands};

/// Events of each kind that are told.
const EVENTS_TOLD: usize = 2;

/// What is said before an act.
pub(super) fn before(act: Act, days: &Days, places: &Places) -> String {
    match act {
        Act::First => format!(
            "A company of {} comes to IdentityMesh.\n  HR exports {}\n  the phone system exports {}\nThey disagree on \
             titles, spellings and numbers. The rules that settle it are in {}.",
            counted(days.before.hr_rows().count() as u64, "person", "people"),
            places.source.join("hr.csv").display(),
            places.source.join("phonebook.jsonl").display(),
            places.configuration.display(),
        ),
        Act::Day => {
            let mut out = String::from("\nA day passes. Some of what happens:\n");
            for kind in days.story.counts().keys() {
                for event in days.story.of_kind(kind).take(EVENTS_TOLD) {
                    out.push_str(&format!("  · {event}\n"));
                }
            }
            let counts: Vec<String> = days
                .story
                .counts()
                .iter()
                .map(|(kind, count)| format!("{} {count}", kind.replace('_', " ")))
                .collect();
            out.push_str(&format!("In all: {}.", counts.join(", ")));
            out
        }
        Act::Again => "\nThe same files once more. Nothing has changed, so nothing may be sent.".to_owned(),
    }
}

/// What is said after an act.
pub(super) fn after(act: Act, summary: &Summary, places: &Places) -> String {
    let rows: Vec<Vec<String>> = summary
        .exports
        .iter()
        .map(|(target, counts)| {
            let of = |name: &str| thousands(counts.get(name).copied().unwrap_or(0));
            vec![
                target.clone(),
                of("create"),
                of("update"),
                of("move"),
                of("disable"),
                of("enable"),
                of("delete"),
            ]
        })
        .collect();
    let mesh: Vec<String> =
        summary.mesh_objects.iter().map(|(name, count)| format!("{} {name}", thousands(*count))).collect();
    let mut out = table(&["written to", "create", "update", "move", "disable", "enable", "delete"], &rows);
    out.push_str(&format!("\nin the mesh: {}; findings: {}", mesh.join(", "), thousands(summary.findings)));
    match act {
        Act::First => out.push_str(&format!(
            "\nLook at {} and {}.",
            places.target.join("directory.ldif").display(),
            places.target.join("accounts.db").display()
        )),
        Act::Day => {
            out.push_str("\nLeavers were disabled at once; they move after seven days and go after ninety.")
        }
        Act::Again if summary.written() == 0 => out.push_str("\nNothing was sent."),
        Act::Again => {}
    }
    out
}

/// The reasons behind one value on which the sources disagree.
pub(super) fn why(opened: &Opened, days: &Days) -> anyhow::Result<Option<(Json, String)>> {
    let in_force = opened.mesh.in_force()?;
    let title = Name::literal("title");
    for person in days.after.people().iter().take(500) {
        let anchor = person.employee_id().to_string();
        let Ok(view) = mesh_object(opened.mesh.store.read()?.as_mut(), &anchor) else { continue };
        let mut told = explain(&in_force.rules, &view, opened.mesh.clock.now());
        told.retain(|contribution| contribution.attribute == title && contribution.values.is_some());
        let differ = told.windows(2).any(|pair| pair[0].values != pair[1].values);
        if !differ {
            continue;
        }
        let source = |space: &Option<(identitymesh_model::ConnectorId, identitymesh_model::Text)>| {
            space
                .as_ref()
                .map_or_else(|| "computed".to_owned(), |(id, key)| format!("{}/{key}", in_force.name_of(*id)))
        };
        let data: Vec<Json> = told
            .iter()
            .map(|one| {
                json!({ "value": one.values, "wins": one.wins, "source": source(&one.space), "rule": one.rule,
                    "confidence": one.confidence, "why": one.verdict })
            })
            .collect();
        let rows: Vec<Vec<String>> = told
            .iter()
            .map(|one| {
                vec![
                    if one.wins { "▸".to_owned() } else { String::new() },
                    one.values.as_ref().map_or_else(String::new, shown),
                    source(&one.space),
                    one.confidence.to_string(),
                    one.verdict.clone(),
                ]
            })
            .collect();
        let text = format!(
            "\nWhy does {} have this title?  (identitymesh mesh why {anchor} title)\n{}",
            person.display_name(),
            table(&["", "title", "source", "confidence", "why"], &rows)
        );
        return Ok(Some((json!({ "object": anchor, "attribute": "title", "contributions": data }), text)));
    }
    Ok(None)
}
