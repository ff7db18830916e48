//! What an evaluation comes to, in GrowthBook's words.

use nonevent_flags::{Context, Exposed, Exposure, FlagSet};
use serde_json::{Value as Json, json};

/// The result of an experiment in GrowthBook's words.
fn result(exposure: &Exposure, key: &str, value: &Json, meta: &Json) -> Json {
    let mut result = json!({
        "key": exposure.variation_key,
        "featureId": key,
        "inExperiment": true,
        "hashUsed": exposure.is_hashed,
        "variationId": exposure.variation,
        "value": value,
        "hashAttribute": exposure.attribute,
        "hashValue": exposure.value,
        "stickyBucketUsed": exposure.is_sticky,
    });
    if let Some(bucket) = exposure.bucket {
        result["bucket"] = json!(bucket);
    }
    if let Some(name) = meta[exposure.variation].get("name") {
        result["name"] = name.clone();
    }
    if let Some(bandit) = exposure.bandit.as_ref().filter(|_| exposure.is_hashed) {
        result["leafId"] = json!(bandit.leaf);
        result["variationWeights"] = json!(bandit.weights);
        if let Some(version) = &bandit.version {
            result["banditVersion"] = version.clone();
        }
    }
    result
}

/// What an evaluation comes to.
pub(super) fn told(flags: &FlagSet, key: &str, exposed: &Exposed<'_>, context: &Json) -> Json {
    let resolution = &exposed.resolution;
    let value = resolution.value.cloned().unwrap_or(Json::Null);
    let is_on = match &value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(_) | Json::Object(_) => true,
    };
    let decisive = exposed.exposures.last().filter(|it| !it.passes);
    let explained = flags.explain(key, &Context::anonymous());
    let decided = !explained.rules.is_empty() && resolution.reason.as_str() != "DEFAULT";
    let source = match (resolution.error_code, resolution.reason.as_str()) {
        (Some(code), _) if code.as_str() == "FLAG_NOT_FOUND" => "unknownFeature",
        (Some(_), _) => "cyclicPrerequisite",
        (None, "DISABLED") => "prerequisite",
        (None, "DEFAULT") => "defaultValue",
        (None, _) if decisive.is_some() => "experiment",
        (None, _) if decided => "force",
        (None, _) => "defaultValue",
    };
    let mut told = json!({
        "value": value,
        "on": is_on,
        "off": !is_on,
        "source": source,
        "ruleId": exposed.rule.as_deref().unwrap_or_default(),
    });
    if let Some(exposure) = decisive {
        let rules = context["features"][key]["rules"].as_array();
        let own = |rule: &&Json| {
            rule.get("key").map_or(key, |it| it.as_str().unwrap_or(key)) == exposure.experiment
        };
        let rule = rules.into_iter().flatten().find(own).unwrap_or(&Json::Null);
        told["experimentResult"] = result(exposure, key, &value, &rule["meta"]);
        told["experiment"] = definition(rule, exposure);
    }
    told
}

/// A rule's experiment as GrowthBook hands it to those who record exposures.
fn definition(rule: &Json, exposure: &Exposure) -> Json {
    let mut own = json!({"key": exposure.experiment});
    for name in [
        "variations",
        "coverage",
        "weights",
        "hashAttribute",
        "fallbackAttribute",
        "disableStickyBucketing",
        "bucketVersion",
        "minBucketVersion",
        "namespace",
        "meta",
        "ranges",
        "name",
        "phase",
        "seed",
        "hashVersion",
        "filters",
        "condition",
    ] {
        if let Some(field) = rule.get(name) {
            own[name] = field.clone();
        }
    }
    if let Some(variations) = rule.get("contextualVariations") {
        own["variations"] = variations.clone();
    }
    if let Some(bandit) = &exposure.bandit {
        own["weights"] = json!(bandit.weights);
        if exposure.is_hashed {
            let mut leaf = json!({"leafId": bandit.leaf, "variationWeights": bandit.weights});
            if let Some(version) = &bandit.version {
                leaf["banditVersion"] = version.clone();
            }
            own["contextualBandit"] = leaf;
        }
    }
    own
}
