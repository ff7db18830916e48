//! Rules, one line each: the rule, the data, and what comes out.

use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, LoadOptions, NoDefault, Reason};
use serde_json::{Value, json};

/// What the rule evaluates to on the data, by way of its explanation.
fn result(rule: &Value, data: &Value) -> Value {
    let file = json!({"flags": {"f": {
        "state": "ENABLED", "variants": {"x": 1}, "defaultVariant": "x", "targeting": rule,
    }}});
    let set = load(&file);
    let context = Context::new("me").with(data.as_object().expect("an object"));
    let told = set.explain("f", &context);
    let rule = told.rules.first().expect("the rule was tried");
    rule.steps
        .first()
        .expect("it was evaluated")
        .result
        .clone()
        .expect("to an end")
}

fn load(file: &Value) -> FlagSet {
    FlagSet::load(
        "flags.json",
        file.to_string().as_bytes(),
        LoadOptions::default(),
    )
    .expect("loads")
    .set
}

fn check<const N: usize>(cases: [(Value, Value); N]) {
    let data = json!({
        "n": 7, "t": "seven", "empty": "", "nothing": null, "yes": true,
        "list": [3, 1, 2], "none": [], "deep": {"list": [{"x": 10}, {"x": 20}]},
    });
    for (rule, expected) in cases {
        assert_eq!(result(&rule, &data), expected, "{rule}");
    }
}

#[test]
fn data_control_and_comparison() {
    check([
        // Data.
        (json!({"var": "n"}), json!(7)),
        (json!({"var": ["missing", "instead"]}), json!("instead")),
        (json!({"var": ["nothing", "instead"]}), json!(null)),
        (json!({"var": "deep.list.1.x"}), json!(20)),
        (json!({"var": "deep.list.01.x"}), json!(null)),
        (json!({"var": {"cat": ["t"]}}), json!("seven")),
        (
            json!({"missing": ["n", "empty", "nothing", "gone"]}),
            json!(["empty", "nothing", "gone"]),
        ),
        (
            json!({"missing": {"merge": ["n", "gone"]}}),
            json!(["gone"]),
        ),
        (json!({"missing_some": [1, ["n", "gone"]]}), json!([])),
        (json!({"missing_some": [2, ["n", "gone"]]}), json!(["gone"])),
        // Control.
        (json!({"if": []}), json!(null)),
        (json!({"if": [false, 1, true, 2, 3]}), json!(2)),
        (json!({"if": [false, 1, false, 2, 3]}), json!(3)),
        (json!({"?:": [[], 1, 2]}), json!(2)),
        (json!({"and": [1, {"var": "t"}, ""]}), json!("")),
        (json!({"or": [0, null, "last", 1]}), json!("last")),
        (json!({"!": [[]]}), json!(true)),
        (json!({"!!": "0"}), json!(true)),
        // Comparison.
        (json!({"==": [{"var": "n"}, "7"]}), json!(true)),
        (json!({"===": [{"var": "n"}, "7"]}), json!(false)),
        (json!({"!=": [null, 0]}), json!(true)),
        (json!({"!==": [1, 1]}), json!(false)),
        (json!({"<": [1, {"var": "n"}, 7]}), json!(false)),
        (json!({"<=": [1, {"var": "n"}, 7]}), json!(true)),
        (json!({">": ["b", "a"]}), json!(true)),
        (json!({">=": ["b", 1]}), json!(false)),
    ]);
}

#[test]
fn numbers_lists_and_texts() {
    check([
        // Arithmetic.
        (json!({"+": ["3.14px", 1]}), json!(4.140_000_000_000_001)),
        (json!({"-": [{"var": "n"}]}), json!(-7)),
        (json!({"*": [2, "3", 4]}), json!(24)),
        (json!({"/": [1, 4]}), json!(0.25)),
        (json!({"%": [-7, 3]}), json!(-1)),
        (json!({"max": [1, "9", 3]}), json!(9)),
        (json!({"min": [true, 2]}), json!(1)),
        // Lists.
        (
            json!({"map": [{"var": "list"}, {"*": [{"var": ""}, 2]}]}),
            json!([6, 2, 4]),
        ),
        (
            json!({"filter": [{"var": "deep.list"}, {">": [{"var": "x"}, 15]}]}),
            json!([{"x": 20}]),
        ),
        (
            json!({"reduce": [{"var": "list"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}),
            json!(6),
        ),
        (json!({"all": [{"var": "none"}, true]}), json!(false)),
        (json!({"none": [{"var": "none"}, true]}), json!(true)),
        (
            json!({"some": [{"var": "list"}, {"==": [{"var": ""}, 2]}]}),
            json!(true),
        ),
        (
            json!({"merge": [1, [2, [3]], {"var": "none"}]}),
            json!([1, 2, [3]]),
        ),
        (json!({"in": [2, {"var": "list"}]}), json!(true)),
        (json!({"in": ["2", {"var": "list"}]}), json!(false)),
        (json!({"in": ["eve", {"var": "t"}]}), json!(true)),
        (
            json!({"in": ["k", ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]]}),
            json!(true),
        ),
        (
            json!({"in": ["z", ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]]}),
            json!(false),
        ),
        // Texts.
        (
            json!({"cat": [1.0, null, [2, null, "b"], {"var": "yes"}]}),
            json!("12,,btrue"),
        ),
        (json!({"substr": [{"var": "t"}, 1, -2]}), json!("ev")),
        (json!({"substr": ["añ😀b", -2, 1]}), json!("😀")),
        (json!({"starts_with": [{"var": "t"}, "se"]}), json!(true)),
        (json!({"ends_with": [{"var": "n"}, "7"]}), json!(null)),
        (json!({"sem_ver": ["v1.2", "~", "1.2.9"]}), json!(true)),
        (
            json!({"sem_ver": ["1.2.3-rc.1", "<", "1.2.3"]}),
            json!(true),
        ),
        (json!({"sem_ver": ["1.2.3.4", "=", "1.2.3"]}), json!(null)),
        (json!({"log": {"var": "t"}}), json!("seven")),
    ]);
}

#[test]
fn a_result_names_a_variant_by_its_text() {
    let file = json!({"flags": {"f": {
        "state": "ENABLED", "variants": {"true": 1, "1.5": 2, "b": 3}, "defaultVariant": "b",
        "targeting": {"var": "as"},
    }}});
    let set = load(&file);
    for (value, variant, error) in [
        (json!(true), Some("true"), None),
        (json!(1.5), Some("1.5"), None),
        (json!("b"), Some("b"), None),
        (json!(null), Some("b"), None),
        (json!("c"), None, Some(ErrorCode::General)),
        (json!(["b"]), None, Some(ErrorCode::General)),
    ] {
        let attributes = [("as", value.clone())];
        let resolution = set.evaluate("f", &Context::anonymous().with(&attributes));
        assert_eq!(
            (resolution.variant, resolution.error_code),
            (variant, error),
            "{value}"
        );
    }
}

#[test]
fn types_are_asked_for_and_not_guessed() {
    let set = load(&json!({"flags": {
        "whole": 10, "also-whole": 10.0, "half": 0.5, "text": "10", "on": true,
        "object": {"value": {"a": 1}},
    }}));
    let context = Context::anonymous();
    assert_eq!(set.i64("whole", 0, &context).value, 10);
    assert_eq!(set.i64("also-whole", 0, &context).value, 10);
    assert_eq!(set.f64("whole", 0.0, &context).value, 10.0);
    assert_eq!(
        set.json("object", &Value::Null, &context).value,
        &json!({"a": 1})
    );
    for resolution in [
        set.i64("half", 7, &context),
        set.i64("text", 7, &context),
        set.i64("on", 7, &context),
    ] {
        assert_eq!((resolution.value, resolution.variant), (7, None));
        assert_eq!(resolution.reason, Reason::Error);
        assert_eq!(resolution.error_code, Some(ErrorCode::TypeMismatch));
    }
    assert_eq!(
        set.bool("text", true, &context).error_code,
        Some(ErrorCode::TypeMismatch)
    );
    assert_eq!(
        set.str("whole", "x", &context).error_code,
        Some(ErrorCode::TypeMismatch)
    );
    let missing = set.str("missing", "x", &context);
    assert_eq!(
        (missing.value, missing.error_code),
        ("x", Some(ErrorCode::FlagNotFound))
    );
}

#[test]
fn a_flag_without_a_default_variant_gives_the_callers_or_the_older_error() {
    let file = json!({"flags": {"f": {"state": "ENABLED", "variants": {"a": 1}}}}).to_string();
    let context = Context::anonymous();
    let now = FlagSet::load("flags.json", file.as_bytes(), Dialect::Flagd)
        .expect("loads")
        .set;
    let resolution = now.i64("f", 5, &context);
    assert_eq!((resolution.value, resolution.reason), (5, Reason::Default));
    let options = LoadOptions::from(Dialect::Flagd).no_default(NoDefault::FlagNotFound);
    let then = FlagSet::load("flags.json", file.as_bytes(), options)
        .expect("loads")
        .set;
    let resolution = then.i64("f", 5, &context);
    assert_eq!(
        (resolution.value, resolution.error_code),
        (5, Some(ErrorCode::FlagNotFound))
    );
}

#[test]
fn metadata_of_the_flag_covers_that_of_the_set() {
    let set = load(&json!({
        "metadata": {"team": "shop", "version": "7"},
        "flags": {"f": {
            "state": "ENABLED", "variants": {"a": 1}, "defaultVariant": "a",
            "metadata": {"team": "checkout", "beta": true},
        }},
    }));
    let metadata = set.i64("f", 0, &Context::anonymous()).metadata;
    assert_eq!(
        serde_json::to_value(metadata).expect("serialises"),
        json!({"team": "checkout", "beta": true, "version": "7"}),
    );
    let missing = set.i64("missing", 0, &Context::anonymous()).metadata;
    assert_eq!(missing.get("team"), Some(&json!("shop")));
}

#[test]
fn resolutions_serialise_under_openfeatures_names() {
    let set = load(&json!({"flags": {"f": true}}));
    let context = Context::anonymous();
    assert_eq!(
        serde_json::to_value(set.bool("f", false, &context)).expect("serialises"),
        json!({"value": true, "variant": "on", "reason": "STATIC"}),
    );
    assert_eq!(
        serde_json::to_value(set.bool("g", false, &context)).expect("serialises"),
        json!({
            "value": false, "reason": "ERROR", "errorCode": "FLAG_NOT_FOUND",
            "errorMessage": "no flag of this key is defined",
        }),
    );
}

#[test]
fn the_environment_overrides_a_file() {
    let file = load(&json!({"flags": {
        "darkMode": {"enabled": false, "owner": "web-team"},
        "new_checkout": {"rollout_percentage": 5},
        "limit": 10,
    }}));
    let pairs = [
        ("FEATURE_DARK_MODE", "True"),
        ("FEATURE_NEW_CHECKOUT", " false "),
        ("FEATURE_LIMIT", "25"),
        ("FEATURE_MOTD", "hello"),
        ("FEATURE_", "true"),
        ("PATH", "/bin"),
    ];
    let environment = FlagSet::from_environment(pairs);
    assert!(environment.findings.is_empty());
    let set = file.overridden_by(environment.set);
    let context = Context::anonymous();
    assert_eq!(set.len(), 4);
    assert!(set.bool("darkMode", false, &context).value);
    assert_eq!(
        set.get("darkMode").and_then(|flag| flag.owner()),
        Some("web-team")
    );
    assert!(!set.bool("new_checkout", true, &context).value);
    assert_eq!(set.i64("limit", 0, &context).value, 25);
    assert_eq!(set.str("motd", "", &context).value, "hello");
    let odd = FlagSet::from_environment([("FEATURE_X", "on")]);
    assert_eq!(
        odd.findings.len(),
        1,
        "on is a text here, and that is pointed out"
    );
}

#[test]
fn the_compiled_form_is_data() {
    let set = load(&json!({
        "$evaluators": {"adult": {">=": [{"var": "age"}, 18]}},
        "flags": {"f": {
            "state": "ENABLED", "variants": {"a": 1, "b": 2}, "defaultVariant": "b",
            "targeting": {"if": [{"$ref": "adult"}, {"fractional": [["a", 1], ["b", 3]]}]},
        }},
    }));
    let compiled = serde_json::to_value(&set).expect("serialises");
    assert_eq!(
        compiled["segments"]["adult"],
        json!({">=": [{"var": "age"}, {"const": 18}]})
    );
    assert_eq!(
        compiled["flags"]["f"]["rules"][0]["serve"],
        json!({"if": [
            {"segment": "adult"},
            {"split": {
                "hash": "flagd-v2",
                "by": "flag-key-and-targeting-key",
                "arms": [[{"variant": "a"}, 1], [{"variant": "b"}, 3]],
            }},
        ]})
    );
    fn shared_between_threads<T: Send + Sync>(_: &T) {}
    shared_between_threads(&set);
}
