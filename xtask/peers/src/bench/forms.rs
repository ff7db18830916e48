//! The races, form by form.

use super::definitions::{FLAGD, LAUNCHDARKLY, UFC, UNLEASH};
use super::{SUBJECTS, race};
use crate::engines::{self, LaunchDarklyStore};
use datalogic_rs::Engine;
use eppo_core::eval::{get_assignment, get_assignment_details};
use eppo_core::{Attributes, Str};
use flagd_evaluation_engine::{FlagParser, Operator};
use launchdarkly_server_sdk_evaluation as ld;
use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, FlagSet, Value};
use open_feature::EvaluationContext;
use std::hint::black_box;
use std::sync::Arc;

const PLANS: [&str; 4] = ["free", "pro", "team", "other"];
const FLAGS: [(&str, &str); 3] = [
    ("static", "static"),
    ("rule", "one rule"),
    ("half", "50 % rollout"),
];

/// What the subjects are called, and what plan they have.
fn subjects() -> Vec<(String, &'static str)> {
    (0..SUBJECTS)
        .map(|at| (format!("user-{at}"), PLANS[at % PLANS.len()]))
        .collect()
}

fn attributes(subjects: &[(String, &'static str)]) -> Vec<[(&'static str, Value<'static>); 2]> {
    subjects
        .iter()
        .map(|(_, plan)| [("plan", (*plan).into()), ("country", "de".into())])
        .collect()
}

fn contexts<'a>(
    subjects: &'a [(String, &'static str)],
    attributes: &'a [[(&'static str, Value<'static>); 2]],
) -> Vec<Context<'a>> {
    let now = Timestamp::from_unix_ms(1_767_225_600_000);
    let all = subjects.iter().zip(attributes);
    all.map(|((key, _), own)| Context::new(key).with(own).at(now))
        .collect()
}

/// As [`FlagSet::evaluate`] answers: value, variant, reason, metadata.
fn evaluates<'a>(
    set: &'a FlagSet,
    key: &'a str,
    contexts: &'a [Context<'a>],
) -> impl FnMut(usize) + 'a {
    move |at| {
        black_box(set.evaluate(key, &contexts[at]));
    }
}

fn asks<'a>(set: &'a FlagSet, key: &'a str, contexts: &'a [Context<'a>]) -> impl FnMut(usize) + 'a {
    move |at| {
        black_box(set.bool(key, false, &contexts[at]));
    }
}

pub(super) fn unleash() {
    let subjects = subjects();
    let (own, set) = (
        attributes(&subjects),
        engines::ours(UNLEASH, Dialect::Unleash),
    );
    let contexts = contexts(&subjects, &own);
    let (engine, _) = engines::yggdrasil(UNLEASH).expect("the peer reads it");
    let theirs: Vec<_> = subjects
        .iter()
        .map(|(key, plan)| unleash_yggdrasil::Context {
            user_id: Some(key.clone()),
            session_id: None,
            environment: None,
            app_name: None,
            current_time: None,
            remote_address: None,
            properties: Some(
                [
                    ("plan".to_owned(), (*plan).to_owned()),
                    ("country".to_owned(), "de".to_owned()),
                ]
                .into(),
            ),
        })
        .collect();
    for (key, flag) in FLAGS {
        race(
            ["Unleash", flag, "Yggdrasil"],
            asks(&set, key, &contexts),
            |at| {
                black_box(engine.is_enabled(key, &theirs[at], &None));
            },
        );
    }
    let key = "variant";
    race(
        ["Unleash", "rule, variant, reason", "Yggdrasil"],
        evaluates(&set, key, &contexts),
        |at| {
            black_box(engine.resolve(key, &theirs[at], &None));
        },
    );
}

pub(super) fn ufc() {
    let subjects = subjects();
    let (own, set) = (attributes(&subjects), engines::ours(UFC, Dialect::Ufc));
    let contexts = contexts(&subjects, &own);
    let configuration = engines::eppo(UFC).expect("the peer reads it");
    let theirs: Vec<(Str, Arc<Attributes>)> = subjects
        .iter()
        .map(|(key, plan)| {
            let all = [
                ("plan".into(), (*plan).into()),
                ("country".into(), "de".into()),
            ];
            (key.as_str().into(), Arc::new(all.into_iter().collect()))
        })
        .collect();
    let now = engines::chrono_time(1_767_225_600_000);
    for (key, flag) in FLAGS {
        race(
            ["UFC", flag, "eppo_core"],
            evaluates(&set, key, &contexts),
            |at| {
                let (subject, own) = &theirs[at];
                let _ = black_box(get_assignment(
                    Some(&configuration),
                    key,
                    subject,
                    own,
                    None,
                    now,
                ));
            },
        );
    }
    race(
        ["UFC", "one rule, reason", "eppo_core"],
        evaluates(&set, "rule", &contexts),
        |at| {
            let (subject, own) = &theirs[at];
            black_box(get_assignment_details(
                Some(&configuration),
                "rule",
                subject,
                own,
                None,
                now,
            ));
        },
    );
}

pub(super) fn launchdarkly() {
    let subjects = subjects();
    let (own, set) = (
        attributes(&subjects),
        engines::ours(LAUNCHDARKLY, Dialect::LaunchDarkly),
    );
    let contexts = contexts(&subjects, &own);
    let store: LaunchDarklyStore = serde_json::from_str(LAUNCHDARKLY).expect("the peer reads it");
    let theirs: Vec<ld::Context> = subjects
        .iter()
        .map(|(key, plan)| {
            let mut builder = ld::ContextBuilder::new(key.as_str());
            builder
                .set_string("plan", *plan)
                .set_string("country", "de");
            builder.build().expect("a context")
        })
        .collect();
    for (key, flag) in FLAGS {
        let flag = format!("{flag}, reason");
        race(
            ["LaunchDarkly", &flag, "rust-server-sdk-evaluation"],
            evaluates(&set, key, &contexts),
            |at| {
                let flag = store.flags.get(key).expect("it is there");
                black_box(ld::evaluate(&store, flag, &theirs[at], None));
            },
        );
    }
}

pub(super) fn flagd() {
    let subjects = subjects();
    let (own, set) = (attributes(&subjects), engines::ours(FLAGD, Dialect::Flagd));
    let contexts = contexts(&subjects, &own);
    let flags = FlagParser::parse_string(FLAGD)
        .expect("the peer reads it")
        .flags;
    let operator = Operator::new();
    let theirs: Vec<EvaluationContext> = subjects
        .iter()
        .map(|(key, plan)| {
            EvaluationContext::default()
                .with_targeting_key(key.as_str())
                .with_custom_field("plan", *plan)
                .with_custom_field("country", "de")
        })
        .collect();
    for (key, flag) in FLAGS {
        race(
            ["flagd", flag, "flagd-evaluation-engine"],
            evaluates(&set, key, &contexts),
            |at| {
                let flag = flags.get(key).expect("it is there");
                // As its in-process provider does.
                let named = match &flag.targeting {
                    Some(targeting) => operator
                        .apply(key, &targeting.to_string(), &theirs[at])
                        .ok()
                        .flatten(),
                    None => None,
                };
                black_box(
                    flag.variants
                        .get(named.as_deref().unwrap_or(&flag.default_variant)),
                );
            },
        );
    }
    // The engine below it, with its rule compiled and its data read before.
    let engine = Engine::new();
    let rule = serde_json::from_str::<serde_json::Value>(FLAGD).expect("JSON")["flags"]["rule"]["targeting"].to_string();
    let compiled = engine.compile(&rule).expect("the peer compiles it");
    let data: Vec<_> = subjects
        .iter()
        .map(|(key, plan)| {
            let text =
                serde_json::json!({"targetingKey": key, "plan": plan, "country": "de"}).to_string();
            datalogic_rs::datavalue::OwnedDataValue::from_json(&text).expect("JSON")
        })
        .collect();
    let mut session = engine.session();
    race(
        ["flagd", "one rule", "datalogic-rs, compiled"],
        evaluates(&set, "rule", &contexts),
        |at| {
            let _ = black_box(
                session
                    .eval_borrowed(&compiled, &data[at])
                    .map(|value| value.as_str().is_some()),
            );
            session.reset();
        },
    );
}
