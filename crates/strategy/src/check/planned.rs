//! What only the plan shows: the way back, and the time without service.

use alloc::format;
use alloc::string::String;

use nonevent_document::format_duration_ms;

use super::Checker;
use crate::duration::closed_ms;
use crate::plan::Plan;
use crate::planner::draft;
use crate::rules;

impl Checker<'_> {
    pub(super) fn plan(&mut self) {
        let plan = draft(self.deployment, self.facts);
        let within_ms = self.deployment.rollback.within_ms;
        // The first of the slowest, among the steps from which a way leads back.
        let ways = plan.steps.iter().enumerate();
        let ways = ways.filter(|(_, step)| step.back_to.is_some());
        let worst = ways.rev().max_by_key(|(_, step)| step.back_within_ms);
        // Where a name is kept for longer than that, this has been said.
        if let Some((index, step)) = worst
            && plan.target.dns_ttl_ms <= within_ms
            && step.back_within_ms > within_ms
        {
            let (index, back_ms, id) = (index + 1, step.back_within_ms, step.id.clone());
            self.push(
                rules::RECOVERY_SLOW,
                "rollback.within",
                format!(
                    "from step {index} ({id}) the way back may take {}, more than {}",
                    if back_ms == u64::MAX {
                        String::from("for ever")
                    } else {
                        format_duration_ms(back_ms)
                    },
                    format_duration_ms(within_ms)
                ),
                "raise `within`, shorten fleet.ready_within, fleet.warm_up or fleet.drain, or have more `fleet.spare`",
            );
        }
        let canary_most = plan
            .steps
            .iter()
            .map(|step| step.target.canary)
            .max()
            .unwrap_or(0);
        let keep = self.deployment.rollback.keep;
        if keep > canary_most.min(self.deployment.fleet.spare) {
            self.push(
                rules::KEEP_MANY,
                "rollback.keep",
                format!("{keep} instances cannot be kept beside a full stable fleet"),
                "keep no more than fleet.spare and the canary allow",
            );
        }
        self.batches(&plan);
        self.downtime(&plan);
        self.windows(Some(&plan));
    }

    fn downtime(&mut self, plan: &Plan) {
        let Some(downtime) = &plan.downtime else {
            return;
        };
        let closed_ms = closed_ms(plan);
        if closed_ms > downtime.at_most_ms {
            self.push(
                rules::DOWNTIME_SHORT,
                "strategy.recreate.downtime.at_most",
                format!(
                    "draining and starting may keep the service closed for {}, more than {}",
                    format_duration_ms(closed_ms),
                    format_duration_ms(downtime.at_most_ms)
                ),
                "have a longer downtime accepted, or shorten fleet.ready_within or fleet.drain",
            );
        }
    }
}
