//! A large population of people, made up as it is read.
//!
//! An object is a function of the seed, its index and the epoch in which it last changed; nothing is stored, so a
//! million objects cost what the page at hand costs. External ids look like GUIDs in random order and are distinct:
//! their first half is a mixing function of the index that maps no two numbers to one.
//!
//! There may be groups beside the people. Their members are made up in the same way; a group goes on naming those who
//! left.

mod groups;

use compact_str::CompactString;
use identitymesh_connector::{Change, ImportedObject};
use identitymesh_model::{
    AttributeSchema, AttributeType, Name, Object, ObjectSchema, Schema, Text, Timestamp, Value, ValueType,
};

pub(crate) use self::groups::{GROUP, Groups};
use crate::words::{
    CITIES, COMPANIES, COUNTRIES, DEPARTMENTS, GIVEN_NAMES, LANGUAGES, MAIL_SURNAMES, SURNAMES, TITLES,
};

/// Most attributes of one generated object.
pub const ATTRIBUTE_COUNT_MAX: usize = 20;
/// Most rounds of changes of one generated population.
pub const EPOCH_COUNT_MAX: usize = 1_000;
/// The object type of people.
pub(crate) const PERSON: &str = "person";

/// The attributes in canonical order, which lets an object be built by appending.
const NAMES: [&str; ATTRIBUTE_COUNT_MAX] = [
    "accountEnabled",
    "city",
    "company",
    "costCenter",
    "country",
    "department",
    "displayName",
    "employeeId",
    "employeeType",
    "givenName",
    "hireDate",
    "mail",
    "manager",
    "mobile",
    "office",
    "postalCode",
    "preferredLanguage",
    "surname",
    "telephone",
    "title",
];
/// In which order attributes join when fewer than all are wanted; the one that changes show in comes first.
const PREFERENCE: [usize; ATTRIBUTE_COUNT_MAX] =
    [13, 7, 11, 9, 17, 6, 5, 19, 12, 0, 1, 4, 2, 3, 8, 10, 14, 15, 16, 18];
/// 2000-01-01T00:00:00Z, the first hire, in seconds.
const FIRST_HIRE_SECONDS: i64 = 946_684_800;

/// The population.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    objects: u64,
    seed: u64,
    names: [Name; ATTRIBUTE_COUNT_MAX],
    wanted: [bool; ATTRIBUTE_COUNT_MAX],
    object_type: Name,
    groups: Option<Groups>,
    /// What happened in each round; round `n` is at `n - 1`.
    epochs: Vec<Round>,
}

/// What happened to people at one time.
#[derive(Clone, Copy, Debug)]
enum Round {
    /// So many changed.
    Changed(u64),
    /// So many left.
    Left(u64),
}

impl Round {
    const fn count(self) -> u64 {
        match self {
            Self::Changed(count) | Self::Left(count) => count,
        }
    }
}

impl Generator {
    pub(crate) fn new(objects: u64, attributes_per_object: usize, seed: u64) -> Self {
        let mut wanted = [false; ATTRIBUTE_COUNT_MAX];
        PREFERENCE.iter().take(attributes_per_object).for_each(|at| wanted[*at] = true);
        let names = NAMES.map(Name::literal);
        Self {
            objects,
            seed: mix(seed),
            names,
            wanted,
            object_type: Name::literal(PERSON),
            groups: None,
            epochs: Vec::new(),
        }
    }

    /// With groups of these people.
    pub(crate) fn with_groups(self, groups: Groups) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// How many objects of a type are there.
    pub(crate) fn count(&self, object_type: Name) -> u64 {
        if object_type == self.object_type {
            self.people().count() as u64
        } else {
            self.groups.as_ref().map_or(0, Groups::len)
        }
    }

    /// Whether there is anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.people().next().is_none()
    }

    /// The places of everybody who is there.
    fn people(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.objects).filter(|index| !self.is_gone(*index))
    }

    /// Everything that is there, of these types: people first.
    pub(crate) fn read(self, object_types: &[Name]) -> impl Iterator<Item = Change> + Send + use<> {
        let people = if object_types.contains(&self.object_type) { self.objects } else { 0 };
        let wants_groups = object_types.contains(&Name::literal(GROUP));
        let groups = if wants_groups { self.count(Name::literal(GROUP)) } else { 0 };
        let generator = self.clone();
        let groups = (0..groups).filter_map(move |at| generator.group(at).map(Change::Upsert));
        let whole = self.clone();
        let people =
            (0..people).filter(move |at| !whole.is_gone(*at)).map(move |at| Change::Upsert(self.object(at)));
        people.chain(groups)
    }

    fn group(&self, at: u64) -> Option<ImportedObject> {
        let groups = self.groups.as_ref()?;
        Some(groups.object(at, self.objects, self.seed, |index| self.external_id(index)))
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epochs.len() as u64
    }

    pub(crate) fn advance(&mut self, count: u64) {
        self.push(Round::Changed(count.min(self.objects)));
    }

    pub(crate) fn leave(&mut self, count: u64) {
        self.push(Round::Left(count.min(self.objects)));
    }

    fn push(&mut self, round: Round) {
        if self.epochs.len() < EPOCH_COUNT_MAX {
            self.epochs.push(round);
        }
    }

    pub(crate) fn schema(&self) -> Schema {
        let mut attributes = Vec::new();
        for (name, _) in self.names.iter().zip(self.wanted).filter(|(_, wanted)| *wanted) {
            let value = match name.as_str() {
                "accountEnabled" => ValueType::Boolean,
                "hireDate" => ValueType::DateTime,
                "manager" => ValueType::Reference,
                _ => ValueType::String,
            };
            attributes.push(AttributeSchema::new(*name, AttributeType { value, multi: false }));
        }
        let mut object_types =
            vec![ObjectSchema { object_type: self.object_type, address: None, attributes }];
        object_types.extend(self.groups.as_ref().map(|_| groups::schema()));
        Schema { object_types }
    }

    /// The object at `index` as it is now.
    pub(crate) fn object(&self, index: u64) -> ImportedObject {
        let external_id = self.external_id(index);
        let attributes = self.attributes(index);
        ImportedObject::whole(self.object_type, external_id, attributes)
    }

    /// Objects that changed after round `since`, each once, in the order of its last change.
    pub(crate) fn changes_after(
        &self,
        since: u64,
    ) -> Option<impl Iterator<Item = (u64, Change)> + Send + 'static> {
        let now = self.epoch();
        let generator = self.clone();
        (since <= now).then(|| {
            (since + 1..=now).flat_map(move |epoch| {
                let generator = generator.clone();
                (0..generator.changed_in(epoch)).filter_map(move |at| {
                    let index = generator.changed_index(epoch, at);
                    let newest = generator.last_change(index) == epoch;
                    // Resuming within a round would miss its rest, so only a whole round moves the mark.
                    newest.then(|| (epoch - 1, generator.change(index)))
                })
            })
        })
    }

    /// What a delta says of the person at `index`.
    fn change(&self, index: u64) -> Change {
        if self.is_gone(index) {
            return Change::Delete { object_type: self.object_type, external_id: self.external_id(index) };
        }
        Change::Upsert(self.object(index))
    }

    fn round(&self, epoch: u64) -> Round {
        self.epochs[usize::try_from(epoch - 1).expect("bounded by EPOCH_COUNT_MAX")]
    }

    fn changed_in(&self, epoch: u64) -> u64 {
        self.round(epoch).count()
    }

    /// Changes of one round are spread evenly, from a start that differs from round to round.
    fn changed_index(&self, epoch: u64, at: u64) -> u64 {
        let stride = self.objects / self.changed_in(epoch);
        (mix(self.seed ^ epoch) % self.objects + at * stride) % self.objects
    }

    /// The round in which the object at `index` last changed, zero for never.
    fn last_change(&self, index: u64) -> u64 {
        (1..=self.epoch()).rev().find(|epoch| self.is_in(*epoch, index)).unwrap_or(0)
    }

    /// Whoever left does not come back.
    fn is_gone(&self, index: u64) -> bool {
        (1..=self.epoch())
            .any(|epoch| matches!(self.round(epoch), Round::Left(_)) && self.is_in(epoch, index))
    }

    /// Whether a round was about the object at `index`.
    fn is_in(&self, epoch: u64, index: u64) -> bool {
        let count = self.changed_in(epoch);
        if count == 0 {
            return false;
        }
        let stride = self.objects / count;
        let offset = (index + self.objects - mix(self.seed ^ epoch) % self.objects) % self.objects;
        offset.is_multiple_of(stride) && offset / stride < count
    }

    fn external_id(&self, index: u64) -> Text {
        let high = mix(index ^ self.seed);
        let low = mix(high ^ 0x5851_f42d_4c95_7f2d);
        let mut bytes = [b'-'; 36];
        let nibbles = (u128::from(high) << 64) | u128::from(low);
        let mut digit = 0;
        for (at, byte) in bytes.iter_mut().enumerate() {
            if !matches!(at, 8 | 13 | 18 | 23) {
                *byte = b"0123456789abcdef"[(nibbles >> (124 - 4 * digit)) as usize & 15];
                digit += 1;
            }
        }
        Text::from_utf8(bytes).expect("hexadecimal digits are text")
    }

    fn attributes(&self, index: u64) -> Object {
        let person = Person { generator: self, index, bits: mix(mix(index ^ self.seed)) };
        let mut object = Object::with_capacity(ATTRIBUTE_COUNT_MAX);
        for (at, name) in self.names.iter().enumerate() {
            if self.wanted[at]
                && let Some(value) = person.value(at)
            {
                object.set(*name, value);
            }
        }
        object
    }
}

/// One person while its attributes are made.
struct Person<'g> {
    generator: &'g Generator,
    index: u64,
    bits: u64,
}

impl Person<'_> {
    /// The attribute at this place of [`NAMES`].
    fn value(&self, at: usize) -> Option<Value> {
        let word = |shift: u32, words: &[&'static str]| -> Option<Value> {
            Some(Value::Text(CompactString::const_new(pick(self.bits, shift, words))))
        };
        match at {
            0 => Some(Value::Boolean(self.bits & 15 != 0)),
            1 => word(8, &CITIES),
            2 => word(16, &COMPANIES),
            3 => Some(self.digits("CC-", self.bits >> 20, 4)),
            4 => word(8, &COUNTRIES),
            5 => word(24, &DEPARTMENTS),
            6 => Some(self.joined(&[pick(self.bits, 32, &GIVEN_NAMES), " ", pick(self.bits, 40, &SURNAMES)])),
            7 => Some(self.digits("E", self.index, 8)),
            8 => word(4, &["employee", "contractor"]),
            9 => word(32, &GIVEN_NAMES),
            10 => {
                let seconds = FIRST_HIRE_SECONDS + ((self.bits >> 12) % 9_000) as i64 * 86_400;
                Some(Value::DateTime(Timestamp::EPOCH.saturating_add_seconds(seconds)))
            }
            11 => Some(self.mail()),
            12 => (self.index > 0).then(|| Value::Reference(self.generator.external_id(self.index / 10))),
            13 => {
                let version = self.generator.last_change(self.index);
                Some(self.digits("+46 70 ", (self.bits >> 28) + version, 7))
            }
            14 => Some(self.digits("Building 3, room ", self.bits >> 36, 3)),
            15 => Some(self.digits("", self.bits >> 44, 5)),
            16 => word(8, &LANGUAGES),
            17 => word(40, &SURNAMES),
            18 => Some(self.digits("+46 8 ", self.bits >> 30, 7)),
            _ => word(48, &TITLES),
        }
    }

    fn mail(&self) -> Value {
        let Value::Text(mut text) = self.digits(pick(self.bits, 40, &MAIL_SURNAMES), self.index, 8) else {
            return Value::text("");
        };
        text.push_str("@contoso.example");
        Value::Text(text)
    }

    fn joined(&self, parts: &[&str]) -> Value {
        let mut text = CompactString::const_new("");
        parts.iter().for_each(|part| text.push_str(part));
        Value::Text(text)
    }

    /// `prefix` and the last `count` decimal digits of `number`, at most 8.
    fn digits(&self, prefix: &str, mut number: u64, count: usize) -> Value {
        let mut digits = [b'0'; 8];
        for digit in digits[..count].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        let digits = std::str::from_utf8(&digits[..count]).expect("decimal digits are text");
        self.joined(&[prefix, digits])
    }
}

fn pick(bits: u64, shift: u32, words: &[&'static str]) -> &'static str {
    words[(bits >> shift) as usize % words.len()]
}

/// Mixes the bits of a number; no two numbers give the same result.
const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
