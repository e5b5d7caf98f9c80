//! First passwords on good and bad days: each object ends with one password that was delivered, and none is written down.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identitymesh_connector::{Class, NewPassword};
use identitymesh_connector_fake::Fault;
use identitymesh_model::rules::{CharacterClass, Configuration, PasswordRule, SealedFile};
use identitymesh_model::{Name, Object};
use identitymesh_runner::{
    ImportKind, ResetPassword, RunError, SyncScope, apply_configuration, reset_password, sync,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{PasswordDue, RunState};
use identitymesh_testkit::bytes::files_containing;
use identitymesh_testkit::real::AgeKey;
use serde_json::Value as Json;

use crate::place::over_failing;
use crate::place::{Place, Target, id, name, person};
use identitymesh_testkit::failing::{Control, Failure};

const PEOPLE: usize = 3;

/// A place whose accounts get passwords, and who opens what is delivered.
struct Scene {
    place: Place,
    key: AgeKey,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new(come_with_creates: bool) -> Option<Self> {
        let key = AgeKey::make()?;
        let place = Place::bare(Target::Flat);
        if come_with_creates {
            let _same = place.accounts.clone().taking_passwords_with_creates();
        }
        place.hire(0..PEOPLE);
        let scene = Self { place, key, folder: tempfile::tempdir().unwrap() };
        scene.apply(|_| {}).await.unwrap();
        Some(scene)
    }

    /// Puts the configuration in force, changed as a test wants it.
    async fn apply(&self, change: impl FnOnce(&mut Configuration)) -> Result<(), RunError> {
        let mut configuration = self.place.configuration();
        configuration.connectors[0].projection[0].password = Some(PasswordRule {
            length: 20,
            classes: vec![CharacterClass::Lower, CharacterClass::Digit],
            look_alikes: false,
            must_change: true,
            include: vec![name("mail")],
            sealed_file: SealedFile {
                directory: self.directory().display().to_string(),
                recipients: vec![self.key.public.clone()],
            },
        });
        change(&mut configuration);
        apply_configuration(&self.place.mesh, configuration, BTreeMap::new()).await.map(drop)
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("sealed")
    }

    async fn queue(&self) {
        self.place.import(ImportKind::Full).await.unwrap();
        sync(&self.place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    }

    /// What was delivered, the oldest first.
    fn delivered(&self) -> Vec<Json> {
        let Ok(entries) = std::fs::read_dir(self.directory()) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|file| std::fs::metadata(file).unwrap().modified().unwrap());
        files.iter().map(|file| serde_json::from_slice(&self.key.open(file).unwrap()).unwrap()).collect()
    }

    fn owed(&self) -> Vec<PasswordDue> {
        self.place.mesh.store.read().unwrap().passwords_due(None, None, None, 99).unwrap()
    }

    /// The password of a person's account, which is the one that was delivered last.
    fn password(&self, number: usize) -> String {
        let (set, must_change) = self.place.accounts.password(name("account"), &id(number)).unwrap();
        let delivered = self.delivered();
        let last = delivered.iter().rfind(|notice| notice["anchor"] == id(number).as_str()).unwrap();
        assert_eq!((last["password"].as_str(), must_change), (Some(set.as_str()), true));
        assert_eq!(last["attributes"]["mail"][0], format!("p{number}@corp.example"));
        set
    }

    fn told(&self) -> usize {
        let changes = self.place.mesh.store.read().unwrap().changes(0, 1_000).unwrap();
        changes.iter().filter(|change| change.kind == ChangeKind::Password).count()
    }

    /// Every account has one password, delivered and told once; none stands in the store.
    fn is_settled(&self) {
        assert_eq!(self.owed(), []);
        let mut passwords: Vec<String> = (0..PEOPLE).map(|number| self.password(number)).collect();
        let store = self.place.path();
        let store = store.parent().unwrap();
        for password in &passwords {
            assert_eq!(files_containing(store, password.as_bytes()).unwrap(), [""; 0].map(PathBuf::from));
        }
        // The search itself finds what is there.
        assert!(!files_containing(store, b"p1@corp.example").unwrap().is_empty());
        passwords.sort_unstable();
        passwords.dedup();
        assert_eq!((passwords.len(), self.told()), (PEOPLE, PEOPLE));
    }

    fn over_failing(self) -> (Self, Arc<Control>) {
        let (place, control) = over_failing(self.place);
        (Self { place, ..self }, control)
    }

    fn reopen(self) -> Self {
        Self { place: self.place.reopen(), ..self }
    }
}

#[tokio::test]
async fn every_new_account_gets_a_password_with_it_or_straight_after() {
    for come_with_creates in [true, false] {
        let Some(scene) = Scene::new(come_with_creates).await else { return };
        scene.place.good_cycle().await;
        scene.is_settled();
        assert_eq!(scene.place.accounts.password_sets(), PEOPLE as u64, "each was sent once");
        for number in 0..PEOPLE {
            let password = scene.password(number);
            assert!(password.len() == 20 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        // Nothing is done again, and no later change touches a password.
        scene.place.hr.set(name("person"), &id(1), name("sn"), Some("Changed".into()));
        scene.place.good_cycle().await;
        assert_eq!((scene.place.accounts.password_sets(), scene.delivered().len()), (PEOPLE as u64, PEOPLE));
    }
}

#[tokio::test]
async fn a_process_that_dies_anywhere_leaves_no_account_without_a_delivered_password() {
    for come_with_creates in [true, false] {
        for death in [Failure::DiesBefore, Failure::DiesAfter] {
            for arm in [Control::fail_at_settle, Control::fail_at_password] {
                let Some(scene) = Scene::new(come_with_creates).await else { return };
                scene.queue().await;
                let (scene, control) = scene.over_failing();
                arm(&control, death);
                scene.place.export().await.unwrap_err();
                assert!(control.is_dead());
                let scene = scene.reopen();
                scene.place.pass_seconds(3_600);
                scene.place.good_cycle().await;
                scene.is_settled();
            }
        }
    }
}

#[tokio::test]
async fn a_target_that_fails_at_any_call_ends_the_same() {
    for come_with_creates in [true, false] {
        for nth in 1..=8 {
            let Some(scene) = Scene::new(come_with_creates).await else { return };
            scene.queue().await;
            scene.place.accounts.clear_faults();
            scene.place.accounts.inject(Fault::FailCall { nth, class: Class::Transient });
            let _may_fail = scene.place.export().await;
            scene.place.accounts.clear_faults();
            scene.place.pass_seconds(3_600);
            scene.place.good_cycle().await;
            scene.is_settled();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_is_owed_and_made_anew() {
    for come_with_creates in [true, false] {
        let Some(scene) = Scene::new(come_with_creates).await else { return };
        std::fs::write(scene.directory(), "no folder").unwrap();
        scene.queue().await;
        let run = scene.place.export().await.unwrap();
        assert_eq!(
            (run.state, run.count("password_retry")),
            (RunState::SucceededWithFindings, PEOPLE as u64)
        );
        let findings = scene.place.findings(&run);
        assert_eq!(findings[0].finding.code, "PWD-005");
        assert!(findings[0].finding.message.contains("PWD-003"), "{:?}", findings[0]);
        let first = scene.place.accounts.password(name("account"), &id(1)).unwrap().0;
        assert_eq!(scene.owed().len(), PEOPLE);
        assert!(scene.owed()[0].reason.as_deref().unwrap().contains("PWD-003"));
        // Not before its time.
        assert!(scene.place.export().await.unwrap().counters.is_empty());
        std::fs::remove_file(scene.directory()).unwrap();
        scene.place.pass_seconds(30);
        assert_eq!(scene.place.export().await.unwrap().count("password"), PEOPLE as u64);
        scene.is_settled();
        assert_ne!(scene.password(1), first, "nobody received the first, so there is another");
    }
}

#[tokio::test]
async fn an_account_that_somebody_else_made_keeps_its_password() {
    let Some(scene) = Scene::new(true).await else { return };
    let mut account = Object::new();
    let record = person(1);
    for attribute in ["id", "sn", "mail"] {
        account.put(name(attribute), record.get(name(attribute)).cloned());
    }
    account.set(name("state"), "on");
    scene.queue().await;
    // Made by hand between the sync and the export, just as we would make it.
    scene.place.accounts.put(name("account"), &id(1), account.clone());
    let run = scene.place.export().await.unwrap();
    if run.count("already_so") == 0 {
        account.remove(name("state"));
        panic!(
            "the stand-in is not what an export makes: {:?}",
            scene.place.accounts.object(name("account"), &id(0))
        );
    }
    assert_eq!((run.count("already_so"), run.count("password")), (1, PEOPLE as u64 - 1));
    assert_eq!(scene.place.accounts.password(name("account"), &id(1)), None);
    assert_eq!(scene.owed(), []);
}

fn space(scene: &Scene, number: usize) -> identitymesh_model::SpaceId {
    let connector = scene.place.mesh.in_force().unwrap().id(name("accounts")).unwrap();
    scene.place.mesh.store.read().unwrap().space_find(connector, &id(number)).unwrap()[0]
}

async fn reset(scene: &Scene, how: ResetPassword) -> Result<u64, RunError> {
    let report = reset_password(&scene.place.mesh, name("accounts"), space(scene, 1), how).await?;
    Ok(report.count("password"))
}

#[tokio::test]
async fn a_person_has_a_password_set_anew() {
    let Some(scene) = Scene::new(true).await else { return };
    scene.place.good_cycle().await;
    let first = scene.password(1);
    assert_eq!(reset(&scene, ResetPassword::ByRule).await.unwrap(), 1);
    assert_ne!(scene.password(1), first);
    assert_eq!((scene.delivered().len(), scene.told()), (PEOPLE + 1, PEOPLE + 1));
    // One that a person gives is delivered to nobody.
    let given = "Planted-by-hand-4711";
    let how = ResetPassword::Given(NewPassword::new(given.to_owned(), false));
    assert_eq!(reset(&scene, how).await.unwrap(), 1);
    let set = scene.place.accounts.password(name("account"), &id(1));
    assert_eq!(set, Some((given.to_owned(), false)));
    assert_eq!((scene.delivered().len(), scene.told(), scene.owed()), (PEOPLE + 1, PEOPLE + 2, vec![]));
    let store = scene.place.path();
    assert!(files_containing(store.parent().unwrap(), given.as_bytes()).unwrap().is_empty());
    let last = scene.place.mesh.store.read().unwrap().changes(0, 1_000).unwrap().pop().unwrap();
    assert_eq!(last.before, r#"{"by":"person","must_change":false,"op":"password"}"#);
    assert_eq!(scene.place.newest_run().step, "password-reset");
}

#[tokio::test]
async fn a_reset_that_fails_halfway_is_owed() {
    let Some(scene) = Scene::new(true).await else { return };
    scene.place.good_cycle().await;
    std::fs::set_permissions(scene.directory(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(reset(&scene, ResetPassword::ByRule).await.unwrap(), 0);
    assert_eq!(scene.owed().len(), 1);
    std::fs::set_permissions(scene.directory(), std::fs::Permissions::from_mode(0o700)).unwrap();
    scene.place.pass_seconds(30);
    scene.place.export().await.unwrap();
    assert_eq!((scene.owed().len(), scene.delivered().len()), (0, PEOPLE + 1));
    scene.password(1);
}

#[tokio::test]
async fn without_a_rule_there_is_nothing_to_make_a_password_by() {
    let Some(scene) = Scene::new(true).await else { return };
    scene.place.good_cycle().await;
    scene.apply(|configuration| configuration.connectors[0].projection[0].password = None).await.unwrap();
    let refused = reset(&scene, ResetPassword::ByRule).await.unwrap_err().to_string();
    assert!(refused.starts_with("PWD-008") && refused.contains("--ask"), "{refused}");
    assert_eq!(scene.owed(), []);
}

fn problems(result: Result<(), RunError>) -> Vec<String> {
    match result {
        Err(RunError::Rules(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_configuration_that_could_not_work_or_would_keep_a_password_is_refused() {
    let Some(scene) = Scene::new(true).await else { return };
    let refused = scene
        .apply(|configuration| {
            let rule = &mut configuration.connectors[0].projection[0];
            let password = rule.password.as_mut().unwrap();
            password.length = 7;
            password.classes.clear();
            password.include = vec![name("nothing")];
            password.sealed_file.recipients.push("age1wrong".to_owned());
            rule.attributes[1].target = Name::literal("unicodePwd");
            rule.attributes[2].target = Name::literal("USERPASSWORD");
        })
        .await;
    let problems = problems(refused);
    for (code, words) in [
        ("PWD-006", "attribute unicodePwd"),
        ("PWD-006", "attribute USERPASSWORD"),
        ("PWD-006", "[projection.password]"),
        ("PWD-007", "`length` is 7"),
        ("PWD-007", "`classes` names no class"),
        ("PWD-007", "has no attribute nothing"),
        ("PWD-002", "\"age1wrong\" is no age public key"),
    ] {
        let found = problems.iter().any(|problem| problem.starts_with(code) && problem.contains(words));
        assert!(found, "{code} {words}: {problems:#?}");
    }
    assert!(Path::new(&scene.directory()).read_dir().is_err(), "nothing was delivered");
}
