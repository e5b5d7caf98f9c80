//! What a backend brings to the suite, and the list of clauses.

use crate::Store;

/// An empty store that can be closed and opened again.
pub trait Harness {
    /// The store.
    fn store(&self) -> &dyn Store;

    /// Closes the store and opens it again with the same content, as a new process would.
    fn reopen(&mut self);
}

/// One test for each clause of the suite; the expression makes a [`Harness`] and is evaluated for each.
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_test_modules! { $make;
            staging: [
                what_is_inserted_is_known_in_the_order_asked, ids_are_told_apart_exactly,
                a_type_is_a_space_of_its_own, names_of_types_ignore_case, an_update_replaces_the_content,
                an_update_brings_a_lost_object_back, an_untouched_update_is_no_news, what_is_gone_is_not_present,
                a_watermark_is_kept_with_its_page, a_page_that_cannot_be_written_leaves_nothing,
                an_unknown_object_cannot_be_changed, references_come_back_in_the_document,
                one_member_more_among_a_hundred_thousand, what_was_exported_comes_back,
                drift_stays_until_it_is_said_anew, pending_objects_come_in_the_order_of_touching,
                all_objects_of_a_connector_by_id, a_page_reports_counts_and_findings,
                a_type_is_whole_after_a_good_import_that_proved_it,
                deletes_are_unseen_since_the_first_read_that_proved_nothing
            ];
            mesh: [
                a_created_object_reads_back, an_old_version_is_refused_and_nothing_kept,
                a_new_object_that_exists_is_refused, an_update_moves_version_state_and_anchor,
                a_purged_object_is_gone, audit_rows_have_to_be_the_plans, reserved_ids_are_never_given_twice,
                ids_in_order_by_key, leave_states_begin_go_on_and_end, odd_texts_survive
            ];
            links: [
                a_link_reads_back_from_both_ends, a_link_moves_within_one_plan, links_are_counted_by_their_rules, a_linked_object_is_not_linked_again,
                a_missing_object_cannot_be_linked, a_missing_link_cannot_end, an_object_is_purged_with_its_link,
                join_keys_begin_and_end
            ];
            memberships: [
                sets_of_references_are_members, single_references_stay_in_the_document,
                edges_change_one_by_one, a_hundred_thousand_members
            ];
            lookups: [
                references_lead_to_objects, an_address_of_two_leads_to_none, references_by_address, a_former_name_means_its_last_bearer, a_moment_tells_who_had_which_name,
                an_address_leads_to_those_who_refer_to_it,
                addresses_in_a_target, of_several_objects_the_eldest_that_has_an_address_counts,
                everybody_who_is_found_under_a_reference_owns_it, names_are_taken_by_others_only, names_are_replaced_as_a_whole
            ];
            todos: [
                entries_come_in_order_by_key, entries_wait_for_their_time, the_earlier_time_stays,
                done_entries_go, an_entry_woken_in_the_batch_that_is_done_stays,
                what_a_plan_wakes_by_itself_stays_though_it_is_done
            ];
            wakes: [
                waiting_objects_wake_for_their_key, a_linked_object_waits_no_more,
                referrers_wake_by_id, referrers_wake_by_address, referrers_wake_by_a_name_that_comes_or_goes, referrers_of_a_purged_object_wake,
                referrers_that_see_it_anyway_are_not_woken, holders_wake, an_address_wakes_with_the_link,
                an_address_that_is_there_wakes_at_once, waking_nobody_costs_nothing
            ];
            queue: [
                a_newer_item_takes_the_place, an_item_in_flight_is_not_replaced, a_cancelled_item_goes,
                an_item_in_flight_is_not_cancelled, targets_have_items_of_their_own, a_dead_item_is_replaced,
                item_ids_are_never_given_twice
            ];
            leases: [
                items_are_leased_in_order, a_disable_has_its_turn_before_older_items, a_leased_item_is_not_leased_again, a_lease_ends_by_itself,
                who_lost_a_lease_settles_nothing, a_lease_survives_the_process, a_retry_waits_for_its_time, a_lost_answer_is_unsettled,
                a_dead_item_rests_until_it_is_retried, retrying_names_items_or_takes_all,
                an_update_brings_its_object, an_unanswered_create_brings_what_was_linked_since,
                what_was_never_sent_is_no_attempt
            ];
            settling: [
                a_created_object_is_expected, a_created_object_that_is_known_is_adopted,
                an_updated_object_is_expected, what_no_import_showed_goes_on_waiting, a_deleted_object_goes, a_dropped_item_wakes_its_mesh_object,
                only_leased_items_are_settled, whoever_waits_for_a_created_object_wakes,
                a_created_object_waits_for_others, an_updated_object_may_have_gone,
                what_an_answer_shows_besides_is_looked_at, what_an_answer_to_an_update_shows_besides_is_looked_at,
                a_deleted_object_wakes_who_refers_to_its_mesh_object
            ];
            passwords: [
                a_created_object_owes_a_password_until_it_is_done, a_password_that_failed_waits_for_its_time,
                a_password_that_is_asked_for_is_due_at_once, a_debt_goes_with_its_object, debts_survive_the_process
            ];
            audit: [
                the_chain_holds_and_goes_on_after_reopening, a_failed_batch_leaves_the_chain_whole,
                history_is_read_backwards_by_key, exports_and_drift_are_in_the_chain
            ];
            past: [
                a_management_space_object_is_as_it_was_at_each_moment,
                what_was_exported_and_drifted_is_part_of_the_past, an_unchanged_object_keeps_no_past,
                links_have_a_beginning_and_an_end, a_mesh_object_is_as_it_was,
                values_hold_from_one_change_to_the_next,
                what_is_gone_for_good_is_found_and_comes_back_as_it_was, changes_are_read_by_their_run,
                an_export_is_part_of_its_objects_past, earlier_configurations_are_kept
            ];
            admin: [
                numbers_are_for_good, configurations_count_up, a_full_sync_counts_for_its_configuration,
                a_configuration_becomes_what_is_expected_or_nothing, runs_begin_and_end, runs_at_work_are_interrupted, findings_are_read_by_key,
                secrets_are_replaced_and_removed, notes_are_kept
            ];
            holds: [
                the_queue_is_counted_by_kind, what_is_newer_than_the_count_is_not_leased,
                held_items_are_not_leased_until_they_are_approved, a_decision_is_in_the_audit,
                a_replaced_item_is_not_covered, a_rejected_change_is_known_again,
                what_repeats_a_rejected_change_is_known, what_was_left_is_known_when_it_is_planned_anew,
                a_withdrawn_hold_lets_go,
                items_that_went_are_not_held, nothing_is_decided_that_does_not_wait,
                approved_objects_of_an_import_are_gone, a_type_is_unseen_until_an_import_shows_it
            ];
            undo: [
                an_undo_is_queued_and_in_the_audit, a_plan_neither_replaces_nor_cancels_it,
                a_dead_undo_is_replaced_like_any_other, its_mesh_object_is_looked_at_when_it_is_done,
                what_moved_since_is_left_out,
                what_would_be_done_again_is_rejected_until_it_is_undone_itself,
                what_was_undone_is_the_same_wish_in_another_spelling, a_name_that_comes_back_is_nobody_else_s
            ];
            joins: [
                a_block_says_when_it_holds_too_many, mesh_objects_are_read_alone,
                a_decision_is_carried_out_and_kept, what_is_said_outlives_the_object,
                a_decision_is_taken_back_once, a_decision_needs_a_reason_and_is_whole_or_nothing,
                conflicts_are_listed_apart
            ];
            lists: [
                mesh_objects_by_key_and_filter, mesh_objects_by_what_they_contain, mesh_objects_are_found_by_name,
                management_space_objects_by_filter, queue_items_by_filter, totals_count,
                a_reader_sees_one_moment
            ];
            random: [histories_agree_with_the_reference];
        }
    };
}

/// The modules of tests behind [`conformance_tests!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_modules {
    ($make:expr; $($module:ident: [$($clause:ident),* $(,)?]);* $(;)?) => {$(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $clause() {
                    $crate::conformance::$module::$clause(&mut $make);
                }
            )*
        }
    )*};
}
