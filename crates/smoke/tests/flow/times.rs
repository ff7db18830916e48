//! Retries, polls, deadlines and budgets, to the millisecond.

use std::time::Duration;

use nonevent_smoke::{Cause, Options, SuiteVerdict, Verdict};
use tokio::time::Instant;

use crate::world::{Reply, World, ok, reply, run_in, run_with, target};

fn times(world: &World) -> Vec<u64> {
    world.asked().iter().map(|asked| asked.at_ms).collect()
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_retries_doubles() {
    let world = World::new(|_| reply("503 Service Unavailable", "", ""));
    let report = run_in(&world, "tests: [ { path: /, retries: 4 } ]").await;
    assert_eq!(times(&world), [0, 200, 600, 1_400, 3_000]);
    assert_eq!(report.tests[0].verdict, Verdict::Failed);
    assert_eq!(report.tests[0].duration_us, 3_000_000);
}

#[tokio::test(start_paused = true)]
async fn a_poll_asks_at_growing_intervals_until_it_passes_and_is_not_flaky() {
    let world = World::new(|asked| {
        if asked.at_ms < 3_000 {
            reply("503 Service Unavailable", "", "")
        } else {
            ok("up")
        }
    });
    let text = "tests: [ { path: /, poll: { within_ms: 60000, interval_ms: 500, factor: 2, \
                interval_ms_max: 1500 } } ]";
    let report = run_in(&world, text).await;
    assert_eq!(times(&world), [0, 500, 1_500, 3_000]);
    assert_eq!(report.tests[0].verdict, Verdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_in_its_time() {
    let world = World::new(|_| ok("warming up"));
    let text = "tests: [ { path: /, expected_body_contains: ready, \
                poll: { within_ms: 2000, interval_ms: 500, factor: 1 } } ]";
    let report = run_in(&world, text).await;
    assert_eq!(times(&world), [0, 500, 1_000, 1_500]);
    let test = &report.tests[0];
    assert_eq!((test.verdict, test.attempts.len()), (Verdict::Failed, 4));
    let said = &test.attempts[3].failures[0].message;
    assert!(said.ends_with("; asked 4 times within 2s"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_try_ends_at_its_deadline() {
    let world = World::new(|_| Reply::Never);
    let report = run_in(&world, "tests: [ { path: /, timeout_ms: 700 } ]").await;
    let test = &report.tests[0];
    assert_eq!(test.duration_us, 700_000);
    assert_eq!(test.attempts[0].failures[0].cause, Cause::Timeout);
    assert_eq!(test.verdict, Verdict::Failed, "it was connected to");
}

#[tokio::test(start_paused = true)]
async fn the_budget_includes_retries_and_what_is_left_is_not_asked() {
    let world = World::new(|_| Reply::Never);
    let text = "tests: [ { path: /a, timeout_ms: 400, retries: 9 }, { path: /b } ]";
    let options = Options {
        budget_ms: 1_000,
        ..world.options()
    };
    let began = Instant::now();
    let report = run_with(text, &target(), &options).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(
        times(&world),
        [0, 600],
        "after 400 ms and a delay of 200 ms"
    );
    assert_eq!(report.tests[1].verdict, Verdict::Inconclusive);
    assert_eq!(report.summary.verdict, SuiteVerdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn phases_are_measured_apart() {
    let slow = |_: &_| {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        Reply::SayAfter(Duration::from_millis(250), answer.to_owned())
    };
    let world = World::new(slow);
    let text = "tests: [ { path: /, expected_latency_ms: { first_byte: 250, total: 250 } }, \
                { path: /, expected_latency_ms: { first_byte: 249 } } ]";
    let report = run_in(&world, text).await;
    let timings = report.tests[0].attempts[0].timings;
    assert_eq!(timings.first_byte_us, Some(250_000));
    assert_eq!((timings.connect_us, timings.body_us), (Some(0), Some(0)));
    let verdicts: Vec<Verdict> = report.tests.iter().map(|test| test.verdict).collect();
    assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed]);
}

#[tokio::test(start_paused = true)]
async fn jobs_run_side_by_side_and_no_more_than_said() {
    let slow = |_: &_| {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        Reply::SayAfter(Duration::from_millis(100), answer.to_owned())
    };
    let world = World::new(slow);
    let options = Options {
        jobs: 4,
        ..world.options()
    };
    let report = run_with("tests: [ { path: /, repeat: 10 } ]", &target(), &options).await;
    assert_eq!(times(&world), [0, 0, 0, 0, 100, 100, 100, 100, 200, 200]);
    assert_eq!(report.summary.duration_ms, 300);
}

#[tokio::test(start_paused = true)]
async fn two_runs_give_the_same_report() {
    let text = "tests: [ { path: /, repeat: 20, retries: 2 } ]";
    let mut reports = Vec::new();
    for _ in 0..2 {
        let world = World::new(|asked| {
            if asked.connection % 3 == 1 {
                return reply("500 Internal Server Error", "", "");
            }
            let took = Duration::from_millis(asked.connection as u64 * 7 % 50);
            Reply::SayAfter(
                took,
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            )
        });
        let options = Options {
            jobs: 3,
            ..world.options()
        };
        reports.push(run_with(text, &target(), &options).await);
    }
    assert_eq!(reports[0], reports[1]);
}
