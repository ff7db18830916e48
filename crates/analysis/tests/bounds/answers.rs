//! What is known about each clause, and what the bound's answer and its sentence then are.

use std::fmt::Write as _;

use nonevent_analysis::bounds::{
    Answer, Bound, Confidence, ConfidenceOf, Explanation, Facts, Known, Sustained, Trigger, Why,
    check, default_triggers,
};

const CANARY: ConfidenceOf = ConfidenceOf::Canary;
const EXCESS: ConfidenceOf = ConfidenceOf::Excess;

/// Figures of a canary over 1000 requests.
fn seen(canary: f64, of: ConfidenceOf, lower: f64, upper: f64) -> Known {
    Known {
        at_ms: 600_000,
        canary: Some(canary),
        confidence: Some(Confidence {
            of,
            lower: Some(lower),
            upper: Some(upper),
        }),
        requests: Some(1_000),
        ..Known::default()
    }
}

fn explain(text: &str, known: &[Option<Known>]) -> Explanation {
    let bound: Bound = text.parse().unwrap();
    let mut known = known.iter();
    let explanation = bound.explain(&Facts::default(), |_| *known.next().unwrap());
    assert_eq!(known.len(), 0, "each clause is asked once");
    explanation
}

/// The answers and sentences of bounds, each with what is known about its clauses.
fn golden(cases: &[(&str, &[Option<Known>])]) -> String {
    let mut golden = String::new();
    for (text, known) in cases {
        let explanation = explain(text, known);
        let json = serde_json::to_string(&explanation).unwrap();
        let read: Explanation = serde_json::from_str(&json).unwrap();
        assert_eq!(read, explanation);
        let answer = explanation.answer;
        writeln!(golden, "> {text}\n{answer:?}: {}\n", explanation.sentence).unwrap();
    }
    golden
}

fn since(known: Known, ms: u64) -> Known {
    Known {
        beyond_since_ms: Some(ms),
        ..known
    }
}

fn of(known: Known, requests: Option<u64>) -> Known {
    Known { requests, ..known }
}

fn beside(known: Known, baseline: f64) -> Known {
    Known {
        baseline: Some(baseline),
        ..known
    }
}

#[test]
fn sentences_about_fixed_limits() {
    let bad_errors = seen(0.023, CANARY, 0.016, 0.032);
    let good_errors = seen(0.004, CANARY, 0.001, 0.009);
    let vague_errors = seen(0.004, CANARY, 0.001, 0.019);
    let golden = golden(&[
        ("error_rate <= 1%", &[Some(bad_errors)]),
        ("error_rate <= 1%", &[Some(good_errors)]),
        ("error_rate <= 1%", &[Some(vague_errors)]),
        ("error_rate <= 1%", &[None]),
        ("error_rate <= 1%", &[Some(of(bad_errors, Some(49)))]),
        ("error_rate <= 1%", &[Some(of(bad_errors, Some(50)))]),
        ("error_rate <= 1%", &[Some(of(bad_errors, None))]),
        (
            "error_rate <= 1% of at least 2000 requests",
            &[Some(bad_errors)],
        ),
        (
            "error_rate <= 1% of at least 5 requests",
            &[Some(of(bad_errors, Some(5)))],
        ),
        (
            "availability >= 99.9%",
            &[Some(seen(0.98, CANARY, 0.97, 0.991))],
        ),
        (
            "availability >= 99.9%",
            &[Some(seen(0.9999, CANARY, 0.9993, 1.0))],
        ),
        (
            "availability >= 99.9%",
            &[Some(seen(0.9999, CANARY, 0.98, 1.0))],
        ),
        ("p99 <= 0.5s", &[Some(seen(810.0, CANARY, 700.0, 900.0))]),
        (
            "restarts <= 0",
            &[Some(of(seen(2.0, CANARY, 2.0, 2.0), None))],
        ),
        (
            "restarts <= 0",
            &[Some(of(seen(0.0, CANARY, 0.0, 0.0), None))],
        ),
        (
            "memory <= 512MiB",
            &[Some(of(seen(6e8, CANARY, 6e8, 6e8), None))],
        ),
        ("requests >= 10/s", &[Some(seen(4.25, CANARY, 3.0, 5.5))]),
        (
            "error_rate <= 1%",
            &[Some(seen(f64::NAN, CANARY, f64::NAN, f64::INFINITY))],
        ),
    ]);
    insta::assert_snapshot!("fixed", golden);
}

#[test]
fn sentences_about_the_baseline_and_several_clauses() {
    let bad_errors = seen(0.023, CANARY, 0.016, 0.032);
    let good_errors = seen(0.004, CANARY, 0.001, 0.009);
    let slow = beside(seen(810.0, EXCESS, 120.5, 260.0), 300.0);
    let fast = beside(seen(310.0, EXCESS, -400.0, -120.0), 300.0);
    let unclear = beside(seen(610.0, EXCESS, -40.0, 95.0), 300.0);
    let golden = golden(&[
        ("p99 <= baseline * 2", &[Some(slow)]),
        ("p99 <= baseline * 2", &[Some(fast)]),
        ("p99 <= baseline * 2", &[Some(unclear)]),
        (
            "p99 <= baseline * 2",
            &[Some(seen(810.0, CANARY, 700.0, 900.0))],
        ),
        ("p99 <= baseline * 2 for 5m", &[Some(slow)]),
        ("p99 <= baseline * 2 for 5m", &[Some(since(slow, 480_000))]),
        ("p99 <= baseline * 2 for 5m", &[Some(since(slow, 300_000))]),
        ("p99 <= baseline * 2 for 5m", &[Some(since(slow, 700_000))]),
        ("p99 <= baseline * 2 for 5m", &[Some(since(fast, 0))]),
        (
            "error_rate <= 1% and p99 <= baseline * 2",
            &[Some(bad_errors), Some(slow)],
        ),
        (
            "error_rate <= 1% and p99 <= baseline * 2",
            &[Some(good_errors), Some(slow)],
        ),
        (
            "error_rate <= 1% and p99 <= baseline * 2",
            &[Some(good_errors), None],
        ),
        (
            "error_rate <= 1% and p99 <= baseline * 2",
            &[Some(good_errors), Some(fast)],
        ),
        (
            "p99 <= 500ms or p99 <= baseline * 2",
            &[Some(seen(810.0, CANARY, 700.0, 900.0)), Some(fast)],
        ),
        (
            "p99 <= 500ms or p99 <= baseline * 2",
            &[Some(seen(810.0, CANARY, 700.0, 900.0)), Some(slow)],
        ),
        (
            "p99 <= 500ms or p99 <= baseline * 2",
            &[Some(seen(810.0, CANARY, 700.0, 900.0)), None],
        ),
        (
            "restarts <= 0 and (error_rate <= 1% or p99 <= 1s)",
            &[
                None,
                Some(bad_errors),
                Some(seen(1_500.0, CANARY, 1_200.0, 2_000.0)),
            ],
        ),
    ]);
    insta::assert_snapshot!("baseline", golden);
}

#[test]
fn an_estimate_alone_decides_nothing() {
    for canary in [0.0, 0.5, 1.0] {
        let known = Known {
            canary: Some(canary),
            requests: Some(1_000_000),
            ..Known::default()
        };
        let answer = explain("error_rate <= 1%", &[Some(known)]).answer;
        assert_eq!(answer, Answer::Unknown(Why::NoConfidence));
    }
}

#[test]
fn limits_belong_to_their_side() {
    let at = |text: &str, edge: f64| explain(text, &[Some(seen(edge, CANARY, edge, edge))]).answer;
    for (text, broken) in [
        ("error_rate <= 1%", false),
        ("error_rate < 1%", true),
        ("error_rate >= 1%", false),
        ("error_rate > 1%", true),
    ] {
        let expected = if broken { Answer::Broken } else { Answer::Kept };
        assert_eq!(at(text, 0.01), expected, "{text}");
    }
    assert_eq!(at("error_rate <= 1%", 0.010_000_001), Answer::Broken);
    assert_eq!(at("error_rate >= 1%", 0.009_999_999), Answer::Broken);
}

/// A clause with `for` breaks exactly when the state machine has seen it long enough.
#[test]
fn a_run_of_looks_breaks_a_sustained_clause_in_time() {
    let bound: Bound = "cpu <= 90% for 1m".parse().unwrap();
    let mut beyond = Sustained::new(20_000);
    let mut answers = Vec::new();
    for look in 0..12_u64 {
        let at_ms = 1_000_000 + look * 10_000;
        // The fourth look finds the processor idle for a moment.
        let cpu = if look == 3 { 0.5 } else { 0.95 };
        beyond.observe(at_ms, Some(cpu > 0.9));
        let known = Known {
            at_ms,
            beyond_since_ms: beyond.since_ms(),
            ..seen(cpu, CANARY, cpu, cpu)
        };
        let explanation = bound.explain(&Facts::default(), |_| Some(known));
        answers.push(match explanation.answer {
            Answer::Kept => 'k',
            Answer::Unknown(_) => 'u',
            Answer::Broken => 'B',
        });
    }
    assert_eq!(answers.iter().collect::<String>(), "uuukuuuuuuBB");
}

#[test]
fn a_clock_that_goes_back_neither_lengthens_nor_forges_a_run() {
    let run = |looks: &[(u64, Option<bool>)]| {
        let mut state = Sustained::new(100);
        for (time, holds) in looks {
            state.observe(*time, *holds);
        }
        (state.since_ms(), state.held_ms())
    };
    let yes = Some(true);
    assert_eq!(
        run(&[(1_000, yes), (1_080, yes), (1_050, yes), (1_090, yes)]),
        (Some(1_000), 90)
    );
    assert_eq!(
        run(&[(1_000, yes), (1_080, yes), (500, yes)]),
        (Some(500), 0)
    );
    let back = run(&[(1_000, yes), (1_080, yes), (1_050, yes)]);
    assert_eq!(back, (Some(1_000), 80), "the run does not shrink");
    assert_eq!(run(&[(1_000, yes), (500, None)]), (None, 0));
    assert_eq!(run(&[(1_000, yes), (1_100, yes)]), (Some(1_000), 100));
    assert_eq!(run(&[(1_000, yes), (1_101, yes)]), (Some(1_101), 0));
    assert_eq!(
        run(&[(1_000, yes), (1_050, Some(false)), (1_060, yes)]),
        (Some(1_060), 0)
    );
}

#[test]
fn the_default_triggers_are_clean_and_serialise_as_text() {
    let triggers = default_triggers();
    for trigger in &triggers {
        let checked = check(&trigger.bound.to_string(), &Facts::default());
        assert!(checked.findings.is_empty(), "{}", checked.findings);
        assert_eq!(checked.bound.as_ref(), Some(&trigger.bound));
    }
    let json = serde_json::to_string_pretty(&triggers).unwrap();
    insta::assert_snapshot!("triggers", json);
    assert_eq!(
        serde_json::from_str::<Vec<Trigger>>(&json).unwrap(),
        triggers
    );
}
