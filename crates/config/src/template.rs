//! The commented configuration that a new mesh starts from.

use std::collections::BTreeMap;

/// The files of a first mesh: an HR file in, a directory file out, with a few people to try it on.
#[must_use]
pub fn template() -> BTreeMap<String, String> {
    [
        ("mesh.toml", include_str!("template/mesh.toml")),
        ("connectors/hr.toml", include_str!("template/hr.toml")),
        ("connectors/directory.toml", include_str!("template/directory.toml")),
        ("connectors/hr.csv", include_str!("template/hr.csv")),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read_directory, to_files, write_files};

    #[test]
    fn the_template_reads_and_its_written_form_is_stable() {
        let directory = tempfile::tempdir().unwrap();
        write_files(directory.path(), &template()).unwrap();
        let loaded = read_directory(directory.path()).unwrap();
        let written = to_files(&loaded.configuration).unwrap();
        let again = tempfile::tempdir().unwrap();
        write_files(again.path(), &written).unwrap();
        let reread = read_directory(again.path()).unwrap();
        assert_eq!(reread.configuration, loaded.configuration);
        assert_eq!(to_files(&reread.configuration).unwrap(), written);
    }
}
