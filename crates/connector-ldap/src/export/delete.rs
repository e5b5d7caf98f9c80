//! Removing an entry.

use identitymesh_connector::{Identity, Outcome, Written};

use super::writer::{Writer, contended, written};
use crate::result::{self, Verdict};
use crate::schema::TypeMap;
use crate::transport::Write;

impl Writer {
    pub(super) async fn delete(&self, map: &TypeMap, identity: &Identity) -> Result<Outcome, Outcome> {
        let id = identity.external_id.as_str();
        let gone = || Ok(Outcome::AlreadySo(Written::default()));
        let known = identity.address.as_ref().filter(|_| self.checks_ids(map));
        let mut dn = match known {
            Some(address) => address.to_string(),
            None => match self.entry_with_id(map, id).await? {
                Some(entry) => entry.dn,
                None => return gone(),
            },
        };
        for _ in 0..2 {
            let answer = self
                .send(&self.guarded(map, id, &[], Write::Delete { dn: self.target(map, id, &dn) }))
                .await?;
            match result::verdict(answer.code) {
                Verdict::Applied => return Ok(Outcome::Applied(written(id))),
                // Moved meanwhile, or another entry has its name now: the id says which.
                Verdict::Missing | Verdict::Differs => match self.entry_with_id(map, id).await? {
                    Some(entry) if entry.dn != dn => dn = entry.dn,
                    Some(_) => return Err(self.negative(map, &format!("deleting {dn}"), &answer)),
                    None => return gone(),
                },
                _ => return Err(self.negative(map, &format!("deleting {dn}"), &answer)),
            }
        }
        Err(contended(format!("{dn} is being moved by somebody else")))
    }
}
