//! Changing an entry: its attributes in one modify, then its name and place in one rename.
//!
//! The attributes go first, because they are what a server objects to, and a modify that is refused has changed
//! nothing. When the target is not as the changes suppose, they are compared with what it really holds: all there
//! already, still possible, or a conflict.

use identitymesh_connector::{AttributeChange, ChangeKind, Identity, Outcome};
use identitymesh_model::{Name, Value, Values, dn};

use super::changes::{self, Moments, Rdn, Rest, StandIn, is_compared_moment};
use super::writer::{Writer, conflict, contended, unsendable, written};
use crate::dialect::Dialect;
use crate::naming;
use crate::result::{self, OBJECT_CLASS_VIOLATION, Verdict};
use crate::schema::TypeMap;
use crate::transport::{Entry, Modification, Write};
use crate::value::{self, Form, Key};

/// How often a change is fitted to what the target holds before somebody else is taken to change it all the time.
const ATTEMPTS_MAX: usize = 4;

/// How far an update has come.
pub(super) struct Progress {
    pub(super) dn: String,
    pub(super) has_changed: bool,
}

/// What a look at the target says.
struct Seen {
    rest: Rest,
    /// Whether the stand-in for members is there.
    has_stand_in: bool,
    moments: Moments,
}

impl Writer {
    pub(super) async fn update(
        &self,
        map: &TypeMap,
        identity: &Identity,
        new_address: Option<&str>,
        create_container: bool,
        changes: &[AttributeChange],
    ) -> Result<Outcome, Outcome> {
        let id = identity.external_id.as_str();
        let dn = match &identity.address {
            Some(address) => address.to_string(),
            None => self.still_there(map, id).await?.dn,
        };
        if let Some(wrong) = new_address.filter(|address| naming::rdn(address).is_none()) {
            return Err(unsendable(format!("{wrong:?} is no name of an entry")));
        }
        self.check_encryption(map, changes.iter().map(|change| change.name))?;
        let changes = &self.account(map, id, changes).await?;
        let (plain, linked) = self.cut(map, id, changes).await?;
        let mut progress = Progress { dn, has_changed: false };
        self.modify(map, id, &plain, new_address, &mut progress).await?;
        self.link(map, id, &linked, &mut progress)
            .await
            .map_err(|outcome| if progress.has_changed { half_done(outcome) } else { outcome })?;
        if let Some(new_address) = new_address {
            self.rename(map, id, changes, (new_address, create_container), &mut progress).await.map_err(
                |outcome| {
                    if progress.has_changed { half_done(outcome) } else { outcome }
                },
            )?;
        }
        Ok(match progress.has_changed {
            true => Outcome::Applied(written(id)),
            false => Outcome::AlreadySo(written(id)),
        })
    }

    async fn modify(
        &self,
        map: &TypeMap,
        id: &str,
        wanted: &[AttributeChange],
        new_address: Option<&str>,
        progress: &mut Progress,
    ) -> Result<(), Outcome> {
        let mut changes = wanted.to_vec();
        // Values that only come say nothing of what was there before.
        let mut is_there = match wanted.iter().find(|change| adds_members(map, change)) {
            Some(change) => Some(self.holds_stand_in(map, id, change.name).await?),
            None => None,
        };
        let mut moments = Moments::new();
        if wanted.iter().any(|change| is_compared_moment(map, change.name)) {
            match self.rest(map, id, wanted, progress).await? {
                Seen { rest: Rest::Nothing, .. } => return Ok(()),
                Seen { rest: Rest::Conflict(name), .. } => return Err(not_as_it_was(name, &progress.dn)),
                Seen { rest: Rest::Changes(left), has_stand_in, moments: now } => {
                    (changes, is_there, moments) = (left, Some(has_stand_in), now);
                }
            }
        }
        let mut extra_step = None;
        let mut is_stubborn = false;
        for _ in 0..ATTEMPTS_MAX {
            let names = names(map, &progress.dn, new_address);
            let stand_in = StandIn { member: &self.config.empty_member, is_there };
            let mut plan = changes::plan(map, &changes, &names, stand_in, &moments).map_err(unsendable)?;
            plan.steps.extend(extra_step.take());
            if plan.steps.is_empty() {
                return Ok(());
            }
            let write = Write::Modify { dn: self.target(map, id, &progress.dn), changes: plan.steps };
            let what = format!("changing {}", progress.dn);
            let answer = self.send(&self.guarded(map, id, &plan.conditions, write)).await?;
            match result::verdict(answer.code) {
                Verdict::Applied => {
                    progress.has_changed = true;
                    return Ok(());
                }
                Verdict::Missing => {
                    let entry = self.still_there(map, id).await?;
                    if entry.dn == progress.dn {
                        // Something else is missing, such as whom a reference names.
                        return Err(self.negative(map, &what, &answer));
                    }
                    progress.dn = entry.dn;
                }
                Verdict::Differs | Verdict::Exists => match self.rest(map, id, wanted, progress).await? {
                    Seen { rest: Rest::Nothing, .. } => return Ok(()),
                    // Everything is as supposed, so the server means something that looking does not show.
                    Seen { rest: Rest::Changes(left), .. } if left == changes && is_stubborn => {
                        return Err(self.refused(map, &what, &answer));
                    }
                    Seen { rest: Rest::Changes(left), has_stand_in, moments: now } => {
                        is_stubborn = left == changes;
                        (changes, is_there, moments) = (left, Some(has_stand_in), now);
                    }
                    Seen { rest: Rest::Conflict(name), .. } => {
                        return Err(not_as_it_was(name, &progress.dn));
                    }
                },
                Verdict::Refused if answer.code == OBJECT_CLASS_VIOLATION && is_there.is_none() => {
                    // The last member may have gone; the group stays with a stand-in.
                    extra_step = last_member(map, &changes, &self.config.empty_member);
                    is_there = Some(false);
                    if extra_step.is_none() {
                        return Err(self.negative(map, &what, &answer));
                    }
                }
                _ => return Err(self.negative(map, &what, &answer)),
            }
        }
        Err(contended(format!("{} is being changed by somebody else", progress.dn)))
    }

    /// Passwords go over encrypted connections only.
    pub(super) fn check_encryption(
        &self,
        map: &TypeMap,
        mut names: impl Iterator<Item = Name>,
    ) -> Result<(), Outcome> {
        match names.find(|name| map.form(*name) == Form::QuotedPassword) {
            Some(name) if !self.transport.is_encrypted() => Err(unsendable(format!(
                "{name} is set over an encrypted connection only; use ldaps:// or starttls = true"
            ))),
            _ => Ok(()),
        }
    }

    /// What is left of `wanted`, by what is there.
    async fn rest(
        &self,
        map: &TypeMap,
        id: &str,
        wanted: &[AttributeChange],
        progress: &mut Progress,
    ) -> Result<Seen, Outcome> {
        let entry = self.still_there(map, id).await?;
        let read = self.read(map, &entry);
        let names = wanted.iter().map(|change| change.name).filter(|name| is_compared_moment(map, *name));
        let moments = names
            .filter_map(|name| Some((name, entry.values(&map.description(name)).first()?.clone())))
            .collect();
        progress.dn = entry.dn;
        let there = read.object.map(|object| object.attributes).unwrap_or_default();
        let rest = changes::rest(map, wanted, &there);
        Ok(Seen { rest, has_stand_in: read.has_stand_in, moments })
    }

    pub(super) async fn still_there(&self, map: &TypeMap, id: &str) -> Result<Entry, Outcome> {
        let entry = self.entry_with_id(map, id).await?;
        entry.ok_or_else(|| conflict(format!("there is no entry with {} {id} any more", map.external_id)))
    }

    async fn rename(
        &self,
        map: &TypeMap,
        id: &str,
        changes: &[AttributeChange],
        (new_address, create_container): (&str, bool),
        progress: &mut Progress,
    ) -> Result<(), Outcome> {
        let mut may_make_container = true;
        for _ in 0..ATTEMPTS_MAX {
            if !naming::is_renamed(&progress.dn, new_address) {
                return Ok(());
            }
            if !self.checks_ids(map) {
                progress.dn = self.still_there(map, id).await?.dn;
            }
            let (new_rdn, new_parent) = dn::split_first(new_address);
            let is_move = !naming::same(new_parent, dn::parent(&progress.dn));
            let write = Write::Rename {
                dn: self.target(map, id, &progress.dn),
                new_rdn: new_rdn.to_owned(),
                // Active Directory knows one name only.
                delete_old: self.directory.dialect == Dialect::ActiveDirectory
                    || !keeps_old_name(map, &progress.dn, changes),
                // Named by its id, an entry has no parent that the server could leave it below.
                new_parent: (is_move || self.names_by_id(map)).then(|| new_parent.to_owned()),
            };
            let answer = self.send(&self.guarded(map, id, &[], write)).await?;
            if result::verdict(answer.code) == Verdict::Applied {
                progress.has_changed = true;
                return Ok(());
            }
            let what = format!("moving {} to {new_address}", progress.dn);
            let entry = self.still_there(map, id).await?;
            let has_moved = entry.dn != progress.dn;
            progress.dn = entry.dn;
            if has_moved {
                continue;
            }
            if !is_move || !create_container || !std::mem::take(&mut may_make_container) {
                return Err(self.negative(map, &what, &answer));
            }
            // Servers have different codes for a container that is not there, so it is looked for. If it is there by
            // now, another operation of the batch has just made it.
            self.make_containers(map, new_parent).await?;
        }
        Err(contended(format!("{} is being moved by somebody else", progress.dn)))
    }
}

fn not_as_it_was(name: Name, dn: &str) -> Outcome {
    conflict(format!("{name} of {dn} is not as it was"))
}

/// Some of it was changed and the rest was not: no conflict, because something was changed.
fn half_done(outcome: Outcome) -> Outcome {
    let said = |reason: String| format!("a part was changed, the rest was not: {reason}");
    match outcome {
        Outcome::Refused { code, reason, attributes } => {
            Outcome::Refused { code, reason: said(reason), attributes }
        }
        Outcome::Conflict { code, reason } => {
            Outcome::Refused { code, reason: said(reason), attributes: Vec::new() }
        }
        other => other,
    }
}

fn keys(map: &TypeMap, dn: &str) -> Vec<(Name, Key)> {
    let pairs = naming::rdn(dn).unwrap_or_default().into_iter();
    let keyed = pairs.filter_map(|(attribute, text)| {
        let schema = map.attribute(&attribute)?;
        Some((schema.name, value::key(Some(schema), &Value::text(text))))
    });
    keyed.collect()
}

/// The values that a rename exchanges; none without a rename.
fn names(map: &TypeMap, dn: &str, new_address: Option<&str>) -> Rdn {
    match new_address {
        Some(new_address) => Rdn { old: keys(map, dn), new: keys(map, new_address) },
        None => Rdn::default(),
    }
}

/// Whether the old name's value is to stay among the attribute's values.
fn keeps_old_name(map: &TypeMap, dn: &str, changes: &[AttributeChange]) -> bool {
    keys(map, dn).iter().any(|(name, key)| {
        let schema = map.schema.attribute(*name);
        changes.iter().filter(|change| change.name == *name).any(|change| match &change.kind {
            ChangeKind::Replace { new, .. } => new
                .as_ref()
                .map_or(&[][..], Values::as_slice)
                .iter()
                .any(|one| value::key(schema, one) == *key),
            ChangeKind::AddRemove { .. } => false,
        })
    })
}

/// Whether members come into a group that must have some.
fn adds_members(map: &TypeMap, change: &AttributeChange) -> bool {
    map.required_references.contains(&change.name)
        && matches!(&change.kind, ChangeKind::AddRemove { add, .. } if !add.is_empty())
}

/// The stand-in for a member, when members were removed and none was added.
fn last_member(map: &TypeMap, changes: &[AttributeChange], empty_member: &str) -> Option<Modification> {
    let emptied = changes.iter().find(|change| {
        map.required_references.contains(&change.name)
            && matches!(&change.kind, ChangeKind::AddRemove { add, remove } if add.is_empty() && !remove.is_empty())
    })?;
    Some(Modification::Add(map.description(emptied.name), vec![empty_member.into()]))
}
