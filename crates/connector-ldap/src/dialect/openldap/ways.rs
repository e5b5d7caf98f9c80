//! Which of the ways of reading changes is taken: what the setting `changes` says.

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Watermark};

use super::accesslog::AccessLog;
use super::mark::Syncrepl;
use crate::delta::{Around, Delta, Pages, refused};
use crate::settings::Changes;

/// All ways of reading changes.
pub(super) struct Ways;

impl Ways {
    fn of(around: &Around) -> Option<&'static dyn Delta> {
        match around.config.changes {
            Changes::AccessLog => Some(&AccessLog),
            Changes::None => None,
            Changes::Auto | Changes::Usn => Some(&Syncrepl),
        }
    }
}

#[async_trait]
impl Delta for Ways {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        match Self::of(around) {
            Some(way) => way.mark(around).await,
            None => Ok(None),
        }
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        match Self::of(&around) {
            Some(way) => way.resume(around, since).await,
            None => Err(refused("changes are not to be asked for")),
        }
    }

    async fn doubt(&self, around: &Around, since: &Watermark) -> Result<Option<String>, ConnectorError> {
        match Self::of(around) {
            Some(way) => way.doubt(around, since).await,
            None => Ok(None),
        }
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        match Self::of(&around) {
            Some(way) => way.follow(around, since).await,
            None => Ok(None),
        }
    }
}
