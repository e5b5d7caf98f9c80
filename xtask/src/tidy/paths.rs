//! No path of one developer's machine stands in a file, where it would mean nothing to anyone else.
//!
//! A home directory may be the value of an identity's `homeDirectory`, so lines that name that attribute pass.

use std::sync::LazyLock;

use regex::Regex;

use super::source::SourceFile;
use crate::finding::Finding;

/// Folders at the root of a file system; the bracket keeps this file from finding itself.
static MACHINE_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^A-Za-z0-9_.~})-])([/](?:home|root|work)/)")
        .expect("the pattern is constant and tested")
});

/// Finds lines with such a path.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let suspects = file.lines().filter(|(_, line)| !line.to_lowercase().contains("homedirectory"));
    let with_path = suspects.filter_map(|(line, text)| Some((line, MACHINE_PATH.captures(text)?)));
    with_path
        .map(|(line, found)| Finding::new(&file.path, line, format!("path of one machine: {}…", &found[1])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(line: &str) -> usize {
        check(&SourceFile::new("docs/a.md", &format!("{line}\n"))).len()
    }

    #[test]
    fn machine_paths_are_found() {
        for folder in ["home", "root", "work"] {
            for line in ["see /{}/x", "/{}/", "`/{}/a`", "file:///{}/a", "A=/{}/a"] {
                assert_eq!(lines_found(&line.replace("{}", folder)), 1, "{line} {folder}");
            }
        }
    }

    #[test]
    fn other_paths_pass() {
        for line in
            ["docs/work/a", "https://a.test/home/x", "~/work/a", "$HOME/x", "homework/", "${A}/root/b"]
        {
            assert_eq!(lines_found(line), 0, "{line}");
        }
        assert_eq!(lines_found(&format!("homeDirectory: {}/ada", "/home")), 0);
    }
}
