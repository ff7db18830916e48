//! What a field reads as where it is left out, as the schema tells it.
//!
//! Fields that are optional on disk get their default when they are read; here it is repeated as a
//! value, and a test holds that leaving the field out and writing the default are the same.

use serde_json::Value;

use super::Definitions;

/// Definition, field, default as it would be written.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("Analysis", "on_inconclusive", r#""rollback""#),
    ("Analysis", "on_no_data", r#""rollback""#),
    ("Analysis", "warm_up", r#""0s""#),
    ("Approval", "count", "1"),
    ("Approval", "on_timeout", r#""rollback""#),
    ("Approval", "timeout", r#""1h""#),
    ("BlueGreen", "bake", r#""15m""#),
    ("BlueGreen", "preview", r#""0s""#),
    ("BlueGreen", "scale_down_delay", r#""1h""#),
    ("BlueGreen", "stages", "[]"),
    ("Canary", "baseline", "false"),
    ("Canary", "requests_per_user", "50"),
    ("Canary", "split_by", r#""request""#),
    (
        "Canary",
        "steps",
        r#"[
            { "traffic": "5%", "pause": "5m" },
            { "traffic": "25%", "pause": "10m" },
            { "traffic": "50%", "pause": "10m" },
            { "traffic": "100%", "pause": "30m" }
        ]"#,
    ),
    ("CanaryStep", "replicas", r#""match""#),
    ("Fleet", "connections", r#""close_after""#),
    ("Fleet", "drain", r#""30s""#),
    ("Fleet", "ready_within", r#""1m""#),
    ("Fleet", "warm_up", r#""0s""#),
    ("ManualStep", "moment", r#""before_traffic""#),
    ("ManualStep", "within", r#""30m""#),
    ("Metric", "lag", r#""0s""#),
    ("Metric", "scrape", r#""15s""#),
    ("Migration", "within", r#""30m""#),
    ("Recreate", "watch", r#""15m""#),
    ("Rollback", "after_no_return", r#""pause""#),
    ("Rollback", "on_drift", r#""rollback""#),
    ("Rolling", "max_surge", "1"),
    ("Rolling", "max_unavailable", "0"),
    ("Rolling", "min_ready", r#""0s""#),
    ("Rolling", "on_failure", r#""rollback""#),
    ("Rolling", "pause", r#""0s""#),
    ("Rolling", "watch", r#""15m""#),
];

pub(super) fn put(definitions: &mut Definitions) {
    for (definition, field, default) in DEFAULTS {
        let property = definitions
            .get_mut(*definition)
            .and_then(|it| it.get_mut("properties"))
            .and_then(|it| it.get_mut(*field));
        if let (Some(property), Ok(default)) = (property, serde_json::from_str::<Value>(default)) {
            property["default"] = default;
        }
    }
}
