//! Blocks of commands, run by a shell as a reader does.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::process::Place;

impl Place {
    /// Runs a block of a page in this place, with the program on the path and `input` for whatever asks; what it said.
    /// The first command that fails ends the test.
    pub(super) fn shell(&self, block: &str, input: &str) -> String {
        let bin = self.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let program = bin.join("identitymesh");
        if !program.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_identitymesh"), &program).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-euc", block]).current_dir(self.path()).env("PATH", path);
        shell
            .env("IDENTITYMESH_KEY_FILE", self.path().join("key/protector.key"))
            .env_remove("IDENTITYMESH_DATA");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        // A block that asks for nothing does not read it.
        let _read = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{block}\n{said}");
        said
    }
}
