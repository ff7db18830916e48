//! What a bad version does wrong, and when.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::demonstration::draw::{is_chosen, mix};

/// A way for a version to be bad. None of them shows in `/health`: a readiness check alone must
/// not be enough to find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A good version.
    None,
    /// 30 % of `/work` and `/orders` answer 500.
    Errors,
    /// One in four of `/work` and `/orders` takes ten to twenty times as long.
    Latency,
    /// The process exits with [`super::CRASH_STATUS`] a few seconds after its first `/work`.
    Crash,
}

impl Fault {
    const NAMES: [(Fault, &'static str); 4] = [
        (Fault::None, "none"),
        (Fault::Errors, "errors"),
        (Fault::Latency, "latency"),
        (Fault::Crash, "crash"),
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Fault::NAMES.iter().find(|(fault, _)| fault == self);
        f.write_str(name.map_or("none", |(_, name)| name))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        match Fault::NAMES.iter().find(|(_, name)| *name == text) {
            Some((fault, _)) => Ok(*fault),
            None => Err("not a fault: write none, errors, latency or crash".to_owned()),
        }
    }
}

/// How one request is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Treatment {
    /// How long the work takes.
    pub(super) takes: Duration,
    /// Whether it then fails.
    pub(super) fails: bool,
}

/// Hands out treatments, the same ones in the same order for one seed.
#[derive(Debug)]
pub(super) struct Faults {
    fault: Fault,
    seed: u64,
    drawn: AtomicU64,
    crash_is_due: AtomicBool,
}

impl Faults {
    pub(super) const fn new(fault: Fault, seed: u64) -> Faults {
        Faults {
            fault,
            seed,
            drawn: AtomicU64::new(0),
            crash_is_due: AtomicBool::new(false),
        }
    }

    pub(super) fn next(&self) -> Treatment {
        let n = self.drawn.fetch_add(1, Ordering::Relaxed);
        let healthy_us = 2_000 + mix(self.seed, n) % 6_001;
        let slow = self.fault == Fault::Latency && is_chosen(self.seed, n, 250);
        let factor = if slow {
            10 + mix(!self.seed, n) % 11
        } else {
            1
        };
        Treatment {
            takes: Duration::from_micros(healthy_us * factor),
            fails: self.fault == Fault::Errors && is_chosen(self.seed, n, 300),
        }
    }

    /// When to crash, told once: after the first `/work` of a version with that fault.
    pub(super) fn crash_after(&self, earliest_ms: u64, latest_ms: u64) -> Option<Duration> {
        if self.fault != Fault::Crash || self.crash_is_due.swap(true, Ordering::Relaxed) {
            return None;
        }
        let spread = latest_ms.saturating_sub(earliest_ms) + 1;
        Some(Duration::from_millis(
            earliest_ms + mix(self.seed, 0) % spread,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(fault: Fault, seed: u64) -> Vec<Treatment> {
        let faults = Faults::new(fault, seed);
        (0..1000).map(|_| faults.next()).collect()
    }

    #[test]
    fn each_fault_does_its_own_harm_and_no_other() {
        for seed in [0, 1, 20_261, u64::MAX] {
            let failing = |all: &[Treatment]| all.iter().filter(|one| one.fails).count();
            let slow = |all: &[Treatment]| {
                all.iter()
                    .filter(|one| one.takes >= Duration::from_millis(20))
                    .count()
            };
            let good = draw(Fault::None, seed);
            assert_eq!((failing(&good), slow(&good)), (0, 0));
            assert!(
                good.iter()
                    .all(|one| (2..=8).contains(&one.takes.as_millis()))
            );
            let errors = draw(Fault::Errors, seed);
            assert!((250..=350).contains(&failing(&errors)) && slow(&errors) == 0);
            let latency = draw(Fault::Latency, seed);
            assert!((200..=300).contains(&slow(&latency)) && failing(&latency) == 0);
            assert!(
                latency
                    .iter()
                    .all(|one| one.takes <= Duration::from_millis(160))
            );
        }
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(draw(Fault::Errors, 5), draw(Fault::Errors, 5));
        assert_ne!(draw(Fault::Errors, 5), draw(Fault::Errors, 6));
    }

    #[test]
    fn a_crash_is_announced_once_and_only_to_its_own_fault() {
        let faults = Faults::new(Fault::Crash, 9);
        let after = faults.crash_after(2_000, 3_000).unwrap();
        assert!((2_000..=3_000).contains(&after.as_millis()));
        assert_eq!(faults.crash_after(2_000, 3_000), None);
        assert_eq!(
            Faults::new(Fault::Errors, 9).crash_after(2_000, 3_000),
            None
        );
    }

    #[test]
    fn names_read_back() {
        for (fault, name) in Fault::NAMES {
            assert_eq!(
                (fault.to_string().as_str(), name.parse()),
                (name, Ok(fault))
            );
        }
        assert!("Errors".parse::<Fault>().is_err());
    }
}
