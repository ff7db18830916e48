//! What explains that GrowthBook's SDK gives something else.

use super::shrink::Least;
use super::{Answer, Answers};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What explains a difference: what its least definition and context have in them.
pub(super) fn reason(least: &Least, answers: &Answers) -> Option<&'static str> {
    let features = least.definition["features"].as_object();
    let features: Vec<&Json> = features.into_iter().flat_map(|all| all.values()).collect();
    let rules: Vec<&Json> = features
        .iter()
        .flat_map(|feature| items(&feature["rules"]))
        .collect();
    let any = |fits: &dyn Fn(&Json) -> bool| rules.iter().any(|rule| fits(rule));
    let settings = &least.attributes["__gb"];
    let no_range = |key: &str, value: &Json| match key {
        "range" => short(value),
        "ranges" => items(value).any(short),
        _ => false,
    };
    if has(&least.definition, &no_range) {
        return Some("the peer leaves out a range that is none");
    }
    let no_parts = |key: &str, value: &Json| {
        matches!(key, "$or" | "$and" | "$nor" | "$not") && value.is_null()
    };
    if has(&least.definition, &no_parts) {
        return Some("the peer fails for null in place of conditions only when it comes to it");
    }
    if any(&|rule| rule.get("force").is_some_and(Json::is_null)) {
        return Some("the peer passes over a rule that forces null");
    }
    if any(&|rule| !rule["condition"].is_null() && !rule["condition"].is_object()) {
        return Some("the peer leaves out a condition that is no map: the rule is for all");
    }
    if has(&least.definition, &|key, value| {
        key == "hashVersion" && *value == 0
    }) {
        return Some("the peer knows no hash version 0, which JavaScript takes for none given");
    }
    let inverted = |key: &str, value: &Json| {
        matches!(key, "$notRegex" | "$notRegexi") && value.as_str().is_none_or(is_no_pattern)
    };
    if has(&least.definition, &inverted) {
        return Some("what is no pattern does not match, so the peer's $notRegex holds");
    }
    if any(&|rule| rule["filters"].is_array() && !rule["namespace"].is_null()) {
        return Some("the peer looks at a namespace beside filters, which take its place");
    }
    if settings.get("forcedVariations").is_some() {
        return Some(
            "the peer finds forced variations by the feature, not by the experiment's key",
        );
    }
    if settings.get("stickyBuckets").is_some() && any(&|rule| !rule["meta"].is_null()) {
        return Some("the peer reads a remembered variation as a place, not as its key");
    }
    let unsure = |key: &str, value: &Json| key == "$exists" && !value.is_boolean();
    if has(&least.definition, &unsure) {
        return Some("the peer's $exists with what is no boolean holds for all");
    }
    let unknown = |key: &str, value: &Json| key == "hashVersion" && *value == 3;
    if settings.get("stickyBuckets").is_some() && has(&least.definition, &unknown) {
        return Some("the peer serves what is remembered although the hash is unknown");
    }
    let has_parents = any(&|rule| !rule["parentConditions"].is_null());
    if settings.get("stickyBuckets").is_some() && has_parents {
        return Some("the peer remembers where it placed the subject for a parent");
    }
    let serves = |rule: &Json| !(rule["force"].is_null() && rule["variations"].is_null());
    if any(&|rule| !rule["parentConditions"].is_null() && !serves(rule))
        && answers.theirs == Answer::Value(Json::Null)
    {
        return Some("the peer looks for circles among the parents of a rule that serves nothing");
    }
    let small = |value: &Json| {
        value
            .as_f64()
            .is_some_and(|it| it != 0.0 && !(1e-6..1e21).contains(&it.abs()))
    };
    if least
        .attributes
        .as_object()
        .is_some_and(|all| all.values().any(small))
    {
        return Some(
            "the peer hashes 1e-7 and 1e21 by all their digits, not as JavaScript writes them",
        );
    }
    None
}

/// Whether this is a list, but not of two.
fn short(value: &Json) -> bool {
    value.as_array().is_some_and(|items| items.len() != 2)
}

fn is_no_pattern(text: &str) -> bool {
    regex::Regex::new(text).is_err()
}

/// Whether a member anywhere in it fits.
fn has(value: &Json, fits: &dyn Fn(&str, &Json) -> bool) -> bool {
    match value {
        Json::Object(members) => members
            .iter()
            .any(|(key, value)| fits(key, value) || has(value, fits)),
        Json::Array(items) => items.iter().any(|item| has(item, fits)),
        _ => false,
    }
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

/// What is in the definition, for differences that nothing explains.
pub(super) fn class(least: &Least) -> String {
    let mut words = BTreeSet::new();
    gather(&least.definition, &mut words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.join(" ")
}

fn gather(value: &Json, words: &mut BTreeSet<String>) {
    match value {
        Json::Object(members) => members.iter().for_each(|(key, value)| {
            words.insert(key.clone());
            gather(value, words);
        }),
        Json::Array(items) => items.iter().for_each(|item| gather(item, words)),
        _ => {}
    }
}
