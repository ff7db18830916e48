//! What the batches of a rolling update and the stages of a switch expose, and what would be found
//! out at each: asked of the plan, since how many instances a batch has is resolved there.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use nonevent_router::{Arm, FULL_WEIGHT, Split};

use super::pauses::{rolling_times, switch_times, usable_ms};
use super::strategies::BLAST_RADIUS_MAX;
use super::strength::Asked;
use super::{Checker, rules};
use crate::deployment::{Judged, Strategy};
use crate::plan::{Action, Plan, Step, WatchKind};

impl Checker<'_> {
    pub(super) fn batches(&mut self, plan: &Plan) {
        match &self.deployment.strategy {
            Strategy::Rolling(_) => {
                self.rolling_radius(plan);
                self.watched(plan);
            }
            Strategy::BlueGreen(blue_green) => {
                let Some(stage) = blue_green.stages.first() else {
                    // All traffic is switched at once, on purpose.
                    return;
                };
                if stage.traffic.basis_points() > BLAST_RADIUS_MAX {
                    self.push(
                        rules::BLAST_RADIUS,
                        "strategy.blue_green.stages[0].traffic",
                        format!(
                            "{} of traffic meets the new version before anything is known of it",
                            stage.traffic
                        ),
                        "begin with a smaller stage, such as 5%",
                    );
                }
                self.watched(plan);
            }
            Strategy::Canary(_) | Strategy::Recreate(_) => {}
        }
    }

    /// A rolling update cannot give less than one instance's share: one that comes alone may have
    /// less than a half.
    fn rolling_radius(&mut self, plan: &Plan) {
        let weight = |step: &Step| step.target.split.weight(Arm::Canary);
        let shift = plan.steps.iter().find(|step| weight(step) > 0);
        let first = plan.steps.iter().find(|step| self.tells(step));
        let (met, new) = match first {
            Some(step) => (weight(step), step.target.canary),
            None => (FULL_WEIGHT, plan.fleet.replicas),
        };
        let small = |met, new| met <= BLAST_RADIUS_MAX || (new == 1 && met < FULL_WEIGHT / 2);
        if small(met, new) {
            return;
        }
        let at_once = shift.is_some_and(|step| !small(weight(step), step.target.canary));
        let help = if at_once {
            "exchange fewer instances at first: lower `max_surge` or `max_unavailable`, or \
                 begin with a small wave; a fleet of one or two can use a canary"
        } else {
            "watch the first batch: write a `pause`, or begin with a small wave"
        };
        let share = Split::canary(met).unwrap_or(Split::CANARY);
        let message = format!(
            "{share} of traffic ({new} of {} instances) meets the new version before anything is \
             known of it",
            plan.fleet.replicas
        );
        self.push(rules::BLAST_RADIUS, "strategy.rolling", message, help);
    }

    /// Whether something is known of the new version after a step: it was watched while it served,
    /// and judged if the document judges at all.
    fn tells(&self, step: &Step) -> bool {
        let judges = self.deployment.analysis.is_some();
        let watched = matches!(
            step.action,
            Action::Watch { kind: WatchKind::Pause | WatchKind::Bake, analyse, .. }
                if analyse || !judges
        );
        watched && step.target.split.weight(Arm::Canary) > 0
    }

    /// Every length of pause in which the new version is judged, where it comes first: there the
    /// new version has the least traffic.
    fn watched(&mut self, plan: &Plan) {
        self.strength_known();
        let Some(analysis) = self.deployment.analysis_of(&Judged::Default) else {
            return;
        };
        let times = match &self.deployment.strategy {
            Strategy::Rolling(rolling) => rolling_times(rolling),
            Strategy::BlueGreen(blue_green) => switch_times(blue_green),
            Strategy::Canary(_) | Strategy::Recreate(_) => return,
        };
        let mut asked = Asked::of(times.len());
        let mut lengths = BTreeSet::new();
        for step in &plan.steps {
            let Action::Watch { kind, for_ms, .. } = step.action else {
                continue;
            };
            if self.tells(step) && lengths.insert(for_ms) {
                let at = times.iter().find(|(_, time_ms)| *time_ms == for_ms);
                let path = at.map_or_else(|| String::from("strategy"), |(path, _)| path.clone());
                let (weight, usable_ms) = (
                    step.target.split.weight(Arm::Canary),
                    usable_ms(for_ms, analysis),
                );
                if let Some(rate) = self.enough(&path, analysis, usable_ms, weight)
                    && asked.is_worth(usable_ms)
                {
                    self.strength(&path, analysis, usable_ms, weight, rate);
                }
            }
            if kind == WatchKind::Bake {
                // What follows are the pauses of flags.
                return;
            }
        }
    }
}
