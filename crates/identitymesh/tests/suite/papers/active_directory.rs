//! The fifteen minutes of docs/connectors/active-directory.md, block for block, in a Samba domain.

use std::collections::BTreeMap;

use identitymesh_testkit::real::{AgeKey, Attributes, SambaAd, SambaAdOptions};
use serde_json::Value as Json;

use super::page::{Block, blocks, page, part, the_block};
use super::windows;
use crate::process::Place;

const PAGE: &str = "docs/connectors/active-directory.md";
/// The key that stands on the page.
pub(super) const KEY: &str = "age1h22knvkupj0wzzreslttfv53ywllwc0gstq2jdq2f9y5v5zujefq4q6vmh";
pub(super) const SERVICE_PASSWORD: &str = "Serv1ce!of-the-page";
const OLD_PASSWORD: &str = "Long-before-1";

/// The blocks of the example, with this domain's words in place of those that the page says are the reader's own.
pub(super) fn example(ad: &SambaAd, key: &str) -> Vec<Block> {
    let own = [
        ("dc1.corp.example", ad.address.as_str()),
        ("DC=corp,DC=example", &ad.base),
        ("corp.example", "mesh.test"),
        ("CORP", "MESH"),
        (KEY, key),
    ];
    blocks(part(&page(PAGE), "## Example", "\n## Settings"), &own)
}

/// Everybody with a number: whom the domain takes them for, and what it holds.
fn accounts(ad: &SambaAd) -> BTreeMap<String, (String, Attributes)> {
    let wanted = [
        "employeeID",
        "sAMAccountName",
        "userPrincipalName",
        "title",
        "mail",
        "manager",
        "userAccountControl",
        "pwdLastSet",
        "objectGUID",
        "uSNChanged",
    ];
    let found = ad.search(&ad.base, "(&(objectCategory=person)(employeeID=*))", &wanted).unwrap();
    found.into_iter().map(|(dn, entry)| (text(&entry, "employeeID"), (dn, entry))).collect()
}

fn text(entry: &Attributes, name: &str) -> String {
    let values = entry.get(name).map_or(&[][..], Vec::as_slice);
    assert!(values.len() < 2, "{name} has {} values", values.len());
    values.first().map_or_else(|| "-".to_owned(), |value| String::from_utf8(value.clone()).unwrap())
}

/// One line for each: number, name, both names to sign in with, title, address, manager, flags of the account.
fn told(ad: &SambaAd) -> Vec<String> {
    let shown = ["sAMAccountName", "userPrincipalName", "title", "mail", "manager", "userAccountControl"];
    let line = |(_, (dn, entry)): (String, (String, Attributes))| {
        let values = shown.map(|name| text(&entry, name)).join(" | ");
        format!("{dn} | {values}").replace(&format!(",{}", ad.base), "").replace("@corp.example", "@…")
    };
    accounts(ad).into_iter().map(line).collect()
}

/// When each account was last written to, by the domain's own count.
fn versions(ad: &SambaAd) -> BTreeMap<String, String> {
    accounts(ad).into_iter().map(|(id, (_, entry))| (id, text(&entry, "uSNChanged"))).collect()
}

#[test]
fn the_fifteen_minutes_from_hr_to_active_directory_work_as_they_are_written() {
    let Some(_age_is_there) = AgeKey::make() else { return };
    let Some(ad) = SambaAd::start(&SambaAdOptions::default()) else { return };
    let place = Place::new();
    std::fs::copy(&ad.ca_file, place.path().join("company-ca.pem")).unwrap();
    let written = example(&ad, KEY);

    windows::carry_out(&ad, the_block(&written, "powershell", "New-ADUser"), SERVICE_PASSWORD);
    place.shell(the_block(&written, "sh", "age-keygen"), "");
    let key = std::fs::read_to_string(place.path().join("service-desk.txt")).unwrap();
    let key = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let written = example(&ad, key);
    let rules = the_block(&written, "toml", "name = \"ad\"");
    std::fs::write(place.path().join("mesh/connectors/ad.toml"), rules).unwrap();

    // Somebody who was there before, and now has a number.
    ad.add_account("mkeller", OLD_PASSWORD).unwrap();
    ad.modify(&format!(
        "dn: CN=mkeller,CN=Users,{base}\nchangetype: modrdn\nnewrdn: CN=mkeller\ndeleteoldrdn: 1\n\
         newsuperior: OU=Staff,{base}\n",
        base = ad.base
    ))
    .unwrap();
    windows::carry_out(&ad, the_block(&written, "powershell", "Set-ADUser"), "");
    let before = accounts(&ad);

    let said = place.shell(the_block(&written, "sh", "secrets set ad/service"), SERVICE_PASSWORD);
    assert!(said.contains("changes are read by dirsync"), "{said}");
    assert_eq!(
        told(&ad),
        [
            "CN=Marta Keller 100001,OU=Operations,OU=Staff | mkeller | mkeller@mesh.test | Head of Operations | marta.keller@… | - | 512",
            "CN=Jonas O'Neill 100002,OU=Operations,OU=Staff | joneill | 100002@mesh.test | Planner | jonas.oneill@… | CN=Marta Keller 100001,OU=Operations,OU=Staff | 512",
            "CN=Zoë de Wit 100003,OU=Finance,OU=Staff | zdewit | 100003@mesh.test | Accountant | zoe.dewit@… | CN=Marta Keller 100001,OU=Operations,OU=Staff | 512",
            "CN=Łukasz Brandt 100004,OU=Finance,OU=Staff | lbrandt | 100004@mesh.test | Controller | - | CN=Zoë de Wit 100003,OU=Finance,OU=Staff | 512",
            "CN=Ines Carvalho 100005,OU=Operations,OU=Staff | icarvalho | 100005@mesh.test | Planner | ines.carvalho@… | CN=Marta Keller 100001,OU=Operations,OU=Staff | 512",
        ]
    );
    let loaded = accounts(&ad);
    let [was, is] = [&before, &loaded].map(|accounts| accounts["100001"].1["objectGUID"].clone());
    assert_eq!(was, is, "the account that was there is the same account");
    assert!(ad.binds("mkeller@mesh.test", OLD_PASSWORD), "with its old password");
    passwords_are_delivered(&ad, &place.shell(the_block(&written, "sh", "age --decrypt"), ""));

    let quiet = versions(&ad);
    place.good(&["run", "cycle"]);
    assert_eq!(versions(&ad), quiet, "a second cycle sends nothing");
    let said = place.shell(the_block(&written, "sh", "sed -i"), "");
    assert!(said.contains("queued_disable 1"), "{said}");
    let lines = told(&ad);
    let begins = |at: usize, text: &str| assert!(lines[at].starts_with(text), "{lines:?}");
    begins(
        0,
        "CN=Marta Keller 100001,OU=Operations,OU=Staff | mkeller | mkeller@mesh.test | Director of Operations |",
    );
    begins(2, "CN=Zoë de Wit 100003,OU=Operations,OU=Staff | zdewit |");
    begins(4, "CN=Ines Carvalho 100005,OU=Leavers | icarvalho |");
    assert!(lines[4].ends_with("| 514"), "the leaver is disabled: {lines:?}");
    let changed = versions(&ad);
    for untouched in ["100002", "100004"] {
        assert_eq!(changed[untouched], quiet[untouched], "{untouched} is not written to");
    }
}

/// One for each new account, and none for the one that was there. Each has to be changed, and signs in when it was.
fn passwords_are_delivered(ad: &SambaAd, opened: &str) {
    let notices: Vec<Json> =
        serde_json::Deserializer::from_str(opened).into_iter().map(Result::unwrap).collect();
    let mut numbers: Vec<&str> = notices.iter().map(|notice| notice["anchor"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["100002", "100003", "100004", "100005"]);
    let accounts = accounts(ad);
    for notice in &notices {
        let (number, password) = (notice["anchor"].as_str().unwrap(), notice["password"].as_str().unwrap());
        let (dn, entry) = &accounts[number];
        assert_eq!(text(entry, "pwdLastSet"), "0", "{number} has to change it");
        // As if the person had changed it.
        ad.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: -1\n")).unwrap();
        assert!(ad.binds(&format!("{number}@mesh.test"), password), "{number} signs in");
    }
}
