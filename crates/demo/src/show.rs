//! What a person sees while a deployment runs: a live view at a terminal, one line per event
//! elsewhere, JSON Lines on request.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nonevent::document::{Timestamp, format_duration_ms};
use nonevent::driver::{ArmView, Binding, Event, Reporter, View};
use nonevent::rollout::{Effect, Judgement, Notice};
use nonevent::strategy::{Plan, Release};

use crate::args;
use crate::asking;
use crate::code::{print, say};
use crate::planning::table;

/// Hears events and shows them.
pub(crate) struct Shown {
    manner: Manner,
    release: Release,
    /// The steps' names.
    steps: Vec<String>,
    /// The state folder, as it was named.
    state: PathBuf,
    began: Option<Timestamp>,
    /// What people are asked for, in words, until the step ends that asks.
    asked: Option<String>,
    /// Lines of the live view that stand on the screen.
    lines: usize,
    /// Whether a question stands on the screen, which must not be painted over.
    asking: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Live,
    Plain,
    Json,
}

/// The reporter for this terminal.
pub(crate) fn reporter(watching: &args::Watching, plan: &Plan) -> Shown {
    let manner = if watching.json {
        Manner::Json
    } else if std::io::stderr().is_terminal() {
        Manner::Live
    } else {
        Manner::Plain
    };
    Shown {
        manner,
        release: plan.release.clone(),
        steps: plan.steps.iter().map(|step| step.id.clone()).collect(),
        state: watching.place.state.clone(),
        began: None,
        asked: None,
        lines: 0,
        asking: Arc::default(),
    }
}

impl Shown {
    /// What is about to be done.
    pub(crate) fn opening(&mut self, plan: &Plan, binding: &Binding, own: bool) {
        if self.manner == Manner::Json {
            return;
        }
        let what = if own {
            "the demonstration service"
        } else {
            plan.service.as_str()
        };
        say(format_args!(
            "Deploying {what} {} → {} ({}), {} instances behind http://{}",
            plan.release.from,
            plan.release.to,
            plan.strategy,
            plan.fleet.replicas,
            binding.service()
        ));
    }

    /// Set while a question stands on the screen.
    pub(crate) fn asking(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asking)
    }

    /// Leaves the screen as it is.
    pub(crate) fn closing(&mut self) {
        self.wipe();
    }

    fn line(&mut self, at: Option<Timestamp>, text: &str) {
        self.wipe();
        match (at, self.began) {
            (Some(at), Some(began)) => {
                let since = at.ms_since(began).max(0) as f64 / 1000.0;
                say(format_args!("{since:>7.1} s  {text}"));
            }
            _ => say(text),
        }
    }

    fn wipe(&mut self) {
        if self.asking.load(Ordering::Relaxed) {
            self.lines = 0;
        }
        if self.lines > 0 {
            drop(write!(std::io::stderr(), "\x1b[{}A\x1b[J", self.lines));
            self.lines = 0;
        }
    }

    fn live(&mut self, view: &View) {
        if self.asking.load(Ordering::Relaxed) {
            // What stood there has scrolled away with the question.
            self.lines = 0;
            return;
        }
        let mut text = view_text(view, &self.release);
        let columns = columns();
        for line in self.asked.iter().flat_map(|it| it.lines()) {
            // A line that is broken by the terminal could not be taken back.
            text.push_str("  ");
            text.extend(line.chars().take(columns.saturating_sub(3)));
            text.push('\n');
        }
        self.wipe();
        self.lines = text.lines().count();
        drop(write!(std::io::stderr(), "{text}"));
    }

    fn plain(&mut self, event: &Event) {
        match event {
            Event::Checked { findings } => {
                for finding in findings.iter() {
                    self.line(None, &finding.to_string());
                }
            }
            Event::Planned {
                plan, table: rows, ..
            } => {
                self.line(None, &format!("plan {plan}\n\n{}", table(rows)));
            }
            Event::Proved {
                states,
                transitions,
                faults,
                worst_recovery_ms,
                took_ms,
            } => self.line(
                None,
                &format!(
                    "proved safe: {states} states, {transitions} transitions, {faults} faults \
                     combined, in {}; worst time to recover {}",
                    format_duration_ms(*took_ms),
                    format_duration_ms(*worst_recovery_ms)
                ),
            ),
            Event::Runbook { path, .. } => self.line(None, &format!("runbook {path}")),
            Event::Rehearsed {
                restored_ms,
                ended_ms,
                short_of,
            } => {
                let short = short_of.as_ref().map_or_else(String::new, |step| {
                    format!("; it turned before {step}, so traffic was not moved")
                });
                self.line(
                    None,
                    &format!(
                        "rollback rehearsed: stable served everything after {}, all was done after \
                         {}{short}",
                        format_duration_ms(*restored_ms),
                        format_duration_ms(*ended_ms)
                    ),
                );
            }
            Event::Gate {
                gate, label, text, ..
            } => {
                self.line(None, &format!("gate {gate} ({label})\n{}", text.trim_end()));
            }
            Event::GlassBroken {
                gates,
                person,
                reason,
                ..
            } => {
                let gates = gates.join(", ");
                let text = format!(
                    "GLASS BROKEN: {person} has {gates} skipped: {reason}; this stays open until \
                     somebody else reviews it"
                );
                self.line(None, &text);
            }
            Event::Signed { by, .. } => {
                self.line(None, &format!("the runbook is signed by {}", by.join(", ")));
            }
            Event::Admitted { phase, found, .. } => {
                self.line(None, &format!("{phase} may begin: {found}"));
            }
            _ => self.of_the_rollout(event),
        }
    }

    /// An effect in words; a task by its step's name.
    fn effect(&self, effect: Effect) -> String {
        match effect {
            Effect::Task { step } => match self.steps.get(usize::from(step)) {
                Some(name) => format!("have {name} done"),
                None => effect.to_string(),
            },
            _ => effect.to_string(),
        }
    }

    /// What happens once the rollout has begun.
    fn of_the_rollout(&mut self, event: &Event) {
        let began = self.began;
        let begin = |at: Timestamp| began.or(Some(at));
        match event {
            Event::Notice { at, step, notice } => {
                self.began = begin(*at);
                if matches!(
                    notice,
                    Notice::StepDone { .. } | Notice::RollbackBegan { .. } | Notice::Resumed
                ) {
                    self.asked = None;
                }
                if let Some(text) = notice_text(*notice, step.as_deref()) {
                    self.line(Some(*at), &text);
                }
            }
            Event::Effect { at, effect } => {
                self.began = begin(*at);
                let text = self.effect(*effect);
                self.line(Some(*at), &format!("→ {text}"));
            }
            Event::Smoke {
                at,
                target,
                passed,
                text,
            } => {
                let verdict = if *passed { "passed" } else { "FAILED" };
                self.line(Some(*at), &format!("smoke {target}: {verdict}, {text}"));
            }
            Event::Analysis {
                at,
                reason,
                judgement,
            } => {
                let said = match judgement {
                    Judgement::Pass => "passes",
                    Judgement::Fail => "FAILS",
                    Judgement::Inconclusive => "is inconclusive",
                    Judgement::NoData => "has no data",
                    Judgement::EnvironmentUnhealthy => "finds the environment unhealthy",
                };
                self.line(Some(*at), &format!("analysis {said}: {reason}"));
            }
            Event::Asked { at, asked } => {
                let text = asking::text(asked, &self.state, None);
                // The live view goes on showing all of it.
                let live = self.manner == Manner::Live;
                let lines = if live { 1 } else { usize::MAX };
                for line in text.lines().take(lines) {
                    self.line(Some(*at), line);
                }
                self.asked = Some(text);
            }
            Event::Said { at, step, by, says } => {
                self.line(Some(*at), &asking::said(step, by.as_deref(), *says));
            }
            Event::Flags { at, text } => self.line(Some(*at), &format!("flags: {text}")),
            Event::Trouble { at, text } => self.line(Some(*at), &format!("trouble: {text}")),
            // Shown elsewhere, or not at all.
            Event::Checked { .. }
            | Event::Planned { .. }
            | Event::Proved { .. }
            | Event::Runbook { .. }
            | Event::Rehearsed { .. }
            | Event::Gate { .. }
            | Event::Admitted { .. }
            | Event::Signed { .. }
            | Event::GlassBroken { .. }
            | Event::View(_)
            | Event::Ended { .. } => {}
        }
    }
}

impl Reporter for Shown {
    fn event(&mut self, event: &Event) {
        match (self.manner, event) {
            (Manner::Json, event) => match serde_json::to_string(event) {
                Ok(line) => print(format_args!("{line}\n")),
                Err(error) => say(error),
            },
            (Manner::Live, Event::View(view)) => self.live(view),
            (_, event) => self.plain(event),
        }
    }
}

/// The width of the terminal, in columns.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.map_or(80, |size| usize::from(size.ws_col).max(40))
}

fn notice_text(notice: Notice, step: Option<&str>) -> Option<String> {
    Some(match notice {
        Notice::StepBegan { .. } => format!("step {}", step?),
        Notice::StepDone { .. } => return None,
        Notice::RollbackBegan { reason } => format!("GOING BACK: {reason}"),
        Notice::Restored => "stable serves everything again".to_owned(),
        Notice::Drift { seen } => {
            format!("the router shows {seen} for the canary, which nobody asked for")
        }
        Notice::Repair { arm, count } => {
            format!("{arm} instances went missing: {count} asked for")
        }
        Notice::Held { by } => format!("PAUSED: {by}"),
        Notice::Resumed => "it goes on".to_owned(),
        Notice::PromotedByHand => "the watch was ended by a person".to_owned(),
        Notice::Skipped { .. } => "the manual step was left out by a person".to_owned(),
        Notice::Frozen { judgement } => match judgement {
            Judgement::NoData => "the analysis has no data: nothing moves".to_owned(),
            _ => "both versions are in trouble: nothing moves".to_owned(),
        },
        Notice::Page { reason } => {
            format!("PEOPLE ARE NEEDED: {reason}, past the point of no return")
        }
        Notice::Refused { effect } => format!("not done, to be tried again: {effect}"),
    })
}

/// The live view: where it is, what it waits for, and both versions.
fn view_text(view: &View, release: &Release) -> String {
    let place = match (&view.back, &view.step, view.position) {
        (Some(reason), ..) => format!("going back: {reason}"),
        (None, Some(step), Some((number, of))) => format!("step {number} of {of}: {step}"),
        _ => "over".to_owned(),
    };
    let awaits = match (view.awaits, view.left_ms) {
        (Some(reason), Some(left_ms)) => {
            let seconds = left_ms.div_ceil(1000) * 1000;
            format!(
                "waits for {reason}, at most {}",
                format_duration_ms(seconds)
            )
        }
        _ => String::new(),
    };
    let arm = |name: &str, version: &str, share: u16, arm: &ArmView| {
        let errors = arm
            .error_rate
            .map_or("–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
        let p99 = arm
            .p99_ms
            .map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
        format!(
            "  {name:<7} {version:<12} {:>6.2} %  {:>3}/{:<3} ready  {:>7.0} req/s  {errors:>8} \
             errors  p99 {p99:>8}\n",
            f64::from(share) / 100.0,
            arm.ready,
            arm.present,
            arm.rate
        )
    };
    use nonevent::router::Arm;
    let mut text = format!("  {place}\n  {awaits}\n");
    let weight = |arm| view.split.weight(arm);
    text.push_str(&arm(
        "stable",
        &release.from,
        weight(Arm::Stable),
        &view.stable,
    ));
    text.push_str(&arm(
        "canary",
        &release.to,
        weight(Arm::Canary),
        &view.canary,
    ));
    text
}
