//! Making missing containers, from the top down.

use identitymesh_connector::Outcome;
use identitymesh_model::dn;

use super::writer::{Writer, unsendable};
use crate::naming;
use crate::result::{self, Verdict};
use crate::schema::TypeMap;
use crate::transport::{Write, WriteRequest};

/// Most containers made for one entry.
const CONTAINER_DEPTH_MAX: usize = 32;

impl Writer {
    /// Makes `dn` and every missing container above it, up to the connector's base, which must exist.
    ///
    /// # Errors
    /// What became of the operation that needs them.
    pub(super) async fn make_containers(&self, map: &TypeMap, dn: &str) -> Result<(), Outcome> {
        let mut missing = Vec::new();
        let mut name = dn;
        while !name.is_empty() && !naming::same(name, &self.config.base) {
            if !dn::is_within(name, &self.config.base) {
                return Err(unsendable(format!("{dn} does not lie within {}", self.config.base)));
            }
            if missing.len() == CONTAINER_DEPTH_MAX {
                return Err(unsendable(format!("{dn} lies more than {CONTAINER_DEPTH_MAX} containers deep")));
            }
            if self.entry_at(map, name).await?.is_some() {
                break;
            }
            missing.push(name);
            name = dn::parent(name);
        }
        for name in missing.into_iter().rev() {
            let answer = self.send(&self.container(name)?).await?;
            match result::verdict(answer.code) {
                // Another operation of the batch may have made it a moment ago.
                Verdict::Applied | Verdict::Exists => {}
                _ => return Err(self.negative(map, &format!("making the container {name}"), &answer)),
            }
        }
        Ok(())
    }

    fn container(&self, name: &str) -> Result<WriteRequest, Outcome> {
        let pairs = naming::rdn(name).unwrap_or_default();
        let classes = |attribute: &str| naming::container_classes(attribute, self.directory.dialect);
        let Some((classes, (attribute, value))) =
            pairs.into_iter().next().and_then(|pair| Some((classes(&pair.0)?, pair)))
        else {
            return Err(unsendable(format!(
                "{name} is missing, and there is no telling what kind of container it is"
            )));
        };
        let classes = classes.iter().map(|class| class.as_bytes().to_vec()).collect();
        let attributes = vec![("objectClass".to_owned(), classes), (attribute, vec![value.into_bytes()])];
        Ok(Write::Add { dn: name.to_owned(), attributes }.into())
    }
}
