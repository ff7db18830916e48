//! Questions and news, in lines for a terminal.

use nonevent::document::format_duration_ms;
use nonevent::driver::Event;
use nonevent::driver::follow::{Ask, Countdown, Place, StepText};
use nonevent::rollout::{Effect, HeldBy, Notice, WaitReason};
use nonevent::router::Arm;

use super::answers::ways;
use crate::asking::said;

/// Where the rollout is, as a heading.
pub(super) fn heading(place: &Place) -> String {
    match place {
        Place::Step(step) => format!(
            "step {} of {}: {}",
            u32::from(step.index) + 1,
            step.of,
            step.title
        ),
        Place::Before => "before the deployment".to_owned(),
        Place::After => "after the deployment".to_owned(),
        Place::Back { reason, to } => format!("back to {to}: {reason}"),
    }
}

/// A question under its heading.
pub(super) fn question(place: &Place, ask: &Ask) -> String {
    let step = match place {
        Place::Step(step) => Some(&**step),
        _ => None,
    };
    let text = match ask {
        Ask::Item { text } => format!("  holds?  {text}"),
        Ask::Stand {
            expected,
            doubt: Some(doubt),
            ..
        } => format!(
            "  this was begun, and nobody said how it ended: {doubt}\n  was it done? then: {expected}"
        ),
        Ask::Stand { expected, .. } => {
            format!("  what stands now? it should be: {expected}")
        }
        Ask::Deed {
            text,
            again,
            stands,
            effect,
            ..
        } => {
            let grows = matches!(effect, Effect::Scale { .. });
            deed(step.filter(|_| grows), text, again.as_deref(), *stands)
        }
        Ask::Doubt { text, .. } => {
            format!("  this was begun, and nobody said how it ended: {text}\n  was it done?")
        }
        Ask::NotDone { text, why, .. } => {
            let why = match why.as_str() {
                "" => String::new(),
                why => format!(" ({why})"),
            };
            format!("  not done{why}: {text}")
        }
        Ask::Seen { effect, text, .. } => seen(step, *effect, text),
        Ask::Instances { waits, expected } => {
            let late = step.map_or_else(String::new, late);
            format!("  waits for {waits}: {}{late}", counted(*waits, expected))
        }
        Ask::Quiet => {
            "  see  the new version's request counter stands still, and no connection is open"
                .to_owned()
        }
        Ask::Smoke { text, .. } => format!("  do   {text}\n  how did it end?"),
        Ask::Automatic { text, .. } => {
            format!("  do   {text}\n  this can be done from here: now?")
        }
        Ask::Judge { triggers, .. } => judge(step, triggers),
        Ask::Approve {
            role,
            count,
            agreed,
            missing,
        } => format!(
            "  {count} of {role} must agree; agreed: {}; may still agree: {}",
            list(agreed),
            list(missing)
        ),
        Ask::Held { by, no_way_back } => held(*by, *no_way_back),
        Ask::GoBack { begun, .. } => go_back(begun),
    };
    format!("{text}\n  > {}", ways(place, ask))
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        names => names.join(", "),
    }
}

fn deed(step: Option<&StepText>, text: &str, again: Option<&str>, stands: bool) -> String {
    let mut lines = format!("  do   {text}");
    if let Some(why) = again {
        lines += &format!("\n       once more: {why}");
    } else if stands {
        lines += "\n       by what was said last it stands so already: make sure of it";
    }
    if let Some(step) = step {
        lines += &late(step);
    }
    lines
}

fn late(step: &StepText) -> String {
    let within = format_duration_ms(step.deadline_ms);
    format!("\n       this step may take machines {within}, questions left out; else go back")
}

fn seen(step: Option<&StepText>, effect: Effect, text: &str) -> String {
    let look = match step {
        Some(step) if text == step.seen => format!("\n  how  {}", step.check),
        _ => String::new(),
    };
    let what = match effect {
        Effect::Shift { .. } => "what does the router say?",
        Effect::Scale { .. } => "how many are there?",
        _ => "is it so?",
    };
    format!("  see  {text}{look}\n  {what}")
}

fn counted(waits: WaitReason, expected: &nonevent::driver::follow::Standing) -> String {
    let arm = |arm: Arm| {
        let name = match arm {
            Arm::Stable => "old",
            Arm::Canary => "new",
        };
        let seen = expected.fleet.of(arm);
        format!(
            "{} of {} {name} instances are ready",
            seen.ready, seen.present
        )
    };
    match waits {
        WaitReason::Ready { arm: of, .. } | WaitReason::Gone { arm: of, .. } => arm(of),
        _ => format!("{}, {}", arm(Arm::Stable), arm(Arm::Canary)),
    }
}

fn judge(step: Option<&StepText>, triggers: &[String]) -> String {
    let mut lines = match step {
        Some(step) => format!("  see  {}\n  how  {}", step.seen, step.check),
        None => String::new(),
    };
    for trigger in triggers {
        lines += &format!("\n       trigger: {trigger}");
    }
    lines + "\n  what do the figures say?"
}

fn held(by: HeldBy, no_way_back: bool) -> String {
    let way = match no_way_back {
        true => "there is no way back any more",
        false => "what failed is tried again if it goes on",
    };
    format!("  nothing goes on: {by}; {way}")
}

fn go_back(begun: &[String]) -> String {
    let mut lines = "  these steps were begun, and are taken back from the last on:".to_owned();
    for step in begun {
        lines += &format!("\n       {step}");
    }
    lines + "\n  traffic goes first, then what carried it; begin?"
}

/// A time that passes.
pub(super) fn countdown(countdown: &Countdown, left_ms: u64) -> String {
    let left = format_duration_ms(left_ms.div_ceil(1_000).saturating_mul(1_000));
    let may = match countdown.reason {
        WaitReason::Watch | WaitReason::Evidence => "promote (ends it now), pause, back, or leave",
        _ => "back, or leave",
    };
    format!(
        "  waits for {}, {left} at the most\n  > {may}",
        countdown.reason
    )
}

/// News, if people want to read it.
pub(super) fn news(event: &Event) -> Option<String> {
    let text = match event {
        Event::Notice { notice, .. } => return notice_text(*notice),
        Event::Smoke { passed, text, .. } => match passed {
            true => format!("  smoke suite passed: {text}"),
            false => format!("  smoke suite FAILED: {text}"),
        },
        Event::Said { step, by, says, .. } => format!("  {}", said(step, by.as_deref(), *says)),
        Event::Flags { text, .. } => format!("  {text}"),
        Event::Trouble { text, .. } => format!("  ! {text}"),
        _ => return None,
    };
    Some(text)
}

fn notice_text(notice: Notice) -> Option<String> {
    Some(match notice {
        Notice::RollbackBegan { reason } => format!("GOING BACK: {reason}"),
        Notice::Restored => "  the old version serves everything again".to_owned(),
        Notice::Drift { seen } => format!("  the router does what nobody asked it to: {seen}"),
        Notice::Repair { arm, count } => {
            let name = match arm {
                Arm::Stable => "old",
                Arm::Canary => "new",
            };
            format!("  instances are missing: there should be {count} {name} ones")
        }
        Notice::Held { by } => format!("  held: {by}"),
        Notice::Resumed => "  it goes on".to_owned(),
        Notice::PromotedByHand => "  the watch was ended by a person".to_owned(),
        Notice::Skipped { step } => format!("  step {} is left out", u32::from(step) + 1),
        Notice::Frozen { .. } => "  the weights stay as they are".to_owned(),
        Notice::Page { reason } => format!("  people are needed: {reason}"),
        Notice::Refused { effect } => format!("  not done, or not known to be: to {effect}"),
        Notice::StepBegan { .. } | Notice::StepDone { .. } => return None,
    })
}
