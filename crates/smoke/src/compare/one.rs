//! One test, asked of both versions.

use std::borrow::Cow;

use tokio::time::Instant;

use crate::bind::select::Case;
use crate::compare::report::{CompareVerdict, Compared, ComparedLatency};
use crate::compare::{Pair, SAMPLES_MAX};
use crate::differential::{Difference, Noise, Response};
use crate::latency::{LatencyComparison, LatencyRule, LatencyVerdict};
use crate::net::exchange::Answer;
use crate::report::result::{Attempt, Failure};
use crate::report::verdict::Verdict;
use crate::run::attempt::Tried;
use crate::suite::expectations::BuildSource;
use crate::suite::model::Test;
use crate::trouble::Cause;

/// Requests without a usable answer after which latencies are not compared further.
const LATENCY_TROUBLES_MAX: u32 = 3;
/// Places of noise that are named.
const NOISE_MAX: usize = 20;

impl Pair<'_, '_> {
    /// A text without the secrets that either version was sent or gave.
    fn mask(self, text: &str) -> String {
        let text = self.old.redactor().apply(text).into_owned();
        self.new.redactor().apply(&text).into_owned()
    }

    /// What is said of a test that is not compared, and why.
    pub(super) fn left(
        self,
        case: Case,
        test: &Test,
        verdict: CompareVerdict,
        why: &str,
    ) -> Compared {
        Compared {
            name: self.mask(&self.old.context.name(test, case)),
            method: test.probe.word().to_owned(),
            url: self.mask(&self.new.url(case)),
            verdict,
            why: Some(self.mask(why)),
            differences: Vec::new(),
            noise: Vec::new(),
            latency: None,
            curl: None,
        }
    }

    /// Asks the old version, the new one, and the old one again, and says what is another.
    pub(super) async fn one(self, case: Case, test: &Test) -> Compared {
        let Some(http) = test.http() else {
            let why = "it asks nothing by HTTP";
            return self.left(case, test, CompareVerdict::Skipped, why);
        };
        let wanted = test.compare.as_ref().and_then(|compare| compare.wanted);
        let why = match wanted {
            Some(true) => None,
            Some(false) => Some("it says that it is not to be compared".to_owned()),
            None if http.method.is_safe() => None,
            None => Some(format!(
                "{} could act; write `compare: true` if it may be sent to both versions",
                http.method
            )),
        };
        if let Some(why) = why {
            return self.left(case, test, CompareVerdict::Skipped, &why);
        }
        let mut old = Vec::new();
        let mut new = None;
        for at in 0..self.samples() {
            old.extend(self.old.once(case).await);
            if at == 0 {
                new = self.new.once(case).await;
            }
        }
        let Some(new) = new.filter(|_| old.len() == self.samples()) else {
            let why = "a captured value does not fit";
            return self.left(case, test, CompareVerdict::Inconclusive, why);
        };
        let mut compared = self.judge(case, test, &old, &new);
        let confirmations = if http.method.is_safe() {
            self.rule.confirmations.min(SAMPLES_MAX)
        } else {
            0
        };
        for _ in 0..confirmations {
            if compared.differences.is_empty() {
                break;
            }
            let again = self.old.once(case).await;
            let Some(tried) = again.filter(|tried| tried.answer.is_some()) else {
                break;
            };
            old.push(tried);
            compared = self.judge(case, test, &old, &new);
        }
        if compared.verdict == CompareVerdict::Different {
            compared.curl = self.new.curl(case).map(|command| self.mask(&command));
        } else if compared.verdict == CompareVerdict::Same
            && let Some(rule) = &self.rule.latency
        {
            self.latency(&mut compared, case, rule).await;
        }
        compared
    }

    /// Compares the new version's answer with those of the old one.
    fn judge(self, case: Case, test: &Test, old: &[Tried], new: &Tried) -> Compared {
        let mut responses = Vec::new();
        for tried in old {
            let Some(answer) = &tried.answer else {
                let why = format!("the old version gave no answer: {}", said(&tried.attempt));
                return self.left(case, test, CompareVerdict::Inconclusive, &why);
            };
            responses.push(self.response(answer));
        }
        let Some(answer) = &new.answer else {
            let is_answer = |failure: &Failure| failure.cause.is_answer();
            let verdict = if new.attempt.failures.iter().any(is_answer) {
                CompareVerdict::Different
            } else {
                CompareVerdict::Inconclusive
            };
            let why = format!("the new version gave no answer: {}", said(&new.attempt));
            return self.left(case, test, verdict, &why);
        };
        let noise = Noise::learn(&responses);
        let mut differences = noise.compare(&self.response(answer));
        let by_build = test.expect.build.as_ref().map(|build| match &build.source {
            BuildSource::Header(name) => format!("header {name}"),
            BuildSource::Json(path) => path.place(),
        });
        let of_test = test.compare.iter().flat_map(|compare| &compare.ignored);
        let ignored = || of_test.clone().chain(&self.rule.ignored).chain(&by_build);
        differences.retain(|difference| !ignored().any(|place| difference.is_in(place)));
        // What the old version does not hold to either is no difference.
        let is_known = |failure: &Failure| {
            let is_same = |known: &Failure| match &known.expected {
                Some(expected) => failure.expected.as_ref() == Some(expected),
                None => known.message == failure.message,
            };
            old.iter()
                .flat_map(|tried| &tried.attempt.failures)
                .any(is_same)
        };
        let failures = new
            .attempt
            .failures
            .iter()
            .filter(|failure| !is_known(failure));
        let asserted = failures.filter(|failure| failure.cause == Cause::Assertion);
        differences
            .extend(asserted.map(|failure| Difference::assertion(&self.mask(&failure.message))));

        let verdict = if differences.is_empty() {
            CompareVerdict::Same
        } else {
            CompareVerdict::Different
        };
        let mut described = noise.described();
        described.truncate(NOISE_MAX);
        Compared {
            why: None,
            differences,
            noise: described,
            ..self.left(case, test, verdict, "")
        }
    }

    /// An answer as it is compared: without secrets, so that no difference can show one.
    fn response(self, answer: &Answer) -> Response {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), self.mask(&value))
        };
        let body = match core::str::from_utf8(&answer.body) {
            Ok(text) => Cow::Owned(self.mask(text).into_bytes()),
            Err(_) => Cow::Borrowed(&answer.body[..]),
        };
        Response {
            status: answer.status,
            headers: answer.headers.iter().map(header).collect(),
            body: body.into_owned(),
        }
    }

    async fn latency(self, compared: &mut Compared, case: Case, rule: &LatencyRule) {
        let mut pairs = LatencyComparison::new(*rule, self.rule.seed);
        let (mut old_troubles, mut new_troubles) = (0, 0);
        let verdict = loop {
            let new_first = pairs.new_first();
            let order = if new_first {
                [self.new, self.old]
            } else {
                [self.old, self.new]
            };
            let mut times = [None, None];
            for (time, session) in times.iter_mut().zip(order) {
                *time = session.once(case).await.and_then(|tried| own_us(&tried));
            }
            let [first, second] = times;
            let (old, new) = if new_first {
                (second, first)
            } else {
                (first, second)
            };
            old_troubles += u32::from(old.is_none());
            new_troubles += u32::from(new.is_none());
            if old_troubles.max(new_troubles) >= LATENCY_TROUBLES_MAX
                || Instant::now() >= self.new.deadline().at()
            {
                break LatencyVerdict::Undecided;
            }
            if let (Some(old), Some(new)) = (old, new) {
                match pairs.observe(old, new) {
                    LatencyVerdict::NeedsMore => {}
                    decided => break decided,
                }
            }
        };
        compared.verdict = match verdict {
            LatencyVerdict::NotSlower => compared.verdict,
            LatencyVerdict::Slower => CompareVerdict::Different,
            LatencyVerdict::NeedsMore | LatencyVerdict::Undecided => CompareVerdict::Inconclusive,
        };
        compared.why = match verdict {
            LatencyVerdict::NotSlower => None,
            LatencyVerdict::Slower => Some("the new version is slower".to_owned()),
            _ if new_troubles > 0 || old_troubles > 0 => Some(format!(
                "latencies are not decided: {old_troubles} requests to the old version and \
                 {new_troubles} to the new one had no usable answer"
            )),
            _ => Some("latencies are not decided".to_owned()),
        };
        compared.latency = Some(ComparedLatency {
            verdict,
            old_troubles,
            new_troubles,
            figures: pairs.figures(),
        });
    }
}

/// The service's own time: from sending the request to the end of the answer.
fn own_us(tried: &Tried) -> Option<u64> {
    if tried.attempt.verdict != Verdict::Passed {
        return None;
    }
    let timings = tried.attempt.timings;
    Some(timings.first_byte_us? + timings.body_us.unwrap_or_default())
}

fn said(attempt: &Attempt) -> String {
    let failures: Vec<String> = attempt.failures.iter().map(ToString::to_string).collect();
    failures.join("; ")
}
