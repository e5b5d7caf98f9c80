//! What of a long list of causes is needed for an effect.

/// Leaves out of `causes` whatever is not needed for `holds`, in parts that get smaller. What stays is needed: without
/// any single one of them `holds` says no.
pub(crate) fn shortest<T: Clone>(mut causes: Vec<T>, mut holds: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut width = causes.len().div_ceil(2);
    loop {
        let mut from = 0;
        let mut is_shorter = false;
        while from < causes.len() {
            let mut fewer = causes.clone();
            fewer.drain(from..(from + width).min(causes.len()));
            if holds(&fewer) {
                causes = fewer;
                is_shorter = true;
            } else {
                from += width;
            }
        }
        // One that was needed may not be any more after another went.
        if width <= 1 && !is_shorter {
            return causes;
        }
        width = (width / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn what_is_not_needed_goes() {
        let needs = |causes: &[u32]| [3, 17, 40].iter().all(|needed| causes.contains(needed));
        assert_eq!(shortest((0..45).collect(), needs), [3, 17, 40]);
        assert_eq!(shortest((0..45).collect(), |_| true), Vec::<u32>::new());
        assert_eq!(shortest(vec![1], |causes| !causes.is_empty()), [1]);
    }

    #[test]
    fn one_that_was_needed_for_another_goes_after_it() {
        let holds = |causes: &[u32]| causes.contains(&9) && (causes.contains(&2) || !causes.contains(&5));
        assert_eq!(shortest((0..10).collect(), holds), [9]);
    }
}
