//! Unleash's features.

mod constraints;
mod strategies;
mod variants;

use nonevent_flags::{Context, Dialect, FlagSet, LoadOptions, Reason};
use serde_json::{Value as Json, json};
use strategies::place;

fn load(file: &Json) -> FlagSet {
    FlagSet::load(
        "unleash.json",
        file.to_string().as_bytes(),
        Dialect::Unleash,
    )
    .expect("loads")
    .set
}

/// One enabled feature with these further fields.
pub(crate) fn feature(fields: &Json) -> FlagSet {
    let mut feature = json!({"name": "feature", "enabled": true});
    let fields = fields.as_object().cloned().expect("an object");
    feature.as_object_mut().expect("an object").extend(fields);
    load(&json!({"features": [feature]}))
}

pub(crate) fn is_on(set: &FlagSet, context: &Json) -> bool {
    let fields = context.as_object().expect("an object");
    let got = set.bool("feature", false, &Context::anonymous().with(fields));
    assert_eq!(got.error_code, None);
    got.value
}

pub(crate) fn variant<'s>(set: &'s FlagSet, context: &Json) -> Option<&'s str> {
    let fields = context.as_object().expect("an object");
    set.evaluate("feature", &Context::anonymous().with(fields))
        .variant
}

#[test]
fn segments_are_shared_constraints() {
    let set = load(&json!({
        "segments": [
            {"id": 1, "constraints": [{"contextName": "plan", "operator": "IN", "values": ["pro"]}]},
            {"id": 2, "constraints": [{"contextName": "country", "operator": "IN", "values": ["de"]}]},
        ],
        "features": [{"name": "feature", "enabled": true, "strategies": [{"name": "default", "segments": [1, 2]}]}],
    }));
    assert!(is_on(&set, &json!({"plan": "pro", "country": "de"})));
    assert!(!is_on(&set, &json!({"plan": "pro", "country": "fr"})));
    assert!(set.to_string().contains("segment-2"));
}

fn family(parent: &Json, dependency: &Json) -> FlagSet {
    load(&json!({"features": [
        parent,
        {"name": "feature", "enabled": true, "dependencies": [dependency], "strategies": [{"name": "default"}]},
    ]}))
}

#[test]
fn dependent_features_need_their_parents_as_they_say() {
    let on = json!({"name": "parent", "enabled": true, "strategies": []});
    let off = json!({"name": "parent", "enabled": false, "strategies": []});
    let with = json!({"name": "parent", "enabled": true, "strategies": [], "variants": [{"name": "blue", "weight": 1}]});
    let needs = |rest: Json| {
        let mut needs = json!({"feature": "parent"});
        needs
            .as_object_mut()
            .expect("an object")
            .extend(rest.as_object().cloned().expect("an object"));
        needs
    };
    for (parent, dependency, expected) in [
        (&on, needs(json!({})), true),
        (&off, needs(json!({})), false),
        (&on, needs(json!({"enabled": false})), false),
        (&off, needs(json!({"enabled": false})), true),
        (&with, needs(json!({"variants": ["blue", "red"]})), true),
        (&with, needs(json!({"variants": ["red"]})), false),
        (&with, needs(json!({"variants": []})), true),
        (&off, needs(json!({"variants": ["disabled"]})), false),
        (
            &off,
            needs(json!({"enabled": false, "variants": ["red"]})),
            true,
        ),
        (&on, needs(json!({"variants": ["disabled"]})), true),
        (&on, json!({"feature": "gone"}), false),
        (&on, json!({"feature": "gone", "enabled": false}), false),
    ] {
        let set = family(parent, &dependency);
        assert_eq!(is_on(&set, &json!({})), expected, "{parent} {dependency}");
    }
}

#[test]
fn parents_see_the_same_context_under_their_own_name() {
    let parent = json!({"name": "parent", "enabled": true, "strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "50"}}]});
    let set = family(&parent, &json!({"feature": "parent"}));
    for n in 0..100 {
        let key = n.to_string();
        assert_eq!(
            is_on(&set, &json!({"userId": key})),
            place("parent", &key) <= 50,
            "{key}"
        );
    }
}

#[test]
fn nothing_may_depend_on_what_depends() {
    let set = load(&json!({"features": [
        {"name": "top", "enabled": true, "strategies": []},
        {"name": "middle", "enabled": true, "dependencies": [{"feature": "top"}], "strategies": []},
        {"name": "feature", "enabled": true, "dependencies": [{"feature": "middle"}], "strategies": []},
        {"name": "itself", "enabled": true, "dependencies": [{"feature": "itself"}], "strategies": []},
    ]}));
    let me = Context::new("me");
    assert!(set.bool("middle", false, &me).value);
    assert!(!set.bool("feature", false, &me).value);
    assert!(!set.bool("itself", false, &me).value);
}

#[test]
fn an_override_of_a_parent_counts_for_its_children() {
    let set = family(
        &json!({"name": "parent", "enabled": true, "strategies": []}),
        &json!({"feature": "parent"}),
    );
    let over = FlagSet::from_environment([("FEATURE_PARENT", "false")]).set;
    assert!(!is_on(&set.overridden_by(over), &json!({})));
}

#[test]
fn reasons() {
    let me = Context::new("me");
    for (fields, reason) in [
        (json!({"strategies": []}), Reason::Static),
        (json!({"strategies": [{"name": "default"}]}), Reason::Static),
        (
            json!({"strategies": [{"name": "userWithId", "parameters": {"userIds": "me"}}]}),
            Reason::TargetingMatch,
        ),
        (
            json!({"strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "100"}}]}),
            Reason::Static,
        ),
        (
            json!({"strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "0"}}]}),
            Reason::Default,
        ),
        (
            json!({"strategies": [], "variants": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]}),
            Reason::Split,
        ),
        (json!({"enabled": false}), Reason::Disabled),
    ] {
        assert_eq!(
            feature(&fields).bool("feature", false, &me).reason,
            reason,
            "{fields}"
        );
    }
}

#[test]
fn names_are_any_text() {
    let set =
        load(&json!({"features": [{"name": "Фича-ü-😀", "enabled": true, "strategies": []}]}));
    assert!(set.bool("Фича-ü-😀", false, &Context::anonymous()).value);
}

#[test]
fn an_event_that_is_not_known_refuses_the_file() {
    let file = json!({"events": [{"eventId": 1, "type": "feature-frozen", "feature": {}}]});
    let refused = FlagSet::load(
        "events.json",
        file.to_string().as_bytes(),
        LoadOptions::default(),
    );
    assert!(refused.is_err_and(|findings| findings.to_string().contains("events[0]")));
}
