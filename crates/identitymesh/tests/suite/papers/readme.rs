//! The readme.

use super::page::page;
use crate::process::Place;

/// The way that the readme shows, command for command.
#[test]
fn the_first_mesh_of_the_readme_works_as_it_is_written() {
    let readme = page("README.md");
    let place = Place::new();
    let mut commands = 0;
    let section = readme.split("## A first real mesh in ten minutes").nth(1).unwrap();
    let section = section.split("To write into a real directory").next().unwrap();
    for block in section.split("```").skip(1).step_by(2) {
        if block.contains("run full-import --connector hr") {
            let hr = place.path().join("my-mesh/connectors/hr.csv");
            let text = std::fs::read_to_string(&hr).unwrap();
            let stay: Vec<&str> = text.lines().filter(|line| !line.starts_with("100005")).collect();
            std::fs::write(&hr, stay.join("\n") + "\n").unwrap();
        }
        for line in block.lines().filter_map(|line| line.strip_prefix("identitymesh ")) {
            let line = line.split('#').next().unwrap();
            let arguments: Vec<&str> = line.split_whitespace().collect();
            let said = place.good(&arguments);
            if arguments == ["preview"] {
                assert!(said.contains("queued_disable 1") && said.contains("leave user 100005"), "{said}");
            }
            commands += 1;
        }
    }
    assert!(commands >= 10, "{commands} commands were found in the readme");
}
