//! The calls of `libgssapi_krb5` that a client needs, each wrapped so that its callers are safe.
//!
//! The library is C, so this module alone may use unsafe code. What makes it sound: the functions have the signatures
//! of RFC 2744 and of MIT's extension for credential stores; every buffer that goes in outlives the call; every buffer
//! that comes out is copied and released at once; handles are released exactly once, by `Drop`; a context is used by
//! one thread at a time, behind a lock.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Names under which the library is installed.
const FILES: [&str; 2] = ["libgssapi_krb5.so.2", "libgssapi_krb5.dylib"];
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
const HOST_BASED_SERVICE: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";
const USER_NAME: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01";
const CONTINUE_NEEDED: u32 = 1;
/// The upper half of a status holds errors.
const ERRORS: u32 = 0xffff_0000;
const MUTUAL: u32 = 2;
const REPLAY: u32 = 4;
const SEQUENCE: u32 = 8;
const CONFIDENTIAL: u32 = 16;
const INTEGRITY: u32 = 32;
const INITIATE: c_int = 1;
/// Most texts that explain one error.
const TEXT_COUNT_MAX: usize = 8;

#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

#[repr(C)]
struct Oid {
    length: u32,
    elements: *const c_void,
}

#[repr(C)]
struct OidSet {
    count: usize,
    elements: *const Oid,
}

#[repr(C)]
struct Pair {
    key: *const c_char,
    value: *const c_char,
}

#[repr(C)]
struct Store {
    count: u32,
    elements: *const Pair,
}

type Handle = *mut c_void;
type ImportName = unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut Handle) -> u32;
type Release = unsafe extern "C" fn(*mut u32, *mut Handle) -> u32;
type AcquireFrom = unsafe extern "C" fn(
    *mut u32,
    Handle,
    u32,
    *const OidSet,
    c_int,
    *const Store,
    *mut Handle,
    *mut *mut OidSet,
    *mut u32,
) -> u32;
type Init = unsafe extern "C" fn(
    *mut u32,
    Handle,
    *mut Handle,
    Handle,
    *const Oid,
    u32,
    u32,
    *const c_void,
    *const Buffer,
    *mut *mut Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
) -> u32;
type DeleteContext = unsafe extern "C" fn(*mut u32, *mut Handle, *mut Buffer) -> u32;
type Wrap = unsafe extern "C" fn(*mut u32, Handle, c_int, u32, *const Buffer, *mut c_int, *mut Buffer) -> u32;
type Unwrap = unsafe extern "C" fn(*mut u32, Handle, *const Buffer, *mut Buffer, *mut c_int, *mut u32) -> u32;
type SizeLimit = unsafe extern "C" fn(*mut u32, Handle, c_int, u32, u32, *mut u32) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type DisplayStatus = unsafe extern "C" fn(*mut u32, u32, c_int, *const Oid, *mut u32, *mut Buffer) -> u32;

struct Library {
    import_name: ImportName,
    release_name: Release,
    acquire_cred_from: AcquireFrom,
    release_cred: Release,
    init_sec_context: Init,
    delete_sec_context: DeleteContext,
    wrap: Wrap,
    unwrap: Unwrap,
    wrap_size_limit: SizeLimit,
    release_buffer: ReleaseBuffer,
    display_status: DisplayStatus,
    /// Keeps the code loaded to which the pointers lead.
    _code: libloading::Library,
}

/// Why there is no context.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The library is not installed, or lacks a function.
    NoLibrary(String),
    /// It says why not.
    Refused(String),
}

static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();

fn library() -> Result<&'static Library, Problem> {
    LIBRARY.get_or_init(|| load(&FILES)).as_ref().map_err(|why| Problem::NoLibrary(why.clone()))
}

fn load(files: &[&str]) -> Result<Library, String> {
    let mut said = String::new();
    for file in files {
        // SAFETY: the library's own start-up code is trusted as that of everything that the system installs.
        match unsafe { libloading::Library::new(*file) } {
            Ok(code) => return functions(code).map_err(|error| error.to_string()),
            Err(error) => said = error.to_string(),
        }
    }
    Err(said)
}

fn functions(code: libloading::Library) -> Result<Library, libloading::Error> {
    // SAFETY: the types are those that the library's header declares, see the module's documentation.
    unsafe {
        Ok(Library {
            import_name: *code.get(c"gss_import_name")?,
            release_name: *code.get(c"gss_release_name")?,
            acquire_cred_from: *code.get(c"gss_acquire_cred_from")?,
            release_cred: *code.get(c"gss_release_cred")?,
            init_sec_context: *code.get(c"gss_init_sec_context")?,
            delete_sec_context: *code.get(c"gss_delete_sec_context")?,
            wrap: *code.get(c"gss_wrap")?,
            unwrap: *code.get(c"gss_unwrap")?,
            wrap_size_limit: *code.get(c"gss_wrap_size_limit")?,
            release_buffer: *code.get(c"gss_release_buffer")?,
            display_status: *code.get(c"gss_display_status")?,
            _code: code,
        })
    }
}

fn oid(bytes: &'static [u8]) -> Oid {
    Oid { length: u32::try_from(bytes.len()).unwrap_or(0), elements: bytes.as_ptr().cast() }
}

/// The library writes to no input, although its header does not say so.
fn input(bytes: &[u8]) -> Buffer {
    Buffer { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
}

impl Library {
    fn take(&self, mut buffer: Buffer) -> Vec<u8> {
        let bytes = if buffer.value.is_null() {
            Vec::new()
        } else {
            // SAFETY: the library says that so many bytes are there, and they stay until they are released below.
            unsafe { std::slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length) }.to_vec()
        };
        let mut minor = 0;
        // SAFETY: the buffer came from the library and is not used again.
        unsafe { (self.release_buffer)(&raw mut minor, &raw mut buffer) };
        bytes
    }

    fn check(&self, what: &str, major: u32, minor: u32) -> Result<(), Problem> {
        if major & ERRORS == 0 {
            return Ok(());
        }
        let mut texts = Vec::new();
        // 1 asks for the meaning of the general code, 2 for that of Kerberos.
        for (status, kind) in [(major, 1), (minor, 2)] {
            let mut more = 0;
            for _ in 0..TEXT_COUNT_MAX {
                let (mut ignored, mut text) = (0, Buffer { length: 0, value: null_mut() });
                let mechanism = oid(KERBEROS);
                // SAFETY: all pointers are to locals.
                let shown = unsafe {
                    (self.display_status)(
                        &raw mut ignored,
                        status,
                        kind,
                        &raw const mechanism,
                        &raw mut more,
                        &raw mut text,
                    )
                };
                if shown & ERRORS != 0 {
                    break;
                }
                texts.push(String::from_utf8_lossy(&self.take(text)).into_owned());
                if more == 0 {
                    break;
                }
            }
        }
        Err(Problem::Refused(format!("{what}: {}", texts.join("; "))))
    }
}

/// A name known to the library.
struct Name(&'static Library, Handle);

impl Name {
    fn new(library: &'static Library, text: &str, kind: &'static [u8]) -> Result<Self, Problem> {
        let (mut minor, mut name) = (0, null_mut());
        let (text_buffer, kind) = (input(text.as_bytes()), oid(kind));
        // SAFETY: all pointers are to locals that outlive the call.
        let major = unsafe {
            (library.import_name)(&raw mut minor, &raw const text_buffer, &raw const kind, &raw mut name)
        };
        library.check(&format!("the name {text:?}"), major, minor)?;
        Ok(Self(library, name))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle came from the library and is released once.
        unsafe { (self.0.release_name)(&raw mut minor, &raw mut self.1) };
    }
}

/// Whom to sign in as; the default of the machine when the handle is null.
struct Credential(&'static Library, Handle);

impl Credential {
    fn new(
        library: &'static Library,
        keytab: Option<&Path>,
        principal: Option<&str>,
    ) -> Result<Self, Problem> {
        if keytab.is_none() && principal.is_none() {
            return Ok(Self(library, null_mut()));
        }
        let name = principal.map(|principal| Name::new(library, principal, USER_NAME)).transpose()?;
        let mut pairs = Vec::new();
        if let Some(keytab) = keytab {
            pairs.push((c"client_keytab", format!("FILE:{}", keytab.display())));
            // Tickets of one account are kept in memory and found again by this name.
            let cache = format!("MEMORY:identitymesh:{}:{}", keytab.display(), principal.unwrap_or_default());
            pairs.push((c"ccache", cache));
        }
        let values = pairs.iter().map(|(_, value)| CString::new(value.as_str()));
        let values = values
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Problem::Refused("the path of the keytab holds a NUL".to_owned()))?;
        let elements: Vec<Pair> = pairs
            .iter()
            .zip(&values)
            .map(|((key, _), value)| Pair { key: key.as_ptr(), value: value.as_ptr() })
            .collect();
        let store = Store { count: u32::try_from(elements.len()).unwrap_or(0), elements: elements.as_ptr() };
        let kerberos = oid(KERBEROS);
        let mechanisms = OidSet { count: 1, elements: &raw const kerberos };
        let (mut minor, mut credential) = (0, null_mut());
        // SAFETY: all pointers are to locals that outlive the call.
        let major = unsafe {
            (library.acquire_cred_from)(
                &raw mut minor,
                name.as_ref().map_or(null_mut(), |name| name.1),
                u32::MAX,
                &raw const mechanisms,
                INITIATE,
                &raw const store,
                &raw mut credential,
                null_mut(),
                null_mut(),
            )
        };
        library.check("no credentials", major, minor)?;
        Ok(Self(library, credential))
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        if !self.1.is_null() {
            let mut minor = 0;
            // SAFETY: the handle came from the library and is released once.
            unsafe { (self.0.release_cred)(&raw mut minor, &raw mut self.1) };
        }
    }
}

/// A conversation with one service.
pub(super) struct Context {
    library: &'static Library,
    handle: Mutex<Handle>,
    target: Name,
    credential: Credential,
    flags: u32,
}

// SAFETY: the library's objects belong to no thread. Names and credentials are not changed after they were made, and
// the context, which is, stays behind its lock.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// With `service` in the form `ldap@host`. Asks for a security layer if there is no TLS to do its work.
    pub(super) fn new(
        service: &str,
        keytab: Option<&Path>,
        principal: Option<&str>,
        wants_layer: bool,
    ) -> Result<Self, Problem> {
        let library = library()?;
        let layer = if wants_layer { REPLAY | SEQUENCE | CONFIDENTIAL | INTEGRITY } else { 0 };
        Ok(Self {
            library,
            handle: Mutex::new(null_mut()),
            target: Name::new(library, service, HOST_BASED_SERVICE)?,
            credential: Credential::new(library, keytab, principal)?,
            flags: MUTUAL | layer,
        })
    }

    /// One step: what to send, and whether the conversation goes on. May ask the key distribution centre, so it blocks.
    pub(super) fn step(&self, token: Option<&[u8]>) -> Result<(Vec<u8>, bool), Problem> {
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut minor, mut output) = (0, Buffer { length: 0, value: null_mut() });
        let received = token.map(input);
        let mechanism = oid(KERBEROS);
        // SAFETY: all pointers are to locals that outlive the call, and handles of the library.
        let major = unsafe {
            (self.library.init_sec_context)(
                &raw mut minor,
                self.credential.1,
                &raw mut *handle,
                self.target.1,
                &raw const mechanism,
                self.flags,
                0,
                null(),
                received.as_ref().map_or(null(), std::ptr::from_ref),
                null_mut(),
                &raw mut output,
                null_mut(),
                null_mut(),
            )
        };
        let sent = self.library.take(output);
        self.library.check("no ticket", major, minor)?;
        Ok((sent, major & CONTINUE_NEEDED != 0))
    }

    /// Bytes with a proof of where they are from, encrypted if wanted.
    pub(super) fn wrap(&self, bytes: &[u8], encrypted: bool) -> Result<Vec<u8>, Problem> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut minor, mut output) = (0, Buffer { length: 0, value: null_mut() });
        let plain = input(bytes);
        // SAFETY: all pointers are to locals that outlive the call, and the context's handle.
        let major = unsafe {
            (self.library.wrap)(
                &raw mut minor,
                *handle,
                c_int::from(encrypted),
                0,
                &raw const plain,
                null_mut(),
                &raw mut output,
            )
        };
        let sealed = self.library.take(output);
        self.library.check("sealing", major, minor).map(|()| sealed)
    }

    /// The bytes that were wrapped, and whether they were encrypted.
    pub(super) fn unwrap(&self, bytes: &[u8]) -> Result<(Vec<u8>, bool), Problem> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut minor, mut output, mut encrypted) = (0, Buffer { length: 0, value: null_mut() }, 0);
        let sealed = input(bytes);
        // SAFETY: all pointers are to locals that outlive the call, and the context's handle.
        let major = unsafe {
            (self.library.unwrap)(
                &raw mut minor,
                *handle,
                &raw const sealed,
                &raw mut output,
                &raw mut encrypted,
                null_mut(),
            )
        };
        let plain = self.library.take(output);
        self.library.check("opening", major, minor).map(|()| (plain, encrypted != 0))
    }

    /// How many bytes may be wrapped so that at most `sealed_bytes_max` come out.
    pub(super) fn plain_bytes_max(&self, sealed_bytes_max: u32, encrypted: bool) -> Result<u32, Problem> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut minor, mut plain) = (0, 0);
        // SAFETY: all pointers are to locals, and the context's handle.
        let major = unsafe {
            (self.library.wrap_size_limit)(
                &raw mut minor,
                *handle,
                c_int::from(encrypted),
                0,
                sealed_bytes_max,
                &raw mut plain,
            )
        };
        self.library.check("measuring", major, minor).map(|()| plain)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !handle.is_null() {
            let mut minor = 0;
            // SAFETY: the handle came from the library and is released once.
            unsafe { (self.library.delete_sec_context)(&raw mut minor, &raw mut *handle, null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_an_answer() {
        assert!(load(&["libgssapi-that-nobody-installs.so.9"]).is_err());
        // A library without the functions is not taken either.
        assert!(load(&["libc.so.6"]).is_err());
    }

    #[test]
    fn a_keytab_that_is_not_there_is_said_in_the_librarys_words() {
        let keytab = Path::new("/nonexistent/x.keytab");
        match Context::new("ldap@127.0.0.1", Some(keytab), Some("nobody@NOWHERE.TEST"), false) {
            // Not every machine has Kerberos.
            Err(Problem::NoLibrary(_)) => {}
            Err(Problem::Refused(why)) => assert!(why.starts_with("no credentials: "), "{why}"),
            Ok(_) => panic!("a keytab that is not there gave credentials"),
        }
    }
}
