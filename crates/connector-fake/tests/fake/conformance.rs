//! The connector contract, clause by clause.

mod keyed {
    identitymesh_connector::conformance_tests!(crate::subject::Memory::keyed());
}

mod tree {
    identitymesh_connector::conformance_tests!(crate::subject::Memory::tree());
}
