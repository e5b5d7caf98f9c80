//! The ring of a crate, as its `Cargo.toml` states it under `[package.metadata.identitymesh]`.

use std::fmt;

use serde_json::Value;

/// Where a crate stands. Arrows point to smaller numbers; a tool serves the project and never ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ring {
    /// 0 core, 1 contracts, 2 adapters, 3 surfaces, 4 application.
    Number(u8),
    /// Test kits and chores.
    Tool,
}

impl Ring {
    pub(crate) const CORE: Ring = Ring::Number(0);
    pub(crate) const ADAPTERS: Ring = Ring::Number(2);
    const OUTERMOST: u8 = 4;

    /// Reads the ring out of a package's metadata table; the error is the sentence of the finding.
    pub(crate) fn from_metadata(metadata: &Value) -> Result<Ring, String> {
        let stated = &metadata["identitymesh"]["ring"];
        if stated == "tool" {
            return Ok(Ring::Tool);
        }
        let number = stated.as_u64().and_then(|number| u8::try_from(number).ok());
        match number {
            Some(number) if number <= Self::OUTERMOST => Ok(Ring::Number(number)),
            _ => Err(format!(
                "state `ring = 0` to `{}` or `ring = \"tool\"` under [package.metadata.identitymesh]; found {stated}",
                Self::OUTERMOST
            )),
        }
    }
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ring::Number(number) => write!(f, "ring {number}"),
            Ring::Tool => f.write_str("tool"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ring(stated: &Value) -> Result<Ring, String> {
        Ring::from_metadata(&json!({ "identitymesh": { "ring": stated } }))
    }

    #[test]
    fn numbers_and_tool_are_rings() {
        assert_eq!(ring(&json!(0)), Ok(Ring::CORE));
        assert_eq!(ring(&json!(4)), Ok(Ring::Number(4)));
        assert_eq!(ring(&json!("tool")), Ok(Ring::Tool));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for stated in [json!(5), json!(-1), json!(256), json!("core"), json!(null)] {
            let error = ring(&stated).unwrap_err();
            assert!(error.contains("package.metadata.identitymesh"), "{error}");
        }
        assert!(Ring::from_metadata(&Value::Null).is_err());
    }
}
