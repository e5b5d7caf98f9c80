//! Keys of rules and indexes: stable texts to which a store gives numbers.
//!
//! A rule that has a name is known by it, so its text may change without its past values changing hands. A rule
//! without one is known by its content. The same content twice in one connector is one rule written twice; the
//! second gets a counter.

use std::collections::{BTreeMap, HashMap};

use identitymesh_model::rules::{
    BlockKey, BlockPart, Configuration, ConnectorConfig, FuzzyBlock, JoinRule, MatchKind,
};
use identitymesh_model::{ContentHash, Name, Schema};

/// Everything that rows refer to by number under this configuration, of systems with these schemas: rules first, then
/// indexes.
#[must_use]
pub fn number_keys(configuration: &Configuration, schemas: &BTreeMap<Name, Schema>) -> Vec<String> {
    let mut keys = rule_keys(configuration).all;
    for mesh_type in &configuration.mesh.types {
        keys.push(anchor_index(mesh_type.name));
    }
    for connector in &configuration.connectors {
        for join in &connector.join {
            keys.extend(join.pairs.iter().map(|pair| join_index(pair.mesh, pair.kind)));
            keys.extend(join.fuzzy.iter().flat_map(|fuzzy| &fuzzy.block).map(block_index));
        }
        keys.push(address_index(connector.connector.name));
        let schema = schemas.get(&connector.connector.name);
        keys.extend(
            schema
                .into_iter()
                .flat_map(Schema::referred_by)
                .map(|attribute| referred_index(connector.connector.name, attribute)),
        );
        for rule in &connector.projection {
            for attribute in rule.attributes.iter().filter(|attribute| attribute.value.is_some()) {
                keys.push(unique_index(connector.connector.name, rule.object_type, attribute.target));
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The index of a mesh attribute for one kind of comparison.
pub(super) fn join_index(attribute: Name, kind: MatchKind) -> String {
    let kind = match kind {
        MatchKind::Exact => "exact",
        MatchKind::IgnoreCase => "ignore_case",
        MatchKind::Normalised => "normalised",
        MatchKind::NormalisedAscii => "normalised_ascii",
    };
    format!("index:join:{}:{kind}", attribute.folded())
}

/// The index of blocks of one kind, whichever rules look for them.
pub(super) fn block_index(block: &FuzzyBlock) -> String {
    let part = |part: &BlockPart| match part.key {
        BlockKey::Whole => format!("{}=whole", part.mesh.folded()),
        BlockKey::Prefix => format!("{}=prefix{}", part.mesh.folded(), prefix_length(part)),
        BlockKey::Soundex => format!("{}=soundex", part.mesh.folded()),
        BlockKey::Year => format!("{}=year", part.mesh.folded()),
        BlockKey::Digits => format!("{}=digits", part.mesh.folded()),
    };
    let parts: Vec<String> = block.parts.iter().map(part).collect();
    format!("index:block:{}", parts.join("+"))
}

/// How many characters of a prefix are the key, where nothing is said.
const PREFIX_LENGTH: u8 = 4;

pub(super) fn prefix_length(part: &BlockPart) -> u8 {
    part.length.unwrap_or(PREFIX_LENGTH)
}

/// The index of anchors of one mesh type.
pub(super) fn anchor_index(mesh_type: Name) -> String {
    format!("index:anchor:{}", mesh_type.folded())
}

/// The index of one connector's addresses.
pub(super) fn address_index(connector: Name) -> String {
    format!("index:address:{}", connector.folded())
}

/// The index of what one connector's objects hold in an attribute by which references refer to them.
pub(super) fn referred_index(connector: Name, attribute: Name) -> String {
    format!("index:referred:{}:{}", connector.folded(), attribute.folded())
}

/// The index of the values that one target attribute has, for uniqueness.
pub(super) fn unique_index(connector: Name, object_type: Name, attribute: Name) -> String {
    format!("index:unique:{}:{}:{}", connector.folded(), object_type.folded(), attribute.folded())
}

/// The keys of all rules, in the order of the configuration.
#[derive(Debug, Default)]
pub struct RuleKeys {
    pub(super) all: Vec<String>,
    pub(super) computed: Vec<String>,
    pub(super) connectors: Vec<ConnectorKeys>,
}

/// The keys of one connector's rules, in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct ConnectorKeys {
    pub(super) join: Vec<String>,
    pub(super) create: Vec<String>,
    pub(super) flow: Vec<String>,
    pub(super) projection: Vec<String>,
}

#[derive(Default)]
struct Counter(HashMap<String, u32>);

impl Counter {
    fn distinct(&mut self, key: String) -> String {
        let count = self.0.entry(key.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { key } else { format!("{key}#{count}") }
    }
}

/// The keys of all rules.
#[must_use]
pub fn rule_keys(configuration: &Configuration) -> RuleKeys {
    let mut counter = Counter::default();
    let mut keys = RuleKeys::default();
    for rule in &configuration.mesh.computed {
        let name = rule.name.clone().unwrap_or_else(|| format!("{}.{}", rule.mesh_type, rule.target));
        keys.computed.push(counter.distinct(format!("computed:{name}")));
    }
    for connector in &configuration.connectors {
        keys.connectors.push(connector_keys(connector, &mut counter));
    }
    keys.all.extend(keys.computed.iter().cloned());
    for connector in &keys.connectors {
        for list in [&connector.join, &connector.create, &connector.flow, &connector.projection] {
            keys.all.extend(list.iter().cloned());
        }
    }
    keys
}

fn connector_keys(config: &ConnectorConfig, counter: &mut Counter) -> ConnectorKeys {
    let connector = config.connector.name;
    let mut keys = ConnectorKeys::default();
    for rule in &config.join {
        let name = rule.name.clone().unwrap_or_else(|| join_name(rule));
        keys.join.push(counter.distinct(format!("join:{connector}:{name}")));
    }
    for rule in &config.create {
        let name = rule.name.clone().unwrap_or_else(|| format!("{}>{}", rule.object_type, rule.mesh_type));
        keys.create.push(counter.distinct(format!("create:{connector}:{name}")));
    }
    for rule in &config.flow {
        let name = rule.name.clone().unwrap_or_else(|| {
            let source = match (&rule.source, &rule.transform) {
                (Some(source), _) => source.to_string(),
                (None, Some(transform)) => short(transform),
                (None, None) => String::new(),
            };
            format!("{}.{source}>{}", rule.object_type, rule.target)
        });
        keys.flow.push(counter.distinct(format!("flow:{connector}:{name}")));
    }
    for rule in &config.projection {
        let name = rule.name.clone().unwrap_or_else(|| format!("{}>{}", rule.mesh_type, rule.object_type));
        keys.projection.push(counter.distinct(format!("projection:{connector}:{name}")));
    }
    keys
}

fn join_name(rule: &JoinRule) -> String {
    let pairs = rule.pairs.iter().map(|pair| format!("{}={}", short(&pair.source), pair.mesh));
    let compared = rule.fuzzy.iter().flat_map(|fuzzy| &fuzzy.compare);
    let compared = compared.map(|compare| format!("{}~{}", short(&compare.source), compare.mesh));
    format!("{}.{}", rule.object_type, pairs.chain(compared).collect::<Vec<_>>().join("+"))
}

/// A short expression as it is, a long one by its hash: keys are for people too.
fn short(expression: &str) -> String {
    if expression.len() <= 40 {
        expression.to_owned()
    } else {
        ContentHash::of(expression).to_string()[..12].to_owned()
    }
}
