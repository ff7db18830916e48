//! A stage changes one flag, whatever else is in the file; and no file makes it panic.

use std::fs;
use std::path::Path;

use nonevent_flags::{Context, Dialect, FlagSet, Internal, LoadOptions, Stage, StagePlan, stage};
use proptest::prelude::*;

const STAGES: [Stage; 4] = [
    Stage::Off,
    Stage::Internal,
    Stage::Percent(25),
    Stage::Percent(100),
];

/// Every fixture of flags, by name.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/flags");
    let mut found = Vec::new();
    for folder in ["bad", "flagd", "launchdarkly", "plain", "ufc", "unleash"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn plan() -> StagePlan {
    StagePlan::default().internal(Internal::one_of("group", ["staff"]))
}

#[test]
fn no_other_flag_changes() {
    let keys: Vec<String> = (0..50).map(|n| format!("user-{n}")).collect();
    let (mut made, mut refused) = (0, 0);
    for (name, bytes) in fixtures() {
        let Ok(before) = FlagSet::load(&name, &bytes, LoadOptions::default()) else {
            continue;
        };
        for flag in before.set.flags() {
            for at in STAGES {
                let staged = stage(&name, &bytes, before.set.dialect(), flag.key(), &plan(), at);
                let Ok(staged) = staged else {
                    refused += 1;
                    continue;
                };
                made += 1;
                let after = FlagSet::load(&name, staged.text.as_bytes(), before.set.dialect());
                let after = after.unwrap().set;
                let diff = before
                    .set
                    .diff(&after, keys.iter().map(|key| Context::new(key)));
                // Flags that wait for this one may follow it.
                let dialect = before.set.dialect();
                let is_needed = matches!(dialect, Dialect::Unleash | Dialect::LaunchDarkly);
                for changed in &diff.flags {
                    assert!(
                        changed.flag == flag.key() || is_needed,
                        "{} of {name}",
                        changed.flag
                    );
                }
                let lines = String::from_utf8(bytes.clone()).unwrap().lines().count();
                assert!(
                    staged.text.lines().count() + 40 > lines,
                    "{name} keeps its lines"
                );
            }
        }
    }
    assert!(made > 60 && refused > 60, "{made} made, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damaged_file_makes_it_panic(
        pick in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        cut in 0_usize..12,
        put in "[\\[\\]{}:,&*|>'\"# a0\n-]{0,3}",
        which in 0_usize..4,
    ) {
        let all = fixtures();
        let (name, bytes) = &all[pick.index(all.len())];
        let mut bytes = bytes.clone();
        let start = at.index(bytes.len());
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, put.bytes());
        if let Ok(loaded) = FlagSet::load(name, &bytes, LoadOptions::default()) {
            for flag in loaded.set.flags() {
                drop(stage(name, &bytes, loaded.set.dialect(), flag.key(), &plan(), STAGES[which]));
            }
        }
    }
}
