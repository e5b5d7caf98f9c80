//! Many objects at once, on several threads where that pays. Results come in the order of the objects, so a plan is the
//! same on any number of threads.

use std::panic::resume_unwind;
use std::thread;

use identitymesh_expr::Evaluator;

/// Fewest objects for which one more thread is begun.
const OBJECTS_MIN: usize = 250;

/// The evaluators of one thread each: at least that of the thread that plans.
pub(super) struct Crew<'a> {
    pub(super) own: &'a mut Evaluator,
    pub(super) helpers: &'a mut [Evaluator],
}

impl Crew<'_> {
    /// How many of `objects` objects make one part, so that each thread has one and none has very few.
    pub(super) fn part_size(&self, objects: usize) -> usize {
        let parts = (objects / OBJECTS_MIN).clamp(1, self.helpers.len() + 1);
        objects.div_ceil(parts).max(1)
    }

    /// Does `work` on all parts, of which there are not more than threads.
    pub(super) fn spread<P: Send, R: Send>(
        self,
        parts: impl IntoIterator<Item = P>,
        work: impl Fn(P, &mut Evaluator) -> R + Sync,
    ) -> Vec<R> {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Vec::new() };
        let work = &work;
        thread::scope(|scope| {
            let others: Vec<_> = parts
                .zip(self.helpers)
                .map(|(part, evaluator)| scope.spawn(move || work(part, evaluator)))
                .collect();
            let mut results = Vec::with_capacity(others.len() + 1);
            results.push(work(first, self.own));
            results.extend(
                others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))),
            );
            results
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_many_as_threads_and_their_results_in_order() {
        let (mut own, mut helpers) = (Evaluator::new(), vec![Evaluator::new(), Evaluator::new()]);
        for objects in [0, 1, 249, 500, 749, 750, 751, 10_000] {
            let crew = Crew { own: &mut own, helpers: &mut helpers };
            let size = crew.part_size(objects);
            let numbers: Vec<usize> = (0..objects).collect();
            let parts = numbers.chunks(size).len();
            assert!(parts <= 3 && (parts <= 1 || size >= OBJECTS_MIN), "{parts} parts of {objects} objects");
            let results = crew.spread(numbers.chunks(size), |part, _| part.to_vec());
            assert_eq!(results.concat(), numbers);
        }
    }
}
