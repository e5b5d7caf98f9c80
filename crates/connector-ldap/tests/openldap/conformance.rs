//! The connector contract against OpenLDAP, however it remembers deletions, and against 389 Directory Server: all clauses
//! with one server, because starting one takes seconds.

use identitymesh_connector::conformance::{Verdict, run};
use identitymesh_connector_ldap::Ldap;
use identitymesh_testkit::real::{Ds389, Ds389Options, SessionLog, Slapd, SlapdOptions};

use crate::subject::{People, Server, Wired};
use crate::support::TREE;

async fn contract_is_kept(server: impl Server) {
    let report = run(&People { server, kind: Ldap::new() }).await;
    let not_kept: Vec<_> = report.verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Kept).collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
}

fn slapd(log: SessionLog) -> Option<Slapd> {
    let initial_ldif = TREE.to_owned();
    Slapd::start(SlapdOptions { initial_ldif, sync: Some(log), ..SlapdOptions::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_that_remembers_deletions_in_a_database() {
    let Some(slapd) = slapd(SessionLog::AccessLog) else { return };
    contract_is_kept(slapd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_that_remembers_deletions_in_memory() {
    let Some(slapd) = slapd(SessionLog::Memory) else { return };
    contract_is_kept(slapd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_that_remembers_no_deletions() {
    let Some(slapd) = slapd(SessionLog::None) else { return };
    contract_is_kept(slapd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_by_its_log_of_writes() {
    let Some(logged) = Wired::logged("") else { return };
    contract_is_kept(logged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_server_389() {
    let people = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n";
    let options = Ds389Options { initial_ldif: people.to_owned(), ..Ds389Options::default() };
    let Some(server) = Ds389::start(options) else { return };
    contract_is_kept(server).await;
}
