//! Raising a percentage never takes the feature from anyone.
//!
//! Plain files: always, for `rollout_percentage`.
//!
//! flagd's `fractional` (all versions) promises it for a share when, as fractions of the total
//! weight, the share's start does not rise and its end does not fall. So the first share may be
//! raised at the cost of later ones, and a share in the middle may take from its neighbours on
//! both sides; but raising a share *by* moving its start up evicts those at its old start.

use nonevent_flags::{Context, Dialect, FlagSet, Fractional, LoadOptions};
use proptest::prelude::*;
use serde_json::json;

fn plain(percent: f64) -> FlagSet {
    let file = json!({"flags": {"feature": {"rollout_percentage": percent}}}).to_string();
    FlagSet::load("flags.json", file.as_bytes(), Dialect::Plain)
        .expect("loads")
        .set
}

fn flagd(weights: [u32; 3], version: Fractional) -> FlagSet {
    let [before, own, after] = weights;
    let file = json!({"flags": {"feature": {
        "state": "ENABLED",
        "variants": {"before": "before", "own": "own", "after": "after"},
        "defaultVariant": "after",
        "targeting": {"fractional": [["before", before], ["own", own], ["after", after]]},
    }}})
    .to_string();
    let options = LoadOptions::from(Dialect::Flagd).fractional(version);
    FlagSet::load("flags.json", file.as_bytes(), options)
        .expect("loads")
        .set
}

fn has_it(set: &FlagSet, key: &str) -> bool {
    set.str("feature", "", &Context::new(key)).value == "own"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_percentages_only_add(
        low in 0_u32..=10_000,
        high in 0_u32..=10_000,
        keys in proptest::collection::vec(".{1,16}", 64),
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let (before, after) = (plain(f64::from(low) / 100.0), plain(f64::from(high) / 100.0));
        for key in &keys {
            let context = Context::new(key);
            let had = before.bool("feature", false, &context).value;
            let has = after.bool("feature", false, &context).value;
            prop_assert!(!had || has, "{key:?} had it at {low} and lost it at {high}");
        }
    }

    #[test]
    fn a_flagd_share_keeps_its_subjects_when_it_only_widens(
        cuts in proptest::collection::vec(0_u32..=1000, 4),
        scale in 1_u32..=1000,
        version in prop_oneof![Just(Fractional::V1), Just(Fractional::V2), Just(Fractional::V3)],
        keys in proptest::collection::vec(".{1,16}", 64),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let [start_after, start_before, end_before, end_after] = cuts[..] else { unreachable!() };
        let narrow = [start_before, end_before - start_before, 1000 - end_before];
        // The same in other units: only fractions count.
        let wide = [start_after, end_after - start_after, 1000 - end_after].map(|w| w * scale);
        let (narrow, wide) = (flagd(narrow, version), flagd(wide, version));
        for key in &keys {
            prop_assert!(!has_it(&narrow, key) || has_it(&wide, key), "{key:?} lost it");
        }
    }
}

#[test]
fn moving_a_share_evicts_so_the_rule_is_needed() {
    // From 50..60 to 60..80: larger, and yet nobody who had it keeps it.
    let before = flagd([50, 10, 40], Fractional::V2);
    let after = flagd([60, 20, 20], Fractional::V2);
    let keys: Vec<String> = (0..1000).map(|n| format!("user-{n}")).collect();
    let had: Vec<&String> = keys.iter().filter(|key| has_it(&before, key)).collect();
    assert!(had.len() > 50, "about a tenth");
    assert!(had.iter().all(|key| !has_it(&after, key)));
}

#[test]
fn a_plain_flag_that_moves_to_flagd_keeps_everyone_where_they_are() {
    let plain = plain(25.0);
    let flagd = flagd([0, 25, 75], Fractional::V2);
    let keys: Vec<String> = (0..1000).map(|n| format!("user-{n}")).collect();
    let on: Vec<bool> = keys
        .iter()
        .map(|key| plain.bool("feature", false, &Context::new(key)).value)
        .collect();
    assert!(
        on.iter()
            .zip(&keys)
            .all(|(on, key)| *on == has_it(&flagd, key))
    );
    let count = on.iter().filter(|on| **on).count();
    assert!((200..300).contains(&count), "{count} of 1000 at 25 %");
}
