//! flagd's test kit: `evaluator/gherkin` with `evaluator/flags`, and `gherkin` with `flags`.
//!
//! Rows that exclude each other by design run each under its own mode: `@fractional-v1`, `-v2`
//! and `-v3` under that version of `fractional`, `@no-default @deprecated` under the older rule
//! for flags without a default variant.

use crate::gherkin::{self, Case, Step};
use crate::{Report, files, now, read, same};
use nonevent_flags::{Context, Dialect, FlagSet, Fractional, LoadOptions, NoDefault, Resolution};
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// Runs both halves of the suite.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<(), String> {
    let mut found = false;
    let evaluator = dir.join("evaluator");
    if evaluator.join("gherkin").is_dir() {
        found = true;
        let flags = Flags::read(&evaluator.join("flags"))?;
        features(dir, &evaluator.join("gherkin"), &flags, report)?;
    }
    if dir.join("gherkin").is_dir() {
        found = true;
        let flags = Flags::read(&dir.join("flags"))?;
        features(dir, &dir.join("gherkin"), &flags, report)?;
    }
    if found {
        Ok(())
    } else {
        Err(format!("{}: no gherkin folder in it", dir.display()))
    }
}

fn features(root: &Path, dir: &Path, flags: &Flags, report: &mut Report) -> Result<(), String> {
    for path in files(dir, "feature")? {
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let text = read(&path)?;
        for case in gherkin::read(&text).map_err(|why| format!("{name}: {why}"))? {
            let what = format!("{}: {}", case.line, case.name);
            report.case(
                &name,
                &what,
                Run::new(flags, &case).and_then(|mut run| run.steps(&case)),
            );
        }
    }
    Ok(())
}

/// The flag files of one folder, and what a provider that reads all of them sees.
struct Flags {
    files: Vec<(String, Json)>,
    merged: Json,
}

impl Flags {
    fn read(dir: &Path) -> Result<Self, String> {
        let mut all = Vec::new();
        let (mut flags, mut evaluators) = (Map::new(), Map::new());
        let paths = files(dir, "json")?;
        let only = paths.len() == 1;
        for path in paths {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let file: Json = serde_json::from_str(&read(&path)?)
                .map_err(|why| format!("{}: {why}", path.display()))?;
            // Those are served only to a provider that selects them.
            if !name.starts_with("selector-") {
                let part = |key: &str| file[key].as_object().cloned().unwrap_or_default();
                flags.extend(part("flags"));
                evaluators.extend(part("$evaluators"));
            }
            all.push((name, file));
        }
        let merged = match all.as_slice() {
            [(_, file)] if only => file.clone(),
            _ => json!({"flags": flags, "$evaluators": evaluators}),
        };
        Ok(Self { files: all, merged })
    }

    /// What a provider with this selector sees: a file by name, or a set by its metadata.
    fn selected(&self, selector: Option<&str>) -> Result<&Json, String> {
        let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
            return Ok(&self.merged);
        };
        let file = selector.rsplit('/').next().unwrap_or(selector);
        let set = selector.strip_prefix("flagSetId=").unwrap_or(selector);
        self.files
            .iter()
            .find(|(name, json)| name == file || json["metadata"]["flagSetId"] == set)
            .map(|(_, json)| json)
            .ok_or_else(|| format!("no flag file for the selector {selector:?}"))
    }
}

/// One case on its way.
struct Run<'f> {
    flags: &'f Flags,
    options: LoadOptions,
    selector: Option<String>,
    context: Map<String, Json>,
    flag: Option<(String, String, Json)>,
    details: Option<Details>,
}

/// What came of the evaluation, owned.
struct Details {
    value: Json,
    variant: Option<String>,
    reason: String,
    error: String,
    metadata: Json,
}

impl<'f> Run<'f> {
    fn new(flags: &'f Flags, case: &Case) -> Result<Self, String> {
        let tagged = |tag: &str| case.tags.iter().any(|own| own == tag);
        let versions = [
            ("@fractional-v1", Fractional::V1),
            ("@fractional-v2", Fractional::V2),
            ("@fractional-v3", Fractional::V3),
        ];
        let mut options = LoadOptions::from(Dialect::Flagd);
        if let Some((_, version)) = versions.into_iter().find(|(tag, _)| tagged(tag)) {
            options = options.fractional(version);
        }
        if tagged("@no-default") && tagged("@deprecated") {
            options = options.no_default(NoDefault::FlagNotFound);
        }
        Ok(Self {
            flags,
            options,
            selector: None,
            context: Map::new(),
            flag: None,
            details: None,
        })
    }

    fn steps(&mut self, case: &Case) -> Result<(), String> {
        case.steps.iter().try_for_each(|step| {
            self.step(step)
                .map_err(|why| format!("{}\n  {why}", step.text))
        })
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let text = step.text.as_str();
        if let Some([name, _, value]) =
            quoted(text, ["an option \"", "\" of type \"", "\" with value \""])
        {
            if name == "selector" {
                self.selector = Some(value.to_owned());
            }
            return Ok(());
        }
        if text == "an evaluator" || (text.starts_with("a ") && text.ends_with(" flagd provider")) {
            return Ok(());
        }
        if let Some((kind, rest)) = text
            .strip_prefix("a ")
            .and_then(|t| t.split_once("-flag with "))
        {
            let form = |word| ["key \"", word].map(str::to_owned);
            for word in ["\" and a default value \"", "\" and a fallback value \""] {
                let [first, second] = form(word);
                if let Some([key, default]) = quoted(rest, [&first, &second]) {
                    let default = parse(kind, default)?;
                    self.flag = Some((key.to_owned(), kind.to_owned(), default));
                    return Ok(());
                }
            }
        }
        if text.starts_with("a context containing ") {
            return self.context_step(text);
        }
        if text == "the flag was evaluated with details" {
            return self.evaluate();
        }
        self.expectation(step)
    }

    fn context_step(&mut self, text: &str) -> Result<(), String> {
        let start = "a context containing a ";
        let simple = [
            &format!("{start}key \""),
            "\", with type \"",
            "\" and with value \"",
        ];
        if let Some([key, kind, value]) = quoted(text, simple) {
            self.context.insert(key.to_owned(), parse(kind, value)?);
            return Ok(());
        }
        if let Some([value]) = quoted(text, [&format!("{start}targeting key with value \"")]) {
            self.context.insert("targetingKey".to_owned(), value.into());
            return Ok(());
        }
        let nested = [
            &format!("{start}nested property with outer key \""),
            "\" and inner key \"",
            "\", with value \"",
        ];
        if let Some([outer, inner, value]) = quoted(text, nested) {
            self.context
                .insert(outer.to_owned(), json!({ inner: value }));
            return Ok(());
        }
        Err("this step is not known".into())
    }

    fn evaluate(&mut self) -> Result<(), String> {
        let (key, kind, default) = self.flag.as_ref().ok_or("no flag was named")?;
        let bytes = self.flags.selected(self.selector.as_deref())?.to_string();
        let set = FlagSet::load("flags.json", bytes.as_bytes(), self.options)
            .map_err(|findings| format!("the flags do not load: {findings}"))?
            .set;
        let context = Context::anonymous().with(&self.context).at(now());
        let wrong = || format!("{default} is no default for a {kind} flag");
        self.details = Some(match kind.as_str() {
            "Boolean" => details(
                set.bool(key, default.as_bool().ok_or_else(wrong)?, &context),
                Json::from,
            ),
            "Integer" => details(
                set.i64(key, default.as_i64().ok_or_else(wrong)?, &context),
                Json::from,
            ),
            "Float" => details(
                set.f64(key, default.as_f64().ok_or_else(wrong)?, &context),
                Json::from,
            ),
            "String" => details(
                set.str(key, default.as_str().ok_or_else(wrong)?, &context),
                Json::from,
            ),
            "Object" => details(set.json(key, default, &context), Json::clone),
            _ => return Err(format!("{kind} is no type of flag")),
        });
        Ok(())
    }

    fn expectation(&self, step: &Step) -> Result<(), String> {
        let text = step.text.as_str();
        let details = self.details.as_ref().ok_or("this step is not known")?;
        let kind = self.flag.as_ref().map_or("", |(_, kind, _)| kind);
        if let Some([value]) = quoted(text, ["the resolved details value should be \""]) {
            return same("value", &parse(kind, value)?, &details.value);
        }
        if let Some([reason]) = quoted(text, ["the reason should be \""]) {
            return same("reason", reason, &details.reason);
        }
        if let Some([code]) = quoted(text, ["the error-code should be \""]) {
            return same("error code", code, &details.error);
        }
        if let Some([variant]) = quoted(text, ["the variant should be \""]) {
            return same(
                "variant",
                variant,
                details.variant.as_deref().unwrap_or_default(),
            );
        }
        if text == "the resolved metadata is empty" {
            return same("metadata", &json!({}), &details.metadata);
        }
        if text == "the resolved metadata should contain" {
            return step
                .table
                .iter()
                .skip(1)
                .try_for_each(|row| match row.as_slice() {
                    [key, kind, value] => {
                        same(key, &parse(kind, value)?, &details.metadata[key.as_str()])
                    }
                    _ => Err("a metadata row has three cells".into()),
                });
        }
        Err("this step is not known".into())
    }
}

fn details<T>(resolution: Resolution<'_, T>, json: impl FnOnce(T) -> Json) -> Details {
    Details {
        value: json(resolution.value),
        variant: resolution.variant.map(str::to_owned),
        reason: resolution.reason.to_string(),
        error: resolution
            .error_code
            .map(|code| code.to_string())
            .unwrap_or_default(),
        metadata: resolution
            .metadata
            .iter()
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect(),
    }
}

/// A cell as a value of the type that the step names.
fn parse(kind: &str, text: &str) -> Result<Json, String> {
    let wrong = |_| format!("{text:?} is no {kind}");
    Ok(match kind {
        "Boolean" => match text {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(wrong(())),
        },
        "Integer" | "Long" => text.parse::<i64>().map_err(|_| wrong(()))?.into(),
        "Float" | "Double" => text.parse::<f64>().map_err(|_| wrong(()))?.into(),
        "Object" => serde_json::from_str(&text.replace("\\\"", "\"")).map_err(|_| wrong(()))?,
        "String" => text.into(),
        _ => return Err(format!("{kind} is no type")),
    })
}

/// The parts of `text` between these pieces, the last one up to a closing quote.
fn quoted<'t, const N: usize>(text: &'t str, pieces: [&str; N]) -> Option<[&'t str; N]> {
    let mut rest = text.strip_prefix(pieces[0])?;
    let mut parts = [""; N];
    for (index, piece) in pieces.iter().enumerate().skip(1) {
        (parts[index - 1], rest) = rest.split_once(piece)?;
    }
    parts[N - 1] = rest.strip_suffix('"')?;
    Some(parts)
}
