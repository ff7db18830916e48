//! The flags that are raced: of each form one that is the same for all, one with a rule, one that
//! half of all see, and one with everything whose answer is asked with its reason.

pub(super) const UNLEASH: &str = r#"{ "version": 2, "features": [
  { "name": "static", "enabled": true, "strategies": [{ "name": "default" }] },
  { "name": "rule", "enabled": true, "strategies": [{ "name": "default", "constraints": [
    { "contextName": "plan", "operator": "IN", "values": ["pro", "team"] }] }] },
  { "name": "half", "enabled": true, "strategies": [{ "name": "flexibleRollout",
    "parameters": { "rollout": "50", "stickiness": "userId", "groupId": "half" } }] },
  { "name": "variant", "enabled": true,
    "strategies": [{ "name": "default", "constraints": [
      { "contextName": "plan", "operator": "IN", "values": ["pro", "team"] }] }],
    "variants": [
      { "name": "red", "weight": 500, "stickiness": "userId" },
      { "name": "blue", "weight": 500, "stickiness": "userId" }] }
] }"#;

pub(super) const UFC: &str = r#"{
  "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": { "name": "test" },
  "flags": {
    "static": { "key": "static", "enabled": true, "variationType": "BOOLEAN", "totalShards": 10000,
      "variations": { "on": { "key": "on", "value": true } },
      "allocations": [{ "key": "all", "doLog": false, "splits": [{ "variationKey": "on", "shards": [] }] }] },
    "rule": { "key": "rule", "enabled": true, "variationType": "BOOLEAN", "totalShards": 10000,
      "variations": { "on": { "key": "on", "value": true } },
      "allocations": [{ "key": "some", "doLog": false,
        "rules": [{ "conditions": [{ "attribute": "plan", "operator": "ONE_OF", "value": ["pro", "team"] }] }],
        "splits": [{ "variationKey": "on", "shards": [] }] }] },
    "half": { "key": "half", "enabled": true, "variationType": "BOOLEAN", "totalShards": 10000,
      "variations": { "on": { "key": "on", "value": true } },
      "allocations": [{ "key": "some", "doLog": false, "splits": [{ "variationKey": "on", "shards": [
        { "salt": "half", "ranges": [{ "start": 0, "end": 5000 }] }] }] }] }
  } }"#;

pub(super) const LAUNCHDARKLY: &str = r#"{ "flags": {
  "static": { "key": "static", "on": true, "salt": "s", "variations": [true, false], "offVariation": 1,
    "targets": [], "prerequisites": [], "rules": [], "fallthrough": { "variation": 0 } },
  "rule": { "key": "rule", "on": true, "salt": "s", "variations": [true, false], "offVariation": 1,
    "targets": [], "prerequisites": [], "rules": [{ "id": "r", "variation": 0, "trackEvents": false, "clauses": [
      { "attribute": "plan", "op": "in", "values": ["pro", "team"] }] }], "fallthrough": { "variation": 1 } },
  "half": { "key": "half", "on": true, "salt": "s", "variations": [true, false], "offVariation": 1,
    "targets": [], "prerequisites": [], "rules": [], "fallthrough": { "rollout": { "variations": [
      { "variation": 0, "weight": 50000 }, { "variation": 1, "weight": 50000 }] } } }
} }"#;

pub(super) const FLAGD: &str = r#"{ "flags": {
  "static": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
  "rule": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
    "targeting": { "if": [{ "in": [{ "var": "plan" }, ["pro", "team"]] }, "on", "off"] } },
  "half": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
    "targeting": { "fractional": [["on", 50], ["off", 50]] } }
} }"#;
