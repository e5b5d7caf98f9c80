//! Sealed files are opened by the program `age`, which knows nothing of this crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use identitymesh_passwords::{Notice, Recipient, deliver};
use identitymesh_testkit::real::AgeKey;

fn notice(password: &str) -> Notice<'_> {
    Notice {
        format: Notice::FORMAT,
        connector: "ad",
        object_type: "user",
        account: "CN=Ada Łovelace,OU=Staff",
        anchor: "100003",
        attributes: BTreeMap::from([("sAMAccountName".to_owned(), vec!["ada".to_owned()])]),
        password,
        must_change: true,
        set_at: "2026-03-02T08:00:00Z".to_owned(),
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

fn recipients(keys: &[&AgeKey]) -> Vec<Recipient> {
    keys.iter().map(|key| key.public.parse().unwrap()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_recipient_opens_the_file_and_nobody_else() {
    let (Some(one), Some(two), Some(stranger)) = (AgeKey::make(), AgeKey::make(), AgeKey::make()) else {
        return;
    };
    let folder = folder();
    let name = deliver(folder.path(), &recipients(&[&one, &two]), "one", &notice("Planted-pw")).unwrap();
    let file = folder.path().join(&name);
    for key in [&one, &two] {
        let read: serde_json::Value = serde_json::from_slice(&key.open(&file).unwrap()).unwrap();
        assert_eq!(
            (&read["password"], &read["account"]),
            (&"Planted-pw".into(), &"CN=Ada Łovelace,OU=Staff".into())
        );
    }
    assert!(stranger.open(&file).is_err());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), [name], "nothing else is left");
}

#[test]
fn contents_of_every_size_around_a_chunk_come_back_and_any_changed_byte_is_noticed() {
    let Some(key) = AgeKey::make() else { return };
    let folder = folder();
    let base = {
        let name = deliver(folder.path(), &recipients(&[&key]), "base", &notice("")).unwrap();
        key.open(&folder.path().join(name)).unwrap().len()
    };
    for size in [65_535, 65_536, 65_537, 131_072, 200_000] {
        let password = "x".repeat(size - base);
        let name = deliver(folder.path(), &recipients(&[&key]), "large", &notice(&password)).unwrap();
        let opened = key.open(&folder.path().join(name)).unwrap();
        assert_eq!(opened.len(), size);
    }
    let name = deliver(folder.path(), &recipients(&[&key]), "small", &notice("pw")).unwrap();
    let sealed = fs::read(folder.path().join(name)).unwrap();
    let altered = folder.path().join("altered");
    for at in (0..sealed.len()).step_by(17) {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        fs::write(&altered, &bytes).unwrap();
        assert!(key.open(&altered).is_err(), "byte {at}");
    }
    fs::write(&altered, &sealed[..sealed.len() - 1]).unwrap();
    assert!(key.open(&altered).is_err());
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let folder = folder();
    let key = "age1h22knvkupj0wzzreslttfv53ywllwc0gstq2jdq2f9y5v5zujefq4q6vmh";
    let recipients = vec![key.parse::<Recipient>().unwrap()];
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
    let refused = deliver(folder.path(), &recipients, "x", &notice("pw")).unwrap_err().to_string();
    assert!(refused.starts_with("PWD-003") && refused.contains("mode 750"), "{refused}");
    assert_eq!(names(folder.path()), [""; 0]);
    // One that is missing is made, for its owner alone.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let deeper = folder.path().join("a/b");
    deliver(&deeper, &recipients, "x", &notice("pw")).unwrap();
    assert_eq!(fs::metadata(&deeper).unwrap().permissions().mode() & 0o777, 0o700);
    // A file is no folder.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(deliver(&file, &recipients, "x", &notice("pw")).unwrap_err().to_string().contains("PWD-003"));
}

#[test]
fn a_key_of_the_wrong_kind_is_named_and_a_private_one_is_not_shown() {
    let wrong = "ssh-rsa".parse::<Recipient>().unwrap_err().to_string();
    assert!(wrong.starts_with("PWD-002: \"ssh-rsa\""), "{wrong}");
    let Some(key) = AgeKey::make() else { return };
    let private = fs::read_to_string(&key.file).unwrap();
    let private = private.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).unwrap();
    let wrong = private.parse::<Recipient>().unwrap_err().to_string();
    assert!(!wrong.contains(&private[16..]), "a private key stands in an error");
    // `age` reads the public key as we do.
    assert!(Command::new("age-keygen").args(["-y"]).arg(&key.file).output().unwrap().status.success());
}
