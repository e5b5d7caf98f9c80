//! Directories that keep groups in step with deleted and renamed entries by themselves: after a delta the management space holds what a
//! full import shows, whether the directory tells of it or not.

use std::fmt::Write as _;

use identitymesh_testkit::real::{
    Ds389, Ds389Options, SambaAd, SambaAdOptions, SessionLog, Slapd, SlapdOptions,
};
use rusqlite::Connection;
use serde_json::Value as Json;

use super::directory::{Directory, Family, dn, entry};
use super::mesh::flows;
use crate::process::Place;

const PEOPLE: usize = 14;
const MESH: &str = "[[type]]\nname = \"user\"\n[type.attributes]\naccount = \"string\"\nmanager = \"reference\"\n\n\
    [[type]]\nname = \"group\"\n[type.attributes]\ntitle = \"string\"\nmembers = \"reference[]\"\n";
/// Everything that is known of entries, and every reference.
const HELD: &str = "SELECT o.external_id || ' ' || (o.flags & 1) || ' ' || hex(o.hash) || ' ' || \
    coalesce((SELECT group_concat(r.key) FROM (SELECT key FROM space_ref WHERE space = o.id ORDER BY key) r), '') \
    FROM space_object o ORDER BY 1";

struct Mesh {
    place: Place,
    directory: Directory,
}

/// People of whom the first manages three, a team of ten, and somewhere else to go.
fn population(family: Family) -> String {
    let mut text = String::new();
    for name in ["Staff", "Elsewhere"] {
        let ou = if family == Family::Samba { String::new() } else { format!("ou: {name}\n") };
        writeln!(text, "dn: ou={name},dc=mesh,dc=test\nobjectClass: organizationalUnit\n{ou}").unwrap();
    }
    for at in 0..PEOPLE {
        let manager = format!("\nmanager: {}\n\n", dn(family, 0));
        let entry = entry(family, at);
        text += &if (1..4).contains(&at) { entry.trim_end().to_owned() + &manager } else { entry };
    }
    let class =
        if family == Family::Samba { "group\nsAMAccountName: team" } else { "groupOfNames\ncn: team" };
    writeln!(text, "dn: cn=team,ou=Staff,dc=mesh,dc=test\nobjectClass: {class}").unwrap();
    (0..10).for_each(|at| writeln!(text, "member: {}", dn(family, at)).unwrap());
    text + "\n"
}

impl Mesh {
    /// A mesh that has read the directory and synchronised.
    fn over(directory: Directory, settings: &str) -> Self {
        let place = Place::new();
        let is_domain = directory.family() == Family::Samba;
        let (kind, account) =
            if is_domain { ("active-directory", "sAMAccountName") } else { ("ldap", "uid") };
        let (dn, password) = directory.bind();
        let mut text = format!(
            "[connector]\nname = \"directory\"\ntype = \"{kind}\"\n\n[connector.settings]\nservers = [\"{}\"]\n\
             ca_file = \"{}\"\nbase = \"dc=mesh,dc=test\"\ninclude = [\"ou=Staff,dc=mesh,dc=test\"]\n\
             bind_dn = \"{dn}\"\nbind_password = \"{{{{secret:directory}}}}\"\n{settings}\n",
            directory.url(),
            directory.ca_file().display(),
        );
        if !is_domain {
            text += "\n[connector.settings.types.user]\nattributes = { uid = \"string\", manager = \"reference\" }\n\
                     [connector.settings.types.group]\nattributes = { cn = \"string\" }\n";
        }
        text += &flows("user", "user", account, &[(account, "account"), ("manager", "manager")]);
        text += &flows("group", "group", "cn", &[("cn", "title"), ("member", "members")]);
        place.write_rules(MESH, &[("directory", &text)]);
        place.keep_secret("directory", password);
        place.good(&["apply", "rules"]);
        let mesh = Self { place, directory };
        mesh.import("full");
        mesh.place.good(&["run", "sync", "--connector", "directory"]);
        mesh
    }

    /// The counters of an import that must be one of this kind.
    fn import(&self, kind: &str) -> Json {
        let arguments = ["run", &format!("{kind}-import"), "--connector", "directory", "--strict"];
        let run = self.place.json(&arguments)["runs"][0].take();
        assert_eq!(
            (&run["step"], &run["state"]),
            (&format!("{kind}-import").into(), &"succeeded".into()),
            "{run}"
        );
        assert_eq!(run["message"], Json::Null, "{run}");
        run["counters"].clone()
    }

    fn held(&self) -> Vec<String> {
        let database = Connection::open(self.place.data().join("mesh.db")).unwrap();
        let mut statement = database.prepare(HELD).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// The delta's counters; a full import finds nothing that it did not.
    fn same_as_full(&self) -> Json {
        let delta = self.import("delta");
        let before = self.held();
        let full = self.import("full");
        for count in ["added", "changed", "deleted"] {
            assert_eq!(full.get(count), None, "{count}: {full} after {delta}");
        }
        assert_eq!(self.held(), before);
        delta
    }

    /// How many references to entries are known.
    fn references(&self) -> i64 {
        let database = Connection::open(self.place.data().join("mesh.db")).unwrap();
        let count = "SELECT count(*) FROM space_ref WHERE key NOT LIKE '%CN=Schema%'";
        database.query_row(count, [], |row| row.get(0)).unwrap()
    }

    fn delete(&self, at: usize) {
        self.directory.delete(at);
        self.settled();
    }

    fn add(&self, at: usize) {
        let added = entry(self.directory.family(), at).replacen('\n', "\nchangetype: add\n", 1);
        self.directory.modify(&added);
    }

    fn rename(&self, at: usize, rdn: &str, container: &str) {
        self.directory.modify(&format!(
            "dn: {}\nchangetype: moddn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: ou={container},dc=mesh,dc=test\n",
            dn(self.directory.family(), at)
        ));
    }

    /// OpenLDAP takes references out a moment after it has answered.
    fn settled(&self) {
        let Directory::Slapd(slapd) = &self.directory else { return };
        let is_there =
            |dn: &str| !slapd.search(&slapd.suffix, &format!("(uid={dn})"), &["1.1"]).unwrap().is_empty();
        for _ in 0..200 {
            let team =
                slapd.search("cn=team,ou=Staff,dc=mesh,dc=test", "(objectClass=*)", &["member"]).unwrap();
            let members = team.values().flat_map(|entry| &entry["member"]);
            let names = members.map(|member| String::from_utf8(member.clone()).unwrap());
            let dangling =
                |name: String| name.contains("Staff") && !is_there(name[4..].split(',').next().unwrap());
            if !names.into_iter().any(dangling) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the server keeps references to what is gone");
    }
}

/// A member is deleted for good, the manager too, a third one is made again under the same name and put back in no group.
fn deleted(mesh: &Mesh, is_told: bool) {
    let before = mesh.references();
    assert_eq!(before, 13);
    mesh.delete(5);
    mesh.delete(0);
    mesh.delete(7);
    mesh.add(7);
    let delta = mesh.same_as_full();
    let dropped = delta.get("references_dropped").and_then(Json::as_u64).unwrap_or(0);
    assert_eq!(dropped, if is_told { 0 } else { 6 }, "three members, and the manager of three: {delta}");
    assert_eq!(mesh.references(), 7);
    assert_eq!(delta["deleted"], 3);

    // Once more with nothing around it, and put back by somebody.
    mesh.delete(8);
    mesh.add(8);
    let family = mesh.directory.family();
    mesh.directory.modify(&format!(
        "dn: cn=team,ou=Staff,dc=mesh,dc=test\nchangetype: modify\nadd: member\nmember: {}\n",
        dn(family, 8)
    ));
    mesh.same_as_full();
    assert_eq!(mesh.references(), 7);
}

/// Who is moved out of what is read stays a member, and who is renamed and deleted does not.
fn moved(mesh: &Mesh) {
    let before = mesh.references();
    mesh.rename(1, "cn=p001", "Elsewhere");
    let delta = mesh.same_as_full();
    assert_eq!((&delta["deleted"], delta.get("references_dropped")), (&1.into(), None), "{delta}");
    assert_eq!(mesh.references(), before);
    mesh.rename(2, "cn=renamed", "Staff");
    mesh.directory.modify("dn: cn=renamed,ou=Staff,dc=mesh,dc=test\nchangetype: delete\n");
    let delta = mesh.same_as_full();
    assert_eq!((&delta["deleted"], &delta["references_dropped"]), (&1.into(), &1.into()), "{delta}");
    assert_eq!(mesh.references(), before - 1);
}

/// Who gets another name is a member as before.
fn renamed(mesh: &Mesh, is_told: bool) {
    let before = mesh.references();
    let family = mesh.directory.family();
    let rdn = if family == Family::Samba { "cn=renamed" } else { "uid=renamed" };
    mesh.rename(9, rdn, "Staff");
    mesh.settled();
    let delta = mesh.same_as_full();
    let followed = if is_told { None } else { Some(&Json::from(1)) };
    assert_eq!(delta.get("references_renamed"), followed, "{delta}");
    assert_eq!(mesh.references(), before);
    assert!(mesh.held().iter().any(|held| held.to_lowercase().contains(rdn)), "{:?}", mesh.held());
}

/// Names of members are taken over: by somebody new, and by another member.
fn taken_over(mesh: &Mesh) {
    let before = mesh.references();
    let family = mesh.directory.family();
    let kind = if family == Family::Samba { "cn" } else { "uid" };
    mesh.rename(4, &format!("{kind}=away"), "Staff");
    mesh.settled();
    if family == Family::Samba {
        let dn = "cn=away,ou=Staff,dc=mesh,dc=test";
        let named = "changetype: modify\nreplace: sAMAccountName\nsAMAccountName: away\n";
        mesh.directory.modify(&format!("dn: {dn}\n{named}"));
    }
    mesh.add(4);
    mesh.rename(6, &format!("{kind}=further"), "Staff");
    mesh.settled();
    let six = dn(family, 6);
    mesh.rename(3, six.split(',').next().unwrap(), "Staff");
    mesh.settled();
    // The group itself changes as well, and not in these members.
    mesh.directory.modify(&format!(
        "dn: cn=team,ou=Staff,dc=mesh,dc=test\nchangetype: modify\nadd: member\nmember: {}\n",
        dn(family, 12)
    ));
    mesh.same_as_full();
    assert_eq!(mesh.references(), before + 1);
}

/// So many are gone that somebody has to approve it: what referred to them goes with the next import.
fn approved(mesh: &Mesh) {
    let before = mesh.references();
    (1..12).for_each(|at| mesh.directory.delete(at));
    mesh.settled();
    let arguments = ["run", "delta-import", "--connector", "directory"];
    let run = mesh.place.json(&arguments)["runs"][0].take();
    assert_eq!((&run["state"], &run["counters"]["deletes_held"]), (&"held".into(), &11.into()), "{run}");
    assert_eq!(mesh.references(), before, "nobody knows yet whether they are gone");
    let holds = mesh.place.json(&["holds", "list"]);
    let hold = holds["items"][0]["id"].to_string();
    mesh.place.good(&["holds", "approve", &hold, "--reason", "they left"]);
    let delta = mesh.same_as_full();
    assert_eq!(mesh.references(), before - 9, "{delta}");
}

fn samba(settings: &str) -> Option<Mesh> {
    let options = SambaAdOptions { initial_ldif: population(Family::Samba), ..SambaAdOptions::default() };
    let ad = SambaAd::start(&options)?;
    // Sequence numbers are only used by an account that sees a deleted object.
    ad.modify(&entry(Family::Samba, 900).replacen('\n', "\nchangetype: add\n", 1)).unwrap();
    ad.modify(&format!("dn: {}\nchangetype: delete\n", dn(Family::Samba, 900))).unwrap();
    Some(Mesh::over(Directory::Samba(ad), settings))
}

fn slapd(log: SessionLog, settings: &str) -> Option<Mesh> {
    let initial_ldif = population(Family::Slapd);
    let options = SlapdOptions { initial_ldif, sync: Some(log), refint: true, ..SlapdOptions::default() };
    let settings = format!("refint_attributes = [\"member\", \"manager\"]\n{settings}");
    Some(Mesh::over(Directory::Slapd(Slapd::start(options)?), &settings))
}

#[test]
fn dirsync_tells_of_no_member_that_went_with_an_account_and_none_is_missed() {
    let Some(mesh) = samba("") else { return };
    deleted(&mesh, false);
    moved(&mesh);
    renamed(&mesh, true);
    taken_over(&mesh);
}

#[test]
fn sequence_numbers_tell_of_no_member_that_went_with_an_account_and_none_is_missed() {
    let Some(mesh) = samba("changes = \"usn\"") else { return };
    deleted(&mesh, false);
    moved(&mesh);
    renamed(&mesh, true);
    taken_over(&mesh);
}

#[test]
fn openldap_that_names_what_is_gone_misses_no_member_that_went_with_it() {
    let Some(mesh) = slapd(SessionLog::Memory, "") else { return };
    deleted(&mesh, false);
    renamed(&mesh, false);
    taken_over(&mesh);
}

#[test]
fn openldap_that_names_what_is_there_misses_no_member_that_went_with_the_rest() {
    let Some(mesh) = slapd(SessionLog::None, "") else { return };
    deleted(&mesh, false);
    renamed(&mesh, false);
    taken_over(&mesh);
}

#[test]
fn openldap_that_names_what_is_there_keeps_no_member_whose_absence_was_approved() {
    let Some(mesh) = slapd(SessionLog::None, "") else { return };
    approved(&mesh);
}

#[test]
fn openldap_s_log_of_writes_misses_no_member_that_went_with_an_entry() {
    let Some(mesh) = slapd(SessionLog::AccessLog, "changes = \"accesslog\"") else { return };
    deleted(&mesh, false);
    renamed(&mesh, false);
    taken_over(&mesh);
}

#[test]
fn a_389_server_tells_of_every_member_itself() {
    let initial_ldif = population(Family::Ds389);
    let options = Ds389Options { initial_ldif, refint: true, ..Ds389Options::default() };
    let Some(server) = Ds389::start(options) else { return };
    server
        .modify(
            "dn: cn=referential integrity postoperation,cn=plugins,cn=config\nchangetype: modify\n\
             add: referint-membership-attr\nreferint-membership-attr: manager\n",
        )
        .unwrap();
    let mut server = server;
    server.restart().unwrap();
    let mesh = Mesh::over(Directory::Ds389(server), "");
    deleted(&mesh, true);
    renamed(&mesh, true);
    taken_over(&mesh);
}
