//! GrowthBook's test data for those who build SDKs: one file of groups of cases, each case a list.

mod told;

use crate::{Report, read};
use nonevent_flags::{
    Context, DecryptionKey, Dialect, Exposure, FlagSet, PayloadFilter, Reduction, prune_condition,
    reduce_payload,
};
use serde_json::{Map, Value as Json, json};
use std::path::Path;
use told::told;

type Case<'c> = &'c [Json];
type Checked = Result<(), String>;

/// Runs every case of `cases.json`.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<(), String> {
    let text = read(&dir.join("cases.json"))?;
    let file: Json = serde_json::from_str(&text).map_err(|why| format!("cases.json: {why}"))?;
    let groups = file.as_object().ok_or("cases.json: it is no map")?;
    for (name, cases) in groups {
        group(name, cases, report)?;
    }
    Ok(())
}

fn group(name: &str, cases: &Json, report: &mut Report) -> Result<(), String> {
    let kind = name.rsplit('.').next().unwrap_or(name);
    let check: fn(Case<'_>) -> Checked = match kind {
        "specVersion" => return Ok(()),
        "evalCondition" => condition,
        "hash" => hash,
        "getBucketRange" => bucket_range,
        "getEqualWeights" => equal_weights,
        "chooseVariation" => choose_variation,
        "getQueryStringOverride" => asked_variation,
        "inNamespace" => namespace,
        "feature" | "contextualBandit" => feature,
        "run" => experiment,
        "stickyBucket" => sticky,
        "urlRedirect" => redirects,
        "decrypt" => decrypt,
        "pruneCondition" => prune,
        "reducePayload" => reduce,
        // Groups within groups.
        _ => {
            let Some(inner) = cases.as_object() else {
                let why = String::from("the group is not known here");
                report.case(name, "", Err(why));
                return Ok(());
            };
            for (kind, cases) in inner {
                if cases.is_array() {
                    group(&format!("{name}.{kind}"), cases, report)?;
                }
            }
            return Ok(());
        }
    };
    for (at, case) in cases.as_array().into_iter().flatten().enumerate() {
        let case = case.as_array().map_or(&[][..], |case| case);
        let title = case.first().and_then(Json::as_str).unwrap_or_default();
        report.case(name, &format!("{at} {title}"), check(case));
    }
    Ok(())
}

fn load(payload: &Json) -> Result<FlagSet, String> {
    let loaded = FlagSet::load(
        "payload",
        payload.to_string().as_bytes(),
        Dialect::GrowthBook,
    );
    loaded
        .map(|loaded| loaded.set)
        .map_err(|findings| findings.to_string())
}

fn same(expected: &Json, got: &Json) -> Checked {
    if number_free(expected) == number_free(got) {
        Ok(())
    } else {
        Err(format!("expected {expected}\n  got      {got}"))
    }
}

/// With numbers as floats, so that 1 and 1.0 are the same.
fn number_free(value: &Json) -> Json {
    match value {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(number_free).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), number_free(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The attributes of a case's context, with what it has besides in its `__gb`.
fn attributes(context: &Json, sticky: Option<&Json>) -> Map<String, Json> {
    let mut all = context["attributes"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let mut settings = Map::new();
    for name in ["enabled", "qaMode", "forcedVariations"] {
        if let Some(setting) = context.get(name) {
            settings.insert(name.into(), setting.clone());
        }
    }
    if let Some(sticky) = sticky {
        settings.insert("stickyBuckets".into(), sticky.clone());
    }
    all.insert("__gb".into(), settings.into());
    if let Some(url) = context.get("url") {
        all.insert("url".into(), url.clone());
    }
    if let Some(groups) = context.get("remoteGroupIds") {
        all.insert("__gb_remoteGroupIds".into(), groups.clone());
    }
    all
}

fn condition(case: Case<'_>) -> Checked {
    let [_, condition, attributes, expected, rest @ ..] = case else {
        return Err("the case has not enough parts".into());
    };
    let payload = json!({
        "features": {"f": {"defaultValue": false, "rules": [{"condition": condition, "force": true}]}},
        "savedGroups": rest.first().unwrap_or(&json!({})),
    });
    let flags = load(&payload)?;
    let attributes = attributes.as_object().cloned().unwrap_or_default();
    let context = Context::anonymous().with(&attributes);
    let got = flags.bool("f", false, &context);
    same(expected, &json!(got.value))
}

/// An experiment of two variations, of which all places are the first's.
fn everyone(key: &str, more: &Json) -> Json {
    let mut run = json!({"key": key, "variations": [0, 1], "ranges": [[0, 1], [0, 0]]});
    if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
        run.extend(more.clone());
    }
    run
}

fn exposures(run: &Json, attributes: &Json) -> Result<Vec<Exposure>, String> {
    let key = run["key"].as_str().unwrap_or_default();
    let flags = load(&json!({"features": {key: {"rules": [run]}}}))?;
    let attributes = attributes.as_object().cloned().unwrap_or_default();
    let context = Context::anonymous().with(&attributes);
    Ok(flags.evaluate_exposing(key, &context).exposures)
}

fn hash(case: Case<'_>) -> Checked {
    let [seed, value, version, expected] = case else {
        return Err("the case has not four parts".into());
    };
    let run = everyone(
        seed.as_str().unwrap_or_default(),
        &json!({"hashVersion": version}),
    );
    let found = exposures(&run, &json!({"id": value}))?;
    same(expected, &json!(found.first().and_then(|it| it.bucket)))
}

/// The ranges of an experiment's variations, to four decimals.
fn ranges(run: &Json) -> Result<Vec<(f64, f64)>, String> {
    let flags = load(&json!({"features": {"f": {"rules": [run]}}}))?;
    let flag = flags.get("f").ok_or("the feature was not read")?;
    let data = serde_json::to_value(flag).map_err(|why| why.to_string())?;
    let ranges = data["rules"][0]["serve"]["experiment"]["ranges"].as_array();
    let bound = |range: &Json, at: usize| range[at].as_f64().unwrap_or(f64::NAN) / 10_000.0;
    let ranges = ranges.into_iter().flatten();
    Ok(ranges.map(|it| (bound(it, 0), bound(it, 1))).collect())
}

fn variations(count: &Json) -> Vec<i64> {
    (0..count.as_i64().unwrap_or(0).max(0)).collect()
}

fn bucket_range(case: Case<'_>) -> Checked {
    let [_, Json::Array(arguments), expected] = case else {
        return Err("the case has not three parts".into());
    };
    let [count, coverage, weights] = &arguments[..] else {
        return Err("the case has not three arguments".into());
    };
    let got = ranges(
        &json!({"variations": variations(count), "coverage": coverage,
        "weights": weights, "hashVersion": 2}),
    )?;
    let expected = expected.as_array().map_or(&[][..], |all| all);
    let near = |(range, expected): (&(f64, f64), &Json)| {
        is_near(range.0, &expected[0]) && is_near(range.1, &expected[1])
    };
    if got.len() == expected.len() && got.iter().zip(expected).all(near) {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got {got:?}"))
    }
}

/// Bounds here are the first places in and after a range; a bound computed as a hair above a
/// ten-thousandth has the next place.
fn is_near(got: f64, expected: &Json) -> bool {
    let expected = expected.as_f64().unwrap_or(f64::NAN);
    (got - expected).abs() <= 1.0001 / 10_000.0
}

fn equal_weights(case: Case<'_>) -> Checked {
    let [count, expected] = case else {
        return Err("the case has not two parts".into());
    };
    let got = ranges(&json!({"variations": variations(count), "hashVersion": 2}))?;
    let expected = expected.as_array().map_or(&[][..], |all| all);
    let near = |(range, expected): (&(f64, f64), &Json)| is_near(range.1 - range.0, expected);
    if got.len() == expected.len() && got.iter().zip(expected).all(near) {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got ranges {got:?}"))
    }
}

/// Runs the ranges for somebody who is at this place.
fn choose_variation(case: Case<'_>) -> Checked {
    let [_, place, ranges, expected] = case else {
        return Err("the case has not four parts".into());
    };
    let place = place.as_f64().ok_or("the place is no number")?;
    let anyone = everyone("k", &json!({}));
    for number in 0..20_000 {
        let who = json!({"id": format!("u{number}")});
        let found = exposures(&anyone, &who)?;
        if found.first().and_then(|it| it.bucket) != Some(place) {
            continue;
        }
        let count = ranges.as_array().map_or(0, Vec::len);
        let run = json!({"key": "k", "ranges": ranges, "variations": vec![0; count]});
        let found = exposures(&run, &who)?;
        let got = found.first().map_or(json!(-1), |it| json!(it.variation));
        return same(expected, &got);
    }
    Err(format!("nobody was found at the place {place}"))
}

fn asked_variation(case: Case<'_>) -> Checked {
    let [_, key, url, count, expected] = case else {
        return Err("the case has not five parts".into());
    };
    let run = json!({"key": key, "variations": variations(count), "active": false});
    let found = exposures(&run, &json!({"url": url}))?;
    same(expected, &json!(found.first().map(|it| it.variation)))
}

fn namespace(case: Case<'_>) -> Checked {
    let [_, id, namespace, expected] = case else {
        return Err("the case has not four parts".into());
    };
    let run = everyone("k", &json!({"namespace": namespace}));
    let found = exposures(&run, &json!({"id": id}))?;
    same(expected, &json!(!found.is_empty()))
}

/// A case's context as a file.
fn payload(context: &Json) -> Json {
    let mut payload = json!({});
    for name in [
        "features",
        "savedGroups",
        "contextualBandits",
        "experiments",
    ] {
        if let Some(part) = context.get(name) {
            payload[name] = part.clone();
        }
    }
    if payload.get("features").is_none() {
        payload["features"] = json!({});
    }
    payload
}

fn feature(case: Case<'_>) -> Checked {
    let [_, context, key, expected] = case else {
        return Err("the case has not four parts".into());
    };
    let key = key.as_str().unwrap_or_default();
    let flags = load(&payload(context))?;
    let attributes = attributes(context, None);
    let told = told(
        &flags,
        key,
        &flags.evaluate_exposing(key, &Context::anonymous().with(&attributes)),
        context,
    );
    same(expected, &told)
}

fn experiment(case: Case<'_>) -> Checked {
    let [_, context, run, value, inside, hashed] = case else {
        return Err("the case has not six parts".into());
    };
    let key = run["key"].as_str().unwrap_or_default();
    let mut payload = payload(context);
    payload["experiments"] = json!([run]);
    let flags = load(&payload)?;
    let attributes = attributes(context, None);
    let exposed = flags.evaluate_exposing(key, &Context::anonymous().with(&attributes));
    let got = json!([
        exposed.resolution.value,
        !exposed.exposures.is_empty(),
        exposed.exposures.iter().any(|it| it.is_hashed),
    ]);
    same(&json!([value, inside, hashed]), &got)
}

/// Documents by attribute and value, as they are looked up.
fn documents<'d>(all: impl IntoIterator<Item = &'d Json>) -> Map<String, Json> {
    let named = |document: &Json| {
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let name = format!("{}||{}", text("attributeName"), text("attributeValue"));
        (name, document.clone())
    };
    all.into_iter().map(named).collect()
}

fn sticky(case: Case<'_>) -> Checked {
    let [_, context, Json::Array(known), key, expected, remembered] = case else {
        return Err("the case has not six parts".into());
    };
    let key = key.as_str().unwrap_or_default();
    let flags = load(&payload(context))?;
    // Of the documents, those of the subject are asked for.
    let own = |document: &&Json| {
        let name = document["attributeName"].as_str().unwrap_or_default();
        context["attributes"].get(name) == document.get("attributeValue")
    };
    let mut documents = documents(known.iter().filter(own));
    let attributes = attributes(context, Some(&json!(documents)));
    let exposed = flags.evaluate_exposing(key, &Context::anonymous().with(&attributes));
    let told = told(&flags, key, &exposed, context);
    same(
        expected,
        told.get("experimentResult").unwrap_or(&Json::Null),
    )?;
    for exposure in &exposed.exposures {
        let Some(sticky) = &exposure.sticky else {
            continue;
        };
        let name = format!("{}||{}", sticky.attribute_name, sticky.attribute_value);
        let document = documents.entry(name).or_insert_with(|| {
            json!({"attributeName": sticky.attribute_name,
                "attributeValue": sticky.attribute_value, "assignments": {}})
        });
        document["assignments"][&sticky.experiment] = json!(sticky.variation);
    }
    same(remembered, &json!(documents))
}

/// Of the page's experiments that lead elsewhere, the first that takes the subject in does.
fn redirects(case: Case<'_>) -> Checked {
    let [_, context, Json::Array(expected)] = case else {
        return Err("the case has not three parts".into());
    };
    let flags = load(&payload(context))?;
    let attributes = attributes(context, None);
    let context = Context::anonymous().with(&attributes);
    let mut got = Vec::new();
    for flag in flags.flags() {
        let exposed = flags.evaluate_exposing(flag.key(), &context);
        let to = exposed
            .resolution
            .value
            .and_then(|it| it.get("urlRedirect"));
        if let Some(to) = to.filter(|_| !exposed.exposures.is_empty()) {
            got.push(json!({"inExperiment": true, "urlRedirect": to, "urlWithParams": to}));
            break;
        }
    }
    same(&json!(expected), &json!(got))
}

fn decrypt(case: Case<'_>) -> Checked {
    let [_, part, key, expected] = case else {
        return Err("the case has not four parts".into());
    };
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let key = text(key).parse::<DecryptionKey>();
    let opened = key.and_then(|key| key.decrypt(&text(part)));
    // What opens with a key that is not its own is garbage more often than not.
    let opened = opened
        .ok()
        .filter(|opened| serde_json::from_str::<Json>(opened).is_ok() || expected.is_string());
    same(expected, &json!(opened))
}

fn groups(groups: Option<&Json>) -> Map<String, Json> {
    groups
        .and_then(Json::as_object)
        .cloned()
        .unwrap_or_default()
}

fn prune(case: Case<'_>) -> Checked {
    let [_, condition, known, expected, rest @ ..] = case else {
        return Err("the case has not enough parts".into());
    };
    let known = known.as_object().cloned().unwrap_or_default();
    let pruned = prune_condition(condition, &known, &groups(rest.first()));
    same(expected, &pruned.into())
}

fn filter(said: &Json) -> PayloadFilter {
    let list = |name: &str| said.get(name).and_then(Json::as_array).cloned();
    let fields = said.get("customFields").and_then(Json::as_object);
    let fields = fields.into_iter().flatten();
    let wanted = |(name, wanted): (&String, &Json)| {
        (name.clone(), wanted.as_array().cloned().unwrap_or_default())
    };
    PayloadFilter {
        projects: list("projects"),
        tags: list("tags"),
        custom_fields: fields.map(wanted).collect(),
    }
}

fn reduce(case: Case<'_>) -> Checked {
    let [_, context, expected] = case else {
        return Err("the case has not three parts".into());
    };
    let by = Reduction {
        attributes: context["attributes"]
            .as_object()
            .cloned()
            .unwrap_or_default(),
        include: filter(&context["include"]),
        exclude: filter(&context["exclude"]),
        filter_prerequisites: context["prerequisites"] == "filter",
    };
    same(expected, &reduce_payload(&context["payload"], &by))
}
