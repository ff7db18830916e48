//! What is done and seen, in the words of the plan's runbook where it has them.

use nonevent_document::Timestamp;
use nonevent_rollout::{Effect, Extra, Run};
use nonevent_router::{Arm, Split};
use nonevent_runbook::{Facts, Runbook, StepPage};
use nonevent_strategy::{Action, Plan, SmokeTarget, SuiteMoment, Task, Traffic};

use super::question::StepText;
use crate::error::{DriverError, DriverErrorKind};

/// The ids of the items that are ticked once a step is done.
pub(crate) struct Ids {
    /// What is done.
    pub(crate) action: String,
    /// What is then seen.
    pub(crate) seen: String,
}

/// A plan's runbook, by step.
pub(crate) struct Pages {
    runbook: Runbook,
}

impl Pages {
    pub(crate) fn of(plan: &Plan) -> Result<Pages, DriverError> {
        let runbook = Runbook::of(plan, &Facts::at(Timestamp::from_unix_ms(0)))
            .map_err(|error| DriverError::new(DriverErrorKind::Input, error.to_string()))?;
        Ok(Pages { runbook })
    }

    fn page(&self, step: u16) -> Option<&StepPage> {
        self.runbook.steps.get(usize::from(step))
    }

    pub(crate) fn ids(&self, step: u16) -> Option<Ids> {
        let page = self.page(step)?;
        Some(Ids {
            action: page.action.id.clone(),
            seen: page.seen.id.clone(),
        })
    }

    pub(crate) fn title(&self, step: u16) -> String {
        let page = self.page(step);
        page.map_or_else(String::new, |it| it.title.to_string())
    }

    pub(crate) fn text(&self, step: u16) -> StepText {
        let page = self.page(step);
        let text = |of: fn(&StepPage) -> String| page.map_or_else(String::new, of);
        StepText {
            index: step,
            of: self.runbook.steps.len(),
            title: self.title(step),
            action: text(|it| it.action.text.to_string()),
            seen: text(|it| it.seen.text.to_string()),
            check: text(|it| it.check.to_string()),
            deadline_ms: page.map_or(0, |it| it.deadline_ms),
            back: text(|it| it.back.text.to_string()),
        }
    }

    /// The rollback triggers, one a line.
    pub(crate) fn triggers(&self) -> Vec<String> {
        let signals = self.runbook.triggers.signals.iter();
        signals
            .map(|it| format!("{}: {}", it.signal, it.threshold))
            .collect()
    }

    /// The item of the rollback of this name, where the page has it.
    pub(crate) fn rollback_id(&self, name: &str) -> Option<String> {
        let id = format!("rollback/{name}");
        let mut items = self.runbook.rollback.items.iter();
        items.any(|item| item.id == id).then_some(id)
    }

    /// What is to be done, in words: the page's own, where it is what the present step says.
    pub(crate) fn deed(&self, run: &Run, step: Option<u16>, effect: Effect) -> String {
        match step {
            Some(step) if is_own(run.plan(), step, effect) => self.text(step).action,
            _ => generic(run.plan(), effect),
        }
    }

    /// What is then to be seen.
    pub(crate) fn sight(&self, run: &Run, step: Option<u16>, effect: Effect) -> String {
        match step {
            Some(step) if is_own(run.plan(), step, effect) => self.text(step).seen,
            _ => generic_sight(run.plan(), effect),
        }
    }
}

/// Whether an effect is what the step itself asks for, and neither a repair nor a way back.
fn is_own(plan: &Plan, step: u16, effect: Effect) -> bool {
    let Some(planned) = plan.steps.get(usize::from(step)) else {
        return false;
    };
    match (&planned.action, effect) {
        (Action::Scale { arm, count }, Effect::Scale { arm: of, count: to }) => {
            *arm == of && *count == u32::from(to)
        }
        (
            Action::Shift { .. } | Action::Task(Task::Route { .. } | Task::Mirror { .. }),
            Effect::Shift { .. },
        ) => effect.traffic() == Some(planned.target.traffic()),
        (Action::Task(_), Effect::Task { step: of }) => of == step,
        (
            Action::Smoke { target, suite },
            Effect::Smoke {
                target: at,
                suite: which,
            },
        ) => *target == at && *suite == which,
        _ => false,
    }
}

fn version(plan: &Plan, arm: Arm) -> &str {
    match arm {
        Arm::Stable => &plan.release.from,
        Arm::Canary => &plan.release.to,
    }
}

fn percent(weight: u16) -> String {
    match (weight / 100, weight % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

/// How traffic is divided.
fn divided(plan: &Plan, traffic: Traffic) -> String {
    let (old, new) = (&plan.release.from, &plan.release.to);
    match traffic.split {
        Split::Closed => "nothing is let through: the router is closed".to_owned(),
        split => {
            let ways = match traffic.reaches_canary() && !traffic.ways.is_none() {
                true => ", beside what is chosen or copied",
                false => "",
            };
            format!(
                "{} of requests to {old}, {} to {new}{ways}",
                percent(split.weight(Arm::Stable)),
                percent(split.weight(Arm::Canary))
            )
        }
    }
}

fn instances(count: u16) -> String {
    match count {
        1 => "1 instance".to_owned(),
        count => format!("{count} instances"),
    }
}

fn generic(plan: &Plan, effect: Effect) -> String {
    match effect {
        Effect::Observe => "Read the router and count the instances.".to_owned(),
        Effect::Shift { split, ways } => {
            format!(
                "Set the router: {}.",
                divided(plan, Traffic { split, ways })
            )
        }
        Effect::Scale { arm, count } => {
            let version = version(plan, arm);
            match count {
                0 => format!("Stop every instance of {version}."),
                count => format!("Have exactly {} of {version}.", instances(count)),
            }
        }
        Effect::Smoke { target, suite } => smoke(plan, target, suite),
        Effect::Task { step } => {
            let step = u32::from(step) + 1;
            format!("Do what step {step} says.")
        }
        Effect::Withdraw {
            extra: Extra::Flags,
        } => kill_switches(plan),
        Effect::Withdraw {
            extra: Extra::Baseline,
        } => format!(
            "Stop the baseline set: the fresh instances of {} beside the others.",
            plan.release.from
        ),
    }
}

fn kill_switches(plan: &Plan) -> String {
    let flags = plan.flags.values();
    let each = flags.map(|flag| {
        let (off, file) = (&flag.kill_switch.name, &flag.file.name);
        format!("put {off} in the place of {file}")
    });
    let each: Vec<String> = each.collect();
    format!(
        "Throw the kill switch of each flag of which a stage is open: {}.",
        each.join("; ")
    )
}

fn smoke(plan: &Plan, target: SmokeTarget, suite: SuiteMoment) -> String {
    let named = plan.suites.get(suite).filter(|it| it.digest.is_some());
    let suite = named.map_or_else(
        || "the default smoke suite (one GET / answers 200)".to_owned(),
        |it| format!("the smoke suite {}", it.name),
    );
    let place = match target {
        SmokeTarget::Router => "against the service's own address",
        SmokeTarget::Canary => "against every ready instance of the new version, past the router",
    };
    format!("Run {suite} {place}.")
}

fn generic_sight(plan: &Plan, effect: Effect) -> String {
    match effect {
        Effect::Shift { split, ways } => {
            format!(
                "The router says: {}.",
                divided(plan, Traffic { split, ways })
            )
        }
        Effect::Scale { arm, count } => {
            let version = version(plan, arm);
            match count {
                0 => format!("No instance of {version} runs any more."),
                count => format!("{} of {version}, all ready.", instances(count)),
            }
        }
        Effect::Withdraw {
            extra: Extra::Flags,
        } => "Every flag's file holds its kill switch, or what it held before.".to_owned(),
        Effect::Withdraw {
            extra: Extra::Baseline,
        } => "No instance of the baseline set runs any more.".to_owned(),
        Effect::Observe | Effect::Smoke { .. } | Effect::Task { .. } => {
            "It is as it says.".to_owned()
        }
    }
}
