//! The protector of Linux hosts: a key file that only the service user reads, mixed with the machine id.
//!
//! The wrapping key comes by HKDF-SHA256 from both, so neither the key file alone nor the machine alone opens
//! anything. The file is made with the first wrap and never by an unwrap, so a lost file is reported and not
//! replaced. Each wrapped key carries fingerprints of the two, which tells a wrong host from damage.

mod file;
mod place;

use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

pub use self::place::{KEY_FILE_VARIABLE, MACHINE_ID_PATH, default_key_file_path, is_running_as_root};
use crate::cipher::{KEY_BYTES, Key};
use crate::error::SecretError;
use crate::protector::Protector;
use crate::storage::WrappedKey;

const NAME: &str = "key-file";
/// Bytes of a fingerprint: enough to tell hosts apart, too few to be of use for anything else.
const FINGERPRINT_BYTES: usize = 4;

/// Wraps with a key file and the machine id.
#[derive(Debug, Clone)]
pub struct KeyFileProtector {
    key_file: PathBuf,
    machine_id_file: PathBuf,
}

impl KeyFileProtector {
    /// A protector with its key at `key_file` and the machine id at `machine_id_file` (normally [`MACHINE_ID_PATH`]).
    /// Neither is read yet.
    ///
    /// # Errors
    /// [`SecretError::KeyFileInDataDirectory`], links followed; [`SecretError::File`] when a path cannot be resolved.
    pub fn new(key_file: &Path, machine_id_file: &Path, data_directory: &Path) -> Result<Self, SecretError> {
        if place::resolved(key_file)?.starts_with(place::resolved(data_directory)?) {
            return Err(SecretError::KeyFileInDataDirectory { path: key_file.to_owned() });
        }
        Ok(Self { key_file: key_file.to_owned(), machine_id_file: machine_id_file.to_owned() })
    }

    fn host_key(&self, key_file_bytes: &[u8]) -> Result<HostKey, SecretError> {
        let machine_id = file::read_machine_id(&self.machine_id_file)?;
        let wrapping = derive::<KEY_BYTES>(&machine_id, key_file_bytes, b"identitymesh data key wrap 1")?;
        let machine = derive::<FINGERPRINT_BYTES>(b"", &machine_id, b"identitymesh machine fingerprint 1")?;
        let key = derive::<FINGERPRINT_BYTES>(b"", key_file_bytes, b"identitymesh key file fingerprint 1")?;
        Ok(HostKey {
            key: Key::from_slice(&*wrapping).ok_or(SecretError::Crypto { action: "derive a key" })?,
            origin: format!(
                "machine {:08x}, key file {:08x}",
                u32::from_be_bytes(*machine),
                u32::from_be_bytes(*key)
            ),
        })
    }
}

/// The wrapping key of this host, and what it is made of as fingerprints.
struct HostKey {
    key: Key,
    origin: String,
}

impl Protector for KeyFileProtector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> String {
        let (key_file, machine_id_file) = (self.key_file.display(), self.machine_id_file.display());
        format!("AES-256-GCM under key file {key_file} mixed with the machine id in {machine_id_file}")
    }

    fn wrap(&self, data_key: &[u8]) -> Result<WrappedKey, SecretError> {
        // The machine id is looked at first, so that no key file is made on a host that cannot use it.
        file::read_machine_id(&self.machine_id_file)?;
        let host = self.host_key(&file::read_or_create(&self.key_file)?)?;
        let sealed = host.key.seal(&associated_data(&host.origin), data_key)?;
        Ok(WrappedKey { protector: NAME.to_owned(), origin: host.origin, sealed })
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        if wrapped.protector != NAME {
            let wrapped_by = wrapped.protector.clone();
            return Err(SecretError::OtherProtector { wrapped_by, configured: NAME.to_owned() });
        }
        let host = self.host_key(&file::read(&self.key_file)?)?;
        if wrapped.origin != host.origin {
            return Err(SecretError::ProtectedElsewhere {
                wrapped_by: wrapped.origin.clone(),
                here: host.origin,
            });
        }
        let opened = host.key.open(&associated_data(&host.origin), &wrapped.sealed)?;
        opened.ok_or_else(|| SecretError::Damaged { what: "the data key".to_owned() })
    }
}

fn associated_data(origin: &str) -> Vec<u8> {
    format!("identitymesh data key 1\n{NAME}\n{origin}").into_bytes()
}

/// `N` bytes by HKDF-SHA256.
fn derive<const N: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
) -> Result<Zeroizing<[u8; N]>, SecretError> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = Zeroizing::new([0; N]);
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], Length(N))
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .map_err(|_| SecretError::Crypto { action: "derive a key" })?;
    Ok(out)
}
