//! Asking the system itself for what a read did not show, before it is taken as gone.
//!
//! The thread that stages knows what is missing, and the session that can ask lives elsewhere: questions go through a
//! channel and are answered one after the other. Whoever holds no [`Asker`] any more has no questions.

use identitymesh_connector::{Importer, Session};
use identitymesh_model::{Name, Text};
use tokio::sync::{mpsc, oneshot};

use crate::{InForce, Mesh, RunError};

/// What is asked of objects.
#[derive(Clone, Copy)]
enum Asked {
    /// Which of them are there.
    StillThere,
    /// Which of them the system holds outside of what is imported.
    HeldElsewhere,
}

/// A question about these objects; no answer where the system cannot be asked.
struct Question {
    asked: Asked,
    object_type: Name,
    ids: Vec<Text>,
    answer: oneshot::Sender<Result<Option<Vec<Text>>, RunError>>,
}

/// Asks, from a thread that may wait.
#[derive(Clone)]
pub(crate) struct Asker(mpsc::Sender<Question>);

/// Where questions arrive.
pub(crate) struct Questions(mpsc::Receiver<Question>);

/// Both ends.
pub(crate) fn channel() -> (Asker, Questions) {
    let (sender, receiver) = mpsc::channel(1);
    (Asker(sender), Questions(receiver))
}

impl Asker {
    /// Which of these objects are there; nothing where the system cannot be asked.
    pub(super) fn still_there(
        &self,
        object_type: Name,
        ids: Vec<Text>,
    ) -> Result<Option<Vec<Text>>, RunError> {
        self.ask(Asked::StillThere, object_type, ids)
    }

    /// Which of these objects the system holds outside of what is imported; nothing where it cannot be asked.
    pub(super) fn held_elsewhere(
        &self,
        object_type: Name,
        ids: Vec<Text>,
    ) -> Result<Option<Vec<Text>>, RunError> {
        self.ask(Asked::HeldElsewhere, object_type, ids)
    }

    fn ask(&self, asked: Asked, object_type: Name, ids: Vec<Text>) -> Result<Option<Vec<Text>>, RunError> {
        let (answer, answered) = oneshot::channel();
        let is_asked = self.0.blocking_send(Question { asked, object_type, ids, answer }).is_ok();
        match answered.blocking_recv() {
            Ok(there) if is_asked => there,
            _ => Err(RunError::Worker),
        }
    }
}

impl Questions {
    /// Answers until nobody asks any more.
    pub(super) async fn answer(mut self, importer: &mut dyn Importer) {
        while let Some(question) = self.0.recv().await {
            question.put(importer).await;
        }
    }

    /// As [`Questions::answer`] where the session at hand is busy: another one is opened for the first question.
    pub(crate) async fn answer_apart(mut self, mesh: &Mesh, in_force: &InForce, name: Name) {
        let mut apart: Option<Box<dyn Session>> = None;
        while let Some(question) = self.0.recv().await {
            if apart.is_none() {
                match mesh.connect(in_force, name).await {
                    Ok(session) => apart = Some(session),
                    Err(error) => {
                        question.end(Err(error));
                        continue;
                    }
                }
            }
            match apart.as_mut().and_then(|session| session.importer()) {
                Some(importer) => question.put(importer).await,
                None => question.end(Ok(None)),
            }
        }
    }
}

impl Question {
    async fn put(self, importer: &mut dyn Importer) {
        let said = match self.asked {
            Asked::StillThere => importer.still_there(self.object_type, &self.ids).await,
            Asked::HeldElsewhere => importer.held_elsewhere(self.object_type, &self.ids).await,
        };
        self.end(said.map_err(RunError::from));
    }

    fn end(self, said: Result<Option<Vec<Text>>, RunError>) {
        // Nobody waits for it when the stager has failed meanwhile.
        let _told = self.answer.send(said);
    }
}
