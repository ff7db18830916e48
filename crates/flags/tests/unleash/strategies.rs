//! Activation strategies, and that their rollouts only grow.

use crate::{feature, is_on};
use nonevent_flags::{Context, Murmur3};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

#[test]
fn strategies() {
    let strategy = |name: &str, parameters: Json| {
        feature(&json!({"strategies": [{"name": name, "parameters": parameters}]}))
    };
    assert!(
        is_on(&feature(&json!({})), &json!({})),
        "no strategy is for everyone"
    );
    assert!(is_on(&strategy("default", json!({})), &json!({})));
    assert!(!is_on(&strategy("moonPhase", json!({})), &json!({})));
    let ids = strategy("userWithId", json!({"userIds": "ada, bob ,,eve"}));
    assert!(is_on(&ids, &json!({"userId": "bob"})));
    assert!(is_on(&ids, &json!({"targetingKey": "eve"})));
    assert!(!is_on(&ids, &json!({"userId": "bo"})));
    assert!(!is_on(&ids, &json!({})));
    let ips = strategy(
        "remoteAddress",
        json!({"IPs": "10.1.1.1, 192.168.0.0/16, nonsense"}),
    );
    assert!(is_on(&ips, &json!({"remoteAddress": "192.168.7.7"})));
    assert!(!is_on(&ips, &json!({"remoteAddress": "10.1.1.2"})));
    let hosts = strategy(
        "applicationHostname",
        json!({"hostNames": "web-1.shop, WEB-2"}),
    );
    assert!(is_on(&hosts, &json!({"hostname": "web-2"})));
    assert!(!is_on(&hosts, &json!({"hostname": "web-1xshop"})));
    assert!(!is_on(&hosts, &json!({"hostname": "web-22"})));
}

/// As Unleash documents it: murmur3 of group and key, modulo 100, from 1.
pub(crate) fn place(group: &str, key: &str) -> u32 {
    Murmur3::of(0, format!("{group}:{key}").as_bytes()) % 100 + 1
}

#[test]
fn rollouts_reach_the_places_up_to_their_percentage() {
    let rollout = |name: &str, parameters: Json| {
        feature(&json!({"strategies": [{"name": name, "parameters": parameters}]}))
    };
    for key in ["1", "ada", "ünïcode", ""] {
        let here = place("group", key);
        for (percentage, expected) in [(here - 1, false), (here, true)] {
            let text = percentage.to_string();
            let flexible = rollout(
                "flexibleRollout",
                json!({"rollout": text, "groupId": "group", "stickiness": "default"}),
            );
            assert_eq!(is_on(&flexible, &json!({"userId": key})), expected, "{key}");
            assert_eq!(
                is_on(&flexible, &json!({"sessionId": key})),
                expected,
                "{key}"
            );
            assert_eq!(
                is_on(&flexible, &json!({"userId": key, "sessionId": "other"})),
                expected
            );
            let custom = rollout(
                "flexibleRollout",
                json!({"rollout": percentage, "groupId": "group", "stickiness": "tenant"}),
            );
            assert_eq!(
                is_on(&custom, &json!({"properties": {"tenant": key}})),
                expected,
                "{key}"
            );
            assert!(
                !is_on(&custom, &json!({"userId": key})),
                "without its key, nobody"
            );
            let user = rollout(
                "gradualRolloutUserId",
                json!({"percentage": text, "groupId": "group"}),
            );
            assert_eq!(is_on(&user, &json!({"userId": key})), expected, "{key}");
            assert!(!is_on(&user, &json!({"sessionId": key})));
            let session = rollout(
                "gradualRolloutSessionId",
                json!({"percentage": text, "groupId": "group"}),
            );
            assert_eq!(
                is_on(&session, &json!({"sessionId": key})),
                expected,
                "{key}"
            );
        }
        let own_name = rollout(
            "flexibleRollout",
            json!({"rollout": place("feature", key).to_string()}),
        );
        assert!(
            is_on(&own_name, &json!({"userId": key})),
            "the group is the feature by default"
        );
    }
}

#[test]
fn lots_are_the_callers() {
    let half = feature(
        &json!({"strategies": [{"name": "gradualRolloutRandom", "parameters": {"percentage": "50"}}]}),
    );
    let on = |lot: u64| {
        half.bool("feature", false, &Context::new("me").drawing(lot))
            .value
    };
    let reached = (0..1000).filter(|lot| on(*lot)).count();
    assert!((420..580).contains(&reached), "{reached} of 1000");
    assert!(
        !half.bool("feature", false, &Context::new("me")).value,
        "no lot, no luck"
    );
    let all = feature(
        &json!({"strategies": [{"name": "gradualRolloutRandom", "parameters": {"percentage": "100"}}]}),
    );
    assert!(all.bool("feature", false, &Context::anonymous()).value);
    let none = feature(
        &json!({"strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "0", "stickiness": "random"}}]}),
    );
    assert!((0..100).all(|lot| {
        !none
            .bool("feature", false, &Context::anonymous().drawing(lot))
            .value
    }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Raising the percentage of any rollout takes the feature from nobody, with or without a key.
    #[test]
    fn raising_a_percentage_only_adds(
        low in 0_u32..=100,
        high in 0_u32..=100,
        strategy in prop_oneof![Just("flexibleRollout"), Just("gradualRolloutUserId"), Just("gradualRolloutSessionId"), Just("gradualRolloutRandom")],
        stickiness in prop_oneof![Just("default"), Just("random"), Just("tenant")],
        keys in proptest::collection::vec(".{0,12}", 32),
        lot: u64,
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let at = |percentage: u32| feature(&json!({"strategies": [{"name": strategy, "parameters": {
            "rollout": percentage.to_string(), "percentage": percentage.to_string(), "groupId": "g", "stickiness": stickiness,
        }}]}));
        let (before, after) = (at(low), at(high));
        for (n, key) in keys.iter().enumerate() {
            let name = ["userId", "sessionId", "tenant", "other"][n % 4];
            let fields: Map<String, Json> = [(name.to_owned(), Json::from(key.as_str()))].into_iter().collect();
            let context = Context::anonymous().with(&fields).drawing(lot);
            let had = before.bool("feature", false, &context).value;
            prop_assert!(!had || after.bool("feature", false, &context).value);
        }
    }
}
