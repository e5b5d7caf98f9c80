//! Which keys a type reads, asked of its own `Deserialize`.
//!
//! A deserializer that holds no data: it is told by each structure which fields it has and by each enumeration which
//! words, and goes one step further with every question. Structures that look at the data before they say what they
//! want (an attribute of a mesh type is a word or a table) cannot be asked and are named by the test itself.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The deepest structure; configuration is far flatter.
const DEPTH_MAX: usize = 8;

/// What was found: the keys with their paths, and the words of enumerations with the key that takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<String>,
    pub(crate) words: Vec<(String, &'static str)>,
}

/// All keys of `T` and of what stands in it.
pub(crate) fn keys_of<T: DeserializeOwned>() -> Keys {
    let mut keys = Keys::default();
    walk::<T>(&mut Vec::new(), &mut keys);
    keys
}

fn walk<T: DeserializeOwned>(path: &mut Vec<&'static str>, keys: &mut Keys) {
    assert!(path.len() <= DEPTH_MAX, "{path:?} has no end");
    let mut found = Found::Nothing;
    let asked = T::deserialize(Question { path: path.as_slice(), found: &mut found });
    assert!(asked.is_err(), "a question has no answer");
    match found {
        Found::Nothing => {}
        Found::Words(words) => keys.words.extend(words.iter().map(|word| (path.join("."), *word))),
        Found::Fields(fields) => {
            for field in fields {
                path.push(field);
                keys.keys.push(path.join("."));
                walk::<T>(path, keys);
                path.pop();
            }
        }
    }
}

enum Found {
    Nothing,
    Fields(&'static [&'static str]),
    Words(&'static [&'static str]),
}

type Error = serde::de::value::Error;

/// Asks for what stands at `path`.
struct Question<'p, 'f> {
    path: &'p [&'static str],
    found: &'f mut Found,
}

fn stop() -> Error {
    Error::custom("a question holds no data")
}

impl<'de> Deserializer<'de> for Question<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(stop())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.path.is_empty() {
            *self.found = Found::Fields(fields);
            return Err(stop());
        }
        visitor.visit_map(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        words: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.found = Found::Words(words);
        Err(stop())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct map identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for Question<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        seed.deserialize(Question { path: self.path, found: self.found }).map(Some)
    }
}

/// A structure is given the one field that the path names.
impl<'de> MapAccess<'de> for Question<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let [field, ..] = self.path else { return Err(stop()) };
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let path = self.path.get(1..).unwrap_or_default();
        seed.deserialize(Question { path, found: self.found })
    }
}
