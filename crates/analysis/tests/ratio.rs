//! The ratio of two rates where a model of bursts ends: outages, and counts that no service has.

use nonevent_analysis::{Block, RateRatio};

const fn block(stable: (u64, u64), canary: (u64, u64)) -> Block {
    Block {
        stable_requests: stable.0,
        stable_events: stable.1,
        canary_requests: canary.0,
        canary_events: canary.1,
    }
}

/// The highest evidence (its ln) that the canary is worse over these blocks, after `good` ones
/// with an error in stable now and then.
fn highest(good: u64, [n0, n1]: [u64; 2], then: Block, blocks: u64) -> f64 {
    let mut test = RateRatio::new(1.0);
    for index in 0..good {
        let rarely = |every: u64| u64::from(index % every == 0);
        test.observe(&block((n0, rarely(10)), (n1, rarely(10 * n0 / n1))));
    }
    let evidence = (0..blocks).map(|_| {
        test.observe(&then);
        test.ln_e_value_above()
    });
    evidence.fold(f64::MIN, f64::max)
}

#[test]
fn an_outage_that_hits_both_alike_says_nothing_against_the_canary() {
    for good in [1, 10, 100, 1_000] {
        for requests in [[500, 500], [950, 50], [9_500, 500], [100_000, 100_000]] {
            for part in [10, 2, 1] {
                let [n0, n1] = requests;
                let both = block((n0, n0 / part), (n1, n1 / part));
                let evidence = highest(good, requests, both, 12);
                assert!(evidence < 2.0, "{good} {requests:?} 1/{part}: {evidence}");
                // The same, of the canary alone.
                let alone = block((n0, 0), (n1, n1 / part));
                let evidence = highest(good, requests, alone, 12);
                assert!(evidence > 5.0, "{good} {requests:?} 1/{part}: {evidence}");
            }
        }
    }
}

#[test]
fn counts_of_any_size_give_the_same_evidence() {
    for (stable, canary) in [(1, 1), (2, 1), (1, 2), (0, 1), (1, 0)] {
        let evidence = |unit: u64| {
            let whole = unit * 2;
            let mut test = RateRatio::new(1.5);
            for _ in 0..6 {
                test.observe(&block((whole, unit * stable), (whole, unit * canary)));
            }
            test.ln_e_value_above()
        };
        let [small, large] = [evidence(1 << 20), evidence(1 << 62)];
        assert!(
            (small - large).abs() < 0.1,
            "{stable} {canary}: {small} {large}"
        );
    }
}
