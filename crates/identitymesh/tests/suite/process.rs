//! Starting the binary in a directory of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory with a data directory in it and a key file beside that.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One in memory where there is some, for tests that start the binary thousands of times.
    pub(crate) fn in_memory() -> Self {
        Self(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_identitymesh"));
        command
            .current_dir(self.path())
            .env("IDENTITYMESH_KEY_FILE", self.path().join("key/protector.key"))
            .env_remove("IDENTITYMESH_DATA")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that must fail with exit code 1.
    pub(crate) fn bad(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?} gave {:?}", output.status);
        String::from_utf8(output.stderr).unwrap()
    }

    /// Keeps a secret as somebody does who pipes it in.
    pub(crate) fn keep_secret(&self, name: &str, secret: &str) {
        let mut set = self.command(&["secrets", "set", name]);
        let mut set = set.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        set.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        assert!(set.wait().unwrap().success());
    }

    /// Writes a folder of rules: those of the mesh, and of each connector by its file's name.
    pub(crate) fn write_rules(&self, mesh: &str, connectors: &[(&str, &str)]) {
        let folder = self.path().join("rules/connectors");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.with_file_name("mesh.toml"), mesh).unwrap();
        for (name, text) in connectors {
            std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        }
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.good(&[&["--json"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }
}

/// Now, as the binary takes it.
pub(crate) fn moment() -> String {
    let now = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%6NZ"]).output().unwrap();
    String::from_utf8(now.stdout).unwrap().trim().to_owned()
}
