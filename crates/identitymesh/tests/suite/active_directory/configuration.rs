//! The mesh's configuration, as an administrator writes it: the files beside this one, with the servers' addresses.

use std::path::Path;

use identitymesh_testkit::real::{AgeKey, SambaAd, Slapd};

/// Name below the configuration's directory, and content.
const FILES: [(&str, &str); 5] = [
    ("mesh.toml", include_str!("mesh/mesh.toml")),
    ("connectors/hr.toml", include_str!("mesh/hr.toml")),
    ("connectors/teams.toml", include_str!("mesh/teams.toml")),
    ("connectors/ad.toml", include_str!("mesh/ad.toml")),
    ("connectors/book.toml", include_str!("mesh/book.toml")),
];

/// Writes all files but the data. First passwords are sealed for `key`.
pub(super) fn write(place: &Path, ad: &SambaAd, book: &Slapd, key: &AgeKey, must_change: bool) {
    let mesh = place.join("mesh");
    std::fs::create_dir_all(mesh.join("connectors")).unwrap();
    let of_domain = [&ad.ldaps_url, &ad.base, &ad.bind_name];
    let of_book = [&book.ldaps_url, &book.suffix, &book.bind_dn];
    for (name, text) in FILES {
        let (ca, [url, base, bind]) = match name {
            "connectors/book.toml" => (&book.ca_file, of_book),
            _ => (&ad.ca_file, of_domain),
        };
        let text = text.replace("{URL}", url).replace("{BASE}", base).replace("{BIND}", bind);
        let text = text.replace("{RECIPIENT}", &key.public);
        let text = text.replace("{MUST_CHANGE}", &must_change.to_string());
        std::fs::write(mesh.join(name), text.replace("{CA}", &ca.display().to_string())).unwrap();
    }
}
