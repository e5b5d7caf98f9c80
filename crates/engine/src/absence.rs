//! Absence is proved, not inferred from silence (sync semantics, section 2).
//!
//! An object that a full import did not show is gone only when the connector certifies that it read everything, what
//! arrived fits that certificate, and no more objects are missing than the connector's limit allows. Whatever stands
//! in the way is said, so that deletes are never suppressed without anybody knowing.

use identitymesh_model::Name;
use identitymesh_model::rules::Limit;

/// What a full import showed of one object type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Objects that arrived: changes, and those that were named as present.
    pub delivered: u64,
    /// Objects that came as findings alone because they are malformed; one may be counted more than once.
    pub malformed: u64,
    /// External ids that came more than once.
    pub repeated: u64,
    /// The connector's certificate, if it gave one.
    pub certified: Option<Certified>,
}

/// What a connector certifies about a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certified {
    /// Objects delivered, malformed ones included.
    pub objects: u64,
    /// How many the system itself says there are.
    pub expected: Option<u64>,
    /// What the connector could not read.
    pub gaps: Vec<String>,
}

/// What to think of the objects that were not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// They are gone.
    Proved,
    /// Nobody knows, and here is why.
    Unproved(String),
    /// They are more than may go at once; nothing is taken as gone.
    Held(String),
}

/// Judges the absence of `unseen` objects out of `population`.
#[must_use]
pub fn judge(object_type: Name, shown: &Shown, population: u64, unseen: u64, limit: Limit) -> Absence {
    let gaps = gaps(shown, population);
    if !gaps.is_empty() {
        let reasons = gaps.join(", ");
        return Absence::Unproved(if unseen == 0 {
            format!(
                "deletes unseen: no {object_type} object is missing from this import, but it does not prove that it \
                 showed all of them ({reasons})"
            )
        } else {
            format!(
                "deletes unseen: {unseen} {object_type} objects were not in this import and stay as they are, because \
                 it does not prove that they are gone ({reasons})"
            )
        });
    }
    let allowed = limit.allowed(population);
    if unseen > allowed {
        return Absence::Held(format!(
            "{unseen} of {population} {object_type} objects are missing, more than the limit of {allowed}; none of \
             them is taken as gone"
        ));
    }
    Absence::Proved
}

/// Whether an import proves that it showed everything.
#[must_use]
pub fn is_whole(shown: &Shown, population: u64) -> bool {
    gaps(shown, population).is_empty()
}

/// Why a read does not prove that what it did not show is gone.
fn gaps(shown: &Shown, population: u64) -> Vec<String> {
    let Some(certified) = &shown.certified else {
        return vec!["the connector gave no certificate of completeness".to_owned()];
    };
    let mut gaps = certified.gaps.clone();
    if let Some(expected) = certified.expected.filter(|expected| *expected != certified.objects) {
        gaps.push(format!("the system says it has {expected} objects and delivered {}", certified.objects));
    }
    let arrived = shown.delivered + shown.malformed;
    if certified.objects > arrived {
        gaps.push(format!(
            "the connector says it delivered {} objects and {arrived} arrived",
            certified.objects
        ));
    }
    if shown.repeated > 0 {
        gaps.push(format!("{} external ids came more than once", shown.repeated));
    }
    if shown.delivered == 0 && population > 0 {
        gaps.push("nothing was delivered where there were objects before".to_owned());
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(objects: u64) -> Shown {
        Shown {
            delivered: objects,
            malformed: 0,
            repeated: 0,
            certified: Some(Certified { objects, expected: Some(objects), gaps: Vec::new() }),
        }
    }

    fn verdict(shown: &Shown, population: u64, unseen: u64) -> Absence {
        judge(Name::literal("person"), shown, population, unseen, Limit::DEFAULT)
    }

    #[test]
    fn a_complete_read_proves_absence_within_the_limit() {
        assert_eq!(verdict(&complete(90), 100, 10), Absence::Proved);
        assert!(matches!(verdict(&complete(89), 100, 11), Absence::Held(_)));
    }

    #[test]
    fn every_gap_is_named() {
        let mut shown = complete(0);
        shown.repeated = 2;
        let certified = shown.certified.as_mut().unwrap();
        certified.expected = Some(7);
        certified.gaps.push("line 3 is no record".to_owned());
        let Absence::Unproved(told) = verdict(&shown, 7, 7) else { panic!("it proves nothing") };
        for part in ["line 3", "it has 7 objects and delivered 0", "2 external ids", "nothing was delivered"]
        {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn what_was_lost_between_the_connector_and_here_proves_nothing() {
        let lost = Shown { delivered: 4, ..complete(5) };
        let Absence::Unproved(told) = verdict(&lost, 6, 2) else { panic!("one was lost") };
        assert!(told.contains("says it delivered 5 objects and 4 arrived"), "{told}");
        assert_eq!(verdict(&Shown { malformed: 1, ..lost }, 6, 2), Absence::Proved);
    }

    #[test]
    fn no_certificate_proves_nothing() {
        let shown = Shown { certified: None, ..complete(5) };
        assert!(matches!(verdict(&shown, 6, 1), Absence::Unproved(_)));
    }
}
