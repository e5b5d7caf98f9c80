//! No path of one developer's machine stands in a file, where it would mean nothing to anyone else.
//!
//! Home directories are a subject of their own: lines that name the attribute `homeDirectory` or the variable
//! `HOME` pass.

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
    let suspects = file.lines().filter(|(_, line)| !is_about_homes(line));
    let with_path = suspects.filter_map(|(line, text)| Some((line, MACHINE_PATH.captures(text)?)));
    with_path
        .map(|(line, found)| Finding::new(&file.path, line, format!("path of one machine: {}…", &found[1])))
        .collect()
}

fn is_about_homes(line: &str) -> bool {
    line.contains("HOME") || line.to_lowercase().contains("homedirectory")
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
        for folder in ["home", "root", "work"] {
            for line in ["docs/{}/a", "https://a.test/{}/x", "~/{}/a", "$HOME/x", "{}work/", "${A}/{}/b"] {
                assert_eq!(lines_found(&line.replace("{}", folder)), 0, "{line} {folder}");
            }
        }
        assert_eq!(lines_found(&format!("homeDirectory: {}/ada", "/home")), 0);
        assert_eq!(lines_found(&format!("(\"HOME\", \"{}/ada\")", "/home")), 0);
    }
}
