//! LaunchDarkly's test data for evaluation on servers: YAML files with parameters, each set of which
//! makes flags and evaluations of its own.

use crate::{Report, files, now, read};
use nonevent_flags::{Context, Dialect, FlagSet};
use serde_json::{Map, Value as Json};
use std::path::Path;

type Values = Map<String, Json>;

/// Runs every evaluation of every file, once for each set of parameters.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<(), String> {
    for path in files(dir, "yml")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = read(&path)?;
        // With what `<<` brings in, which is none of YAML 1.2.
        let mut file: serde_yaml::Value =
            serde_yaml::from_str(&text).map_err(|why| format!("{name}: {why}"))?;
        file.apply_merge().map_err(|why| format!("{name}: {why}"))?;
        let file = serde_json::to_value(&file).map_err(|why| format!("{name}: {why}"))?;
        let constants = file["constants"].as_object().cloned().unwrap_or_default();
        for parameters in parameter_sets(&file["parameters"]) {
            let mut values = constants.clone();
            values.extend(parameters);
            let file = replaced(&file, &values);
            evaluate(&name, &file, report)?;
        }
    }
    Ok(())
}

/// A list of sets; or lists of sets, of which one of each is taken.
fn parameter_sets(of: &Json) -> Vec<Values> {
    let Some(all) = of.as_array().filter(|all| !all.is_empty()) else {
        return vec![Values::new()];
    };
    let sets = |list: &[Json]| -> Vec<Values> {
        list.iter()
            .filter_map(|set| set.as_object().cloned())
            .collect()
    };
    if !all.iter().all(Json::is_array) {
        return sets(all);
    }
    let lists = all.iter().filter_map(Json::as_array);
    lists.fold(vec![Values::new()], |product, list| {
        let with = |before: &Values| -> Vec<Values> {
            let with = |set: Values| before.clone().into_iter().chain(set).collect();
            sets(list).into_iter().map(with).collect()
        };
        product.iter().flat_map(with).collect()
    })
}

/// With `<NAME>` replaced: by the value where it is all there is, by its text within another.
fn replaced(value: &Json, values: &Values) -> Json {
    match value {
        Json::String(text) => {
            let name = text.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
            if let Some(value) = name.and_then(|name| values.get(name)) {
                return replaced(value, values);
            }
            replaced_within(text, values).into()
        }
        Json::Array(items) => items.iter().map(|item| replaced(item, values)).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| (replaced_within(key, values), replaced(value, values)))
            .collect(),
        other => other.clone(),
    }
}

fn replaced_within(text: &str, values: &Values) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("<{name}>"), &value)
    })
}

fn evaluate(name: &str, file: &Json, report: &mut Report) -> Result<(), String> {
    let data = file["sdkData"].to_string();
    let set = FlagSet::load("data.json", data.as_bytes(), Dialect::LaunchDarkly)
        .map_err(|findings| format!("{name}: the flags do not load: {findings}"))?
        .set;
    for evaluation in file["evaluations"].as_array().into_iter().flatten() {
        let what = format!("{} ({})", evaluation["name"], evaluation["context"]);
        report.case(name, &what, check(&set, evaluation));
    }
    Ok(())
}

fn check(set: &FlagSet, evaluation: &Json) -> Result<(), String> {
    let flag = evaluation["flagKey"].as_str().ok_or("no flag is named")?;
    let attributes = evaluation["context"]
        .as_object()
        .ok_or("there is no context")?;
    let context = Context::anonymous().with(attributes).at(now());
    let found = set.evaluate(flag, &context);
    let expected = &evaluation["expect"];
    let value = found.value.unwrap_or(&evaluation["default"]);
    if !is_same(&expected["value"], value) {
        return Err(format!(
            "value: expected {}, got {value} ({})",
            expected["value"], found.reason
        ));
    }
    let variation = expected["variationIndex"]
        .as_u64()
        .map(|index| index.to_string());
    if variation.as_deref() != found.variant {
        return Err(format!(
            "variation: expected {variation:?}, got {:?}",
            found.variant
        ));
    }
    let reason = &expected["reason"];
    let wanted: &[&str] = match reason["kind"].as_str().unwrap_or_default() {
        "OFF" | "PREREQUISITE_FAILED" => &["DISABLED"],
        "FALLTHROUGH" => &["DEFAULT", "SPLIT"],
        "TARGET_MATCH" => &["TARGETING_MATCH"],
        "RULE_MATCH" => &["TARGETING_MATCH", "SPLIT"],
        "ERROR" => &["ERROR"],
        other => return Err(format!("the reason {other:?} is not known")),
    };
    if !wanted.contains(&found.reason.as_str()) {
        return Err(format!("reason: expected {wanted:?}, got {}", found.reason));
    }
    let error = match reason["errorKind"].as_str() {
        None => None,
        Some("FLAG_NOT_FOUND") => Some("FLAG_NOT_FOUND"),
        Some("MALFORMED_FLAG") => Some("PARSE_ERROR"),
        Some("WRONG_TYPE") => Some("TYPE_MISMATCH"),
        Some("USER_NOT_SPECIFIED") => Some("INVALID_CONTEXT"),
        Some(other) => return Err(format!("the error {other:?} is not known")),
    };
    let code = found.error_code.map(nonevent_flags::ErrorCode::as_str);
    if error != code {
        return Err(format!("error: expected {error:?}, got {code:?}"));
    }
    Ok(())
}

/// With `1.0` the same as `1`.
fn is_same(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}
