//! The connector contract, clause by clause, for both ways of finding what changed.

mod marks {
    use crate::subject::{Database, Delta};

    identitymesh_connector::conformance_tests!(Database::new(Delta::Mark));
}

mod log {
    use crate::subject::{Database, Delta};

    identitymesh_connector::conformance_tests!(Database::new(Delta::Log));
}
