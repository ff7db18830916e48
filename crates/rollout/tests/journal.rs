//! A rollout and its journal: what was written gives back what was there, and what was not written
//! by these rules is refused.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

use nonevent_document::{Document, Limits, Timestamp};
use nonevent_evidence::{ChainLimits, ChainWriter, read_chain};
use nonevent_rollout::{
    ArmSeen, Command, Effect, FleetSeen, Input, JOURNAL_KIND, Mode, Next, Outcome, Reason, Record,
    RouterSeen, Run, RunError, RunErrorKind, SmokeVerdict, Verified, WaitReason,
};
use nonevent_router::Split;
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, Traffic, Ways, check, plan, read};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_767_600_000_000 + ms)
}

fn arm(count: u16) -> ArmSeen {
    ArmSeen {
        present: count,
        kept: count,
        ready: count,
        failed: 0,
    }
}

fn router(canary: u16) -> Input {
    Input::Router(RouterSeen {
        split: Split::canary(canary).unwrap(),
        ways: Ways::NONE,
        canary_quiet: false,
    })
}

fn fleet(stable: u16, canary: u16) -> Input {
    Input::Fleet(FleetSeen {
        stable: arm(stable),
        canary: arm(canary),
    })
}

/// A run with all that it wrote.
struct Written {
    run: Run,
    text: String,
}

impl Written {
    fn begin() -> Written {
        let plan = default_plan(StrategyKind::Canary);
        let digest = plan.digest().unwrap();
        let (run, line) = Run::begin(plan, digest, 1, at(0)).unwrap();
        Written { run, text: line.0 }
    }

    fn tell(&mut self, ms: i64, input: Input) -> Option<Effect> {
        let update = self.run.handle(at(ms), &input).unwrap();
        self.text
            .extend(update.journal.into_iter().map(|line| line.0));
        update.effect
    }

    /// The default canary up to the change of traffic to 5 %, whose answer is not in yet.
    fn up_to_the_first_shift() -> Written {
        let mut it = Written::begin();
        assert_eq!(it.tell(0, Input::Clock), Some(Effect::Observe));
        it.tell(1, router(0));
        it.tell(2, fleet(3, 0));
        it.tell(3, Input::Smoke(SmokeVerdict::Passed));
        it.tell(4, fleet(3, 1));
        let split = Split::canary(500).unwrap();
        let effect = it.tell(5, Input::Smoke(SmokeVerdict::Passed));
        assert_eq!(effect, Some(Effect::shift(Traffic::split(split))));
        it
    }

    fn lines(&self) -> Vec<&str> {
        self.text.split_inclusive('\n').collect()
    }
}

#[test]
fn each_attempt_at_a_plan_has_a_name_of_its_own_and_keeps_it() {
    let attempt = |epoch, ms| {
        let plan = default_plan(StrategyKind::Canary);
        let digest = plan.digest().unwrap();
        let (run, line) = Run::begin(plan, digest, epoch, at(ms)).unwrap();
        (run.attempt(), line.0)
    };
    let (first, line) = attempt(1, 0);
    assert_ne!(first, attempt(2, 0).0, "another controller");
    assert_ne!(first, attempt(1, 1).0, "another time");
    assert_eq!(Run::open(line.as_bytes()).unwrap().0.attempt(), first);
    let mut it = Written::up_to_the_first_shift();
    it.text += &it.run.take_over(2, at(6)).unwrap().0;
    it.tell(7, Input::Restarted);
    assert_eq!(it.run.attempt(), first, "whatever follows");
    let again = Run::open(it.text.as_bytes()).unwrap().0;
    assert_eq!(again.attempt(), first);
}

/// The same records, changed or left out, and chained anew: sums match, meaning may not.
fn rewritten(text: &str, change: impl Fn(usize, Record) -> Option<Record>) -> String {
    let mut chain = ChainWriter::new(JOURNAL_KIND);
    let records = read_chain(JOURNAL_KIND, text.as_bytes(), &ChainLimits::default())
        .unwrap()
        .records;
    records
        .into_iter()
        .enumerate()
        .filter_map(|(number, body)| change(number, serde_json::from_value(body).unwrap()))
        .map(|record| chain.append(&record).unwrap())
        .collect()
}

/// The same records and one more.
fn with_one_more(text: &str, record: &Record) -> String {
    let mut chain = read_chain(JOURNAL_KIND, text.as_bytes(), &ChainLimits::default()).unwrap();
    format!("{text}{}", chain.writer.append(record).unwrap())
}

fn refusal(text: &str) -> RunError {
    Run::open(text.as_bytes()).unwrap_err()
}

#[test]
fn what_was_written_gives_back_what_was_there() {
    let written = Written::up_to_the_first_shift();
    let (opened, resumed) = Run::open(written.text.as_bytes()).unwrap();
    assert_eq!(opened.state(), written.run.state());
    assert_eq!(opened.fence(), written.run.fence());
    assert_eq!(opened.next(), written.run.next());
    assert_eq!(opened.plan(), written.run.plan());
    assert_eq!(opened.digest(), written.run.digest());
    assert_eq!(resumed.torn_tail, None);
    assert_eq!(resumed.good_len, written.text.len());
    assert_eq!(resumed.records, written.lines().len());
}

#[test]
fn what_changes_nothing_is_not_written() {
    let mut written = Written::up_to_the_first_shift();
    let before = written.text.len();
    written.tell(6, fleet(3, 1));
    written.tell(7, Input::Clock);
    written.tell(8, Input::Command(Command::Resume));
    assert_eq!(written.text.len(), before);
}

#[test]
fn a_note_decides_nothing() {
    let mut written = Written::up_to_the_first_shift();
    let note = serde_json::json!({ "counters": { "stable": 3 } });
    written.text += &written.run.note(at(6), note).unwrap().0;
    let (opened, _) = Run::open(written.text.as_bytes()).unwrap();
    assert_eq!(opened.state(), written.run.state());
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_is_torn() {
    let written = Written::up_to_the_first_shift();
    let last = written.lines().last().unwrap().len();
    let whole = written.text.len() - last;
    for cut in [1, 2, last / 2, last - 1] {
        let torn = &written.text.as_bytes()[..whole + cut];
        let (opened, resumed) = Run::open(torn).unwrap();
        assert_eq!(resumed.torn_tail, Some(cut));
        assert_eq!(resumed.good_len, whole);
        // The intent is lost, the decision is not: the effect counts as out until it is known.
        assert_eq!(opened.state(), written.run.state());
        assert_eq!(opened.fence(), written.run.fence());
    }
}

#[test]
fn a_controller_that_died_before_its_intent_is_followed_by_another() {
    let written = Written::up_to_the_first_shift();
    let lines = written.lines();
    let mut text = lines[..lines.len() - 1].concat();
    let (mut run, _) = Run::open(text.as_bytes()).unwrap();
    text += &run.take_over(2, at(60_000)).unwrap().0;
    let update = run.handle(at(60_001), &Input::Restarted).unwrap();
    assert_eq!(update.effect, Some(Effect::Observe));
    text.extend(update.journal.into_iter().map(|line| line.0));
    let (again, _) = Run::open(text.as_bytes()).unwrap();
    assert_eq!(again.state(), run.state());
    assert_eq!(again.fence(), run.fence());
}

#[test]
fn damage_is_refused_with_the_number_of_its_record() {
    let written = Written::up_to_the_first_shift();
    let lines = written.lines();
    for number in 0..lines.len() {
        let mut damaged: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        damaged[number] = damaged[number].replacen("2026", "2027", 1);
        let error = refusal(&damaged.concat());
        assert_eq!(error.kind(), RunErrorKind::Journal);
        let text = error.to_string();
        assert!(text.contains(&format!("record {number} ")), "{text}");
    }
    let text = refusal("").to_string();
    assert!(text.contains("it has no record"), "{text}");
}

#[test]
fn an_intent_that_does_not_follow_is_refused() {
    let written = Written::up_to_the_first_shift();
    let last = written.lines().len() - 1;
    let other = rewritten(&written.text, |number, record| match record {
        Record::Intent { at, fence, .. } if number == last => {
            let split = Split::CANARY;
            let effect = Effect::shift(Traffic::split(split));
            Some(Record::Intent { at, fence, effect })
        }
        other => Some(other),
    });
    let text = refusal(&other).to_string();
    let said = format!("record {last}: the intent to send 100 % of traffic to the canary does not");
    assert!(text.contains(&said), "{text}");

    let twice = with_one_more(
        &written.text,
        &Record::Intent {
            at: at(9),
            fence: written.run.fence(),
            effect: Effect::shift(Traffic::split(Split::canary(500).unwrap())),
        },
    );
    assert!(refusal(&twice).to_string().contains("does not follow"));
}

#[test]
fn a_missing_intent_and_a_changed_fence_are_refused() {
    let mut written = Written::up_to_the_first_shift();
    let intent = written.lines().len() - 1;
    written.tell(6, router(500));
    let missing = rewritten(&written.text, |number, record| {
        (number != intent).then_some(record)
    });
    let text = refusal(&missing).to_string();
    assert!(text.contains("is missing before it"), "{text}");

    let forged = rewritten(&written.text, |number, record| match record {
        Record::Intent {
            at,
            mut fence,
            effect,
        } if number == intent => {
            fence.generation += 1;
            Some(Record::Intent { at, fence, effect })
        }
        other => Some(other),
    });
    assert!(refusal(&forged).to_string().contains("does not follow"));
}

#[test]
fn another_version_another_plan_and_a_second_beginning_are_refused() {
    let written = Written::begin();
    let begun = |change: fn(&mut Record)| {
        refusal(&rewritten(&written.text, |_, mut record| {
            change(&mut record);
            Some(record)
        }))
    };
    let error = begun(|record| {
        if let Record::Begin { api_version, .. } = record {
            *api_version = String::from("nonevent/v2");
        }
    });
    assert!(error.to_string().contains("nonevent/v2"), "{error}");
    let error = begun(|record| {
        if let Record::Begin { plan, .. } = record {
            plan.rollback.keep = 0;
        }
    });
    assert_eq!(error.kind(), RunErrorKind::Machine);
    let plan = default_plan(StrategyKind::Canary);
    let again = Record::Begin {
        api_version: String::from("nonevent/v1"),
        at: at(1),
        digest: plan.digest().unwrap(),
        plan: Box::new(plan),
        epoch: 2,
    };
    let text = refusal(&with_one_more(&written.text, &again)).to_string();
    assert!(text.contains("record 1: a second beginning"), "{text}");
}

#[test]
fn an_older_epoch_is_fenced_out() {
    let mut written = Written::up_to_the_first_shift();
    let before = written.run.fence();
    assert!(written.run.take_over(1, at(10)).is_err());
    assert_eq!(written.run.fence(), before);
    written.text += &written.run.take_over(3, at(10)).unwrap().0;
    assert!(written.run.fence() > before);
    assert!(written.run.take_over(3, at(11)).is_err());
    let older = Record::Resumed {
        at: at(12),
        epoch: 2,
    };
    let text = refusal(&with_one_more(&written.text, &older)).to_string();
    assert!(text.contains("epoch 2 after epoch 3"), "{text}");
}

#[test]
fn a_finished_journal_says_how_it_ended() {
    let mut written = Written::up_to_the_first_shift();
    written.tell(6, router(500));
    written.tell(7, Input::Command(Command::Abort));
    written.tell(8, router(0));
    written.tell(30_008, Input::Clock);
    written.tell(30_009, Input::Smoke(SmokeVerdict::Failed));
    let ended = Next::Done(Outcome::RolledBack {
        reason: Reason::Aborted,
        verified: Verified::Failed,
    });
    assert_eq!(written.run.next(), ended);
    let (opened, _) = Run::open(written.text.as_bytes()).unwrap();
    assert_eq!(opened.next(), ended);
}

/// What a clock that reads so at each input makes of the pause that begins at the first of them: how
/// long after it the pause is over.
fn pause_ends_after(clock: impl Fn(i64) -> i64) -> i64 {
    let mut it = Written::up_to_the_first_shift();
    it.tell(6, router(500));
    let (mut passed_ms, begun_ms) = (0, 6);
    loop {
        passed_ms += 20_000;
        let now_ms = begun_ms + clock(passed_ms);
        let update = it.run.handle(at(now_ms), &Input::Clock).unwrap();
        it.text
            .extend(update.journal.into_iter().map(|line| line.0));
        let evidence = matches!(
            update.next,
            Next::Wait(wait) if wait.reason == WaitReason::Evidence
        );
        if evidence {
            // Whoever opens the journal counts the same.
            let (opened, _) = Run::open(it.text.as_bytes()).unwrap();
            assert_eq!(opened.state(), it.run.state());
            return passed_ms;
        }
        assert!(passed_ms < 10_000_000, "it never ends");
    }
}

#[test]
fn a_clock_that_falls_or_jumps_makes_a_pause_longer_and_never_shorter() {
    let even = pause_ends_after(|ms| ms);
    assert_eq!(even, 300_000, "five minutes");
    let jumps = |by_ms: i64| move |ms| if ms > 100_000 { ms + by_ms } else { ms };
    assert_eq!(pause_ends_after(jumps(200_000)), even + 20_000);
    assert_eq!(pause_ends_after(jumps(86_400_000)), even + 20_000);
    // It stands still until it is back where it was.
    assert_eq!(pause_ends_after(jumps(-60_000)), even + 60_000);
    // A little is not told from an answer that was slow to come.
    assert_eq!(pause_ends_after(jumps(40_000)), even - 40_000);
}

#[test]
fn a_sleep_puts_off_the_end_of_a_pause() {
    let mut it = Written::up_to_the_first_shift();
    it.tell(6, router(500));
    // A day later by the clock; the pause has not moved, and the next beat comes soon.
    let update = it.run.handle(at(86_400_000), &Input::Clock).unwrap();
    assert!(
        update.journal[0].0.contains("slept"),
        "{:?}",
        update.journal
    );
    assert_eq!(update.clock_by, at(86_430_000));
    let Next::Wait(wait) = update.next else {
        panic!("it waits");
    };
    assert_eq!(wait.until_ms - at(86_400_000).unix_ms(), 300_000);
}

#[test]
fn while_a_person_is_asked_no_time_passes() {
    let mut it = Written::up_to_the_first_shift();
    it.tell(6, router(500));
    let ends = |it: &Written| match it.run.next() {
        Next::Wait(wait) => wait.until_ms - at(0).unix_ms(),
        Next::Done(_) => panic!("it waits"),
    };
    let before = ends(&it);
    it.tell(20_000, Input::Clock);
    // Ten seconds more have passed when the question is asked; it is answered two hours later.
    let line = it.run.stood_still(at(30_000), at(7_230_000)).unwrap();
    it.text.push_str(&line.unwrap().0);
    assert_eq!(ends(&it), before + 7_200_000);
    it.tell(7_230_000, Input::Clock);
    assert_eq!(ends(&it), before + 7_200_000);
    let (opened, _) = Run::open(it.text.as_bytes()).unwrap();
    assert_eq!(opened.state(), it.run.state());
    assert_eq!(opened.next(), it.run.next());
    assert_eq!(opened.clock_by(), it.run.clock_by());
    // What has passed has passed, and a clock that fell stops nothing.
    for (since, now) in [
        (0, 7_230_000),
        (7_230_000, 7_230_000),
        (7_240_000, 7_235_000),
    ] {
        assert_eq!(it.run.stood_still(at(since), at(now)).unwrap(), None);
    }
}

/// A canary that two people agree to before any instance of it is started.
const APPROVED: &str = "
apiVersion: nonevent/v1
kind: Deployment
service: basket
environment: staging
author: noor
release: { from: 1.0.0, to: 1.1.0 }
roles: { lead: [ada, grace] }
fleet: { replicas: 3, spare: 3 }
strategy: { canary: { steps: [ { traffic: 50%, pause: 5m, approval: go }, { traffic: 100%, pause: 5m } ] } }
approvals: { go: { role: lead, count: 2, timeout: 1d } }
";

#[test]
fn a_word_that_grew_too_old_while_the_machine_slept_counts_no_more() {
    const HOUR_MS: i64 = 3_600_000;
    let document = Document::parse("it.yaml", APPROVED.as_bytes(), &Limits::default()).unwrap();
    let deployment = read(&document).unwrap();
    let plan = plan(&check(deployment, Facts::default(), None).unwrap());
    let digest = plan.digest().unwrap();
    let (run, line) = Run::begin(plan, digest, 1, at(0)).unwrap();
    let mut it = Written { run, text: line.0 };
    for input in [Input::Clock, router(0), fleet(3, 0)] {
        it.tell(0, input);
    }
    it.tell(0, Input::Smoke(SmokeVerdict::Passed));
    let Mode::Forward { step: asked, .. } = it.run.state().mode else {
        unreachable!("it goes forward");
    };
    let agrees = |person, until_ms| Input::Approval {
        step: asked,
        person,
        granted: true,
        until_ms: at(until_ms).unix_ms(),
    };
    it.tell(1_000, agrees(0, HOUR_MS));
    // Nobody looked for hours.
    it.tell(8 * HOUR_MS, Input::Clock);
    it.tell(8 * HOUR_MS + 1_000, agrees(1, 9 * HOUR_MS));
    let Mode::Forward { step, agreed, .. } = it.run.state().mode else {
        unreachable!("it goes forward");
    };
    assert_eq!((step, agreed.people), (asked, 0b10));
    let (opened, _) = Run::open(it.text.as_bytes()).unwrap();
    assert_eq!(opened.state(), it.run.state());
}

/// Journals as they were written when their format was made: whoever finds one can read it.
#[test]
fn journals_of_old_stay_readable() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/rollout/journals"
    );
    let mut ends = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let chain = read_chain(JOURNAL_KIND, &bytes, &ChainLimits::default()).unwrap();
        assert_eq!(chain.torn_tail, None, "{name}");
        let records: Vec<Record> = chain
            .records
            .into_iter()
            .map(|body| serde_json::from_value(body).unwrap())
            .collect();
        let Some(Record::Begin { plan, digest, .. }) = records.first() else {
            panic!("{name} does not begin a rollout");
        };
        assert_eq!(plan.digest().unwrap(), *digest, "{name}");
        let (run, _) = Run::open(&bytes).unwrap();
        let Mode::Done(outcome) = run.state().mode else {
            panic!("{name} does not end");
        };
        ends.push(outcome);
    }
    assert_eq!(ends.len(), 4);
    assert!(ends.contains(&Outcome::Promoted));
    assert!(
        ends.iter()
            .any(|it| matches!(it, Outcome::RolledBack { .. }))
    );
    assert!(ends.iter().any(|it| matches!(it, Outcome::Stuck { .. })));
}
