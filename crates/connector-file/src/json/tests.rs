//! Round trips and hostile bytes.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::flatten::{flatten, put};
use crate::config::Format;
use crate::testing::{check, config, objects, read};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = ["{\"id\":\"1\"", "}", "[", "]", ",", "\n", "\"", "\\", "{", "null", "\"sn\":1e400"];
    let piece = prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(objects in objects()) {
        for format in ["lines", "array"] {
            check(&config(Format::Json, json!({ "format": format })), &objects, |_| true);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in bytes()) {
        for format in ["lines", "array"] {
            let _ = read(&config(Format::Json, json!({ "format": format })), bytes.clone());
        }
    }
}

#[test]
fn paths_nest_and_step_aside_for_what_is_in_the_way() {
    let mut map = Map::new();
    for (path, value) in [("a.b", 1), ("a.c", 2), ("d", 3), ("d.e", 4), ("x..y", 5), ("1.2.3.4.5", 6)] {
        put(&mut map, path, json!(value));
    }
    let expected = json!({ "a": { "b": 1, "c": 2 }, "d": 3, "d.e": 4, "x..y": 5, "1.2.3.4.5": 6 });
    assert_eq!(Json::Object(map.clone()), expected);
    let mut paths = Vec::new();
    flatten(&map, &mut |path, leaf| paths.push((path.to_owned(), leaf.clone())));
    assert_eq!(paths.len(), 6);
    assert!(paths.contains(&("a.c".to_owned(), json!(2))));
}
