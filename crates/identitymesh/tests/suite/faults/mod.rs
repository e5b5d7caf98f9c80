//! Directories at their worst, through the binary: killed, cut off, repeating and losing what they are asked for, refusing
//! some of it, forgetting where a reader was, exchanged for another.
//!
//! Whatever happens, three things hold: nothing is lost, nothing is there twice, and nobody is taken as gone whom the
//! directory did not name or prove as gone. The directories are real, a relay in front of them does the damage, and what
//! they hold is read with OpenLDAP's commands.

mod controllers;
mod cut;
mod directory;
mod killed;
mod marks;
mod mended;
mod mesh;
mod pages;
mod pieces;
mod refused;
