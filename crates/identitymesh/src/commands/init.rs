//! `init`: a commented configuration to start from.

use std::path::Path;

use anyhow::Context as _;
use identitymesh_config::{template, write_files};
use serde_json::json;

use super::{Done, Shell};

pub(super) fn run(shell: &Shell, directory: &Path) -> anyhow::Result<Done> {
    let taken = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    anyhow::ensure!(!taken, "{} is not empty; name a new directory", directory.display());
    let files = template();
    write_files(directory, &files)
        .with_context(|| format!("{} could not be written", directory.display()))?;
    let names: Vec<&String> = files.keys().collect();
    shell.output.answer(&json!({ "directory": directory, "files": names }), || {
        let mut out = format!("a first mesh is in {}:\n", directory.display());
        names.iter().for_each(|name| out.push_str(&format!("  {name}\n")));
        let at = directory.display();
        out.push_str(&format!(
            "\nNext:\n  identitymesh plan {at}     what it would change\n  identitymesh apply {at}    put it in force\n  \
             identitymesh run cycle     read, join, write\n  identitymesh mesh list     who is in it"
        ));
        out
    })?;
    Ok(Done::Well)
}
