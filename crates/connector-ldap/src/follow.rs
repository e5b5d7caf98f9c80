//! Hearing of changes as they happen, where the server's family can tell them.

use async_trait::async_trait;
use identitymesh_connector::{Class, ConnectorError, FollowRequest, Follower, Page};

use crate::error;
use crate::link::unless_cancelled;
use crate::session::LdapSession;

#[async_trait]
impl Follower for LdapSession {
    async fn follow(&mut self, request: FollowRequest) -> Result<(), ConnectorError> {
        self.reading = None;
        let (transport, directory) = self.ready().await?;
        let types = request.object_types.iter().map(|name| directory.object_type(*name).cloned());
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let around = self.around(transport, &directory, types, request.page_size_max);
        let unsupported = || ConnectorError::unsupported("follow this server's changes as they happen");
        let delta = directory.dialect.delta().ok_or_else(unsupported)?;
        let begun = unless_cancelled(&self.context.cancel, delta.follow(around, &request.since)).await;
        self.reading = Some(begun.inspect_err(|_| self.link.give_up())?.ok_or_else(unsupported)?);
        Ok(())
    }

    async fn next_change(&mut self) -> Result<Page, ConnectorError> {
        let Some(mut reading) = self.reading.take() else {
            return Err(ConnectorError::new(error::LOST, Class::Bug, "nobody asked to follow"));
        };
        match unless_cancelled(&self.context.cancel, reading.next_page()).await {
            Ok(Some(page)) => {
                self.reading = Some(reading);
                Ok(page)
            }
            // What is under way on this connection may still be coming.
            Ok(None) => {
                self.link.give_up();
                Err(ConnectorError::new(error::LOST, Class::Transient, "the server stopped telling changes"))
            }
            Err(error) => {
                self.link.give_up();
                Err(error)
            }
        }
    }
}
