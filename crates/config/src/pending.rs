//! What a configuration may say already and nothing carries out yet.
//!
//! Silence would be dangerous: who writes a switch believes in it. So each such key is named by `plan` and `apply`, and
//! by `docs/configuration.md`. A key leaves this list with the change that carries it out.

use identitymesh_model::rules::Configuration;

/// One sentence for each thing in the configuration that is not carried out yet.
pub(crate) fn notes(configuration: &Configuration) -> Vec<String> {
    let mut notes = Vec::new();
    for mesh_type in &configuration.mesh.types {
        let sensitive = mesh_type.attributes.iter().filter(|(_, attribute)| attribute.sensitive);
        let names: Vec<&str> = sensitive.map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            notes.push(format!(
                "mesh.toml: `sensitive` is not carried out yet: {} of {} is shown like every other value",
                names.join(", "),
                mesh_type.name
            ));
        }
    }
    notes
}

/// A note for a file beside the configuration that nothing reads yet.
pub(crate) fn file_note(file: &str) -> Option<&'static str> {
    match file {
        "schedules.toml" => Some("schedules.toml is not carried out yet: start runs by hand or by cron"),
        "identitymesh.toml" => {
            Some("identitymesh.toml is not read yet: the process takes flags and environment variables")
        }
        _ => None,
    }
}
