//! Full imports of a domain.

use identitymesh_connector::ImportMode;
use identitymesh_model::{Value, Values};
use serde_json::json;

use super::support::{Followed, PEOPLE, connect, dn, people, read, session, start};
use crate::support::{context, name};

#[tokio::test]
async fn a_domain_is_read_in_pages_certified_and_typed() {
    let group = format!(
        "dn: CN=all,OU=groups,DC=mesh,DC=test\nobjectClass: group\nsAMAccountName: all\n{}\n",
        (0..60).map(|at| format!("member: {}\n", dn(at))).collect::<String>()
    );
    let Some(ad) = start(&format!("{}{group}", people(60))) else { return };
    let mut session = connect(&ad, &context(), json!({"page_size": 7})).await.unwrap();
    let pages = read(session.as_mut(), ImportMode::Full, &["user", "group", "orgUnit"]).await.unwrap();
    assert!(pages.iter().all(|page| page.changes.len() <= 7) && pages.len() > 9);
    let certificates: Vec<_> = pages.iter().flat_map(|page| &page.certificates).collect();
    assert!(certificates.iter().all(|certificate| certificate.is_complete()), "{certificates:?}");
    assert_eq!(certificates.iter().map(|one| one.objects).collect::<Vec<_>>(), [60, 1, 2]);

    let followed = Followed::full(session.as_mut(), &["user", "group", "orgUnit"]).await;
    let person = followed.at(&dn(7)).unwrap();
    let text = |attribute: &str| person.single(name(attribute)).and_then(|value| value.as_text()).unwrap();
    assert!(text("objectSid").starts_with("S-1-5-21-"));
    assert_eq!(text("mail"), "p00007@mesh.test");
    assert_eq!(person.single(name("accountDisabled")), Some(&Value::Boolean(true)));
    assert_eq!(person.get(name("accountExpires")), None, "never is absent");
    assert_eq!(person.get(name("unicodePwd")), None);
    assert!(matches!(person.single(name("whenCreated")), Some(Value::DateTime(_))));
    let group = followed.at("CN=all,OU=groups,DC=mesh,DC=test").unwrap();
    let members = (0..60).map(|at| Value::reference(dn(at))).collect();
    assert_eq!(group.get(name("member")), Values::set_ignore_case(members).as_ref());
}

#[tokio::test]
async fn the_nearest_statement_decides_which_containers_belong() {
    let old = format!(
        "dn: OU=old,{PEOPLE}\nobjectClass: organizationalUnit\n\n\
        dn: CN=gone,OU=old,{PEOPLE}\nobjectClass: user\nsAMAccountName: gone\n\n\
        dn: OU=kept,OU=old,{PEOPLE}\nobjectClass: organizationalUnit\n\n\
        dn: CN=kept,OU=kept,OU=old,{PEOPLE}\nobjectClass: user\nsAMAccountName: kept\n\n"
    );
    let Some(ad) = start(&format!("{}{old}", people(2))) else { return };
    let scope = json!({"include": [PEOPLE, format!("OU=kept,OU=old,{PEOPLE}")], "exclude": [format!("OU=old,{PEOPLE}")]});
    let mut session = connect(&ad, &context(), scope).await.unwrap();
    let followed = Followed::full(session.as_mut(), &["user"]).await;
    let names: Vec<_> =
        followed.objects.values().filter_map(|object| object.single(name("sAMAccountName"))).collect();
    assert_eq!(names.len(), 3);
    assert!(!names.contains(&&Value::text("gone")) && names.contains(&&Value::text("kept")));
}

#[tokio::test]
async fn a_group_of_thousands_is_whole() {
    let members: String = (0..3_000).map(|at| format!("member: {}\n", dn(at))).collect();
    let group =
        format!("dn: CN=all,OU=groups,DC=mesh,DC=test\nobjectClass: group\nsAMAccountName: all\n{members}\n");
    let Some(ad) = start(&format!("{}{group}", people(3_000))) else { return };
    let followed = Followed::full(session(&ad).await.as_mut(), &["user", "group"]).await;
    assert_eq!(followed.objects.len(), 3_001);
    let group = followed.at("CN=all,OU=groups,DC=mesh,DC=test").unwrap();
    assert_eq!(group.get(name("member")).unwrap().as_slice().len(), 3_000);
}
