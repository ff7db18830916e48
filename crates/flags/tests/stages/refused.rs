//! What cannot be staged is refused, with what, where and what to do.

use nonevent_flags::{Dialect, Internal, LoadOptions, Stage, StagePlan, stage, stages};

fn refused(dialect: Dialect, text: &str, plan: &StagePlan, at: Stage) -> String {
    let name = if text.starts_with('{') {
        "flags.json"
    } else {
        "flags.yaml"
    };
    match stage(name, text.as_bytes(), dialect, "feature", plan, at) {
        Err(findings) => findings.to_string(),
        Ok(staged) => unreachable!("{}", staged.text),
    }
}

#[test]
fn rules_that_are_no_stage_are_not_taken_away() {
    let flagd = |targeting: &str| {
        format!(
            r#"{{"flags": {{"feature": {{"state": "ENABLED", "variants": {{"on": true, "off": false, "c": true}}, "defaultVariant": "off", "targeting": {targeting}}}}}}}"#
        )
    };
    let wrong = "rules that are no stage of a release";
    for targeting in [
        r#"{"if": [{"var": "a"}, "c", "off"]}"#,
        r#"{"if": [{"var": "a"}, "on", {"var": "b"}, "on", "off"]}"#,
        r#"{"if": [{"var": "a"}, "on", {"fractional": [["on", 1], ["c", 1], ["off", 1]]}]}"#,
        r#"{"fractional": [["on", 1], ["c", 1]]}"#,
        r#"{"var": "x"}"#,
    ] {
        let said = refused(
            Dialect::Flagd,
            &flagd(targeting),
            &StagePlan::default(),
            Stage::Percent(5),
        );
        assert!(
            said.starts_with("error[NE4028] flags.feature.targeting 1:") && said.contains(wrong),
            "{said}"
        );
    }
    let others = [
        (
            Dialect::Plain,
            r#"{"flags": {"feature": {"rules": [{"attribute": "a", "operator": "exists"}]}}}"#,
        ),
        (
            Dialect::Plain,
            r#"{"flags": {"feature": {"variants": ["a", "b"]}}}"#,
        ),
        (
            Dialect::Unleash,
            r#"{"features": [{"name": "feature", "enabled": true, "strategies": [{"name": "gradualRolloutRandom", "parameters": {"percentage": "5"}}]}]}"#,
        ),
        (
            Dialect::Ufc,
            r#"{"flags": {"feature": {"enabled": true, "variationType": "BOOLEAN", "variations": {"on": {"value": true}}, "allocations": [{"key": "a", "endAt": "2027-01-01T00:00:00Z", "splits": [{"variationKey": "on", "shards": []}]}]}}}"#,
        ),
        (
            Dialect::LaunchDarkly,
            r#"{"flags": {"feature": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "targets": [{"variation": 1, "values": ["a"]}]}}}"#,
        ),
    ];
    for (dialect, text) in others {
        let said = refused(dialect, text, &StagePlan::default(), Stage::Percent(5));
        assert!(said.contains(wrong), "{said}");
        // The kill switch works whatever the rules are.
        assert!(
            stage(
                "flags.json",
                text.as_bytes(),
                dialect,
                "feature",
                &StagePlan::default(),
                Stage::Off
            )
            .is_ok()
        );
    }
}

#[test]
fn what_is_not_known_is_asked_for() {
    let plan = StagePlan::default;
    let text = "flags: {feature: {state: ENABLED, variants: {a: 1, b: 2, c: 3}, defaultVariant: c}, more: 7}\n";
    let cases = [
        (
            text,
            plan(),
            Stage::Percent(5),
            "which variant is released cannot be told",
        ),
        (
            text,
            plan().on("d"),
            Stage::Percent(5),
            "there is no variant \"d\"",
        ),
        (
            text,
            plan().on("c"),
            Stage::Percent(5),
            "what everybody else gets cannot be told",
        ),
        (
            text,
            plan().on("a"),
            Stage::Internal,
            "nobody is said to come first",
        ),
        (
            "flags: {feature: {state: X, variants: {}}}\n",
            plan(),
            Stage::Off,
            "the flag is wrong as it is",
        ),
        (
            "flags: {other: {state: ENABLED, variants: {}}}\n",
            plan(),
            Stage::Off,
            "there is no flag \"feature\"",
        ),
        (
            "flags: &x {feature: {state: ENABLED, variants: {}}}\nmore: *x\n",
            plan(),
            Stage::Off,
            "shared through an anchor",
        ),
    ];
    for (text, plan, at, wanted) in cases {
        let said = refused(Dialect::Flagd, text, &plan, at);
        assert!(said.contains(wanted), "{said}");
    }
    let said = refused(Dialect::Plain, "flags: {feature: 7}\n", &plan(), Stage::Off);
    assert!(said.contains("neither on nor off"), "{said}");
    let others =
        "flags: {feature: {rollout_percentage: 5, always: [{attribute: a, operator: exists}]}}\n";
    let first = plan().internal(Internal::one_of("group", ["staff"]));
    let said = refused(Dialect::Plain, others, &first, Stage::Percent(25));
    assert!(said.contains("others come first"), "{said}");
    for percents in [vec![5, 5], vec![0], vec![50, 25], vec![101]] {
        let found = stages(
            "f.yaml",
            b"flags: {feature: true}",
            LoadOptions::default(),
            "feature",
            &plan().percents(percents),
        );
        assert!(found.is_err());
    }
}

#[test]
fn stages_and_internal_people_are_read() {
    for (text, stage) in [
        ("off", Stage::Off),
        ("internal", Stage::Internal),
        ("5", Stage::Percent(5)),
        ("100%", Stage::Percent(100)),
    ] {
        assert_eq!(text.parse(), Ok(stage));
        assert_eq!(stage.to_string().parse(), Ok(stage));
    }
    for text in ["", "0", "101", "5.5", "-1", "on", "5 %"] {
        assert!(text.parse::<Stage>().is_err(), "{text}");
    }
    for text in ["group=staff,qa", "email=*@a.example,*@b.example", "a.b=1"] {
        let internal: Internal = text.parse().unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(internal.to_string(), text);
    }
    for text in [
        "",
        "group",
        "=a",
        "group=",
        "group=a,",
        "email=*@a,b",
        "email=*",
    ] {
        assert!(text.parse::<Internal>().is_err(), "{text}");
    }
}
