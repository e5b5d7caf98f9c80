//! The statements that do something in a world: imports, syncs, exports, and what they show.

use std::collections::BTreeMap;

use identitymesh_engine::absence::Certified;
use identitymesh_model::{ConnectorId, Name};

use super::Problem;
use super::rows::Reading;
use super::rules::Gathered;
use super::show::{self, Shown};
use super::statement::Statement;
use crate::{End, Incoming, Moment, Page, World};

/// One statement at work.
pub(super) struct Step<'a> {
    pub(super) statement: &'a Statement,
    pub(super) world: &'a mut World,
    pub(super) gathered: &'a Gathered,
}

/// What an import given as rows proves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Everything, with a certificate.
    Full,
    /// Everything, without one.
    Incomplete,
    /// Only what changed.
    Delta,
}

impl Step<'_> {
    pub(super) fn play(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            ["sync" | "export" | "prepare" | "quiet", ..] => self.run(words),
            ["import" | "delta" | "incomplete", ..] => self.import(words),
            ["show", ..] => self.show(words),
            ["change" | "add" | "delete", ..] => self.by_hand(words),
            ["link" | "unlink" | "never" | "split" | "merge" | "reevaluate" | "revert", ..] => {
                self.decide(words)
            }
            _ => self.system(words),
        }
    }

    fn run(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            ["sync", "everything"] => Ok(self.sync(None)),
            ["sync", rest @ .., "stopped", "after", parts] => {
                self.world.stop_after = Some(self.count(parts)?);
                self.run(&[&["sync"], rest].concat())
            }
            ["sync", "in", "parts", "of", size, rest @ ..] => {
                self.world.part_objects = self.count(size)?;
                self.run(&[&["sync"], rest].concat())
            }
            ["sync", names @ ..] => {
                let ids = self.connectors(names)?;
                Ok(self.sync(Some(ids)))
            }
            ["export", connector] => self.export(connector, None, false),
            ["export", connector, "stopped", "after", items] => {
                let items = self.count(items)?;
                self.export(connector, Some(items), false)
            }
            ["export", connector, "killed", "after", items] => {
                let items = self.count(items)?;
                self.export(connector, Some(items), true)
            }
            ["prepare"] => Ok(self.prepare()),
            ["quiet", rest @ ..] => {
                let told = self.play(rest)?;
                Ok(told.into_iter().filter(|line| line.starts_with("!!!")).collect())
            }
            _ => Err(self.unknown()),
        }
    }

    fn import(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            ["import", connector] => {
                let id = self.connector(connector)?;
                Ok(self.world.import_from_system(id))
            }
            ["delta", "import", connector] => {
                let id = self.connector(connector)?;
                Ok(self.world.delta_from_system(id))
            }
            ["import", connector, object_type] => self.rows(connector, object_type, Read::Full),
            ["incomplete", "import", connector, object_type] => {
                self.rows(connector, object_type, Read::Incomplete)
            }
            ["delta", "import", connector, object_type] => self.rows(connector, object_type, Read::Delta),
            _ => Err(self.unknown()),
        }
    }

    fn show(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            ["show", "mesh"] => Ok(show::mesh(self.world, None)),
            ["show", "mesh", only] => Ok(show::mesh(self.world, Some(self.name(only)?))),
            ["show", "queue"] => Ok(show::queue(self.world)),
            ["show", "counts"] => Ok(show::counts(self.world)),
            ["show", connector] => Ok(show::system(self.world, self.name(connector)?)),
            _ => Err(self.unknown()),
        }
    }

    pub(super) fn unknown(&self) -> Problem {
        self.statement.problem("no such statement; docs/scenarios.md lists all of them")
    }

    pub(super) fn name(&self, text: &str) -> Result<Name, Problem> {
        Name::new(text).map_err(|error| self.statement.problem(error.to_string()))
    }

    pub(super) fn count(&self, text: &str) -> Result<usize, Problem> {
        text.parse().map_err(|_| self.statement.problem(format!("{text} is no count")))
    }

    pub(super) fn connector(&self, name: &str) -> Result<ConnectorId, Problem> {
        let id = self.world.connector(self.name(name)?);
        id.ok_or_else(|| self.statement.problem(format!("there is no connector {name}")))
    }

    /// Those that are named, or all.
    fn connectors(&self, names: &[&str]) -> Result<Vec<ConnectorId>, Problem> {
        if names.is_empty() {
            return Ok(self.world.rules().connectors().iter().map(|known| known.id).collect());
        }
        names.iter().map(|name| self.connector(name)).collect()
    }

    pub(super) fn reading(&self, connector: &str, object_type: Name) -> Result<Reading<'_>, Problem> {
        let connector = self.name(connector)?;
        let schema = self.gathered.systems.schemas.get(&connector);
        let key = self.gathered.keys.iter().find(|(of, name, _)| (*of, *name) == (connector, object_type));
        Ok(Reading {
            schema: schema.and_then(|schema| schema.object_type(object_type)),
            key: key.map(|(_, _, key)| *key),
        })
    }

    /// Syncs, and then looks whether anything is left to do: a plan that is carried out leaves nothing.
    fn sync(self, connectors: Option<Vec<ConnectorId>>) -> Vec<String> {
        let mut shown = Shown::default();
        let told = |world: &World, outcome: &_, moment| shown.part(world, outcome, moment);
        let done = match connectors {
            None => self.world.sync_everything(told),
            Some(connectors) => self.world.sync(&connectors, told),
        };
        self.world.stop_after = None;
        if done.is_err() {
            shown.lines.push("stopped; what came before is kept".to_owned());
            return shown.lines;
        }
        self.left(shown)
    }

    /// What was shown, and what planning again would give, which must be nothing.
    pub(super) fn left(self, mut shown: Shown) -> Vec<String> {
        if self.world.has_pending() {
            // Another connector's objects were not looked at yet, so there is more to do.
            return shown.lines;
        }
        let left = self.world.what_is_left();
        if left.plan.objects.iter().any(|object| !object.is_empty()) {
            shown.lines.push("!!! planning again gives more, which must not be:".to_owned());
            shown.part(self.world, &left, Moment::Before);
            shown.part(self.world, &left, Moment::After);
        }
        shown.lines
    }

    /// Everything up to a state of rest, told only where it is not one: sync, export to all, import from all targets.
    fn prepare(self) -> Vec<String> {
        let ids: Vec<ConnectorId> = self.world.rules().connectors().iter().map(|known| known.id).collect();
        for _ in 0..2 {
            self.world.sync(&ids, |_, _, _| {}).expect("nobody stops it");
            for id in &ids {
                if !self.world.export(*id, false).is_empty() {
                    self.world.import_from_system(*id);
                }
            }
        }
        self.sync(Some(ids)).into_iter().map(|line| format!("!!! {line}")).collect()
    }

    fn export(self, connector: &str, stop: Option<usize>, is_killed: bool) -> Result<Vec<String>, Problem> {
        let id = self.connector(connector)?;
        self.world.stop_after = stop;
        let told = self.world.export(id, is_killed);
        self.world.stop_after = None;
        Ok(told.iter().map(|one| format!("{} {}: {}", one.operation, one.whose, one.what)).collect())
    }

    fn rows(self, connector: &str, object_type: &str, read: Read) -> Result<Vec<String>, Problem> {
        let object_type = self.name(object_type)?;
        let rows = self.reading(connector, object_type)?.table(&self.statement.body)?;
        let id = self.connector(connector)?;
        let objects = rows.iter().filter(|row| !matches!(row, Incoming::Gone(_))).count() as u64;
        let certified = Certified { objects, expected: None, gaps: Vec::new() };
        let certificates = match read {
            Read::Full => BTreeMap::from([(object_type, certified)]),
            Read::Incomplete | Read::Delta => BTreeMap::new(),
        };
        let full = (read != Read::Delta).then_some(std::slice::from_ref(&object_type));
        let changes = rows.into_iter().map(|row| (object_type, row)).collect();
        Ok(self.world.import(id, full, vec![Page { changes, mark: None }], End::Whole(certificates)))
    }
}
