//! Links in and out: members of groups and other references, in pieces.
//!
//! The server does each piece as a whole. Where it offers that, values that are there already or gone already are no
//! error; elsewhere, and when a value names an entry that is not there, what is left to do is found by looking once.

use identitymesh_connector::{AttributeChange, ChangeKind, Outcome};
use identitymesh_model::Value;

use super::changes::{Rest, rest};
use super::pieces::{VALUES_SENT, cut, exchanges_many, on_the_way};
use super::update::Progress;
use super::writer::{Writer, conflict, unsendable};
use crate::result::{self, OBJECT_CLASS_VIOLATION, Verdict};
use crate::schema::{PERMISSIVE_MODIFY, TypeMap};
use crate::transport::{Control, Modification, Write};
use crate::value;

impl Writer {
    /// What of the changes goes in one request, and which links follow in pieces.
    pub(super) async fn cut(
        &self,
        map: &TypeMap,
        id: &str,
        changes: &[AttributeChange],
    ) -> Result<(Vec<AttributeChange>, Vec<AttributeChange>), Outcome> {
        let is_forgiving = self.directory.offers(PERMISSIVE_MODIFY);
        let (mut at_once, mut later) = (Vec::with_capacity(changes.len()), Vec::new());
        for change in changes {
            let change = match exchanges_many(map, change) {
                true => self.fitted(map, id, change).await?,
                false => change.clone(),
            };
            let (first, rest) = cut(map, change, is_forgiving);
            at_once.extend(first);
            later.extend(rest);
        }
        Ok((at_once, later))
    }

    /// A large exchange as the values that come and go.
    async fn fitted(
        &self,
        map: &TypeMap,
        id: &str,
        change: &AttributeChange,
    ) -> Result<AttributeChange, Outcome> {
        let (name, ChangeKind::Replace { old, new }) = (change.name, &change.kind) else {
            return Ok(change.clone());
        };
        let entry = self.still_there(map, id).await?;
        let there = self.read(map, &entry).object.map(|object| object.attributes).unwrap_or_default();
        on_the_way(map, name, (old.as_ref(), new.as_ref()), there.get(name))
            .ok_or_else(|| conflict(format!("{name} of {} is not as it was", entry.dn)))
    }

    /// Takes links out and puts links in; the other way round where a group may not be without any.
    pub(super) async fn link(
        &self,
        map: &TypeMap,
        id: &str,
        changes: &[AttributeChange],
        progress: &mut Progress,
    ) -> Result<(), Outcome> {
        for change in changes {
            let ChangeKind::AddRemove { add, remove } = &change.kind else { continue };
            let adds = add.chunks(VALUES_SENT).map(|piece| (piece, &[][..]));
            let removes = remove.chunks(VALUES_SENT).map(|piece| (&[][..], piece));
            let pieces: Vec<_> = match map.required_references.contains(&change.name) {
                true => adds.chain(removes).collect(),
                false => removes.chain(adds).collect(),
            };
            for piece in pieces {
                self.piece(map, id, change, piece, progress).await?;
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
        let (mut has_looked, mut needs_stand_in) = (false, false);
        loop {
            let answer = self.send_links(map, id, &wanted, needs_stand_in, progress).await?;
            let what = || format!("changing {} of {}", change.name, progress.dn);
            match result::verdict(answer.code) {
                Verdict::Applied => {
                    progress.has_changed = true;
                    return Ok(());
                }
                Verdict::Transient => return Err(self.negative(map, &what(), &answer)),
                // The last member would go; the group stays with a stand-in.
                _ if answer.code == OBJECT_CLASS_VIOLATION
                    && add.is_empty()
                    && map.required_references.contains(&change.name)
                    && !std::mem::replace(&mut needs_stand_in, true) =>
                {
                    continue;
                }
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
        needs_stand_in: bool,
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
        } else if needs_stand_in {
            changes.push(Modification::Add(description, vec![self.config.empty_member.as_bytes().to_vec()]));
        }
        let write = Write::Modify { dn: self.target(map, id, &progress.dn), changes };
        let mut request = self.guarded(map, id, &[], write);
        if self.directory.offers(PERMISSIVE_MODIFY) {
            request.controls.push(Control::flag(PERMISSIVE_MODIFY));
        }
        self.send(&request).await
    }
}
