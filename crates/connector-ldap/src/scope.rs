//! Which parts of the tree belong to a connector: statements about containers, of which the nearest decides.
//!
//! Nothing said means everything. When only exclusions are said, the rest is in; as soon as something is included,
//! only that is in, minus what is excluded below it, plus what is included below that again.

use identitymesh_model::dn;

/// Statements in normalised form.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Scope {
    statements: Vec<(String, bool)>,
    default: bool,
}

impl Scope {
    /// Containers as written. Of one container stated both ways the exclusion holds.
    pub(crate) fn new(include: &[&str], exclude: &[&str]) -> Self {
        let stated = |list: &[&str], inside| {
            list.iter().map(|container| (dn::normalise(container), inside)).collect::<Vec<_>>()
        };
        let mut statements = stated(exclude, false);
        statements.extend(stated(include, true));
        // The longest name that contains an entry is the nearest; the sort is stable, so exclusions stay first.
        statements.sort_by_key(|(container, _)| std::cmp::Reverse(container.len()));
        Self { statements, default: include.is_empty() }
    }

    /// Whether an entry belongs to the connector.
    pub(crate) fn contains(&self, dn: &str) -> bool {
        if self.statements.is_empty() {
            return self.default;
        }
        let nearest = self.statements.iter().find(|(container, _)| dn::is_within(dn, container));
        nearest.map_or(self.default, |(_, inside)| *inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_statement_decides() {
        let scope = Scope::new(
            &["ou=People,dc=t", "ou=keep,ou=Old,ou=people,dc=t"],
            &["ou=old,ou=people,dc=t", "ou=both,ou=people,dc=t"],
        );
        for (dn, inside) in [
            ("uid=a,ou=people,dc=t", true),
            ("uid=a,ou=sub,OU=People, DC=t", true),
            ("uid=a,ou=old,ou=people,dc=t", false),
            ("uid=a,ou=keep,ou=old,ou=people,dc=t", true),
            ("uid=a,ou=groups,dc=t", false),
            ("dc=t", false),
        ] {
            assert_eq!(scope.contains(dn), inside, "{dn}");
        }
    }

    #[test]
    fn without_inclusions_everything_else_is_in() {
        assert!(Scope::new(&[], &[]).contains("uid=a,dc=t"));
        let scope = Scope::new(&[], &["ou=old,dc=t"]);
        assert!(scope.contains("uid=a,dc=t") && !scope.contains("uid=a,ou=old,dc=t"));
        assert!(!Scope::new(&["ou=x,dc=t"], &["ou=X,dc=t"]).contains("ou=x,dc=t"));
    }
}
