//! One file for each command.

mod as_of;
mod audit;
mod bench;
mod configuration;
mod connector;
mod coverage;
mod demo;
mod directory;
mod dispatch;
mod doctor;
mod exports;
mod follow;
mod history;
mod holds;
mod init;
mod joins;
mod lookup;
mod mesh;
mod password;
mod plan_text;
mod plans;
mod preview;
mod preview_queue;
mod reasons;
mod reasons_not;
mod reasons_then;
mod run;
mod runs;
mod secrets;
mod space;
mod undo;
mod why;

pub(crate) use dispatch::{Done, Shell, carry_out};
