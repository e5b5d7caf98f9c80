//! Clauses 1 to 5: what a kind says about itself before anything moves.

use std::collections::BTreeMap;

use identitymesh_model::Name;
use serde_json::Value as Json;

use super::bench::{Bench, in_time};
use super::stop::{Stop, ensure, offered};
use crate::{Class, ConnectorError, ImportMode, ImportRequest, SettingKind};

/// Fewest letters with which a help text can say anything.
const HELP_BYTES_MIN: usize = 10;

pub(super) async fn c01_settings_explain_themselves(bench: &Bench<'_>) -> Result<(), Stop> {
    let descriptor = bench.subject.kind().descriptor();
    ensure!(!descriptor.kind.is_empty() && !descriptor.title.is_empty(), "the kind has no word or no title");
    ensure!(descriptor.summary.len() >= HELP_BYTES_MIN, "the kind's summary says nothing");
    let mut seen = BTreeMap::new();
    for setting in &descriptor.settings.settings {
        let name = setting.name;
        ensure!(seen.insert(name, ()).is_none(), "the setting {name} is listed twice");
        ensure!(setting.help.len() >= HELP_BYTES_MIN, "the setting {name} has no help");
        ensure!(!(setting.required && setting.default.is_some()), "{name} is required and has a default");
        let secret = setting.kind == SettingKind::Secret;
        ensure!(!(secret && setting.default.is_some()), "the secret {name} has a default");
    }
    let defaults = descriptor.settings.settings.iter();
    let written: BTreeMap<String, Json> =
        defaults.filter_map(|setting| Some((setting.name.to_owned(), setting.default.clone()?))).collect();
    let (_, problems) = descriptor.settings.read(&written, &bench.subject.base());
    let about_defaults = problems.iter().find(|problem| {
        let name = problem.path.trim_start_matches("settings.");
        written.contains_key(name)
    });
    ensure!(about_defaults.is_none(), "a default does not fit its own schema: {about_defaults:?}");
    bench.settings().map(drop)
}

pub(super) async fn c02_validation_reports_everything_and_touches_nothing(
    bench: &Bench<'_>,
) -> Result<(), Stop> {
    let kind = bench.subject.kind();
    bench.seed(0..2).await?;
    let before = bench.held().await?;
    let settings = bench.settings()?;
    let (first, second) = (kind.validate(&settings), kind.validate(&settings));
    ensure!(first == second, "validating twice found {first:?}, then {second:?}");
    ensure!(first.is_empty(), "the subject's own settings are refused: {first:?}");
    let mut wrong: BTreeMap<String, Json> = BTreeMap::new();
    wrong.insert("no_such_setting".to_owned(), Json::Bool(true));
    let mut expected = vec!["settings.no_such_setting".to_owned()];
    for setting in &kind.descriptor().settings.settings {
        let name = setting.name.to_owned();
        match setting.kind {
            SettingKind::Structure if setting.required => {}
            SettingKind::Structure => continue,
            // A number with a fraction fits no kind of setting.
            _ => drop(wrong.insert(name.clone(), serde_json::json!(0.5))),
        }
        expected.push(format!("settings.{name}"));
    }
    let Err(problems) = kind.prepare(&wrong, &bench.subject.base()) else {
        return Err(Stop::Broken("settings that are wrong throughout were accepted".to_owned()));
    };
    for path in expected {
        ensure!(problems.iter().any(|problem| problem.path == path), "{path} is wrong and not reported");
    }
    ensure!(before == bench.held().await?, "validating changed the system");
    Ok(())
}

pub(super) async fn c03_test_names_its_steps(bench: &Bench<'_>) -> Result<(), Stop> {
    for empty in [true, false] {
        if !empty {
            bench.seed(0..1).await?;
        }
        let report = in_time("test", bench.open().await?.session.test()).await??;
        ensure!(!report.server.is_empty(), "the test does not say who answered");
        ensure!(!report.steps.is_empty(), "the test names no step that worked");
    }
    Ok(())
}

pub(super) async fn c04_schema_lists_attributes_with_types(bench: &Bench<'_>) -> Result<(), Stop> {
    let schema = in_time("schema", bench.open().await?.session.schema()).await??;
    let form = &bench.form;
    let Some(object) = schema.object_type(form.object_type) else {
        return Err(Stop::Broken(format!("the schema lacks the type {}", form.object_type)));
    };
    for (at, attribute) in object.attributes.iter().enumerate() {
        let twice = object.attributes[..at].iter().any(|earlier| earlier.name == attribute.name);
        ensure!(!twice, "the schema lists {} twice", attribute.name);
    }
    for number in 0..3 {
        for (name, values) in bench.subject.sample(number).iter() {
            let Some(attribute) = object.attribute(name) else {
                return Err(Stop::Broken(format!("the schema lacks the attribute {name}")));
            };
            let set = matches!(values, identitymesh_model::Values::Set(_));
            ensure!(attribute.kind.multi == set, "{name} is {} in the schema", attribute.kind);
        }
    }
    if let Some(address) = object.address {
        ensure!(object.attribute(address).is_some(), "the address {address} is no attribute of the schema");
    }
    Ok(())
}

pub(super) async fn c05_unknown_object_type_is_a_clear_error(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    let strange = Name::literal("no such object type");
    let mut open = bench.open().await?;
    let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
    let request = ImportRequest { mode: ImportMode::Full, object_types: vec![strange], page_size_max: 10 };
    let outcome: Result<(), ConnectorError> = async {
        importer.begin(request).await?;
        importer.next_page().await.map(drop)
    }
    .await;
    let Err(error) = outcome else {
        return Err(Stop::Broken("an import of an unknown object type worked".to_owned()));
    };
    ensure!(error.message.contains(strange.as_str()), "the error does not name the type: {error}");
    ensure!(error.class == Class::Configuration, "the error's class is {:?}", error.class);
    Ok(())
}
