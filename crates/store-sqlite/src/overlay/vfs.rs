//! The functions through which SQLite reaches a database that lies over another.
//!
//! A file here is two of the system's own files, that above and that beneath, with a few words before them. Everything
//! is forwarded to the one above but reading what was not written there. The one beneath is open for reading only.

#![expect(unsafe_code, reason = "SQLite asks for a file system as a table of C functions")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::ptr;
use std::sync::{Arc, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::base::Base;
use super::laid::beneath;

/// The name under which SQLite knows these functions.
pub(crate) const NAME: &CStr = c"identitymesh-overlay";

/// A file; the system's own file above stands behind it, and behind that the one beneath.
#[repr(C)]
struct OverFile {
    head: sqlite3_file,
    base: *const Base,
}

/// Where the file above begins. SQLite aligns files to eight bytes, and so is this.
const ABOVE: usize = size_of::<OverFile>().next_multiple_of(8);

/// Where the file beneath begins, given the size of the system's own files.
fn beneath_at(own_bytes: c_int) -> usize {
    ABOVE + usize::try_from(own_bytes).unwrap_or(0).next_multiple_of(8)
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without the functions of later versions, which would map the file beneath past us.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes the functions known to SQLite, once in a process.
pub(super) fn register() -> io::Result<()> {
    static DONE: OnceLock<c_int> = OnceLock::new();
    let code = *DONE.get_or_init(|| {
        // SAFETY: the system's table is valid for the life of the process once SQLite gives it out, and may be copied:
        // its functions do not look at which copy they are called through. The copy is leaked, so it stays valid too.
        unsafe {
            let system = ffi::sqlite3_vfs_find(ptr::null());
            if system.is_null() {
                return ffi::SQLITE_ERROR;
            }
            let mut own = *system;
            own.pNext = ptr::null_mut();
            own.zName = NAME.as_ptr();
            let bytes = beneath_at((*system).szOsFile) + usize::try_from((*system).szOsFile).unwrap_or(0);
            let Ok(bytes) = c_int::try_from(bytes) else { return ffi::SQLITE_ERROR };
            own.szOsFile = bytes;
            own.xOpen = Some(open);
            ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 0)
        }
    });
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(io::Error::other(format!("SQLite refused another file system with code {code}"))),
    }
}

/// The file above.
///
/// # Safety
/// `file` must be of the size that [`register`] asks SQLite for.
const unsafe fn above(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: as the caller promises, at least twice the system's own size follows.
    unsafe { file.byte_add(ABOVE) }
}

/// The file beneath.
///
/// # Safety
/// As [`above`].
unsafe fn beneath_of(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the system's table is always there; see `above`.
    unsafe { file.byte_add(beneath_at((*ffi::sqlite3_vfs_find(ptr::null())).szOsFile)) }
}

/// What an open file lies over.
///
/// # Safety
/// `file` must be one that [`open`] opened and [`close`] did not close; what is returned must not outlive it.
unsafe fn base<'a>(file: *mut sqlite3_file) -> &'a Base {
    // SAFETY: `open` put a counted pointer there, and `close` alone gives it back.
    unsafe { &*(*file.cast::<OverFile>()).base }
}

/// Calls a method of one of the system's own files.
macro_rules! call {
    ($own:expr, $method:ident($($argument:expr),*) else $failed:expr) => {{
        // SAFETY: SQLite calls methods of open files only, and the system's own were opened with ours.
        unsafe {
            let own = $own;
            match (*(*own).pMethods).$method {
                Some(method) => method(own $(, $argument)*),
                None => $failed,
            }
        }
    }};
}

/// Forwards a call to the file above.
macro_rules! forward {
    ($file:ident.$method:ident($($argument:expr),*) else $failed:expr) => {
        call!(above($file), $method($($argument),*) else $failed)
    };
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a name that ends with a zero or none, and a file of the size that was asked for; everything
    // is handed on to the system's own function as that expects it. The name beneath lives as long as the file.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let Some(system_open) = (*system).xOpen else { return ffi::SQLITE_CANTOPEN };
        let is_database = flags & ffi::SQLITE_OPEN_MAIN_DB != 0 && !name.is_null();
        let found = if is_database { CStr::from_ptr(name).to_str().ok().and_then(beneath) } else { None };
        let Some(found) = found else { return system_open(system, name, file, flags, out) };
        let (above, beneath) = (above(file), beneath_of(file));
        for one in [file, above, beneath] {
            (*one).pMethods = ptr::null();
        }
        let reading = ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_READONLY;
        let code = system_open(system, found.name(), beneath, reading, ptr::null_mut());
        if code != ffi::SQLITE_OK {
            return code;
        }
        let code = system_open(system, name, above, flags, out);
        if code != ffi::SQLITE_OK {
            close_own(beneath);
            return code;
        }
        (*file.cast::<OverFile>()).base = Arc::into_raw(found);
        (*file).pMethods = &raw const METHODS;
        code
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once, and nobody looks at what it lies over afterwards.
    unsafe {
        close_own(beneath_of(file));
        let code = close_own(above(file));
        drop(Arc::from_raw((*file.cast::<OverFile>()).base));
        code
    }
}

/// Closes one of the system's own files.
///
/// # Safety
/// It must be open.
unsafe fn close_own(own: *mut sqlite3_file) -> c_int {
    call!(own, xClose() else ffi::SQLITE_OK)
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open.
    let base = unsafe { base(file) };
    if u64::try_from(offset).is_ok_and(|from| base.shows(from)) {
        return call!(beneath_of(file), xRead(buffer, bytes, offset) else ffi::SQLITE_IOERR_READ);
    }
    forward!(file.xRead(buffer, bytes, offset) else ffi::SQLITE_IOERR_READ)
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    buffer: *const c_void,
    bytes: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let code = forward!(file.xWrite(buffer, bytes, offset) else ffi::SQLITE_IOERR_WRITE);
    if let (ffi::SQLITE_OK, Ok(length), Ok(from)) = (code, u64::try_from(bytes), u64::try_from(offset)) {
        // SAFETY: the file is open.
        unsafe { base(file) }.hide(from, length);
    }
    code
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let code = forward!(file.xTruncate(size) else ffi::SQLITE_IOERR_TRUNCATE);
    if let (ffi::SQLITE_OK, Ok(size)) = (code, u64::try_from(size)) {
        // SAFETY: the file is open.
        unsafe { base(file) }.truncate(size);
    }
    code
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: the file is open, and SQLite gives a place for the answer.
    unsafe { *size = sqlite3_int64::try_from(base(file).size()).unwrap_or(sqlite3_int64::MAX) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    forward!(file.xSync(flags) else ffi::SQLITE_OK)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    forward!(file.xLock(level) else ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    forward!(file.xUnlock(level) else ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    forward!(file.xCheckReservedLock(out) else ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    forward!(file.xFileControl(operation, argument) else ffi::SQLITE_NOTFOUND)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    forward!(file.xSectorSize() else 0)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    forward!(file.xDeviceCharacteristics() else 0)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    forward!(file.xShmMap(region, bytes, extend, out) else ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    forward!(file.xShmLock(offset, count, flags) else ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    forward!(file.xShmBarrier() else ());
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    forward!(file.xShmUnmap(delete) else ffi::SQLITE_OK)
}
