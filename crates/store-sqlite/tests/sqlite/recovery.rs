//! What is there after a process went away, the file was damaged, or the space ran out.
