//! A deletion that waits for what a source says, over real imports.

use std::collections::BTreeMap;

use identitymesh_model::rules::ActiveIn;
use identitymesh_runner::{ImportKind, SyncScope, apply_configuration, sync, why_export};

use crate::place::{Place, Target, id, name};
use crate::undo::{accounts, settled};

const A_WEEK_AND_A_DAY: i64 = 8 * 24 * 3_600;

/// Why the account of this mesh object is as it is.
fn why(place: &Place, mesh: identitymesh_model::MeshId) -> String {
    why_export(&place.mesh, mesh).unwrap().remove(0).verdict
}

#[tokio::test]
async fn nobody_is_deleted_on_the_word_of_a_source_that_could_not_be_read() {
    let place = settled(Target::Flat, 6).await;
    let mut configuration = place.configuration();
    let target = configuration.connectors.iter_mut().find(|known| known.connector.name == name("accounts"));
    let delete = target.unwrap().projection[0].leave.last_mut().unwrap();
    let (connector, object_type) = (name("hr"), name("person"));
    delete.unless_active = vec![ActiveIn { connector, object_type, when: None }];
    apply_configuration(&place.mesh, configuration, BTreeMap::new()).await.unwrap();
    let mesh = place.people().into_iter().find(|row| row.anchor == id(1)).unwrap().id;
    place.hr.remove(name("person"), &id(1));
    place.good_cycle().await;
    place.pass_seconds(A_WEEK_AND_A_DAY);

    place.hr.inject(identitymesh_connector_fake::Fault::ClosePage(1));
    place.import(ImportKind::Full).await.unwrap_err();
    sync(&place.mesh, SyncScope::Everything).await.unwrap();
    place.export().await.unwrap();
    assert_eq!(accounts(&place).len(), 6);
    let told = why(&place, mesh);
    assert!(told.contains("its deletion waits: hr could not be imported last"), "{told}");

    place.hr.clear_faults();
    place.pass_seconds(24 * 3_600);
    place.good_cycle().await;
    assert_eq!(accounts(&place).len(), 5);
}
