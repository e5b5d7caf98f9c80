//! The tree of places in a company, by arithmetic on place numbers alone.

use std::ops::Range;

use crate::organisation::DEPARTMENTS;

/// Most people who report to one manager (the chief executive has the heads of all departments).
const REPORTS_MAX: usize = 8;

/// Where a place stands in its department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Head,
    Lead,
    Member,
}

/// Places `0..place_count`: zero is the chief executive, then one range per department.
pub(super) struct Hierarchy {
    place_count: usize,
    /// Start of each department's range; the next one's start, or `place_count`, is its end.
    starts: Vec<usize>,
}

impl Hierarchy {
    pub(super) fn new(place_count: usize) -> Self {
        let mut starts = vec![0];
        let mut share_before = 0;
        for department in &DEPARTMENTS[1..] {
            starts.push(1 + (place_count - 1) * share_before / 100);
            share_before += department.share;
        }
        Self { place_count, starts }
    }

    pub(super) fn place_count(&self) -> usize {
        self.place_count
    }

    pub(super) fn places(&self) -> Range<usize> {
        0..self.place_count
    }

    /// Index into the departments.
    pub(super) fn department(&self, place: usize) -> usize {
        self.starts.partition_point(|start| *start <= place) - 1
    }

    pub(super) fn manager(&self, place: usize) -> Option<usize> {
        if place == 0 {
            return None;
        }
        let start = self.starts[self.department(place)];
        Some(match place - start {
            0 => 0,
            behind_head => start + (behind_head - 1) / REPORTS_MAX,
        })
    }

    pub(super) fn rank(&self, place: usize) -> Rank {
        if place == self.starts[self.department(place)] {
            Rank::Head
        } else if self.has_reports(place) {
            Rank::Lead
        } else {
            Rank::Member
        }
    }

    pub(super) fn has_reports(&self, place: usize) -> bool {
        if place == 0 {
            return self.place_count > 1;
        }
        let department = self.department(place);
        self.first_report(place) < self.end(department)
    }

    /// A manager, not the chief executive, none of whose reports has reports.
    pub(super) fn is_lowest_manager(&self, place: usize) -> bool {
        place != 0 && self.has_reports(place) && !self.has_reports(self.first_report(place))
    }

    fn first_report(&self, place: usize) -> usize {
        let start = self.starts[self.department(place)];
        start + (place - start) * REPORTS_MAX + 1
    }

    fn end(&self, department: usize) -> usize {
        self.starts.get(department + 1).copied().unwrap_or(self.place_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_come_before_reports_and_inside_the_department() {
        for place_count in [1, 2, 3, 16, 53, 1_000] {
            let hierarchy = Hierarchy::new(place_count);
            for place in 1..place_count {
                let manager = hierarchy.manager(place).expect("only place zero has none");
                assert!(manager < place);
                assert!(hierarchy.has_reports(manager), "{manager} of {place} in {place_count}");
                assert!(manager == 0 || hierarchy.department(manager) == hierarchy.department(place));
            }
            assert_eq!(hierarchy.manager(0), None);
        }
    }

    #[test]
    fn who_has_reports_is_named_by_somebody() {
        let hierarchy = Hierarchy::new(700);
        for place in hierarchy.places() {
            let named = hierarchy.places().any(|other| hierarchy.manager(other) == Some(place));
            assert_eq!(named, hierarchy.has_reports(place), "{place}");
        }
    }
}
