//! What speaks for a strategy and against it, with points.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::FULL_WEIGHT;
use serde::Serialize;

use super::page::{back, instances, ppm, share};
use super::{Appetite, Cost, SituationFacts, Statefulness};
use crate::deployment::{MigrationKind, StrategyKind};

/// A way back within this time is fast, in milliseconds.
const FAST_MS: u64 = 60_000;
/// A forward way longer than this is long, in milliseconds.
const LONG_MS: u64 = 30 * 60_000;
/// A pause that finds no error rate up to this is blind, in millionths: with a share of 5 %, a
/// canary with 20 % of errors takes the service as a whole over the default bound of 1 %.
const BLIND_PPM: u32 = 200_000;

/// Which kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ReasonKind {
    /// Few requests meet the new version before the first verdict.
    SmallFirstShare,
    /// All of them do.
    LateVerdict,
    /// The first pause finds harm.
    FindsHarm,
    /// The first pause sees too little to find any.
    Blind,
    /// Whether it would is not known.
    TrafficUnknown,
    /// Everything is tried before a user meets it.
    TriedWhole,
    /// The old environment is kept for a while.
    OldKept,
    /// The way back is fast.
    FastBack,
    /// The way back is slow.
    SlowBack,
    /// There is no clean way back once the migration has begun.
    NoCleanWayBack,
    /// The migration leaves old code running.
    MigrationGoesBack,
    /// It needs few instances more, or none.
    LittleCapacity,
    /// It needs a second fleet.
    SecondFleet,
    /// It takes long.
    Long,
    /// It stops the service.
    Downtime,
    /// Old and new never run at the same time.
    NeverTogether,
    /// Fewer things to go wrong, where nobody is harmed.
    Simple,
    /// Instances that keep nothing are replaced without loss.
    KeepsNothing,
    /// Sessions in memory are lost, or meet both versions.
    Sessions,
    /// Long-lived connections are cut.
    Connections,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Reason {
    /// Which kind.
    pub kind: ReasonKind,
    /// What it adds to the score: above 0 it speaks for the strategy, below against it.
    pub points: i32,
    /// Why, with figures.
    pub sentence: String,
}

/// Every reason, those for it first, the weightiest of each first.
pub(super) fn reasons(facts: &SituationFacts, kind: StrategyKind, cost: &Cost) -> Vec<Reason> {
    let mut writer = Writer {
        facts,
        kind,
        cost,
        reasons: Vec::new(),
    };
    writer.verdict();
    writer.way_back();
    writer.capacity_and_time();
    writer.state();
    let mut reasons = writer.reasons;
    reasons.sort_by_key(|it| (it.points <= 0, -it.points.abs(), it.kind));
    reasons
}

struct Writer<'a> {
    facts: &'a SituationFacts,
    kind: StrategyKind,
    cost: &'a Cost,
    reasons: Vec<Reason>,
}

impl Writer<'_> {
    fn push(&mut self, kind: ReasonKind, points: i32, sentence: String) {
        self.reasons.push(Reason {
            kind,
            points,
            sentence,
        });
    }

    /// What a small first share is worth, and what its lack costs.
    const fn caution(&self) -> i32 {
        match (self.facts.production, self.facts.appetite) {
            (false, _) | (true, Appetite::Bold) => 1,
            (true, Appetite::Usual) => 3,
            (true, Appetite::Cautious) => 4,
        }
    }

    fn verdict(&mut self) {
        let cost = *self.cost;
        if cost.requests_unjudged < FULL_WEIGHT {
            let part = share(cost.requests_unjudged);
            let sentence = format!("{part} of requests meet it before the first verdict");
            self.push(ReasonKind::SmallFirstShare, self.caution(), sentence);
            self.first_pause();
        } else {
            let sentence = String::from(if cost.first_look_ms == 0 {
                "all requests meet it, and no verdict is given"
            } else {
                "all requests meet it before the first verdict"
            });
            self.push(ReasonKind::LateVerdict, -self.caution(), sentence);
        }
        if self.kind == StrategyKind::BlueGreen {
            let sentence = String::from("all of it is tried before a user meets it");
            self.push(ReasonKind::TriedWhole, 2, sentence);
        }
    }

    fn first_pause(&mut self) {
        let time = format_duration_ms(self.cost.first_look_ms);
        match (self.cost.first_requests, self.cost.found_ppm) {
            (None, _) => {
                let sentence = format!(
                    "not evaluated: what its first {time} would find depends on the traffic"
                );
                self.push(ReasonKind::TrafficUnknown, -1, sentence);
            }
            (Some(_), Some(found)) if found <= BLIND_PPM => {
                let found = ppm(found);
                let sentence = format!("its first {time} find an error rate from {found} up");
                self.push(ReasonKind::FindsHarm, 2, sentence);
            }
            (Some(requests), _) => {
                let sentence =
                    format!("the {requests} requests of its first {time} show next to nothing");
                self.push(ReasonKind::Blind, -4, sentence);
            }
        }
    }

    fn way_back(&mut self) {
        let back_ms = self.cost.back_watched_ms;
        let time = back(back_ms);
        let instant = if self.facts.instant_rollback { 3 } else { 0 };
        if back_ms <= FAST_MS {
            let sentence = format!("while it is watched, it is back {time}");
            self.push(ReasonKind::FastBack, 2 + instant, sentence);
        } else {
            let sentence = if back_ms == u64::MAX {
                String::from("with this capacity it cannot go back")
            } else {
                format!("the way back takes up to {}", format_duration_ms(back_ms))
            };
            self.push(ReasonKind::SlowBack, -2 - instant, sentence);
        }
        if self.kind == StrategyKind::BlueGreen {
            let sentence = String::from("the old environment is kept for 1h");
            self.push(ReasonKind::OldKept, 1, sentence);
        }
        let (kind, sentence) = match self.facts.migration {
            None => return,
            Some(MigrationKind::Expand | MigrationKind::Backfill) => (
                ReasonKind::MigrationGoesBack,
                "the migration only adds: old code runs on, and the way back stays open",
            ),
            Some(MigrationKind::Contract) => (
                ReasonKind::NoCleanWayBack,
                "once the migration takes away what old code used there is no clean way back; \
                 do that in a later deployment",
            ),
            Some(MigrationKind::Reformat) => (
                ReasonKind::NoCleanWayBack,
                "once the data has another form there is no clean way back; add the new form \
                 beside the old instead, and take the old away in a later deployment",
            ),
        };
        self.push(kind, 0, String::from(sentence));
    }

    fn capacity_and_time(&mut self) {
        let extra = self.cost.extra_instances;
        if extra >= self.facts.replicas {
            let sentence = format!("it takes {} more, a second fleet", instances(extra));
            self.push(ReasonKind::SecondFleet, -1, sentence);
        } else if extra == 0 {
            let sentence = String::from("it takes no instance more");
            self.push(ReasonKind::LittleCapacity, 1, sentence);
        } else if self.kind == StrategyKind::Rolling {
            let sentence = format!("it takes {} more", instances(extra));
            self.push(ReasonKind::LittleCapacity, 2, sentence);
        }
        if self.cost.expected_ms > LONG_MS {
            let points = if self.facts.appetite == Appetite::Bold {
                -2
            } else {
                -1
            };
            let sentence = format!("it takes {}", format_duration_ms(self.cost.expected_ms));
            self.push(ReasonKind::Long, points, sentence);
        }
        if self.kind == StrategyKind::Recreate {
            let time = format_duration_ms(self.cost.closed_ms);
            let sentence = format!("the service is closed for up to {time}");
            let points = if self.facts.production { -3 } else { -1 };
            self.push(ReasonKind::Downtime, points, sentence);
            if !self.facts.production {
                let sentence = String::from("it is the simplest, and nobody is harmed here");
                self.push(ReasonKind::Simple, 4, sentence);
            }
        }
    }

    fn state(&mut self) {
        let recreate = self.kind == StrategyKind::Recreate;
        let together = self.facts.side_by_side && self.facts.state != Statefulness::SingleWriter;
        if recreate && !together {
            let sentence = String::from("old and new never run at the same time");
            self.push(ReasonKind::NeverTogether, 5, sentence);
        }
        let rolling = self.kind == StrategyKind::Rolling;
        match self.facts.state {
            Statefulness::Stateless if rolling => {
                let sentence =
                    String::from("instances that keep nothing are replaced without loss");
                self.push(ReasonKind::KeepsNothing, 1, sentence);
            }
            Statefulness::Sessions => {
                let (points, sentence) = match self.kind {
                    StrategyKind::Canary => (
                        -2,
                        "a user's requests meet both versions, and each keeps other sessions, \
                         unless the split is by session",
                    ),
                    StrategyKind::Rolling => (-1, "each batch loses the sessions it kept"),
                    _ => (-1, "all sessions are lost at once"),
                };
                self.push(ReasonKind::Sessions, points, String::from(sentence));
            }
            _ => {}
        }
        if self.facts.long_lived {
            let (points, sentence) = if rolling {
                (
                    -2,
                    "connections are cut batch by batch, some of them more than once",
                )
            } else {
                (-1, "connections that outlive the drain of 30s are cut once")
            };
            self.push(ReasonKind::Connections, points, String::from(sentence));
        }
    }
}
