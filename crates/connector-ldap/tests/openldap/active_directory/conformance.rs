//! The connector contract against a domain controller, all clauses with one controller: starting one takes seconds.

use identitymesh_connector::conformance::{Verdict, run};
use identitymesh_connector_ldap::Ldap;

use super::subject::Domain;
use super::support::start;

#[tokio::test]
async fn the_contract_is_kept() {
    let Some(ad) = start("") else { return };
    let report = run(&Domain { ad, kind: Ldap::active_directory() }).await;
    let broken = |verdict: &Verdict| matches!(verdict, Verdict::Broken(_));
    let not_kept: Vec<_> = report.verdicts.iter().filter(|(_, verdict)| broken(verdict)).collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
    let left_out = report.verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::NotOffered(_)));
    let left_out: Vec<_> = left_out.map(|(clause, _)| *clause).collect();
    assert_eq!(left_out, [""; 0], "a domain offers everything");
}
