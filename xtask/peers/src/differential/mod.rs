//! The same definition and context for both engines, so often that what differs shows.

mod growthbook;
mod jsonlogic;
mod launchdarkly;
mod tally;
mod ufc;
mod unleash;

use crate::random::Dice;
use nonevent_document::Timestamp;
pub(crate) use tally::{Pair, Tally};

/// The time at which everything is evaluated, in milliseconds since 1970: 2026-01-01.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

/// The time at which everything is evaluated.
pub(crate) const fn now() -> Timestamp {
    Timestamp::from_unix_ms(NOW_MS)
}

/// One definition and several contexts: each is told to the tally as a pair.
type Round = fn(&mut Dice, &mut Tally);

/// Peers by name.
const PEERS: [(&str, Round); 5] = [
    ("growthbook", growthbook::round),
    ("jsonlogic", jsonlogic::round),
    ("launchdarkly", launchdarkly::round),
    ("ufc", ufc::round),
    ("unleash", unleash::round),
];

/// What is to be compared, and how often.
pub(crate) struct Run {
    name: &'static str,
    round: Round,
    pairs: u64,
    seed: u64,
}

impl Run {
    /// From the command's words.
    pub(crate) fn from_words(peer: &str, options: &[&str]) -> Result<Self, String> {
        let Some(&(name, round)) = PEERS.iter().find(|(name, _)| *name == peer) else {
            let names: Vec<&str> = PEERS.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "there is no peer {peer:?}; there are {}",
                names.join(", ")
            ));
        };
        let mut run = Self {
            name,
            round,
            pairs: 1_000_000,
            seed: 1,
        };
        for option in options.chunks(2) {
            let number = |value: &str| {
                value
                    .parse::<u64>()
                    .map_err(|why| format!("{}: {value:?}: {why}", option[0]))
            };
            match option {
                ["--pairs", value] => run.pairs = number(value)?,
                ["--seed", value] => run.seed = number(value)?,
                _ => {
                    return Err(format!(
                        "{option:?} is no option; there are --pairs N and --seed S"
                    ));
                }
            }
        }
        Ok(run)
    }

    /// Compares, prints, and says whether nothing was left unexplained.
    pub(crate) fn carry_out(&self) -> bool {
        // A peer that panics is an answer of its own, and a million messages help nobody.
        std::panic::set_hook(Box::new(|_| {}));
        let mut dice = Dice::new(self.seed);
        let mut tally = Tally::default();
        while tally.pairs() < self.pairs {
            (self.round)(&mut dice, &mut tally);
        }
        drop(std::panic::take_hook());
        tally.report(self.name, self.seed)
    }
}

/// What `evaluate` gives, or that it panicked.
pub(crate) fn caught<T>(evaluate: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(evaluate)).ok()
}
