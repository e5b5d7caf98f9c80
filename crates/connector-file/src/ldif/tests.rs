//! Round trips and hostile bytes.

use proptest::prelude::*;
use serde_json::json;

use crate::config::Format;
use crate::testing::{check, config, objects, read};

/// Bytes that look like LDIF every so often.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "dn: ",
        "id: 1\n",
        "\n",
        "\n\n",
        " x",
        "#",
        "::",
        ":<",
        "-\n",
        "changetype: modify\n",
        "version: 1\n",
    ];
    let piece = prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(objects in objects()) {
        check(&config(Format::Ldif, json!({})), &objects, |_| true);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in bytes()) {
        for content in ["entries", "changes"] {
            let _ = read(&config(Format::Ldif, json!({ "content": content })), bytes.clone());
        }
    }
}

#[test]
fn lines_wrap_and_join() {
    let mut text = String::new();
    super::write_line(&mut text, "cn", "x".repeat(200).as_bytes());
    assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [76, 76, 54]);
    let file = format!("dn: id=1\nid: 1\n{}", text.replace("cn", "sn"));
    let found = read(&config(Format::Ldif, json!({})), file.into_bytes()).unwrap();
    assert!(format!("{:?}", found[0]).contains(&"x".repeat(200)));
}
