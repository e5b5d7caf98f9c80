//! What lies below containers that were renamed, read again.
//!
//! Servers say of a renamed container that it changed, and nothing of the entries below it, whose names changed with
//! it. They are read over a connection of their own: on the other one the server may be telling changes that nobody
//! takes meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use identitymesh_connector::{ConnectorError, Page};
use identitymesh_model::dn;

use crate::delta::{self, Around, Pages};
use crate::error;
use crate::import::Reading;

/// Subtrees that are read one after the other.
pub(crate) struct Subtrees {
    around: Around,
    waiting: VecDeque<String>,
    current: Option<(String, Reading)>,
}

impl Subtrees {
    /// Of these containers; what lies below another one of them is read with it.
    pub(crate) async fn new(around: &Around, containers: Vec<String>) -> Result<Self, ConnectorError> {
        let transport = around.dial.dial().await?;
        let waiting = outermost(containers).into();
        Ok(Self { around: Around { transport, ..around.clone() }, waiting, current: None })
    }

    /// The next page, without a mark; `None` after the last.
    ///
    /// # Errors
    /// When it cannot be read in full, as a refusal: only a full import knows more.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        loop {
            if self.current.is_none() {
                let Some(container) = self.waiting.pop_front() else { return Ok(None) };
                let around = below(&self.around, &container);
                self.current =
                    (!around.types.is_empty()).then(|| (container, Reading::new(around, None, None)));
                continue;
            }
            let Some((container, reading)) = &mut self.current else { continue };
            match reading.next_page().await {
                Ok(Some(mut page)) => {
                    let certificates = std::mem::take(&mut page.certificates);
                    if let Some(gap) = certificates.into_iter().flat_map(|one| one.gaps).next() {
                        return Err(delta::refused(&format!(
                            "not all below {container} could be read: {gap}"
                        )));
                    }
                    if !page.changes.is_empty() || !page.findings.is_empty() {
                        return Ok(Some(page));
                    }
                }
                Ok(None) => self.current = None,
                // It was removed or renamed again meanwhile, which is a change of its own.
                Err(gone) if gone.code == error::NO_BASE => self.current = None,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The same types, each only below `container`.
fn below(around: &Around, container: &str) -> Around {
    let normalised = dn::normalise(container);
    let types = around.types.iter().filter_map(|map| {
        if dn::is_within(container, &dn::normalise(&map.config.base)) {
            return Some(Arc::new(map.based_at(container)));
        }
        // Of a type that begins below, all of it lies there.
        dn::is_within(&map.config.base, &normalised).then(|| Arc::clone(map))
    });
    Around { types: types.collect(), ..around.clone() }
}

fn outermost(mut containers: Vec<String>) -> Vec<String> {
    containers.sort_by_key(String::len);
    let mut kept: Vec<(String, String)> = Vec::new();
    for container in containers {
        if !kept.iter().any(|(_, outer)| dn::is_within(&container, outer)) {
            let normalised = dn::normalise(&container);
            kept.push((container, normalised));
        }
    }
    kept.into_iter().map(|(container, _)| container).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_containers_are_read_with_their_outer_ones() {
        let containers = ["ou=b,ou=a,dc=t", "OU=A, dc=t", "ou=c,dc=t", "ou=a,dc=t"].map(str::to_owned);
        assert_eq!(outermost(containers.to_vec()), ["ou=c,dc=t", "ou=a,dc=t"]);
    }
}
