//! Arrows between our own crates: they point inward, and inside a ring only where this file says so.
//!
//! Test dependencies are free, because a test may look at a crate from any side; that is also how the test
//! kit reaches the crates. Everything that ships keeps to the rings of `ARCHITECTURE.md`.

use super::ring::Ring;
use super::workspace::{Member, Workspace};
use crate::finding::Finding;

/// Arrows inside one ring, with the reason for each. Adapters have none: they must not know each other.
const WITHIN_A_RING: &[(&str, &str, &str)] = &[
    ("identitymesh-expr", "identitymesh-model", "expressions compute with the model's values"),
    ("identitymesh-engine", "identitymesh-model", "a plan is made of the model's objects and rules"),
    ("identitymesh-engine", "identitymesh-expr", "flows and scopes are expressions"),
    (
        "identitymesh-config",
        "identitymesh-connector",
        "settings are checked against the schema of their kind",
    ),
];

/// Libraries that only tests use; in a normal dependency they would reach users.
const TEST_LIBRARIES: &[&str] = &["assert_cmd", "criterion", "insta", "proptest"];

/// Checks every declared dependency of every member.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.members.iter().flat_map(|member| check_member(workspace, member)).collect()
}

fn check_member(workspace: &Workspace, member: &Member) -> Vec<Finding> {
    let ring = match &member.ring {
        Ok(ring) => *ring,
        Err(message) => return vec![Finding::new(&member.manifest, 1, message)],
    };
    let shipped = member.dependencies.iter().filter(|dependency| !dependency.for_tests);
    let complaint = |name: &str| {
        let problem = match workspace.member(name).map(|target| &target.ring) {
            Some(Ok(target_ring)) => arrow_problem((&member.name, ring), (name, *target_ring))?,
            // A target without a ring is reported at its own manifest.
            Some(Err(_)) => return None,
            None => library_problem(ring, name)?,
        };
        Some(Finding::new(
            &member.manifest,
            1,
            format!("{} ({ring}) depends on {name}: {problem}", member.name),
        ))
    };
    shipped.filter_map(|dependency| complaint(&dependency.name)).collect()
}

fn arrow_problem((from, from_ring): (&str, Ring), (to, to_ring): (&str, Ring)) -> Option<String> {
    match (from_ring, to_ring) {
        (Ring::Tool, _) => None,
        (Ring::Number(_), Ring::Tool) => Some("a tool belongs under [dev-dependencies]".into()),
        (Ring::Number(own), Ring::Number(target)) if target < own => None,
        (Ring::Number(own), Ring::Number(target)) if target > own => {
            Some(format!("it stands in {to_ring}, and arrows point inward"))
        }
        _ if from_ring == Ring::ADAPTERS => {
            Some("adapters do not know each other; share through a contract".into())
        }
        _ if WITHIN_A_RING
            .iter()
            .any(|(allowed_from, allowed_to, _)| (*allowed_from, *allowed_to) == (from, to)) =>
        {
            None
        }
        _ => Some(
            "both stand in one ring; if that is right, add it with its reason to WITHIN_A_RING in xtask"
                .into(),
        ),
    }
}

fn library_problem(ring: Ring, library: &str) -> Option<String> {
    let ships = ring != Ring::Tool;
    (ships && TEST_LIBRARIES.contains(&library)).then(|| "it belongs under [dev-dependencies]".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Ring = Ring::Number(1);
    const TWO: Ring = Ring::Number(2);

    fn messages(members: &[(&str, Ring, &[&str], &[&str])]) -> Vec<String> {
        check(&Workspace::of(members)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn inward_and_listed_arrows_pass() {
        let found = messages(&[
            ("identitymesh-model", Ring::CORE, &["serde"], &["proptest", "testkit"]),
            ("identitymesh-expr", Ring::CORE, &["identitymesh-model"], &[]),
            ("identitymesh-engine", Ring::CORE, &["identitymesh-model", "identitymesh-expr"], &[]),
            ("store", ONE, &["identitymesh-model"], &[]),
            ("store-sqlite", TWO, &["store"], &["testkit", "connector-fake"]),
            ("connector-fake", TWO, &["store"], &[]),
            ("testkit", Ring::Tool, &["store-sqlite", "proptest"], &[]),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn an_outward_arrow_is_found() {
        let found = messages(&[("store", ONE, &["sqlite"], &[]), ("sqlite", TWO, &[], &[])]);
        assert_eq!(found, ["store (ring 1) depends on sqlite: it stands in ring 2, and arrows point inward"]);
    }

    #[test]
    fn the_core_has_one_order() {
        let found = messages(&[
            ("identitymesh-expr", Ring::CORE, &[], &[]),
            ("identitymesh-model", Ring::CORE, &["identitymesh-expr"], &[]),
        ]);
        assert!(found.len() == 1 && found[0].contains("WITHIN_A_RING"), "{found:?}");
    }

    #[test]
    fn adapters_do_not_know_each_other() {
        let found = messages(&[("a", TWO, &["b"], &[]), ("b", TWO, &[], &[])]);
        assert!(found.len() == 1 && found[0].contains("adapters do not know each other"), "{found:?}");
    }

    #[test]
    fn tools_and_test_libraries_do_not_ship() {
        let found = messages(&[("a", TWO, &["testkit", "proptest"], &[]), ("testkit", Ring::Tool, &[], &[])]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|message| message.contains("[dev-dependencies]")), "{found:?}");
    }

    #[test]
    fn a_missing_ring_is_found_once_and_at_its_own_manifest() {
        let mut workspace = Workspace::of(&[("a", TWO, &["b"], &[]), ("b", ONE, &[], &[])]);
        workspace.members[1].ring = Err("no ring".into());
        assert_eq!(check(&workspace), [Finding::new("crates/b/Cargo.toml", 1, "no ring")]);
    }
}
