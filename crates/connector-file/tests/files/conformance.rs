//! The connector contract, clause by clause, for each format.

mod csv {
    use crate::subject::{Form, Written};

    identitymesh_connector::conformance_tests!(Written::new(Form::Csv));
}

mod ldif {
    use crate::subject::{Form, Written};

    identitymesh_connector::conformance_tests!(Written::new(Form::Ldif));
}

mod json_lines {
    use crate::subject::{Form, Written};

    identitymesh_connector::conformance_tests!(Written::new(Form::JsonLines));
}

mod json_array {
    use crate::subject::{Form, Written};

    identitymesh_connector::conformance_tests!(Written::new(Form::JsonArray));
}
