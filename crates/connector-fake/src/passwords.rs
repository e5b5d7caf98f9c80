//! Passwords of objects in memory, so that tests see what was set.

use std::collections::BTreeMap;

use async_trait::async_trait;
use identitymesh_connector::{
    ConnectorError, Identity, NewPassword, Operation, OperationKind, Outcome, Passwords, Written,
};
use identitymesh_model::{Name, Text};

use crate::FakeSystem;
use crate::session::FakeSession;
use crate::state::Key;
use crate::system::Content;

/// The passwords of a system.
#[derive(Debug, Default)]
pub(crate) struct KeptPasswords {
    by_object: BTreeMap<Key, NewPassword>,
    come_with_creates: bool,
    sets: u64,
}

impl KeptPasswords {
    /// Carries out an operation; a create brings its password where this system takes it so.
    pub(crate) fn with_create(
        &mut self,
        operation: Operation,
        apply: impl FnOnce(Operation) -> Outcome,
    ) -> Outcome {
        let object_type = operation.object_type;
        let password = match &operation.kind {
            OperationKind::Create { password, .. } if self.come_with_creates => password.clone(),
            _ => None,
        };
        match (apply(operation), password) {
            (Outcome::Applied(written), Some(password)) => {
                let external_id = written.external_id.clone().unwrap_or_default();
                self.set((object_type, external_id), password);
                Outcome::Applied(Written { has_password: true, ..written })
            }
            (outcome, _) => outcome,
        }
    }

    fn set(&mut self, key: Key, password: NewPassword) {
        self.sets += 1;
        self.by_object.insert(key, password);
    }
}

impl FakeSystem {
    /// Passwords come with new objects, as in Active Directory, and are not set straight after.
    #[must_use]
    pub fn taking_passwords_with_creates(self) -> Self {
        self.lock().passwords.come_with_creates = true;
        self
    }

    /// The password that was set last, and whether it has to be changed.
    #[must_use]
    pub fn password(&self, object_type: Name, external_id: &str) -> Option<(String, bool)> {
        let inner = self.lock();
        let password = inner.passwords.by_object.get(&(object_type, Text::new(external_id)))?;
        Some((password.expose().to_owned(), password.must_change()))
    }

    /// How often a password was set, with creates or after them.
    #[must_use]
    pub fn password_sets(&self) -> u64 {
        self.lock().passwords.sets
    }
}

#[async_trait]
impl Passwords for FakeSession {
    async fn set_password(
        &mut self,
        object_type: Name,
        identity: &Identity,
        password: &NewPassword,
    ) -> Result<Outcome, ConnectorError> {
        self.enter("set password")?;
        let mut inner = self.system().lock();
        let key = (object_type, identity.external_id.clone());
        let is_there = matches!(&inner.content, Content::Stored(state) if state.get(&key).is_some());
        if !is_there {
            let reason = format!("{} is not there", identity.external_id);
            return Ok(Outcome::Conflict { code: "FAK-012", reason });
        }
        inner.passwords.set(key, password.clone());
        let external_id = Some(identity.external_id.clone());
        Ok(Outcome::Applied(Written { external_id, ..Written::default() }))
    }
}
