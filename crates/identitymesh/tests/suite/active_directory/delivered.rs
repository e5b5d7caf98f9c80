//! First passwords as their recipient gets them.

use std::path::PathBuf;

use identitymesh_testkit::real::AgeKey;
use serde_json::Value as Json;

use crate::process::Place;

/// What was delivered last for the mesh object with this anchor. Files are called by its public id, so that not all of
/// them have to be opened.
pub(super) fn newest(place: &Place, key: &AgeKey, anchor: &str) -> Json {
    let shown = place.json(&["mesh", "show", anchor]);
    let uid = shown["uid"].as_str().unwrap();
    let files = std::fs::read_dir(place.path().join("sealed")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.display().to_string().contains(uid)).collect();
    files.sort_by_key(|file| std::fs::metadata(file).unwrap().modified().unwrap());
    let notice: Json = serde_json::from_slice(&key.open(files.last().unwrap()).unwrap()).unwrap();
    assert_eq!(notice["anchor"], anchor);
    notice
}
