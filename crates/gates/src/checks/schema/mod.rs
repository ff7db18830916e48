//! A document that must meet a JSON Schema.

#[cfg(feature = "schema")]
mod bounds;
#[cfg(feature = "schema")]
mod engine;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::Value;

use crate::checks::source::{Source, SourceFile};
use crate::checks::structured::{Syntax, read_document};
use crate::outcome::{Input, Unmet};
use crate::tree::Tree;

/// Asks that a document meets a JSON Schema (drafts 4, 6, 7, 2019-09 and 2020-12, by `$schema`;
/// without it, 2020-12).
///
/// A schema that accepts a document in which there is nothing is an error: it could not fail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SchemaCheck {
    pub(crate) source: Source,
    pub(crate) schema: Schema,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Schema {
    /// It stands in the policy.
    Inline(Value),
    /// It is a file of the tree.
    File(Source),
}

impl SchemaCheck {
    pub(crate) fn asked(&self) -> String {
        match &self.schema {
            Schema::Inline(_) => format!("{} meets the schema of the policy", self.source.glob),
            Schema::File(source) => {
                format!("{} meets the schema {}", self.source.glob, source.glob)
            }
        }
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let (files, mut inputs) = self.source.open(tree)?;
        let (name, schema) = match &self.schema {
            Schema::Inline(schema) => ("the policy's schema".to_owned(), schema.clone()),
            Schema::File(source) => {
                let (schemas, read) = source.open(tree)?;
                inputs.extend(read);
                let [file] = &schemas[..] else {
                    return Err(Unmet::error(format!("{} is no single file", source.glob)));
                };
                (file.path.to_string(), parsed(file)?)
            }
        };
        let schema = Usable::new(&schema).map_err(|why| Unmet::error(format!("{name} {why}")))?;
        for file in &files {
            let document = parsed(file)?;
            if let Some(why) = schema.refuses(&document) {
                return Err(Unmet::error(format!("{} {why}", file.path)));
            }
            if let Err(why) = schema.meets(&document) {
                return Err(Unmet::fail(format!("{}: {why}", file.path)));
            }
        }
        let names: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
        let found = format!("{} meets it", names.join(", "));
        Ok((found, inputs))
    }
}

fn parsed(file: &SourceFile<'_>) -> Result<Value, Unmet> {
    let path = file.path.to_string();
    let syntax = Syntax::of_name(&path);
    let syntax = syntax
        .ok_or_else(|| Unmet::error(format!("{path} ends in none of .json, .yaml and .yml")))?;
    read_document(syntax, file)
}

/// A schema that is sound, within bounds, and asks for something.
pub(crate) struct Usable {
    #[cfg(feature = "schema")]
    engine: engine::Engine,
}

#[cfg(feature = "schema")]
impl Usable {
    /// Documents in which there is nothing.
    fn nothings() -> [(&'static str, Value); 4] {
        [
            ("null", Value::Null),
            ("an empty text", Value::String(String::new())),
            ("an empty list", Value::Array(Vec::new())),
            ("an empty object", Value::Object(serde_json::Map::new())),
        ]
    }

    /// # Errors
    ///
    /// Why the schema cannot be used, to be put after its name.
    pub(crate) fn new(schema: &Value) -> Result<Usable, String> {
        let engine = engine::Engine::new(schema)?;
        for (name, nothing) in Usable::nothings() {
            if engine.meets(&nothing).is_ok() {
                return Err(format!("accepts {name}, so that it asks nothing"));
            }
        }
        Ok(Usable { engine })
    }

    fn meets(&self, document: &Value) -> Result<(), String> {
        self.engine.meets(document)
    }

    fn refuses(&self, document: &Value) -> Option<String> {
        self.engine.refuses(document)
    }
}

#[cfg(not(feature = "schema"))]
impl Usable {
    pub(crate) fn new(_schema: &Value) -> Result<Usable, String> {
        Ok(Usable {})
    }

    fn refuses(&self, _document: &Value) -> Option<String> {
        let why = "is not looked at: this build has no JSON Schema, which feature `schema` brings";
        Some(why.to_string())
    }

    fn meets(&self, _document: &Value) -> Result<(), String> {
        Ok(())
    }
}
