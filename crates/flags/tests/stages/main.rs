//! The stages of a release: what each file says, for whom the flag then is on, and what stays.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

mod growth;
mod others;
mod refused;

use nonevent_flags::{
    Context, Dialect, FlagSet, Fractional, Internal, LoadOptions, Stage, StagePlan, Staged, Stages,
    Value, stage, stages,
};

/// A file before its release, and how it is read.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) dialect: Dialect,
}

pub(crate) const FLAGD_YAML: File = File {
    name: "flags.yaml",
    text: "# ours\nflags:\n  other: {state: ENABLED, variants: {a: 1}, defaultVariant: a}\n  feature:   # the new one\n    state: 'DISABLED'\n    variants:\n      on: true   # new\n      off: false\n    defaultVariant: off   # old\n    metadata:\n      owner: checkout   # who\n",
    dialect: Dialect::Flagd,
};

pub(crate) const FILES: [File; 10] = [
    FLAGD_YAML,
    File {
        name: "flags.json",
        text: "{\"flags\": {\n\t\"feature\": {\n\t\t\"state\":\"ENABLED\",\n\t\t\"variants\": {\"new\": \"n\", \"old\": \"o\"},\n\t\t\"defaultVariant\": \"old\",\n\t\t\"targeting\": {}\n\t}\n}}\n",
        dialect: Dialect::Flagd,
    },
    File {
        name: "flags.yaml",
        text: "\u{feff}flags:\r\n  - key: feature\r\n    state: ENABLED\r\n    variants: {on: true, off: false}\r\n    defaultVariant: \"on\"\r\n",
        dialect: Dialect::Flagd,
    },
    File {
        name: "flags.yaml",
        text: "flags:\n  other: 7 # kept\n  feature: false # kept as well\n",
        dialect: Dialect::Plain,
    },
    File {
        name: "flags.yaml",
        text: "- name: other\n  enabled: true\n- name: feature\n  enabled: false\n  owner: 'us' # who\n",
        dialect: Dialect::Plain,
    },
    File {
        name: "flags.json",
        text: "{\"features\": [{\"name\": \"other\", \"enabled\": true}, {\"name\": \"feature\", \"enabled\": false,\n  \"strategies\": [{\"name\": \"default\"}]}]}",
        dialect: Dialect::Unleash,
    },
    File {
        name: "flags.json",
        text: "{\"format\": \"SERVER\", \"flags\": {\"feature\": {\"enabled\": false, \"variationType\": \"BOOLEAN\",\n \"variations\": {\"yes\": {\"key\": \"yes\", \"value\": true}, \"no\": {\"key\": \"no\", \"value\": false}},\n \"allocations\": [{\"key\": \"all\", \"splits\": [{\"variationKey\": \"no\", \"shards\": []}]}]}}}",
        dialect: Dialect::Ufc,
    },
    File {
        name: "flags.json",
        text: "{\"flags\": {\"feature\": {\"enabled\": true, \"variationType\": \"BOOLEAN\", \"totalShards\": 100,\n \"variations\": {\"yes\": {\"key\": \"yes\", \"value\": true}},\n \"allocations\": []}}}",
        dialect: Dialect::Ufc,
    },
    File {
        name: "flags.json",
        text: "{\"flags\": {\"feature\": {\"on\": false, \"variations\": [true, false], \"offVariation\": 1,\n \"fallthrough\": {\"variation\": 0}, \"salt\": \"s\", \"rules\": []}}}",
        dialect: Dialect::LaunchDarkly,
    },
    File {
        name: "features.json",
        text: "{\"features\": {\"other\": {\"defaultValue\": 1},\n  \"feature\": {\"defaultValue\": false,\n   \"rules\": []}}}",
        dialect: Dialect::GrowthBook,
    },
];

pub(crate) fn plan() -> StagePlan {
    StagePlan::default().internal(Internal::ends_with("email", ["@shop.example"]))
}

pub(crate) fn made(file: &File, plan: &StagePlan) -> Stages {
    stages(
        file.name,
        file.text.as_bytes(),
        file.dialect,
        "feature",
        plan,
    )
    .unwrap_or_else(|error| unreachable!("{error} in {}", file.text))
}

pub(crate) fn load(file: &File, staged: &Staged, fractional: Fractional) -> FlagSet {
    let options = LoadOptions::from(file.dialect).fractional(fractional);
    let loaded = FlagSet::load(file.name, staged.text.as_bytes(), options).unwrap();
    assert!(
        !loaded.findings.has_errors(),
        "{} in {}",
        loaded.findings,
        staged.text
    );
    loaded.set
}

/// Whether the flag is on; the released variant is `true` or `n`.
pub(crate) fn is_on(set: &FlagSet, context: &Context<'_>) -> bool {
    set.bool("feature", false, context).value || set.str("feature", "", context).value == "n"
}

const COUNT: usize = 4000;

#[test]
fn every_stage_says_what_it_is_called() {
    let (ann, eve) = (
        [("email", Value::from("ann@shop.example"))],
        [("email", Value::from("eve@shopXexample"))],
    );
    for file in &FILES {
        let made = made(file, &plan());
        let names: Vec<String> = made.stages.iter().map(|it| it.stage.to_string()).collect();
        assert_eq!(names, ["internal", "5%", "25%", "50%", "100%"]);
        for staged in &made.stages {
            let set = load(file, staged, Fractional::default());
            let share = match staged.stage {
                Stage::Percent(percent) => f64::from(percent) / 100.0,
                _ => 0.0,
            };
            let keys = (0..COUNT).map(|n| format!("user-{n}"));
            let count = keys
                .filter(|key| is_on(&set, &Context::new(key).with(&eve)))
                .count();
            let expected = COUNT as f64 * share;
            // Four standard deviations.
            let most = 4.0 * (expected * (1.0 - share)).sqrt();
            let off = (count as f64 - expected).abs();
            assert!(
                off <= most,
                "{count} at {} of\n{}",
                staged.stage,
                staged.text
            );
            assert!(
                is_on(&set, &Context::new("ann").with(&ann)),
                "{}",
                staged.text
            );
            let nobody = is_on(&set, &Context::anonymous());
            assert_eq!(
                nobody,
                staged.stage == Stage::Percent(100),
                "{}",
                staged.text
            );
        }
        let off = load(file, &made.off, Fractional::default());
        assert!(
            !is_on(&off, &Context::new("ann").with(&ann)),
            "{}",
            made.off.text
        );
        assert!(made.off.edits.len() <= 1);
    }
}

#[test]
fn the_kill_switch_is_one_edit_at_every_stage() {
    for file in &FILES {
        for staged in &made(file, &plan()).stages {
            let bytes = staged.text.as_bytes();
            let off = stage(
                file.name,
                bytes,
                file.dialect,
                "feature",
                &StagePlan::default(),
                Stage::Off,
            )
            .unwrap();
            assert_eq!(off.edits.len(), 1, "{}", staged.text);
            assert!(!is_on(
                &load(file, &off, Fractional::default()),
                &Context::new("a")
            ));
            // Thrown again it is no change, and the stage can be had back to the byte.
            let again = stage(
                file.name,
                off.text.as_bytes(),
                file.dialect,
                "feature",
                &StagePlan::default(),
                Stage::Off,
            )
            .unwrap();
            assert!(again.edits.is_empty());
            let bare = staged.text.contains("feature: {");
            let back = stage(
                file.name,
                off.text.as_bytes(),
                file.dialect,
                "feature",
                &plan(),
                staged.stage,
            )
            .unwrap();
            assert!(
                back.text == staged.text || bare,
                "{}\n{}",
                back.text,
                staged.text
            );
        }
    }
}

#[test]
fn edits_are_the_whole_difference_and_the_next_stage_follows_from_the_last() {
    for file in &FILES {
        let made = made(file, &plan());
        let mut text = file.text.to_owned();
        for staged in &made.stages {
            let edited = staged
                .edits
                .iter()
                .rev()
                .fold(file.text.to_owned(), |mut text, edit| {
                    text.replace_range(edit.bytes.clone(), &edit.text);
                    text
                });
            assert_eq!(edited, staged.text);
            // From the file of the stage before, without being told again who comes first.
            let plan = if staged.stage == Stage::Internal {
                plan()
            } else {
                StagePlan::default()
            };
            let plan = if file.text.contains("\"new\"") {
                plan.on("new")
            } else {
                plan
            };
            let next = stage(
                file.name,
                text.as_bytes(),
                file.dialect,
                "feature",
                &plan,
                staged.stage,
            )
            .unwrap();
            let (one, other) = (
                load(file, &next, Fractional::V2),
                load(file, staged, Fractional::V2),
            );
            for n in 0..500 {
                let key = format!("user-{n}");
                assert_eq!(
                    is_on(&one, &Context::new(&key)),
                    is_on(&other, &Context::new(&key)),
                    "{}",
                    next.text
                );
            }
            text = next.text;
        }
    }
}

#[test]
fn a_file_with_comments_keeps_them() {
    let made = made(&FLAGD_YAML, &plan());
    let text = |at: usize| made.stages[at].text.as_str();
    let at = |state: &str, targeting: &str| {
        FLAGD_YAML.text.replace("'DISABLED'", state).replace(
            "   # old\n",
            &format!("   # old\n    targeting: {targeting}\n"),
        )
    };
    let first = r#"{"ends_with": [{"var": "email"}, "@shop.example"]}"#;
    let cases = [
        (0, "\"off\"".to_owned()),
        (1, r#"{"fractional": [["on", 5], ["off", 95]]}"#.to_owned()),
        (4, "\"on\"".to_owned()),
    ];
    for (stage, rest) in cases {
        let targeting = format!(r#"{{"if": [{first}, "on", {rest}]}}"#);
        assert_eq!(text(stage), at("'ENABLED'", &targeting));
    }
    assert_eq!(made.off.text, FLAGD_YAML.text);

    // From one share to the next, two numbers change.
    let bytes = text(1).as_bytes();
    let next = stage(
        "flags.yaml",
        bytes,
        Dialect::Flagd,
        "feature",
        &StagePlan::default(),
        Stage::Percent(25),
    )
    .unwrap();
    let edits: Vec<&str> = next.edits.iter().map(|edit| edit.text.as_str()).collect();
    assert_eq!(edits, ["25", "75"]);
}

#[test]
fn a_release_that_has_reached_everyone_is_known_to_the_check() {
    let file = "flags:\n  feature: {state: ENABLED, variants: {on: true, off: false}, defaultVariant: off, metadata: {type: release, owner: us, cleanup_by: 2027-01-01, full_since: 2026-01-01}}\n";
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    for plan in [plan(), StagePlan::default()] {
        for (at, wanted) in [(Stage::Percent(50), false), (Stage::Percent(100), true)] {
            let staged = stage(
                "flags.yaml",
                file.as_bytes(),
                Dialect::Flagd,
                "feature",
                &plan,
                at,
            )
            .unwrap();
            let findings = load(&FLAGD_YAML, &staged, Fractional::V2).check(now);
            let is_stale = findings.iter().any(|it| it.code.to_string() == "NE4022");
            assert_eq!(is_stale, wanted, "{}", staged.text);
        }
    }
}
