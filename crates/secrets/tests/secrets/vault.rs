//! The vault: setting, resolving, and every way a stored record can be wrong.

use std::sync::Arc;

use identitymesh_secrets::memory::MemoryStorage;
use identitymesh_secrets::{
    DESCRIPTION_BYTES_MAX, SECRET_VALUE_BYTES_MAX, SecretError, SecretInfo, SecretName, SecretStorage,
    TEXT_BYTES_MAX, Vault,
};

use crate::{Host, MACHINE_ID, change, secret};

fn name(name: &str) -> SecretName {
    SecretName::new(name).expect("a good name")
}

/// A vault whose storage the test can reach around it.
fn shared(host: &Host) -> (Arc<MemoryStorage>, Vault<Arc<MemoryStorage>>) {
    let storage = Arc::new(MemoryStorage::default());
    (Arc::clone(&storage), Vault::new(storage, Box::new(host.protector())))
}

#[test]
fn set_list_resolve_replace_remove() {
    let host = Host::new(MACHINE_ID);
    let vault = host.vault();
    let info = vault.set("ad/svc", &secret("first value"), "the service account", change()).expect("sets");
    let expected = SecretInfo {
        name: name("ad/svc"),
        version: 1,
        description: "the service account".into(),
        set_by: "ops".into(),
        set_at: change().at,
    };
    assert_eq!(info, expected);
    assert_eq!(vault.list().expect("lists"), [expected]);
    assert_eq!(vault.set("ad/svc", &secret("second"), "", change()).expect("sets").version, 2);
    assert_eq!(vault.resolve("{{secret:ad/svc}}").expect("resolves").expose(), "second");
    vault.remove("ad/svc", change()).expect("removes");
    assert_eq!(vault.remove("ad/svc", change()).expect_err("is gone").code(), "SEC-004");
    assert!(vault.list().expect("lists").is_empty());
}

#[test]
fn templates_expand() {
    let host = Host::new(MACHINE_ID);
    let vault = host.vault();
    vault.set("user", &secret("zoë"), "", change()).expect("sets");
    vault.set("db/pw", &secret("p}}w{{secret:user}}"), "", change()).expect("sets");
    for (text, expected) in [
        ("", ""),
        ("no reference {{x}}", "no reference {{x}}"),
        ("{{secret:user}}", "zoë"),
        ("secret://user", "zoë"),
        ("u={{secret:user}};p=secret://db/pw;", "u=zoë;p=p}}w{{secret:user}};"),
        ("{{secret:user}}{{secret:user}}", "zoëzoë"),
    ] {
        let resolved = vault.resolve(text).expect(text);
        assert_eq!(resolved.expose(), expected);
        assert_eq!(resolved.has_secrets(), text.contains("secret:"), "{text}");
    }
}

#[test]
fn all_missing_secrets_are_named_with_the_command() {
    let host = Host::new(MACHINE_ID);
    let vault = host.vault();
    vault.set("here", &secret("value"), "", change()).expect("sets");
    let error =
        vault.resolve("{{secret:b}} {{secret:here}} {{secret:a}} {{secret:b}}").expect_err("two missing");
    assert_eq!(error.code(), "SEC-004");
    assert_eq!(
        error.to_string(),
        "not set: secret 'b' (run: identitymesh secrets set b), secret 'a' (run: identitymesh secrets set a)"
    );
}

#[test]
fn text_without_references_needs_no_host() {
    let host = Host::new("");
    assert_eq!(host.vault().resolve("plain").expect("resolves").expose(), "plain");
    assert_eq!(
        host.vault().set("a", &secret("value"), "", change()).expect_err("no machine id").code(),
        "SEC-012"
    );
}

#[test]
fn bounds_hold_and_leave_nothing_behind() {
    let host = Host::new(MACHINE_ID);
    let vault = host.vault();
    let largest = secret(&"v".repeat(SECRET_VALUE_BYTES_MAX));
    let too_large = secret(&"v".repeat(SECRET_VALUE_BYTES_MAX + 1));
    let description = "d".repeat(DESCRIPTION_BYTES_MAX + 1);
    for (name, value, description, code) in [
        ("a", &secret(""), "", "SEC-002"),
        ("a", &too_large, "", "SEC-002"),
        ("A", &largest, "", "SEC-001"),
        ("a", &largest, description.as_str(), "SEC-016"),
    ] {
        assert_eq!(vault.set(name, value, description, change()).expect_err("out of bounds").code(), code);
    }
    assert!(vault.list().expect("lists").is_empty());
    assert!(!host.key_file().exists());
    vault.set("a", &largest, &description[1..], change()).expect("sets");
    let fits = "{{secret:a}}".repeat(TEXT_BYTES_MAX / SECRET_VALUE_BYTES_MAX);
    assert_eq!(vault.resolve(&fits).expect("fits").expose().len(), TEXT_BYTES_MAX);
    assert_eq!(vault.resolve(&(fits + ".")).expect_err("too long").code(), "SEC-016");
}

#[test]
fn a_record_under_another_name_or_version_or_changed_is_damaged() {
    let host = Host::new(MACHINE_ID);
    let (storage, vault) = shared(&host);
    vault.set("a", &secret("value of a"), "", change()).expect("sets");
    vault.set("b", &secret("value of b"), "", change()).expect("sets");
    let good = storage.get(&name("a")).expect("reads").expect("is there");

    let mut moved = good.clone();
    moved.info.name = name("b");
    let mut other_version = good.clone();
    other_version.info.version += 1;
    let mut wrong = vec![moved, other_version];
    for at in 0..good.sealed.len() {
        let mut changed = good.clone();
        changed.sealed[at] ^= 1;
        wrong.push(changed);
    }
    for record in wrong {
        storage.put(&record, change()).expect("puts");
        let text = format!("{{{{secret:{}}}}}", record.info.name);
        let error = vault.resolve(&text).expect_err("damaged");
        assert_eq!(error.code(), "SEC-006");
        assert_eq!(vault.check().expect("checks").damaged, std::slice::from_ref(&record.info.name));
        assert_eq!(vault.rotate(change()).expect_err("nothing is lost").code(), "SEC-006");
        storage.put(&good, change()).expect("puts");
        vault.set("b", &secret("value of b"), "", change()).expect("sets");
    }
    assert_eq!(vault.check().expect("checks").readable, 2);
}

#[test]
fn rotation_changes_key_and_ciphertext_and_keeps_the_rest() {
    let host = Host::new(MACHINE_ID);
    let (storage, vault) = shared(&host);
    vault.rotate(change()).expect("an empty vault has nothing to rotate");
    vault.set("a", &secret("value of a"), "kept", change()).expect("sets");
    let (key, records) = (storage.load_data_key().expect("reads"), storage.list().expect("lists"));
    vault.rotate(change()).expect("rotates");
    let rotated = storage.list().expect("lists");
    assert_ne!(storage.load_data_key().expect("reads"), key);
    assert_eq!(rotated[0].info, records[0].info);
    assert_ne!(rotated[0].sealed, records[0].sealed);
    assert_eq!(vault.resolve("{{secret:a}}").expect("resolves").expose(), "value of a");
    storage.put(&records[0], change()).expect("puts");
    assert_eq!(vault.resolve("{{secret:a}}").expect_err("of the old key").code(), "SEC-006");
}

#[test]
fn rewrapping_moves_to_another_protector() {
    let host = Host::new(MACHINE_ID);
    let (storage, mut vault) = shared(&host);
    vault.set("a", &secret("value of a"), "", change()).expect("sets");
    let records = storage.list().expect("lists");
    let new_place = host.path("new/protector.key");
    vault.rewrap(Box::new(host.protector_at(&new_place)), change()).expect("rewraps");
    assert_eq!(storage.list().expect("lists"), records, "no secret is encrypted again");
    assert_eq!(vault.resolve("{{secret:a}}").expect("resolves").expose(), "value of a");
    let old = Vault::new(storage, Box::new(host.protector()));
    assert_eq!(old.resolve("{{secret:a}}").expect_err("the old key file").code(), "SEC-005");
}

#[test]
fn a_copied_store_says_so_on_another_machine() {
    let (host, elsewhere) = (Host::new(MACHINE_ID), Host::new("ffffffffffffffffffffffffffffffff"));
    let (storage, vault) = shared(&host);
    vault.set("a", &secret("value of a"), "", change()).expect("sets");
    let copy = Vault::new(Arc::clone(&storage), Box::new(elsewhere.protector()));
    assert_eq!(copy.resolve("{{secret:a}}").expect_err("no key file").code(), "SEC-009");
    elsewhere.vault().set("own", &secret("value"), "", change()).expect("makes a key file");
    for error in [
        copy.resolve("{{secret:a}}").expect_err("elsewhere"),
        copy.set("b", &secret("value"), "", change()).expect_err("elsewhere"),
        copy.check().expect_err("elsewhere"),
    ] {
        assert_eq!(error.code(), "SEC-005");
    }
    assert_eq!(copy.list().expect("lists without a key").len(), 1);

    let without_key = Arc::new(MemoryStorage::default());
    without_key.put(&storage.list().expect("lists")[0], change()).expect("puts");
    let vault = Vault::new(without_key, Box::new(host.protector()));
    assert!(matches!(vault.resolve("{{secret:a}}"), Err(SecretError::DataKeyMissing)));
    assert!(matches!(vault.set("b", &secret("value"), "", change()), Err(SecretError::DataKeyMissing)));
}
