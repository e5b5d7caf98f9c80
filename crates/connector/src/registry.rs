//! The kinds that a process knows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::ConnectorKind;

/// Kinds by the word that configuration uses for them.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Arc<dyn ConnectorKind>>,
}

impl Registry {
    /// A registry that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; of two with the same word the later one stays.
    #[must_use]
    pub fn with(mut self, kind: impl ConnectorKind + 'static) -> Self {
        self.kinds.insert(kind.descriptor().kind, Arc::new(kind));
        self
    }

    /// The kind that configuration calls `word`.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<&Arc<dyn ConnectorKind>> {
        self.kinds.get(word)
    }

    /// What is to be warned of in the settings of a connector of the kind `word`, whose relative paths start at `base`.
    /// Nothing for settings that are not in order: those have problems instead.
    #[must_use]
    pub fn warnings(&self, word: &str, written: &BTreeMap<String, Json>, base: &Path) -> Vec<String> {
        let Some(kind) = self.get(word) else { return Vec::new() };
        kind.prepare(written, base).map(|settings| kind.warnings(&settings)).unwrap_or_default()
    }

    /// All kinds in the order of their words.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn ConnectorKind>> {
        self.kinds.values()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}
