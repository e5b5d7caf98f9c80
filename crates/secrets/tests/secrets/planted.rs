//! A planted value is looked for in everything that is stored or can be printed.

use identitymesh_secrets::memory::MemoryStorage;
use identitymesh_secrets::{SecretStorage, Vault};

use crate::{Host, MACHINE_ID, change, secret};

const PLANTED: &str = "Planted-Value-8461";

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes())
}

#[test]
fn a_planted_value_is_nowhere() {
    let host = Host::new(MACHINE_ID);
    let storage = std::sync::Arc::new(MemoryStorage::default());
    let vault = Vault::new(std::sync::Arc::clone(&storage), Box::new(host.protector()));
    vault.set("a", &secret(PLANTED), "what it is for", change()).expect("sets");
    let resolved = vault.resolve("x {{secret:a}} y").expect("resolves");
    assert!(holds(resolved.expose().as_bytes()), "the search itself works");

    for record in storage.list().expect("lists") {
        assert!(!holds(&record.sealed));
    }
    assert!(!holds(&storage.load_data_key().expect("reads").expect("is there").sealed));
    let listed = serde_json::to_string(&vault.list().expect("lists")).expect("is data");
    assert!(listed.contains("what it is for"));
    let printed = [
        listed,
        format!("{resolved:?} {resolved} {vault:?} {storage:?} {:?}", vault.redactor()),
        format!("{:?}", secret(PLANTED)),
        format!("{:?}", vault.resolve(&format!("{{{{secret:{PLANTED}}}}}")).map(drop).map_err(|e| e.code())),
    ];
    for text in printed {
        assert!(!holds(text.as_bytes()), "{text}");
    }
    let leaked = format!("login failed for {PLANTED}");
    assert_eq!(vault.redactor().redact(&leaked), "login failed for [redacted]");
}
