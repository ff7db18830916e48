//! What holds for every answer and every run of looks.

use nonevent_analysis::bounds::{Answer, Sustained, Why};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn sustained_is_what_a_plain_reading_says(
        gap in 0..50_u64,
        looks in proptest::collection::vec((0..40_u64, proptest::option::weighted(0.8, proptest::bool::weighted(0.8))), 0..60),
    ) {
        let mut state = Sustained::new(gap);
        let (mut now, mut seen) = (0, Vec::new());
        for (step, holds) in looks {
            now += step;
            state.observe(now, holds);
            seen.push((now, holds));
            let (mut since, mut next) = (None, now);
            for (time, holds) in seen.iter().rev() {
                match holds {
                    Some(false) => break,
                    _ if next - time > gap => break,
                    Some(true) => { since = Some(*time); next = *time; }
                    None => {}
                }
            }
            prop_assert_eq!(state.since_ms(), since);
        }
    }

    #[test]
    fn sustained_never_panics_and_never_reaches_past_its_looks(
        looks in proptest::collection::vec((any::<u64>(), any::<Option<bool>>()), 0..40),
        gap in any::<u64>(),
    ) {
        let mut state = Sustained::new(gap);
        for (time, holds) in looks {
            state.observe(time, holds);
            prop_assert!(holds != Some(false) || state.since_ms().is_none());
            let json = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sustained>(&json).unwrap(), state);
        }
    }
}

/// Reasons apart, `and` is the least and `or` the greatest of broken, unknown and kept.
#[test]
fn answers_follow_kleene() {
    let value = |answer: Answer| match answer {
        Answer::Broken => 0,
        Answer::Unknown(_) => 1,
        Answer::Kept => 2,
    };
    let few = Why::FewRequests {
        seen: Some(1),
        needed: 2,
    };
    let all = [
        Answer::Broken,
        Answer::Unknown(Why::NoData),
        Answer::Unknown(few),
        Answer::Kept,
    ];
    for a in all {
        assert_eq!(a.and(a), a);
        assert_eq!(a.or(a), a);
        for b in all {
            assert_eq!(value(a.and(b)), value(a).min(value(b)));
            assert_eq!(value(a.or(b)), value(a).max(value(b)));
            for c in all {
                assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                assert_eq!(a.or(b).or(c), a.or(b.or(c)));
            }
        }
    }
    let first = Answer::Unknown(few).and(Answer::Unknown(Why::NoData));
    assert_eq!(first, Answer::Unknown(few), "the first reason stays");
}
