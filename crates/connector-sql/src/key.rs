//! External ids: the key columns of a row, as one text.
//!
//! One column stands as it is. Several are joined with `|`; within a part `|` and `\` are written `\|` and `\\`, so
//! that no two keys share an external id.

use identitymesh_model::Text;

use crate::raw::Raw;

/// Longest external id, in bytes, as the contract says.
pub(crate) const EXTERNAL_ID_BYTES_MAX: usize = 1_024;

/// The external id of these key columns; `None` when one is null, no text or number, or the whole is empty or too long.
pub(crate) fn join(parts: &[Raw]) -> Option<Text> {
    let mut joined = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            joined.push('|');
        }
        let text = match part {
            Raw::Integer(number) => number.to_string(),
            Raw::Text(text) => text.clone(),
            Raw::Null | Raw::Real(_) | Raw::Blob(_) => return None,
        };
        if parts.len() == 1 {
            joined = text;
        } else {
            joined.push_str(&text.replace('\\', "\\\\").replace('|', "\\|"));
        }
    }
    (!joined.is_empty() && joined.len() <= EXTERNAL_ID_BYTES_MAX).then(|| Text::new(joined))
}

/// The parts of an external id of `count` key columns; `None` when it cannot be one.
pub(crate) fn split(external_id: &str, count: usize) -> Option<Vec<String>> {
    if count == 1 {
        return Some(vec![external_id.to_owned()]);
    }
    let mut parts = vec![String::new()];
    let mut characters = external_id.chars();
    while let Some(character) = characters.next() {
        match character {
            '|' => parts.push(String::new()),
            '\\' => parts.last_mut()?.push(characters.next()?),
            other => parts.last_mut()?.push(other),
        }
    }
    (parts.len() == count).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_columns_read_back_and_never_collide() {
        let key = |parts: &[&str]| {
            let raw: Vec<Raw> = parts.iter().map(|part| Raw::Text((*part).to_owned())).collect();
            join(&raw).unwrap()
        };
        for parts in [["a", "b"], ["a|", "b"], ["a", "|b"], ["a\\", "b"], ["", "x"], ["\\|", "|\\"]] {
            assert_eq!(split(&key(&parts), 2).unwrap(), parts);
        }
        assert_ne!(key(&["a|", "b"]), key(&["a", "|b"]));
        assert_eq!(split("a|b|c", 2), None);
        assert_eq!(split("a\\", 2), None);
    }

    #[test]
    fn one_column_stands_as_it_is() {
        assert_eq!(join(&[Raw::Integer(-7)]).unwrap(), "-7");
        assert_eq!(join(&[Raw::Text("a|b".to_owned())]).unwrap(), "a|b");
        assert_eq!(split("a|b", 1).unwrap(), ["a|b"]);
    }

    #[test]
    fn what_identifies_nothing_is_no_external_id() {
        for raw in [Raw::Null, Raw::Real(1.5), Raw::Blob(vec![1]), Raw::Text(String::new())] {
            assert_eq!(join(&[raw]), None);
        }
        let longest = |bytes: usize| join(&[Raw::Text("x".repeat(bytes))]);
        assert!(longest(EXTERNAL_ID_BYTES_MAX).is_some());
        assert!(longest(EXTERNAL_ID_BYTES_MAX + 1).is_none());
    }
}
