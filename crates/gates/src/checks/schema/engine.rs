//! The validator, asked in ways that end.

use alloc::format;
use alloc::string::{String, ToString as _};

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::bounds::{Bounds, bounds};
use crate::path::visible;

/// More of a reason than this is cut off, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Values of a document times places of a schema.
const WORK_MAX: u64 = 50_000_000;

pub(super) struct Engine {
    validator: Validator,
    bounds: Bounds,
}

impl Engine {
    pub(super) fn new(schema: &Value) -> Result<Engine, String> {
        let bounds = bounds(schema)?;
        let validator = jsonschema::options()
            // Linear in the text, whatever the pattern.
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map_err(|error| format!("is no JSON Schema: {}", brief(&error.to_string())))?;
        Ok(Engine { validator, bounds })
    }

    /// Why the document cannot be looked at, if it cannot.
    pub(super) fn refuses(&self, document: &Value) -> Option<String> {
        let (values, visits) = (count(document), self.bounds.visits);
        (values.saturating_mul(visits) > WORK_MAX).then(|| {
            format!(
                "is not looked at: {values} values by {visits} places of the schema are more than \
                 {WORK_MAX}"
            )
        })
    }

    /// Only `is_valid` remembers what it has seen of a recursive schema. The way that tells a reason
    /// takes as many steps as there are paths, so that it is asked only where those are bounded.
    pub(super) fn meets(&self, document: &Value) -> Result<(), String> {
        if self.validator.is_valid(document) {
            return Ok(());
        }
        if self.bounds.is_recursive {
            return Err("does not meet it; of a recursive schema no reason is told".to_string());
        }
        match self.validator.validate(document) {
            Ok(()) => Err("the validator contradicts itself".to_string()),
            Err(error) => {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "/" } else { &place };
                Err(format!(
                    "{} {}",
                    visible(place),
                    brief(&error.masked_with("the value").to_string())
                ))
            }
        }
    }
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Array(items) => items.iter().map(count).sum::<u64>() + 1,
        Value::Object(members) => members.values().map(count).sum::<u64>() + 1,
        _ => 1,
    }
}

fn brief(text: &str) -> String {
    let shown: String = text.chars().take(REASON_CHARS_MAX).collect();
    visible(&shown)
}
