//! JSON Schemas (draft 2020-12) of the quantities that documents are made of.

use alloc::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{Digest, DurationMs, Percent};

impl JsonSchema for DurationMs {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration: numbers with the units d, h, m, s and ms, the largest \
                first, each once; `m` is a minute.",
            // One number before each unit, and a space only between two of them.
            "pattern": concat!(
                r"^(?=[0-9])(?!.* $)([0-9]+(\.[0-9]+)?d ?)?([0-9]+(\.[0-9]+)?h ?)?",
                r"([0-9]+(\.[0-9]+)?m ?)?([0-9]+(\.[0-9]+)?s ?)?([0-9]+(\.[0-9]+)?ms)?$",
            ),
            "examples": ["30s", "5m", "1h30m", "250ms"],
        })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A share from 0% to 100% with at most two decimal places.",
            "pattern": r"^(100(\.0{1,2})?|0?[0-9]{1,2}(\.[0-9]{1,2})?)%$",
            "examples": ["5%", "25%", "0.5%"],
        })
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A SHA-256 digest: `sha256:` and 64 lower-case hexadecimal digits.",
            "pattern": "^sha256:[0-9a-f]{64}$",
        })
    }
}
