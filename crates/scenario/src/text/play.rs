//! Plays a scenario file, statement by statement.

use identitymesh_model::{Span, Timestamp};

use super::Problem;
use super::rules::{Gathered, Rules};
use super::statement::{Piece, Statement, pieces};
use super::step::Step;
use crate::World;

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
            ["set", part, path, "=", ..] => {
                let value = statement.text.split_once(" = ").map_or("", |(_, value)| value);
                let set = self.rules.set(part, path, value);
                set.map_err(|message| statement.problem(message))?;
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
        Ok(match gathered.world(self.now) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        })
    }

    fn world(&mut self, statement: &Statement) -> Result<(&mut World, &Gathered), Problem> {
        if self.world.is_none() {
            let gathered = self.rules.gather().map_err(|message| statement.problem(message))?;
            let world = gathered.world(self.now);
            let world = world.map_err(|problems| statement.problem(listed(&problems)))?;
            self.world = Some(world);
            self.gathered = Some(gathered);
        }
        let world = self.world.as_mut().expect("it was made above");
        Ok((world, self.gathered.as_ref().expect("it was gathered with the world")))
    }

    fn step(&mut self, statement: &Statement, words: &[&str]) -> Result<Vec<String>, Problem> {
        let (world, gathered) = self.world(statement)?;
        Step { statement, world, gathered }.play(words)
    }
}

fn listed(problems: &[identitymesh_engine::rules::RuleProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
