//! What a mistyped name may have meant.
//!
//! The nearest known name by edit distance without regard to case, when it is near enough to be believed: at most a
//! third of its letters differ. Both sides are bounded, so the cost is too.

const LETTERS_MAX: usize = 64;

/// `"; did you mean …?"`, or nothing.
pub(super) fn hint<'n>(written: &str, known: impl Iterator<Item = &'n str>) -> String {
    let nearest = known.map(|name| (distance(written, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= name.chars().count().max(3) / 3 => {
            format!("; did you mean {name}?")
        }
        _ => String::new(),
    }
}

fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| text.to_lowercase().chars().take(LETTERS_MAX).collect::<Vec<char>>();
    let (a, b) = (fold(a), fold(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = || ["ToLower", "ToUpper", "Trim"].into_iter();
        assert_eq!(hint("tolower", known()), "; did you mean ToLower?");
        assert_eq!(hint("Trimm", known()), "; did you mean Trim?");
        assert_eq!(hint("Frobnicate", known()), "");
        assert_eq!(hint("x", std::iter::empty()), "");
    }
}
