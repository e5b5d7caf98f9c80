//! Deltas of OpenLDAP and 389 Directory Server: whoever follows them holds what a full import shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use identitymesh_connector::{
    Change, Class, ConnectorError, ConnectorKind, FollowRequest, ImportMode, ImportRequest, Page, Session,
    Watermark,
};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{Object, Value, Values};
use identitymesh_testkit::real::{Ds389, Ds389Options, SessionLog, Slapd, SlapdOptions, Wire};
use serde_json::json;

use crate::subject::{Server, Wired, written};
use crate::support::{TREE, context, name, person};

pub(crate) const TYPES: [&str; 3] = ["user", "group", "orgUnit"];
pub(crate) const BASE: &str = "dc=mesh,dc=test";
/// So few objects in a page that there are many pages.
const PAGE: usize = 5;

pub(crate) fn slapd(log: SessionLog, entries: &str) -> Option<Slapd> {
    let initial_ldif = format!("{TREE}{entries}");
    Slapd::start(SlapdOptions { initial_ldif, sync: Some(log), ..SlapdOptions::default() })
}

pub(crate) fn ds389(entries: &str) -> Option<Ds389> {
    let tree = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
        dn: ou=groups,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: groups\n\n";
    Ds389::start(Ds389Options { initial_ldif: format!("{tree}{entries}"), ..Ds389Options::default() })
}

pub(crate) fn population() -> String {
    let members: String =
        ["p1", "p2", "p3"].map(|uid| format!("member: uid={uid},ou=people,{BASE}\n")).concat();
    let people: String = (0..8).map(|at| person(&format!("p{at}"))).collect();
    format!(
        "{people}dn: cn=all,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: all\n{members}\n\
         dn: cn=nested,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: nested\nmember: cn=all,ou=groups,{BASE}\n\n"
    )
}

pub(crate) async fn session(server: &dyn Server, changes: serde_json::Value) -> Box<dyn Session> {
    let kind = Ldap::new();
    let settings = kind.prepare(&written(server, &changes), Path::new("/")).unwrap();
    kind.connect(&settings, &context()).await.unwrap()
}

pub(crate) async fn read(server: &dyn Server, mode: ImportMode) -> Result<Vec<Page>, ConnectorError> {
    read_as(server, mode, json!({}), PAGE).await
}

async fn read_as(
    server: &dyn Server,
    mode: ImportMode,
    changes: serde_json::Value,
    page_size_max: usize,
) -> Result<Vec<Page>, ConnectorError> {
    let mut session = session(server, changes).await;
    let importer = session.importer().unwrap();
    let object_types = TYPES.map(name).to_vec();
    importer.begin(ImportRequest { mode, object_types, page_size_max }).await?;
    let mut pages = Vec::new();
    while let Some(page) = importer.next_page().await? {
        pages.push(page);
    }
    Ok(pages)
}

/// What somebody holds who follows imports: objects by type and id.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Followed {
    pub(crate) objects: BTreeMap<(String, String), Object>,
    pub(crate) mark: Option<Watermark>,
}

impl Followed {
    pub(crate) async fn full(server: &dyn Server) -> Self {
        let mut followed = Self::default();
        followed.apply(read(server, ImportMode::Full).await.unwrap());
        assert!(followed.mark.is_some(), "a full import ends with a mark");
        followed
    }

    /// Follows a delta; how much it told.
    pub(crate) async fn delta(&mut self, server: &dyn Server) -> usize {
        self.delta_in_pages(server, PAGE).await
    }

    pub(crate) async fn delta_in_pages(&mut self, server: &dyn Server, page_size_max: usize) -> usize {
        let since = self.mark.clone().unwrap();
        let mode = ImportMode::Delta { since };
        let pages = read_as(server, mode, json!({}), page_size_max).await.unwrap();
        let count = pages.iter().map(|page| page.changes.len() + page.certificates.len()).sum();
        self.apply(pages);
        count
    }

    pub(crate) fn apply(&mut self, pages: Vec<Page>) {
        let mut named: BTreeSet<(String, String)> = BTreeSet::new();
        let mut certified = Vec::new();
        for page in pages {
            assert_eq!(page.findings, []);
            named.extend(page.present.iter().map(|(of, id)| (of.to_string(), id.to_string())));
            for change in page.changes {
                let (of, id) = change.subject();
                let key = (of.to_string(), id.to_owned());
                match change {
                    Change::Upsert(object) => {
                        named.insert(key.clone());
                        self.objects.insert(key, object.attributes);
                    }
                    Change::Delete { .. } | Change::Left { .. } => drop(self.objects.remove(&key)),
                    Change::Patch(patch) => {
                        // What nobody knows is not harmed.
                        let Some(object) = self.objects.get_mut(&key) else { continue };
                        let held = |object: &Object, attribute| {
                            object.get(attribute).map_or(&[][..], Values::as_slice).to_vec()
                        };
                        for (attribute, values) in patch.add {
                            let all = [held(object, attribute), values].concat();
                            object.put(attribute, Values::set(all));
                        }
                        for (attribute, values) in patch.remove {
                            let mut left = held(object, attribute);
                            left.retain(|value| !values.contains(value));
                            object.put(attribute, Values::set(left));
                        }
                    }
                }
            }
            for certificate in page.certificates {
                assert!(certificate.is_complete(), "{certificate:?}");
                certified.push(certificate.object_type.to_string());
            }
            self.mark = page.watermark.or(self.mark.take());
        }
        self.objects.retain(|key, _| !certified.contains(&key.0) || named.contains(key));
    }

    pub(crate) fn at(&self, dn: &str) -> Option<&Object> {
        self.objects.values().find(|object| object.single(name("dn")) == Some(&Value::text(dn)))
    }

    pub(crate) async fn is_as_full(&self, server: &dyn Server) {
        assert_eq!(self.objects, Self::full(server).await.objects);
    }
}

/// One kind of change after the other, each followed by a delta of its own.
pub(crate) async fn every_kind_of_change_is_followed(server: &dyn Server) {
    let mut followed = Followed::full(server).await;
    for record in [
        format!(
            "dn: uid=p0,ou=people,{BASE}\nchangetype: modify\nreplace: mail\nmail: new@t\n-\nadd: title\ntitle: Boss\n"
        ),
        format!("{}\n", person("new").replacen('\n', "\nchangetype: add\n", 1)),
        format!("dn: uid=p7,ou=people,{BASE}\nchangetype: delete\n"),
        format!(
            "dn: cn=all,ou=groups,{BASE}\nchangetype: modify\nadd: member\nmember: uid=p4,ou=people,{BASE}\n-\n\
             delete: member\nmember: uid=p1,ou=people,{BASE}\n"
        ),
        format!("dn: ou=wing,ou=people,{BASE}\nchangetype: add\nobjectClass: organizationalUnit\nou: wing\n"),
        format!("dn: uid=p5,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n"),
        format!(
            "dn: uid=p6,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=p6\ndeleteoldrdn: 1\nnewsuperior: ou=groups,{BASE}\n"
        ),
        // OpenLDAP 2.5 does not rename a container into which something was moved (DN index add failed).
        format!(
            "{}\n",
            person("inner").replace(",ou=people", ",ou=wing,ou=people").replacen(
                '\n',
                "\nchangetype: add\n",
                1
            )
        ),
        // The container alone is renamed, and what lies in it has another name with it.
        format!("dn: ou=wing,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: ou=tower\ndeleteoldrdn: 1\n"),
    ] {
        server.change(&record).unwrap();
        assert!(followed.delta(server).await > 0, "nothing was told of {record}");
        followed.is_as_full(server).await;
    }
    assert!(followed.at(&format!("uid=inner,ou=tower,ou=people,{BASE}")).is_some());
    assert!(followed.at(&format!("uid=renamed,ou=people,{BASE}")).is_some());
    assert_eq!(followed.delta(server).await, 0, "nothing happened since");
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_tells_every_kind_of_change() {
    for log in [SessionLog::AccessLog, SessionLog::None] {
        let Some(slapd) = slapd(log, &population()) else { return };
        every_kind_of_change_is_followed(&slapd).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_server_389_tells_every_kind_of_change() {
    let Some(server) = ds389(&population()) else { return };
    every_kind_of_change_is_followed(&server).await;
    // One member of a group comes as one value, however large the group is.
    let followed = Followed::full(&server).await;
    let member = format!("uid=p3,ou=people,{BASE}");
    server
        .change(&format!(
            "dn: cn=all,ou=groups,{BASE}\nchangetype: modify\ndelete: member\nmember: {member}\n"
        ))
        .unwrap();
    let pages = read(&server, ImportMode::Delta { since: followed.mark.unwrap() }).await.unwrap();
    let changes: Vec<&Change> = pages.iter().flat_map(|page| &page.changes).collect();
    let [Change::Patch(patch)] = changes[..] else { panic!("{changes:?}") };
    assert_eq!(patch.remove, [(name("member"), vec![Value::reference(&member)])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_outlives_restarts_and_changes_of_both_phases() {
    for log in [SessionLog::AccessLog, SessionLog::Memory, SessionLog::None] {
        let Some(mut slapd) = slapd(log, &population()) else { return };
        let mut followed = Followed::full(&slapd).await;
        slapd.modify(&format!("dn: uid=p7,ou=people,{BASE}\nchangetype: delete\n")).unwrap();
        // Killed as by a power cut: with a checkpoint at each change it knows where it stood.
        slapd.restart().unwrap();
        slapd.modify(&format!("dn: uid=p6,ou=people,{BASE}\nchangetype: delete\n")).unwrap();
        followed.delta(&slapd).await;
        followed.is_as_full(&slapd).await;
        assert_eq!(followed.objects.keys().filter(|(of, _)| of == "user").count(), 6);
    }
}

pub(crate) fn refusal(result: Result<Vec<Page>, ConnectorError>) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-010", Class::Conflict), "{error}");
    error.message
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_from_elsewhere_and_for_other_settings_are_refused() {
    let Some(slapd) = slapd(SessionLog::Memory, &population()) else { return };
    let since = Followed::full(&slapd).await.mark.unwrap();
    let delta = |since: &Watermark| ImportMode::Delta { since: since.clone() };
    let narrower = json!({"types": {"user": {"filter": "(uid=p1)"}, "group": {}, "orgUnit": {}}});
    assert!(refusal(read_as(&slapd, delta(&since), narrower, PAGE).await).contains("settings"));
    let excluded = json!({"exclude": [format!("ou=groups,{BASE}")]});
    assert!(refusal(read_as(&slapd, delta(&since), excluded, PAGE).await).contains("settings"));
    // As after a backup was restored: the cookie is from the server's future.
    let future = Watermark { body: since.body.replace("csn=20", "csn=29"), ..since.clone() };
    assert_ne!(future, since);
    assert!(refusal(read(&slapd, delta(&future)).await).contains("53"));
    // The server would take a cookie without a place for none, and tell everything but what is gone.
    let broken = Watermark { body: since.body.replace("csn=", "what="), ..since };
    assert!(refusal(read(&slapd, delta(&broken)).await).contains("place"));
}

/// Everything, after a delta that was refused, in one session: what is missing in it, and its mark.
async fn everything_after(server: &dyn Server, since: &Watermark) -> (Vec<String>, Option<Watermark>) {
    let mut session = session(server, json!({})).await;
    let importer = session.importer().unwrap();
    let request = |mode| ImportRequest { mode, object_types: TYPES.map(name).to_vec(), page_size_max: PAGE };
    let refused = importer.begin(request(ImportMode::Delta { since: since.clone() })).await.unwrap_err();
    assert_eq!((refused.code, refused.class), ("CON-010", Class::Conflict));
    importer.begin(request(ImportMode::Full)).await.unwrap();
    let (mut gaps, mut mark) = (Vec::new(), None);
    while let Some(page) = importer.next_page().await.unwrap() {
        gaps.extend(page.certificates.into_iter().flat_map(|certificate| certificate.gaps));
        mark = page.watermark.or(mark);
    }
    (gaps, mark)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_that_has_not_caught_up_proves_nobody_gone() {
    let Some(mut slapd) = slapd(SessionLog::Memory, &population()) else { return };
    slapd.back_up().unwrap();
    slapd
        .change(&format!("dn: uid=p1,ou=people,{BASE}\nchangetype: modify\nreplace: title\ntitle: T\n"))
        .unwrap();
    let since = Followed::full(&slapd).await.mark.unwrap();
    // As it was before, and at another address: so looks a replica that lags behind.
    slapd.restore().unwrap();
    let wire = Wire::to(&slapd.url);
    let replica = Wired { slapd, wire, changes: "auto" };
    let (gaps, mark) = everything_after(&replica, &since).await;
    assert!(gaps.len() == TYPES.len() && gaps[0].contains("another server answers"), "{gaps:?}");
    assert_eq!(mark, None, "the next import looks again");
    // The server that was read before, restored from its backup, is no other.
    let of_it = since.body.replace(&replica.slapd.ldaps_url, &replica.wire.url);
    let (gaps, mark) = everything_after(&replica, &Watermark { body: of_it, ..since }).await;
    assert!(gaps.is_empty() && mark.is_some(), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changelog_that_was_trimmed_or_is_anothers_is_refused() {
    let Some(server) = ds389(&population()) else { return };
    let since = Followed::full(&server).await.mark.unwrap();
    for at in 0..3 {
        let record =
            format!("dn: uid=p{at},ou=people,{BASE}\nchangetype: modify\nreplace: title\ntitle: T\n");
        server.change(&record).unwrap();
    }
    let delta = |since: &Watermark| ImportMode::Delta { since: since.clone() };
    // What trimming does: the oldest records go.
    for number in 1..=2 {
        server.change(&format!("dn: changenumber={number},cn=changelog\nchangetype: delete\n")).unwrap();
    }
    let ahead = Watermark { body: since.body.replace("\"number\":0", "\"number\":99"), ..since.clone() };
    assert_ne!(ahead, since);
    assert!(refusal(read(&server, delta(&ahead)).await).contains("restored or made anew"));
    let other = Watermark { body: since.body.replace("\"log\":\"", "\"log\":\"0"), ..since };
    assert!(refusal(read(&server, delta(&other)).await).contains("another server"));
    // Made anew at the same address, it says what is gone; at another one nobody knows how far it has caught up.
    let (gaps, mark) = everything_after(&server, &other).await;
    assert!(gaps.is_empty() && mark.is_some(), "{gaps:?}");
    let elsewhere = Watermark { body: other.body.replace(&server.ldaps_url, "ldaps://other.test"), ..other };
    let (gaps, mark) = everything_after(&server, &elsewhere).await;
    assert!(gaps.len() == TYPES.len() && gaps[0].contains("another server answers"), "{gaps:?}");
    assert_eq!(mark, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tells_no_changes_leaves_no_mark() {
    let options = SlapdOptions { initial_ldif: TREE.to_owned(), ..SlapdOptions::default() };
    let Some(slapd) = Slapd::start(options) else { return };
    let pages = read(&slapd, ImportMode::Full).await.unwrap();
    assert!(pages.iter().all(|page| page.watermark.is_none()));
    let by_name = json!({"external_id": "ou"});
    let Some(telling) = self::slapd(SessionLog::Memory, "") else { return };
    let pages = read_as(&telling, ImportMode::Full, by_name, PAGE).await.unwrap();
    assert!(pages.iter().all(|page| page.watermark.is_none()), "a deletion is told by its entryUUID only");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_hears_of_renamed_containers_and_of_the_end_of_the_connection() {
    let Some(mut slapd) = slapd(SessionLog::AccessLog, &population()) else { return };
    let mut followed = Followed::full(&slapd).await;
    let mut session = session(&slapd, json!({})).await;
    let follower = session.follower().unwrap();
    let request = |since| FollowRequest { since, object_types: TYPES.map(name).to_vec(), page_size_max: 100 };
    follower.follow(request(followed.mark.clone().unwrap())).await.unwrap();
    slapd
        .modify(&format!("dn: ou=people,{BASE}\nchangetype: modrdn\nnewrdn: ou=staff\ndeleteoldrdn: 1\n"))
        .unwrap();
    while followed.at(&format!("uid=p3,ou=staff,{BASE}")).is_none() {
        followed.apply(vec![follower.next_change().await.unwrap()]);
    }
    // The mark comes after all of them were told.
    while read_is_behind(&followed, &slapd).await {
        followed.apply(vec![follower.next_change().await.unwrap()]);
    }
    followed.is_as_full(&slapd).await;
    slapd.stop();
    let error = loop {
        if let Err(error) = follower.next_change().await {
            break error;
        }
    };
    assert_eq!(error.class, Class::Transient, "{error}");
    slapd.restart().unwrap();
    slapd.modify(&format!("dn: uid=p0,ou=staff,{BASE}\nchangetype: delete\n")).unwrap();
    follower.follow(request(followed.mark.clone().unwrap())).await.unwrap();
    while followed.at(&format!("uid=p0,ou=staff,{BASE}")).is_some() {
        followed.apply(vec![follower.next_change().await.unwrap()]);
    }
    followed.is_as_full(&slapd).await;
}

pub(crate) async fn read_is_behind(followed: &Followed, server: &dyn Server) -> bool {
    followed.objects != Followed::full(server).await.objects
}
