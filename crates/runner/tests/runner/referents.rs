//! References in a target are compared by whom they mean, also when those tell their new address much later in the read.

use identitymesh_connector::Watermark;
use identitymesh_connector_fake::Fault;
use identitymesh_model::{Object, Value};
use identitymesh_runner::{ImportKind, RunReport, import};

use crate::groups::place::{Fed, Looks, Rules, person_dn, set};
use crate::place::name;

/// More than one part of an import.
const BETWEEN: usize = 20_050;
/// Pages of an import with all of these.
const PAGES: u64 = 11;
const OLD: &str = "cn=p1,ou=a,dc=t";
const NEW: &str = "cn=p1,ou=moved,dc=t";

/// A team with one member, and a watermark behind it.
async fn team() -> Fed {
    let fed = Fed::new(Looks::Untraced, Rules::Plain).await;
    fed.put_person(1, "a");
    fed.put_group(1, [person_dn(1, "a")]);
    fed.import("out", ImportKind::Full).await;
    fed.import("dir", ImportKind::Full).await;
    fed.sync("dir").await;
    fed.export().await;
    fed.round().await;
    assert_eq!(members(&fed), [Value::reference(OLD)]);
    fed
}

fn id_of(fed: &Fed, object_type: &str) -> String {
    let mut objects = fed.out.objects().into_iter();
    objects.find(|object| object.object_type == name(object_type)).unwrap().external_id.to_string()
}

fn members(fed: &Fed) -> Vec<Value> {
    let team = fed.out.object(name("team"), &id_of(fed, "team")).unwrap();
    team.get(name("member")).unwrap().as_slice().to_vec()
}

/// The team refers to `member`, and others come after it.
fn refer_to(fed: &Fed, member: &str) {
    fed.out.set(name("team"), &id_of(fed, "team"), name("member"), set([member.to_owned()]));
    for number in 0..BETWEEN {
        let mut object = Object::new();
        object.set(name("dn"), format!("cn=s{number},dc=t").as_str());
        object.set(name("cn"), format!("s{number}").as_str());
        fed.out.put(name("account"), &format!("zz-{number}"), object);
    }
}

fn tell_new_address(fed: &Fed, account: &str) {
    fed.out.set(name("account"), account, name("dn"), Some(NEW.into()));
}

async fn read(fed: &Fed) -> RunReport {
    fed.import("out", ImportKind::Delta).await
}

/// Where the next delta import goes on.
fn place_reached(fed: &Fed) -> u64 {
    let text = fed
        .rows("SELECT w.body FROM watermark w JOIN connector c ON c.id = w.connector WHERE c.name = 'out'");
    serde_json::from_str::<Watermark>(&text[0]).unwrap().body.parse().unwrap()
}

#[tokio::test]
async fn a_member_who_tells_the_new_address_in_a_later_part_is_no_drift() {
    let fed = team().await;
    let account = id_of(&fed, "account");
    refer_to(&fed, NEW);
    tell_new_address(&fed, &account);
    let report = read(&fed).await;
    assert_eq!((report.count("drifted"), report.count("changed")), (0, 2), "{report:?}");
    assert_eq!(place_reached(&fed), fed.out.newest_change());
    assert_eq!(fed.rows("SELECT body FROM drift"), Vec::<String>::new());
}

#[tokio::test]
async fn a_member_whom_nobody_is_stays_in_doubt_to_the_end_and_is_drift() {
    let fed = team().await;
    refer_to(&fed, NEW);
    let report = read(&fed).await;
    assert_eq!((report.count("drifted"), report.count("changed")), (1, 1), "{report:?}");
    assert_eq!(place_reached(&fed), fed.out.newest_change());
}

#[tokio::test]
async fn another_member_in_the_old_ones_place_is_drift_though_both_are_known() {
    let fed = team().await;
    fed.put_person(2, "a");
    fed.round().await;
    refer_to(&fed, "cn=p2,ou=a,dc=t");
    let report = read(&fed).await;
    assert_eq!((report.count("drifted"), report.count("changed")), (1, 1), "{report:?}");
}

#[tokio::test]
async fn nothing_is_passed_over_while_a_reference_is_in_doubt() {
    let fed = team().await;
    let account = id_of(&fed, "account");
    let before = place_reached(&fed);
    refer_to(&fed, NEW);
    tell_new_address(&fed, &account);
    fed.out.inject(Fault::ClosePage(PAGES));
    import(&fed.mesh, name("out"), ImportKind::Delta).await.unwrap_err();
    let stored = fed.rows("SELECT CAST(count(*) AS TEXT) FROM space_object");
    assert!(stored[0].parse::<usize>().unwrap() > 20_000, "{stored:?}");
    assert_eq!(place_reached(&fed), before, "the team would never be read again");
    fed.out.clear_faults();
    let report = read(&fed).await;
    assert_eq!((report.count("drifted"), report.count("changed")), (0, 2), "{report:?}");
}
