//! Who has a feature at one stage has it at the next.

use super::{FILES, File, is_on, load, made, plan};
use nonevent_flags::{Context, Dialect, Fractional, StagePlan, Value};
use proptest::prelude::*;

/// Shares that the files have already, in either order and with units and keys of their own.
const STARTED: [File; 7] = [
    File {
        name: "flags.json",
        text: r#"{"flags": {"feature": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [{"cat": [{"var": "targetingKey"}, "salt"]}, ["off", 999], ["on", 1]]}}}}"#,
        dialect: Dialect::Flagd,
    },
    File {
        name: "flags.json",
        text: r#"{"flags": {"feature": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", {"fractional": [["on", 1], ["off", 99]]}]}}}}"#,
        dialect: Dialect::Flagd,
    },
    File {
        name: "flags.yaml",
        text: "flags:\n  feature: {rollout_percentage: 1, always: [{attribute: plan, operator: eq, value: pro}]}\n",
        dialect: Dialect::Plain,
    },
    File {
        name: "flags.json",
        text: r#"{"features": [{"name": "feature", "enabled": true, "strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "1", "stickiness": "default", "groupId": "g"}}]}]}"#,
        dialect: Dialect::Unleash,
    },
    File {
        name: "flags.json",
        text: r#"{"flags": {"feature": {"enabled": true, "variationType": "BOOLEAN", "variations": {"on": {"value": true}, "off": {"value": false}}, "allocations": [{"key": "some", "splits": [{"variationKey": "on", "shards": [{"salt": "x", "totalShards": 1000, "ranges": [{"start": 0, "end": 10}]}]}]}]}}}"#,
        dialect: Dialect::Ufc,
    },
    File {
        name: "flags.json",
        text: r#"{"flags": {"feature": {"on": true, "variations": [true, false], "offVariation": 1, "salt": "s", "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": 1000}, {"variation": 1, "weight": 99000}]}}}}}"#,
        dialect: Dialect::LaunchDarkly,
    },
    File {
        name: "features.json",
        text: r#"{"features": {"feature": {"defaultValue": false, "rules": [{"condition": {"plan": "pro"}, "force": true}, {"id": "share", "coverage": 0.01, "force": true, "hashVersion": 2, "seed": "s"}]}}}"#,
        dialect: Dialect::GrowthBook,
    },
];

fn grows(
    file: &File,
    plan: &StagePlan,
    version: Fractional,
    keys: &[String],
) -> Result<(), TestCaseError> {
    let attributes = [("plan", Value::from("pro"))];
    let made = made(file, plan);
    let mut had: Vec<bool> = vec![false; keys.len() * 2];
    for staged in &made.stages {
        let set = load(file, staged, version);
        let contexts = keys
            .iter()
            .flat_map(|key| [Context::new(key), Context::new(key).with(&attributes)]);
        for (at, context) in contexts.enumerate() {
            let has = is_on(&set, &context);
            prop_assert!(
                has || !had[at],
                "{context:?} lost it at {} of\n{}",
                staged.stage,
                staged.text
            );
            had[at] = has;
        }
    }
    prop_assert!(had.iter().all(|had| *had), "all have it in the end");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_loses_a_feature_on_the_way(
        percents in proptest::collection::btree_set(1_u8..100, 0..5),
        version in prop_oneof![Just(Fractional::V1), Just(Fractional::V2), Just(Fractional::V3)],
        keys in proptest::collection::vec(".{1,12}", 24),
    ) {
        let percents: Vec<u8> = percents.into_iter().chain([100]).collect();
        for file in &FILES {
            grows(file, &plan().percents(percents.clone()), version, &keys)?;
        }
        for file in &STARTED {
            grows(file, &StagePlan::default().percents(percents.clone()), version, &keys)?;
        }
    }
}

#[test]
fn what_subjects_are_hashed_by_stays() {
    let texts: Vec<String> = STARTED
        .iter()
        .map(|file| {
            made(file, &StagePlan::default().percents([50]))
                .stages
                .pop()
                .map_or(String::new(), |it| it.text)
        })
        .collect();
    for (text, part) in texts.iter().zip([
        r#"{"cat": [{"var": "targetingKey"}, "salt"]}, ["off", 50], ["on", 50]"#,
        r#"[{"==": [{"var": "plan"}, "pro"]}, "on", {"fractional": [["on", 50], ["off", 50]]}]"#,
        "{rollout_percentage: 50, always: [{attribute: plan",
        r#"{"rollout": "50", "stickiness": "default", "groupId": "g"}"#,
        r#"{"salt": "x", "totalShards": 1000, "ranges": [{"start": 0, "end": 500}]}"#,
        r#"[{"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]"#,
    ]) {
        assert!(text.contains(part), "{text}");
    }
}
