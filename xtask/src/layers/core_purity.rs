//! The core decides and never acts: no async runtime, SQL, HTTP, clock or randomness may reach it.
//!
//! Runtimes, databases and networks are looked for in everything that the core links, at any distance, and
//! the finding shows the way there. Clocks and randomness are looked for among direct dependencies only:
//! libraries that the core needs seed their hash tables by themselves, which changes no result.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ring::Ring;
use super::workspace::{Member, Workspace};
use crate::finding::Finding;

const NOWHERE: &[&str] = &[
    "async-std",
    "axum",
    "deadpool-postgres",
    "hyper",
    "ldap3",
    "libsqlite3-sys",
    "mio",
    "mysql_async",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "sqlx",
    "tiberius",
    "tokio",
    "tokio-postgres",
    "ureq",
];

const NOT_DIRECTLY: &[&str] =
    &["chrono", "fastrand", "getrandom", "quanta", "rand", "rand_core", "time", "web-time"];

/// Checks every crate of ring 0.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let core = workspace.members.iter().filter(|member| member.ring == Ok(Ring::CORE));
    core.flat_map(|member| forbidden_links(workspace, member).chain(forbidden_directly(member))).collect()
}

fn forbidden_links<'a>(workspace: &'a Workspace, member: &'a Member) -> impl Iterator<Item = Finding> + 'a {
    let ways = ways_from(&member.name, &workspace.linked);
    NOWHERE.iter().filter_map(move |library| {
        let way = ways.get(library)?;
        let message = format!("the core must not link {library}; it comes this way: {}", way.join(" → "));
        Some(Finding::new(&member.manifest, 1, message))
    })
}

fn forbidden_directly(member: &Member) -> impl Iterator<Item = Finding> {
    let shipped = member.dependencies.iter().filter(|dependency| !dependency.for_tests);
    let forbidden = shipped.filter(|dependency| NOT_DIRECTLY.contains(&dependency.name.as_str()));
    forbidden.map(|dependency| {
        let message = format!("the core takes time and randomness as parameters; remove {}", dependency.name);
        Finding::new(&member.manifest, 1, message)
    })
}

/// The shortest way from a package to each package that it links, both ends included.
fn ways_from<'a>(
    start: &'a str,
    linked: &'a BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut ways = BTreeMap::from([(start, vec![start])]);
    let mut next = VecDeque::from([start]);
    while let Some(name) = next.pop_front() {
        let way = ways[name].clone();
        for target in linked.get(name).into_iter().flatten() {
            if !ways.contains_key(target.as_str()) {
                ways.insert(target, [way.as_slice(), &[target.as_str()]].concat());
                next.push_back(target);
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(workspace: &mut Workspace, from: &str, to: &[&str]) {
        let names = to.iter().map(|name| (*name).to_owned()).collect();
        workspace.linked.insert(from.to_owned(), names);
    }

    #[test]
    fn a_runtime_far_away_is_found_with_the_way_there() {
        let mut workspace = Workspace::of(&[("engine", Ring::CORE, &["words"], &[])]);
        link(&mut workspace, "words", &["pages", "engine"]);
        link(&mut workspace, "pages", &["tokio"]);
        let found = check(&workspace);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.ends_with("engine → words → pages → tokio"), "{found:?}");
    }

    #[test]
    fn other_rings_may_use_a_runtime() {
        let workspace = Workspace::of(&[("runner", Ring::Number(3), &["tokio", "rand"], &[])]);
        assert_eq!(check(&workspace), []);
    }

    #[test]
    fn randomness_is_found_as_a_direct_dependency_only() {
        let mut workspace = Workspace::of(&[("model", Ring::CORE, &["uuid"], &["rand"])]);
        link(&mut workspace, "uuid", &["getrandom"]);
        assert_eq!(check(&workspace), []);
        let direct = Workspace::of(&[("model", Ring::CORE, &["getrandom"], &[])]);
        assert_eq!(check(&direct).len(), 1);
    }
}
