//! Making an entry.

use identitymesh_connector::{AttributeChange, NewPassword, Outcome, Written};
use identitymesh_model::{Name, Object, Values, dn};

use super::account;
use super::pieces::{cut_new, missing};
use super::update::Progress;
use super::writer::{Writer, conflict, unknown, unsendable, written};
use crate::naming;
use crate::read;
use crate::result::{self, Verdict};
use crate::schema::TypeMap;
use crate::transport::{Answer, Attribute, Write};
use crate::value;

impl Writer {
    pub(super) async fn create(
        &self,
        map: &TypeMap,
        attributes: &Object,
        create_container: bool,
        password: Option<&NewPassword>,
    ) -> Result<Outcome, Outcome> {
        self.check_encryption(map, attributes.iter().map(|(name, _)| name))?;
        let attributes = &account::created(map, attributes);
        let address = address(map, attributes)?;
        let (first, later) = cut_new(map, attributes);
        let (dn, mut entry) = (address.to_owned(), entry(map, &first, address, &self.config.empty_member)?);
        let has_password = self.add_password(&mut entry, password)?;
        let request = self.with_id_back(map, Write::Add { dn, attributes: entry });
        let mut answer = self.send(&request).await?;
        if create_container && result::verdict(answer.code) == Verdict::Missing {
            self.make_containers(map, dn::parent(address)).await?;
            answer = self.send(&request).await?;
        }
        match result::verdict(answer.code) {
            Verdict::Applied => {
                let written = self.created(map, address, &answer).await?;
                let written = self.fill(map, address, &later, written).await?;
                Ok(Outcome::Applied(Written { has_password, ..written }))
            }
            Verdict::Exists => self.compare(map, address, attributes, &answer).await,
            Verdict::Missing => {
                Err(self.negative(map, &format!("the container of {address} is missing"), &answer))
            }
            _ => Err(self.negative(map, &format!("adding {address}"), &answer)),
        }
    }

    /// The new object's id, from the answer or by looking.
    async fn created(&self, map: &TypeMap, address: &str, answer: &Answer) -> Result<Written, Outcome> {
        if let Some(id) = answer.entry.as_ref().and_then(|entry| read::external_id(map, entry).ok()) {
            return Ok(written(&id));
        }
        let entry = self.entry_at(map, address).await?;
        let object = entry.and_then(|entry| self.read(map, &entry).object);
        let object = object.ok_or_else(|| unknown(format!("{address} was added and cannot be read")))?;
        let external_id = Some(object.external_id.clone());
        Ok(Written { external_id, object: Some(object), has_password: false })
    }

    /// Puts in the links that follow. The entry is there whatever becomes of them: what it holds then is told, and what
    /// is missing is the next change.
    async fn fill(
        &self,
        map: &TypeMap,
        address: &str,
        later: &[AttributeChange],
        made: Written,
    ) -> Result<Written, Outcome> {
        let Some(id) = made.external_id.as_ref().filter(|_| !later.is_empty()) else { return Ok(made) };
        let mut progress = Progress { dn: address.to_owned(), has_changed: true };
        match self.link(map, id, later, &mut progress).await {
            Ok(()) => Ok(written(id)),
            Err(_) => {
                let entry = self.entry_with_id(map, id).await?;
                let object = entry.and_then(|entry| self.read(map, &entry).object);
                let object =
                    object.ok_or_else(|| unknown(format!("{address} was added and cannot be read")))?;
                Ok(Written { object: Some(object), ..written(id) })
            }
        }
    }

    /// The name is taken: by this very object, or by another.
    async fn compare(
        &self,
        map: &TypeMap,
        address: &str,
        wanted: &Object,
        answer: &Answer,
    ) -> Result<Outcome, Outcome> {
        let entry = self.entry_at(map, address).await?;
        let Some(there) = entry.and_then(|entry| self.read(map, &entry).object) else {
            // Another entry has a value that must be unique, or one of this name may not be seen.
            return Err(self.refused(map, &format!("adding {address}"), answer));
        };
        let differing = differences(map, wanted, &there.attributes);
        // A large group of which only the first pieces came is this very object too.
        let missing: Option<Vec<AttributeChange>> = differing
            .iter()
            .map(|name| missing(map, *name, wanted.get(*name), there.attributes.get(*name)))
            .collect();
        if let Some(missing) = missing {
            let external_id = Some(there.external_id.clone());
            let found = Written { external_id, object: Some(there), has_password: false };
            return Ok(Outcome::AlreadySo(self.fill(map, address, &missing, found).await?));
        }
        let names: Vec<&str> = differing.into_iter().map(Name::as_str).collect();
        Err(conflict(format!("{address} exists already with other values of {}", names.join(", "))))
    }
}

fn address<'a>(map: &TypeMap, attributes: &'a Object) -> Result<&'a str, Outcome> {
    let name = map.schema.address.ok_or_else(|| unsendable("the object type has no address"))?;
    let address = attributes.single(name).and_then(|value| value.as_text());
    let address =
        address.ok_or_else(|| unsendable(format!("a new entry needs {name}, one text with its name")))?;
    if naming::rdn(address).is_none() {
        return Err(unsendable(format!("{address:?} is no name of an entry")));
    }
    Ok(address)
}

/// The new entry: what is wanted, the classes of its type, the values of its own name, a member if it must have one.
fn entry(
    map: &TypeMap,
    wanted: &Object,
    address: &str,
    empty_member: &str,
) -> Result<Vec<Attribute>, Outcome> {
    let classes = Name::literal("objectClass");
    let mut entry: Vec<Attribute> = Vec::with_capacity(wanted.len() + 2);
    for (name, values) in
        wanted.iter().filter(|(name, _)| Some(*name) != map.schema.address && *name != classes)
    {
        let values = value::encode_all(map.form(name), values.as_slice())
            .map_err(|why| unsendable(format!("{name}: {why}")))?;
        entry.push((map.description(name), values));
    }
    let said = wanted.get(classes).map_or(&[][..], Values::as_slice);
    let said = said.iter().filter_map(|value| value.as_text()).map(str::to_owned);
    let mut all: Vec<String> = Vec::new();
    for class in map.config.object_class.iter().chain(&map.config.extra_object_class).cloned().chain(said) {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(&class)) {
            all.push(class);
        }
    }
    entry.push((classes.as_str().to_owned(), all.into_iter().map(String::into_bytes).collect()));
    for (attribute, text) in naming::rdn(address).unwrap_or_default() {
        add_value(map, &mut entry, &attribute, text);
    }
    for name in &map.required_references {
        if !entry.iter().any(|(known, _)| map.attribute(known).is_some_and(|known| known.name == *name)) {
            entry.push((map.description(*name), vec![empty_member.as_bytes().to_vec()]));
        }
    }
    Ok(entry)
}

/// Puts a value of the entry's name among its attributes unless it is there.
fn add_value(map: &TypeMap, entry: &mut Vec<Attribute>, attribute: &str, text: String) {
    let schema = map.attribute(attribute);
    let is_it = |known: &str| {
        known.eq_ignore_ascii_case(attribute)
            || matches!((schema, map.attribute(known)), (Some(a), Some(b)) if a.name == b.name)
    };
    let folded = text.to_lowercase();
    match entry.iter_mut().find(|(known, _)| is_it(known)) {
        Some((_, values)) => {
            if !values.iter().any(|value| String::from_utf8_lossy(value).to_lowercase() == folded) {
                values.push(text.into_bytes());
            }
        }
        None => entry.push((attribute.to_owned(), vec![text.into_bytes()])),
    }
}

/// Attributes wanted that are not so; the classes and secrets cannot be compared.
fn differences(map: &TypeMap, wanted: &Object, there: &Object) -> Vec<Name> {
    let is_compared = |name: Name| {
        let schema = map.schema.attribute(name);
        Some(name) != map.schema.address
            && name != Name::literal("objectClass")
            && schema.is_none_or(|schema| !schema.sensitive)
    };
    wanted
        .iter()
        .filter(|(name, values)| {
            let schema = map.schema.attribute(*name);
            is_compared(*name) && !value::same(schema, Some(values), there.get(*name))
        })
        .map(|(name, _)| name)
        .collect()
}
