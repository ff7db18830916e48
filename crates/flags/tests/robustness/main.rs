//! Whatever the file and the context hold: no panic, and bounded work.

mod vendors;

use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, Fractional, Limits, LoadOptions};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const OPERATORS: [&str; 37] = [
    "if",
    "?:",
    "and",
    "or",
    "!",
    "!!",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "max",
    "min",
    "+",
    "-",
    "*",
    "/",
    "%",
    "map",
    "filter",
    "reduce",
    "all",
    "none",
    "some",
    "merge",
    "in",
    "cat",
    "substr",
    "var",
    "missing",
    "missing_some",
    "starts_with",
    "sem_ver",
    "fractional",
];

pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![
            Just("a"),
            Just("on"),
            Just(""),
            Just("list"),
            Just("list.0"),
            Just("current"),
            Just("accumulator"),
            Just("$flagd.flagKey"),
            Just("targetingKey"),
            Just("1.2.3"),
            Just(">="),
            Just("é😀"),
            Just("-0x1"),
            Just("1e999"),
        ]
        .prop_map(Value::from),
        // Documents refuse NUL as a whole.
        "[^\\x00]{0,6}".prop_map(Value::from),
    ]
}

pub(crate) fn data() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]{1,2}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        scalar(),
        Just(json!({"var": "a"})),
        Just(json!({"var": "list"})),
        Just(json!({"var": ""})),
        Just(json!({"$ref": "shared"})),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            4 => (proptest::sample::select(&OPERATORS[..]), proptest::collection::vec(inner.clone(), 0..4))
                .prop_map(|(operator, arguments)| json!({ operator: arguments })),
            1 => (proptest::sample::select(&OPERATORS[..]), inner.clone())
                .prop_map(|(operator, argument)| json!({ operator: argument })),
            1 => proptest::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

fn file(rule: &Value, shared: &Value) -> String {
    json!({
        "$evaluators": {"shared": shared, "other": {"$ref": "shared"}},
        "flags": {
            "under-test": {
                "state": "ENABLED", "variants": {"on": true, "off": false, "1": 1},
                "defaultVariant": "off", "targeting": rule,
            },
            "neighbour": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"},
        },
    })
    .to_string()
}

/// Uses a set in every way there is.
pub(crate) fn exercise(set: &FlagSet, context: &Context<'_>) {
    let keys: Vec<String> = set.flags().map(|flag| flag.key().to_owned()).collect();
    for key in keys.iter().map(String::as_str).chain(["missing", ""]) {
        let resolution = set.evaluate(key, context);
        let told = set.explain(key, context);
        assert_eq!(
            told.reason, resolution.reason,
            "explaining evaluates the same"
        );
        assert_eq!(told.variant.as_deref(), resolution.variant);
        assert_eq!(told.value.as_ref(), resolution.value);
        let _ = (
            told.to_string(),
            serde_json::to_string(&told),
            serde_json::to_string(&resolution),
        );
    }
    let _ = (set.to_string(), serde_json::to_string(set));
    let _ = set
        .check("2026-01-01T00:00:00Z".parse().expect("a time"))
        .to_string();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read_without_panic(
        bytes: Vec<u8>,
        name in prop_oneof![Just("flags.json"), Just("flags.yaml")],
        dialect in prop_oneof![
            Just(None), Just(Some(Dialect::Flagd)), Just(Some(Dialect::Plain)), Just(Some(Dialect::Ufc)), Just(Some(Dialect::Unleash)),
        ],
    ) {
        let options = dialect.map(LoadOptions::from).unwrap_or_default();
        if let Ok(loaded) = FlagSet::load(name, &bytes, options) {
            exercise(&loaded.set, &Context::anonymous());
        }
    }

    #[test]
    fn arbitrary_trees_are_read_without_panic(tree in data(), under in "flags|features|name|\\$evaluators") {
        let file = json!({ under: tree }).to_string();
        for options in [LoadOptions::default(), Dialect::Flagd.into(), Dialect::Plain.into(), Dialect::Ufc.into(), Dialect::Unleash.into(),] {
            if let Ok(loaded) = FlagSet::load("flags.json", file.as_bytes(), options) {
                exercise(&loaded.set, &Context::new("me"));
            }
        }
    }

    #[test]
    fn arbitrary_rules_never_affect_their_neighbour(
        rule in rule(),
        shared in rule(),
        list in data(),
        a in data(),
        version in prop_oneof![Just(Fractional::V1), Just(Fractional::V2), Just(Fractional::V3)],
    ) {
        let attributes = [("a", a), ("list", list)];
        let options = LoadOptions::from(Dialect::Flagd).fractional(version);
        let set = FlagSet::load("flags.json", file(&rule, &shared).as_bytes(), options)
            .expect("the file is in order, whatever the rule")
            .set;
        let context = Context::new("me").with(&attributes);
        exercise(&set, &context);
        prop_assert!(set.bool("neighbour", false, &context).value);
    }

    #[test]
    fn arbitrary_plain_flags_never_affect_their_neighbour(
        fields in proptest::collection::btree_map(
            "enabled|rollout_percentage|variants|allocation|rules|match|value|type|cleanup_by",
            data(), 0..4,
        ),
        rule in proptest::collection::btree_map("attribute|operator|value|values", data(), 0..4),
    ) {
        let rule: Map<String, Value> = rule.into_iter().collect();
        let mut flag: Map<String, Value> = fields.into_iter().collect();
        flag.entry("rules").or_insert(json!([rule]));
        let file = json!({"flags": {"under-test": flag, "neighbour": true}}).to_string();
        let set = FlagSet::load("flags.json", file.as_bytes(), Dialect::Plain)
            .expect("the file is in order")
            .set;
        exercise(&set, &Context::new("me"));
        prop_assert!(set.bool("neighbour", false, &Context::anonymous()).value);
    }
}

fn evaluate(rule: &Value, context: &Context<'_>) -> Option<ErrorCode> {
    let mut limits = Limits::default();
    limits.steps_max = 100_000;
    let options = LoadOptions::from(Dialect::Flagd).limits(limits);
    let set = FlagSet::load("flags.json", file(rule, &json!(true)).as_bytes(), options)
        .expect("loads")
        .set;
    assert!(set.bool("neighbour", false, context).value);
    exercise(&set, context);
    set.evaluate("under-test", context).error_code
}

#[test]
fn work_is_bounded_by_steps() {
    let list: Vec<i64> = (0..1000).collect();
    let attributes = [("list", Value::from(list))];
    let context = Context::new("me").with(&attributes);
    let over = json!({"var": "list"});
    // A thousand to the fourth power; inside a list, `var ""` is the element.
    let mut nested = json!({"+": [1, 1]});
    for _ in 0..4 {
        nested = json!({"map": [{"merge": [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]}, nested]});
    }
    let deep = json!({"map": [over, nested]});
    let doubled =
        json!({"reduce": [over, {"merge": [{"var": "accumulator"}, {"var": "accumulator"}]}, [1]]});
    let shouted =
        json!({"reduce": [over, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "a"]});
    let stacked = json!({"reduce": [over, [{"var": "accumulator"}], 0]});
    let paired = json!({"reduce": [over, {"var": ""}, 0]});
    for rule in [deep, doubled, shouted, stacked, paired] {
        assert_eq!(
            evaluate(&rule, &context),
            Some(ErrorCode::General),
            "{rule}"
        );
    }
}

#[test]
fn nesting_is_bounded_in_rules_and_in_references() {
    let mut rule = json!(true);
    for _ in 0..90 {
        rule = json!({"!": rule});
    }
    assert_eq!(
        evaluate(&json!({"if": [rule, "on", "off"]}), &Context::anonymous()),
        None
    );
    for _ in 0..60 {
        rule = json!({"!": rule});
    }
    let context = Context::anonymous();
    assert_eq!(
        evaluate(&rule, &context),
        Some(ErrorCode::ParseError),
        "nests too deep"
    );

    let name = |n: usize| format!("e{n:04}");
    let mut evaluators: Map<String, Value> = (0..2000)
        .map(|n| (name(n), json!({"!": {"$ref": name(n + 1)}})))
        .collect();
    evaluators.insert(name(2000), json!({"var": "a"}));
    let flag = |n: usize| {
        json!({
            "state": "ENABLED", "variants": {"true": true, "false": false}, "defaultVariant": "true",
            "targeting": {"!": {"$ref": name(n)}},
        })
    };
    let file = json!({"$evaluators": evaluators, "flags": {"far": flag(0), "near": flag(1990)}});
    let set = FlagSet::load("flags.json", file.to_string().as_bytes(), Dialect::Flagd)
        .expect("loads")
        .set;
    assert_eq!(
        set.evaluate("far", &context).error_code,
        Some(ErrorCode::ParseError)
    );
    assert_eq!(
        set.evaluate("near", &context).error_code,
        None,
        "ten references are fine"
    );
}

#[test]
fn references_that_fan_out_are_bounded() {
    let mut evaluators: Map<String, Value> = (0..40)
        .map(|n| {
            let next = format!("e{:02}", n + 1);
            (
                format!("e{n:02}"),
                json!({"and": [{"$ref": next}, {"$ref": next}]}),
            )
        })
        .collect();
    evaluators.insert("e40".into(), json!(true));
    let file = json!({"$evaluators": evaluators, "flags": {
        "wide": {"state": "ENABLED", "variants": {"true": true}, "targeting": {"!!": {"$ref": "e00"}}},
        "fine": {"state": "ENABLED", "variants": {"true": true}, "targeting": {"!!": {"$ref": "e38"}}},
    }});
    let set = FlagSet::load("flags.json", file.to_string().as_bytes(), Dialect::Flagd)
        .expect("loads")
        .set;
    let context = Context::anonymous();
    assert_eq!(
        set.evaluate("wide", &context).error_code,
        Some(ErrorCode::ParseError)
    );
    assert!(set.bool("fine", false, &context).value);
}
