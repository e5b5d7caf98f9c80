//! Plays a scenario file, statement by statement.

use identitymesh_model::{ConnectorId, Link, LinkMode, Name, RuleId, Span, Timestamp};

use super::Problem;
use super::rows::Reading;
use super::rules::{Gathered, Rules};
use super::show::{self, Shown};
use super::statement::{Piece, Statement, pieces};
use crate::{Answer, Incoming, World};

/// The clock of a scenario that sets none.
const START: &str = "2026-03-02T08:00:00Z";

/// Plays `text` and gives it back with what happened in place of what was expected. `common` gives rules by name.
///
/// # Errors
/// When the file is not understood.
///
/// # Panics
/// When the engine breaks what must hold of every plan.
pub fn run_text(text: &str, common: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let start = START.parse().expect("a constant");
    let mut player = Player { rules: Rules::default(), gathered: None, world: None, now: start, common };
    let mut out = String::with_capacity(text.len() + 1_024);
    for piece in pieces(text)? {
        match piece {
            Piece::Kept(line) => {
                out.push_str(&line);
                out.push('\n');
            }
            Piece::Statement(statement) => {
                let lines = player.play(&statement)?;
                let lines = lines.iter().map(|line| format!("| {line}"));
                for line in statement.written.iter().cloned().chain(lines) {
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
            }
        }
    }
    Ok(out)
}

struct Player<'a> {
    rules: Rules,
    gathered: Option<Gathered>,
    world: Option<World>,
    now: Timestamp,
    common: &'a dyn Fn(&str) -> Option<String>,
}

impl Player<'_> {
    fn play(&mut self, statement: &Statement) -> Result<Vec<String>, Problem> {
        let words: Vec<&str> = statement.text.split_whitespace().collect();
        match words.as_slice() {
            ["use", name] => self.take_in(statement, name).map(|()| Vec::new()),
            ["rules", part] => {
                let added = self.rules.add(part, &statement.body_text());
                added.map_err(|message| statement.problem(message))?;
                self.put_in_force(statement)
            }
            ["replace", part] => {
                let replaced = self.rules.replace(part, &statement.body_text());
                replaced.map_err(|message| statement.problem(message))?;
                self.put_in_force(statement)
            }
            ["remove", part] => {
                self.rules.remove(part);
                self.put_in_force(statement)
            }
            ["at", time] => {
                self.now = time.parse().map_err(|_| statement.problem("no such time"))?;
                self.set_clock();
                Ok(Vec::new())
            }
            ["advance", span] => {
                let span: Span = span.parse().map_err(|_| statement.problem("no such span of time"))?;
                self.now = self.now.saturating_add_seconds(span.as_seconds());
                self.set_clock();
                Ok(Vec::new())
            }
            ["check", "rules"] => self.problems(statement),
            words => self.step(statement, words),
        }
    }

    fn take_in(&mut self, statement: &Statement, name: &str) -> Result<(), Problem> {
        let text = (self.common)(name);
        let text = text.ok_or_else(|| statement.problem(format!("there are no rules called {name}")))?;
        for piece in pieces(&text)? {
            let Piece::Statement(inner) = piece else { continue };
            let Some(part) = inner.text.strip_prefix("rules ") else {
                return Err(statement.problem(format!("{name} may only hold rules")));
            };
            let added = self.rules.add(part, &inner.body_text());
            added.map_err(|message| statement.problem(format!("{name}: {message}")))?;
        }
        Ok(())
    }

    fn set_clock(&mut self) {
        if let Some(world) = &mut self.world {
            world.now = self.now;
        }
    }

    /// Before the first step rules are only gathered; later they come into force at once.
    fn put_in_force(&mut self, statement: &Statement) -> Result<Vec<String>, Problem> {
        if self.world.is_none() {
            return Ok(Vec::new());
        }
        let gathered = self.rules.gather().map_err(|message| statement.problem(message))?;
        let world = self.world.as_mut().expect("it was seen above");
        let done = world.put_in_force(&gathered.configuration, &gathered.systems);
        done.map_err(|problems| statement.problem(listed(&problems)))?;
        self.gathered = Some(gathered);
        Ok(Vec::new())
    }

    /// What is wrong with the rules gathered so far.
    fn problems(&self, statement: &Statement) -> Result<Vec<String>, Problem> {
        let gathered = self.rules.gather().map_err(|message| statement.problem(message))?;
        Ok(match World::new(&gathered.configuration, &gathered.systems, self.now) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        })
    }

    fn world(&mut self, statement: &Statement) -> Result<(&mut World, &Gathered), Problem> {
        if self.world.is_none() {
            let gathered = self.rules.gather().map_err(|message| statement.problem(message))?;
            let world = World::new(&gathered.configuration, &gathered.systems, self.now);
            let mut world = world.map_err(|problems| statement.problem(listed(&problems)))?;
            for (connector, object_type, key) in &gathered.keys {
                let system = world.connector(*connector).and_then(|id| world.systems.get_mut(&id));
                system.expect("every connector has a system").keys.insert(*object_type, *key);
            }
            self.world = Some(world);
            self.gathered = Some(gathered);
        }
        let world = self.world.as_mut().expect("it was made above");
        Ok((world, self.gathered.as_ref().expect("it was gathered with the world")))
    }

    fn step(&mut self, statement: &Statement, words: &[&str]) -> Result<Vec<String>, Problem> {
        let (world, gathered) = self.world(statement)?;
        let step = Step { statement, world, gathered };
        match words {
            ["sync", "everything"] => Ok(step.sync(None)),
            ["sync"] => {
                let all = step.world.rules().connectors().iter().map(|known| known.id).collect();
                Ok(step.sync(Some(all)))
            }
            ["sync", names @ ..] => {
                let ids: Result<Vec<_>, _> = names.iter().map(|name| step.connector(name)).collect();
                Ok(step.sync(Some(ids?)))
            }
            ["import", connector] => {
                let id = step.connector(connector)?;
                Ok(step.world.import_from_system(id))
            }
            ["import", connector, object_type] => step.import(connector, object_type, true),
            ["incomplete", "import", connector, object_type]
            | ["delta", "import", connector, object_type] => step.import(connector, object_type, false),
            ["export", connector] => {
                let id = step.connector(connector)?;
                let told = step.world.export(id);
                Ok(told.iter().map(|one| format!("{} {}: {}", one.operation, one.whose, one.what)).collect())
            }
            ["prepare"] => Ok(step.prepare()),
            ["show", "mesh"] => Ok(show::mesh(step.world, None)),
            ["show", "mesh", only] => Ok(show::mesh(step.world, Some(step.name(only)?))),
            ["show", "queue"] => Ok(show::queue(step.world)),
            ["show", connector] => Ok(show::system(step.world, step.name(connector)?)),
            ["change", "in", connector, object_type, id @ ..] => {
                step.change(connector, object_type, &id.join(" "))
            }
            ["add", "in", connector, object_type] => step.add(connector, object_type),
            ["delete", "in", connector, object_type, id @ ..] => {
                step.delete(connector, object_type, &id.join(" "))
            }
            ["link", connector, object_type, id, "to", mesh_type, anchor] => {
                step.link((connector, object_type, id), (mesh_type, anchor))
            }
            [connector, "is", "busy", "for", anchor] => step.script(connector, anchor, Answer::Busy),
            [connector, "refuses", anchor, words @ ..] => {
                step.script(connector, anchor, Answer::Refuses(words.join(" ")))
            }
            [connector, "loses", "the", "answer", "for", anchor] => {
                step.script(connector, anchor, Answer::Lost)
            }
            [connector, "is", "silent", "for", anchor] => step.script(connector, anchor, Answer::Silent),
            _ => Err(statement.problem("no such statement; docs/scenarios.md lists all of them")),
        }
    }
}

fn listed(problems: &[identitymesh_engine::rules::RuleProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

struct Step<'a> {
    statement: &'a Statement,
    world: &'a mut World,
    gathered: &'a Gathered,
}

impl Step<'_> {
    fn name(&self, text: &str) -> Result<Name, Problem> {
        Name::new(text).map_err(|error| self.statement.problem(error.to_string()))
    }

    fn connector(&self, name: &str) -> Result<ConnectorId, Problem> {
        let id = self.world.connector(self.name(name)?);
        id.ok_or_else(|| self.statement.problem(format!("there is no connector {name}")))
    }

    fn reading(&self, connector: &str, object_type: Name) -> Result<Reading<'_>, Problem> {
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
        match connectors {
            None => self.world.sync_everything(told),
            Some(connectors) => self.world.sync(&connectors, told),
        }
        let left = self.world.what_is_left();
        if left.plan.objects.iter().any(|object| !object.is_empty()) {
            shown.lines.push("!!! planning again gives more, which must not be:".to_owned());
            shown.part(self.world, &left, crate::Moment::Before);
            shown.part(self.world, &left, crate::Moment::After);
        }
        shown.lines
    }

    /// Everything up to a state of rest, told only where it is not one: sync, export to all, import from all targets.
    fn prepare(self) -> Vec<String> {
        let ids: Vec<ConnectorId> = self.world.rules().connectors().iter().map(|known| known.id).collect();
        for _ in 0..2 {
            self.world.sync(&ids, |_, _, _| {});
            for id in &ids {
                if !self.world.export(*id).is_empty() {
                    self.world.import_from_system(*id);
                }
            }
        }
        self.sync(Some(ids)).into_iter().map(|line| format!("!!! {line}")).collect()
    }

    fn import(self, connector: &str, object_type: &str, is_complete: bool) -> Result<Vec<String>, Problem> {
        let object_type = self.name(object_type)?;
        let rows = self.reading(connector, object_type)?.table(&self.statement.body)?;
        let id = self.connector(connector)?;
        Ok(self.world.import(id, object_type, rows, is_complete))
    }

    /// `name = value` lines below: somebody changes an object in the system itself.
    fn change(self, connector: &str, object_type: &str, id: &str) -> Result<Vec<String>, Problem> {
        let (connector_id, object_type) = (self.connector(connector)?, self.name(object_type)?);
        let system = self.world.systems.get(&connector_id);
        let object = system.and_then(|system| system.get(object_type, id)).cloned();
        let missing = || self.statement.problem(format!("{connector} has no {object_type} {id}"));
        let mut object = object.ok_or_else(missing)?;
        let reading = self.reading(connector, object_type)?;
        for (line, text) in &self.statement.body {
            let (name, value) = text
                .split_once(" =")
                .ok_or_else(|| Problem::new(*line, "a change is written `attribute = value`"))?;
            let name = self.name(name)?;
            object.put(name, reading.values(name, value.trim()));
        }
        let system = self.world.systems.get_mut(&connector_id);
        system.expect("it was read above").put(object_type, id, object);
        Ok(Vec::new())
    }

    fn add(self, connector: &str, object_type: &str) -> Result<Vec<String>, Problem> {
        let (id, object_type) = (self.connector(connector)?, self.name(object_type)?);
        let rows = self.reading(connector, object_type)?.table(&self.statement.body)?;
        let system = self.world.systems.entry(id).or_default();
        for row in rows {
            if let Incoming::Object(id, object) = row {
                system.put(object_type, &id, object);
            }
        }
        Ok(Vec::new())
    }

    fn delete(self, connector: &str, object_type: &str, id: &str) -> Result<Vec<String>, Problem> {
        let (connector_id, object_type) = (self.connector(connector)?, self.name(object_type)?);
        let gone =
            self.world.systems.get_mut(&connector_id).is_some_and(|system| system.remove(object_type, id));
        if gone {
            Ok(Vec::new())
        } else {
            Err(self.statement.problem(format!("{connector} has no {object_type} {id}")))
        }
    }

    fn script(self, connector: &str, anchor: &str, answer: Answer) -> Result<Vec<String>, Problem> {
        let id = self.connector(connector)?;
        self.world.systems.entry(id).or_default().script.push((anchor.to_owned(), answer));
        Ok(Vec::new())
    }

    /// An operator's link, as state: no rule made it.
    fn link(self, of: (&str, &str, &str), to: (&str, &str)) -> Result<Vec<String>, Problem> {
        let connector = self.connector(of.0)?;
        let space = self.world.state.space(connector, self.name(of.1)?, of.2);
        let mesh_type = self.name(to.0)?;
        let mut mesh = self.world.state.mesh.values();
        let mesh = mesh.find(|record| record.mesh_type == mesh_type && record.anchor == to.1);
        let (Some(space), Some(mesh)) = (space, mesh.map(|record| record.id)) else {
            return Err(self.statement.problem("one of the two is not there"));
        };
        let known = self.world.state.spaces.get_mut(&space).expect("it was found above");
        known.record.link = Some(Link { mesh, rule: RuleId(0), mode: LinkMode::Manual, score: None });
        (known.touched, known.note, known.waits) = (true, None, Vec::new());
        Ok(Vec::new())
    }
}
