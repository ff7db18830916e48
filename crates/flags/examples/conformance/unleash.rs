//! Unleash's client specification: files with a `state`, `tests` and `variantTests`.

use crate::{Report, files, now, read, same};
use nonevent_flags::{Context, Dialect, FlagSet};
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// Runs every test of every file but the index.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<(), String> {
    for path in files(dir, "json")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file: Json =
            serde_json::from_str(&read(&path)?).map_err(|why| format!("{name}: {why}"))?;
        // `index.json` lists the others.
        if file.get("state").is_none() {
            continue;
        }
        let state = file["state"].to_string();
        let set = FlagSet::load(&name, state.as_bytes(), Dialect::Unleash)
            .map_err(|findings| format!("{name}: the features do not load: {findings}"))?
            .set;
        for (kind, check) in [
            ("tests", enabled as Check),
            ("variantTests", variant as Check),
        ] {
            for (index, test) in file[kind].as_array().into_iter().flatten().enumerate() {
                let what = format!("{kind} {index}: {}", test["description"]);
                report.case(&name, &what, run_one(&set, test, check));
            }
        }
    }
    Ok(())
}

type Check = fn(&FlagSet, &str, &Context<'_>, &Json) -> Result<(), String>;

fn run_one(set: &FlagSet, test: &Json, check: Check) -> Result<(), String> {
    let fields: Map<String, Json> = test["context"].as_object().cloned().unwrap_or_default();
    let context = Context::anonymous().with(&fields).at(now());
    let feature = test["toggleName"]
        .as_str()
        .ok_or("the test names no feature")?;
    check(set, feature, &context, &test["expectedResult"])
}

fn enabled(
    set: &FlagSet,
    feature: &str,
    context: &Context<'_>,
    expected: &Json,
) -> Result<(), String> {
    same(
        "enabled",
        expected,
        &set.bool(feature, false, context).value.into(),
    )
}

/// A feature without a variant has `on` and `off` here, and `disabled` there.
fn variant(
    set: &FlagSet,
    feature: &str,
    context: &Context<'_>,
    expected: &Json,
) -> Result<(), String> {
    let got = set.evaluate(feature, context);
    let name = got.variant.filter(|name| !matches!(*name, "on" | "off"));
    let own = json!({
        "name": name.unwrap_or("disabled"),
        "enabled": name.is_some(),
        "feature_enabled": set.bool(feature, false, context).value,
    });
    for field in ["name", "enabled", "feature_enabled"] {
        if let Some(wanted) = expected.get(field) {
            same(field, wanted, &own[field])?;
        }
    }
    let payload = match expected.get("payload") {
        None => return Ok(()),
        Some(payload) => payload,
    };
    let text = payload["value"].as_str().unwrap_or_default();
    let wanted = match payload["type"].as_str() {
        Some("json" | "number") => serde_json::from_str(text).map_err(|why| why.to_string())?,
        _ => Json::from(text),
    };
    same("payload", &wanted, got.value.unwrap_or(&Json::Null))
}
