//! Setting passwords, as the contract asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Identity, NewPassword, Outcome, Passwords};
use identitymesh_model::Name;

use crate::export::Writer;
use crate::session::LdapSession;

#[async_trait]
impl Passwords for LdapSession {
    async fn set_password(
        &mut self,
        object_type: Name,
        identity: &Identity,
        password: &NewPassword,
    ) -> Result<Outcome, ConnectorError> {
        if self.context.cancel.is_cancelled() {
            return Err(ConnectorError::cancelled());
        }
        let (transport, directory) = self.ready().await?;
        let map = Arc::clone(directory.object_type(object_type)?);
        let writer = Writer::new(transport, Arc::clone(&self.config), directory);
        let outcome = writer.set_password(&map, identity, password).await;
        if matches!(outcome, Outcome::Unknown { .. }) {
            self.link.give_up();
        }
        Ok(outcome)
    }
}
