//! Runs the plan's smoke suites at the service and at its instances.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use nonevent_document::Findings;
use nonevent_rollout::SmokeVerdict;
use nonevent_router::Arm;
use nonevent_smoke::{Options, Report, Secrets, Suite, SuiteVerdict, Target, run};
use nonevent_strategy::{Plan, SuiteMoment};

use crate::clock::Clock;
use crate::conduct::{SmokePlace, Smoked, Smoker};
use crate::error::{DriverError, DriverErrorKind};
use crate::site::{Binding, SuiteText, suite_text};

/// How long one suite may take at one place, in milliseconds.
const BUDGET_MS: u64 = 60_000;

/// The three suites of a plan, read.
pub struct SmokeHand {
    before: Suite,
    canary: Suite,
    after: Suite,
    others: Vec<Suite>,
    /// Where the service answers: a URL.
    service: String,
    release: [String; 2],
    clock: Clock,
}

impl SmokeHand {
    /// Reads the suites that `plan` names from `binding`.
    ///
    /// # Errors
    /// A suite that the plan names by its digest is not there, or cannot be understood.
    pub fn new(plan: &Plan, binding: &Binding, clock: Clock) -> Result<SmokeHand, DriverError> {
        let service = url(binding.service());
        SmokeHand::at_url(plan, &binding.suites, service, clock)
    }

    /// Reads the suites that `plan` names from `texts`, for a service that answers at `service`.
    ///
    /// # Errors
    /// As [`SmokeHand::new`].
    pub fn at_url(
        plan: &Plan,
        texts: &[SuiteText],
        service: String,
        clock: Clock,
    ) -> Result<SmokeHand, DriverError> {
        let suite = |moment: SuiteMoment| -> Result<Suite, DriverError> {
            let wanted = plan.suites.get(moment);
            let Some(wanted) = wanted.filter(|suite| suite.digest.is_some()) else {
                return Ok(Suite::default_suite());
            };
            let text = suite_text(texts, &plan.suites, moment).ok_or_else(|| {
                DriverError::new(
                    DriverErrorKind::State,
                    format!(
                        "the smoke suite {} is not the one that was planned",
                        wanted.name
                    ),
                )
            })?;
            Suite::parse(&text.name, text.text.as_bytes())
                .map_err(|findings| not_read(&text.name, &findings))
        };
        Ok(SmokeHand {
            before: suite(SuiteMoment::Before)?,
            canary: suite(SuiteMoment::Canary)?,
            after: suite(SuiteMoment::After)?,
            others: (0..plan.suites.others.len())
                .filter_map(|index| u16::try_from(index).ok())
                .map(|index| suite(SuiteMoment::Other(index)))
                .collect::<Result<_, _>>()?,
            service,
            release: [plan.release.from.clone(), plan.release.to.clone()],
            clock,
        })
    }

    fn suite(&self, moment: SuiteMoment) -> &Suite {
        match moment {
            SuiteMoment::Before => &self.before,
            SuiteMoment::Canary => &self.canary,
            SuiteMoment::After => &self.after,
            // A validated plan names no suite that it does not have.
            SuiteMoment::Other(index) => self.others.get(usize::from(index)).unwrap_or(&self.after),
        }
    }

    async fn at(&self, moment: SuiteMoment, place: &str, release: &str) -> Smoked {
        let unavailable = |text: String| Smoked {
            verdict: SmokeVerdict::Unavailable,
            text,
            report: serde_json::Value::Null,
        };
        let target = match Target::parse(place) {
            Ok(target) => target,
            Err(error) => return unavailable(error.to_string()),
        };
        let options = Options {
            budget_ms: BUDGET_MS,
            jobs: 4,
            secrets: Secrets::environment(),
            variables: [("release".to_owned(), release.to_owned())].into(),
            ..Options::started_at(self.clock.now())
        };
        let ended = run(
            self.suite(moment),
            &target,
            &options,
            std::future::pending(),
            |_| (),
        )
        .await;
        match ended {
            Ok(report) => smoked(&report, place),
            Err(findings) => unavailable(findings.to_string()),
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn not_read(name: &str, findings: &Findings) -> DriverError {
    DriverError::new(
        DriverErrorKind::Findings,
        format!("the smoke suite {name}: {findings}"),
    )
}

fn smoked(report: &Report, place: &str) -> Smoked {
    let verdict = match report.summary.verdict {
        SuiteVerdict::Passed | SuiteVerdict::Flaky | SuiteVerdict::Warned => SmokeVerdict::Passed,
        SuiteVerdict::Failed => SmokeVerdict::Failed,
        SuiteVerdict::Unreachable | SuiteVerdict::Inconclusive => SmokeVerdict::Unavailable,
    };
    let counts = report.summary.counts;
    let mut text = format!(
        "{} of {} tests passed at {} in {} ms",
        counts.passed + counts.flaky,
        counts.tests,
        place.strip_prefix("http://").unwrap_or(place),
        report.summary.duration_ms
    );
    let failed = report.tests.iter().flat_map(|test| {
        test.failures()
            .next()
            .map(|failure| format!("{}: {failure}", test.name))
    });
    for failure in failed {
        text.push_str("; ");
        text.push_str(&failure);
    }
    Smoked {
        verdict,
        text,
        report: serde_json::to_value(report).unwrap_or_default(),
    }
}

impl Smoker for SmokeHand {
    fn smoke(
        &self,
        suite: SuiteMoment,
        place: SmokePlace,
        version: Arm,
    ) -> Pin<Box<dyn Future<Output = Smoked> + Send + '_>> {
        Box::pin(async move {
            let release = self.release[version.index()].clone();
            let places = match place {
                SmokePlace::Service => vec![self.service.clone()],
                SmokePlace::Instances(addresses) => addresses.into_iter().map(url).collect(),
            };
            let mut last = Smoked {
                verdict: SmokeVerdict::Unavailable,
                text: "there is no ready instance to test".to_owned(),
                report: serde_json::Value::Null,
            };
            for place in places {
                last = self.at(suite, &place, &release).await;
                // One bad instance is enough.
                if last.verdict != SmokeVerdict::Passed {
                    return last;
                }
            }
            last
        })
    }
}
