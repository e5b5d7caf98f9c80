//! `joins reevaluate`: what the rules in force make of links that rules made before; looked at, or carried out.

use identitymesh_engine::joins::{Fate, Found, Whose};
use identitymesh_model::{MeshId, Name};
use identitymesh_runner::{
    ChangedLink, InForce, LinkScope, LinksAgain, Question, reconsider_links, reevaluate_joins,
};
use identitymesh_store::Reader;
use serde_json::{Value as Json, json};

use crate::arguments::{ActArguments, LinkArguments};
use crate::commands::Shell;
use crate::commands::lookup::connector_id;
use crate::commands::preview::{Ask, Shown, foresee};
use crate::open::Opened;
use crate::output::{counted, table, thousands};

/// What becomes of links, in the order in which it is told.
const BECOMES: [(&str, &str); 9] = [
    ("stays", "the same"),
    ("other_rule", "the same by another rule"),
    ("moves", "another mesh object"),
    ("begins", "a mesh object of their own"),
    ("conflict", "a conflict"),
    ("unjoined", "nothing found"),
    ("out_of_scope", "out of scope"),
    ("waits", "the same for now"),
    ("left_for_next", "more than one act changes, so left for the next"),
];
/// What is not asked for.
const LEFT_ALONE: [(&str, &str); 3] =
    [("by_hand", "by hand"), ("by_export", "made by exports"), ("never_marks", "marked never to join")];
/// Links that are spelled out for people; JSON has all.
const LINKS_SHOWN: usize = 200;

pub(super) fn reevaluate(
    shell: &Shell,
    links: &LinkArguments,
    all: bool,
    act: &ActArguments,
) -> anyhow::Result<()> {
    let opened = if act.preview { shell.read()? } else { shell.write()? };
    let in_force = opened.mesh.in_force()?;
    let connector = links.connector.as_deref().map(|name| connector_id(&in_force, name)).transpose()?;
    let scope = LinkScope {
        connector: connector.map(|(name, _)| name),
        object_type: links.object_type.as_deref().map(Name::new).transpose()?,
        rule: links.rule.clone(),
        limit: links.limit.map(|limit| limit as usize),
    };
    let reason = act.reason.as_deref().unwrap_or("a preview").trim().to_owned();
    let shown = if all { usize::MAX } else { LINKS_SHOWN };
    if act.preview {
        preview(shell, &opened, scope, reason, shown)
    } else {
        carry_out(shell, &opened, scope, reason, shown)
    }
}

/// The same on a copy that is thrown away, with everything that follows.
fn preview(
    shell: &Shell,
    opened: &Opened,
    scope: LinkScope,
    reason: String,
    shown: usize,
) -> anyhow::Result<()> {
    let found = reconsider_links(&opened.mesh, &scope)?;
    let told = Told::new(opened, &found)?;
    let question = Some(Question::Reevaluation(scope, reason));
    let preview = foresee(shell, opened, Ask { question, loaded: None, shown: Shown::First, keep: None })?;
    let mut data = preview.data();
    (data["links"], data["changes"]) = (json!(found.counts), told.data());
    shell.output.answer(&data, || {
        let links = told.text(&found, shown);
        if found.changes.is_empty() { links } else { format!("{links}\n\n{}", preview.text()) }
    })
}

fn carry_out(
    shell: &Shell,
    opened: &Opened,
    scope: LinkScope,
    reason: String,
    shown: usize,
) -> anyhow::Result<()> {
    let done = shell.block_on(async { Ok(reevaluate_joins(&opened.mesh, scope, reason).await?) })?;
    let told = Told::new(opened, &done.links)?;
    let decision = done.decision.as_ref().map(|(id, _)| *id);
    let data = json!({ "decision": decision, "links": done.links.counts, "changes": told.data(),
        "run": done.report.run, "counts": done.report.counters });
    shell.output.answer(&data, || {
        let links = told.text(&done.links, shown);
        match decision {
            Some(id) => format!(
                "{links}\nrun {}, decision {id}: take it back with `identitymesh joins revert {id} --reason …`",
                done.report.run
            ),
            None => format!("{links}\nrun {}: nothing changed hands", done.report.run),
        }
    })
}

/// One link, for people.
struct Row {
    object: String,
    mesh: String,
    rule: String,
    becomes: String,
    why: String,
    candidates: Vec<Json>,
}

/// Links that do not stay as they are, with names in place of numbers.
struct Told(Vec<(Json, Row)>);

impl Told {
    fn new(opened: &Opened, links: &LinksAgain) -> anyhow::Result<Self> {
        let in_force = opened.mesh.in_force()?;
        let mut reader = opened.mesh.store.read()?;
        let rows = links.changes.iter().map(|change| {
            let row = row(&in_force, reader.as_mut(), links, change)?;
            let space = &change.space;
            let rule = space.link.map(|link| in_force.rules.rule_name(link.rule));
            let score = match &change.fate {
                Fate::StaysBy(found) | Fate::Moves(_, found) => found.score,
                _ => None,
            };
            let data = json!({ "connector": in_force.name_of(space.connector), "type": space.object_type,
                "external_id": space.external_id, "what": change.word(),
                "mesh": { "type": change.mesh.record.mesh_type, "anchor": change.mesh.record.anchor,
                    "uid": change.mesh.record.uid }, "rule": rule, "becomes": row.becomes, "why": row.why,
                "score": score, "candidates": row.candidates });
            Ok((data, row))
        });
        rows.collect::<anyhow::Result<_>>().map(Self)
    }

    fn data(&self) -> Json {
        self.0.iter().map(|(data, _)| data.clone()).collect()
    }

    fn text(&self, links: &LinksAgain, shown: usize) -> String {
        let count = |name: &str| links.counts.get(name).copied().unwrap_or(0);
        let list = |words: &[(&str, &str)]| -> String {
            let there = words.iter().filter(|(name, _)| count(name) > 0);
            let told: Vec<String> =
                there.map(|(name, words)| format!("{words} {}", thousands(count(name)))).collect();
            told.join("; ")
        };
        let links = counted(count("links"), "link", "links");
        let mut out = format!("{links} that rules made: {}", list(&BECOMES));
        if count("links") == 0 {
            out = "no link that a rule made is meant".to_owned();
        }
        let alone = list(&LEFT_ALONE);
        if !alone.is_empty() {
            out.push_str(&format!("\nleft alone: {alone}"));
        }
        if self.0.is_empty() {
            return out;
        }
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .take(shown)
            .map(|(_, row)| {
                [&row.object, &row.mesh, &row.rule, &row.becomes, &row.why].map(Clone::clone).to_vec()
            })
            .collect();
        out.push_str(&format!("\n\n{}", table(&["object", "linked to", "by", "becomes", "because"], &rows)));
        if self.0.len() > shown {
            let more = counted((self.0.len() - shown) as u64, "more link", "more links");
            out.push_str(&format!("\n… and {more}; --all spells out every one"));
        }
        out
    }
}

fn row(
    in_force: &InForce,
    reader: &mut dyn Reader,
    links: &LinksAgain,
    change: &ChangedLink,
) -> anyhow::Result<Row> {
    let by = |found: &Found| format!("{}: {}", in_force.rules.rule_name(found.rule), found.matched);
    let record = &change.mesh.record;
    let mesh = format!("{} {}", record.mesh_type, record.anchor);
    let mut candidates = Vec::new();
    let (becomes, why) = match (&change.fate, &change.waits) {
        (_, Some(why)) => ("stays for now".to_owned(), why.clone()),
        (Fate::Stays, _) => ("stays".to_owned(), String::new()),
        (Fate::StaysBy(found), _) => (mesh.clone(), by(found)),
        (Fate::Moves(Whose::Known(id), found), _) => (called(reader, *id)?, by(found)),
        (Fate::Moves(Whose::Beginning(maker), found), _) => {
            let made = links.changes.iter().find_map(|known| match &known.fate {
                Fate::Begins { mesh_type, anchor, .. } if known.space.id == *maker => {
                    Some(format!("new {mesh_type} {anchor}"))
                }
                _ => None,
            });
            (made.unwrap_or_else(|| "a new mesh object".to_owned()), by(found))
        }
        (Fate::Begins { rule, mesh_type, anchor }, _) => {
            (format!("new {mesh_type} {anchor}"), in_force.rules.rule_name(*rule))
        }
        (Fate::Ends { note, .. }, _) => {
            let mut why = note.text.clone();
            for (at, id) in note.candidates.iter().enumerate() {
                let (name, score) = (called(reader, *id)?, note.scores.get(at));
                let told = score.map_or_else(String::new, |score| format!(" at {score}"));
                why.push_str(&format!("{}{name}{told}", if at == 0 { ": " } else { ", " }));
                candidates.push(json!({ "mesh": name, "score": score }));
            }
            (if note.candidates.is_empty() { "nothing" } else { "a conflict" }.to_owned(), why)
        }
    };
    let rule = change.space.link.map_or_else(String::new, |link| in_force.rules.rule_name(link.rule));
    let object = format!("{}/{}", in_force.name_of(change.space.connector), change.space.external_id);
    Ok(Row { object, mesh, rule, becomes, why, candidates })
}

fn called(reader: &mut dyn Reader, id: MeshId) -> anyhow::Result<String> {
    let view = reader.views(&[id])?.pop().flatten();
    Ok(view.map_or_else(
        || "a mesh object that is not there any more".to_owned(),
        |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
    ))
}
