//! What holds a rollout and what ends a hold: people and calendars, one input at a time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

use nonevent_document::{Document, Limits};
use nonevent_rollout::{
    ArmSeen, Command, Effect, FleetSeen, HeldBy, Input, Judgement, Mode, RouterSeen, Rules,
    SmokeVerdict, State, Stepper as _, TaskVerdict, Turn, WindowSeen,
};
use nonevent_router::Split;
use nonevent_strategy::{Action, Deployment, Facts, Plan, Task, Ways, check, plan, read};

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
            Some(Effect::Withdraw { .. }) => panic!("nothing is taken back"),
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
