//! Comparisons against figures that are missing, or say less than they seem to.

use nonevent_analysis::{
    ArmWindow, Comparison, GapReason, LatencyCounts, Metric, Need, Outcome, Policy, Verdict, Window,
};

fn arm(requests: u64, errors: u64, latency: &[u64]) -> ArmWindow {
    ArmWindow {
        requests,
        errors,
        latency: LatencyCounts {
            bounds_us: vec![10_000, 20_000, 50_000],
            counts: latency.to_vec(),
        },
    }
}

fn look(comparison: &mut Comparison, stable: ArmWindow, canary: ArmWindow) -> Verdict {
    let window = Window {
        length_ms: 500,
        stable,
        canary,
    };
    comparison.observe(&window.into())
}

fn is_missing(verdict: &Verdict, need: Need) {
    let needs = vec![need];
    assert_eq!(
        verdict.outcome,
        Outcome::Inconclusive { needs },
        "{}",
        verdict.reason
    );
}

#[test]
fn a_canary_that_falls_silent_does_not_pass() {
    let policy = Policy {
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    let mut comparison = Comparison::new(&policy);
    let mut both = |canary| look(&mut comparison, arm(190, 0, &[]), arm(canary, 0, &[]));
    for _ in 0..15 {
        let _ = both(4);
    }
    // By chance there is none now and then.
    let verdict = both(0);
    assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
    let verdict = both(0);
    is_missing(&verdict, Need::FreshFigures(GapReason::NoTraffic));
    let tripwire = Policy {
        promote_inconclusive: true,
        ..policy
    };
    assert!(!verdict.outcome.promotes(&tripwire));
    assert_eq!(both(4).outcome, Outcome::Pass);
}

#[test]
fn latency_is_measured_anew_in_every_step() {
    let mut comparison = Comparison::new(&Policy::default());
    let mut both = |latency: &[u64], step: bool| {
        if step {
            comparison.start_step();
        }
        let verdicts =
            [(); 3].map(|()| look(&mut comparison, arm(500, 0, latency), arm(500, 0, latency)));
        let [.., last] = verdicts;
        last
    };
    assert_eq!(both(&[500], false).outcome, Outcome::Pass);
    is_missing(&both(&[], true), Need::Measurement(Metric::P99Ratio));
    assert_eq!(both(&[500], false).outcome, Outcome::Pass);
}

/// A policy, latencies of stable and of the canary, and what is then missing.
type Case<'a> = (&'a Policy, &'a [u64], &'a [u64], Option<Metric>);

#[test]
fn a_p99_beyond_the_histogram_is_not_measured() {
    let relative = Policy::default();
    let absolute = Policy {
        p99_ratio_max_percent: None,
        p99_max_ms: Some(100),
        ..Policy::default()
    };
    let cases: [Case<'_>; 5] = [
        (
            &relative,
            &[400, 0, 0, 100],
            &[0, 0, 0, 500],
            Some(Metric::P99Ratio),
        ),
        (
            &relative,
            &[0, 0, 500],
            &[0, 0, 0, 500],
            Some(Metric::P99Ratio),
        ),
        (&relative, &[0, 0, 500], &[499, 0, 0, 1], None),
        (&absolute, &[500], &[0, 0, 0, 500], Some(Metric::P99)),
        (&absolute, &[500], &[499, 0, 0, 1], None),
    ];
    for (policy, stable, canary, missing) in cases {
        let mut comparison = Comparison::new(policy);
        for _ in 0..4 {
            let _ = look(&mut comparison, arm(500, 0, stable), arm(500, 0, canary));
        }
        let verdict = comparison.verdict();
        match missing {
            Some(metric) => is_missing(&verdict, Need::Measurement(metric)),
            None => assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason),
        }
    }
}

#[test]
fn an_outage_that_hits_both_does_not_fail_the_canary() {
    let relative = Policy {
        error_rate_max_ppm: None,
        p99_ratio_max_percent: None,
        ..Policy::default()
    };
    let mut comparison = Comparison::new(&relative);
    for index in 0..100 {
        let _ = look(
            &mut comparison,
            arm(950, u64::from(index % 9 == 0), &[]),
            arm(50, 0, &[]),
        );
    }
    for _ in 0..20 {
        let verdict = look(&mut comparison, arm(950, 475, &[]), arm(50, 25, &[]));
        assert_ne!(verdict.outcome, Outcome::Fail, "{}", verdict.reason);
    }
}
