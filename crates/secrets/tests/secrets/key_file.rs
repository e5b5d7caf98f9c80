//! The key file protector on good and bad hosts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use identitymesh_secrets::{KeyFileProtector, Protector, WrappedKey};

use crate::{Host, MACHINE_ID};

const DATA_KEY: [u8; 32] = [7; 32];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("exists").permissions().mode() & 0o7777
}

fn code(result: Result<impl Sized, identitymesh_secrets::SecretError>) -> (&'static str, String) {
    match result {
        Ok(_) => panic!("should have failed"),
        Err(error) => (error.code(), error.to_string()),
    }
}

#[test]
fn first_wrap_makes_the_file_for_the_owner_only() {
    let host = Host::new(MACHINE_ID);
    let wrapped = host.protector().wrap(&DATA_KEY).expect("wraps");
    assert_eq!(mode(&host.key_file()), 0o600);
    assert_eq!(mode(host.key_file().parent().expect("has one")), 0o700);
    let names: Vec<_> = fs::read_dir(host.path("etc")).expect("reads").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(host.protector().unwrap(&wrapped).expect("unwraps").as_slice(), DATA_KEY);

    let key = fs::read(host.key_file()).expect("reads");
    host.protector().wrap(&DATA_KEY).expect("wraps again");
    assert_eq!(fs::read(host.key_file()).expect("reads"), key, "an existing key file stays");
}

#[test]
fn rivals_agree_on_one_key_file() {
    let host = Host::new(MACHINE_ID);
    let wrapped: Vec<WrappedKey> = std::thread::scope(|scope| {
        let rivals: Vec<_> = (0..8).map(|_| scope.spawn(|| host.protector().wrap(&DATA_KEY))).collect();
        rivals.into_iter().map(|rival| rival.join().expect("no panic").expect("wraps")).collect()
    });
    for key in wrapped {
        assert_eq!(host.protector().unwrap(&key).expect("unwraps").as_slice(), DATA_KEY);
    }
    assert_eq!(fs::read_dir(host.path("etc")).expect("reads").count(), 1);
}

#[test]
fn another_machine_or_key_file_is_said_clearly() {
    let host = Host::new(MACHINE_ID);
    let wrapped = host.protector().wrap(&DATA_KEY).expect("wraps");

    let other_key = host.protector_at(&host.path("other.key"));
    other_key.wrap(&DATA_KEY).expect("wraps");
    let (code_of_key, text) = code(other_key.unwrap(&wrapped));
    assert_eq!(code_of_key, "SEC-005");
    assert!(text.contains("protected on another machine or with another key file"), "{text}");

    let other_machine = Host::new("ffffffffffffffffffffffffffffffff");
    fs::create_dir(other_machine.path("etc")).expect("makes");
    fs::copy(host.key_file(), other_machine.key_file()).expect("copies");
    assert_eq!(code(other_machine.protector().unwrap(&wrapped)).0, "SEC-005");

    // Even with the fingerprints forged, the key does not open.
    let forged = WrappedKey { origin: other_key.wrap(&DATA_KEY).expect("wraps").origin, ..wrapped };
    assert_eq!(code(other_key.unwrap(&forged)).0, "SEC-006");
}

#[test]
fn a_changed_wrapped_key_is_damage() {
    let host = Host::new(MACHINE_ID);
    let wrapped = host.protector().wrap(&DATA_KEY).expect("wraps");
    for at in 0..wrapped.sealed.len() {
        let mut changed = wrapped.clone();
        changed.sealed[at] ^= 1;
        assert_eq!(code(host.protector().unwrap(&changed)).0, "SEC-006", "byte {at}");
    }
    let of_another_kind = WrappedKey { protector: "dpapi".into(), ..wrapped };
    assert_eq!(code(host.protector().unwrap(&of_another_kind)).0, "SEC-014");
}

#[test]
fn a_key_file_that_others_reach_is_refused() {
    let host = Host::new(MACHINE_ID);
    let wrapped = host.protector().wrap(&DATA_KEY).expect("wraps");
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(host.key_file(), fs::Permissions::from_mode(mode)).expect("sets");
        for result in
            [host.protector().unwrap(&wrapped).map(drop), host.protector().wrap(&DATA_KEY).map(drop)]
        {
            let (code, text) = code(result);
            assert_eq!(code, "SEC-007");
            assert!(text.contains("chmod 600"), "{text}");
        }
    }
    fs::set_permissions(host.key_file(), fs::Permissions::from_mode(0o400)).expect("sets");
    host.protector().unwrap(&wrapped).expect("read-only for the owner is fine");
}

#[test]
fn a_missing_or_foreign_key_file_is_refused_and_not_replaced() {
    let host = Host::new(MACHINE_ID);
    let wrapped = host.protector().wrap(&DATA_KEY).expect("wraps");
    let good = fs::read_to_string(host.key_file()).expect("reads");
    let too_long = format!("{}{}", good.trim_end(), "A".repeat(2_000));
    for content in ["", "hello\n", &good[1..], &good[..good.len() - 6], &too_long] {
        fs::write(host.key_file(), content).expect("writes");
        assert_eq!(code(host.protector().unwrap(&wrapped)).0, "SEC-010", "{content}");
        assert_eq!(code(host.protector().wrap(&DATA_KEY)).0, "SEC-010", "{content}");
        assert_eq!(fs::read_to_string(host.key_file()).expect("reads"), content);
    }
    fs::remove_file(host.key_file()).expect("removes");
    assert_eq!(code(host.protector().unwrap(&wrapped)).0, "SEC-009");
    assert!(!host.key_file().exists());
}

#[test]
fn a_key_file_in_the_data_directory_is_refused() {
    let host = Host::new(MACHINE_ID);
    symlink(host.path("data"), host.path("alias")).expect("links");
    for place in ["data/protector.key", "data/a/b/protector.key", "alias/protector.key"] {
        let result = KeyFileProtector::new(&host.path(place), &host.path("machine-id"), &host.path("data"));
        assert_eq!(code(result).0, "SEC-008", "{place}");
    }
    KeyFileProtector::new(&host.path("data-key"), &host.path("machine-id"), &host.path("data"))
        .expect("beside is fine");
    let data_to_be = host.path("later");
    let result = KeyFileProtector::new(&data_to_be.join("key"), &host.path("machine-id"), &data_to_be);
    assert_eq!(code(result).0, "SEC-008");
}

#[test]
fn a_host_without_machine_id_gets_advice_and_no_key_file() {
    for content in
        [None, Some(""), Some("uninitialized\n"), Some("0123"), Some("0123456789abcdef0123456789abcdeg")]
    {
        let host = Host::new(content.unwrap_or_default());
        if content.is_none() {
            fs::remove_file(host.path("machine-id")).expect("removes");
        }
        let (code, text) = code(host.protector().wrap(&DATA_KEY));
        assert_eq!(code, "SEC-012");
        assert!(text.contains("systemd-machine-id-setup"), "{text}");
        assert!(!host.key_file().exists());
    }
}
