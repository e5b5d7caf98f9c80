//! Nested JSON as flat attributes, and back.
//!
//! A member of a member is called `outer.inner`, at most [`DEPTH_MAX`] levels down. Lists hold simple values only;
//! a list of objects, a list in a list and deeper levels have no form as an attribute and are handed on as such.

use serde_json::{Map, Value as Json};

/// Most levels of objects in objects.
pub(crate) const DEPTH_MAX: usize = 4;

/// Calls `each` with the path and value of every leaf. Anything that is no attribute is a leaf too: the caller sees
/// an object or a list with objects in it.
pub(crate) fn flatten<'j>(map: &'j Map<String, Json>, each: &mut impl FnMut(&str, &'j Json)) {
    walk(map, &mut String::new(), 1, each);
}

fn walk<'j>(
    map: &'j Map<String, Json>,
    path: &mut String,
    depth: usize,
    each: &mut impl FnMut(&str, &'j Json),
) {
    for (name, value) in map {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        match value {
            Json::Object(inner) if depth < DEPTH_MAX && !inner.is_empty() => {
                walk(inner, path, depth + 1, each)
            }
            leaf => each(path, leaf),
        }
        path.truncate(length);
    }
}

/// Puts `value` at `path`, making the objects on the way; where something else is in the way, the whole path becomes
/// one member, which reads back the same.
pub(crate) fn put(map: &mut Map<String, Json>, path: &str, value: Json) {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.len() > DEPTH_MAX || parts.iter().any(|part| part.is_empty()) || is_blocked(map, &parts) {
        map.insert(path.to_owned(), value);
        return;
    }
    let mut at = map;
    for part in &parts[..parts.len() - 1] {
        let inner = at.entry(*part).or_insert_with(|| Json::Object(Map::new()));
        let Json::Object(inner) = inner else { return };
        at = inner;
    }
    at.insert(parts[parts.len() - 1].to_owned(), value);
}

fn is_blocked(map: &Map<String, Json>, parts: &[&str]) -> bool {
    let mut at = map;
    for part in &parts[..parts.len() - 1] {
        match at.get(*part) {
            None => return false,
            Some(Json::Object(inner)) => at = inner,
            Some(_) => return true,
        }
    }
    at.contains_key(parts[parts.len() - 1])
}
