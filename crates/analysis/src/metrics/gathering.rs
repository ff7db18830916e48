//! Gathers findings while figures are read out of replies.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::body::quoted;
use super::look::{Arm, ArmReplies, FINDINGS_MAX, Look, LookFinding, LookRules, WindowTimes};
use super::reply::{Point, Reply, ResultKind, SampleValue, Series};
use crate::window::GapReason;

/// The graver reasons first: those that put the source in doubt, then those about the time, then
/// those about the data.
const GRAVITY: [GapReason; 14] = [
    GapReason::Unreachable,
    GapReason::Unreadable,
    GapReason::FutureDated,
    GapReason::Stale,
    GapReason::PartialData,
    GapReason::OpenedBeforeChange,
    GapReason::WarmingUp,
    GapReason::CounterReset,
    GapReason::SeriesEnded,
    GapReason::UnequalWindows,
    GapReason::Ambiguous,
    GapReason::RatioOverNothing,
    GapReason::MissingSeries,
    GapReason::NoTraffic,
];

/// A series and where it was found.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) reply: &'a Reply,
    pub(crate) index: usize,
    pub(crate) series: &'a Series,
}

/// Findings that are being gathered for one look.
pub(crate) struct Gathering<'r> {
    pub(crate) rules: &'r LookRules,
    findings: Vec<LookFinding>,
}

impl<'r> Gathering<'r> {
    pub(crate) const fn new(rules: &'r LookRules) -> Self {
        Self {
            rules,
            findings: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        gap: Option<GapReason>,
        figure: &'static str,
        arm: Option<Arm>,
        place: String,
        text: impl Into<String>,
    ) {
        let finding = LookFinding {
            gap,
            arm,
            figure,
            place,
            text: text.into(),
        };
        // A gap must not get lost among remarks.
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else if gap.is_some() {
            self.findings[FINDINGS_MAX - 1] = finding;
        }
    }

    pub(crate) fn gap(
        &mut self,
        gap: GapReason,
        figure: &'static str,
        arm: impl Into<Option<Arm>>,
        place: String,
        text: impl Into<String>,
    ) {
        self.add(Some(gap), figure, arm.into(), place, text);
    }

    pub(crate) fn remark(
        &mut self,
        figure: &'static str,
        arm: impl Into<Option<Arm>>,
        place: String,
        text: impl Into<String>,
    ) {
        self.add(None, figure, arm.into(), place, text);
    }

    /// Figures, if nothing stands against them.
    pub(crate) fn close<T>(self, figures: Option<T>) -> Look<T> {
        let has = |gap: &GapReason| self.findings.iter().any(|f| f.gap == Some(*gap));
        let gravest = GRAVITY.into_iter().find(has);
        // A reason that has no rank is still a reason.
        let gravest = gravest.or_else(|| self.findings.iter().find_map(|finding| finding.gap));
        let result = match (gravest, figures) {
            (None, Some(figures)) => Ok(figures),
            (gap, _) => Err(gap.unwrap_or(GapReason::Unreadable)),
        };
        Look {
            result,
            findings: self.findings,
        }
    }

    pub(crate) fn times(&mut self, times: &WindowTimes) {
        if times.closed_ms <= times.opened_ms {
            let text = "the window ends before it begins; ask again later";
            self.gap(GapReason::Stale, "window", None, String::new(), text);
        }
        if times.changed_ms.is_some_and(|at| times.opened_ms < at) {
            let text = "the window opened before the split was in force; wait for a whole window";
            self.gap(
                GapReason::OpenedBeforeChange,
                "window",
                None,
                String::new(),
                text,
            );
        }
    }

    /// The series of stable and of the canary.
    pub(crate) fn split<'a>(
        &mut self,
        figure: &'static str,
        replies: ArmReplies<'a>,
    ) -> [Vec<Found<'a>>; 2] {
        let all = |reply: &'a Reply| {
            let series = reply.series.iter().enumerate();
            series.map(move |(index, series)| Found {
                reply,
                index,
                series,
            })
        };
        match replies {
            ArmReplies::Each { stable, canary } => {
                self.reply(figure, Some(Arm::Stable), stable);
                self.reply(figure, Some(Arm::Canary), canary);
                [all(stable).collect(), all(canary).collect()]
            }
            ArmReplies::ByLabel { reply, arms } => {
                self.reply(figure, None, reply);
                if arms.stable == arms.canary {
                    let text = "both versions have the same name, so they cannot be told apart";
                    self.gap(GapReason::Ambiguous, figure, None, String::new(), text);
                }
                let of = |name: &str| {
                    let own = all(reply).filter(|found| {
                        let value = found.series.labels.get(&arms.label);
                        value.is_some_and(|value| value == name)
                    });
                    own.collect::<Vec<_>>()
                };
                let (stable, canary) = (of(&arms.stable), of(&arms.canary));
                let others = reply
                    .series
                    .len()
                    .saturating_sub(stable.len() + canary.len());
                if others > 0 {
                    let text = format!("{others} series of neither version were left out");
                    self.remark(figure, None, String::new(), text);
                }
                [stable, canary]
            }
        }
    }

    fn reply(&mut self, figure: &'static str, arm: Option<Arm>, reply: &Reply) {
        for warning in reply.warnings.iter().take(4) {
            let gap = (!self.rules.accept_partial).then_some(GapReason::PartialData);
            let text = format!("the server warns: {}", quoted(warning));
            self.add(gap, figure, arm, String::from("warnings"), text);
        }
        for info in reply.infos.iter().take(4) {
            let text = format!("the server remarks: {}", quoted(info));
            self.remark(figure, arm, String::from("infos"), text);
        }
        if reply.kind == ResultKind::Text {
            let text = "a text where figures were expected; ask for series";
            self.gap(
                GapReason::Unreadable,
                figure,
                arm,
                String::from("data.result"),
                text,
            );
        }
    }

    /// Whether a time is neither too old nor too new for what was asked for.
    pub(crate) fn dated(&mut self, figure: &'static str, place: String, at_ms: u64, asked_ms: u64) {
        if at_ms > asked_ms.saturating_add(self.rules.ahead_max_ms) {
            let ahead = at_ms - asked_ms;
            let text = format!("figures of {ahead} ms later than asked for; compare the clocks");
            self.gap(GapReason::FutureDated, figure, None, place, text);
        } else if asked_ms.saturating_sub(at_ms) > self.rules.age_max_ms {
            let age = asked_ms - at_ms;
            let text = format!("the figures are {age} ms old; is a cache in between?");
            self.gap(GapReason::Stale, figure, None, place, text);
        }
    }

    /// The last sample of a series, if it is of the time asked for.
    pub(crate) fn last<'a>(
        &mut self,
        figure: &'static str,
        arm: Arm,
        found: &Found<'a>,
        asked_ms: u64,
    ) -> Option<(&'a Point, String)> {
        let at = found.series.points.len().saturating_sub(1);
        let point = found.series.points.last()?;
        let place = found.reply.place(found.index, at);
        if point.at_ms > asked_ms.saturating_add(self.rules.ahead_max_ms) {
            let ahead = point.at_ms - asked_ms;
            let text = format!("a sample {ahead} ms later than asked for; compare the clocks");
            self.gap(GapReason::FutureDated, figure, arm, place, text);
            return None;
        }
        let age = asked_ms.saturating_sub(point.at_ms);
        if age > self.rules.age_max_ms {
            let (gap, text) = if found.reply.kind == ResultKind::Matrix {
                let text = "the series ended {age} ms before the window; did its instances stop?";
                (GapReason::SeriesEnded, text)
            } else {
                let text =
                    "the sample is {age} ms old; is a cache in between, or a scrape failing?";
                (GapReason::Stale, text)
            };
            let text = text.replace("{age}", &format!("{age}"));
            self.gap(gap, figure, arm, place, text);
            return None;
        }
        Some((point, place))
    }

    /// A number that is one: NaN and infinities come from dividing by zero.
    pub(crate) fn number(
        &mut self,
        figure: &'static str,
        arm: Arm,
        point: &Point,
        place: &str,
    ) -> Option<f64> {
        let place = String::from(place);
        match point.value {
            SampleValue::Number(number) if number.is_finite() => Some(number),
            SampleValue::Number(_) => {
                let text = "NaN or infinite, as of a division by zero; no figure follows from it";
                self.gap(GapReason::RatioOverNothing, figure, arm, place, text);
                None
            }
            SampleValue::Histogram(_) => {
                let text = "a histogram where a number was expected; take histogram_count() of it";
                self.gap(GapReason::Unreadable, figure, arm, place, text);
                None
            }
        }
    }

    /// The one series of a version.
    pub(crate) fn one<'a>(
        &mut self,
        figure: &'static str,
        arm: Arm,
        series: &[Found<'a>],
    ) -> Option<Found<'a>> {
        match series {
            [] => {
                self.missing(figure, arm);
                None
            }
            [one] => Some(*one),
            [_, second, ..] => {
                let text = format!(
                    "{} series for one version; sum in the query over all other labels",
                    series.len()
                );
                let place = format!("data.result[{}]", second.index);
                self.gap(GapReason::Ambiguous, figure, arm, place, text);
                None
            }
        }
    }

    pub(crate) fn missing(&mut self, figure: &'static str, arm: Arm) {
        let text = "no series, which is not a zero; check the labels of the query, and let a \
                    count of errors fall back to `0 * requests`";
        self.gap(GapReason::MissingSeries, figure, arm, String::new(), text);
    }
}
