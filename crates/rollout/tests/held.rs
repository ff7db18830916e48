//! What holds a rollout, what ends a hold, and what is minded meanwhile: people, calendars and kill
//! switches, one input at a time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

use nonevent_document::{Document, Limits};
use nonevent_rollout::{
    ArmSeen, Command, Effect, Extra, FleetSeen, HeldBy, Input, Judgement, Mode, Next, Outcome,
    RouterSeen, Rules, SmokeVerdict, State, Stepper as _, StuckAt, TaskVerdict, Turn, WindowSeen,
};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{
    Action, Deployment, Facts, Plan, SmokeTarget, SuiteMoment, Task, Ways, check, plan, read,
};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// From Friday at six to Monday at eight.
const WEEKEND_MS: i64 = 62 * HOUR_MS;

const CANARY: &str = "
apiVersion: nonevent/v1
kind: Deployment
service: basket
environment: staging
author: noor
release: { from: 1.0.0, to: 1.1.0 }
roles: { lead: [ada, grace] }
fleet: { replicas: 3, spare: 3 }
strategy: { canary: { steps: [ { traffic: 50%, pause: 5m }, { traffic: 100%, pause: 5m } ] } }
windows:
  zone: UTC
  allow: [ { days: [mon, tue, wed, thu, fri], from: \"08:00\", to: \"18:00\" } ]
  on_window_close: pause
";

fn plan_of(text: &str) -> Plan {
    let document = Document::parse("it.yaml", text.as_bytes(), &Limits::default()).unwrap();
    let deployment: Deployment = read(&document).unwrap();
    let checked = check(deployment, Facts::default(), None);
    plan(&checked.unwrap_or_else(|findings| panic!("{findings}")))
}

/// The plan of a document under `fixtures/rollout`.
fn plan_named(name: &str) -> Plan {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/rollout");
    plan_of(&std::fs::read_to_string(format!("{folder}/{name}.yaml")).unwrap())
}

const fn arm(ready: u16) -> ArmSeen {
    ArmSeen {
        present: ready,
        kept: ready,
        ready,
        failed: 0,
    }
}

const fn fleet(stable: u16, canary: u16) -> Input {
    Input::Fleet(FleetSeen {
        stable: arm(stable),
        canary: arm(canary),
    })
}

fn router(canary: u16) -> Input {
    Input::Router(RouterSeen {
        split: Split::canary(canary).unwrap(),
        ways: Ways::NONE,
        canary_quiet: true,
    })
}

const PASSED: Input = Input::Smoke(SmokeVerdict::Passed);
const OPEN: Input = Input::Window(WindowSeen::Open);
const KILL: Effect = Effect::Withdraw {
    extra: Extra::Flags,
};

const fn killed(gone: bool) -> Input {
    Input::Withdrawn {
        extra: Extra::Flags,
        gone,
    }
}

/// The rules on a state, and their clock.
struct Bench {
    plan: Plan,
    state: State,
    now_ms: i64,
}

impl Bench {
    fn new(plan: Plan) -> Bench {
        let state = State::new(&plan, 0);
        Bench {
            plan,
            state,
            now_ms: 0,
        }
    }

    fn turn(&mut self, input: Input) -> Turn {
        Rules.handle(&self.plan, &mut self.state, self.now_ms, &input)
    }

    fn tell(&mut self, input: Input) -> Option<Effect> {
        self.turn(input).effect
    }

    fn all(&mut self, inputs: &[Input]) -> Option<Effect> {
        inputs.iter().fold(None, |_, input| self.tell(*input))
    }

    fn later(&mut self, after_ms: i64) -> Option<Effect> {
        self.now_ms += after_ms;
        self.tell(Input::Clock)
    }

    fn held(&self) -> Option<HeldBy> {
        self.state.held.map(|held| held.by)
    }

    /// For how long the present step is still watched.
    fn watch_left_ms(&self) -> i64 {
        match self.state.mode {
            Mode::Forward {
                watch_until_ms: Some(until_ms),
                ..
            } => until_ms - self.now_ms,
            mode => panic!("it does not watch: {mode:?}"),
        }
    }

    fn closed_for(&self, ms: i64) -> Input {
        Input::Window(WindowSeen::Closed {
            opens_ms: self.now_ms + ms,
        })
    }

    /// Half the traffic on the canary, in the first pause.
    fn at_the_first_pause() -> Bench {
        let mut bench = Bench::new(plan_of(CANARY));
        bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
        bench.all(&[fleet(3, 2), fleet(3, 3), PASSED, router(5_000)]);
        assert_eq!(bench.watch_left_ms(), 5 * MINUTE_MS);
        bench
    }

    /// At the first step that `is` so, after a run in which nothing went wrong.
    fn at_step(plan: Plan, is: impl Fn(&Action) -> bool) -> Bench {
        let step = plan.steps.iter().position(|it| is(&it.action)).unwrap();
        let mut bench = Bench::new(plan);
        bench.drive_to(u16::try_from(step).unwrap());
        bench
    }

    /// Answers all that is sent, as it was asked for, until step `to` begins.
    fn drive_to(&mut self, to: u16) {
        let mut effect = self.tell(Input::Clock);
        for _ in 0..1_000 {
            let Mode::Forward { step, .. } = self.state.mode else {
                panic!("it went back: {:?}", self.state.mode);
            };
            if step == to {
                return;
            }
            effect = self.answer(step, effect);
        }
        panic!("it does not get there");
    }

    fn answer(&mut self, step: u16, effect: Option<Effect>) -> Option<Effect> {
        let plan = self.plan.clone();
        let planned = &plan.steps[usize::from(step)];
        let (before, target) = (plan.before(usize::from(step)), planned.target);
        let count = |number: u32| u16::try_from(number).unwrap();
        match effect {
            Some(Effect::Observe) => {
                let traffic = before.traffic();
                self.tell(Input::Router(RouterSeen {
                    split: traffic.split,
                    ways: traffic.ways,
                    canary_quiet: true,
                }));
                self.tell(fleet(count(before.stable), count(before.canary)))
            }
            Some(Effect::Shift { split, ways }) => self.tell(Input::Router(RouterSeen {
                split,
                ways,
                canary_quiet: false,
            })),
            Some(Effect::Scale { .. }) => {
                self.tell(fleet(count(target.stable), count(target.canary)))
            }
            Some(Effect::Smoke { .. }) => self.tell(PASSED),
            Some(Effect::Task { step }) => {
                let verdict = TaskVerdict::Done;
                self.tell(Input::Task { step, verdict })
            }
            Some(Effect::Withdraw { .. }) => self.tell(killed(true)),
            None => match &planned.action {
                Action::Watch { for_ms, .. } => {
                    self.now_ms += i64::try_from(*for_ms).unwrap();
                    let judgement = Judgement::Pass;
                    self.tell(Input::Analysis { step, judgement })
                }
                Action::Task(Task::Approve { .. }) => {
                    let until_ms = self.now_ms + HOUR_MS;
                    let by = |person| Input::Approval {
                        step,
                        person,
                        granted: true,
                        until_ms,
                    };
                    self.all(&[by(0), by(1)])
                }
                other => panic!("nothing is sent in {other:?}"),
            },
        }
    }
}

#[test]
fn a_restart_while_the_window_is_closed_adds_nothing_to_the_pause_that_begins_anew() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(bench.closed_for(WEEKEND_MS));
    assert_eq!(bench.held(), Some(HeldBy::Window));
    bench.now_ms += WEEKEND_MS;
    bench.all(&[Input::Restarted, OPEN]);
    assert_eq!(bench.held(), None);
    assert_eq!(bench.watch_left_ms(), 5 * MINUTE_MS);
}

#[test]
fn who_comes_back_long_after_the_window_opened_still_goes_on() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(bench.closed_for(WEEKEND_MS));
    bench.now_ms += WEEKEND_MS + 2 * HOUR_MS;
    bench.tell(Input::Restarted);
    assert_eq!(bench.held(), Some(HeldBy::Window), "nothing is known yet");
    bench.tell(OPEN);
    assert_eq!(bench.watch_left_ms(), 5 * MINUTE_MS);
}

#[test]
fn a_person_can_pause_what_the_calendar_holds() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(bench.closed_for(WEEKEND_MS));
    bench.later(MINUTE_MS);
    bench.tell(Input::Command(Command::Pause));
    bench.later(WEEKEND_MS - MINUTE_MS);
    bench.tell(OPEN);
    assert_eq!(bench.held(), Some(HeldBy::Person), "they did not go on");
    bench.later(30 * MINUTE_MS);
    bench.tell(Input::Command(Command::Resume));
    assert_eq!(bench.held(), None);
    assert_eq!(bench.watch_left_ms(), 5 * MINUTE_MS);

    // A person ends their own pause and not the calendar's.
    let mut bench = Bench::at_the_first_pause();
    bench.tell(bench.closed_for(WEEKEND_MS));
    bench.tell(Input::Command(Command::Pause));
    bench.tell(Input::Command(Command::Resume));
    assert_eq!(bench.held(), Some(HeldBy::Window));
}

#[test]
fn a_step_that_begins_in_a_pause_is_put_off_by_the_rest_of_it_only() {
    let plan = plan_of(&CANARY.replace(
        "windows:",
        "manual: [ { name: tell, how: tell them, expect: they know } ]\nwindows:",
    ));
    let mut bench = Bench::at_step(plan, |it| matches!(it, Action::Task(Task::Manual { .. })));
    let Mode::Forward { step, .. } = bench.state.mode else {
        panic!("it goes forward");
    };
    let next = bench.plan.steps[usize::from(step) + 1].clone();
    bench.tell(bench.closed_for(WEEKEND_MS));
    bench.later(WEEKEND_MS - HOUR_MS);
    let verdict = TaskVerdict::Done;
    bench.tell(Input::Task { step, verdict });
    bench.later(HOUR_MS);
    bench.tell(OPEN);
    let Mode::Forward {
        step: at,
        deadline_ms,
        ..
    } = bench.state.mode
    else {
        panic!("it goes forward");
    };
    assert_eq!(at, step + 1);
    let planned_ms = i64::try_from(next.deadline_ms).unwrap();
    assert_eq!(deadline_ms - bench.now_ms, planned_ms, "{}", next.id);
}

/// Lets the router fail and the kill switch answer as `gone` says, until `wanted` is sent; gives
/// when, from now.
fn sent_after(bench: &mut Bench, first: Option<Effect>, gone: bool, wanted: Effect) -> i64 {
    let began_ms = bench.now_ms;
    let mut effect = first;
    while bench.now_ms - began_ms < HOUR_MS {
        let turn = match effect {
            Some(effect) if effect == wanted => return bench.now_ms - began_ms,
            Some(KILL) => bench.turn(killed(gone)),
            Some(Effect::Observe | Effect::Shift { .. }) => bench.turn(Input::RouterFailed),
            Some(other) => panic!("{other} was not expected"),
            None => match bench.turn(Input::Clock) {
                Turn {
                    effect: None,
                    next: Next::Wait(wait),
                    ..
                } => {
                    bench.now_ms = wait.until_ms;
                    bench.turn(Input::Clock)
                }
                turn => turn,
            },
        };
        if let Next::Done(outcome) = turn.next {
            panic!("{wanted} was never sent: {outcome:?}");
        }
        effect = turn.effect;
    }
    panic!("{wanted} was never sent in an hour");
}

#[test]
fn a_kill_switch_is_thrown_although_the_router_is_lost() {
    let mut bench = Bench::new(plan_of(CANARY));
    bench.state.beside.flags = true;
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    let out = bench.all(&[fleet(3, 2), fleet(3, 3), PASSED]);
    assert!(matches!(out, Some(Effect::Shift { .. })), "{out:?}");
    assert_eq!(bench.tell(Input::Command(Command::Abort)), None);
    let after_ms = sent_after(&mut bench, out, true, KILL);
    assert!(after_ms <= 5_000, "{after_ms}");
}

#[test]
fn a_kill_switch_that_failed_once_does_not_wait_for_a_suite() {
    let mut bench = Bench::new(plan_of(CANARY));
    bench.all(&[Input::Clock, router(0), fleet(3, 0)]);
    bench.state.beside.flags = true;
    assert_eq!(bench.tell(Input::Command(Command::Abort)), Some(KILL));
    assert_eq!(bench.tell(killed(false)), None);
    assert_eq!(bench.later(1_000), Some(KILL));
}

#[test]
fn a_kill_switch_that_cannot_be_thrown_keeps_no_suite_from_running() {
    let mut bench = Bench::new(plan_of(CANARY));
    bench.all(&[Input::Clock, router(0), fleet(3, 0)]);
    bench.state.beside.flags = true;
    let suite = Effect::Smoke {
        target: SmokeTarget::Router,
        suite: SuiteMoment::After,
    };
    let first = bench.tell(Input::Command(Command::Abort));
    let after_ms = sent_after(&mut bench, first, false, suite);
    assert!(after_ms <= 30_000, "{after_ms}");
    let mut turn = bench.turn(PASSED);
    let outcome = loop {
        match (turn.next, turn.effect) {
            (Next::Done(outcome), _) => break outcome,
            (_, Some(_)) => turn = bench.turn(killed(false)),
            (Next::Wait(wait), None) => {
                bench.now_ms = wait.until_ms;
                turn = bench.turn(Input::Clock);
            }
        }
    };
    let extra = Extra::Flags;
    let stuck = matches!(
        outcome,
        Outcome::Stuck { at: StuckAt::Beside { extra: of }, .. } if of == extra
    );
    assert!(stuck, "{outcome:?}");
}

/// Past the point of no return, with a flag open, and told to go back.
fn held_past_the_point_of_no_return() -> Bench {
    let is_last = |it: &Action| matches!(it, Action::Task(Task::Manual { .. }));
    let mut bench = Bench::at_step(plan_named("no-return"), is_last);
    bench.state.beside.flags = true;
    let turn = bench.turn(Input::Command(Command::Abort));
    assert!(matches!(bench.held(), Some(HeldBy::NoReturn(_))));
    assert_eq!(turn.effect, Some(KILL));
    bench
}

#[test]
fn past_the_point_of_no_return_a_kill_switch_that_fails_keeps_nothing_from_being_repaired() {
    let mut bench = held_past_the_point_of_no_return();
    bench.tell(killed(false));
    let first = bench.tell(fleet(0, 2));
    let count = 3;
    let arm = Arm::Canary;
    let after_ms = sent_after(&mut bench, first, false, Effect::Scale { arm, count });
    assert!(after_ms <= 10_000, "{after_ms}");
}

#[test]
fn past_the_point_of_no_return_a_kill_switch_is_tried_again_although_the_router_is_lost() {
    let mut bench = held_past_the_point_of_no_return();
    bench.tell(killed(false));
    let first = bench.tell(Input::RouterFailed);
    let after_ms = sent_after(&mut bench, first, false, KILL);
    assert!(after_ms <= 10_000, "{after_ms}");
}
