#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
// The broken rules under `tests` name this crate from outside.
#[cfg(test)]
extern crate self as nonevent_rollout;

mod ability;
mod absorb;
mod effect;
mod forward;
mod hold;
mod input;
mod machine;
mod prove;
mod rollback;
mod run;
pub mod simulate;
mod state;
mod steps;

pub use effect::{Effect, Next, Notice, Turn, Wait, WaitReason};
pub use input::{
    ArmSeen, Command, FleetSeen, Input, Judgement, RouterSeen, SmokeVerdict, TaskVerdict,
    WindowSeen,
};
pub use machine::{Machine, MachineError, MachineErrorKind};
pub use prove::{
    Answer, Counterexample, FaultModel, Proof, ProofLimits, Property, PropertyResult, Rules,
    Stepper, StoryLine, Undecided, prove, prove_with,
};
pub use run::{JOURNAL_KIND, JournalLine, Record, Resumed, Run, RunError, RunErrorKind, Update};
pub use state::{
    Agreed, Beside, Extra, Held, HeldBy, Mode, Outcome, Pending, Phase, Reason, State, StuckAt,
    Verified,
};
