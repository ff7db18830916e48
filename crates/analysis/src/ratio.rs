//! Are events more frequent with the canary, counted per request?

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::special::{float, ln_sum};

/// One block of two counts with their exposures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Requests to stable.
    pub stable_requests: u64,
    /// Events among them.
    pub stable_events: u64,
    /// Requests to the canary.
    pub canary_requests: u64,
    /// Events among them.
    pub canary_events: u64,
}

impl Block {
    /// Adds another stretch of time (saturating).
    pub fn add(&mut self, other: &Self) {
        self.stable_requests = self.stable_requests.saturating_add(other.stable_requests);
        self.stable_events = self.stable_events.saturating_add(other.stable_events);
        self.canary_requests = self.canary_requests.saturating_add(other.canary_requests);
        self.canary_events = self.canary_events.saturating_add(other.canary_events);
    }
}

/// Ratios of the canary's rate to stable's that are looked at: 2^(j/2), from 1/16 to 1024.
const RATIOS: usize = 29;

fn ln_ratio(index: usize) -> f64 {
    (float(index as u64) - 8.0) * 0.5 * core::f64::consts::LN_2
}

/// The counts test. See [`crate::Comparison`] for the one that stands bursts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsRatio {
    ratio_max: f64,
    ln_null: f64,
    ln_alternatives: Vec<f64>,
}

impl CountsRatio {
    /// Against "the canary's rate is at most `ratio_max` times stable's".
    #[must_use]
    pub fn new(ratio_max: f64) -> Self {
        let ratio_max = if ratio_max.is_nan() {
            1.0
        } else {
            ratio_max.clamp(1.0 / 16.0, 512.0)
        };
        Self {
            ratio_max,
            ln_null: 0.0,
            ln_alternatives: alloc::vec![0.0; RATIOS],
        }
    }

    /// Takes one block. Blocks in which one version had no requests say nothing.
    pub fn observe(&mut self, block: &Block) {
        if block.stable_requests == 0 || block.canary_requests == 0 {
            return;
        }
        let odds =
            libm::log(float(block.canary_requests)) - libm::log(float(block.stable_requests));
        let canary = float(block.canary_events);
        let stable = float(block.stable_events);
        let ln_likelihood = |ln_ratio: f64| {
            let ln_odds = odds + ln_ratio;
            // ln θ and ln(1 − θ) for θ = odds / (1 + odds).
            -canary * libm::log1p(libm::exp(-ln_odds)) - stable * libm::log1p(libm::exp(ln_odds))
        };
        self.ln_null += ln_likelihood(libm::log(self.ratio_max));
        for (index, ln_alternative) in self.ln_alternatives.iter_mut().enumerate() {
            *ln_alternative += ln_likelihood(ln_ratio(index));
        }
    }

    /// ln of the evidence that the canary's rate is above the bound.
    #[must_use]
    pub fn ln_e_value(&self) -> f64 {
        let above = |index: &usize| ln_ratio(*index) > libm::log(self.ratio_max) + 1e-9;
        let count = (0..RATIOS).filter(above).count();
        let mixture = ln_sum(
            (0..RATIOS)
                .filter(above)
                .map(|index| self.ln_alternatives[index]),
        );
        mixture - libm::log(float(count as u64)) - self.ln_null
    }
}
