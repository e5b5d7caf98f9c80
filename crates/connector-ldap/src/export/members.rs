//! Links in and out: members of groups and other references, in pieces.
//!
//! Servers limit how many values one request may carry, so a large change goes in pieces, each of which the server
//! does as a whole. Where it offers that, values that are there already or gone already are no error; elsewhere, and
//! when a value names an entry that is not there, what is left to do is found by looking once.

use identitymesh_connector::{AttributeChange, ChangeKind, Outcome};
use identitymesh_model::{Value, ValueType};

use super::changes::{Rest, rest};
use super::update::Progress;
use super::writer::{Writer, unsendable};
use crate::result::{self, Verdict};
use crate::schema::{PERMISSIVE_MODIFY, TypeMap};
use crate::transport::{Control, Modification, Write};
use crate::value;

/// Values of one request; Active Directory takes 5,000 by default.
const VALUES_SENT: usize = 1_000;

impl Writer {
    /// Whether a change goes in pieces here.
    pub(super) fn is_linked(&self, map: &TypeMap, change: &AttributeChange) -> bool {
        let schema = map.schema.attribute(change.name);
        matches!(change.kind, ChangeKind::AddRemove { .. })
            && schema.is_some_and(|schema| schema.kind.value == ValueType::Reference)
            && !map.required_references.contains(&change.name)
            && self.directory.offers(PERMISSIVE_MODIFY)
    }

    /// Takes links out and puts links in.
    pub(super) async fn link(
        &self,
        map: &TypeMap,
        id: &str,
        changes: &[AttributeChange],
        progress: &mut Progress,
    ) -> Result<(), Outcome> {
        for change in changes {
            let ChangeKind::AddRemove { add, remove } = &change.kind else { continue };
            for piece in remove.chunks(VALUES_SENT) {
                self.piece(map, id, change, (&[], piece), progress).await?;
            }
            for piece in add.chunks(VALUES_SENT) {
                self.piece(map, id, change, (piece, &[]), progress).await?;
            }
        }
        Ok(())
    }

    async fn piece(
        &self,
        map: &TypeMap,
        id: &str,
        change: &AttributeChange,
        (add, remove): (&[Value], &[Value]),
        progress: &mut Progress,
    ) -> Result<(), Outcome> {
        let kind = ChangeKind::AddRemove { add: add.to_vec(), remove: remove.to_vec() };
        let mut wanted = AttributeChange { name: change.name, kind };
        let mut has_looked = false;
        loop {
            let answer = self.send_links(map, id, &wanted, progress).await?;
            let what = || format!("changing {} of {}", change.name, progress.dn);
            match result::verdict(answer.code) {
                Verdict::Applied => {
                    progress.has_changed = true;
                    return Ok(());
                }
                Verdict::Transient => return Err(self.negative(map, &what(), &answer)),
                _ if has_looked => return Err(self.refused(map, &what(), &answer)),
                _ => {}
            }
            has_looked = true;
            let entry = self.still_there(map, id).await?;
            let there = self.read(map, &entry).object.map(|object| object.attributes).unwrap_or_default();
            progress.dn = entry.dn;
            match rest(map, std::slice::from_ref(&wanted), &there) {
                Rest::Nothing => return Ok(()),
                Rest::Changes(mut left) if left.len() == 1 && left[0] != wanted => wanted = left.remove(0),
                _ => {
                    let what = format!("changing {} of {}", change.name, progress.dn);
                    return Err(self.refused(map, &what, &answer));
                }
            }
        }
    }

    async fn send_links(
        &self,
        map: &TypeMap,
        id: &str,
        change: &AttributeChange,
        progress: &Progress,
    ) -> Result<crate::transport::Answer, Outcome> {
        let ChangeKind::AddRemove { add, remove } = &change.kind else {
            return Err(unsendable("only single links go in pieces"));
        };
        let description = map.description(change.name);
        let encode = |values: &[Value]| {
            value::encode_all(map.form(change.name), values)
                .map_err(|why| unsendable(format!("{}: {why}", change.name)))
        };
        let mut changes = Vec::new();
        if !remove.is_empty() {
            changes.push(Modification::Delete(description.clone(), encode(remove)?));
        }
        if !add.is_empty() {
            changes.push(Modification::Add(description, encode(add)?));
        }
        let write = Write::Modify { dn: self.target(map, id, &progress.dn), changes };
        let mut request = self.guarded(map, id, &[], write);
        request.controls.push(Control::flag(PERMISSIVE_MODIFY));
        self.send(&request).await
    }
}
