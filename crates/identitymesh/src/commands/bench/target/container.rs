//! The container that everything happens in: made here or not touched, and removed with all that is in it.

use anyhow::{bail, ensure};
use identitymesh_connector_ldap::raw::{RawClient, RawEntry, RawWrite};
use identitymesh_model::dn;

/// Deletions in flight.
const WINDOW: usize = 16;

/// A container and its halves, by name.
pub(super) struct Container {
    dn: String,
    product: String,
    plain: String,
}

impl Container {
    /// The container of this name, which must be an `ou`.
    pub(super) fn named(dn: &str) -> anyhow::Result<Self> {
        let (first, above) = dn::split_first(dn);
        let is_unit = first.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("ou="));
        ensure!(
            is_unit && first.len() > 3 && !above.is_empty() && !dn.contains(['\'', '\n', '{']),
            "--container must name an ou such as ou=bench,dc=example,dc=com, not {dn:?}"
        );
        Ok(Self { dn: dn.to_owned(), product: format!("ou=product,{dn}"), plain: format!("ou=plain,{dn}") })
    }

    /// Where the product works.
    pub(super) fn product(&self) -> &str {
        &self.product
    }

    /// Where the plain client works.
    pub(super) fn plain(&self) -> &str {
        &self.plain
    }

    /// Makes it, or refuses to work in what is there.
    pub(super) async fn make(&self, client: &mut RawClient) -> anyhow::Result<()> {
        if !client.make(unit(&self.dn)).await? {
            bail!(
                "{} is there already, and bench works only in a container that it makes itself: name another, or remove it \
                 if it was left over by a run that was killed",
                self.dn
            );
        }
        Ok(())
    }

    /// Makes its halves.
    pub(super) async fn furnish(&self, client: &mut RawClient) -> anyhow::Result<()> {
        for half in [&self.product, &self.plain] {
            client.make(unit(half)).await?;
        }
        Ok(())
    }

    /// Removes it and everything in it.
    pub(super) async fn remove(&self, client: &mut RawClient) -> anyhow::Result<()> {
        let entries = client.entries(&self.dn, "(objectClass=*)", &["1.1"]).await?;
        let mut by_depth: Vec<(usize, String)> =
            entries.into_iter().map(|entry| (depth(&entry.dn), entry.dn)).collect();
        by_depth.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        // An entry goes when nothing is below it any more: level by level.
        for level in by_depth.chunk_by(|a, b| a.0 == b.0) {
            let deletes = level.iter().map(|(_, dn)| RawWrite::Delete { dn: dn.clone() }).collect();
            let deletes = client.prepare(deletes)?;
            client.send(deletes, WINDOW).await?;
        }
        Ok(())
    }

    /// Its name.
    pub(super) fn dn(&self) -> &str {
        &self.dn
    }
}

fn unit(dn: &str) -> RawEntry {
    let value = dn::split_first(dn).0.as_bytes()[3..].to_vec();
    let attributes = vec![
        ("objectClass".to_owned(), vec![b"organizationalUnit".to_vec()]),
        ("ou".to_owned(), vec![value]),
    ];
    RawEntry { dn: dn.to_owned(), attributes }
}

fn depth(dn: &str) -> usize {
    let mut rest = dn;
    let parents = std::iter::from_fn(|| {
        rest = dn::parent(rest);
        (!rest.is_empty()).then_some(())
    });
    parents.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_organizational_unit_below_something_can_be_named() {
        let container = Container::named("OU=Bench,dc=mesh,dc=test").unwrap();
        assert_eq!(container.product(), "ou=product,OU=Bench,dc=mesh,dc=test");
        for wrong in ["dc=mesh,dc=test", "ou=alone", "ou=,dc=test", "ou=it's,dc=test", ""] {
            assert!(Container::named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn depth_counts_containers() {
        assert_eq!((depth("dc=test"), depth("ou=a\\,b,dc=mesh,dc=test")), (0, 2));
    }
}
