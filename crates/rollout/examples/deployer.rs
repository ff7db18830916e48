//! A deployer of one's own: the rollout decides, this program does it. Its router and its fleet are
//! values in memory and its clock runs as fast as it is asked, so it shows only what every deployer
//! has to do. `cargo run -p nonevent-rollout --example deployer -- bad` shows the way back.

use std::collections::VecDeque;

use nonevent_document::Timestamp;
use nonevent_rollout::{
    ArmSeen, Effect, FleetSeen, Input, Judgement, Mode, Next, Notice, RouterSeen, Run,
    SmokeVerdict, TaskVerdict,
};
use nonevent_router::Arm;
use nonevent_strategy::{Action, Deployment, Facts, StrategyKind, Traffic, check, plan};

/// The router and the fleet.
struct Site {
    traffic: Traffic,
    arms: [ArmSeen; 2],
    /// Instances asked for last are ready from then on.
    ready_at_ms: i64,
}

impl Site {
    /// What stands, read back: never what was meant.
    fn router(&self) -> Input {
        Input::Router(RouterSeen {
            split: self.traffic.split,
            ways: self.traffic.ways,
            canary_quiet: !self.traffic.reaches_canary(),
        })
    }

    fn fleet(&mut self, now_ms: i64) -> Input {
        if now_ms >= self.ready_at_ms {
            self.arms.iter_mut().for_each(|it| it.ready = it.kept);
        }
        let [stable, canary] = self.arms;
        Input::Fleet(FleetSeen { stable, canary })
    }

    /// Does what the rollout asks for, and says what came of it.
    fn carry_out(&mut self, effect: Effect, now_ms: i64) -> Vec<Input> {
        match effect {
            Effect::Observe => vec![self.router(), self.fleet(now_ms)],
            Effect::Shift { split, ways } => {
                self.traffic = Traffic { split, ways };
                vec![self.router()]
            }
            Effect::Scale { arm, count } => {
                let it = &mut self.arms[arm.index()];
                (it.present, it.kept, it.ready) = (count, count, it.ready.min(count));
                self.ready_at_ms = now_ms + 20_000;
                vec![self.fleet(now_ms)]
            }
            Effect::Smoke { .. } => vec![Input::Smoke(SmokeVerdict::Passed)],
            Effect::Task { step } => {
                let verdict = TaskVerdict::Done;
                vec![Input::Task { step, verdict }]
            }
            Effect::Withdraw { extra } => vec![Input::Withdrawn { extra, gone: true }],
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bad = std::env::args().any(|argument| argument == "bad");
    let deployment = Deployment::default_for(StrategyKind::Canary);
    let plan = plan(&check(deployment, Facts::default(), None).map_err(|it| it.to_string())?);
    let replicas = u16::try_from(plan.fleet.replicas)?;
    let stable = ArmSeen {
        present: replicas,
        kept: replicas,
        ready: replicas,
        failed: 0,
    };
    let mut site = Site {
        traffic: Traffic::STABLE,
        arms: [stable, ArmSeen::default()],
        ready_at_ms: 0,
    };
    let mut now = Timestamp::from_unix_ms(1_767_600_000_000);
    // A real deployer syncs each line before it goes on.
    let (mut run, first_line) = Run::begin(plan.clone(), plan.digest()?, 1, now)?;
    let mut journal = first_line.0;
    let mut heard = VecDeque::from([Input::Clock]);
    loop {
        let input = heard.pop_front().unwrap_or(Input::Clock);
        let update = run.handle(now, &input)?;
        journal.extend(update.journal.into_iter().map(|line| line.0));
        for notice in update.notices {
            match notice {
                Notice::StepBegan { step } => {
                    println!("{now}  step {}", plan.steps[usize::from(step)].id);
                }
                Notice::StepDone { .. } => {}
                other => println!("{now}  {other:?}"),
            }
        }
        if let Some(effect) = update.effect {
            println!("{now}    {effect}");
            heard.extend(site.carry_out(effect, now.unix_ms()));
        }
        match update.next {
            Next::Done(outcome) => {
                let (again, read) = Run::open(journal.as_bytes())?;
                assert_eq!(again.state(), run.state());
                println!("{now}  {outcome:?}, as the {} records tell", read.records);
                return Ok(());
            }
            Next::Wait(_) if heard.is_empty() => {
                now = update.clock_by.min(now.plus_ms(20_000));
                heard.push_back(site.fleet(now.unix_ms()));
                if let Mode::Forward { step, .. } = run.state().mode
                    && let Action::Watch { analyse: true, .. } =
                        plan.steps[usize::from(step)].action
                {
                    let worse = bad && site.traffic.split.weight(Arm::Canary) >= 2_500;
                    let judgement = [Judgement::Pass, Judgement::Fail][usize::from(worse)];
                    heard.push_back(Input::Analysis { step, judgement });
                }
            }
            Next::Wait(_) => {}
        }
    }
}
