//! Experiments: who is in them, and what is remembered of it.

use crate::{load, map};
use nonevent_flags::{Context, Exposed, FlagSet};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn expose<'f>(flags: &'f FlagSet, key: &str, attributes: &Json) -> Exposed<'f> {
    let attributes = map(attributes);
    flags.evaluate_exposing(key, &Context::anonymous().with(&attributes))
}

fn one(rule: &Json) -> FlagSet {
    load(&json!({"features": {"f": {"defaultValue": "none", "rules": [rule]}}}))
}

#[test]
fn a_holdout_lets_the_others_pass_to_the_next_rule() {
    let flags = load(&json!({"features": {"f": {"rules": [
        {"key": "holdout", "variations": ["held", null], "weights": [0.1, 0.9], "meta": [{}, {"key": "rest", "passthrough": true}]},
        {"key": "test", "variations": ["a", "b"]},
    ]}}}));
    let mut held = 0;
    for n in 0..500 {
        let exposed = expose(&flags, "f", &json!({"id": n + 1}));
        let keys: Vec<&str> = exposed.exposures.iter().map(|it| &*it.experiment).collect();
        if exposed.resolution.value == Some(&json!("held")) {
            assert_eq!(keys, ["holdout"]);
            held += 1;
        } else {
            assert_eq!(keys, ["holdout", "test"]);
            assert!(exposed.exposures[0].passes && exposed.exposures[0].variation_key == "rest");
        }
    }
    assert!((20..90).contains(&held), "{held} of 500");
}

#[test]
fn what_is_remembered_stays_when_weights_and_targeting_change() {
    let rule = |weights: [f64; 2], country: &str| {
        one(&json!({
            "key": "e", "variations": ["a", "b"], "weights": weights, "meta": [{"key": "x"}, {"key": "y"}],
            "condition": {"country": country},
        }))
    };
    let first = rule([1.0, 0.0], "se");
    let exposed = expose(
        &first,
        "f",
        &json!({"id": 7, "country": "se", "__gb": {"stickyBuckets": {}}}),
    );
    let sticky = exposed.exposures[0]
        .sticky
        .clone()
        .expect("something to remember");
    let name = format!("{}||{}", sticky.attribute_name, sticky.attribute_value);
    assert_eq!(
        (&*name, &*sticky.experiment, &*sticky.variation),
        ("id||7", "e__0", "x")
    );
    let remembered = json!({"id||7": {"assignments": {"e__0": "x"}}});
    let later = rule([0.0, 1.0], "no");
    let attributes = json!({"id": 7, "country": "se", "__gb": {"stickyBuckets": remembered}});
    let exposed = expose(&later, "f", &attributes);
    assert_eq!(exposed.resolution.value, Some(&json!("a")));
    assert!(exposed.exposures[0].is_sticky);
    let forgotten = expose(&later, "f", &json!({"id": 7, "country": "se"}));
    assert_eq!(forgotten.resolution.value, Some(&json!("none")));
}

#[test]
fn the_rule_that_decides_is_told_by_its_name() {
    for (rule, name) in [
        (json!({"id": "all", "force": 1}), Some("all")),
        (json!({"force": 1}), None),
        (
            json!({"id": "some", "condition": {"id": 7}, "force": 1}),
            Some("some"),
        ),
        (json!({"id": "test", "variations": [1, 2]}), Some("test")),
        (
            json!({"id": "others", "condition": {"id": 8}, "force": 1}),
            None,
        ),
    ] {
        let flags = one(&rule);
        let exposed = expose(&flags, "f", &json!({"id": 7}));
        assert_eq!(exposed.rule.as_deref(), name, "{rule}");
    }
}

#[test]
fn developers_switches() {
    let flags = one(
        &json!({"key": "e", "variations": ["a", "b"], "weights": [1, 0], "fallbackAttribute": "device"}),
    );
    for (attributes, expected) in [
        (json!({"id": 1}), "a"),
        (
            json!({"id": 1, "__gb": {"forcedVariations": {"e": 1}}}),
            "b",
        ),
        (json!({"__gb": {"forcedVariations": {"e": 1}}}), "b"),
        (
            json!({"id": 1, "__gb": {"forcedVariations": {"e": 2}}}),
            "none",
        ),
        (
            json!({"id": 1, "__gb": {"forcedVariations": {"e": -1}}}),
            "none",
        ),
        (
            json!({"id": 1, "__gb": {"enabled": false, "forcedVariations": {"e": 1}}}),
            "none",
        ),
        (json!({"id": 1, "__gb": {"qaMode": true}}), "none"),
        (json!({"id": 1, "url": "https://shop.example/?e=1"}), "b"),
        (json!({"id": 1, "url": "https://shop.example/?e=2"}), "a"),
        (json!({"id": true}), "none"),
        (json!({"id": 0}), "none"),
        (json!({"device": "d"}), "none"),
        (json!({"device": "d", "__gb": {"stickyBuckets": {}}}), "a"),
    ] {
        let exposed = expose(&flags, "f", &attributes);
        assert_eq!(
            exposed.resolution.value,
            Some(&json!(expected)),
            "{attributes}"
        );
    }
}

#[test]
fn states_of_an_experiment() {
    for (state, expected) in [
        (json!({"active": false}), "none"),
        (json!({"status": "draft"}), "none"),
        (json!({"status": "stopped"}), "none"),
        (json!({"status": "running"}), "a"),
        (json!({"coverage": 0}), "none"),
        (json!({"hashVersion": 3}), "none"),
        (json!({"variations": ["a"]}), "none"),
        (json!({"namespace": ["n", 0, 0]}), "none"),
        (json!({"namespace": ["n"]}), "none"),
        (
            json!({"filters": [{"seed": "s", "ranges": [[0, 1]]}], "namespace": ["n", 0, 0]}),
            "a",
        ),
        (json!({"weights": [0.2]}), "a"),
    ] {
        let mut rule = json!({"key": "e", "variations": ["a", "a"]});
        rule.as_object_mut().expect("a map").extend(map(&state));
        let flags = one(&rule);
        let exposed = expose(&flags, "f", &json!({"id": "someone"}));
        assert_eq!(exposed.resolution.value, Some(&json!(expected)), "{state}");
    }
}

#[test]
fn experiments_of_the_page_are_flags_of_their_own() {
    let flags = load(&json!({"experiments": [{
        "key": "home", "variations": [{}, {"urlRedirect": "/new"}], "weights": [0, 1],
        "urlPatterns": [
            {"type": "simple", "include": true, "pattern": "https://shop.example/*"},
            {"type": "regex", "include": false, "pattern": "/admin(/|$)"},
        ],
    }]}));
    for (url, expected) in [
        ("https://shop.example/", json!({"urlRedirect": "/new"})),
        ("https://shop.example/admin", json!({})),
        ("https://other.example/", json!({})),
    ] {
        let exposed = expose(&flags, "home", &json!({"id": "u", "url": url}));
        assert_eq!(exposed.resolution.value, Some(&expected), "{url}");
        assert_eq!(exposed.exposures.len(), usize::from(expected != json!({})));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn raising_coverage_never_takes_a_variation_from_anyone(
        low in 0.0..=1.0_f64,
        high in 0.0..=1.0_f64,
        weight in 0.0..=1.0_f64,
        version in 1..=2,
        keys in proptest::collection::vec(".{1,8}", 32),
    ) {
        let rule = |coverage: f64| one(&json!({
            "key": "e", "variations": ["a", "b"], "weights": [weight, 1.0 - weight],
            "coverage": coverage, "hashVersion": version,
        }));
        let (before, after) = (rule(low.min(high)), rule(low.max(high)));
        for key in &keys {
            let attributes = json!({"id": key});
            let had = expose(&before, "f", &attributes).resolution.value.cloned();
            let has = expose(&after, "f", &attributes).resolution.value.cloned();
            prop_assert!(had == Some(json!("none")) || had == has, "{key:?}: {had:?}, then {has:?}");
        }
    }

    #[test]
    fn raising_the_share_of_a_forced_value_only_adds(
        low in 0.0..=1.0_f64,
        high in 0.0..=1.0_f64,
        version in 1..=2,
        keys in proptest::collection::vec(".{1,8}", 32),
    ) {
        let rule = |coverage: f64| one(&json!({"force": "on", "coverage": coverage, "hashVersion": version}));
        let (before, after) = (rule(low.min(high)), rule(low.max(high)));
        for key in &keys {
            let has = |flags: &FlagSet| {
                expose(flags, "f", &json!({"id": key})).resolution.value == Some(&json!("on"))
            };
            prop_assert!(!has(&before) || has(&after), "{key:?}");
        }
    }
}
