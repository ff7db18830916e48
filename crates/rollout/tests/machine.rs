//! The machine, one input at a time: what it must not forget, must not believe, and must not wait
//! for.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

use std::sync::Arc;

use nonevent_rollout::{
    ArmSeen, Command, Effect, FleetSeen, HeldBy, Input, Judgement, Machine, Mode, Next, Notice,
    Outcome, Phase, Reason, RouterSeen, SmokeVerdict, StuckAt, Turn, WaitReason, WindowSeen,
};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{
    Deployment, Facts, OnDrift, Plan, StrategyKind, Traffic, Ways, check, plan,
};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

fn arm(kept: u16, ready: u16) -> ArmSeen {
    ArmSeen {
        present: kept,
        kept,
        ready,
        failed: 0,
    }
}

fn fleet_of(stable: ArmSeen, canary: ArmSeen) -> Input {
    Input::Fleet(FleetSeen { stable, canary })
}

fn fleet(stable: u16, canary: u16) -> Input {
    fleet_of(arm(stable, stable), arm(canary, canary))
}

fn split(canary: u16) -> Split {
    Split::canary(canary).unwrap()
}

fn router_at(split: Split) -> Input {
    Input::Router(RouterSeen {
        split,
        ways: Ways::NONE,
        canary_quiet: false,
    })
}

fn router(canary: u16) -> Input {
    router_at(split(canary))
}

const PASSED: Input = Input::Smoke(SmokeVerdict::Passed);

fn shift(canary: u16) -> Option<Effect> {
    let split = split(canary);
    Some(Effect::shift(Traffic::split(split)))
}

fn scale(arm: Arm, count: u16) -> Option<Effect> {
    Some(Effect::Scale { arm, count })
}

fn analysis(step: u16, judgement: Judgement) -> Input {
    Input::Analysis { step, judgement }
}

/// A machine and its clock.
struct Bench {
    machine: Machine,
    now_ms: i64,
}

impl Bench {
    fn new(plan: Plan) -> Bench {
        let digest = plan.digest().unwrap();
        let machine = Machine::new(Arc::new(plan), digest, 0).unwrap();
        Bench { machine, now_ms: 0 }
    }

    fn turn(&mut self, input: Input) -> Turn {
        self.machine.handle(self.now_ms, &input)
    }

    fn tell(&mut self, input: Input) -> Option<Effect> {
        self.turn(input).effect
    }

    fn all(&mut self, inputs: &[Input]) -> Option<Effect> {
        inputs.iter().fold(None, |_, input| self.tell(*input))
    }

    /// Time runs to `after_ms` from now, and nothing else is told.
    fn later(&mut self, after_ms: i64) -> Option<Effect> {
        self.now_ms += after_ms;
        self.tell(Input::Clock)
    }

    fn step(&self) -> Option<&str> {
        match self.machine.state().mode {
            Mode::Forward { step, .. } => {
                let step = &self.machine.plan().steps[usize::from(step)];
                Some(step.id.as_str())
            }
            _ => None,
        }
    }

    fn index(&self, id: &str) -> u16 {
        let steps = &self.machine.plan().steps;
        u16::try_from(steps.iter().position(|step| step.id == id).unwrap()).unwrap()
    }

    fn phase(&self) -> Option<Phase> {
        match self.machine.state().mode {
            Mode::Rollback { phase, .. } => Some(phase),
            _ => None,
        }
    }

    fn reason(&self) -> Option<Reason> {
        match self.machine.state().mode {
            Mode::Rollback { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The default canary at its first pause, 5 % on one of three instances.
    fn at_the_first_pause() -> Bench {
        Bench::paused_first(default_plan(StrategyKind::Canary))
    }

    fn paused_first(plan: Plan) -> Bench {
        let mut bench = Bench::new(plan);
        bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
        bench.all(&[fleet(3, 1), PASSED, router(500)]);
        assert_eq!(bench.step(), Some("pause"));
        bench
    }

    /// The same, gone back, with stable serving everything and the canary falling quiet.
    fn quiescing() -> Bench {
        let mut bench = Bench::at_the_first_pause();
        assert_eq!(bench.tell(Input::Command(Command::Abort)), shift(0));
        bench.tell(router(0));
        assert_eq!(bench.phase(), Some(Phase::Quiesce));
        bench
    }

    /// The default blue-green with all traffic on the canary, as the old instances are told to go.
    fn letting_the_old_go() -> Bench {
        let mut bench = Bench::new(default_plan(StrategyKind::BlueGreen));
        bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
        bench.all(&[fleet(3, 3), PASSED]);
        assert_eq!(bench.later(330_000), shift(10_000));
        bench.all(&[router(10_000), PASSED]);
        bench.now_ms += 900_000;
        bench.tell(analysis(bench.index("bake"), Judgement::Pass));
        assert_eq!(bench.later(2_700_000), scale(Arm::Stable, 0));
        bench
    }
}

#[test]
fn a_pass_of_another_step_does_not_end_a_watch() {
    let mut bench = Bench::at_the_first_pause();
    let step = bench.index("pause");
    bench.now_ms += 60_000;
    bench.tell(analysis(step, Judgement::Pass));
    bench.now_ms += 240_000;
    bench.tell(analysis(step - 1, Judgement::Pass));
    bench.tell(analysis(step + 1, Judgement::Pass));
    assert_eq!(
        bench.step(),
        Some("pause"),
        "the pass before the end is old"
    );
    assert_eq!(bench.tell(analysis(step, Judgement::Pass)), shift(2_500));
}

#[test]
fn a_router_that_cannot_be_read_is_not_known_any_more() {
    let mut bench = Bench::at_the_first_pause();
    let step = bench.index("pause");
    assert_eq!(bench.tell(Input::RouterFailed), Some(Effect::Observe));
    bench.tell(Input::RouterFailed);
    bench.now_ms += 300_000;
    // A pass is no reason to act on what is not known.
    assert_eq!(
        bench.tell(analysis(step, Judgement::Pass)),
        Some(Effect::Observe)
    );
    bench.tell(router(500));
    assert_eq!(bench.step(), Some("pause"));
    assert_eq!(bench.tell(analysis(step, Judgement::Pass)), shift(2_500));
}

#[test]
fn a_router_lost_for_good_is_a_reason_to_go_back_and_ends_stuck() {
    let mut bench = Bench::at_the_first_pause();
    let mut asked = 0;
    let mut turn = bench.turn(Input::RouterFailed);
    let outcome = loop {
        match turn.next {
            Next::Done(outcome) => break outcome,
            Next::Wait(_) if turn.effect == Some(Effect::Observe) => {
                asked += u32::from(bench.phase().is_none());
                turn = bench.turn(Input::RouterFailed);
            }
            Next::Wait(wait) => {
                bench.now_ms = wait.until_ms;
                turn = bench.turn(Input::Clock);
            }
        }
    };
    // Every half second would be 850 times in seven minutes.
    assert!((8..14).contains(&asked), "{asked}");
    let at = StuckAt::Reading;
    let reason = Reason::NotObserved;
    assert_eq!(outcome, Outcome::Stuck { reason, at });
    // A person repairs the router and starts again.
    assert_eq!(bench.tell(Input::Restarted), Some(Effect::Observe));
    assert_eq!(bench.all(&[router(500), fleet(3, 1)]), shift(0));
}

#[test]
fn tries_are_ever_farther_apart_until_one_succeeds() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(Input::Command(Command::Abort));
    let mut waits = Vec::new();
    for _ in 0..7 {
        let Next::Wait(wait) = bench.turn(router(500)).next else {
            panic!("it ended");
        };
        assert_eq!(wait.reason, WaitReason::Retry);
        waits.push(wait.until_ms - bench.now_ms);
        bench.now_ms = wait.until_ms;
        assert_eq!(bench.tell(Input::Clock), shift(0));
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    bench.tell(router(0));
    assert_eq!(bench.machine.state().refusals, 0);
}

#[test]
fn the_decision_to_go_back_waits_for_no_earlier_refusal() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(Input::FleetFailed);
    for _ in 0..6 {
        bench.later(8_000);
        bench.tell(Input::FleetFailed);
    }
    assert_eq!(bench.later(1), None, "the next try is to come");
    assert_eq!(
        bench.tell(Input::Command(Command::Abort)),
        Some(Effect::Observe)
    );
}

#[test]
fn a_paused_rollout_still_looks_and_repairs() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(Input::Command(Command::Pause));
    assert_eq!(bench.tell(fleet(2, 1)), scale(Arm::Stable, 3));
    bench.tell(fleet(3, 1));
    assert_eq!(bench.tell(Input::Restarted), Some(Effect::Observe));
    bench.all(&[router(500), fleet(3, 1)]);
    assert_eq!(bench.tell(router(9_999)), shift(0), "drift is no pause");
}

#[test]
fn a_pause_is_added_to_the_watch_and_begins_anew_with_the_process() {
    let mut bench = Bench::at_the_first_pause();
    let step = bench.index("pause");
    bench.later(240_000);
    bench.tell(Input::Command(Command::Pause));
    bench.later(1_200_000);
    bench.tell(Input::Command(Command::Resume));
    bench.later(59_000);
    assert_eq!(bench.tell(analysis(step, Judgement::Pass)), None);
    bench.later(1_000);
    assert_eq!(bench.tell(analysis(step, Judgement::Pass)), shift(2_500));

    let mut bench = Bench::at_the_first_pause();
    bench.tell(Input::Command(Command::Pause));
    bench.now_ms += 3_000_000;
    bench.all(&[Input::Restarted, router(500), fleet(3, 1)]);
    bench.tell(Input::Command(Command::Resume));
    bench.later(300_000);
    assert_eq!(bench.tell(analysis(step, Judgement::Pass)), shift(2_500));
}

#[test]
fn nobody_resumes_and_it_goes_back() {
    let mut bench = Bench::at_the_first_pause();
    let turn = bench.turn(Input::Command(Command::Pause));
    let Next::Wait(wait) = turn.next else {
        panic!("it ended");
    };
    assert_eq!(wait.reason, WaitReason::Person);
    bench.now_ms = wait.until_ms;
    assert_eq!(bench.tell(Input::Clock), shift(0));
    assert_eq!(bench.reason(), Some(Reason::HeldTooLong));
}

#[test]
fn a_person_promotes_but_not_against_a_sick_environment() {
    let mut bench = Bench::at_the_first_pause();
    let step = bench.index("pause");
    bench.tell(analysis(step, Judgement::EnvironmentUnhealthy));
    assert_eq!(bench.tell(Input::Command(Command::Promote)), None);
    bench.tell(analysis(step, Judgement::NoData));
    let turn = bench.turn(Input::Command(Command::Promote));
    assert_eq!(turn.effect, shift(2_500));
    assert!(turn.notices.contains(&Notice::PromotedByHand));

    let mut bench = Bench::at_the_first_pause();
    assert_eq!(bench.tell(analysis(step, Judgement::Fail)), shift(0));
    bench.tell(Input::Command(Command::Promote));
    assert_eq!(bench.reason(), Some(Reason::AnalysisFailed));
}

#[test]
fn a_way_back_does_not_wait_for_a_suite() {
    let mut bench = Bench::quiescing();
    bench.later(30_000);
    assert_eq!(bench.phase(), Some(Phase::Verify));
    let crashed = fleet_of(arm(2, 2), arm(1, 1));
    assert_eq!(bench.tell(crashed), scale(Arm::Stable, 3));
    assert_eq!(bench.phase(), Some(Phase::Restore));
    // The suite that was given up may still answer: it does not count.
    bench.tell(Input::Smoke(SmokeVerdict::Failed));
    assert!(matches!(
        bench.tell(fleet(3, 1)),
        None | Some(Effect::Smoke { .. })
    ));
}

#[test]
fn on_the_way_back_what_is_not_known_is_read_although_a_suite_is_out() {
    let mut bench = Bench::new(default_plan(StrategyKind::Canary));
    bench.all(&[router(0), fleet(3, 0)]);
    let verify = bench.tell(Input::Command(Command::Abort));
    assert!(matches!(verify, Some(Effect::Smoke { .. })), "{verify:?}");
    assert_eq!(bench.tell(Input::RouterFailed), Some(Effect::Observe));
    // It is asked for again once stable is seen to serve everything.
    assert_eq!(bench.all(&[PASSED, router(0)]), verify);
}

#[test]
fn what_may_still_arrive_is_fenced_off_before_stable_counts_as_restored() {
    // The router says that it obeyed, and shows the old split: it may obey later.
    let mut bench = Bench::new(default_plan(StrategyKind::Canary));
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    assert_eq!(bench.all(&[fleet(3, 1), PASSED]), shift(500));
    bench.tell(router(0));
    assert_eq!(bench.tell(Input::Command(Command::Abort)), shift(0));
    assert_eq!(bench.phase(), Some(Phase::Restore));
    bench.tell(router(0));
    assert_eq!(bench.phase(), Some(Phase::Quiesce));

    // The same of instances: stable was asked to go, nobody knows whether it does.
    let mut bench = Bench::letting_the_old_go();
    bench.tell(Input::Command(Command::Abort));
    assert_eq!(bench.tell(Input::FleetFailed), None);
    assert_eq!(bench.later(500), Some(Effect::Observe));
    assert_eq!(bench.tell(fleet(3, 3)), shift(0));
    assert_eq!(bench.tell(router(0)), scale(Arm::Stable, 3));
    bench.tell(fleet(3, 3));
    assert_eq!(bench.phase(), Some(Phase::Quiesce));
}

#[test]
fn a_step_forward_is_not_done_as_long_as_something_else_may_still_arrive() {
    // The old instances crashed and were asked for again; then a person ends the watch, and all
    // of them are to go.
    let mut bench = Bench::new(default_plan(StrategyKind::BlueGreen));
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    bench.all(&[fleet(3, 3), PASSED]);
    bench.later(330_000);
    bench.all(&[router(10_000), PASSED]);
    bench.now_ms += 900_000;
    bench.tell(analysis(bench.index("bake"), Judgement::Pass));
    assert_eq!(bench.tell(fleet(0, 3)), scale(Arm::Stable, 3));
    bench.tell(Input::Command(Command::Promote));
    assert_eq!(bench.step(), Some("scale-stable-0"));
    bench.tell(fleet(0, 3));
    assert_eq!(
        bench.later(500),
        scale(Arm::Stable, 0),
        "three may still come"
    );
    bench.tell(fleet(0, 3));
    let end = Mode::Done(Outcome::Promoted);
    assert_eq!(bench.machine.state().mode, end);

    // The same of a router that says no and obeys later.
    let mut bench = Bench::new(default_plan(StrategyKind::Canary));
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    assert_eq!(bench.all(&[fleet(3, 1), PASSED]), shift(500));
    bench.tell(Input::RouterFailed);
    assert_eq!(bench.later(500), Some(Effect::Observe));
    assert_eq!(bench.tell(router(500)), shift(500));
    bench.tell(router(500));
    assert_eq!(bench.step(), Some("pause"));
}

#[test]
fn an_end_that_is_stuck_remembers_what_may_still_arrive() {
    let mut plan = default_plan(StrategyKind::Canary);
    plan.rollback.within_ms = 1_000;
    let mut bench = Bench::new(plan);
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    assert_eq!(bench.all(&[fleet(3, 1), PASSED]), shift(500));
    bench.tell(Input::Command(Command::Abort));
    bench.later(1_000);
    assert!(matches!(
        bench.machine.state().mode,
        Mode::Done(Outcome::Stuck { .. })
    ));
    bench.tell(Input::Restarted);
    assert_eq!(
        bench.all(&[router(0), fleet(3, 1)]),
        shift(0),
        "the first change may arrive"
    );
}

#[test]
fn without_the_fleet_traffic_goes_where_it_was_last_seen_ready() {
    let mut bench = Bench::at_the_first_pause();
    bench.tell(Input::FleetFailed);
    assert_eq!(
        bench.tell(Input::Command(Command::Abort)),
        None,
        "it is being asked"
    );
    assert_eq!(bench.tell(Input::FleetFailed), shift(0));
    assert_eq!(bench.tell(router(0)), Some(Effect::Observe));
    assert_eq!(
        bench.phase(),
        Some(Phase::Restore),
        "the fleet is still to be seen"
    );
    bench.tell(fleet(3, 1));
    assert_eq!(bench.phase(), Some(Phase::Quiesce));
}

#[test]
fn traffic_that_has_to_move_does_not_wait_for_the_fleet() {
    let mut bench = Bench::quiescing();
    bench.tell(Input::FleetFailed);
    for _ in 0..6 {
        bench.tell(Input::FleetFailed);
        bench.later(8_000);
    }
    bench.tell(Input::FleetFailed);
    assert_eq!(
        bench.later(1),
        None,
        "the next look at the fleet is to come"
    );
    assert_eq!(bench.tell(router(3_333)), shift(0));
}

#[test]
fn stable_instances_that_were_asked_to_go_are_not_counted_on() {
    let mut bench = Bench::letting_the_old_go();
    bench.tell(Input::FleetFailed);
    bench.tell(Input::Command(Command::Abort));
    bench.tell(Input::FleetFailed);
    for _ in 0..10 {
        assert_eq!(bench.later(8_000), Some(Effect::Observe));
        bench.tell(Input::FleetFailed);
    }
}

#[test]
fn what_cannot_be_read_for_a_while_is_read_again_before_anybody_is_called() {
    let mut bench = Bench::quiescing();
    bench.tell(Input::RouterFailed);
    bench.now_ms += 30_000;
    bench.tell(Input::RouterFailed);
    assert_eq!(bench.phase(), Some(Phase::Restore));
    bench.later(8_000);
    bench.tell(router(0));
    assert_eq!(bench.phase(), Some(Phase::Quiesce));
}

#[test]
fn a_router_that_closed_by_itself_is_opened_as_soon_as_stable_has_an_instance() {
    let mut bench = Bench::at_the_first_pause();
    let closed = router_at(Split::Closed);
    bench.tell(fleet_of(arm(3, 1), arm(1, 1)));
    assert_eq!(bench.tell(closed), shift(0));
    assert_eq!(bench.reason(), Some(Reason::Drift));
}

#[test]
fn a_repair_waits_for_the_room_that_draining_instances_take() {
    let mut plan = default_plan(StrategyKind::Canary);
    plan.fleet.capacity_max = 4;
    plan.steps
        .retain(|step| step.target.canary <= 1 && step.target.stable == 3);
    let split = Split::CANARY;
    plan.steps.push(nonevent_strategy::Step {
        id: String::from("all"),
        action: nonevent_strategy::Action::Shift { split },
        target: nonevent_strategy::Target {
            split,
            ways: Ways::NONE,
            stable: 3,
            canary: 1,
        },
        deadline_ms: 5_000,
        back_within_ms: 10_000,
        back_to: None,
        exposed: 10_000,
    });
    let mut bench = Bench::new(plan);
    bench.all(&[Input::Clock, router(0), fleet(3, 0), PASSED]);
    bench.all(&[fleet(3, 1), PASSED, router(500)]);
    let draining = ArmSeen {
        present: 3,
        kept: 2,
        ready: 2,
        failed: 0,
    };
    assert_eq!(bench.tell(fleet_of(draining, arm(1, 1))), None);
    assert_eq!(bench.tell(fleet(2, 1)), scale(Arm::Stable, 3));
}

#[test]
fn no_time_and_no_number_is_too_large() {
    let plan = default_plan(StrategyKind::Canary);
    let digest = plan.digest().unwrap();
    for now_ms in [i64::MIN, -1, i64::MAX - 1, i64::MAX] {
        let mut machine = Machine::new(Arc::new(plan.clone()), digest, now_ms).unwrap();
        let most = ArmSeen {
            present: u16::MAX,
            kept: u16::MAX,
            ready: u16::MAX,
            failed: 0,
        };
        let odd = ArmSeen {
            present: 0,
            kept: u16::MAX,
            ready: 7,
            failed: u16::MAX,
        };
        for input in [
            Input::Clock,
            router(0),
            fleet_of(most, most),
            PASSED,
            Input::Command(Command::Pause),
            Input::Command(Command::Resume),
            fleet_of(odd, odd),
            router(10_000),
            Input::FleetFailed,
            Input::Restarted,
            router_at(Split::Closed),
            fleet_of(odd, most),
        ] {
            let _ = machine.handle(now_ms, &input);
            let _ = machine.handle(i64::MAX, &Input::Clock);
            let _ = machine.handle(i64::MIN, &Input::Clock);
        }
    }
}

#[test]
fn a_router_that_forgot_its_shares_is_set_right_where_the_plan_says_so() {
    for on_drift in [OnDrift::Repair, OnDrift::Pause] {
        let mut plan = default_plan(StrategyKind::Canary);
        plan.rollback.on_drift = on_drift;
        let mut bench = Bench::paused_first(plan);
        let begun_ms = bench.now_ms;
        bench.now_ms += 100_000;
        // As after a reload: all traffic is on stable, and nobody asked for that.
        let turn = bench.turn(router(0));
        assert_eq!(turn.effect, shift(500));
        let held = turn
            .notices
            .iter()
            .any(|it| matches!(it, Notice::Held { .. }));
        assert_eq!(held, on_drift == OnDrift::Pause);
        bench.tell(router(500));
        if held {
            bench.tell(Input::Command(Command::Resume));
        }
        // The pause begins anew: what was watched in between was watched at other shares.
        let Mode::Forward { watch_until_ms, .. } = bench.machine.state().mode else {
            panic!("it goes on");
        };
        assert_eq!(watch_until_ms, Some(begun_ms + 100_000 + 300_000));
        // More than the canary had is no slip of memory.
        bench.tell(router(3_333));
        assert!(matches!(bench.machine.state().mode, Mode::Rollback { .. }));
    }
}

#[test]
fn a_window_that_opens_does_not_end_a_persons_pause() {
    let windows = r#"{"zone": "UTC", "on_window_close": "pause",
        "allow": [{"days": ["mon"], "from": "08:00", "to": "18:00"}]}"#;
    let mut plan = default_plan(StrategyKind::Canary);
    plan.windows = Some(serde_json::from_str(windows).unwrap());
    let mut bench = Bench::paused_first(plan);
    let by = |bench: &Bench| bench.machine.state().held.map(|held| held.by);
    let opens_ms = bench.now_ms + 7_200_000;
    bench.tell(Input::Window(WindowSeen::Closed { opens_ms }));
    assert_eq!(by(&bench), Some(HeldBy::Window));
    // Nobody goes on while it is closed.
    bench.tell(Input::Command(Command::Resume));
    assert_eq!(by(&bench), Some(HeldBy::Window));
    bench.tell(Input::Command(Command::Pause));
    assert_eq!(by(&bench), Some(HeldBy::Person));
    bench.tell(Input::Command(Command::Resume));
    assert_eq!(by(&bench), Some(HeldBy::Window));
    bench.tell(Input::Command(Command::Pause));
    bench.tell(Input::Window(WindowSeen::Open));
    assert_eq!(by(&bench), Some(HeldBy::Person));
    bench.now_ms += 60_000;
    bench.tell(Input::Command(Command::Resume));
    assert_eq!(by(&bench), None);
    // All that time is added to the pause of the plan.
    let Mode::Forward { watch_until_ms, .. } = bench.machine.state().mode else {
        panic!("it goes on");
    };
    assert_eq!(watch_until_ms, Some(300_000 + 60_000));
}
