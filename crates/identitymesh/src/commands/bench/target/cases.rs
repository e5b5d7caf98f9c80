//! The cases in their order: create, change, read.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use identitymesh_connector::{ImportMode, ImportRequest, Settings};
use identitymesh_connector_ldap::raw::{RawClient, RawEntry};
use identitymesh_model::Name;
use identitymesh_runner::{ImportKind, SyncScope, export, import, sync};

use super::super::laboratory::Laboratory;
use super::super::measured::Measuring;
use super::super::report::Case;
use super::ask::{self, Asked, reader, writer};
use super::container::Container;
use super::ldapsearch::LdapSearch;
use super::plain::{self, ID, WRITTEN};
use super::report::TargetReport;
use crate::commands::Shell;
use crate::edge::Stopwatch;

/// The entries that the product makes.
const PEOPLE: &str = "(objectClass=inetOrgPerson)";
/// How often a read is measured; the median counts.
const READ_ROUNDS: usize = 5;
/// Entries that a connector is asked to put into one page, as the product's import does.
const PAGE_OBJECTS: usize = 2_000;

/// Measures the directory; its container is removed whatever happens.
pub(in super::super) async fn measure(
    shell: &Shell,
    asked: &Asked,
    objects: u64,
) -> anyhow::Result<TargetReport> {
    let container = asked.container()?;
    let laboratory = Laboratory::with_connectors(objects, asked.below.as_deref(), shell.cancel.clone())?;
    asked.keep_password(&laboratory.opened, &container)?;
    laboratory.put_in_force(asked.rules(&container)?).await?;
    let settings = ask::settings(&laboratory.opened)?;
    let mut client = RawClient::connect(&settings).await?;
    container.make(&mut client).await?;
    let measured = match container.furnish(&mut client).await {
        Ok(()) => {
            let told = |stage: &str| shell.output.note(&format!("{stage}, {objects} entries …"));
            let cases = Cases {
                laboratory: &laboratory,
                asked,
                container: &container,
                settings: &settings,
                objects,
                measuring: Measuring::new(&told),
            };
            cases.carry_out(client).await
        }
        Err(error) => Err(error),
    };
    shell.output.note("removing the container …");
    // The connection may be what failed, so a new one is made.
    let removed = async { container.remove(&mut RawClient::connect(&settings).await?).await };
    let removed = removed.await.with_context(|| format!("{} could not be removed", container.dn()));
    match (measured, removed) {
        (Ok(report), removed) => removed.map(|()| report),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => Err(error.context(format!("{left:#}"))),
    }
}

struct Cases<'a> {
    laboratory: &'a Laboratory,
    asked: &'a Asked,
    container: &'a Container,
    settings: &'a Settings,
    objects: u64,
    measuring: Measuring<'a>,
}

impl Cases<'_> {
    async fn carry_out(mut self, mut client: RawClient) -> anyhow::Result<TargetReport> {
        self.measuring.tell("preparing");
        let mesh = &self.laboratory.opened.mesh;
        import(mesh, people(), ImportKind::Full).await?;
        sync(mesh, SyncScope::Pending(people())).await?;
        self.create(&mut client).await?;
        self.change(&mut client).await?;
        let target = self.read().await?;
        Ok(TargetReport {
            target,
            objects: self.objects,
            window: self.asked.window,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cases: self.measuring.measured.iter().map(Case::from).collect(),
            peak_rss_bytes: self.measuring.peak_rss_bytes,
        })
    }

    async fn create(&mut self, client: &mut RawClient) -> anyhow::Result<()> {
        let mesh = &self.laboratory.opened.mesh;
        let (spent, run) = self.measuring.time("ldap-create", export(mesh, writer())).await?;
        ensure!(run.count("create") == self.objects, "the export counted {:?}", run.counters);
        let made = client.entries(self.container.product(), PEOPLE, &WRITTEN).await?;
        let adds = client.prepare(plain::adds(&made, self.container.plain()))?;
        let watch = Stopwatch::start();
        client.send(adds, self.asked.window).await?;
        self.measuring.keep("ldap-create", self.objects, spent, watch.elapsed());
        Ok(())
    }

    async fn change(&mut self, client: &mut RawClient) -> anyhow::Result<()> {
        let mesh = &self.laboratory.opened.mesh;
        self.laboratory.people.advance(self.objects);
        import(mesh, people(), ImportKind::Delta).await?;
        sync(mesh, SyncScope::Pending(people())).await?;
        let (spent, run) = self.measuring.time("ldap-change", export(mesh, writer())).await?;
        ensure!(run.count("update") == self.objects, "the export counted {:?}", run.counters);
        let wanted = client.entries(self.container.product(), PEOPLE, &WRITTEN).await?;
        let there = self.copies(client).await?;
        let modifies = client.prepare(plain::modifies(&there, &wanted)?)?;
        let watch = Stopwatch::start();
        client.send(modifies, self.asked.window).await?;
        self.measuring.keep("ldap-change", self.objects, spent, watch.elapsed());
        ensure!(
            self.copies(client).await?.len() == wanted.len(),
            "the plain client's entries are not as many as the product's"
        );
        Ok(())
    }

    async fn copies(&self, client: &mut RawClient) -> anyhow::Result<Vec<RawEntry>> {
        let wanted = [&WRITTEN[..], &[ID]].concat();
        Ok(client.entries(self.container.plain(), PEOPLE, &wanted).await?)
    }

    /// Reads, and says what the server is.
    async fn read(&mut self) -> anyhow::Result<String> {
        let (target, attributes) = self.attributes().await?;
        let directory = self.asked.directory(self.container)?;
        let yardstick = LdapSearch {
            directory: &directory,
            settings: self.settings,
            password_file: &self.laboratory.scratch("password"),
            filter: PEOPLE,
            attributes: &attributes,
        };
        self.measuring.tell("ldapsearch");
        let mut raw = Vec::with_capacity(READ_ROUNDS);
        for _ in 0..READ_ROUNDS {
            raw.push(yardstick.read(self.objects)?);
        }
        let raw = median(raw);
        self.measuring.tell("ldap-read");
        let mut alone = Vec::with_capacity(READ_ROUNDS);
        for _ in 0..READ_ROUNDS {
            alone.push(self.connector_alone().await?);
        }
        self.measuring.keep("ldap-read", self.objects, median(alone), raw);
        let mesh = &self.laboratory.opened.mesh;
        for (name, count) in [("ldap-import-first", "added"), ("ldap-import-unchanged", "unchanged")] {
            let (spent, run) = self.measuring.time(name, import(mesh, reader(), ImportKind::Full)).await?;
            ensure!(run.count(count) == self.objects, "the import counted {:?}", run.counters);
            self.measuring.keep(name, self.objects, spent, raw);
        }
        Ok(target)
    }

    /// What the server is, and what the connector asks for.
    async fn attributes(&self) -> anyhow::Result<(String, Vec<String>)> {
        let mesh = &self.laboratory.opened.mesh;
        let mut session = mesh.connect(&*mesh.in_force()?, reader()).await?;
        let target = session.test().await?.server;
        let schema = session.schema().await?;
        let user = schema.object_type(user()).context("the directory has no type user")?;
        let address = user.address;
        let read = user.attributes.iter().filter(|one| Some(one.name) != address && !one.sensitive);
        Ok((target, read.map(|one| one.name.to_string()).collect()))
    }

    /// The connector from connecting to the last page, which nobody looks at.
    async fn connector_alone(&self) -> anyhow::Result<Duration> {
        let mesh = &self.laboratory.opened.mesh;
        let in_force = mesh.in_force()?;
        let watch = Stopwatch::start();
        let mut session = mesh.connect(&in_force, reader()).await?;
        let importer = session.importer().context("directories can be imported")?;
        let object_types = vec![user()];
        importer
            .begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max: PAGE_OBJECTS })
            .await?;
        let mut objects = 0;
        while let Some(page) = importer.next_page().await? {
            objects += page.changes.len() as u64;
        }
        let spent = watch.elapsed();
        ensure!(objects == self.objects, "the connector read {objects} objects");
        Ok(spent)
    }
}

fn people() -> Name {
    Name::literal("people")
}

fn user() -> Name {
    Name::literal("user")
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}
