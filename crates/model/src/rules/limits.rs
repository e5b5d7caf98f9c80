//! Limits of the mass-change guard: how much may change before a person is asked (sync semantics, section 8).

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::plan::Operation;
use crate::{Name, Text};

/// What kind of changes a limit counts and a hold covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldClass {
    /// Queued changes of one operation.
    Export(Operation),
    /// Objects that an import did not see where it names everything, or that it reported as gone.
    ImportDelete,
    /// Queued changes of one attribute of objects that are there.
    Change,
    /// Queued changes that leave one attribute without a value.
    Clear,
}

impl HoldClass {
    /// Its word, which is the limit's key too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Export(operation) => operation.as_str(),
            Self::ImportDelete => "import_delete",
            Self::Change => "change",
            Self::Clear => "clear",
        }
    }
}

impl Serialize for HoldClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Limits on what one run may change. Each counts for one object type at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Deletes inferred by a full import, or reported by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_delete: Option<Limit>,
    /// Queued creates. The first load of an empty connector is exempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<Limit>,
    /// Queued updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Limit>,
    /// Queued renames and moves.
    #[serde(default, rename = "move", skip_serializing_if = "Option::is_none")]
    pub moves: Option<Limit>,
    /// Queued disables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Limit>,
    /// Queued enables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<Limit>,
    /// Queued deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Limit>,
    /// Limits for a part of the connector's objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<LimitsWithin>,
}

/// Limits for one object type, one container or one attribute. What names only a type stands in for the connector's
/// own limits; what names a container or an attribute counts beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsWithin {
    /// Only objects of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<Name>,
    /// Only objects below this container, however deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Text>,
    /// Only what is done to this attribute; has `change` and `clear` and no other limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Name>,
    /// Deletes inferred or reported by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_delete: Option<Limit>,
    /// Queued creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<Limit>,
    /// Queued updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Limit>,
    /// Queued renames and moves.
    #[serde(default, rename = "move", skip_serializing_if = "Option::is_none")]
    pub moves: Option<Limit>,
    /// Queued disables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Limit>,
    /// Queued enables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<Limit>,
    /// Queued deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Limit>,
    /// Queued changes of the attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Limit>,
    /// Queued changes that leave the attribute without a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<Limit>,
}

impl Limits {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What applies to all changes of one kind to objects of a type; `None` where nothing limits them.
    #[must_use]
    pub fn of(&self, object_type: Name, class: HoldClass) -> Option<Limit> {
        let mut of_type = self.within.iter().filter(|within| within.object_type == Some(object_type));
        let own = of_type.find_map(|within| within.of(class).filter(|_| !within.is_narrow()));
        own.or_else(|| match class {
            HoldClass::Export(Operation::Create) => self.create,
            HoldClass::Export(Operation::Update) => self.update,
            HoldClass::Export(Operation::Move) => self.moves,
            HoldClass::Export(Operation::Enable) => self.enable,
            // Nobody has to think of these to be safe.
            HoldClass::Export(Operation::Disable) => Some(self.disable.unwrap_or(Limit::DEFAULT)),
            HoldClass::Export(Operation::Delete) => Some(self.delete.unwrap_or(Limit::DEFAULT)),
            HoldClass::ImportDelete => Some(self.import_delete.unwrap_or(Limit::DEFAULT)),
            HoldClass::Change | HoldClass::Clear => None,
        })
    }

    /// The limits beside the connector's own that may count for objects of a type.
    pub fn narrow(&self, object_type: Name) -> impl Iterator<Item = &LimitsWithin> {
        let applies = move |within: &&LimitsWithin| {
            within.is_narrow() && within.object_type.is_none_or(|wanted| wanted == object_type)
        };
        self.within.iter().filter(applies)
    }

    /// Every limit that is written down, by its key.
    #[must_use]
    pub fn written(&self) -> Vec<(String, Limit)> {
        let Self { import_delete, create, update, moves, disable, enable, delete, within } = self;
        let all = [
            ("import_delete", import_delete),
            ("create", create),
            ("update", update),
            ("move", moves),
            ("disable", disable),
            ("enable", enable),
            ("delete", delete),
        ];
        let own = all.into_iter().filter_map(|(key, limit)| Some((key.to_owned(), (*limit)?)));
        let narrow = within.iter().enumerate().flat_map(|(at, within)| {
            let written = within.written();
            written.map(move |(class, limit)| (format!("within[{at}].{}", class.as_str()), limit))
        });
        own.chain(narrow).collect()
    }
}

impl LimitsWithin {
    /// Every kind of change that can be limited.
    const CLASSES: [HoldClass; 9] = [
        HoldClass::ImportDelete,
        HoldClass::Export(Operation::Create),
        HoldClass::Export(Operation::Update),
        HoldClass::Export(Operation::Move),
        HoldClass::Export(Operation::Disable),
        HoldClass::Export(Operation::Enable),
        HoldClass::Export(Operation::Delete),
        HoldClass::Change,
        HoldClass::Clear,
    ];

    /// Whether it counts beside the connector's own limits.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.container.is_some() || self.attribute.is_some()
    }

    /// The limit on one kind of changes.
    #[must_use]
    pub const fn of(&self, class: HoldClass) -> Option<Limit> {
        match class {
            HoldClass::Export(Operation::Create) => self.create,
            HoldClass::Export(Operation::Update) => self.update,
            HoldClass::Export(Operation::Move) => self.moves,
            HoldClass::Export(Operation::Disable) => self.disable,
            HoldClass::Export(Operation::Enable) => self.enable,
            HoldClass::Export(Operation::Delete) => self.delete,
            HoldClass::ImportDelete => self.import_delete,
            HoldClass::Change => self.change,
            HoldClass::Clear => self.clear,
        }
    }

    /// The limits that are written down.
    pub fn written(&self) -> impl Iterator<Item = (HoldClass, Limit)> + '_ {
        Self::CLASSES.into_iter().filter_map(|class| Some((class, self.of(class)?)))
    }

    /// What is wrong with it as a whole: nothing to count, or a limit that the part cannot have.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let is_of_attribute = |class| matches!(class, HoldClass::Change | HoldClass::Clear);
        if self.object_type.is_none() && !self.is_narrow() {
            Some("says neither `object_type` nor `container` nor `attribute`")
        } else if self.written().next().is_none() {
            Some("has no limit")
        } else if self.attribute.is_some() && !self.written().all(|(class, _)| is_of_attribute(class)) {
            Some("an attribute is limited by `change` and `clear` and nothing else")
        } else if self.attribute.is_none() && self.written().any(|(class, _)| is_of_attribute(class)) {
            Some("`change` and `clear` need an `attribute`")
        } else {
            None
        }
    }
}

/// Which part of the objects: `attribute mail below ou=staff,dc=corp`.
impl fmt::Display for LimitsWithin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.attribute, &self.container) {
            (Some(attribute), Some(container)) => write!(f, "attribute {attribute} below {container}"),
            (Some(attribute), None) => write!(f, "attribute {attribute}"),
            (None, Some(container)) => write!(f, "below {container}"),
            (None, None) => f.write_str("all"),
        }
    }
}

/// One limit: whichever of the two is smaller, but not below ten objects unless `count` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Percent of the population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Limit {
    /// What a percentage is never taken to be below: it would stop small systems for nothing.
    const FLOOR: u64 = 10;
    /// What applies to deletes and disables where nothing is said.
    pub const DEFAULT: Self = Self { percent: Some(10), count: Some(500) };

    /// How many objects of a population of `population` may change.
    #[must_use]
    pub fn allowed(self, population: u64) -> u64 {
        let by_percent = self.percent.map(|percent| population.saturating_mul(u64::from(percent)) / 100);
        let by_either = match (by_percent, self.count) {
            (Some(percent), Some(count)) => percent.min(count),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => u64::MAX,
        };
        by_either.max(self.always())
    }

    /// How many objects may change, however few there are: ten, or fewer where somebody wrote so.
    #[must_use]
    pub fn always(self) -> u64 {
        self.count.map_or(Self::FLOOR, |count| count.min(Self::FLOOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Name {
        Name::literal("account")
    }

    fn limit(count: u64) -> Option<Limit> {
        Some(Limit { percent: None, count: Some(count) })
    }

    #[test]
    fn the_smaller_of_percent_and_count_counts_but_a_percentage_never_below_ten() {
        assert_eq!(Limit::DEFAULT.allowed(1_000), 100);
        assert_eq!(Limit::DEFAULT.allowed(1_000_000), 500);
        assert_eq!(Limit::DEFAULT.allowed(50), 10);
        assert_eq!(Limit { percent: None, count: None }.allowed(5), u64::MAX);
        assert_eq!(Limit { percent: Some(1), count: None }.allowed(50), 10);
        assert_eq!(Limit { percent: None, count: Some(3) }.allowed(5), 3);
        assert_eq!(Limit { percent: Some(1), count: Some(3) }.allowed(50), 3);
        assert_eq!(Limit { percent: Some(1), count: Some(0) }.allowed(5_000), 0, "each one is asked about");
    }

    #[test]
    fn only_deletes_and_disables_are_limited_where_nothing_is_said() {
        let limits = Limits::default();
        let limited: Vec<HoldClass> = LimitsWithin::CLASSES
            .into_iter()
            .filter(|class| limits.of(account(), *class).is_some())
            .collect();
        let always = [Operation::Disable, Operation::Delete].map(HoldClass::Export);
        assert_eq!(limited, [HoldClass::ImportDelete, always[0], always[1]]);
        let mut limits = Limits { moves: limit(1), ..limits };
        assert_eq!(limits.of(account(), HoldClass::Export(Operation::Move)), limits.moves);
        // An empty table switches a default off, in so many words.
        limits.delete = Some(Limit { percent: None, count: None });
        let delete = limits.of(account(), HoldClass::Export(Operation::Delete));
        assert_eq!(delete.map(|limit| limit.allowed(1)), Some(u64::MAX));
        let keys: Vec<String> = limits.written().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["move", "delete"]);
    }

    #[test]
    fn a_type_has_its_own_limits_and_a_container_has_more_of_them() {
        let groups = LimitsWithin {
            object_type: Some(Name::literal("group")),
            delete: limit(50),
            ..Default::default()
        };
        let ward = LimitsWithin {
            container: Some("ou=ward,dc=x".into()),
            delete: limit(12),
            ..LimitsWithin::default()
        };
        let limits = Limits { delete: limit(20), within: vec![groups, ward.clone()], ..Limits::default() };
        let class = HoldClass::Export(Operation::Delete);
        assert_eq!(limits.of(account(), class), limit(20));
        assert_eq!(limits.of(Name::literal("GROUP"), class), limit(50));
        assert_eq!(limits.narrow(account()).collect::<Vec<_>>(), [&ward]);
        let keys: Vec<String> = limits.written().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["delete", "within[0].delete", "within[1].delete"]);
    }

    #[test]
    fn what_cannot_be_counted_is_said() {
        let of = |within: LimitsWithin| within.problem().unwrap_or_default();
        let mail = || Some(Name::literal("mail"));
        assert_eq!(of(LimitsWithin { attribute: mail(), clear: limit(1), ..Default::default() }), "");
        assert!(of(LimitsWithin { clear: limit(1), ..Default::default() }).contains("neither"));
        assert!(of(LimitsWithin { attribute: mail(), ..Default::default() }).contains("no limit"));
        let wrong = LimitsWithin { attribute: mail(), delete: limit(1), ..Default::default() };
        assert!(of(wrong).contains("nothing else"));
        let wrong = LimitsWithin { object_type: mail(), change: limit(1), ..Default::default() };
        assert!(of(wrong).contains("need an `attribute`"));
    }
}
