//! What happens with other files, other processes, and folders that cannot be written.
