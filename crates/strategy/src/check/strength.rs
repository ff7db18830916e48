//! What harm a pause would find before more traffic moves.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};

use nonevent_analysis::{Design, Policy, finds, power};
use nonevent_document::format_duration_ms;
use nonevent_router::FULL_WEIGHT;

use super::Checker;
use crate::deployment::AnalysisSettings;
use crate::rules;

/// A canary with so many times the errors that it is allowed should not get past a step…
const TIMES_ALLOWED: u32 = 5;
/// …nor, unless a document says otherwise, is stable taken for better than this part of what is
/// allowed.
const STABLE_PART: u32 = 10;

/// The error rates that a step is held to, in millionths.
struct Wanted {
    stable_ppm: u32,
    allowed_ppm: u32,
}

impl Wanted {
    /// No document says what stable's error rate is. It is taken for a tenth of the absolute bound,
    /// or, without one, for the rate that the ratio never holds against a canary.
    fn by(policy: &Policy) -> Option<Self> {
        match (policy.error_rate_max_ppm, policy.error_ratio_max_percent) {
            (Some(allowed_ppm), _) => Some(Self {
                stable_ppm: allowed_ppm / STABLE_PART,
                allowed_ppm,
            }),
            (None, Some(percent)) => {
                let stable_ppm = policy.error_rate_floor_ppm;
                let allowed = u64::from(stable_ppm) * u64::from(percent) / 100;
                Some(Self {
                    stable_ppm,
                    allowed_ppm: u32::try_from(allowed).unwrap_or(u32::MAX),
                })
            }
            (None, None) => None,
        }
    }

    /// What a step with this share should find: [`TIMES_ALLOWED`] times what is allowed, or the
    /// canary's rate that takes the service as a whole over it, if that is more. A small share may
    /// be bad without doing harm.
    fn found_at(&self, weight: u16) -> f64 {
        let allowed = f64::from(self.allowed_ppm) / 1e6;
        let whole = allowed * f64::from(FULL_WEIGHT) / f64::from(weight.max(1));
        (allowed * f64::from(TIMES_ALLOWED)).max(whole).min(0.99)
    }
}

/// Which steps are asked what they would find: all of a ramp that people wrote, and of a longer one
/// the first of each length of pause, as the steps after it have more traffic. An answer costs some
/// milliseconds.
pub(super) struct Asked {
    all: bool,
    pauses: BTreeSet<u64>,
}

impl Asked {
    /// The longest ramp of which all steps are asked.
    const STEPS_MAX: usize = 12;
    /// Steps of a longer one that are asked at most.
    const PAUSES_MAX: usize = 2;

    pub(super) const fn of(steps: usize) -> Self {
        Asked {
            all: steps <= Asked::STEPS_MAX,
            pauses: BTreeSet::new(),
        }
    }

    pub(super) fn is_worth(&mut self, usable_ms: u64) -> bool {
        self.all || (self.pauses.len() < Asked::PAUSES_MAX && self.pauses.insert(usable_ms))
    }
}

impl Checker<'_> {
    /// Says so if the pause at `path` would not find, with probability 0.8, what it should, even if
    /// errors never burst: a pause that reckons with bursts needs to be longer still.
    pub(super) fn strength(
        &mut self,
        path: &str,
        analysis: &AnalysisSettings,
        usable_ms: u64,
        weight: u16,
        rate: u32,
    ) {
        let Some(wanted) = Wanted::by(&analysis.policy) else {
            return;
        };
        let (requests, part) = self.compared(weight, u64::from(rate) * 60);
        let design = design(analysis, &wanted, usable_ms, part, requests);
        let at = wanted.found_at(weight);
        if finds(&design, &analysis.policy, at) {
            return;
        }
        let found = power(&design, &analysis.policy).error_rate_80;
        if found.is_some_and(|found| found <= at) {
            return;
        }
        let smallest = found.map_or_else(
            || String::from("no error rate is surely found"),
            |found| format!("an error rate below {} is likely missed", percent(found)),
        );
        self.push(
            rules::PAUSE_WEAK,
            path,
            format!(
                "{smallest} in {} of {} of the traffic, where {} should be found",
                format_duration_ms(usable_ms),
                percent(f64::from(weight) / f64::from(FULL_WEIGHT)),
                percent(at),
            ),
            "lengthen the pause or look more often, raise the step's traffic, or deploy when there \
             are more requests",
        );
    }

    /// Says so if the traffic is not known, and with it what the pauses would find.
    pub(super) fn strength_known(&mut self) {
        let Some(analysis) = &self.deployment.analysis else {
            return;
        };
        if self.deployment.fleet.requests_per_second.is_none()
            && Wanted::by(&analysis.policy).is_some()
        {
            self.push(
                rules::PAUSE_UNKNOWN,
                "fleet",
                "not evaluated: what harm the pauses would find depends on the traffic".to_string(),
                "write `requests_per_second`, as it is at the hour of the deployment",
            );
        }
    }
}

fn design(
    analysis: &AnalysisSettings,
    wanted: &Wanted,
    usable_ms: u64,
    weight: u16,
    requests_per_minute: u64,
) -> Design {
    Design {
        requests_per_minute,
        canary_basis_points: weight,
        pause_ms: usable_ms,
        look_ms: analysis.every_ms,
        error_rate_ppm: wanted.stable_ppm,
        variation_percent: 0,
    }
}

/// A share of requests for people to read, in percent with two digits that count.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 9.95 {
        format!("{percent:.0}%")
    } else if percent >= 0.995 {
        let text = format!("{percent:.1}");
        format!("{}%", text.trim_end_matches(".0"))
    } else {
        format!("{percent:.2}%")
    }
}
