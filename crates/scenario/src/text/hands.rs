//! What people do by hand in the connected systems, and how these behave.

use identitymesh_model::dn;

use super::Problem;
use super::step::Step;
use crate::{Answer, Incoming, ReadFault};

impl Step<'_> {
    /// What somebody does to the objects of a system.
    pub(super) fn by_hand(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            ["change", "in", connector, object_type, id @ ..] => {
                self.change(connector, object_type, &id.join(" "))
            }
            ["add", "in", connector, object_type] => self.add(connector, object_type),
            ["delete", "in", connector, object_type, id @ ..] => {
                self.delete(connector, object_type, &id.join(" "))
            }
            _ => Err(self.unknown()),
        }
    }

    /// How a system behaves from now on, or the next time.
    pub(super) fn system(self, words: &[&str]) -> Result<Vec<String>, Problem> {
        match words {
            [connector, "is", "busy", "for", anchor] => self.script(connector, anchor, Answer::Busy),
            [connector, "refuses", anchor, words @ ..] => {
                self.script(connector, anchor, Answer::Refuses(words.join(" ")))
            }
            [connector, "loses", "the", "answer", "for", anchor] => {
                self.script(connector, anchor, Answer::Lost)
            }
            [connector, "loses", "the", "request", "for", anchor] => {
                self.script(connector, anchor, Answer::Unheard)
            }
            [connector, "is", "silent", "for", anchor] => self.script(connector, anchor, Answer::Silent),
            [connector, "breaks", "at", "page", page] => {
                let page = self.count(page)?;
                self.fault(connector, ReadFault::Breaks { page })
            }
            [connector, "is", "stopped", "at", "page", page] => {
                let page = self.count(page)?;
                self.fault(connector, ReadFault::Stopped { page })
            }
            [connector, "proves", "nothing"] => self.fault(connector, ReadFault::NoCertificate),
            [connector, "says", "that", "it", "is", "empty"] => self.fault(connector, ReadFault::Empty),
            [connector, "delivers", size, "to", "a", "page"] => {
                let size = self.count(size)?;
                self.of_system(connector, |system| system.page = Some(size))
            }
            [connector, "keeps", attribute, "in", "capitals"] => {
                let attribute = self.name(attribute)?;
                self.of_system(connector, |system| system.capitals = Some(attribute))
            }
            [connector, "has", "only", "the", "container", at @ ..] => {
                let at = dn::normalise(&at.join(" "));
                self.of_system(connector, |system| {
                    system.containers.get_or_insert_default().insert(at);
                })
            }
            [connector, "cannot", "show", object_type, id, "because", why @ ..] => {
                let unreadable = (self.name(object_type)?, (*id).into(), why.join(" "));
                self.of_system(connector, |system| system.unreadable.push(unreadable))
            }
            [connector, "holds", "a", object_type, "without", "a", "key"] => {
                let why = "a record has no key".to_owned();
                let unreadable = (self.name(object_type)?, "".into(), why);
                self.of_system(connector, |system| system.unreadable.push(unreadable))
            }
            [connector, "shows", "everything", "again"] => {
                self.of_system(connector, |system| system.unreadable.clear())
            }
            _ => Err(self.unknown()),
        }
    }

    fn of_system(
        self,
        connector: &str,
        change: impl FnOnce(&mut crate::System),
    ) -> Result<Vec<String>, Problem> {
        let id = self.connector(connector)?;
        change(self.world.systems.entry(id).or_default());
        Ok(Vec::new())
    }

    fn fault(self, connector: &str, fault: ReadFault) -> Result<Vec<String>, Problem> {
        self.of_system(connector, |system| system.read_fault = Some(fault))
    }

    fn script(self, connector: &str, anchor: &str, answer: Answer) -> Result<Vec<String>, Problem> {
        self.of_system(connector, |system| system.script.push((anchor.to_owned(), answer)))
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
}
