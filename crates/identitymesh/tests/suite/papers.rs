//! What the pages say against what the program says of itself.

use crate::process::Place;

fn page(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_setting_of_every_connector_type_is_on_its_page() {
    let types = Place::new().json(&["connector", "types"]);
    let types = types.as_array().unwrap();
    assert!(types.len() >= 5, "{types:?}");
    let configuration = page("docs/configuration.md");
    for kind in types {
        let word = kind["type"].as_str().unwrap();
        assert!(
            configuration.contains(&format!("connectors/{word}.md")),
            "docs/configuration.md does not lead to {word}"
        );
        let page = page(&format!("docs/connectors/{word}.md"));
        for setting in kind["settings"].as_array().unwrap() {
            let name = setting["name"].as_str().unwrap();
            assert!(page.contains(&format!("`{name}`")), "docs/connectors/{word}.md does not name {name}");
        }
    }
}

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
