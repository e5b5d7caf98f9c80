//! Reading a simulated system: everything it holds, or what changed since a mark; page by page, with its faults.

use std::collections::BTreeMap;

use identitymesh_engine::absence::Certified;
use identitymesh_model::{ConnectorId, Name, Text};

use super::World;
use super::import::{End, Incoming, Page};
use super::system::ReadFault;

impl World {
    /// Imports everything that the simulated system holds.
    pub fn import_from_system(&mut self, connector: ConnectorId) -> Vec<String> {
        let Some(rules) = self.rules.connector(connector) else { return Vec::new() };
        let object_types = rules.object_types();
        let system = self.systems.entry(connector).or_default();
        let mark = system.newest();
        let mut changes = Vec::new();
        let mut certificates = BTreeMap::new();
        for object_type in &object_types {
            let objects = system.all(*object_type);
            let gaps =
                system.unreadable.iter().filter(|(known, id, _)| known == object_type && id.is_empty());
            let certified = Certified {
                objects: objects.len() as u64,
                expected: None,
                gaps: gaps.map(|(_, _, why)| why.clone()).collect(),
            };
            certificates.insert(*object_type, certified);
            changes
                .extend(objects.into_iter().map(|(id, object)| (*object_type, Incoming::Object(id, object))));
        }
        for change in &mut changes {
            let why = system.unreadable.iter().find(|(of, id, _)| (of, id) == (&change.0, change.1.id()));
            if let Some((_, id, why)) = why {
                change.1 = Incoming::Malformed(id.clone(), why.clone());
            }
        }
        let mut pages = pages(changes, system.page, |_| None);
        if let Some(last) = pages.last_mut() {
            // Only the end of a full read is a place from which nothing can be missed.
            last.mark = Some(mark);
        }
        let end = self.faulty(connector, &mut pages, certificates);
        self.import(connector, Some(&object_types), pages, end)
    }

    /// Imports what changed in the simulated system since the newest mark, everything without one.
    pub fn delta_from_system(&mut self, connector: ConnectorId) -> Vec<String> {
        let Some(since) = self.state.watermarks.get(&connector).copied() else {
            let mut told = vec!["no mark to start from, so everything was read".to_owned()];
            told.extend(self.import_from_system(connector));
            return told;
        };
        let system = self.systems.entry(connector).or_default();
        let mut marks = Vec::new();
        let changes = system.since(since).into_iter().map(|(mark, object_type, id)| {
            marks.push(mark);
            let change = match system.get(object_type, &id) {
                Some(object) => Incoming::Object(id, object.clone()),
                None => Incoming::Gone(id),
            };
            (object_type, change)
        });
        let changes: Vec<(Name, Incoming)> = changes.collect();
        let mut pages = pages(changes, system.page, |last| marks.get(last).copied());
        let end = self.faulty(connector, &mut pages, BTreeMap::new());
        let mut told = vec![format!("changes since {since}")];
        told.extend(self.import(connector, None, pages, end));
        told
    }

    /// Lets the system's fault happen to the pages, and says how the import ends.
    fn faulty(
        &mut self,
        connector: ConnectorId,
        pages: &mut Vec<Page>,
        certificates: BTreeMap<Name, Certified>,
    ) -> End {
        let system = self.systems.entry(connector).or_default();
        match system.read_fault.take() {
            None => End::Whole(certificates),
            Some(ReadFault::NoCertificate) => End::Whole(BTreeMap::new()),
            Some(ReadFault::Breaks { page }) => {
                pages.truncate(page.saturating_sub(1));
                End::Early("the import broke off")
            }
            Some(ReadFault::Stopped { page }) => {
                pages.truncate(page.saturating_sub(1));
                End::Early("the import was stopped")
            }
            Some(ReadFault::Empty) => {
                pages.clear();
                let nothing = |certified: &mut Certified| certified.objects = 0;
                let mut certificates = certificates;
                certificates.values_mut().for_each(nothing);
                End::Whole(certificates)
            }
        }
    }
}

fn pages(
    changes: Vec<(Name, Incoming)>,
    size: Option<usize>,
    mark: impl Fn(usize) -> Option<u64>,
) -> Vec<Page> {
    let size = size.unwrap_or(usize::MAX).max(1);
    let mut pages: Vec<Page> = Vec::new();
    for (at, change) in changes.into_iter().enumerate() {
        if pages.last().is_none_or(|page| page.changes.len() >= size) {
            pages.push(Page::default());
        }
        let page = pages.last_mut().expect("there is one by now");
        page.changes.push(change);
        page.mark = mark(at);
    }
    if pages.is_empty() {
        pages.push(Page::default());
    }
    pages
}

/// What a system holds but cannot show: the id is empty where not even that is known.
pub(super) type Unreadable = (Name, Text, String);
