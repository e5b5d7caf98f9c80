//! The files of stored plans.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use identitymesh_model::plan::Plan;
use identitymesh_model::rules::Configuration;
use identitymesh_model::{ContentHash, Timestamp};
use identitymesh_store::ReadOnly;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::basis::{PlanPart, bases};
use super::carried::Carried;
use crate::{Mesh, PartSink, RunError};

/// What a stored plan is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHead {
    /// The hash of its content, by which it is called.
    pub hash: String,
    /// The version of the configuration under which it was made.
    pub configuration: i64,
    /// Where it brings that configuration: the version with which it was compared, and which has to be in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i64>,
    /// What was asked for, in words.
    pub question: String,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Mesh objects in it; one that is planned twice counts twice.
    pub objects: u64,
    /// What it would do, as the preview said.
    pub preview: Json,
}

/// The directory of a mesh's stored plans.
#[derive(Clone, Debug)]
pub struct PlanDirectory(PathBuf);

/// A stored plan whose content was found to be what its name says.
#[derive(Debug)]
pub struct StoredPlan {
    /// What it is.
    pub head: PlanHead,
    pub(super) brings: Option<Carried>,
    parts: PathBuf,
}

/// Writes a plan, part by part, as a preview finds them.
pub struct PlanWriter {
    /// What the parts are made from.
    real: ReadOnly,
    directory: PathBuf,
    scratch: PathBuf,
    out: BufWriter<File>,
    hashes: String,
    objects: u64,
    brings: Option<Carried>,
    failed: Option<RunError>,
}

impl PlanDirectory {
    /// Below a data directory.
    #[must_use]
    pub fn below(data: &Path) -> Self {
        Self(data.join("plans"))
    }

    /// Begins a plan of what a preview of `real` finds.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin(&self, real: ReadOnly) -> Result<PlanWriter, RunError> {
        let make = || {
            fs::create_dir_all(&self.0)?;
            let scratch = self.0.join("unfinished");
            Ok((BufWriter::new(File::create(&scratch)?), scratch))
        };
        let (out, scratch) = make().map_err(|source| failed(&self.0, source))?;
        Ok(PlanWriter {
            real,
            directory: self.0.clone(),
            scratch,
            out,
            hashes: String::new(),
            objects: 0,
            brings: None,
            failed: None,
        })
    }

    /// All plans, newest first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn list(&self) -> Result<Vec<PlanHead>, RunError> {
        let read = || {
            let mut heads: Vec<PlanHead> = Vec::new();
            let entries = match fs::read_dir(&self.0) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(heads),
                Err(error) => return Err(error),
            };
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == "json") {
                    heads.push(serde_json::from_slice(&fs::read(&path)?)?);
                }
            }
            heads.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.hash.cmp(&b.hash)));
            Ok(heads)
        };
        read().map_err(|source| failed(&self.0, source))
    }

    /// The plan whose hash begins like this.
    ///
    /// # Errors
    /// When there is none or more than one, or when its content is not what its name says.
    pub fn open(&self, hash: &str) -> Result<StoredPlan, RunError> {
        let mut found: Vec<PlanHead> =
            self.list()?.into_iter().filter(|head| !hash.is_empty() && head.hash.starts_with(hash)).collect();
        let (Some(head), true) = (found.pop(), found.is_empty()) else {
            return Err(RunError::UnknownPlan { hash: hash.to_owned() });
        };
        let parts = self.0.join(format!("{}.parts", head.hash));
        let mut plan = StoredPlan { parts, head, brings: None };
        let mut hashes = String::new();
        if plan.head.base.is_some() {
            let path = self.0.join(format!("{}.configuration", plan.head.hash));
            let text = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
            hashes.push_str(&ContentHash::of(&text).to_string());
            let brings: Carried = serde_json::from_str(&text)
                .map_err(|source| RunError::Stored { what: "configuration", source })?;
            if plan.head.base != Some(brings.base) {
                return Err(RunError::ForeignPlan { hash: plan.head.hash });
            }
            plan.brings = Some(brings);
        }
        for line in plan.lines()? {
            hashes.push_str(&ContentHash::of(&line?).to_string());
        }
        if content(plan.head.configuration, &hashes) == plan.head.hash {
            Ok(plan)
        } else {
            Err(RunError::ForeignPlan { hash: plan.head.hash })
        }
    }
}

impl StoredPlan {
    /// The configuration that it brings, where it brings one.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn configuration(&self) -> Result<Option<Configuration>, RunError> {
        self.brings.as_ref().map(Carried::configuration).transpose()
    }

    fn lines(&self) -> Result<impl Iterator<Item = Result<String, RunError>> + use<>, RunError> {
        let path = self.parts.clone();
        let file = File::open(&path).map_err(|source| failed(&path, source))?;
        Ok(BufReader::new(file).lines().map(move |line| line.map_err(|source| failed(&path, source))))
    }

    /// Its parts in order.
    pub(super) fn parts(
        &self,
    ) -> Result<impl Iterator<Item = Result<PlanPart, RunError>> + Send + use<>, RunError> {
        let read = |line: Result<String, RunError>| {
            serde_json::from_str(&line?).map_err(|source| RunError::Stored { what: "plan", source })
        };
        Ok(self.lines()?.map(read))
    }
}

impl PlanWriter {
    fn write(&mut self, plan: &Plan) -> Result<(), RunError> {
        let bases = bases(self.real.read()?.as_mut(), plan)?;
        let line = serde_json::to_string(&PlanPart { plan: plan.clone(), bases }).expect("a plan is JSON");
        self.hashes.push_str(&ContentHash::of(&line).to_string());
        self.objects += plan.objects.len() as u64;
        let written = self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| failed(&self.directory, source))
    }

    /// Has the plan bring the configuration that is in force in the copy in which it was made, where the mesh itself
    /// has the version `base` in force.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn bring(&mut self, copy: &Mesh, base: i64) -> Result<(), RunError> {
        self.brings = Carried::of(copy, base)?;
        Ok(())
    }

    /// Ends the plan: from here on it is there under its name. `head` gets hash and size.
    ///
    /// # Errors
    /// When anything could not be written; then there is no such plan.
    pub fn finish(mut self, mut head: PlanHead) -> Result<PlanHead, RunError> {
        let brings =
            self.brings.as_ref().map(|brings| serde_json::to_string(brings).expect("plain data is JSON"));
        let carried = brings.as_ref().map(|text| ContentHash::of(text).to_string()).unwrap_or_default();
        head.hash = content(head.configuration, &(carried + &self.hashes));
        head.base = self.brings.as_ref().map(|brings| brings.base);
        head.objects = self.objects;
        self.failed.take().map_or(Ok(()), Err)?;
        let mut keep = || {
            self.out.flush()?;
            self.out.get_ref().sync_all()?;
            fs::rename(&self.scratch, self.directory.join(format!("{}.parts", head.hash)))?;
            if let Some(text) = &brings {
                let scratch = self.directory.join("unfinished-configuration");
                let mut file = File::create(&scratch)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                fs::rename(&scratch, self.directory.join(format!("{}.configuration", head.hash)))?;
            }
            // The head comes last: a plan without one is not listed.
            let scratch = self.directory.join("unfinished-head");
            let mut file = File::create(&scratch)?;
            file.write_all(&serde_json::to_vec_pretty(&head)?)?;
            file.sync_all()?;
            fs::rename(&scratch, self.directory.join(format!("{}.json", head.hash)))
        };
        keep().map_err(|source| failed(&self.directory, source))?;
        Ok(head)
    }
}

impl PartSink for PlanWriter {
    /// A failure is said at the end.
    fn part(&mut self, plan: &Plan) {
        if self.failed.is_none() {
            self.failed = self.write(plan).err();
        }
    }
}

/// The hash of a plan: of the configuration's version, the configuration where it brings one, and all parts.
fn content(configuration: i64, hashes: &str) -> String {
    ContentHash::of(&format!("{configuration}\n{hashes}")).to_string()
}

fn failed(path: &Path, source: io::Error) -> RunError {
    RunError::PlanFile { path: path.display().to_string(), source }
}
