//! Setting a password, in the way of the server's family.
//!
//! Active Directory takes it with a new entry, which it would not enable otherwise; elsewhere it is set on an entry that is
//! there. The password travels over an encrypted connection, or to this machine, and stands in no message. The entry is looked
//! for by its id, so that a name that went to somebody else is not given the password.

use identitymesh_connector::{Identity, NewPassword, Outcome};
use zeroize::Zeroizing;

use super::writer::{Writer, conflict, lost, unsendable, written};
use crate::dialect::Password;
use crate::result::SUCCESS;
use crate::schema::TypeMap;
use crate::transport::ber::{SEQUENCE, Writer as Ber};
use crate::transport::{Answer, Attribute, Modification, Write, WriteRequest};
use crate::value;

/// The operation of RFC 3062.
const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// The attribute of passwords in Active Directory.
const UNICODE_PWD: &str = "unicodePwd";
/// When the password was set there; zero means that it has to be changed.
const PWD_LAST_SET: &str = "pwdLastSet";

impl Writer {
    /// Puts the password among the attributes of a new entry, where the server takes it there; says whether it did.
    pub(super) fn add_password(
        &self,
        entry: &mut Vec<Attribute>,
        password: Option<&NewPassword>,
    ) -> Result<bool, Outcome> {
        let Some(password) = password else { return Ok(false) };
        self.check_password(password)?;
        if self.directory.dialect.facts().password != Password::UnicodePwd {
            return Ok(false);
        }
        entry.push((UNICODE_PWD.to_owned(), vec![value::quoted(password.expose())]));
        if password.must_change() {
            entry.retain(|(name, _)| !name.eq_ignore_ascii_case(PWD_LAST_SET));
            entry.push((PWD_LAST_SET.to_owned(), vec![b"0".to_vec()]));
        }
        Ok(true)
    }

    /// Sets the password of the object.
    pub(crate) async fn set_password(
        &self,
        map: &TypeMap,
        identity: &Identity,
        password: &NewPassword,
    ) -> Outcome {
        let set = async {
            self.check_password(password)?;
            self.try_password(map, identity, password).await
        };
        set.await.unwrap_or_else(|outcome| outcome)
    }

    /// Passwords have a bound and go over encrypted connections only, or to this machine.
    fn check_password(&self, password: &NewPassword) -> Result<(), Outcome> {
        if password.expose().is_empty() || password.expose().len() > PASSWORD_BYTES_MAX {
            return Err(unsendable(format!("a password has 1 to {PASSWORD_BYTES_MAX} bytes")));
        }
        let style = self.directory.dialect.facts().password;
        let is_private = match style {
            Password::UnicodePwd => self.transport.is_encrypted(),
            _ => self.config.is_private(),
        };
        if !is_private {
            return Err(unsendable(
                "passwords are set over an encrypted connection only: use ldaps:// or starttls = true",
            ));
        }
        if password.must_change() && style != Password::UnicodePwd {
            return Err(unsendable(
                "this directory has no way to have a password changed at the next sign-in: say `must_change = false`",
            ));
        }
        Ok(())
    }

    async fn try_password(
        &self,
        map: &TypeMap,
        identity: &Identity,
        password: &NewPassword,
    ) -> Result<Outcome, Outcome> {
        let id = &identity.external_id;
        let Some(entry) = self.entry_with_id(map, id).await? else {
            return Err(conflict(format!("there is no object {id}")));
        };
        let what = format!("setting the password of {}", entry.dn);
        let answer = match self.directory.dialect.facts().password {
            Password::ModifyOperation => {
                let request = Zeroizing::new(request(&entry.dn, password.expose()));
                let sent = self.transport.extended(PASSWORD_MODIFY, Some(&request)).await;
                sent.map_err(|failure| lost(&failure))?
            }
            style => {
                let (name, value) = match style {
                    Password::UnicodePwd => (UNICODE_PWD, value::quoted(password.expose())),
                    _ => ("userPassword", password.expose().as_bytes().to_vec()),
                };
                let target = self.target(map, id, &entry.dn);
                self.replace(&target, name, value).await?
            }
        };
        if answer.code != SUCCESS {
            return Err(self.negative(map, &what, &answer));
        }
        if password.must_change() {
            // Setting a password says "changed now", so this comes after it.
            let target = self.target(map, id, &entry.dn);
            let answer = self.replace(&target, PWD_LAST_SET, b"0".to_vec()).await?;
            if answer.code != SUCCESS {
                let what = format!("having {} change the password", entry.dn);
                return Err(self.negative(map, &what, &answer));
            }
        }
        Ok(Outcome::Applied(written(id)))
    }

    async fn replace(&self, target: &str, name: &str, value: Vec<u8>) -> Result<Answer, Outcome> {
        let changes = vec![Modification::Replace(name.to_owned(), vec![value])];
        self.send(&WriteRequest::from(Write::Modify { dn: target.to_owned(), changes })).await
    }
}

/// `SEQUENCE { [0] whose, [2] the new one }`; the old one is not asked of an administrator.
fn request(dn: &str, password: &str) -> Vec<u8> {
    let mut writer = Ber::default();
    writer.nested(SEQUENCE, |writer| {
        writer.octets(0x80, dn.as_bytes());
        writer.octets(0x82, password.as_bytes());
    });
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_request_has_the_bytes_of_the_specification() {
        assert_eq!(super::request("o=t", "pw"), [0x30, 9, 0x80, 3, b'o', b'=', b't', 0x82, 2, b'p', b'w']);
    }
}
