//! Evaluation does not allocate: counted, not believed.

use allocation_counter::measure;
use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, FlagSet, Fractional, LoadOptions, Reason, Value};

const FLAGD: &str = r#"{
  "metadata": { "flagSetId": "test" },
  "$evaluators": { "staff": { "ends_with": [{ "var": "email" }, "@shop.example"] } },
  "flags": {
    "static": { "state": "ENABLED", "variants": { "on": true }, "defaultVariant": "on", "metadata": { "owner": "a" } },
    "disabled": { "state": "DISABLED", "variants": { "on": true } },
    "broken": { "state": "ENABLED", "variants": { "on": true }, "targeting": { "nope": 1 } },
    "targeted": {
      "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
      "targeting": { "if": [
        { "$ref": "staff" }, "on",
        { "and": [
          { "==": [{ "var": "plan" }, "pro"] },
          { "<=": [10, { "var": "user.age" }, 99] },
          { "in": [{ "var": "country" }, ["at", "be", "ch", "de", "dk", "es", "fr", "it", "nl", "se"]] },
          { "in": ["beta", { "var": "groups" }] },
          { "some": [{ "var": "groups" }, { "===": [{ "var": "" }, "beta"] }] },
          { "sem_ver": [{ "var": "version" }, ">=", "v2.1"] },
          { ">": [{ "var": "$flagd.timestamp" }, 1700000000] },
          { "!": { "missing": ["plan", "country"] } },
          { "==": [{ "+": [{ "var": "user.age" }, 1] }, { "max": [31, 2] }] }
        ] }, "on",
        "off"
      ] }
    },
    "split": {
      "state": "ENABLED", "variants": { "a": 1, "b": 2 }, "defaultVariant": "b",
      "targeting": { "fractional": [["a", 50], ["b", 50]] }
    },
    "split-by": {
      "state": "ENABLED", "variants": { "a": "a", "b": "b" }, "defaultVariant": "b",
      "targeting": { "fractional": [
        { "cat": [{ "var": "$flagd.flagKey" }, ":", { "var": "user.age" }, { "var": "email" }] },
        ["a", { "if": [{ "==": [{ "var": "plan" }, "pro"] }, 70, 30] }], ["b", 30]
      ] }
    },
    "split-object": {
      "state": "ENABLED", "variants": { "a": "a", "b": "b" }, "defaultVariant": "b",
      "targeting": { "fractional": [{ "var": "user" }, ["a", 50], ["b", 50]] }
    }
  }
}"#;

const PLAIN: &str = r#"{ "flags": {
  "bare": true,
  "rollout": { "rollout_percentage": 25 },
  "experiment": { "variants": ["control", "a"] },
  "rules": { "rules": [{ "attribute": "plan", "operator": "in", "values": ["pro"] }] }
} }"#;

const LAUNCHDARKLY: &str = r#"{
  "flags": {
    "clauses": {
      "on": true, "variations": [true, false], "fallthrough": { "variation": 1 },
      "targets": [{ "variation": 0, "values": ["somebody"] }],
      "rules": [{ "id": "all", "variation": 0, "clauses": [
        { "op": "segmentMatch", "values": ["staff"] },
        { "attribute": "plan", "op": "in", "values": ["pro", "team"] },
        { "attribute": "groups", "op": "in", "values": ["beta"] },
        { "attribute": "age", "op": "greaterThan", "values": [18] },
        { "attribute": "email", "op": "matches", "values": ["@mail\\.example$"] },
        { "attribute": "version", "op": "semVerGreaterThan", "values": ["2.0"] },
        { "contextKind": "user", "attribute": "/user/age", "op": "lessThan", "values": [99] },
        { "attribute": "key", "op": "startsWith", "values": ["nobody"], "negate": true }
      ] }]
    },
    "rollout": {
      "on": true, "variations": ["a", "b"], "salt": "s",
      "fallthrough": { "rollout": { "variations": [{ "variation": 0, "weight": 50000 }, { "variation": 1, "weight": 50000 }] } }
    },
    "off": { "on": false, "variations": [1], "offVariation": 0 }
  },
  "segments": { "staff": { "rules": [{ "clauses": [{ "attribute": "email", "op": "endsWith", "values": ["example"] }] }] } }
}"#;

const UFC: &str = r#"{ "flags": {
  "rules": {
    "enabled": true, "variationType": "BOOLEAN", "variations": { "on": { "value": true } },
    "allocations": [{
      "startAt": "2020-01-01T00:00:00Z",
      "rules": [{ "conditions": [
        { "attribute": "email", "operator": "MATCHES", "value": "@mail\\.example$" },
        { "attribute": "email", "operator": "NOT_MATCHES", "value": "(?i)BOB|EVE" },
        { "attribute": "plan", "operator": "ONE_OF", "value": ["pro", "team"] },
        { "attribute": "age", "operator": "NOT_ONE_OF", "value": ["31"] },
        { "attribute": "age", "operator": "GTE", "value": 30 },
        { "attribute": "version", "operator": "GT", "value": "2.1.0" },
        { "attribute": "missing", "operator": "IS_NULL", "value": true }
      ] }],
      "splits": [{ "variationKey": "on", "shards": [] }]
    }]
  },
  "shards": {
    "enabled": true, "variationType": "JSON", "variations": { "a": { "value": "{}" }, "b": { "value": [] } },
    "allocations": [{ "splits": [
      { "variationKey": "a", "shards": [{ "salt": "s", "ranges": [{ "start": 0, "end": 5000 }] }] },
      { "variationKey": "b", "shards": [{ "salt": "s", "ranges": [{ "start": 5000, "end": 10000 }] }] }
    ] }]
  }
} }"#;

const UNLEASH: &str = r#"{
  "segments": [{ "id": 1, "constraints": [{ "contextName": "country", "operator": "IN", "values": ["de", "fr"] }] }],
  "features": [
    { "name": "static", "enabled": true, "strategies": [] },
    { "name": "rollout", "enabled": true, "strategies": [
      { "name": "flexibleRollout", "parameters": { "rollout": "50" } },
      { "name": "gradualRolloutRandom", "parameters": { "percentage": "50" } }
    ] },
    { "name": "rules", "enabled": true, "dependencies": [{ "feature": "static" }],
      "strategies": [{ "name": "default", "segments": [1], "constraints": [
        { "contextName": "email", "operator": "STR_ENDS_WITH", "values": [".EXAMPLE"], "caseInsensitive": true },
        { "contextName": "email", "operator": "STR_CONTAINS", "values": ["shop"], "inverted": true },
        { "contextName": "age", "operator": "NUM_GTE", "value": "30" },
        { "contextName": "version", "operator": "SEMVER_GT", "value": "2.1.0" },
        { "contextName": "remoteAddress", "operator": "IN_CIDR", "values": ["10.0.0.0/8"] },
        { "contextName": "currentTime", "operator": "DATE_AFTER", "value": "2020-01-01T00:00:00Z" },
        { "contextName": "plan", "operator": "REGEX", "value": "^PRO$", "caseInsensitive": true }
      ] }],
      "variants": [
        { "name": "a", "weight": 1, "overrides": [{ "contextName": "plan", "values": ["team"] }] },
        { "name": "b", "weight": 1, "payload": { "type": "json", "value": "{}" } }
      ] }
  ]
}"#;

/// Evaluates every flag in every type, and says how often memory was asked for.
fn allocations(set: &FlagSet, keys: &[&str]) -> u64 {
    let groups = ["alpha", "beta"];
    let user = [("age", Value::from(30)), ("name", Value::from("Ada"))];
    let fallback = serde_json::Value::Null;
    measure(|| {
        let attributes = [
            ("email", Value::from("ada@mail.example")),
            ("plan", Value::from("pro")),
            ("country", Value::from("de")),
            ("version", Value::from("2.1.3-rc.1+5f3a")),
            ("groups", Value::List(&groups)),
            ("user", Value::Map(&user)),
            ("age", Value::from(30)),
            ("remoteAddress", Value::from("10.1.2.3")),
        ];
        let context = Context::new("user-7")
            .with(&attributes)
            .at(Timestamp::from_unix_ms(1_800_000_000_000))
            .drawing(7);
        for key in keys {
            let kept = (
                set.bool(key, false, &context).value,
                set.i64(key, 0, &context).reason,
                set.f64(key, 0.0, &context).error_code,
                set.str(key, "", &context).variant,
                set.json(key, &fallback, &context).error_message,
                set.evaluate(key, &context).metadata.get("owner").is_some(),
            );
            std::hint::black_box(kept);
        }
    })
    .count_total
}

#[test]
fn flagd_flags_are_evaluated_without_allocation() {
    let keys = [
        "static",
        "disabled",
        "broken",
        "targeted",
        "split",
        "split-by",
        "split-object",
        "missing",
    ];
    for version in [Fractional::V1, Fractional::V2, Fractional::V3] {
        let options = LoadOptions::from(Dialect::Flagd).fractional(version);
        let set = FlagSet::load("flags.json", FLAGD.as_bytes(), options)
            .expect("loads")
            .set;
        for key in keys {
            assert_eq!(allocations(&set, &[key]), 0, "{key} under {version:?}");
        }
    }
}

#[test]
fn plain_flags_are_evaluated_without_allocation() {
    let set = FlagSet::load("flags.json", PLAIN.as_bytes(), Dialect::Plain)
        .expect("loads")
        .set;
    assert_eq!(
        allocations(&set, &["bare", "rollout", "experiment", "rules", "missing"]),
        0
    );
}

#[test]
fn launchdarkly_flags_are_evaluated_without_allocation() {
    let set = FlagSet::load("data.json", LAUNCHDARKLY.as_bytes(), Dialect::LaunchDarkly)
        .expect("loads")
        .set;
    let keys = ["clauses", "rollout", "off", "missing"];
    assert_eq!(allocations(&set, &keys), 0);
    let groups = ["alpha", "beta"];
    let user = [("age", Value::from(30))];
    let attributes = [
        ("email", Value::from("ada@mail.example")),
        ("plan", Value::from("pro")),
        ("version", Value::from("2.1.3-rc.1+5f3a")),
        ("groups", Value::List(&groups)),
        ("user", Value::Map(&user)),
        ("age", Value::from(30)),
    ];
    let context = Context::new("user-7").with(&attributes);
    let clauses = set.evaluate("clauses", &context);
    assert_eq!(
        clauses.variant,
        Some("0"),
        "every clause is reached: {clauses:?}"
    );
    assert_eq!(set.evaluate("rollout", &context).reason, Reason::Split);
}

#[test]
fn ufc_flags_are_evaluated_without_allocation() {
    let set = FlagSet::load("ufc.json", UFC.as_bytes(), Dialect::Ufc)
        .expect("loads")
        .set;
    assert_eq!(allocations(&set, &["rules", "shards", "missing"]), 0);
    let attributes = [
        ("email", Value::from("ada@mail.example")),
        ("plan", Value::from("pro")),
        ("version", Value::from("2.1.3-rc.1+5f3a")),
        ("age", Value::from(30)),
    ];
    let now = Timestamp::from_unix_ms(1_800_000_000_000);
    let context = Context::new("user-7").with(&attributes).at(now);
    assert!(
        set.bool("rules", false, &context).value,
        "every condition is reached"
    );
    assert_eq!(set.evaluate("shards", &context).reason, Reason::Split);
}

#[test]
fn unleash_features_are_evaluated_without_allocation() {
    let set = FlagSet::load("unleash.json", UNLEASH.as_bytes(), Dialect::Unleash)
        .expect("loads")
        .set;
    assert_eq!(
        allocations(&set, &["static", "rollout", "rules", "missing"]),
        0
    );
    let attributes = [
        ("email", Value::from("ada@mail.example")),
        ("plan", Value::from("pro")),
        ("country", Value::from("de")),
        ("version", Value::from("2.1.3-rc.1+5f3a")),
        ("age", Value::from(30)),
        ("remoteAddress", Value::from("10.1.2.3")),
    ];
    let now = Timestamp::from_unix_ms(1_800_000_000_000);
    let context = Context::new("user-7").with(&attributes).at(now);
    assert!(
        set.bool("rules", false, &context).value,
        "every condition is reached"
    );
}

const GROWTHBOOK: &str = r#"{
    "savedGroups": {"large": {"type": "condition", "condition": {"age": {"$gt": 20}}}},
    "contextualBandits": {"b": {"contexts": [{"leafId": 1, "condition": {"plan": "pro"}, "weights": [1, 0]}]}},
    "features": {
        "static": {"defaultValue": true},
        "rollout": {"defaultValue": false, "rules": [{"force": true, "coverage": 0.5, "hashVersion": 2}]},
        "rules": {"defaultValue": false, "rules": [
            {"parentConditions": [{"id": "static", "condition": {"value": true}, "gate": true}]},
            {"condition": {
                "plan": {"$in": ["pro"]}, "email": {"$regex": "@mail"}, "version": {"$vgte": "2.1.0"},
                "country": {"$nini": ["US"]}, "groups": {"$all": ["beta"], "$size": {"$gt": 0}},
                "user": {"age": 30}, "$savedGroup": {"id": "large"}, "$not": {"plan": "free"}
            }, "force": true}]},
        "experiment": {"defaultValue": 0, "rules": [{"key": "e", "variations": [1, 2], "contextualBanditRef": "b",
            "filters": [{"seed": "s", "ranges": [[0, 1]]}], "minBucketVersion": 1, "bucketVersion": 1,
            "fallbackAttribute": "deviceId", "meta": [{"key": "a"}, {"key": "b"}]}]}
    }
}"#;

#[test]
fn growthbook_features_are_evaluated_without_allocation() {
    let set = FlagSet::load("features.json", GROWTHBOOK.as_bytes(), Dialect::GrowthBook)
        .expect("loads")
        .set;
    let keys = ["static", "rollout", "rules", "experiment", "missing"];
    assert_eq!(allocations(&set, &keys), 0);
    let groups = ["beta"];
    let user = [("age", Value::from(30))];
    let assignments = [("e__1", Value::from("b"))];
    let document = [("assignments", Value::Map(&assignments))];
    let documents = [("id||user-7", Value::Map(&document))];
    let settings = [("stickyBuckets", Value::Map(&documents))];
    let attributes = [
        ("email", Value::from("ada@mail.example")),
        ("plan", Value::from("pro")),
        ("country", Value::from("de")),
        ("version", Value::from("2.1.3")),
        ("age", Value::from(30)),
        ("groups", Value::List(&groups)),
        ("user", Value::Map(&user)),
        ("__gb", Value::Map(&settings)),
    ];
    let context = Context::new("user-7").with(&attributes);
    let measured = measure(|| {
        for key in keys {
            std::hint::black_box(set.evaluate(key, &context));
        }
    });
    assert_eq!(measured.count_total, 0);
    assert!(set.bool("rules", false, &context).value, "all is reached");
    let remembered = set.i64("experiment", 0, &context);
    assert_eq!((remembered.value, remembered.reason), (2, Reason::Split));
}

#[test]
fn the_rules_counted_above_do_their_work() {
    let set = FlagSet::load("flags.json", FLAGD.as_bytes(), Dialect::Flagd)
        .expect("loads")
        .set;
    let groups = ["beta"];
    let user = [("age", Value::from(30))];
    let attributes = [
        ("plan", Value::from("pro")),
        ("country", Value::from("de")),
        ("version", Value::from("2.1.3")),
        ("groups", Value::List(&groups)),
        ("user", Value::Map(&user)),
    ];
    let now = Timestamp::from_unix_ms(1_800_000_000_000);
    let context = Context::new("user-7").with(&attributes).at(now);
    let targeted = set.bool("targeted", false, &context);
    assert_eq!(
        (targeted.value, targeted.reason),
        (true, Reason::TargetingMatch)
    );
    assert!(set.evaluate("split-by", &context).value.is_some());
    assert!(
        measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total > 0,
        "the counter counts"
    );
}
