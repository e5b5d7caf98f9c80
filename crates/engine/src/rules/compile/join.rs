//! Compiling join rules.

use identitymesh_expr::Environment;
use identitymesh_model::rules::{BlockKey, FuzzyBlock, FuzzyJoin, JoinPair, JoinRule};
use identitymesh_model::{Name, RuleId};

use super::compiler::Compiler;
use super::inbound::ANCHOR;
use crate::key::KeyKind;
use crate::rules::Expression;
use crate::rules::join::{Block, BlockSource, Compared, Comparison, Fuzzy, Join, JoinBy};
use crate::rules::keys::{block_index, join_index, prefix_length};

/// Most mesh objects that a block may be allowed to hold.
const BLOCK_MAX: u32 = 10_000;
/// The longest prefix that makes a key.
const PREFIX_MAX: u8 = 32;

impl Compiler<'_> {
    pub(super) fn join(
        &mut self,
        rule: &JoinRule,
        environment: &Environment,
        path: &str,
        key: &str,
    ) -> Option<Join> {
        if let Some(mesh_type) = rule.mesh_type {
            self.check_mesh_type(path, mesh_type);
        }
        let by = match (rule.pairs.as_slice(), &rule.fuzzy) {
            ([], None) => {
                self.problem("ENG-006", path, "a join rule needs at least one pair in `match`, or `fuzzy`");
                return None;
            }
            ([_, ..], Some(_)) => {
                self.problem("ENG-006", path, "a join rule has either `match` or `fuzzy`; write two rules");
                return None;
            }
            (pairs, None) => JoinBy::Pairs(self.pairs(pairs, environment, path)?),
            ([], Some(fuzzy)) => JoinBy::Likeness(self.fuzzy(fuzzy, environment, path)?),
        };
        Some(Join {
            rule: RuleId(self.number(key)),
            mesh_type: rule.mesh_type,
            when: self.condition(rule.when.as_deref(), environment, path),
            by,
            allow_many: rule.allow_many,
            enabled: rule.enabled,
        })
    }

    fn pairs(
        &mut self,
        pairs: &[JoinPair],
        environment: &Environment,
        path: &str,
    ) -> Option<Vec<Comparison>> {
        let mut comparisons = Vec::with_capacity(pairs.len());
        for pair in pairs {
            if pair.mesh.folded() != ANCHOR {
                self.check_attribute(pair.mesh, path);
            }
            let source = self.keep(Expression::compile(&pair.source, environment, path))?;
            comparisons.push(Comparison {
                label: format!("{} = {}", pair.source, pair.mesh),
                source,
                indexes: vec![self.number(&join_index(pair.mesh, pair.kind))],
                kind: pair.kind,
                mesh: self.has_attribute(pair.mesh).then_some(pair.mesh),
            });
        }
        Some(comparisons)
    }

    fn has_attribute(&self, name: Name) -> bool {
        self.configuration.mesh.types.iter().any(|mesh_type| mesh_type.attribute(name).is_some())
    }

    fn check_attribute(&mut self, name: Name, path: &str) {
        if !self.has_attribute(name) {
            self.problem("ENG-007", path, format!("no mesh type has an attribute {name}"));
        }
    }

    fn fuzzy(&mut self, rule: &FuzzyJoin, environment: &Environment, path: &str) -> Option<Fuzzy> {
        self.check_bounds(rule, path);
        let mut compared = Vec::with_capacity(rule.compare.len());
        for compare in &rule.compare {
            self.check_attribute(compare.mesh, path);
            compared.push(Compared {
                source: self.keep(Expression::compile(&compare.source, environment, path))?,
                mesh: compare.mesh,
                with: compare.with,
                weight: u32::from(compare.weight),
                optional: compare.optional,
            });
        }
        let blocks = rule.block.iter().map(|block| self.block(block, environment, path));
        let blocks = blocks.collect::<Option<Vec<Block>>>()?;
        let block_max = usize::try_from(rule.block_max).unwrap_or(usize::MAX);
        Some(Fuzzy { threshold: rule.threshold, margin: rule.margin, block_max, compared, blocks })
    }

    fn check_bounds(&mut self, rule: &FuzzyJoin, path: &str) {
        let mut wrong = |what: &str| self.problem("ENG-014", path, what);
        if !(1..=100).contains(&rule.threshold) {
            wrong("`threshold` lies between 1 and 100");
        }
        if rule.margin > 100 {
            wrong("`margin` lies between 0 and 100");
        }
        if !(1..=BLOCK_MAX).contains(&rule.block_max) {
            wrong("`block_max` lies between 1 and 10000");
        }
        if !rule.compare.iter().any(|compare| compare.weight > 0) {
            wrong("a fuzzy join needs something in `compare` that has a weight");
        }
        if rule.block.is_empty() || rule.block.iter().any(|block| block.parts.is_empty()) {
            wrong(
                "a fuzzy join needs at least one `block`, each with at least one part: without one everybody \
                   would be compared with everybody",
            );
        }
        let parts = || rule.block.iter().flat_map(|block| &block.parts);
        if parts().any(|part| part.key != BlockKey::Prefix && part.length.is_some()) {
            wrong("`length` belongs to the key `prefix` alone");
        }
        if parts().any(|part| !(1..=PREFIX_MAX).contains(&prefix_length(part))) {
            wrong("the `length` of a prefix lies between 1 and 32");
        }
    }

    fn block(&mut self, block: &FuzzyBlock, environment: &Environment, path: &str) -> Option<Block> {
        let mut parts = Vec::with_capacity(block.parts.len());
        for part in &block.parts {
            self.check_attribute(part.mesh, path);
            parts.push(BlockSource {
                source: self.keep(Expression::compile(&part.source, environment, path))?,
                mesh: part.mesh,
                kind: KeyKind::Block(part.key, prefix_length(part)),
            });
        }
        Some(Block { index: self.number(&block_index(block)), parts })
    }
}
