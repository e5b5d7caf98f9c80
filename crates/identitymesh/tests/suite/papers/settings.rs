//! Every setting of every connector type is on its page.

use super::page::page;
use crate::process::Place;

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
