//! Whether the plan fits into the change windows.

use alloc::format;
use alloc::string::{String, ToString as _};

use nonevent_document::{Timestamp, format_duration_ms, member_path};

use super::Checker;
use crate::duration::plan_duration_ms;
use crate::plan::Plan;
use crate::rules;
use crate::windows::{HORIZON_DAYS, MisfitKind, OnWindowClose, Problem, Windows, resolve};

const DAY_MS: i64 = 86_400_000;
/// Open stretches that are looked at to find the longest.
const STRETCHES_MAX: usize = 500;

/// Where a problem of the section stands in the document.
pub(super) fn path_of(problem: &Problem) -> String {
    match problem.path.as_str() {
        "" => String::from("windows"),
        path => format!("windows.{path}"),
    }
}

impl Checker<'_> {
    /// Without a plan, only whether a deployment may begin.
    pub(super) fn windows(&mut self, plan: Option<&Plan>) {
        let Some(windows) = &self.deployment.windows else {
            return;
        };
        let Some(now) = self.facts.now else {
            self.push(
                rules::WINDOWS_UNKNOWN,
                "windows",
                String::from("not evaluated: when the deployment would begin is not known here"),
                "give the check the time",
            );
            return;
        };
        let covered = resolve(windows.wire()).problems;
        for problem in covered.into_iter().chain(windows.check(now)) {
            let path = path_of(&problem);
            self.push(rules::WINDOWS_NEVER, &path, problem.message, &problem.help);
        }
        self.fits(windows, now, plan);
        self.approvals_fit(windows, now);
    }

    fn fits(&mut self, windows: &Windows, now: Timestamp, plan: Option<&Plan>) {
        let with_rollback_ms = plan.map_or(1, |plan| {
            let (_, longest_ms) = plan_duration_ms(plan);
            longest_ms.saturating_add(plan.rollback.within_ms)
        });
        let finishes = windows.on_window_close() == OnWindowClose::Finish;
        let duration_ms = if finishes { 1 } else { with_rollback_ms };
        let Err(misfit) = windows.fits(now, duration_ms) else {
            return;
        };
        let next = match windows.next_fit(now, duration_ms) {
            Some(next) => format!("begin at {next}"),
            None => format!("no window of the next {HORIZON_DAYS} days is long enough"),
        };
        match misfit.kind() {
            MisfitKind::Closed { state } => {
                self.push(rules::WINDOWS_CLOSED, "windows", state.to_string(), &next);
            }
            _ => self.push(
                rules::WINDOWS_SHORT,
                "windows",
                format!(
                    "the plan may last {} with its rollback: {misfit}",
                    format_duration_ms(with_rollback_ms)
                ),
                &format!("{next}, shorten the plan, or write `on_window_close: finish`"),
            ),
        }
    }

    fn approvals_fit(&mut self, windows: &Windows, now: Timestamp) {
        let horizon = now.plus_ms(i64::from(HORIZON_DAYS) * DAY_MS);
        let stretches = windows.stretches(now, horizon, STRETCHES_MAX);
        let longest_ms = stretches.map(|it| it.end.ms_since(it.start)).max();
        let longest_ms = u64::try_from(longest_ms.unwrap_or(0)).unwrap_or(0);
        for (name, approval) in &self.deployment.approvals {
            if approval.timeout_ms > longest_ms {
                self.push(
                    rules::APPROVAL_LATE,
                    &format!("{}.timeout", member_path("approvals", name)),
                    format!(
                        "it is waited for {}, and no window is open for longer than {}",
                        format_duration_ms(approval.timeout_ms),
                        format_duration_ms(longest_ms)
                    ),
                    "shorten the timeout, or widen the windows",
                );
            }
        }
    }
}
