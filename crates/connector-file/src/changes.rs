//! Change files: what an export asks for, without the target's content.
//!
//! CSV has one row for each value, JSON one object for each operation, LDIF change records. A batch is one file with
//! the next free number; it appears whole or not at all. Nothing is compared: whoever reads the file does that.

use std::fs;
use std::path::{Path, PathBuf};

use identitymesh_connector::{
    AttributeChange, ChangeKind, Identity, Operation, OperationKind, Outcome, Written,
};
use identitymesh_model::{Text, Value, Values, dn};
use serde_json::{Map, Value as Json, json};

use crate::apply::refused;
use crate::config::{Config, Format};
use crate::layout::{DN, Layout, TypeLayout};
use crate::{csv, error, json, ldif};

/// A value's action within an operation: set, add, remove, clear.
type Action<'a> = (&'static str, &'a str, &'a [Value]);

/// The text of the change file and what becomes of each operation once it is written.
pub(crate) fn render(
    config: &Config,
    layout: &Layout,
    operations: &[Operation],
) -> (String, Vec<(identitymesh_model::ItemId, Outcome)>) {
    let mut text = match config.format {
        Format::Csv => {
            let mut header = String::new();
            let names = ["operation", "object_type", "external_id", "action", "attribute", "value"];
            csv::write_fields(config, &mut header, names.into_iter().map(|name| Some(name.to_owned())));
            header
        }
        Format::Ldif => "version: 1\n".to_owned(),
        Format::Json => String::new(),
    };
    let mut outcomes = Vec::with_capacity(operations.len());
    for operation in operations {
        let written = one(config, layout, operation);
        outcomes.push((
            operation.item,
            match written {
                Ok((part, external_id)) => {
                    text.push_str(&part);
                    Outcome::Applied(Written { external_id: Some(external_id), ..Written::default() })
                }
                Err(stop) => stop,
            },
        ));
    }
    (text, outcomes)
}

fn one(config: &Config, layout: &Layout, operation: &Operation) -> Result<(String, Text), Outcome> {
    let kind = layout.by_name(operation.object_type).ok_or_else(|| {
        refused(error::TYPE, format!("{} is no object type of this file", operation.object_type))
    })?;
    let external_id = match &operation.kind {
        OperationKind::Create { attributes, .. } => {
            kind.key_of(attributes).map_err(|reason| refused(error::NO_KEY, reason))?
        }
        OperationKind::Update { identity, .. } | OperationKind::Delete { identity } => {
            identity.external_id.clone()
        }
    };
    let part = match config.format {
        Format::Csv => csv_rows(config, kind, operation, &external_id),
        Format::Json => json_line(config, kind, operation, &external_id),
        Format::Ldif => ldif_records(config, kind, operation),
    };
    match part {
        Ok(part) => Ok((part, external_id)),
        Err(reason) => Err(refused(error::UNWRITABLE_VALUE, reason)),
    }
}

fn word(operation: &Operation) -> &'static str {
    match operation.kind {
        OperationKind::Create { .. } => "create",
        OperationKind::Update { .. } => "update",
        OperationKind::Delete { .. } => "delete",
    }
}

fn actions(operation: &Operation) -> Vec<Action<'_>> {
    match &operation.kind {
        OperationKind::Create { attributes, .. } => {
            attributes.iter().map(|(name, values)| ("set", name.as_str(), values.as_slice())).collect()
        }
        OperationKind::Update { changes, .. } => changes.iter().flat_map(change_actions).collect(),
        OperationKind::Delete { .. } => Vec::new(),
    }
}

fn change_actions(change: &AttributeChange) -> Vec<Action<'_>> {
    let name = change.name.as_str();
    match &change.kind {
        ChangeKind::Replace { new: Some(new), .. } => vec![("set", name, new.as_slice())],
        ChangeKind::Replace { new: None, .. } => vec![("clear", name, &[])],
        ChangeKind::AddRemove { add, remove } => {
            let both: [Action<'_>; 2] = [("remove", name, remove), ("add", name, add)];
            both.into_iter().filter(|(_, _, values)| !values.is_empty()).collect()
        }
    }
}

fn csv_rows(
    config: &Config,
    kind: &TypeLayout,
    operation: &Operation,
    external_id: &str,
) -> Result<String, String> {
    let mut out = String::new();
    let mut row = |action: Option<&str>, attribute: Option<&str>, value: Option<String>| {
        let head = [Some(word(operation)), Some(kind.name().as_str()), Some(external_id), action, attribute];
        let fields = head.into_iter().map(|field| field.map(str::to_owned)).chain([value]);
        csv::write_fields(config, &mut out, fields);
    };
    let actions = actions(operation);
    if actions.is_empty() {
        row(None, None, None);
    }
    for (action, attribute, values) in actions {
        if values.is_empty() {
            row(Some(action), Some(attribute), None);
        }
        for value in values {
            row(Some(action), Some(attribute), Some(config.text.text(value)?));
        }
    }
    match config.encoding.encode(&out) {
        Ok(_) => Ok(out),
        Err(character) => Err(format!("the file's encoding has no {character:?}")),
    }
}

fn json_line(
    config: &Config,
    kind: &TypeLayout,
    operation: &Operation,
    external_id: &str,
) -> Result<String, String> {
    let mut by_action: Map<String, Json> = Map::new();
    for (action, attribute, values) in actions(operation) {
        let list = values
            .iter()
            .map(|value| json::value_to_json(&config.text, value))
            .collect::<Result<Vec<_>, _>>()?;
        let multi = kind.attribute(attribute).is_some_and(|known| known.kind.multi) || list.len() > 1;
        let value = match (action, list.len(), multi) {
            ("clear", ..) => Json::Null,
            ("set", 1, false) => list.into_iter().next().unwrap_or(Json::Null),
            _ => Json::Array(list),
        };
        let action = if action == "clear" { "set" } else { action };
        let members = by_action.entry(action).or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(members) = members {
            members.insert(attribute.to_owned(), value);
        }
    }
    let mut line = json!({
        "operation": word(operation),
        "object_type": kind.name().as_str(),
        "external_id": external_id,
    });
    if let Json::Object(members) = &mut line {
        members.append(&mut by_action);
    }
    Ok(format!("{line}\n"))
}

fn ldif_records(config: &Config, kind: &TypeLayout, operation: &Operation) -> Result<String, String> {
    let mut out = String::from("\n");
    match &operation.kind {
        OperationKind::Create { attributes, .. } => {
            let address =
                kind.attribute(DN).and_then(|dn| attributes.single(dn.name)).and_then(Value::as_text);
            let address = address.ok_or("an object of an LDIF file needs its dn")?;
            ldif::write_add(&mut out, &config.text, address, attributes)?;
        }
        OperationKind::Delete { identity } => {
            ldif::write_line(&mut out, DN, address_of(kind, identity)?.as_bytes());
            ldif::write_plain(&mut out, "changetype", "delete");
        }
        OperationKind::Update { identity, new_address, changes, .. } => {
            let mut address = address_of(kind, identity)?;
            if let Some(new) = new_address.as_deref().filter(|new| *new != address) {
                ldif::write_line(&mut out, DN, address.as_bytes());
                ldif::write_plain(&mut out, "changetype", "modrdn");
                ldif::write_line(&mut out, "newrdn", dn::split_first(new).0.as_bytes());
                ldif::write_plain(&mut out, "deleteoldrdn", "1");
                if dn::normalise(dn::parent(address)) != dn::normalise(dn::parent(new)) {
                    ldif::write_line(&mut out, "newsuperior", dn::parent(new).as_bytes());
                }
                address = new;
                if !changes.is_empty() {
                    out.push('\n');
                }
            }
            if changes.is_empty() {
                return Ok(out);
            }
            ldif::write_line(&mut out, DN, address.as_bytes());
            ldif::write_plain(&mut out, "changetype", "modify");
            for change in changes {
                ldif_change(&mut out, config, change)?;
            }
        }
    }
    Ok(out)
}

fn ldif_change(out: &mut String, config: &Config, change: &AttributeChange) -> Result<(), String> {
    let name = change.name.as_str();
    match &change.kind {
        ChangeKind::Replace { new, .. } => {
            let values = new.as_ref().map_or(&[][..], Values::as_slice);
            ldif::write_modify(out, &config.text, "replace", name, values)
        }
        ChangeKind::AddRemove { add, remove } => {
            for (action, values) in [("delete", remove), ("add", add)] {
                if !values.is_empty() {
                    ldif::write_modify(out, &config.text, action, name, values)?;
                }
            }
            Ok(())
        }
    }
}

fn address_of<'i>(kind: &TypeLayout, identity: &'i Identity) -> Result<&'i str, String> {
    let is_dn = kind.key().iter().any(|key| key.as_str().eq_ignore_ascii_case(DN));
    let address = identity.address.as_deref().or(is_dn.then_some(identity.external_id.as_str()));
    address.ok_or_else(|| "the object's dn is not known".to_owned())
}

/// The path of the next change file: its number follows the highest in the folder.
pub(crate) fn next_path(config: &Config, folder: &Path) -> std::io::Result<PathBuf> {
    let extension = match config.format {
        Format::Csv => "csv",
        Format::Ldif => "ldif",
        Format::Json => "jsonl",
    };
    let mut highest = 0_u64;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let number = name.strip_prefix("changes-").and_then(|rest| rest.split('.').next()?.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(folder.join(format!("changes-{:09}.{extension}", highest + 1)))
}
