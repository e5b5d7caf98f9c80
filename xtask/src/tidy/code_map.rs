//! Every crate stands in the code map of `ARCHITECTURE.md`, so that a newcomer finds it by what it is for.

use std::collections::BTreeMap;

use super::source::SourceFile;
use crate::finding::Finding;

const MAP: &str = "ARCHITECTURE.md";

/// Finds crates that the map does not name; a name is the folder in backquotes, as in `` `crates/model` ``.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let map = files.iter().find(|file| file.path == MAP).map_or("", |file| &file.text);
    let manifests = files.iter().filter_map(|file| Some((file.path.strip_suffix("/Cargo.toml")?, file)));
    let crates: BTreeMap<&str, &SourceFile> = manifests.collect();
    let unnamed = crates.into_iter().filter(|(folder, _)| !map.contains(&format!("`{folder}`")));
    unnamed
        .map(|(folder, manifest)| {
            Finding::new(&manifest.path, 1, format!("{MAP} does not name `{folder}` in its code map"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crates_that_the_map_names_pass() {
        let files = [
            SourceFile::new("ARCHITECTURE.md", "`crates/store-sqlite` keeps it, `xtask` checks it\n"),
            SourceFile::new("Cargo.toml", ""),
            SourceFile::new("crates/store-sqlite/Cargo.toml", ""),
            SourceFile::new("crates/store/Cargo.toml", ""),
            SourceFile::new("xtask/Cargo.toml", ""),
        ];
        let found = check(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "crates/store/Cargo.toml");
    }

    #[test]
    fn without_a_map_every_crate_is_found() {
        assert_eq!(check(&[SourceFile::new("crates/a/Cargo.toml", "")]).len(), 1);
    }
}
