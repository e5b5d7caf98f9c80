//! What the objects of a hold have in common, in a few sentences.
//!
//! One pass over any number of objects in bounded memory: for each attribute a handful of frequent values is kept, so
//! a value that most objects share is never missed and its count is at most a little too low. Values that most
//! objects of the target have anyway say nothing and are left out.

use std::collections::{BTreeMap, HashSet};

use identitymesh_model::{Name, Object, Value, Values, dn};

/// Values kept for one question; a value that is held by more than one in so many is certainly among them.
const VALUES_KEPT: usize = 16;
/// Attributes that are looked at.
const ATTRIBUTES_MAX: usize = 200;
/// Containers above one object that are looked at.
const CONTAINERS_ABOVE_MAX: usize = 8;
/// Longer values are no group of objects.
const VALUE_CHARS_MAX: usize = 200;
/// The share, in percent, from which a value is worth a sentence.
const SHARE_MIN: u64 = 80;
/// Sentences about attributes.
const SENTENCES_MAX: usize = 8;

/// What is known of one held object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight<'a> {
    /// Where it stands in the target's tree.
    pub container: Option<&'a str>,
    /// Its attributes.
    pub doc: Option<&'a Object>,
    /// Why the change was planned.
    pub reason: &'a str,
    /// The rule that wants it.
    pub rule: &'a str,
    /// The run that planned or found it, in words.
    pub run: &'a str,
    /// What the import behind it read from.
    pub source: &'a str,
}

/// Values that most objects have anyway, by a sample of the population.
#[derive(Clone, Debug, Default)]
pub struct Usual(HashSet<(Name, String)>);

impl Usual {
    /// From a sample of objects that are not held in particular.
    pub fn of<'a>(sample: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut counts: BTreeMap<(Name, String), u64> = BTreeMap::new();
        let mut total = 0;
        for doc in sample {
            total += 1;
            for (name, value) in told(doc) {
                *counts.entry((name, value)).or_default() += 1;
            }
        }
        // With a few objects everything looks usual.
        let is_usual = |count: u64| total >= 20 && count * 2 > total;
        Self(counts.into_iter().filter(|(_, count)| is_usual(*count)).map(|(key, _)| key).collect())
    }
}

/// Gathers what objects have in common.
#[derive(Debug, Default)]
pub struct Common {
    usual: Usual,
    total: u64,
    containers: Frequent,
    reasons: Frequent,
    rules: Frequent,
    runs: Frequent,
    sources: Frequent,
    attributes: BTreeMap<Name, Frequent>,
}

impl Common {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(usual: Usual) -> Self {
        Self { usual, ..Self::default() }
    }

    /// Takes one object in.
    pub fn add(&mut self, sight: Sight<'_>) {
        self.total += 1;
        // Every container above the object, so that what stands in many parts of one tree is found too.
        let above = std::iter::successors(sight.container, |container| Some(dn::parent(container)));
        for container in above.take_while(|container| !container.is_empty()).take(CONTAINERS_ABOVE_MAX) {
            self.containers.add(container.to_owned());
        }
        for (words, told) in [
            (&mut self.reasons, sight.reason),
            (&mut self.rules, sight.rule),
            (&mut self.runs, sight.run),
            (&mut self.sources, sight.source),
        ] {
            if !told.is_empty() {
                words.add(told.to_owned());
            }
        }
        for (name, value) in sight.doc.into_iter().flat_map(told) {
            if let Some(known) = self.attributes.get_mut(&name) {
                known.add(value);
            } else if self.attributes.len() < ATTRIBUTES_MAX {
                self.attributes.entry(name).or_default().add(value);
            }
        }
    }

    /// The sentences, the telling ones first.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        // The deepest of those that most objects share says most.
        let depth = |(value, _): &(&str, u64)| dn::components(value).count();
        if let Some((value, count)) = self.all_shared(&self.containers).max_by_key(depth) {
            out.push(format!("{} below {value}", self.share(count)));
        }
        if let Some((value, count)) = self.shared(&self.reasons) {
            out.push(format!("{} for the reason {value:?}", self.share(count)));
        }
        if let Some((value, count)) = self.shared(&self.rules) {
            out.push(format!("{} by {value}", self.share(count)));
        }
        if let Some((value, count)) = self.shared(&self.runs) {
            out.push(format!("{} in {value}", self.share(count)));
        }
        if let Some((value, count)) = self.shared(&self.sources) {
            out.push(format!("{} after reading {value}", self.share(count)));
        }
        let mut attributes: Vec<(u64, Name, &str)> = self
            .attributes
            .iter()
            .filter_map(|(name, values)| self.shared(values).map(|(value, count)| (count, *name, value)))
            .filter(|(_, name, value)| !self.usual.0.contains(&(*name, (*value).to_owned())))
            .collect();
        attributes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        attributes.truncate(SENTENCES_MAX);
        out.extend(
            attributes
                .iter()
                .map(|(count, name, value)| format!("{} with {name} {value:?}", self.share(*count))),
        );
        out
    }

    fn shared<'f>(&self, values: &'f Frequent) -> Option<(&'f str, u64)> {
        let (value, count) = values.most()?;
        self.is_shared(count).then_some((value, count))
    }

    fn all_shared<'f>(&self, values: &'f Frequent) -> impl Iterator<Item = (&'f str, u64)> {
        let kept = values.0.iter().map(|(value, count)| (value.as_str(), *count));
        kept.filter(|(_, count)| self.is_shared(*count))
    }

    const fn is_shared(&self, count: u64) -> bool {
        // One object shares everything with itself.
        self.total > 1 && count.saturating_mul(100) >= self.total.saturating_mul(SHARE_MIN)
    }

    fn share(&self, count: u64) -> String {
        if count == self.total {
            format!("all {count}")
        } else {
            format!("at least {count} of {}", self.total)
        }
    }
}

/// The single values of a document that could name a group of objects.
fn told(doc: &Object) -> impl Iterator<Item = (Name, String)> + '_ {
    doc.iter().filter_map(|(name, values)| {
        let Values::One(value) = values else { return None };
        let text = match value {
            Value::Binary(_) => return None,
            other => other.to_string(),
        };
        (text.chars().count() <= VALUE_CHARS_MAX).then_some((name, text))
    })
}

/// Counts of the most frequent values of a stream, in bounded room.
#[derive(Debug, Default)]
struct Frequent(Vec<(String, u64)>);

impl Frequent {
    fn add(&mut self, value: String) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == value) {
            *count += 1;
        } else if self.0.len() < VALUES_KEPT {
            self.0.push((value, 1));
        } else {
            // Each kept value pays for the one that found no room.
            self.0.iter_mut().for_each(|(_, count)| *count -= 1);
            self.0.retain(|(_, count)| *count > 0);
        }
    }

    fn most(&self) -> Option<(&str, u64)> {
        let most = self.0.iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))?;
        Some((&most.0, most.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(number: u64, department: &str) -> Object {
        let mut doc = Object::new();
        doc.set(Name::literal("uid"), format!("u{number}").as_str());
        doc.set(Name::literal("department"), department);
        doc.set(Name::literal("country"), "AT");
        doc
    }

    #[test]
    fn what_most_objects_share_is_said_and_what_everybody_has_is_not() {
        let people: Vec<Object> = (0..100).map(|number| doc(number, &format!("D{}", number % 7))).collect();
        let mut common = Common::new(Usual::of(&people));
        for number in 0..1_000 {
            let doc = doc(number, if number % 10 == 0 { "Surgery" } else { "Radiology" });
            let container =
                Some(if number % 2 == 0 { "ou=day,ou=people,dc=x" } else { "ou=night,ou=people,dc=x" });
            let (reason, rule) = ("left the scope of staff", "staff accounts");
            let (run, source) = ("run 7", "/drop/hr-2.csv");
            common.add(Sight { container, doc: Some(&doc), reason, rule, run, source });
        }
        let said = common.sentences();
        assert_eq!(
            said,
            [
                "all 1000 below ou=people,dc=x",
                "all 1000 for the reason \"left the scope of staff\"",
                "all 1000 by staff accounts",
                "all 1000 in run 7",
                "all 1000 after reading /drop/hr-2.csv",
                "at least 900 of 1000 with department \"Radiology\""
            ]
        );
    }

    #[test]
    fn one_object_has_nothing_in_common_with_nobody() {
        let mut common = Common::default();
        common.add(Sight { doc: Some(&doc(1, "A")), reason: "x", run: "run 1", ..Sight::default() });
        assert_eq!(common.sentences(), [""; 0]);
    }

    #[test]
    fn a_frequent_value_outlives_any_number_of_rare_ones() {
        let mut frequent = Frequent::default();
        for number in 0..10_000 {
            frequent.add(if number % 5 == 0 { number.to_string() } else { "many".to_owned() });
        }
        let (value, count) = frequent.most().unwrap();
        assert_eq!(value, "many");
        assert!((7_400..=8_000).contains(&count), "{count}");
        assert!(frequent.0.len() <= VALUES_KEPT);
    }
}
