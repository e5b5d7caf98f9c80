//! A consistent copy of the store in another file, for previews and safekeeping.

use std::path::Path;

use identitymesh_store::StoreError;

use crate::connection;
use crate::fault::Outcome;

/// Writes what is committed in the store at `from` into a new file at `to`, without stopping anybody.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let write = || -> Outcome<()> {
        let conn = connection::reader(from)?;
        conn.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    };
    write().map_err(|fault| fault.into_store(&format!("copying the store to {}", to.display())))
}
