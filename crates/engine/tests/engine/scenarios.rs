//! One test for each scenario file under `tests/scenarios`.
//!
//! `UPDATE_SCENARIOS=1` writes what happened into the files; the difference is then a person's to judge against the
//! rules in `docs/sync-semantics.md`.

use std::path::{Path, PathBuf};

use identitymesh_scenario::run_text;
use libtest_mimic::{Failed, Trial};

/// The files as tests, each named by its title.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort_unstable();
    let trials = files.into_iter().map(|file| {
        let name = file.strip_prefix(&root).unwrap_or(&file).with_extension("").display().to_string();
        let root = root.clone();
        Trial::test(name, move || play(&root, &file))
    });
    trials.collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios can be read") {
        let path = entry.expect("the folder of scenarios can be read").path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "scenario") {
            files.push(path);
        }
    }
}

fn play(root: &Path, file: &Path) -> Result<(), Failed> {
    let expected = std::fs::read_to_string(file)?;
    let common =
        |name: &str| std::fs::read_to_string(root.join("rules").join(name).with_extension("rules")).ok();
    let actual = run_text(&expected, &common).map_err(|problem| format!("{problem}"))?;
    if actual.contains("\n| !!!") {
        return Err(format!("the plan leaves something to do:\n{actual}").into());
    }
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE_SCENARIOS").is_some() {
        std::fs::write(file, &actual)?;
        return Ok(());
    }
    Err(differences(&expected, &actual).into())
}

/// Lines that differ, with the statement above them.
fn differences(expected: &str, actual: &str) -> String {
    let mut out = String::from("what happened differs from what the file says:\n");
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let tail = tail.min(old.len().min(new.len()) - same);
    for line in &old[same.saturating_sub(3)..same] {
        out.push_str(&format!("  {line}\n"));
    }
    old[same..old.len() - tail].iter().for_each(|line| out.push_str(&format!("- {line}\n")));
    new[same..new.len() - tail].iter().for_each(|line| out.push_str(&format!("+ {line}\n")));
    out
}
