//! What hangs on a management-space object: references, names, what was exported, drift.
//!
//! Changed by difference: a group that gains one member of a hundred thousand gains one row.

use std::collections::{BTreeMap, HashSet};

use identitymesh_model::plan::{IndexKey, SetBefore};
use identitymesh_model::{ConnectorId, Name, Text, Value};
use identitymesh_store::{ExportedText, ReferenceForm, SpaceBody};
use rusqlite::params;

use crate::codec::{OF_SPACE, SPACE_DRIFT, SPACE_SETS, key_hash};
use crate::fault::Outcome;

use super::tx::Tx;

/// Whether rows of the object may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    New,
    Known,
}

/// The flags that content brings with it.
pub(crate) fn body_flags(body: &SpaceBody, exported: Option<&ExportedText>) -> i64 {
    let sets = body.references.iter().any(|(_, _, form)| *form == ReferenceForm::Set);
    let drift = exported.is_some_and(|exported| exported.drift.is_some());
    i64::from(sets) * SPACE_SETS + i64::from(drift) * SPACE_DRIFT
}

/// An edge as a row has it: attribute, key, form.
pub(super) type Edge = (i64, Text, i64);

/// `space_ref.form`: one of a set.
const SET_FORM: i64 = form_number(ReferenceForm::Set);

const fn form_number(form: ReferenceForm) -> i64 {
    match form {
        ReferenceForm::Single => 0,
        ReferenceForm::Set => 1,
    }
}

impl Tx<'_> {
    /// Makes `references` the edges of a management-space object; what that changes in its sets.
    pub(crate) fn set_references(
        &mut self,
        connector: ConnectorId,
        space: i64,
        references: &[(Name, Text, ReferenceForm)],
        age: Age,
    ) -> Outcome<Vec<SetBefore>> {
        if age == Age::New && references.is_empty() {
            return Ok(Vec::new());
        }
        let mut gone = match age {
            Age::New => HashSet::new(),
            Age::Known => self.references(space)?,
        };
        let mut fresh = Vec::new();
        for (attribute, key, form) in references {
            let edge = (self.name_id(*attribute)?, key.clone(), form_number(*form));
            if !gone.remove(&edge) {
                fresh.push(edge);
            }
        }
        if age == Age::Known
            && !(gone.is_empty() && fresh.is_empty())
            && self.is_tracing()?
            && let Some(owner) = self.traced_owner(space)?
        {
            for (_, key, _) in gone.iter().chain(&fresh) {
                self.tell_edge(owner, space, key)?;
            }
        }
        let mut delete = self
            .conn
            .prepare_cached("DELETE FROM space_ref WHERE space = ?1 AND attribute = ?2 AND key = ?3")?;
        for (attribute, key, _) in &gone {
            delete.execute(params![space, attribute, key.as_str()])?;
        }
        fresh.sort_unstable();
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO space_ref (space, attribute, key, form, connector, key_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING",
        )?;
        for (attribute, key, form) in &fresh {
            insert.execute(params![space, attribute, key.as_str(), form, connector.0, key_hash(key)])?;
        }
        if age == Age::New { Ok(Vec::new()) } else { self.sets_before(fresh, gone) }
    }

    /// The reverse of adding and taking out edges, as far as they are of sets.
    pub(super) fn sets_before(
        &mut self,
        added: impl IntoIterator<Item = Edge>,
        removed: impl IntoIterator<Item = Edge>,
    ) -> Outcome<Vec<SetBefore>> {
        let mut sets: BTreeMap<i64, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
        for (attribute, key, _) in added.into_iter().filter(|(_, _, form)| *form == SET_FORM) {
            sets.entry(attribute).or_default().0.push(Value::Reference(key));
        }
        for (attribute, key, _) in removed.into_iter().filter(|(_, _, form)| *form == SET_FORM) {
            sets.entry(attribute).or_default().1.push(Value::Reference(key));
        }
        let mut out = Vec::with_capacity(sets.len());
        for (attribute, (mut added, mut removed)) in sets {
            added.sort_unstable();
            removed.sort_unstable();
            let name = self.memory.dictionary.name(self.conn, attribute)?;
            out.push(SetBefore { name, added, removed });
        }
        out.sort_by_key(|set| set.name);
        Ok(out)
    }

    pub(super) fn references(&self, space: i64) -> Outcome<HashSet<Edge>> {
        let mut statement =
            self.conn.prepare_cached("SELECT attribute, key, form FROM space_ref WHERE space = ?1")?;
        let mut rows = statement.query([space])?;
        let mut out = HashSet::new();
        while let Some(row) = rows.next()? {
            let key = Text::new(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
            out.insert((row.get(0)?, key, row.get(2)?));
        }
        Ok(out)
    }

    /// Makes `names` the names that an object (`kind` and id) holds; of a known one, hands back those that came or went.
    /// Those of a management-space object that went are remembered as former ones.
    pub(crate) fn set_names(
        &self,
        kind: i64,
        owner: i64,
        names: &[IndexKey],
        age: Age,
    ) -> Outcome<Vec<IndexKey>> {
        if age == Age::New && names.is_empty() {
            return Ok(Vec::new());
        }
        let mut gone = match age {
            Age::New => HashSet::new(),
            Age::Known => self.names(kind, owner)?,
        };
        let fresh: Vec<&IndexKey> = names.iter().filter(|name| !gone.remove(*name)).collect();
        let is_renamed = age == Age::Known && kind == OF_SPACE && !(gone.is_empty() && fresh.is_empty());
        if is_renamed {
            self.tell_space(owner)?;
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO name_key (idx, key, kind, owner) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        for name in &fresh {
            insert.execute(params![name.index, name.key.as_str(), kind, owner])?;
        }
        let mut delete = self.conn.prepare_cached(
            "DELETE FROM name_key WHERE idx = ?1 AND key = ?2 AND kind = ?3 AND owner = ?4",
        )?;
        for name in &gone {
            delete.execute(params![name.index, name.key.as_str(), kind, owner])?;
        }
        if is_renamed {
            self.tell_space(owner)?;
            self.remember_names(owner, &gone)?;
        }
        Ok(if age == Age::New { Vec::new() } else { fresh.into_iter().cloned().chain(gone).collect() })
    }

    /// Remembers under what an object was found; who had a name last is who is remembered.
    fn remember_names(&self, space: i64, gone: &HashSet<IndexKey>) -> Outcome<()> {
        let mut insert = self
            .conn
            .prepare_cached("INSERT OR REPLACE INTO former_name (idx, key, space) VALUES (?1, ?2, ?3)")?;
        for name in gone {
            insert.execute(params![name.index, name.key.as_str(), space])?;
        }
        Ok(())
    }

    /// The names that an object holds.
    pub(crate) fn names(&self, kind: i64, owner: i64) -> Outcome<HashSet<IndexKey>> {
        let mut statement =
            self.conn.prepare_cached("SELECT idx, key FROM name_key WHERE kind = ?1 AND owner = ?2")?;
        let mut rows = statement.query([kind, owner])?;
        let mut out = HashSet::new();
        while let Some(row) = rows.next()? {
            let key = Text::new(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
            out.insert(IndexKey { index: row.get(0)?, key });
        }
        Ok(out)
    }

    /// The number of the set of exported attributes; `None` when nothing was ever exported.
    pub(crate) fn exported_id(&mut self, exported: &ExportedText) -> Outcome<Option<i64>> {
        if exported.names.is_empty() { Ok(None) } else { self.set_id(&exported.names).map(Some) }
    }

    /// Keeps or forgets the exported values that a system has otherwise.
    pub(crate) fn set_drift(&self, space: i64, drift: Option<&str>, age: Age) -> Outcome<()> {
        match drift {
            Some(body) => {
                self.distrust_owner(space)?;
                self.conn
                    .prepare_cached("INSERT OR REPLACE INTO drift (space, body) VALUES (?1, ?2)")?
                    .execute(params![space, body])?;
            }
            None if age == Age::Known => {
                let gone =
                    self.conn.prepare_cached("DELETE FROM drift WHERE space = ?1")?.execute([space])?;
                return if gone > 0 { self.distrust_owner(space) } else { Ok(()) };
            }
            None => {}
        }
        Ok(())
    }
}
