//! A domain controller, started and read back by the test kit itself.

use identitymesh_testkit::real::{SambaAd, SambaAdOptions};

const ANA: &str = "dn: OU=people,DC=mesh,DC=test\nobjectClass: organizationalUnit\n\n\
    dn: CN=ana,OU=people,DC=mesh,DC=test\nobjectClass: user\nsAMAccountName: ana\n\n";

#[test]
fn a_controller_is_filled_killed_and_comes_back_with_its_data() {
    let options = SambaAdOptions { initial_ldif: ANA.to_owned(), ..SambaAdOptions::default() };
    let Some(mut ad) = SambaAd::start(&options) else { return };
    ad.modify("dn: CN=ana,OU=people,DC=mesh,DC=test\nchangetype: modify\nreplace: title\ntitle: Boss\n")
        .unwrap();
    let people = |ad: &SambaAd| ad.search(&ad.base, "(sAMAccountName=ana)", &["title"]);
    let before = people(&ad).unwrap();
    assert_eq!(before["CN=ana,OU=people,DC=mesh,DC=test"]["title"], [b"Boss"]);
    assert!(ad.binds(&ad.bind_name, &ad.password) && !ad.binds(&ad.bind_name, "wrong"));
    ad.stop();
    assert!(people(&ad).is_err());
    ad.restart().unwrap();
    assert_eq!(people(&ad).unwrap(), before);
}
