//! How things are at one moment, from the last second or so of the router's counters.

use std::collections::VecDeque;

use nonevent_document::Timestamp;
use nonevent_rollout::{FleetSeen, Mode, Run, Wait};
use nonevent_router::{Arm, Snapshot, Split};

use crate::event::{ArmView, View};

/// How far back rates look, in milliseconds.
const SPAN_MS: i64 = 1_000;

/// The readings of the last second or so.
#[derive(Default)]
pub(crate) struct Rates {
    readings: VecDeque<(Timestamp, Snapshot)>,
}

impl Rates {
    pub(crate) fn add(&mut self, at: Timestamp, snapshot: &Snapshot) {
        self.readings.push_back((at, snapshot.clone()));
        // The oldest one kept is just over the span, so that the span is covered.
        while self
            .readings
            .get(1)
            .is_some_and(|(then, _)| at.ms_since(*then) >= SPAN_MS)
        {
            self.readings.pop_front();
        }
    }

    fn arm(&self, arm: Arm, fleet: FleetSeen) -> ArmView {
        let seen = fleet.of(arm);
        let view = ArmView {
            ready: seen.ready,
            present: seen.present,
            ..ArmView::default()
        };
        let (Some((from, first)), Some((to, last))) = (self.readings.front(), self.readings.back())
        else {
            return view;
        };
        let Ok(change) = last.since(first) else {
            return view;
        };
        let change = change.of(arm);
        let seconds = to.ms_since(*from) as f64 / 1000.0;
        if seconds <= 0.0 {
            return view;
        }
        let share = change.errors as f64 / change.finished as f64;
        ArmView {
            rate: change.requests as f64 / seconds,
            error_rate: (change.finished > 0).then_some(share),
            p99_ms: change
                .latency
                .quantile_us(9_900)
                .map(|us| us as f64 / 1000.0),
            ..view
        }
    }

    pub(crate) fn view(
        &self,
        at: Timestamp,
        run: &Run,
        split: Split,
        fleet: FleetSeen,
        wait: Option<Wait>,
    ) -> View {
        let steps = &run.plan().steps;
        let (step, position, back) = match run.state().mode {
            Mode::Forward { step, .. } => {
                let index = usize::from(step);
                (
                    steps.get(index).map(|it| it.id.clone()),
                    Some((index + 1, steps.len())),
                    None,
                )
            }
            Mode::Rollback { reason, .. } => (None, None, Some(reason.to_string())),
            Mode::Done(_) => (None, None, None),
        };
        View {
            at,
            step,
            position,
            split,
            stable: self.arm(Arm::Stable, fleet),
            canary: self.arm(Arm::Canary, fleet),
            awaits: wait.map(|wait| wait.reason),
            left_ms: wait.map(|wait| u64::try_from(wait.until_ms - at.unix_ms()).unwrap_or(0)),
            back,
        }
    }
}
