//! What the page on Active Directory has done with Windows's own commands, done to a Samba domain by what it means.
//!
//! Only the forms that the page uses are known, and everything else ends the test: a line that is not understood must
//! not pass for one that was carried out.

use std::collections::BTreeMap;

use identitymesh_testkit::real::SambaAd;

/// Identifiers of classes, rights of their own included, as every domain has them.
const GUIDS: [(&str, &str); 7] = [
    ("user", "bf967aba-0de6-11d0-a285-00aa003049e2"),
    ("group", "bf967a9c-0de6-11d0-a285-00aa003049e2"),
    ("organizationalUnit", "bf967aa5-0de6-11d0-a285-00aa003049e2"),
    ("contact", "5cb41ed0-0e4c-11d0-a286-00aa003049e2"),
    ("computer", "bf967a86-0de6-11d0-a285-00aa003049e2"),
    ("Reset Password", "00299570-246d-11d0-a768-00aa006e0529"),
    ("Replicating Directory Changes", "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2"),
];

/// Carries out a block. Accounts that it makes get `password`.
pub(super) fn carry_out(ad: &SambaAd, block: &str, password: &str) {
    let mut everywhere: Vec<String> = Vec::new();
    let mut granted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let lines = block.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    for command in lines.filter(|line| !line.is_empty()).flat_map(|line| line.split("; ")) {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["New-ADUser", name, "-AccountPassword", ..] => ad.add_account(name, password).unwrap(),
            ["New-ADOrganizationalUnit", name] => {
                add(ad, &format!("OU={name}"), "objectClass: organizationalUnit\n");
            }
            ["Set-ADUser", name, "-EmployeeID", number] => set_number(ad, name, number),
            ["$who", "=", who] => assert!(who.ends_with("\\identitymesh"), "{who}"),
            ["foreach", "($ou", "in", ref containers @ .., "{"] => {
                everywhere =
                    containers.iter().map(|one| one.trim_end_matches([',', ')']).to_owned()).collect();
            }
            ["}"] => everywhere.clear(),
            ["dsacls", _, "/takeownership"] => {}
            ["dsacls", object, ref rest @ ..] => {
                let objects = if object == "$ou" { everywhere.clone() } else { vec![object.to_owned()] };
                let rights = rights(rest, &ad.sid("identitymesh").unwrap());
                for object in objects {
                    granted.entry(object).or_default().extend(rights.iter().cloned());
                }
            }
            _ => panic!("the test does not know what {command:?} means"),
        }
    }
    for (object, rights) in granted {
        ad.grant(&object, &rights).unwrap();
    }
}

/// Words between blanks; blanks between quotes are part of a word.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in command.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `dsacls`'s words in SDDL: who may do what, to which class, on this object and what lies below it.
fn rights(words: &[&str], sid: &str) -> Vec<String> {
    let (flags, rights) = match words {
        ["/I:T", "/G", rights @ ..] => ("CI", rights),
        ["/I:S", "/G", rights @ ..] => ("CIIO", rights),
        ["/G", rights @ ..] => ("", rights),
        _ => panic!("the test does not know what {words:?} means"),
    };
    let guid = |name: &str| {
        let found = GUIDS.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| panic!("the test does not know {name:?}"), |(_, guid)| *guid)
    };
    let right = |right: &&str| {
        let right = right.strip_prefix("${who}:").unwrap_or_else(|| panic!("{right:?} is for nobody known"));
        match right.split(';').collect::<Vec<_>>()[..] {
            ["CA", own] => format!("(OA;{flags};CR;{};;{sid})", guid(own)),
            ["CA", own, class] => format!("(OA;{flags};CR;{};{};{sid})", guid(own), guid(class)),
            [letters, "", class] => format!("(OA;{flags};{letters};;{};{sid})", guid(class)),
            [letters, class] => format!("(OA;{flags};{letters};{};;{sid})", guid(class)),
            [letters] => format!("(A;{flags};{letters};;;{sid})"),
            _ => panic!("the test does not know what {right:?} means"),
        }
    };
    rights.iter().map(right).collect()
}

fn add(ad: &SambaAd, rdn: &str, attributes: &str) {
    ad.modify(&format!("dn: {rdn},{}\nchangetype: add\n{attributes}", ad.base)).unwrap();
}

fn set_number(ad: &SambaAd, name: &str, number: &str) {
    let found = ad.search(&ad.base, &format!("(sAMAccountName={name})"), &["cn"]).unwrap();
    let dn = found.into_keys().next().unwrap_or_else(|| panic!("there is no account {name}"));
    ad.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: employeeID\nemployeeID: {number}\n")).unwrap();
}
