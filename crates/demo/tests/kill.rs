//! The controlling process is killed at seeded random moments, and another one goes on: every run
//! ends wholly on one version, and the journal says which and why.

mod place;

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use place::Place;

const RUNS: u64 = 30;
const AT_A_TIME: usize = 3;
/// Runs are killed within these times, in milliseconds: after their start, after the beginning of
/// the rehearsal, and after the beginning of the rollout.
const BEFORE_MS: u64 = 1_000;
const REHEARSED_MS: u64 = 800;
const ROLLED_OUT_MS: u64 = 1_500;
/// Runs that are told to go back are killed within this time of it.
const GOES_BACK_MS: u64 = 800;
/// How long a run may take to its first action, in milliseconds.
const BEGINS_WITHIN_MS: u64 = 30_000;
const SEED: u64 = 20_261_123;

/// SplitMix64 (Steele, Lea, Flood 2014).
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How one run ended.
struct End {
    /// `promoted`, `rolled back`, `not begun`.
    how: &'static str,
    /// Whether it had ended before it was killed.
    early: bool,
    /// Why it went back, if it did, by the journal.
    why: Option<String>,
}

/// When and how a run is interrupted.
#[derive(Debug)]
struct Moment {
    /// The journal from whose beginning time is counted; from the start if none.
    journal: Option<&'static str>,
    after_ms: u64,
    /// Whether it is told to go back, and killed this much later.
    told_ms: Option<u64>,
    /// What is said to whoever goes on.
    then: &'static str,
}

/// When and how the run with that number is interrupted.
fn moment(run: u64) -> Moment {
    let drawn = random(SEED + run);
    let (journal, within_ms) = match run % 6 {
        0 => (None, BEFORE_MS),
        1 => (Some("rehearsal.jsonl"), REHEARSED_MS),
        _ => (Some("journal.jsonl"), ROLLED_OUT_MS),
    };
    Moment {
        journal,
        after_ms: drawn % within_ms,
        told_ms: (run % 6 == 4).then(|| random(drawn) % GOES_BACK_MS),
        then: if run % 6 == 5 { "abort" } else { "resume" },
    }
}

/// Deploys, and kills the controlling process; says whether it had ended before.
fn deploy_and_kill(place: &Place, moment: &Moment) -> Result<bool, String> {
    let mut command = place.deploy("kill.yaml");
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let journal = moment.journal.map(|name| place.state().join(name));
    while journal.as_ref().is_some_and(|journal| !journal.exists()) {
        if started.elapsed() > Duration::from_millis(BEGINS_WITHIN_MS) {
            drop(child.kill());
            return Err("it did not begin in time".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(moment.after_ms));
    if let Some(told_ms) = moment.told_ms {
        // Refused if it is over meanwhile.
        place.run(&["abort"]);
        std::thread::sleep(Duration::from_millis(told_ms));
    }
    let early = matches!(child.try_wait(), Ok(Some(_)));
    // SIGKILL: it cannot be caught.
    drop(child.kill());
    child.wait().map_err(|error| error.to_string())?;
    Ok(early)
}

/// One run: killed, then resumed; says how it ended.
fn interrupted(moment: &Moment) -> Result<End, String> {
    let place = Place::new();
    let early = deploy_and_kill(&place, moment)?;
    if !place.state().is_dir() {
        return Ok(End {
            how: "not begun",
            early,
            why: None,
        });
    }
    let had_begun = place.state().join("journal.jsonl").exists();
    let mut said = place.run(&[moment.then]);
    for _ in 0..2 {
        let status = place.status();
        if !status["rollout"]["outcome"].is_null() || status["rollout"].is_null() {
            break;
        }
        said = place.run(&["resume"]);
    }
    let status = place.status();
    if had_begun == status["rollout"].is_null() {
        return Err(format!("{status} is not what was begun; resume: {said:?}"));
    }
    let outcome = &status["rollout"]["outcome"];
    let (how, expected, code) = if outcome == "promoted" {
        ("promoted", "1.5.0", Some(0))
    } else if !outcome["rolled_back"]["reason"].is_null() {
        ("rolled back", "1.4.2", Some(1))
    } else if !had_begun {
        ("not begun", "1.4.2", said.code)
    } else {
        return Err(format!("it did not end: {status}; resume: {said:?}"));
    };
    if said.code != code {
        return Err(format!("{how}, but the exit status is another: {said:?}"));
    }
    let versions = place.versions();
    if versions != [expected] && !(how == "not begun" && versions.is_empty()) {
        return Err(format!("{how}, but {versions:?} answer; resume: {said:?}"));
    }
    // The plan keeps nothing of the version that does not serve.
    let left = place.run(&["cleanup"]).err;
    let other = if expected == "1.4.2" {
        "canary-"
    } else {
        "stable-"
    };
    if left.contains(other) {
        return Err(format!("{how}, but the other version is left: {left}"));
    }
    let why = outcome["rolled_back"]["reason"].as_str().map(str::to_owned);
    Ok(End { how, early, why })
}

#[test]
fn every_run_that_is_killed_ends_wholly_on_one_version() {
    let next = AtomicU64::new(0);
    let ends = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    if run >= RUNS {
                        return;
                    }
                    let end = interrupted(&moment(run));
                    ends.lock()
                        .expect("no thread panics with it")
                        .push((run, end));
                }
            });
        }
    });
    let ends = ends.into_inner().expect("no thread panics with it");
    let bad: Vec<String> = ends
        .iter()
        .filter_map(|(run, end)| {
            let error = end.as_ref().err()?;
            Some(format!(
                "run {run} of seed {SEED}, {:?}: {error}",
                moment(*run)
            ))
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    let ends: Vec<&End> = ends
        .iter()
        .filter_map(|(_, end)| end.as_ref().ok())
        .collect();
    let count = |wanted: &str| ends.iter().filter(|end| end.how == wanted).count();
    let early = ends.iter().filter(|end| end.early).count();
    let reasons: Vec<&String> = ends.iter().filter_map(|end| end.why.as_ref()).collect();
    println!(
        "seed {SEED}: of {RUNS} runs {} were promoted, {} went back, {} had not begun; {early} had \
         ended before they were to be killed; why back: {reasons:?}",
        count("promoted"),
        count("rolled back"),
        count("not begun")
    );
    assert!(
        count("promoted") > 0 && count("rolled back") > 0 && count("not begun") > 0,
        "the moments do not reach every part of a rollout"
    );
    assert!(early * 3 < ends.len(), "too many had ended before");
}
