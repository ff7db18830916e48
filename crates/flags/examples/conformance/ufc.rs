//! Datadog's test data for UFC: `ufc-config.json`, and rows in `evaluation-cases/*.json`.

use crate::{Report, files, now, read, same};
use nonevent_flags::{Context, Dialect, FlagSet, Resolution, Value};
use serde_json::{Map, Value as Json};
use std::path::Path;

/// Runs every row of every file.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<(), String> {
    let config = read(&dir.join("ufc-config.json"))?;
    let set = FlagSet::load("ufc-config.json", config.as_bytes(), Dialect::Ufc)
        .map_err(|findings| format!("the flags do not load: {findings}"))?
        .set;
    for path in files(&dir.join("evaluation-cases"), "json")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let rows: Vec<Map<String, Json>> =
            serde_json::from_str(&read(&path)?).map_err(|why| format!("{name}: {why}"))?;
        for (index, row) in rows.iter().enumerate() {
            let field = |field: &str| row.get(field).cloned().unwrap_or_default();
            let what = format!("{index}: {} for {}", field("flag"), field("targetingKey"));
            report.case(&name, &what, check(&set, &field));
        }
    }
    Ok(())
}

fn check(set: &FlagSet, field: &dyn Fn(&str) -> Json) -> Result<(), String> {
    let (flag, key, default) = (field("flag"), field("targetingKey"), field("defaultValue"));
    let attributes = field("attributes").as_object().cloned().unwrap_or_default();
    let context = key
        .as_str()
        .map_or(Context::anonymous(), Context::new)
        .with(&attributes)
        .at(now());
    let flag = flag.as_str().ok_or("the row names no flag")?;
    let kind = field("variationType");
    let wrong = || format!("{default} is no default for {kind}");
    let got = match kind.as_str().unwrap_or_default() {
        "STRING" => {
            let default = default.as_str().ok_or_else(wrong)?;
            told(set.str(flag, default, &context), Json::from)
        }
        "INTEGER" => {
            let default = default.as_i64().ok_or_else(wrong)?;
            told(set.i64(flag, default, &context), Json::from)
        }
        "NUMERIC" => {
            let default = default.as_f64().ok_or_else(wrong)?;
            told(set.f64(flag, default, &context), Json::from)
        }
        "BOOLEAN" => {
            let default = default.as_bool().ok_or_else(wrong)?;
            told(set.bool(flag, default, &context), Json::from)
        }
        "JSON" => told(set.json(flag, &default, &context), Json::clone),
        _ => return Err(format!("{kind} is no type of flag")),
    };
    let expected = field("result");
    same("value", &plain(&expected["value"]), &plain(&got.value))?;
    for (name, own) in [("reason", Some(got.reason)), ("errorCode", got.error)] {
        // What a row does not say is not compared.
        if let Some(wanted) = expected[name].as_str() {
            same(name, wanted, own.unwrap_or_default())?;
        }
    }
    Ok(())
}

struct Told {
    value: Json,
    reason: &'static str,
    error: Option<&'static str>,
}

fn told<T>(resolution: Resolution<'_, T>, json: impl FnOnce(T) -> Json) -> Told {
    Told {
        value: json(resolution.value),
        reason: resolution.reason.as_str(),
        error: resolution.error_code.map(nonevent_flags::ErrorCode::as_str),
    }
}

/// With `1.0` written as `1`, which are the same number.
fn plain(value: &Json) -> Json {
    Value::from(value).to_json()
}
