//! Any bytes as a flag file and as a context: loaded, checked, printed and evaluated, or told where
//! it is wrong.

use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, FlagSet, Limits, LoadOptions};
use serde_json::{Map, Value};

/// Above this many bytes findings are not drawn: it takes longer than all the rest.
const DRAWN_BYTES_MAX: usize = 1 << 10;
/// Flags that are explained.
const EXPLAINED_MAX: usize = 8;

/// The file is what stands before the first byte that no UTF-8 has; a context may follow it.
pub(crate) fn run(dialect: Dialect, bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0xff);
    let (file, context) = bytes.split_at(end.unwrap_or(bytes.len()));
    let mut limits = Limits::default();
    limits.steps_max = 100_000;
    limits.expression_nodes_max = 5_000;
    let options = LoadOptions::from(dialect).limits(limits);
    let loaded = match FlagSet::load("fuzz.json", file, options) {
        Ok(loaded) => loaded,
        Err(findings) => {
            assert!(findings.has_errors());
            return;
        }
    };
    let now = Timestamp::from_unix_ms(1_790_000_000_000);
    let mut findings = loaded.findings.clone();
    for finding in loaded.set.check(now) {
        findings.push(finding);
    }
    if file.len() <= DRAWN_BYTES_MAX {
        let drawn = findings.render("fuzz.json", &String::from_utf8_lossy(file), false);
        assert_eq!(drawn.is_empty(), findings.is_empty());
        let printed = loaded.set.to_string();
        assert!(printed.len() >= loaded.set.len());
        serde_json::to_string(&loaded.set).expect("texts, numbers and maps are written");
    }
    let attributes: Map<String, Value> = context
        .get(1..)
        .and_then(|context| serde_json::from_slice(context).ok())
        .unwrap_or_default();
    let key = attributes.get("targetingKey").and_then(Value::as_str);
    let context = key.map_or(Context::anonymous(), Context::new);
    let context = context.with(&attributes).at(now);
    for (number, flag) in loaded.set.flags().enumerate() {
        let found = loaded.set.evaluate(flag.key(), &context);
        assert_eq!(found.error_code.is_some(), found.reason.as_str() == "ERROR");
        assert!(found.error_code.is_none() || found.value.is_none());
        // The same again, whatever was asked before.
        assert!(loaded.set.evaluate(flag.key(), &context) == found);
        if number < EXPLAINED_MAX {
            let exposed = loaded.set.evaluate_exposing(flag.key(), &context);
            assert!(exposed.resolution == found);
            let told = loaded.set.explain(flag.key(), &context);
            assert_eq!(told.value.as_ref(), found.value);
            assert!(told.to_string().starts_with(flag.key()));
        }
    }
}
