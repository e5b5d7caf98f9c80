//! Writing to the stand-in: as many values in a request as Microsoft's controllers take, and no more.

use ldap3_proto::proto::{LdapAddRequest, LdapModifyRequest, LdapModifyType, LdapResult, LdapResultCode};

use super::fake::{Attributes, World, result};

/// Values of one request.
const VALUES_WRITTEN_MAX: usize = 5_000;

/// Whether the write may be done, by the number of its values.
fn allowed(world: &mut World, values: usize) -> Result<(), LdapResult> {
    if world.is_read_only {
        let said = "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0";
        return Err(result(LdapResultCode::UnwillingToPerform, said));
    }
    if values > VALUES_WRITTEN_MAX {
        let said = "00002024: SvcErr: DSID-02050CDE, problem 5008 (ADMIN_LIMIT_EXCEEDED), data -1026";
        return Err(result(LdapResultCode::AdminLimitExceeded, said));
    }
    if world.writes_left == Some(0) {
        return Err(result(LdapResultCode::Busy, "00000008: the controller is busy"));
    }
    world.writes_left = world.writes_left.map(|left| left - 1);
    world.writes += 1;
    Ok(())
}

pub(super) fn add(world: &mut World, request: LdapAddRequest) -> LdapResult {
    if world.entries.iter().any(|(dn, _)| dn.eq_ignore_ascii_case(&request.dn)) {
        return result(LdapResultCode::EntryAlreadyExists, "00002071: UpdErr: problem 6005 (ENTRY_EXISTS)");
    }
    let values = request.attributes.iter().map(|attribute| attribute.vals.len()).sum();
    if let Err(refused) = allowed(world, values) {
        return refused;
    }
    let id = format!("new{:013}", world.entries.len()).into_bytes();
    let mut attributes: Attributes =
        request.attributes.into_iter().map(|attribute| (attribute.atype, attribute.vals)).collect();
    attributes.push(("objectGUID".to_owned(), vec![id]));
    world.entries.push((request.dn, attributes));
    result(LdapResultCode::Success, "")
}

/// Values that are there already, or gone already, are no error where the connector asks for that.
pub(super) fn modify(world: &mut World, request: &LdapModifyRequest, is_permissive: bool) -> LdapResult {
    let values = request.changes.iter().map(|change| change.modification.vals.len()).sum();
    if let Err(refused) = allowed(world, values) {
        return refused;
    }
    let Some((_, attributes)) = world.entries.iter_mut().find(|entry| is_meant(&request.dn, entry)) else {
        return result(LdapResultCode::NoSuchObject, "0000208D: NameErr: problem 2001 (NO_OBJECT)");
    };
    for change in &request.changes {
        let name = &change.modification.atype;
        let at = attributes.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        let at = at.unwrap_or_else(|| {
            attributes.push((name.clone(), Vec::new()));
            attributes.len() - 1
        });
        let (held, told) = (&mut attributes[at].1, &change.modification.vals);
        let refused = match change.operation {
            _ if is_permissive => None,
            LdapModifyType::Add if told.iter().any(|value| held.contains(value)) => {
                Some(LdapResultCode::AttributeOrValueExists)
            }
            LdapModifyType::Delete if !told.iter().all(|value| held.contains(value)) => {
                Some(LdapResultCode::NoSuchAttribute)
            }
            _ => None,
        };
        if let Some(code) = refused {
            return result(code, "00000562: UpdErr: a value is there already, or gone already");
        }
        match change.operation {
            LdapModifyType::Add => {
                let new: Vec<_> = told.iter().filter(|value| !held.contains(value)).cloned().collect();
                held.extend(new);
            }
            LdapModifyType::Delete => held.retain(|value| !told.contains(value)),
            LdapModifyType::Replace => held.clone_from(told),
            LdapModifyType::Increment => {
                return result(LdapResultCode::UnwillingToPerform, "Active Directory increments nothing");
            }
        }
        if held.is_empty() {
            attributes.remove(at);
        }
    }
    result(LdapResultCode::Success, "")
}

/// By its name, or by its GUID as texts show it: the first three numbers with their bytes the other way round.
fn is_meant(name: &str, (dn, attributes): &(String, Attributes)) -> bool {
    let Some(id) = name.strip_prefix("<GUID=").and_then(|rest| rest.strip_suffix('>')) else {
        return dn.eq_ignore_ascii_case(name);
    };
    let digits: String = id.chars().filter(|letter| *letter != '-').collect();
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
    let bytes: Vec<u8> =
        [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].into_iter().map(byte).collect();
    attributes.iter().any(|(known, values)| known == "objectGUID" && values[0] == bytes)
}
