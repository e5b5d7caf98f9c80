//! The list of clauses, and running them.

use std::future::Future;
use std::pin::Pin;

use super::bench::Bench;
use super::create::*;
use super::delta::*;
use super::describe::*;
use super::follow::*;
use super::hostile::*;
use super::import::*;
use super::passwords::*;
use super::rewrite::*;
use super::{Stop, Subject};

type Run = for<'a> fn(&'a Bench<'a>) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// One clause of the contract.
#[derive(Clone, Copy)]
pub struct Clause {
    /// `c10_full_import_delivers_each_object_once`; the number is that of `docs/connector-contract.md`.
    pub name: &'static str,
    run: Run,
}

/// What a clause found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The clause is kept.
    Kept,
    /// The kind does not offer what it is about.
    NotOffered(&'static str),
    /// It is broken: what was expected, what was found.
    Broken(String),
}

/// The verdict on each clause, in the order of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The clause's name and its verdict.
    pub verdicts: Vec<(&'static str, Verdict)>,
}

impl Report {
    /// Whether no clause is broken.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !self.verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Broken(_)))
    }
}

/// Makes one `#[tokio::test]` for each clause; the argument is an expression for a fresh [`Subject`].
///
/// The one list of clauses stands here, so that no connector can leave one out.
#[macro_export]
macro_rules! conformance_tests {
    (@all $rule:ident $($subject:expr)?) => {
        $crate::conformance_tests! { @$rule [$($subject)?]
            c01_settings_explain_themselves
            c02_validation_reports_everything_and_touches_nothing
            c03_test_names_its_steps
            c04_schema_lists_attributes_with_types
            c05_unknown_object_type_is_a_clear_error
            c10_full_import_delivers_each_object_once
            c11_full_import_repeats_exactly
            c12_empty_system_is_certified_empty
            c13_cancelled_import_ends_promptly
            c14_unreadable_value_is_named_and_nothing_else_is_lost
            c15_single_objects_are_there_or_not
            c20_delta_delivers_change_add_and_delete
            c21_cancelled_delta_loses_no_change
            c22_strange_watermark_is_refused
            c23_quiet_system_has_no_delta
            c24_follower_hears_of_changes
            c25_cancelled_follower_ends_promptly
            c26_deleted_objects_are_told_from_those_that_left
            c30_created_object_is_imported_as_exported
            c31_second_create_makes_no_duplicate
            c32_refused_item_leaves_the_others_applied
            c33_every_item_is_answered_once
            c34_cancelled_export_leaves_the_system_usable
            c40_update_changes_only_what_it_names
            c41_stale_update_changes_nothing
            c42_attribute_is_cleared
            c43_values_are_added_and_removed
            c44_rename_keeps_the_external_id
            c45_deleted_object_is_gone_and_second_delete_is_already_so
            c46_read_back_finds_by_external_id
            c47_set_password_signs_in
            c48_first_password_is_there_where_the_answer_says_so
            c50_hostile_values_survive_or_are_refused
            c51_hostile_external_ids_find_nothing
        }
    };
    (@tests [$subject:expr] $($clause:ident)+) => {
        $(
            #[tokio::test]
            async fn $clause() {
                $crate::conformance::check(stringify!($clause), &$subject).await;
            }
        )+
    };
    (@list [] $($clause:ident)+) => {
        &[$(Clause { name: stringify!($clause), run: |bench| Box::pin($clause(bench)) }),+]
    };
    ($subject:expr) => {
        $crate::conformance_tests! { @all tests $subject }
    };
}

/// Every clause, in the order of the contract.
pub const CLAUSES: &[Clause] = crate::conformance_tests!(@all list);

impl Clause {
    /// Empties the system, then tries the clause.
    pub async fn verdict(&self, subject: &dyn Subject) -> Verdict {
        let bench = Bench::new(subject);
        let outcome = match subject.reset().await {
            Ok(()) => (self.run)(&bench).await,
            Err(stop) => Err(stop),
        };
        match outcome {
            Ok(()) => Verdict::Kept,
            Err(Stop::NotOffered(what)) => Verdict::NotOffered(what),
            Err(Stop::Broken(why)) => Verdict::Broken(why),
        }
    }
}

/// All clauses, one after the other.
pub async fn run(subject: &dyn Subject) -> Report {
    let mut verdicts = Vec::with_capacity(CLAUSES.len());
    for clause in CLAUSES {
        verdicts.push((clause.name, clause.verdict(subject).await));
    }
    Report { verdicts }
}

/// One clause, for a test.
///
/// # Panics
/// When the clause is broken or there is none of this name.
pub async fn check(name: &str, subject: &dyn Subject) {
    let clause = CLAUSES.iter().find(|clause| clause.name == name).expect("the macro names clauses only");
    match clause.verdict(subject).await {
        Verdict::Broken(why) => panic!("{name}: {why}"),
        Verdict::NotOffered(what) => eprintln!("{name}: not offered: {what}"),
        Verdict::Kept => {}
    }
}

impl std::fmt::Debug for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
