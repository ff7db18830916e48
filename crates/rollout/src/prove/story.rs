//! A run as a few lines that a person can follow.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, Split};
use nonevent_strategy::{Plan, Traffic};
use serde::Serialize;

use crate::effect::{Effect, Next, Notice};
use crate::input::{Command, Input, Judgement, SmokeVerdict, TaskVerdict};
use crate::state::Outcome;

use super::Stepper;
use super::event::Event;
use super::transition::{Transition, instance_of};
use super::world::{Node, Side};

/// One line of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoryLine {
    /// Milliseconds from the start.
    pub at_ms: i64,
    /// What happened.
    pub event: String,
    /// Whether it counts as a fault.
    pub fault: bool,
    /// What the machine did.
    pub then: Vec<String>,
}

impl fmt::Display for StoryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = format_duration_ms(u64::try_from(self.at_ms).unwrap_or(0));
        let mark = if self.fault { "!" } else { " " };
        write!(f, "{at:>10} {mark} {}", self.event)?;
        if !self.then.is_empty() {
            write!(f, " → {}", self.then.join("; "))?;
        }
        Ok(())
    }
}

/// A run as lines for people, and as inputs with their times.
pub(super) type Told = (Vec<StoryLine>, Vec<(i64, Input)>);

/// Runs `events` from `start` and tells what happened; inputs with their times come along.
pub(super) fn tell(plan: &Plan, machine: &impl Stepper, start: Node, events: &[Event]) -> Told {
    let (mut node, mut at_ms) = (start, 0i64);
    let (mut lines, mut inputs) = (Vec::new(), alloc::vec![(0, Input::Clock)]);
    for (number, event) in events.iter().enumerate() {
        let before = node.clone();
        let transition = node.after(plan, machine, *event);
        at_ms = at_ms.saturating_add(transition.elapsed_ms);
        inputs.extend(transition.input.map(|input| (at_ms, input.later_by(at_ms))));
        let then = consequences(plan, &transition);
        let routine = matches!(event, Event::Answered | Event::Time) && then.is_empty();
        if !routine || number + 1 == events.len() {
            lines.push(StoryLine {
                at_ms,
                event: describe(plan, *event, &before),
                fault: event.weight() > 0,
                then,
            });
        }
        node = transition.node;
    }
    (lines, inputs)
}

fn consequences(plan: &Plan, transition: &Transition) -> Vec<String> {
    let Some(turn) = &transition.turn else {
        return Vec::new();
    };
    let mut then: Vec<String> = Vec::new();
    for notice in &turn.notices {
        match notice {
            Notice::StepBegan { step } => {
                if let Some(step) = plan.steps.get(usize::from(*step)) {
                    then.push(format!("step {}", step.id));
                }
            }
            Notice::RollbackBegan { reason } => then.push(format!("goes back: {reason}")),
            Notice::Held { by } => then.push(format!("pauses: {by}")),
            Notice::Restored => then.push(String::from("stable serves everything")),
            _ => {}
        }
    }
    then.extend(
        turn.effect
            .filter(|effect| *effect != Effect::Observe)
            .map(|effect| named(plan, effect)),
    );
    match turn.next {
        Next::Done(Outcome::Promoted) => then.push(String::from("ends promoted")),
        Next::Done(Outcome::RolledBack { .. }) => then.push(String::from("ends rolled back")),
        Next::Done(Outcome::Stuck { at, .. }) => then.push(format!("ends stuck: {at}")),
        Next::Wait(_) => {}
    }
    then
}

/// What becomes of `number` instances, in words for one and for many.
fn moved(arm: Arm, number: u16, [one, many]: [&str; 2]) -> String {
    match number {
        1 => format!("{} {one}", instance_of(arm)),
        moved => format!("{moved} {arm} instances {many}"),
    }
}

/// An effect in words; a task by its step's name, where the effect knows only its number.
fn named(plan: &Plan, effect: Effect) -> String {
    match effect {
        Effect::Task { step } => match plan.steps.get(usize::from(step)) {
            Some(step) => format!("have {} done", step.id),
            None => effect.to_string(),
        },
        _ => effect.to_string(),
    }
}

fn describe(plan: &Plan, event: Event, node: &Node) -> String {
    let effect = node
        .pending()
        .map_or_else(|| String::from("the effect"), |effect| named(plan, effect));
    match event {
        Event::Answered => format!("done: {effect}"),
        Event::Unread => String::from("the reading fails"),
        Event::LookFailed(Side::Router) => String::from("the router cannot be read"),
        Event::LookFailed(Side::Fleet) => String::from("the fleet cannot be read"),
        Event::Looked(Side::Router) => String::from("the router is read"),
        Event::Looked(Side::Fleet) => String::from("the fleet is read"),
        Event::Unacknowledged => format!("done, but reported as failed: {effect}"),
        Event::Ignored => format!("acknowledged, but not done: {effect}"),
        Event::Failed => format!("fails, but may still happen: {effect}"),
        Event::Silence => format!("nothing is heard of it: {effect}"),
        Event::Fewer => format!("one instance too few: {effect}"),
        Event::Arrived | Event::ArrivedScale(_) => {
            String::from("the earlier change comes into force after all")
        }
        Event::Smoked(SmokeVerdict::Passed) => String::from("the smoke suite passes"),
        Event::Smoked(SmokeVerdict::Failed) => String::from("the smoke suite fails"),
        Event::Smoked(SmokeVerdict::Unavailable) => String::from("the smoke suite cannot be run"),
        Event::TaskEnded(TaskVerdict::Done) => String::from("the task is done"),
        Event::TaskEnded(_) => String::from("the task fails"),
        Event::Agreed => String::from("one more person agrees"),
        Event::AgreedBriefly => String::from("one more person agrees, for a second"),
        Event::Denied => String::from("a person who was asked to agree says no"),
        Event::WindowClosed => String::from("the change window closes"),
        Event::WindowOpened => String::from("the change window opens"),
        Event::RidesOn(it) => format!("{} has a connection that does not end", instance_of(it)),
        Event::Retried => String::from("a person has it tried again"),
        Event::Ready(it, number) => moved(it, number, ["becomes ready", "become ready"]),
        Event::Gone(it, number) => moved(it, number, ["is gone", "are gone"]),
        Event::Quiet => String::from("the canary's last request ends"),
        Event::Time => String::from("time passes"),
        Event::Analysed(Judgement::Pass) => String::from("the analysis passes"),
        Event::Analysed(Judgement::Fail) => String::from("the analysis fails"),
        Event::Analysed(Judgement::Inconclusive) => String::from("the analysis is inconclusive"),
        Event::Analysed(Judgement::NoData) => String::from("the analysis has no data"),
        Event::Analysed(Judgement::EnvironmentUnhealthy) => {
            String::from("the analysis finds the environment unhealthy")
        }
        Event::AnalysedLate => String::from("a pass of the step before comes in late"),
        Event::Crashed(it) => format!("{} crashes", instance_of(it)),
        Event::Unready(it) => format!("{} fails its health check", instance_of(it)),
        Event::NeverReady(Arm::Stable) => String::from("starting stable instances never get ready"),
        Event::NeverReady(Arm::Canary) => String::from("starting canary instances never get ready"),
        Event::Drifted(Traffic {
            split: Split::Closed,
            ..
        }) => String::from("the router closes by itself"),
        Event::Drifted(traffic) => format!("the router shows {traffic} for the canary by itself"),
        Event::Rescaled(it, true) => format!("somebody else adds {}", instance_of(it)),
        Event::Rescaled(it, false) => format!("somebody else takes {} away", instance_of(it)),
        Event::Lost(Side::Router) => String::from("the router is lost"),
        Event::Lost(Side::Fleet) => String::from("the fleet is lost"),
        Event::Back(Side::Router) => String::from("the router is back"),
        Event::Back(Side::Fleet) => String::from("the fleet is back"),
        Event::Repaired => String::from("a person repairs it and starts again"),
        Event::Restarted { applied: true } => {
            format!("the process dies right after: {effect}; it is started again")
        }
        Event::Restarted { applied: false } => {
            String::from("the process dies and is started again")
        }
        Event::Vain(vain) => String::from(vain.sentence()),
        Event::Commanded(Command::Abort) => String::from("a person aborts"),
        Event::Commanded(Command::Pause) => String::from("a person pauses"),
        Event::Commanded(Command::Resume) => String::from("a person resumes"),
        Event::Commanded(Command::Promote) => String::from("a person promotes"),
        Event::Commanded(Command::Skip) => String::from("a person leaves the manual step out"),
    }
}
