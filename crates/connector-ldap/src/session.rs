//! One session: a connection, what the server said about itself, and an import under way if there is one.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{
    Class, ConnectorError, Context, Exporter, Follower, Identity, ImportMode, ImportRequest, ImportedObject,
    Importer, Operation, Outcome, Page, Passwords, Session, TestReport, Watermark,
};
use identitymesh_model::{ItemId, Name, Schema, Text};

use crate::delta::{Around, Delta, Pages, style_of};
use crate::error;
use crate::export::{self, Pace, Writer};
use crate::import::{Everything, Reading};
use crate::link::{Link, unless_cancelled};
use crate::presence;
use crate::result;
use crate::schema::{Directory, PAGED_RESULTS, TypeMap};
use crate::settings::Config;
use crate::transport::{Dial, Search, Transport};

/// A session with a directory.
pub(crate) struct LdapSession {
    pub(crate) config: Arc<Config>,
    pub(crate) context: Context,
    pub(crate) link: Link,
    directory: Option<Arc<Directory>>,
    pub(crate) reading: Option<Box<dyn Pages>>,
    /// Where this session has tried to read changes from; a full read after that is because it could not.
    resumed: Option<Watermark>,
    pace: Pace,
}

impl LdapSession {
    /// Connects and signs in.
    pub(crate) async fn open(
        dial: Arc<dyn Dial>,
        config: Arc<Config>,
        context: Context,
    ) -> Result<Self, ConnectorError> {
        let link = unless_cancelled(&context.cancel, Link::open(dial)).await?;
        let pace = Pace::of(config.writes_per_s_max);
        Ok(Self { config, context, link, directory: None, reading: None, resumed: None, pace })
    }

    pub(crate) async fn ready(&mut self) -> Result<(Arc<dyn Transport>, Arc<Directory>), ConnectorError> {
        let transport = unless_cancelled(&self.context.cancel, self.link.transport()).await?;
        if let Some(directory) = &self.directory {
            return Ok((transport, Arc::clone(directory)));
        }
        let load = Directory::load(transport.as_ref(), &self.config, self.context.schema.as_ref());
        let directory = Arc::new(unless_cancelled(&self.context.cancel, load).await?);
        self.directory = Some(Arc::clone(&directory));
        Ok((transport, directory))
    }

    pub(crate) fn around(
        &self,
        transport: Arc<dyn Transport>,
        directory: &Arc<Directory>,
        types: Vec<Arc<TypeMap>>,
        page_size_max: usize,
    ) -> Around {
        Around {
            transport,
            dial: Arc::clone(self.link.dial()),
            config: Arc::clone(&self.config),
            directory: Arc::clone(directory),
            types,
            page_size: self.config.page_size.min(page_size_max.max(1)),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.config.warnings();
        if !self.config.starttls && self.config.servers.iter().any(|server| !server.is_ldaps()) {
            warnings.push("the connection is not encrypted: use ldaps:// or starttls = true".to_owned());
        }
        if self.config.bind.is_none() && self.config.kerberos.is_none() {
            warnings.push("nobody is signed in (no bind_dn): servers show little to strangers".to_owned());
        }
        warnings
    }
}

/// Reads everything; after a mark that could not be resumed from, with the doubt whether this server has caught up.
async fn everything(
    delta: &dyn Delta,
    around: Around,
    resumed: Option<&Watermark>,
) -> Result<Box<dyn Pages>, ConnectorError> {
    let doubt = match resumed {
        Some(since) => delta.doubt(&around, since).await?,
        None => None,
    };
    let mark = delta.mark(&around).await?;
    Ok(Box::new(Everything::new(around, mark, doubt)))
}

/// How changes are found, in words, and what is not found that way.
async fn changes(around: &Around) -> Result<Option<(String, Option<String>)>, ConnectorError> {
    let Some(delta) = around.directory.dialect.delta() else { return Ok(None) };
    let Some(mark) = delta.mark(around).await? else { return Ok(None) };
    let Some(style) = style_of(&mark) else { return Ok(None) };
    let gap = delta.gap(around, &mark).await?;
    Ok(Some((format!("changes are read by {style}"), gap)))
}

#[async_trait]
impl Session for LdapSession {
    async fn test(&mut self) -> Result<TestReport, ConnectorError> {
        let (transport, directory) = self.ready().await?;
        let mut steps = vec!["reached the server".to_owned()];
        if self.config.starttls || self.config.servers.iter().all(|server| server.is_ldaps()) {
            steps.push("encrypted the connection".to_owned());
        }
        if let Some((dn, _)) = &self.config.bind {
            steps.push(format!("signed in as {dn}"));
        } else if self.config.kerberos.is_some() {
            steps.push("signed in by Kerberos".to_owned());
        }
        steps.push("read the schema".to_owned());
        let base = self.config.base.clone();
        let what = "reading one entry";
        let found = unless_cancelled(&self.context.cancel, async {
            let search = Search::entry(&base, Arc::from(["objectClass".to_owned()]));
            transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))
        })
        .await?;
        if found.answer.code != result::SUCCESS {
            return Err(error::search_refused(what, &base, &found.answer));
        }
        steps.push(format!("read {base}"));
        let mut warnings = self.warnings();
        let around = self.around(transport, &directory, directory.types(), 1);
        match unless_cancelled(&self.context.cancel, changes(&around)).await? {
            Some((step, gap)) => {
                steps.push(step);
                warnings.extend(gap);
            }
            None if directory.dialect.delta().is_none() => {}
            None => warnings.push(
                "every import reads everything: the server does not say what changed, or not to this account"
                    .to_owned(),
            ),
        }
        if !directory.offers(PAGED_RESULTS) {
            warnings.push("the server offers no paged results: each type is read in one answer".to_owned());
        }
        Ok(TestReport { server: directory.server.clone(), steps, warnings })
    }

    async fn schema(&mut self) -> Result<Schema, ConnectorError> {
        Ok(self.ready().await?.1.schema())
    }

    fn importer(&mut self) -> Option<&mut dyn Importer> {
        Some(self)
    }

    fn exporter(&mut self) -> Option<&mut dyn Exporter> {
        Some(self)
    }

    fn follower(&mut self) -> Option<&mut dyn Follower> {
        Some(self)
    }

    fn passwords(&mut self) -> Option<&mut dyn Passwords> {
        Some(self)
    }
}

#[async_trait]
impl Importer for LdapSession {
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError> {
        self.reading = None;
        let (transport, directory) = self.ready().await?;
        let types = request.object_types.iter().map(|name| directory.object_type(*name).cloned());
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let around = self.around(transport, &directory, types, request.page_size_max);
        let delta = around.directory.dialect.delta();
        let begun = match (request.mode, delta) {
            (ImportMode::Full, None) => Ok(Box::new(Reading::new(around, None, None)) as Box<dyn Pages>),
            (ImportMode::Full, Some(delta)) => {
                let resumed = self.resumed.as_ref();
                unless_cancelled(&self.context.cancel, everything(delta, around, resumed)).await
            }
            (ImportMode::Delta { since }, Some(delta)) => {
                let resumed = unless_cancelled(&self.context.cancel, delta.resume(around, &since)).await;
                self.resumed = Some(since);
                resumed
            }
            (ImportMode::Delta { .. }, None) => {
                return Err(ConnectorError::unsupported("read only what changed"));
            }
        };
        self.reading = Some(begun.inspect_err(|_| self.link.give_up())?);
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        let Some(mut reading) = self.reading.take() else {
            return Err(ConnectorError::new(error::LOST, Class::Bug, "no import is under way"));
        };
        match unless_cancelled(&self.context.cancel, reading.next_page()).await {
            Ok(page) => {
                self.reading = Some(reading);
                Ok(page)
            }
            Err(error) => {
                // The cursor lives on this connection, and the page may still be coming.
                self.link.give_up();
                Err(error)
            }
        }
    }

    async fn still_there(
        &mut self,
        object_type: Name,
        external_ids: &[Text],
    ) -> Result<Option<Vec<Text>>, ConnectorError> {
        let (transport, directory) = self.ready().await?;
        let map = directory.object_type(object_type)?;
        let look = presence::still_there(transport.as_ref(), &self.config.scope, map, external_ids);
        unless_cancelled(&self.context.cancel, look).await.map(Some)
    }

    async fn held_elsewhere(
        &mut self,
        object_type: Name,
        external_ids: &[Text],
    ) -> Result<Option<Vec<Text>>, ConnectorError> {
        let (transport, directory) = self.ready().await?;
        let map = directory.object_type(object_type)?;
        let look = presence::held(transport.as_ref(), &directory, map, external_ids);
        let held = unless_cancelled(&self.context.cancel, look).await?;
        Ok(Some(held.into_iter().collect()))
    }
}

#[async_trait]
impl Exporter for LdapSession {
    fn batch_max(&self) -> usize {
        export::BATCH_MAX
    }

    async fn export(&mut self, operations: Vec<Operation>) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
        if self.context.cancel.is_cancelled() {
            return Err(ConnectorError::cancelled());
        }
        let (transport, directory) = self.ready().await?;
        let typed = operations.into_iter().map(|operation| {
            let map = directory.object_type(operation.object_type).cloned();
            (operation, map.map_err(|error| error.message))
        });
        let typed = typed.collect();
        let writer = Arc::new(Writer::new(transport, Arc::clone(&self.config), directory));
        let outcomes =
            export::carry_out(writer, typed, self.config.window, &mut self.pace, &self.context.cancel).await;
        if outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Unknown { .. })) {
            self.link.give_up();
        }
        Ok(outcomes)
    }

    async fn read_back(
        &mut self,
        object_type: Name,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, ConnectorError> {
        let (transport, directory) = self.ready().await?;
        let map = Arc::clone(directory.object_type(object_type)?);
        let writer = Writer::new(transport, Arc::clone(&self.config), directory);
        unless_cancelled(&self.context.cancel, async {
            writer.look(&map, identity).await.map_err(|outcome| {
                let (Outcome::Unknown { reason, .. } | Outcome::Conflict { reason, .. }) = outcome else {
                    return ConnectorError::new(error::SEARCH, Class::Bug, "a look ended without a reason");
                };
                ConnectorError::new(error::SEARCH, Class::Transient, format!("reading back: {reason}"))
            })
        })
        .await
    }
}
