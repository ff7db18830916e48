//! Two proportions, block by block.

use serde::{Deserialize, Serialize};

use crate::ratio::Block;
use crate::special::{Nats, float};

/// Evidence that the canary's proportion is above stable's, if requests fail independently.
///
/// Before each block the two proportions are estimated from the past alone (with 0.18 hits and
/// 0.18 misses put in beforehand). If the canary's estimate θ₁ is above stable's θ₀, the block
/// multiplies the evidence by p(block; θ₁, θ₀) / p(block; θ̄, θ̄), θ̄ = (n₁θ₁ + n₀θ₀) / (n₁ + n₀);
/// otherwise it is passed over. That is an e-variable for every pair of equal proportions, and for
/// every pair with the canary's below stable's; blocks may be of any and of unequal size, as long
/// as the size does not depend on the outcome.
///
/// Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for
/// optional stopping", J. Statist. Plann. Inference 230 (2024).
///
/// ```
/// use nonevent_analysis::{Block, TwoProportions};
/// let mut test = TwoProportions::new();
/// for _ in 0..12 {
///     test.observe(&Block {
///         stable_requests: 50, stable_events: 1, canary_requests: 50, canary_events: 10,
///     });
/// }
/// assert!(test.ln_e_value() > (1.0f64 / 0.02).ln());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoProportions {
    past: Block,
    ln_evidence: Nats,
}

impl TwoProportions {
    /// A test that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one block. Events beyond the number of requests are cut off.
    pub fn observe(&mut self, block: &Block) {
        const BEFORE: f64 = 0.18;
        let part = |events: u64, requests: u64| {
            (float(events.min(requests)) + BEFORE) / (float(requests) + 2.0 * BEFORE)
        };
        let canary = part(self.past.canary_events, self.past.canary_requests);
        let stable = part(self.past.stable_events, self.past.stable_requests);
        let (n1, n0) = (float(block.canary_requests), float(block.stable_requests));
        if canary > stable && n1 > 0.0 && n0 > 0.0 {
            let mean = (n1 * canary + n0 * stable) / (n1 + n0);
            let gain = |events: u64, requests: u64, part: f64| {
                let events = events.min(requests);
                float(events) * libm::log(part / mean)
                    + float(requests - events) * (libm::log1p(-part) - libm::log1p(-mean))
            };
            self.ln_evidence.add(
                gain(block.canary_events, block.canary_requests, canary)
                    + gain(block.stable_events, block.stable_requests, stable),
            );
        }
        self.past.add(block);
    }

    /// ln of the evidence that the canary's proportion is above stable's.
    #[must_use]
    pub fn ln_e_value(&self) -> f64 {
        self.ln_evidence.get()
    }
}
