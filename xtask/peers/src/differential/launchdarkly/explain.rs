//! What is known of how LaunchDarkly's evaluation differs.

use super::Answer;
use serde_json::{Value as Json, json};

/// What a recogniser may look at.
pub(super) struct Seen<'s> {
    pub(super) definition: &'s Json,
    pub(super) flag: &'s str,
    pub(super) context: &'s Json,
}

impl Seen<'_> {
    /// The flag, and all else if it looks at it.
    pub(super) fn told(&self) -> Json {
        let mut involved = Vec::new();
        self.involved(self.flag, &mut involved);
        if json!(involved).to_string().contains("segmentMatch") {
            json!({"flags": involved, "segments": self.segments()})
        } else {
            json!(involved)
        }
    }

    /// What explains a difference.
    pub(super) fn reason(&self, _ours: &Answer, theirs: Option<&Answer>) -> Option<&'static str> {
        let mut involved = Vec::new();
        self.involved(self.flag, &mut involved);
        let own_values = |flag: &&Json| {
            items(&flag["contextTargets"])
                .any(|it| it["contextKind"] == "user" && items(&it["values"]).next().is_some())
        };
        if involved.iter().any(own_values) {
            return Some(
                "the peer looks at the keys that a target of users among contextTargets has itself",
            );
        }
        let text = json!([involved, self.segments()]).to_string();
        if text.contains("\"bucketBy\":\"\"") {
            return Some("the peer takes an empty bucketBy for a wrong reference, not for none");
        }
        let twice = |flag: &&Json| {
            let asked = involved.iter().flat_map(|it| items(&it["prerequisites"]));
            let asked = asked.filter(|wanted| wanted["key"] == flag["key"]).count();
            asked > 1 && items(&flag["prerequisites"]).next().is_some()
        };
        if theirs == Some(&Answer::Error) && involved.iter().any(twice) {
            return Some("the peer takes a flag for its own prerequisite that is asked for twice");
        }
        let spaced = "2020-01-01 00:00:00Z";
        if text.contains(spaced) || self.context.to_string().contains(spaced) {
            return Some("the peer takes a space for the T of a time");
        }
        let huge = "9007199254740993";
        if text.contains(huge) || self.context.to_string().contains(huge) {
            return Some("the peer takes no time beyond 2^53 milliseconds");
        }
        None
    }

    /// The flag and those that it depends on.
    fn involved<'a>(&'a self, key: &str, into: &mut Vec<&'a Json>) {
        let flag = &self.definition["flags"][key];
        if into.contains(&flag) {
            return;
        }
        into.push(flag);
        for wanted in items(&flag["prerequisites"]) {
            self.involved(wanted["key"].as_str().unwrap_or_default(), into);
        }
    }

    fn segments(&self) -> &Json {
        &self.definition["segments"]
    }

    /// What is in the flag, for differences that nothing explains.
    pub(super) fn class(&self) -> String {
        let flag = &self.definition["flags"][self.flag];
        let mut words: Vec<&str> = Vec::new();
        for rule in items(&flag["rules"]) {
            words.extend(
                rule["clauses"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|it| it["op"].as_str()),
            );
        }
        for field in ["prerequisites", "targets", "contextTargets"] {
            if flag[field].as_array().is_some_and(|all| !all.is_empty()) {
                words.push(field);
            }
        }
        if flag.to_string().contains("rollout") {
            words.push("rollout");
        }
        words.sort_unstable();
        words.dedup();
        words.join(" ")
    }
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}
