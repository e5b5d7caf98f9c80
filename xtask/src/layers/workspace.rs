//! The part of cargo's dependency graph that the layer rules look at.
//!
//! Packages are known by name: two versions of one library count as one, which is what a ban means.
//! Features are those of the whole workspace, so the core is judged by the strictest build of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::ring::Ring;

/// Our crates and the graph of everything that ends up in a build.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<Member>,
    /// Package name to the names of its normal dependencies: what is linked, without build and test helpers.
    pub(crate) linked: BTreeMap<String, BTreeSet<String>>,
}

/// One of our crates.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the workspace root.
    pub(crate) manifest: String,
    /// The stated ring, or the sentence that says what is wrong with the statement.
    pub(crate) ring: Result<Ring, String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// An edge as the manifest declares it.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// True for `[dev-dependencies]`, which never reach a user.
    pub(crate) for_tests: bool,
}

impl Workspace {
    /// Asks cargo for the graph; may download the index and the manifests of dependencies.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut command = MetadataCommand::new();
        let metadata = command.current_dir(root).exec().context("cargo cannot resolve the dependencies")?;
        let members = metadata.workspace_packages().into_iter().map(|package| Member::new(root, package));
        Ok(Self { members: members.collect(), linked: linked(&metadata) })
    }

    /// The member of this name, when it is one of ours.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

impl Member {
    fn new(root: &Path, package: &Package) -> Self {
        let manifest = package.manifest_path.strip_prefix(root).unwrap_or(&package.manifest_path);
        let dependencies = package.dependencies.iter().map(|dependency| Dependency {
            name: dependency.name.clone(),
            // An optional library stands behind a feature that only tests switch on: conformance suites do that.
            for_tests: dependency.kind == DependencyKind::Development || dependency.optional,
        });
        Self {
            name: package.name.to_string(),
            manifest: manifest.as_str().replace('\\', "/"),
            ring: Ring::from_metadata(&package.metadata),
            dependencies: dependencies.collect(),
        }
    }
}

fn linked(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    for node in nodes {
        let entry = graph.entry(metadata[&node.id].name.to_string()).or_default();
        let is_linked = |kinds: &[cargo_metadata::DepKindInfo]| {
            kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        };
        let linked = node.deps.iter().filter(|edge| is_linked(&edge.dep_kinds));
        entry.extend(linked.map(|edge| metadata[&edge.pkg].name.to_string()));
    }
    graph
}

#[cfg(test)]
impl Workspace {
    /// A workspace from lines such as `("engine", 0, &["model"], &["testkit"])`: name, ring, normal, tests.
    pub(crate) fn of(members: &[(&str, Ring, &[&str], &[&str])]) -> Self {
        let mut workspace = Self::default();
        for (name, ring, normal, tests) in members {
            let edge = |name: &&str, for_tests| Dependency { name: (*name).to_owned(), for_tests };
            let normal_edges = normal.iter().map(|name| edge(name, false));
            let dependencies = normal_edges.chain(tests.iter().map(|name| edge(name, true))).collect();
            let manifest = format!("crates/{name}/Cargo.toml");
            workspace.members.push(Member {
                name: (*name).to_owned(),
                manifest,
                ring: Ok(*ring),
                dependencies,
            });
            let linked = normal.iter().map(|name| (*name).to_owned()).collect();
            workspace.linked.insert((*name).to_owned(), linked);
        }
        workspace
    }
}
