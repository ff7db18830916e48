//! Two versions of a service asked the same: what the new one answers otherwise, and how long it
//! takes.

mod one;
pub(crate) mod report;
pub(crate) mod text;

use core::future::Future;

use nonevent_document::Findings;
use tokio::time::Instant;

use crate::backends::Backends;
use crate::bind::select::Case;
use crate::compare::report::{CompareVerdict, Compared, Comparison, ComparisonHead};
use crate::latency::LatencyRule;
use crate::net::deadline::Deadline;
use crate::options::Options;
use crate::report::SuiteReference;
use crate::report::result::Part;
use crate::run::open_session;
use crate::run::schedule::Unit;
use crate::run::session::{Session, lock};
use crate::suite::model::{Suite, Test};
use crate::target::Target;

/// How two versions are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareRule {
    /// How often the old version is asked, at least twice: what differs between its own answers is
    /// noise. More answers know more of it.
    pub samples: usize,
    /// How often the old version is asked again, once more at a time, while the new one answers
    /// otherwise than it ever did: what it then does itself was noise that its first answers did
    /// not show. Only requests with a safe method are repeated so.
    pub confirmations: usize,
    /// Whether, and by which rule, latencies are compared too.
    pub latency: Option<LatencyRule>,
    /// Decides which version is asked first in each pair of latencies.
    pub seed: u64,
    /// Places where the versions may differ, beside those that a test names: `header x-version`,
    /// `$.items[*].etag`. What is in a place belongs to it.
    pub ignored: Vec<String>,
}

impl Default for CompareRule {
    /// Two answers of the old version and three more before a difference is one, no latencies.
    fn default() -> CompareRule {
        CompareRule {
            samples: 2,
            confirmations: 3,
            latency: None,
            seed: 0,
            ignored: Vec::new(),
        }
    }
}

/// Answers of the old version to one request.
const SAMPLES_MAX: usize = 20;

/// Asks an old and a new version the same, and says what the new one does otherwise.
///
/// Each HTTP test with a safe method (RFC 9110, section 9.2.1), and each that says `compare: true`,
/// is asked of the old version, of the new one, and of the old one again as often as
/// [`CompareRule::samples`] says. What differs between the old version's own answers is noise; what
/// the new one's has besides is a difference, but for the build that an `expected_build` names, and
/// unless the old version does the same when it is asked again
/// ([`CompareRule::confirmations`]). An assertion that holds for the old version and not for the new
/// one is a difference too. Other tests are not asked, but for setup and teardown, which are run on
/// both.
///
/// With [`CompareRule::latency`], each test is then asked in pairs, one of each version, until it
/// is decided whether the new one is slower. What is compared is the time from sending the request
/// to the end of the answer, without connecting.
///
/// Tests are asked one at a time, whatever [`Options::jobs`] says, and a name that has several
/// addresses is asked at any of them.
///
/// # Errors
///
/// The findings of [`Suite::check`] against either target, before anything is sent.
pub async fn compare(
    suite: &Suite,
    old: &Target,
    new: &Target,
    options: &Options,
    rule: &CompareRule,
    cancel: impl Future<Output = ()> + Send,
    mut observe: impl FnMut(&Compared) + Send,
) -> Result<Comparison, Findings> {
    let begun = Instant::now();
    let options = Options {
        backends: Backends::Any,
        ..options.clone()
    };
    let (old_session, cases) = open_session(suite, old, &options, begun).await?;
    let (new_session, _) = open_session(suite, new, &options, begun).await?;
    let pair = Pair {
        old: &old_session,
        new: &new_session,
        rule,
    };
    let mut results = Vec::new();
    let is_cancelled = {
        let mut each = |compared| {
            observe(&compared);
            results.push(compared);
        };
        let work = pair.all(&cases, &mut each);
        tokio::select! {
            biased;
            () = cancel => true,
            () = work => false,
        }
    };
    if is_cancelled {
        // What was made is cleaned up all the same, within a time of its own.
        let end = Deadline::after(Instant::now(), options.limits.teardown_ms, "teardown_ms");
        for session in [&old_session, &new_session] {
            *lock(&session.run) = end;
        }
    }
    pair.part(&cases, Part::Teardown).await;
    let head = ComparisonHead {
        suite: SuiteReference {
            name: suite.name().to_owned(),
            digest: suite.digest(),
            tests: suite.tests().iter().map(Test::cases).sum(),
            selected: Some(cases.len()),
        },
        old: shown(old),
        new: shown(new),
        samples: pair.samples(),
        started_at: options.started_at,
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        is_cancelled,
    };
    Ok(Comparison::new(head, results))
}

/// The two versions.
#[derive(Clone, Copy)]
struct Pair<'p, 'a> {
    old: &'p Session<'a>,
    new: &'p Session<'a>,
    rule: &'p CompareRule,
}

impl Pair<'_, '_> {
    fn samples(self) -> usize {
        self.rule.samples.clamp(2, SAMPLES_MAX)
    }

    async fn all(self, cases: &[Case], each: &mut (impl FnMut(Compared) + Send)) {
        if let Some(unprepared) = self.part(cases, Part::Setup).await {
            let why = format!("the setup `{unprepared}` did not pass");
            for case in cases {
                if let Some(test) = self.old.context.test(*case)
                    && test.part == Part::Test
                {
                    each(self.left(*case, test, CompareVerdict::Inconclusive, &why));
                }
            }
            return;
        }
        let mut usable = vec![true; self.old.context.suite.tests().len()];
        for case in cases {
            let Some(test) = self.old.context.test(*case) else {
                continue;
            };
            if test.part != Part::Test {
                continue;
            }
            let missing = test.needs.iter().find(|needed| {
                let usable = usable.get(**needed).copied();
                !usable.unwrap_or_default()
            });
            let compared = match missing {
                Some(_) => {
                    let why = "a test that it needs could not be compared";
                    self.left(*case, test, CompareVerdict::Skipped, why)
                }
                None => self.one(*case, test).await,
            };
            if matches!(
                compared.verdict,
                CompareVerdict::Skipped | CompareVerdict::Inconclusive
            ) && let Some(usable) = usable.get_mut(case.test)
            {
                *usable = false;
            }
            each(compared);
        }
    }

    /// Runs the cases of a part on both versions; the name of the first that did not pass.
    async fn part(self, cases: &[Case], part: Part) -> Option<String> {
        let mut failed = None;
        for &case in cases {
            let test = self.old.context.test(case);
            if test.is_none_or(|test| test.part != part) {
                continue;
            }
            for session in [self.old, self.new] {
                let result = session.ask(Unit { lane: 0, case }).await;
                if let Some(result) = result.filter(|result| !result.verdict.is_yes()) {
                    failed.get_or_insert(result.name);
                }
            }
            if failed.is_some() && part == Part::Setup {
                break;
            }
        }
        failed
    }
}

/// A target's URL, and the address that is connected to instead of the URL's host.
fn shown(target: &Target) -> String {
    match target.connect_address() {
        Some(address) => format!("{} at {address}", target.url()),
        None => target.url(),
    }
}
