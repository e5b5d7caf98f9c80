//! Values that are too large or cannot be read: they cost themselves, never their object or their neighbours.

use identitymesh_model::{VALUE_BYTES_MAX, Value};
use identitymesh_runner::ImportKind;
use identitymesh_store::RunState;

use crate::place::{Place, Target, id, name};

fn put(place: &Place, number: usize, attribute: &str, value: Value) {
    assert!(place.hr.set(name("person"), &id(number), name(attribute), Some(value.into())));
}

fn account_mail(place: &Place, number: usize) -> Option<String> {
    let account = place.accounts.object(name("account"), &id(number))?;
    Some(account.single(name("mail"))?.to_string())
}

#[tokio::test]
async fn ten_megabytes_in_a_value_leave_it_as_it_was() {
    let place = Place::new(Target::Flat, 20).await;
    place.good_cycle().await;
    put(&place, 3, "mail", Value::text("x".repeat(10 << 20)));
    put(&place, 4, "mail", Value::text("new@corp.example"));
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("changed")), (RunState::SucceededWithFindings, 1));
    let finding = place.findings(&run).remove(0).finding;
    assert_eq!((finding.code, finding.subject.as_deref()), ("IMP-001".into(), Some(id(3).as_str())));
    assert!(finding.message.contains("mail") && finding.message.contains("1048576"), "{}", finding.message);
    assert_eq!((run.count("deleted"), run.count("deletes_unseen"), place.known_people()), (0, 0, 20));
    place.good_cycle().await;
    assert_eq!(place.held(3, "mail").as_deref(), Some("p3@corp.example"));
    assert_eq!(account_mail(&place, 3).as_deref(), Some("p3@corp.example"));
    assert_eq!(account_mail(&place, 4).as_deref(), Some("new@corp.example"));
}

#[tokio::test]
async fn the_largest_value_goes_all_the_way() {
    let place = Place::new(Target::Flat, 3).await;
    let largest = "x".repeat(VALUE_BYTES_MAX);
    put(&place, 1, "mail", Value::text(&largest));
    place.good_cycle().await;
    assert_eq!(account_mail(&place, 1), Some(largest));
}

#[tokio::test]
async fn a_value_that_cannot_be_read_counts_as_unchanged() {
    let place = Place::new(Target::Flat, 5).await;
    place.good_cycle().await;
    put(&place, 2, "mail", Value::Integer(7));
    put(&place, 2, "sn", Value::text("Married"));
    for round in 0..3 {
        let report = place.good_cycle().await;
        let import = &report.runs[0];
        assert_eq!(import.state, RunState::SucceededWithFindings);
        assert_eq!(place.findings(import)[0].finding.code, "FAK-013");
        // The second time there is nothing new about it, and nothing is written.
        assert_eq!(import.count("changed"), u64::from(round == 0), "round {round}: {import:?}");
        assert_eq!(place.held(2, "mail").as_deref(), Some("p2@corp.example"));
        assert_eq!(place.held(2, "sn").as_deref(), Some("Married"));
        assert_eq!(account_mail(&place, 2).as_deref(), Some("p2@corp.example"));
    }
    put(&place, 2, "mail", Value::text("mended@corp.example"));
    place.good_cycle().await;
    assert_eq!(account_mail(&place, 2).as_deref(), Some("mended@corp.example"));
}

#[tokio::test]
async fn a_newcomer_with_a_value_that_cannot_be_read_comes_without_it() {
    let place = Place::new(Target::Flat, 2).await;
    put(&place, 1, "mail", Value::Boolean(true));
    place.good_cycle().await;
    assert_eq!(place.held(1, "sn").as_deref(), Some("Surname 1"));
    assert_eq!((place.held(1, "mail"), account_mail(&place, 1)), (None, None));
}

/// What a target holds and nobody can read is neither what we wrote nor gone.
#[tokio::test]
async fn a_value_in_the_target_that_cannot_be_read_is_no_drift() {
    let place = Place::new(Target::Flat, 3).await;
    place.good_cycle().await;
    place.accounts.set(name("account"), &id(1), name("mail"), Some(Value::Integer(7).into()));
    place.accounts.set(name("account"), &id(1), name("sn"), Some("Foreign".into()));
    let run = identitymesh_runner::import(&place.mesh, name("accounts"), ImportKind::Full).await.unwrap();
    assert_eq!((run.count("drifted"), run.count("findings")), (1, 1));
    let queued = || {
        let mut names = Vec::new();
        for item in place.queue() {
            if let identitymesh_model::plan::ItemAction::Update { changes, .. } = item.action {
                names.extend(changes.into_iter().map(|change| change.name));
            }
        }
        names
    };
    let scope = identitymesh_runner::SyncScope::Pending(name("accounts"));
    identitymesh_runner::sync(&place.mesh, scope).await.unwrap();
    assert_eq!(queued(), [name("sn")], "only what is known to differ is written again");
}
