//! JSON Schemas of the quantities that are read by hand.

use alloc::borrow::Cow;

use nonevent_document::Percent;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::quantity::CountOrPercentWire;
use super::strategies::{MirrorWire, ScaleWire};

impl JsonSchema for CountOrPercentWire {
    fn schema_name() -> Cow<'static, str> {
        "CountOrPercent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of instances, or a share of the replicas.",
            "oneOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                generator.subschema_for::<Percent>(),
            ],
            "examples": [1, "25%"],
        })
    }
}

impl JsonSchema for ScaleWire {
    fn schema_name() -> Cow<'static, str> {
        "Scale".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of instances, a share of the replicas, `match`: as many as the \
                share of the traffic, or `by_share`: so many that the traffic is divided by the \
                instances alone, without a router.",
            "oneOf": [
                { "enum": ["match", "by_share"] },
                generator.subschema_for::<CountOrPercentWire>(),
            ],
            "examples": ["match", "by_share", 2, "25%"],
        })
    }
}

impl JsonSchema for MirrorWire {
    fn schema_name() -> Cow<'static, str> {
        "Mirror".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let share = generator.subschema_for::<Percent>();
        json_schema!({
            "description": "A share of the requests, with what may be copied.",
            "oneOf": [
                share,
                {
                    "type": "object",
                    "properties": {
                        "share": share,
                        "unsafe_methods": {
                            "type": "boolean",
                            "description": "Whether requests are copied too that change \
                                something; default false.",
                            "default": false,
                        },
                    },
                    "required": ["share"],
                    "additionalProperties": false,
                },
            ],
            "examples": ["10%", { "share": "10%", "unsafe_methods": true }],
        })
    }
}
