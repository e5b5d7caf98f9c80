//! The mesh's configuration, as an administrator writes it.

use std::path::Path;

use identitymesh_testkit::real::SambaAd;

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
employeeId = "string"
givenName = "string"
sn = "string"
displayName = "string"
department = "string"
title = "string"
manager = "reference"
active = "boolean"

[[type]]
name = "group"
[type.attributes]
name = "string"
member = "reference[]"

[[computed]]
mesh_type = "user"
target = "displayName"
value = "givenName + ' ' + sn"
confidence = 50
"#;

const HR: &str = r#"
[connector]
name = "hr"
type = "csv"

[connector.settings]
path = "../hr.csv"
object_type = "person"
key = "employee_id"
settle_ms = 0

[connector.settings.attributes]
manager_id = "reference"

[[join]]
object_type = "person"
match = [{ source = "employee_id", mesh = "employeeId", kind = "exact" }]

[[create]]
object_type = "person"
mesh_type = "user"
anchor = "employee_id"

[[flow]]
object_type = "person"
source = "employee_id"
target = "employeeId"
confidence = 90

[[flow]]
object_type = "person"
source = "given_name"
target = "givenName"
confidence = 90

[[flow]]
object_type = "person"
source = "surname"
target = "sn"
confidence = 90

[[flow]]
object_type = "person"
source = "department"
target = "department"
confidence = 90

[[flow]]
object_type = "person"
source = "title"
target = "title"
confidence = 90

[[flow]]
object_type = "person"
source = "manager_id"
target = "manager"
confidence = 90

[[flow]]
object_type = "person"
target = "active"
transform = "status == 'active'"
confidence = 90
"#;

const TEAMS: &str = r#"
[connector]
name = "teams"
type = "ldif"

[connector.settings]
path = "../teams.ldif"
settle_ms = 0

[connector.settings.types.user]
object_class = "inetOrgPerson"
key = "uid"
[connector.settings.types.user.attributes]
uid = "string"

[connector.settings.types.group]
object_class = "groupOfNames"
key = "cn"
[connector.settings.types.group.attributes]
cn = "string"
member = "reference[]"

[[join]]
object_type = "user"
match = [{ source = "uid", mesh = "employeeId", kind = "exact" }]

[[create]]
object_type = "group"
mesh_type = "group"
anchor = "cn"

[[flow]]
object_type = "group"
source = "cn"
target = "name"
confidence = 90

[[flow]]
object_type = "group"
source = "member"
target = "member"
confidence = 90
"#;

const DOMAIN: &str = r#"
[connector]
name = "ad"
type = "active-directory"

[connector.settings]
servers = ["{URL}"]
ca_file = "{CA}"
base = "{BASE}"
bind_dn = "{BIND}"
bind_password = "{{secret:ad/service}}"
include = ["OU=Staff,{BASE}", "OU=Leavers,{BASE}", "OU=Teams,{BASE}"]

[[projection]]
name = "accounts"
mesh_type = "user"
object_type = "user"
scope = "active"
container = "'OU=' + EscapeDn(department) + ',OU=Staff,{BASE}'"
rdn = "cn"
create_container = true
leave = [{ do = "disable" }, { do = "move", to = "OU=Leavers,{BASE}" }]

[projection.disable]
attribute = "accountDisabled"
disabled = true
enabled = false

[[projection.attribute]]
target = "cn"
value = "displayName + ' ' + employeeId"

[[projection.attribute]]
target = "sAMAccountName"
value = "'p' + employeeId"

[[projection.attribute]]
target = "userPrincipalName"
value = "'p' + employeeId + '@mesh.test'"

[[projection.attribute]]
target = "employeeID"
source = "employeeId"

[[projection.attribute]]
target = "givenName"
source = "givenName"

[[projection.attribute]]
target = "sn"
source = "sn"

[[projection.attribute]]
target = "displayName"
source = "displayName"

[[projection.attribute]]
target = "department"
source = "department"

[[projection.attribute]]
target = "title"
source = "title"

[[projection.attribute]]
target = "manager"
source = "manager"

[[projection.attribute]]
target = "unicodePwd"
value = "'Start-' + employeeId"
mode = "create_only"

[[projection]]
name = "teams"
mesh_type = "group"
object_type = "group"
container = "'OU=Teams,{BASE}'"
rdn = "cn"
create_container = true
leave = [{ do = "delete" }]

[[projection.attribute]]
target = "cn"
source = "name"

[[projection.attribute]]
target = "sAMAccountName"
source = "name"

[[projection.attribute]]
target = "member"
source = "member"
"#;

/// Writes all files but the data.
pub(super) fn write(place: &Path, ad: &SambaAd) {
    let mesh = place.join("mesh");
    std::fs::create_dir_all(mesh.join("connectors")).unwrap();
    std::fs::write(mesh.join("mesh.toml"), MESH).unwrap();
    std::fs::write(mesh.join("connectors/hr.toml"), HR).unwrap();
    std::fs::write(mesh.join("connectors/teams.toml"), TEAMS).unwrap();
    let domain = DOMAIN
        .replace("{URL}", &ad.ldaps_url)
        .replace("{CA}", &ad.ca_file.display().to_string())
        .replace("{BASE}", &ad.base)
        .replace("{BIND}", &ad.bind_name);
    std::fs::write(mesh.join("connectors/ad.toml"), domain).unwrap();
}
