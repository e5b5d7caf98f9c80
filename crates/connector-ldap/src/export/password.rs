//! Setting a password, in the way of the server's family.
//!
//! The password travels over an encrypted connection, or to this machine, and stands in no message. The entry is looked
//! for by its id, so that a name that went to somebody else is not given the password.

use identitymesh_connector::{Identity, Outcome};
use identitymesh_model::Value;

use super::writer::{Writer, conflict, lost, unsendable, written};
use crate::dialect::Password;
use crate::schema::TypeMap;
use crate::transport::ber::{SEQUENCE, Writer as Ber};
use crate::transport::{Modification, Write, WriteRequest};
use crate::value::{self, Form};

/// The operation of RFC 3062.
const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;

impl Writer {
    /// Sets the password of the object.
    pub(crate) async fn set_password(&self, map: &TypeMap, identity: &Identity, password: &str) -> Outcome {
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return unsendable(format!("a password has 1 to {PASSWORD_BYTES_MAX} bytes"));
        }
        if !self.config.is_private() {
            return unsendable(
                "passwords are sent over encrypted connections only: use ldaps:// or starttls = true",
            );
        }
        self.try_password(map, identity, password).await.unwrap_or_else(|outcome| outcome)
    }

    async fn try_password(
        &self,
        map: &TypeMap,
        identity: &Identity,
        password: &str,
    ) -> Result<Outcome, Outcome> {
        let Some(entry) = self.entry_with_id(map, &identity.external_id).await? else {
            return Err(conflict(format!("there is no object {}", identity.external_id)));
        };
        let what = format!("setting the password of {}", entry.dn);
        let answer = match self.directory.dialect.facts().password {
            Password::ModifyOperation => {
                let request = request(&entry.dn, password);
                let sent = self.transport.extended(PASSWORD_MODIFY, Some(&request)).await;
                sent.map_err(|failure| lost(&failure))?
            }
            style => {
                let (name, form) = match style {
                    Password::UnicodePwd => ("unicodePwd", Form::QuotedPassword),
                    _ => ("userPassword", Form::Plain),
                };
                let bytes = value::encode(form, &Value::text(password)).map_err(unsendable)?;
                let changes = vec![Modification::Replace(name.to_owned(), vec![bytes])];
                let write = Write::Modify { dn: entry.dn.clone(), changes };
                self.send(&WriteRequest::from(write)).await?
            }
        };
        if answer.code == crate::result::SUCCESS {
            return Ok(Outcome::Applied(written(&identity.external_id)));
        }
        Err(self.negative(map, &what, &answer))
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
