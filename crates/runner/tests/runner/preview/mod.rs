//! A preview is what then happens, and it writes nothing: over random populations, with and without groups, under rules in
//! force and under rules that are not yet.

mod check;
mod decisions;
mod groups;
mod objects;
mod people;
mod rules;
mod runs;
