//! Systems that keep references in step by themselves when the object that they mean is renamed or deleted, and tell
//! nobody: after a delta the management space holds what a full import shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use identitymesh_model::{Clock as _, CountingIds, ManualClock, Object, Value, Values};
use identitymesh_runner::{ImportKind, RunReport, import};
use identitymesh_store::{RunState, Store};
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{Control, Failure, over};

use crate::groups::place::{Fed, Rules, Shape, person_dn};
use crate::place::name;

/// More than any delta of these tests has.
const CALLS_MAX: u64 = 120;

fn opened(path: &Path, ids: &Arc<CountingIds>, clock: &ManualClock) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, OpenOptions::exclusive(ids.clone(), clock.now())).unwrap())
}

/// `people` people, the first `members` of whom are in one group.
async fn imported(people: usize, members: usize) -> Fed {
    let store = |path: PathBuf, ids: &Arc<CountingIds>, clock: &ManualClock| opened(&path, ids, clock);
    let fed = Fed::over(usize::MAX, Shape::KeptTrees, Rules::Plain, store).await;
    (0..people).for_each(|number| fed.put_person(number, "a"));
    fed.put_group(1, (0..members).map(|number| person_dn(number, "a")));
    fed.import("out", ImportKind::Full).await;
    fed.import("dir", ImportKind::Full).await;
    fed
}

/// The same, in both systems.
async fn fed(people: usize, members: usize) -> Fed {
    let fed = imported(people, members).await;
    fed.sync("dir").await;
    fed.export().await;
    fed.round().await;
    fed
}

fn delete(fed: &Fed, number: usize) {
    assert!(fed.dir.remove(name("person"), &format!("p{number}")));
}

/// The references of the group in the management space.
fn staged(fed: &Fed) -> Vec<String> {
    fed.rows(
        "SELECT r.key FROM space_ref r JOIN connector c ON c.id = r.connector WHERE c.name = 'dir' ORDER BY r.key",
    )
}

/// The members of all groups, as the system has them.
fn all_members(fed: &Fed) -> Vec<String> {
    let mut members: Vec<String> = [1, 2].into_iter().flat_map(|group| fed.members(group)).collect();
    members.sort();
    members
}

fn group_of(fed: &Fed) -> Vec<String> {
    let mut members = fed.members(1);
    members.sort();
    members
}

/// Reads what changed; a full import finds nothing that the delta did not.
async fn same_as_full(fed: &Fed, connector: &str) -> RunReport {
    let delta = fed.import(connector, ImportKind::Delta).await;
    let hashes = "SELECT o.external_id || ' ' || hex(o.hash) || ' ' || (o.flags & 1) || ' ' || \
                  coalesce((SELECT d.body FROM drift d WHERE d.space = o.id), '') \
                  FROM space_object o ORDER BY o.id";
    let before = fed.rows(hashes);
    let full = fed.import(connector, ImportKind::Full).await;
    let counts = ["added", "changed", "drifted", "deleted"].map(|count| full.count(count));
    assert_eq!(counts, [0; 4], "{full:?}");
    assert_eq!(fed.rows(hashes), before);
    delta
}

#[tokio::test]
async fn a_deleted_member_leaves_the_group_with_the_delta_and_the_targets_follow() {
    let fed = fed(20, 6).await;
    delete(&fed, 2);
    assert_eq!(fed.members(1).len(), 5, "the system took it out");
    let delta = same_as_full(&fed, "dir").await;
    assert_eq!((delta.state, delta.count("references_dropped")), (RunState::Succeeded, 1), "{delta:?}");
    assert_eq!((delta.count("deleted"), delta.count("changed")), (1, 1));
    assert_eq!(staged(&fed), group_of(&fed));
    fed.sync("dir").await;
    fed.export().await;
    let team = fed.out.objects().into_iter().find(|object| object.object_type == name("team")).unwrap();
    assert_eq!(team.attributes.get(name("member")).unwrap().as_slice().len(), 5);
}

#[tokio::test]
async fn a_member_that_is_renamed_stays_one_and_no_target_hears_otherwise() {
    let fed = fed(20, 6).await;
    fed.put_person(2, "b");
    assert!(group_of(&fed).contains(&person_dn(2, "b")), "the system lets references follow");
    let delta = same_as_full(&fed, "dir").await;
    assert_eq!((delta.state, delta.count("references_renamed")), (RunState::Succeeded, 1), "{delta:?}");
    assert_eq!(staged(&fed), group_of(&fed));
    let changes = "SELECT CAST(count(*) AS TEXT) FROM change c JOIN mesh_object m ON m.id = c.mesh WHERE m.anchor = 'g1'";
    let before = fed.rows(changes);
    fed.round().await;
    assert_eq!(fed.rows(changes), before, "nothing is new about the group");

    // Far away, where names are longer than any key of an index, and back.
    for ou in ["far".repeat(300), "a".to_owned(), "far".repeat(300)] {
        fed.put_person(2, &ou);
        same_as_full(&fed, "dir").await;
        assert_eq!(staged(&fed), group_of(&fed));
    }
    assert!(staged(&fed).iter().any(|member| member.len() > 900));
    delete(&fed, 2);
    assert_eq!(same_as_full(&fed, "dir").await.count("references_dropped"), 1);
    assert_eq!(staged(&fed).len(), 5);
}

/// A person under a name that another one has or had.
fn put_as(fed: &Fed, external_id: &str, dn: &str) {
    let mut object = Object::new();
    object.set(name("dn"), dn);
    object.set(name("id"), external_id);
    object.set(name("ou"), "a");
    fed.dir.put(name("person"), external_id, object);
}

#[tokio::test]
async fn a_former_name_means_who_had_it_and_not_who_takes_it() {
    let fed = fed(20, 6).await;
    let (two, ten, three) = (person_dn(2, "a"), person_dn(10, "a"), person_dn(3, "a"));
    // A member is renamed, and somebody who was no member takes the name.
    fed.put_person(2, "b");
    put_as(&fed, "p10", &two);
    assert_eq!(same_as_full(&fed, "dir").await.count("references_renamed"), 1);
    assert_eq!(staged(&fed), group_of(&fed));
    assert!(!staged(&fed).contains(&two));

    // Somebody new takes the next one.
    fed.put_person(3, "b");
    put_as(&fed, "new", &three);
    same_as_full(&fed, "dir").await;
    assert!(!staged(&fed).contains(&three));

    // The newcomers become members, which the system tells, and are read again for another reason.
    fed.set_members(1, group_of(&fed).into_iter().chain([two.clone(), three.clone()]));
    same_as_full(&fed, "dir").await;
    fed.put_person(2, "c");
    fed.put_person(3, "c");
    let mut object = Object::new();
    object.set(name("dn"), two.as_str());
    object.set(name("id"), "another id");
    fed.dir.put(name("person"), "p10", object);
    same_as_full(&fed, "dir").await;
    assert!(staged(&fed).contains(&two) && staged(&fed).contains(&three), "{:?}", staged(&fed));
    assert!(!staged(&fed).contains(&ten));
}

#[tokio::test]
async fn members_exchange_their_names() {
    let fed = fed(20, 6).await;
    let [one, two, three] = [1, 2, 3].map(|number| person_dn(number, "a"));
    // In a ring: two of them change places, and one gets the name of one that is gone.
    put_as(&fed, "p1", "cn=between,ou=a,dc=d");
    put_as(&fed, "p2", &one);
    put_as(&fed, "p1", &two);
    delete(&fed, 3);
    put_as(&fed, "p4", &three);
    same_as_full(&fed, "dir").await;
    assert_eq!((staged(&fed), staged(&fed).len()), (group_of(&fed), 5));
    assert!(staged(&fed).contains(&three));

    // One whose name another member takes is deleted.
    put_as(&fed, "p2", "cn=again,ou=a,dc=d");
    put_as(&fed, "p1", &one);
    delete(&fed, 2);
    same_as_full(&fed, "dir").await;
    assert_eq!((staged(&fed), staged(&fed).len()), (group_of(&fed), 4));
}

#[tokio::test]
async fn many_deleted_members_are_one_change_of_the_group() {
    let fed = imported(1_500, 1_000).await;
    (100..250).for_each(|number| delete(&fed, number));
    let changes = "SELECT CAST(count(*) AS TEXT) FROM space_change s JOIN space_object o ON o.id = s.space \
                   WHERE o.external_id = 'g1' AND s.kind = 'mended'";
    let before: u64 = fed.rows(changes)[0].parse().unwrap();
    let delta = same_as_full(&fed, "dir").await;
    assert_eq!((delta.count("references_dropped"), delta.count("changed")), (150, 1), "{delta:?}");
    assert_eq!(fed.rows(changes)[0].parse::<u64>().unwrap(), before + 1);
    assert_eq!(staged(&fed).len(), 850);
}

#[tokio::test]
async fn who_is_made_again_under_the_same_name_is_no_member() {
    let fed = fed(20, 6).await;
    delete(&fed, 2);
    let mut again = Object::new();
    again.set(name("dn"), person_dn(2, "a").as_str());
    again.set(name("id"), "p2");
    again.set(name("ou"), "a");
    fed.dir.put(name("person"), "another", again.clone());
    same_as_full(&fed, "dir").await;
    assert_eq!(staged(&fed).len(), 5, "the group holds nobody of that name");

    // Unless somebody says so.
    assert!(fed.dir.remove(name("person"), "another"));
    fed.dir.put(name("person"), "third", again);
    fed.set_members(1, (0..4).map(|number| person_dn(number, "a")));
    same_as_full(&fed, "dir").await;
    assert_eq!(staged(&fed), group_of(&fed));
    assert_eq!(staged(&fed).len(), 4);
}

#[tokio::test]
async fn who_is_only_moved_out_stays_a_member() {
    let fed = fed(20, 6).await;
    assert!(fed.dir.move_out(name("person"), "p2"));
    let delta = same_as_full(&fed, "dir").await;
    assert_eq!((delta.count("deleted"), delta.count("references_dropped")), (1, 0), "{delta:?}");
    assert_eq!(staged(&fed).len(), 6);
    // Back again, and the group means this one as before.
    fed.put_person(2, "a");
    fed.round().await;
    let team = fed.out.objects().into_iter().find(|object| object.object_type == name("team")).unwrap();
    assert_eq!(team.attributes.get(name("member")).unwrap().as_slice().len(), 6);
}

#[tokio::test]
async fn held_deletes_take_no_group_apart_that_a_full_import_would_show_whole() {
    let fed = fed(20, 15).await;
    (0..12).for_each(|number| delete(&fed, number));
    let delta = fed.import("dir", ImportKind::Delta).await;
    assert_eq!((delta.state, delta.count("deletes_held")), (RunState::Held, 12), "{delta:?}");
    assert_eq!(staged(&fed), group_of(&fed), "what the group holds is what the system says it holds");
    let full = fed.import("dir", ImportKind::Full).await;
    assert_eq!((full.count("changed"), full.count("deletes_held")), (0, 12), "{full:?}");
}

#[tokio::test]
async fn an_object_that_is_missed_by_a_full_import_takes_its_references_with_it() {
    let fed = fed(20, 6).await;
    // As if the group had been read before the account was deleted, and the other read behind it.
    fed.dir.move_out(name("person"), "p3");
    delete(&fed, 2);
    fed.set_members(1, (0..6).map(|number| person_dn(number, "a")));
    let full = fed.import("dir", ImportKind::Full).await;
    assert_eq!((full.count("deleted"), full.count("references_dropped")), (2, 1), "{full:?}");
    let left: Vec<String> = [0, 1, 3, 4, 5].map(|number| person_dn(number, "a")).to_vec();
    assert_eq!(staged(&fed), left, "who was moved out is still a member");
}

/// The group of a target is ours, and a member of it that is not.
#[tokio::test]
async fn what_a_target_drops_out_of_our_group_is_drift_as_a_full_import_says() {
    let fed = fed(20, 6).await;
    let team = fed.out.objects().into_iter().find(|object| object.object_type == name("team")).unwrap();
    let mut visitor = Object::new();
    visitor.set(name("dn"), "cn=visitor,ou=a,dc=t");
    visitor.set(name("cn"), "visitor");
    fed.out.put(name("account"), "visitor", visitor);
    let mut members = team.attributes.get(name("member")).unwrap().as_slice().to_vec();
    members.push(Value::reference("cn=visitor,ou=a,dc=t"));
    fed.out.set(name("team"), &team.external_id, name("member"), Values::set(members));
    let added = same_as_full(&fed, "out").await;
    assert_eq!(added.count("drifted"), 1, "{added:?}");
    let drifted = "SELECT CAST(count(*) AS TEXT) FROM drift";
    assert_eq!(fed.rows(drifted), ["1"]);

    assert!(fed.out.remove(name("account"), "visitor"));
    let dropped = same_as_full(&fed, "out").await;
    assert_eq!((dropped.count("references_dropped"), dropped.count("drifted")), (1, 0), "{dropped:?}");
    assert_eq!(fed.rows(drifted), ["0"], "it is as we wrote it again");

    // One of ours, which somebody deleted in the target.
    let mut accounts = fed.out.objects().into_iter();
    let ours = accounts.find(|object| object.object_type == name("account")).unwrap();
    assert!(fed.out.remove(name("account"), &ours.external_id));
    let dropped = same_as_full(&fed, "out").await;
    assert_eq!((dropped.count("references_dropped"), dropped.count("drifted")), (1, 1), "{dropped:?}");
}

/// We delete an account ourselves, and so know nothing of it any more when the target tells of that.
#[tokio::test]
async fn an_account_that_we_deleted_leaves_groups_that_we_only_read() {
    let fed = fed(20, 6).await;
    let mut accounts = fed.out.objects().into_iter();
    let dn = |object: &Object| object.single(name("dn")).unwrap().as_text().unwrap().to_owned();
    let is_it = |object: &Object| object.single(name("cn")) == Some(&Value::text("p9"));
    let account = accounts.find(|object| is_it(&object.attributes)).unwrap();
    let mut team = Object::new();
    team.set(name("dn"), "cn=others,ou=teams,dc=t");
    team.set(name("cn"), "others");
    team.put(name("member"), Values::set(vec![Value::reference(dn(&account.attributes))]));
    fed.out.put(name("team"), "others", team);
    same_as_full(&fed, "out").await;
    delete(&fed, 9);
    fed.import("dir", ImportKind::Delta).await;
    fed.sync("dir").await;
    fed.export().await;
    assert_eq!(fed.out.object(name("account"), &account.external_id), None);
    let delta = same_as_full(&fed, "out").await;
    assert_eq!((delta.count("references_dropped"), delta.count("unknown")), (1, 1), "{delta:?}");

    // Somebody else under the same name, made before anybody heard of the deletion, is not meant by it.
    let mut accounts = fed.out.objects().into_iter();
    let account =
        accounts.find(|object| object.attributes.single(name("cn")) == Some(&Value::text("p8"))).unwrap();
    let held = Values::set(vec![Value::reference(dn(&account.attributes))]);
    fed.out.set(name("team"), "others", name("member"), held);
    same_as_full(&fed, "out").await;
    delete(&fed, 8);
    fed.import("dir", ImportKind::Delta).await;
    fed.sync("dir").await;
    fed.export().await;
    fed.out.put(name("account"), "newcomer", account.attributes.clone());
    let delta = same_as_full(&fed, "out").await;
    assert_eq!(delta.count("references_dropped"), 1, "{delta:?}");

    // Put in by others, it is not taken out for a deletion long past.
    let again = Values::set(vec![Value::reference(dn(&account.attributes))]);
    fed.out.set(name("team"), "others", name("member"), again);
    let delta = same_as_full(&fed, "out").await;
    assert_eq!(delta.count("references_dropped"), 0, "{delta:?}");
}

/// So many groups that they are written in parts, between which the process dies.
#[tokio::test]
async fn a_kill_between_the_parts_of_many_groups_takes_no_name_for_another() {
    const GROUPS: usize = 1_200;
    let mut died = 0;
    for nth in (1..CALLS_MAX).rev() {
        let fed = imported(10, 2).await;
        (2..GROUPS).for_each(|group| fed.put_group(group, [3, 4].map(|number| person_dn(number, "a"))));
        same_as_full(&fed, "dir").await;
        fed.put_person(3, "b");
        put_as(&fed, "p4", &person_dn(3, "a"));
        put_as(&fed, "new", &person_dn(4, "a"));
        let control = Arc::<Control>::default();
        let fed = fed.reopen(|store| over(store, Arc::clone(&control)));
        control.fail(nth, Failure::DiesAfter);
        let _died = import(&fed.mesh, name("dir"), ImportKind::Delta).await;
        died += u64::from(control.is_dead());
        let fed = fed.reopen(|store| store);
        same_as_full(&fed, "dir").await;
        // The last calls are those that settle, and what comes behind.
        if died == 6 {
            return;
        }
    }
    panic!("the process died {died} times");
}

/// Every call of the store that a delta makes fails once, as a process that ends does, before and after it.
#[tokio::test]
async fn a_kill_at_any_call_loses_no_reference() {
    for failure in [Failure::Once, Failure::DiesBefore, Failure::DiesAfter] {
        let mut finished = false;
        for nth in 1..CALLS_MAX {
            let fed = fed(30, 8).await;
            delete(&fed, 2);
            delete(&fed, 20);
            fed.put_group(2, [person_dn(4, "a")]);
            fed.put_person(6, "b");
            // A ring of names: taken over by another member, by somebody new, and from one that is deleted.
            fed.put_person(3, "b");
            put_as(&fed, "p5", &person_dn(3, "a"));
            put_as(&fed, "new", &person_dn(5, "a"));
            put_as(&fed, "p7", &person_dn(2, "a"));
            let control = Arc::<Control>::default();
            let fed = fed.reopen(|store| over(store, Arc::clone(&control)));
            control.fail(nth, failure);
            let result = import(&fed.mesh, name("dir"), ImportKind::Delta).await;
            finished = result.is_ok() && !control.is_dead();
            let fed = fed.reopen(|store| store);
            same_as_full(&fed, "dir").await;
            assert_eq!(staged(&fed), all_members(&fed), "{failure:?} at call {nth}");
            if finished && control.calls() < nth {
                break;
            }
        }
        assert!(finished, "{failure:?} was never outlived");
    }
}
