//! The connector contract, clause by clause.

mod keyed {
    identitymesh_connector::conformance_tests!(crate::subject::Memory::keyed());
}

mod tree {
    identitymesh_connector::conformance_tests!(crate::subject::Memory::tree());
}

mod suite {
    use identitymesh_connector::conformance::{CLAUSES, Verdict, run};
    use identitymesh_connector_fake::Fault;

    use crate::subject::Memory;

    /// The suite is worth something only if it notices a connector that breaks the contract.
    #[tokio::test]
    async fn each_fault_breaks_the_clauses_that_are_about_it() {
        for (fault, clause) in [
            (Fault::DuplicateEvery(5), "c10_full_import_delivers_each_object_once"),
            (Fault::RepeatPage(1), "c10_full_import_delivers_each_object_once"),
            (Fault::ClosePage(1), "c12_empty_system_is_certified_empty"),
            (Fault::ZeroRows, "c20_delta_delivers_change_add_and_delete"),
            (Fault::ConflictEvery(1), "c30_created_object_is_imported_as_exported"),
            (Fault::LoseAnswerOf(1), "c30_created_object_is_imported_as_exported"),
            (Fault::RefuseEvery(1), "c40_update_changes_only_what_it_names"),
            (Fault::TransientEvery(1), "c45_deleted_object_is_gone_and_second_delete_is_already_so"),
        ] {
            let memory = Memory::keyed();
            memory.system.inject(fault.clone());
            let clause = CLAUSES.iter().find(|known| known.name == clause).unwrap();
            let verdict = clause.verdict(&memory).await;
            assert!(matches!(verdict, Verdict::Broken(_)), "{fault:?} and {clause:?}: {verdict:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_offered_is_said_and_not_kept() {
        let report = run(&Memory::keyed()).await;
        assert!(report.is_kept());
        let missing: Vec<&str> = report
            .verdicts
            .iter()
            .filter(|(_, verdict)| matches!(verdict, Verdict::NotOffered(_)))
            .map(|(name, _)| *name)
            .collect();
        let expected = [
            "c15_single_objects_are_there_or_not",
            "c26_deleted_objects_are_told_from_those_that_left",
            "c44_rename_keeps_the_external_id",
        ];
        assert_eq!(missing, expected);
    }
}
