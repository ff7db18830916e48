//! A body against a JSON Schema.

use jsonschema::Validator;
use serde_json::Value as Json;

use crate::judge::Judge;
use crate::judge::excerpt::head;

/// Violations of a schema that are told apart.
const VIOLATIONS_MAX: usize = 5;
/// Bodies up to this size are searched for what is wrong with them. Every violation is collected
/// before any is told, those of each branch of `oneOf` too, and a large body may have millions.
const BYTES_SEARCHED_MAX: usize = 256 * 1024;

impl Judge<'_> {
    pub(super) fn schema(&mut self, body: &Json, schema: &Validator) {
        if schema.is_valid(body) {
            return;
        }
        if self.body.len() > BYTES_SEARCHED_MAX {
            let message = format!(
                "body does not meet the schema; it has over {BYTES_SEARCHED_MAX} bytes, so it is \
                 not searched for the place"
            );
            let excerpt = self.body_head();
            let (expected, actual) = ("what the schema says", "something else");
            self.fail(message, expected.to_owned(), actual.to_owned())
                .excerpt = excerpt;
            return;
        }
        let mut violations = Vec::new();
        let mut left_out = 0;
        for error in schema.iter_errors(body) {
            if violations.len() < VIOLATIONS_MAX {
                violations.push(error);
            } else {
                left_out += 1;
            }
        }
        let last = violations.len().saturating_sub(1);
        for (at, error) in violations.iter().enumerate() {
            let place = error.instance_path().to_string();
            let place = match place.as_str() {
                "" => "body".to_owned(),
                place => format!("body at {}", self.shown(place)),
            };
            // What is said of a value without the value, which may be long.
            let why = self.shown(&error.masked_with("it").to_string());
            let keyword = error.kind().keyword();
            let mut message = format!("{place} does not meet `{keyword}` of the schema: {why}");
            if at == last && left_out > 0 {
                message.push_str(&format!("; and {left_out} more"));
            }
            let rule = error.schema_path().to_string();
            let expected = head(&format!("what the schema says at {rule}"), self.chars_max);
            let actual = self.shown_json(error.instance());
            self.fail(message, expected, actual);
        }
    }
}
