//! A mesh at work: its store, its clock, the kinds of connectors it knows, and the configuration in force.

use std::sync::{Arc, PoisonError, RwLock};
use std::thread::available_parallelism;
use std::time::Duration;

use identitymesh_connector::{Context, Registry, Session, Settings};
use identitymesh_model::rules::ConnectorConfig;
use identitymesh_model::{Clock, ConnectorId, IdSource, Name};
use identitymesh_store::Store;
use tokio_util::sync::CancellationToken;

use crate::busy::Busy;
use crate::force::InForce;
use crate::{Observer, RunError};

/// The longest that one request to a connected system may take where its settings say nothing.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Most threads that plan: each reads through a connection of its own with a cache of its own.
const THREADS_MAX: usize = 4;

/// From how many references on it pays to trace a mesh object. Below it a look at all of them costs less than what would
/// have to be taken down of each.
pub const LARGE_SET_MEMBERS: usize = 1_000;

/// Puts secrets in place of references to them.
pub trait SecretResolver: Send + Sync {
    /// `text` with every `{{secret:name}}` replaced.
    ///
    /// # Errors
    /// When a secret is missing or cannot be opened; the error names it and never shows one.
    fn resolve(&self, text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>>;
}

/// A mesh at work.
#[derive(Clone)]
pub struct Mesh {
    /// Where its state is kept.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives public ids.
    pub ids: Arc<dyn IdSource>,
    /// The kinds of connectors.
    pub registry: Registry,
    /// Opens secrets.
    pub secrets: Arc<dyn SecretResolver>,
    /// Who starts runs.
    pub actor: String,
    /// Stops runs between two parts.
    pub cancel: CancellationToken,
    /// Hears of progress.
    pub observer: Arc<dyn Observer>,
    /// From how many references on a mesh object's sets are looked at member by member: [`LARGE_SET_MEMBERS`], unless
    /// somebody wants to see the two ways agree.
    pub large_set: usize,
    /// How many threads a sync plans on, beside the one that writes. What comes out is the same on any number.
    pub threads: usize,
    /// Whether connected systems have to stay exactly as they are.
    pub(crate) reads_only: bool,
    in_force: Arc<RwLock<Option<Arc<InForce>>>>,
    pub(crate) busy: Busy,
}

impl Mesh {
    /// A mesh over `store`, with the configuration that is in force there, if any.
    ///
    /// # Errors
    /// When the store cannot be read or its configuration does not compile any more.
    #[expect(clippy::too_many_arguments, reason = "these are all the edges of a process, each given once")]
    pub fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        registry: Registry,
        secrets: Arc<dyn SecretResolver>,
        actor: String,
        cancel: CancellationToken,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, RunError> {
        let in_force = InForce::load(store.as_ref(), &registry)?;
        let in_force = Arc::new(RwLock::new(in_force.map(Arc::new)));
        let busy = Busy::default();
        let large_set = LARGE_SET_MEMBERS;
        let threads = available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        Ok(Self {
            store,
            clock,
            ids,
            registry,
            secrets,
            actor,
            cancel,
            observer,
            large_set,
            threads,
            reads_only: false,
            in_force,
            busy,
        })
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// When there is none.
    pub fn in_force(&self) -> Result<Arc<InForce>, RunError> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(RunError::NoConfiguration)
    }

    pub(crate) fn put_in_force(&self, in_force: InForce) -> Arc<InForce> {
        let in_force = Arc::new(in_force);
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&in_force));
        in_force
    }

    /// The id of a connector that may be run.
    ///
    /// # Errors
    /// When there is none of this name, or it is disabled.
    pub fn runnable(&self, name: Name) -> Result<(Arc<InForce>, ConnectorId), RunError> {
        let in_force = self.in_force()?;
        let config = in_force.connector(name)?;
        if !config.connector.enabled {
            return Err(RunError::Disabled { name: name.to_string() });
        }
        let id = in_force.id(name)?;
        Ok((in_force, id))
    }

    /// Opens a session to a connected system.
    ///
    /// # Errors
    /// When its settings, a secret or the system itself stand in the way.
    pub async fn connect(&self, in_force: &InForce, name: Name) -> Result<Box<dyn Session>, RunError> {
        let config = in_force.connector(name)?;
        let kind = self.registry.get(&config.connector.kind).ok_or_else(|| RunError::Settings {
            name: name.to_string(),
            problems: format!("there is no connector type {}", config.connector.kind),
        })?;
        let settings = kind.prepare(&config.connector.settings, in_force.base(name)).map_err(|problems| {
            let problems: Vec<String> =
                problems.into_iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
            RunError::Settings { name: name.to_string(), problems: problems.join("; ") }
        })?;
        let settings = self.resolve_secrets(name, settings)?;
        let context = Context {
            cancel: self.cancel.clone(),
            request_timeout: REQUEST_TIMEOUT,
            schema: None,
            reads_only: self.reads_only,
        };
        Ok(kind.connect(&settings, &context).await?)
    }

    /// What is to be warned of in a connector's settings, whatever is done with it.
    #[must_use]
    pub fn warnings(&self, in_force: &InForce, connector: &ConnectorConfig) -> Vec<String> {
        let head = &connector.connector;
        self.registry.warnings(&head.kind, &head.settings, in_force.base(head.name))
    }

    fn resolve_secrets(&self, name: Name, mut settings: Settings) -> Result<Settings, RunError> {
        settings
            .try_map_texts(|text| self.secrets.resolve(text))
            .map_err(|source| RunError::Secret { name: name.to_string(), source })?;
        Ok(settings)
    }

    /// Whether somebody asked to stop.
    pub(crate) fn check_cancelled(&self) -> Result<(), RunError> {
        if self.cancel.is_cancelled() { Err(RunError::Cancelled) } else { Ok(()) }
    }
}
