//! A deployer of one's own: the machine with its journal, a router and a fleet in memory, and a
//! clock that jumps to what is awaited. Replace the world by yours, and write the journal to disk.

use nonevent_document::Timestamp;
use nonevent_rollout::{
    ArmSeen, Effect, FleetSeen, Input, Judgement, Mode, Next, RouterSeen, Run, SmokeVerdict,
};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, Deployment, Facts, StrategyKind, check, plan};

/// What stands outside: here it obeys at once.
struct World {
    split: Split,
    instances: [u16; 2],
}

impl World {
    fn router(&self) -> Input {
        Input::Router(RouterSeen {
            split: self.split,
            canary_quiet: true,
        })
    }

    fn fleet(&self) -> Input {
        let arm = |count: u16| ArmSeen {
            present: count,
            kept: count,
            ready: count,
            failed: 0,
        };
        Input::Fleet(FleetSeen {
            stable: arm(self.instances[0]),
            canary: arm(self.instances[1]),
        })
    }

    /// Does what is asked and answers what was then seen, never what was meant.
    fn carry_out(&mut self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Observe => vec![self.router(), self.fleet()],
            Effect::Shift { split } => {
                self.split = split;
                vec![self.router()]
            }
            Effect::Scale { arm, count } => {
                self.instances[arm.index()] = count;
                vec![self.fleet()]
            }
            Effect::Smoke { .. } => vec![Input::Smoke(SmokeVerdict::Passed)],
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let checked = check(
        Deployment::default_for(StrategyKind::Canary),
        Facts::default(),
        None,
    )
    .map_err(|findings| findings.to_string())?;
    let plan = plan(&checked);
    let digest = plan.digest()?;
    let mut now = Timestamp::from_unix_ms(0);
    let (mut run, first) = Run::begin(plan, digest, 1, now)?;
    let mut journal = vec![first];
    let mut world = World {
        split: Split::STABLE,
        instances: [3, 0],
    };
    let mut inputs = vec![Input::Clock];
    loop {
        while !inputs.is_empty() {
            let update = run.handle(now, &inputs.remove(0))?;
            // On disk and synced, before anything of this update is done.
            journal.extend(update.journal);
            if let Some(effect) = update.effect {
                println!("{:>8} s  {effect}", now.unix_ms() / 1000);
                inputs.extend(world.carry_out(effect));
            }
            if let Next::Done(outcome) = update.next {
                println!(
                    "{outcome:?}; the canary has {} of 10000, and the journal {} records",
                    world.split.weight(Arm::Canary),
                    journal.len()
                );
                return Ok(());
            }
        }
        let Next::Wait(wait) = run.next() else {
            return Err("nothing is awaited, and it is not over".into());
        };
        now = Timestamp::from_unix_ms(wait.until_ms.max(now.unix_ms()));
        inputs.push(Input::Clock);
        // Your comparison of the two versions speaks here; this one has seen no harm.
        if let Mode::Forward { step, .. } = run.state().mode
            && let Action::Watch { analyse: true, .. } = run.plan().steps[usize::from(step)].action
        {
            inputs.push(Input::Analysis {
                step,
                judgement: Judgement::Pass,
            });
            now = now.plus_ms(1);
        }
    }
}
