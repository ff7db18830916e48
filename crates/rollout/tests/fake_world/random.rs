//! Random runs with up to two faults each: every one ends, and ends whole.

use std::collections::BTreeMap;

use nonevent_rollout::{Command, Outcome, StuckAt};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{Plan, StrategyKind, Traffic};

use crate::chance::Chance;
use crate::deployer::{Came, Deployer, Fate, GOOD, Pace, Scene};
use crate::world::Side;
use crate::{default_plan, plan_of};

/// The canary's weight in the one split that the search has a router come to by itself.
const THIRD: u16 = 3_333;

/// What went wrong in a run, as far as it excuses an end that is stuck.
#[derive(Clone, Copy, Debug, Default)]
struct Excuse {
    lost: bool,
    never_ready: bool,
}

fn scene(chance: &mut Chance) -> Scene {
    Scene {
        fails_at: chance
            .percent(25)
            .then(|| u16::try_from(chance.below(14)).unwrap()),
        doubts_percent: chance.pick(&[0, 0, 10, 60, 100]),
        suites_fail_percent: chance.pick(&[0, 0, 0, 20]),
        people_fail_percent: chance.pick(&[0, 0, 0, 20]),
        answer_most_ms: chance.pick(&[1, 100, 3_000]),
    }
}

/// One fault, chosen by chance. Returns how much of the bound it uses.
fn harm(deployer: &mut Deployer, left: u8, excuse: &mut Excuse) -> u8 {
    let chance = &mut deployer.chance;
    let arm = chance.pick(&Arm::BOTH);
    let fates = [
        Fate::Unacknowledged,
        Fate::Failed,
        Fate::Ignored,
        Fate::Silence,
    ];
    let kind = chance.below(13);
    // Only the kinds below leave what serves traffic to the deployer.
    deployer.harmed |= (6..12).contains(&kind);
    let chance = &mut deployer.chance;
    match kind {
        0..=3 => deployer.next_fate = fates[kind as usize],
        4 => {
            let orders = [
                Command::Abort,
                Command::Pause,
                Command::Promote,
                Command::Skip,
            ];
            let order = chance.pick(&orders);
            deployer.order(order);
        }
        5 => {
            if chance.percent(30) {
                deployer.tear();
            }
            deployer.resume();
        }
        6 => deployer.world.crash(arm),
        7 => deployer.world.fall_ill(arm, chance),
        8 => {
            excuse.never_ready |= arm == Arm::Stable;
            deployer.world.never_ready(arm);
        }
        9 => {
            let any = 1 + chance.below(9_998) as u16;
            let third = match deployer.pace {
                Pace::Slow => any,
                Pace::AtOnce => THIRD,
            };
            let third = Split::canary(third).unwrap();
            let splits = [Split::STABLE, third, Split::CANARY, Split::Closed];
            let split = chance.pick(&splits);
            deployer.world.show(Traffic::split(split), chance);
        }
        10 => {
            let kept = deployer.world.fleet().of(arm).kept;
            let wanted = match kept {
                0 => return 0,
                kept if chance.percent(50) => kept + 1,
                kept => kept - 1,
            };
            deployer.world.scale(arm, wanted, chance);
        }
        11 if left < 2 => return 0,
        12 => deployer.close_window(),
        _ => {
            excuse.lost = true;
            let side = chance.pick(&[Side::Router, Side::Fleet]);
            let for_ms = match chance.percent(30) {
                true => i64::MAX / 4,
                false => chance.time(1_200_000),
            };
            deployer.world.lost = Some((side, deployer.world.now_ms + for_ms));
            return 2;
        }
    }
    1
}

/// How a run with the chance of `seed` ends; every state that it comes to is `seen`.
pub(crate) fn ends(
    plan: &Plan,
    seed: u64,
    pace: Pace,
    mut seen: impl FnMut(&Deployer),
) -> &'static str {
    let mut chance = Chance::new(seed);
    let scene = if chance.percent(30) {
        GOOD
    } else {
        scene(&mut chance)
    };
    let mut deployer = Deployer::new(plan, scene, seed);
    deployer.pace = pace;
    deployer.replay_percent = match pace {
        Pace::AtOnce => 0,
        Pace::Slow if seed.is_multiple_of(2) => 100,
        Pace::Slow => 3,
    };
    let mut left = chance.pick(&[0, 1, 2, 2, 2]);
    let mut excuse = Excuse::default();
    let usual = chance.pick(&[1, 5, 20]);
    for _ in 0..200_000 {
        if left > 0 && deployer.may_be_harmed() && chance.below(100) < usual {
            left -= harm(&mut deployer, left, &mut excuse).min(left);
            deployer.look();
        }
        seen(&deployer);
        if !deployer.harmed {
            deployer.traffic_is_served();
        }
        let came = deployer.go_on();
        seen(&deployer);
        match came {
            Came::On => {}
            Came::Died => panic!("nobody died"),
            Came::Ended(Outcome::Stuck { at, .. }) => {
                let excused = excuse.lost
                    || (at == StuckAt::Capacity && excuse.never_ready)
                    || matches!(at, StuckAt::NoReturn { .. });
                assert!(excused, "stuck at {at:?}");
                return "stuck";
            }
            Came::Ended(outcome) => {
                if pace == Pace::Slow {
                    deployer.replay();
                }
                deployer.world.lost = None;
                deployer.is_whole(outcome);
                return match outcome {
                    Outcome::Promoted => "promoted",
                    _ => "rolled back",
                };
            }
        }
    }
    panic!("it does not end: {:?}", deployer.run.state());
}

fn all_end(name: &str, plan: &Plan) {
    let mut ended: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..300 {
        let end = std::panic::catch_unwind(|| ends(plan, seed, Pace::Slow, |_| {}));
        let end = end.unwrap_or_else(|_| panic!("{name}: this was seed {seed}"));
        *ended.entry(end).or_default() += 1;
    }
    let often = |end: &str, least: u32| ended.get(end).is_some_and(|times| *times >= least);
    let varied = often("promoted", 20) && often("rolled back", 50) && often("stuck", 2);
    assert!(varied, "{name}: {ended:?}");
}

#[test]
fn canary() {
    all_end("canary", &default_plan(StrategyKind::Canary));
}

#[test]
fn blue_green() {
    all_end("blue_green", &default_plan(StrategyKind::BlueGreen));
}

#[test]
fn rolling() {
    all_end("rolling", &default_plan(StrategyKind::Rolling));
}

#[test]
fn recreate() {
    all_end("recreate", &default_plan(StrategyKind::Recreate));
}

#[test]
fn tasks() {
    all_end("tasks", &plan_of("tasks"));
}

#[test]
fn no_return() {
    all_end("no-return", &plan_of("no-return"));
}

#[test]
fn pauses() {
    all_end("pauses", &plan_of("pauses"));
}
