//! Walking back: what an object was before a change, from what it is after it and what the change kept.
//!
//! History keeps the reverse of each change and never a second copy of what stayed. So *as it was at* costs the
//! object's own changes since then, and what was never changed costs nothing. A reverse change is JSON text; the one
//! of a mesh object or an export is a [`Before`], the one of a management-space object a [`SpaceBefore`].

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::plan::{Before, SetBefore};
use crate::{Link, LinkMode, MeshId, MeshState, Name, Object, RuleId, RunId, Text, Timestamp, Value, Values};

#[derive(Default, Deserialize)]
#[serde(default)]
struct BeforeForm {
    a: BTreeMap<Name, Option<Values>>,
    r: Vec<Vec<RuleId>>,
    v: BTreeMap<Name, Sides>,
    s: Option<MeshState>,
    k: Option<Text>,
    t: Option<Name>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sides {
    #[serde(rename = "+")]
    added: Option<Values>,
    #[serde(rename = "-")]
    removed: Option<Values>,
}

impl Before {
    /// Reads the canonical text; the empty text is that nothing was before.
    ///
    /// # Errors
    /// When the text is no reverse change.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let form: BeforeForm = serde_json::from_str(text)?;
        let values = |side: Option<Values>| side.map_or_else(Vec::new, Values::into_vec);
        let sets = form.v.into_iter().map(|(name, sides)| SetBefore {
            name,
            added: values(sides.added),
            removed: values(sides.removed),
        });
        Ok(Self {
            attributes: form.a.into_iter().collect(),
            rules: form.r,
            sets: sets.collect(),
            state: form.s,
            anchor: form.k,
            mesh_type: form.t,
        })
    }

    /// The reverse of turning `old` into `new`, attribute by attribute.
    #[must_use]
    pub fn between(old: &Object, new: &Object) -> Self {
        let mut attributes: Vec<(Name, Option<Values>)> = Vec::new();
        for (name, values) in old.iter().filter(|(name, values)| new.get(*name) != Some(*values)) {
            attributes.push((name, Some(values.clone())));
        }
        attributes
            .extend(new.iter().filter(|(name, _)| old.get(*name).is_none()).map(|(name, _)| (name, None)));
        attributes.sort_by_key(|(name, _)| *name);
        Self { attributes, ..Self::default() }
    }

    /// Takes the change back in the attributes that it led to.
    pub fn take_back(&self, doc: &mut Object) {
        for (name, values) in &self.attributes {
            doc.put(*name, values.clone());
        }
        for set in &self.sets {
            let added: HashSet<&Value> = set.added.iter().collect();
            let now = doc.get(set.name).map_or(&[][..], Values::as_slice).iter();
            let mut values: Vec<Value> = now.filter(|value| !added.contains(value)).cloned().collect();
            values.extend(set.removed.iter().cloned());
            doc.put(set.name, Values::set(values));
        }
    }
}

/// A link with when and how it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastLink {
    /// The mesh object.
    pub mesh: MeshId,
    /// The rule that linked them; rule 0 for a manual link.
    pub rule: RuleId,
    /// How it came about.
    pub mode: LinkMode,
    /// For a fuzzy join: 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// The values that matched, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matched: String,
    /// The run that linked them.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// How many rows the audit had then.
    pub rows: i64,
}

impl PastLink {
    /// The link as a record has it.
    #[must_use]
    pub const fn link(&self) -> Link {
        Link { mesh: self.mesh, rule: self.rule, mode: self.mode, score: self.score }
    }
}

/// What a management-space object was before a change, where that differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceBefore {
    /// Its attributes.
    pub content: Before,
    /// Everything beside them.
    pub rest: SpaceRest,
}

/// What a management-space object was before a change beside its attributes; one-letter members of the stored text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpaceRest {
    /// Its external id.
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Text>,
    /// It was marked as gone.
    #[serde(rename = "g", skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// It had been exported and no import had shown it since.
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<bool>,
    /// The attributes that had been exported.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub exported: Option<Vec<Name>>,
    /// What had been exported where the system said otherwise, as [`crate::SpaceRecord::drift`].
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    pub drift: Option<BTreeMap<Name, Option<Values>>>,
    /// The link that ended.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    pub link: Option<PastLink>,
}

impl SpaceBefore {
    /// Reads the stored text.
    ///
    /// # Errors
    /// When the text is no reverse change.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { content: Before::parse(text)?, rest: serde_json::from_str(text)? })
    }

    /// The stored text: the members of [`Before::to_text`] and of [`SpaceRest`], each only when needed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (content, rest) =
            (self.content.to_text(), serde_json::to_string(&self.rest).expect("a change is JSON"));
        match (content.as_str(), rest.as_str()) {
            (_, "{}") => content,
            ("{}", _) => rest,
            _ => format!("{},{}", &content[..content.len() - 1], &rest[1..]),
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_empty() && self.rest == SpaceRest::default()
    }

    /// Takes the change back in the record that it led to.
    pub fn take_back(&self, record: &mut crate::SpaceRecord) {
        self.content.take_back(&mut record.doc);
        let SpaceRest { external_id, deleted, unconfirmed, exported, drift, link } = &self.rest;
        if let Some(external_id) = external_id {
            record.external_id = external_id.clone();
        }
        record.deleted = deleted.unwrap_or(record.deleted);
        record.unconfirmed = unconfirmed.unwrap_or(record.unconfirmed);
        if let Some(names) = exported {
            record.exported = names.as_slice().into();
        }
        if let Some(drift) = drift {
            record.drift = drift.iter().map(|(name, values)| (*name, values.clone())).collect();
        }
        if let Some(link) = link {
            record.link = Some(link.link());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectorId, SpaceId, SpaceRecord};

    fn name(text: &'static str) -> Name {
        Name::literal(text)
    }

    fn object(attributes: &[(&'static str, &str)]) -> Object {
        attributes.iter().map(|(key, value)| (name(key), Values::from(*value))).collect()
    }

    #[test]
    fn what_is_kept_of_a_change_takes_it_back() {
        let (old, new) = (object(&[("a", "1"), ("b", "2")]), object(&[("b", "3"), ("c", "4")]));
        let before = Before::between(&old, &new);
        assert_eq!(before.attributes.len(), 3);
        let mut doc = new;
        Before::parse(&before.to_text()).unwrap().take_back(&mut doc);
        assert_eq!(doc, old);
    }

    #[test]
    fn sets_come_back_by_what_was_added_and_taken_out() {
        let set = |values: &[&str]| Values::set(values.iter().map(Value::reference).collect());
        let (old, new) = (set(&["a", "b"]), set(&["b", "c"]));
        let sets = vec![SetBefore::between(name("member"), old.as_ref(), new.as_ref())];
        let before = Before { sets, state: Some(MeshState::Active), ..Before::default() };
        let read = Before::parse(&before.to_text()).unwrap();
        assert_eq!(read, before);
        let mut doc = Object::new();
        doc.put(name("member"), new);
        read.take_back(&mut doc);
        assert_eq!(doc.get(name("member")), old.as_ref());
    }

    #[test]
    fn a_record_comes_back_whole() {
        let now = SpaceRecord {
            id: SpaceId(7),
            connector: ConnectorId(1),
            object_type: name("user"),
            external_id: "E-2".into(),
            doc: object(&[("mail", "new")]),
            deleted: true,
            unconfirmed: false,
            exported: [name("mail")].as_slice().into(),
            drift: vec![(name("mail"), None)],
            link: None,
        };
        let link = PastLink {
            mesh: MeshId(3),
            rule: RuleId(4),
            mode: LinkMode::Projected,
            score: None,
            matched: String::new(),
            run: RunId(9),
            at: Timestamp::EPOCH,
            rows: 12,
        };
        let rest = SpaceRest {
            external_id: Some("E-1".into()),
            deleted: Some(false),
            unconfirmed: Some(true),
            exported: Some(Vec::new()),
            drift: Some(BTreeMap::from([(name("mail"), Some("x".into()))])),
            link: Some(link.clone()),
        };
        let change = SpaceBefore { content: Before::between(&object(&[("mail", "old")]), &now.doc), rest };
        let read = SpaceBefore::parse(&change.to_text()).unwrap();
        assert_eq!(read, change);
        assert!(!read.is_empty() && SpaceBefore::parse("{}").unwrap().is_empty());
        let mut record = now;
        read.take_back(&mut record);
        assert_eq!((record.external_id.as_str(), record.deleted, record.unconfirmed), ("E-1", false, true));
        assert_eq!(record.doc, object(&[("mail", "old")]));
        assert_eq!((record.exported.len(), record.drift.len(), record.link), (0, 1, Some(link.link())));
    }

    #[test]
    fn members_that_are_not_of_a_reverse_change_are_passed_over() {
        assert_eq!(Before::parse(r#"{"op":"create"}"#).unwrap(), Before::default());
        assert!(Before::parse("7").is_err());
    }
}
