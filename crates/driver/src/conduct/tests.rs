//! The loop on a router and a fleet in memory: what it hears of people and of the calendar.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nonevent_rollout::{Reason, Verified};
use nonevent_router::{Counters, Desired, Pools, RouterError, Snapshot};

use super::*;
use crate::fleet::{FleetError, FleetState, Instance, InstanceId, InstanceState, Scaled};
use crate::prepare::{Prepared, Wanted, prepare};
use crate::summary::left;
use crate::words::Says;

/// A router that does as it is told.
struct Obeys(Mutex<(Split, Pools)>);

impl Router for Obeys {
    async fn apply(&self, desired: &Desired) -> Result<(), RouterError> {
        *self.0.lock().unwrap() = (desired.split, desired.pools.clone());
        Ok(())
    }

    async fn read(&self) -> Result<Snapshot, RouterError> {
        let (split, pools) = self.0.lock().unwrap().clone();
        Ok(Snapshot {
            started: String::from("once"),
            listen: None,
            split,
            pools,
            fence: None,
            unsaved: None,
            counters: Counters::default(),
            backends: Vec::new(),
        })
    }
}

/// A fleet of two stable instances, in which nothing changes.
struct Stands;

impl Fleet for Stands {
    async fn scale(&self, _: Arm, _: u32) -> Result<Scaled, FleetError> {
        Ok(Scaled::default())
    }

    async fn surplus(&self, _: Arm, _: u32) -> Result<Vec<InstanceId>, FleetError> {
        Ok(Vec::new())
    }

    async fn stop(&self, _: InstanceId, _: u64) -> Result<(), FleetError> {
        Ok(())
    }

    async fn forget(&self, _: InstanceId) -> Result<(), FleetError> {
        Ok(())
    }

    async fn observe(&self) -> Result<FleetState, FleetError> {
        let instance = |number| Instance {
            id: InstanceId {
                arm: Arm::Stable,
                number,
            },
            address: ([127, 0, 0, 1], 1).into(),
            pid: 0,
            version: String::from("1.0.0"),
            state: InstanceState::Ready,
            since_unix_ms: 0,
            log: PathBuf::new(),
        };
        Ok(FleetState {
            instances: (1..=2).map(instance).collect(),
        })
    }
}

/// Every suite passes.
struct Passes;

impl Smoker for Passes {
    fn smoke(
        &self,
        _: SuiteMoment,
        _: SmokePlace,
        _: Arm,
    ) -> Pin<Box<dyn Future<Output = Smoked> + Send + '_>> {
        Box::pin(async {
            Smoked {
                verdict: SmokeVerdict::Passed,
                text: String::new(),
                report: serde_json::Value::Null,
            }
        })
    }
}

/// Answers with words whenever something is asked, and keeps what went wrong.
struct Answers {
    words: Vec<Word>,
    to: mpsc::Sender<Order>,
    troubles: Vec<String>,
}

impl Reporter for Answers {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Asked { .. } => {
                for word in self.words.drain(..) {
                    self.to.try_send(Order::Word(Box::new(word))).unwrap();
                }
            }
            Event::Trouble { text, .. } => self.troubles.push(text.clone()),
            _ => {}
        }
    }
}

fn prepared(more: &str) -> Prepared {
    let approved = more.contains("approvals:");
    let first = if approved { ", approval: go" } else { "" };
    let document = format!(
        "
apiVersion: nonevent/v1
kind: Deployment
service: shop
environment: test
release: {{ from: 1.0.0, to: 1.1.0 }}
fleet: {{ replicas: 2, spare: 2 }}
strategy: {{ canary: {{ steps: [ {{ traffic: 50%, pause: 1m{first} }}, {{ traffic: 100%, pause: 1m }} ] }} }}
{more}"
    );
    let wanted = Wanted::default();
    let prepared = prepare("shop.yaml", document.as_bytes(), Path::new("."), &wanted);
    prepared.unwrap_or_else(|findings| panic!("{findings}"))
}

/// Conducts a run to its end while people answer with `words`: how it ended, what went wrong, and
/// its journal.
async fn conducted(
    more: &str,
    words: impl FnOnce(&Run) -> Vec<Word>,
) -> (Outcome, Vec<String>, Vec<u8>) {
    let Prepared { plan, digest, .. } = prepared(more);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let clock = Clock::new();
    let (run, line) = Run::begin(plan.clone(), digest, 1, clock.now()).unwrap();
    let (to, mut orders) = mpsc::channel(8);
    let mut reporter = Answers {
        words: words(&run),
        to,
        troubles: Vec::new(),
    };
    let router = Obeys(Mutex::new((Split::STABLE, Pools::default())));
    let mut conductor = Conductor {
        run,
        journal: JournalFile::create(&path, &line).unwrap(),
        hands: Hands::new(router, Arc::new(Stands), digest, plan.fleet.clone(), 1),
        smoker: Arc::new(Passes),
        watchers: Watchers::new(&plan, std::collections::BTreeMap::new()),
        flags: None,
        heard: BTreeSet::new(),
        orders: &mut orders,
        reporter: &mut reporter,
        clock,
        abort_after: None,
        told_back: false,
    };
    let Conducted::Ended(outcome) = conductor.conduct(vec![Input::Clock]).await.unwrap() else {
        panic!("nobody detached it")
    };
    (outcome, reporter.troubles, std::fs::read(path).unwrap())
}

fn word(run: &Run, says: Says) -> Word {
    let said = Clock::new().now();
    Word {
        plan: run.digest(),
        attempt: run.attempt(),
        step: 1,
        by: Some(String::from("noor")),
        said,
        until: said.plus_ms(600_000),
        says,
    }
}

const BY_HAND: &str = "manual: [ { name: tell, how: tell them, expect: they know } ]";

#[tokio::test]
async fn a_word_is_kept_before_it_counts_and_one_of_another_attempt_is_told() {
    let words = |run: &Run| {
        let earlier = Word {
            attempt: Digest::of(b"an earlier attempt"),
            ..word(run, Says::Done)
        };
        let failed = word(run, Says::Failed);
        vec![earlier, failed.clone(), failed]
    };
    let (outcome, troubles, journal) = conducted(BY_HAND, words).await;
    let failed = Outcome::RolledBack {
        reason: Reason::TaskFailed,
        verified: Verified::Passed,
    };
    assert_eq!(outcome, failed);
    assert_eq!(troubles.len(), 2, "{troubles:?}");
    assert!(troubles[0].contains("another attempt"), "{troubles:?}");
    assert!(troubles[1].contains("goes forward no more"), "{troubles:?}");
    let heard = left(&journal).heard;
    assert_eq!(heard.len(), 1);
    let text = String::from_utf8(journal).unwrap();
    let said = text.find("\"said\"").unwrap();
    assert!(said < text.find("\"verdict\":\"failed\"").unwrap());
}

#[tokio::test]
async fn a_word_that_is_left_twice_counts_once() {
    let approval = "
author: noor
roles: { lead: [ada, grace] }
approvals: { go: { role: lead, count: 2 } }
";
    let words = |run: &Run| {
        let by = |name: &str, says| Word {
            by: Some(name.to_owned()),
            ..word(run, says)
        };
        let ada = by("ada", Says::Agrees);
        vec![ada.clone(), ada, by("grace", Says::Denies)]
    };
    let (outcome, troubles, _) = conducted(approval, words).await;
    let denied = Outcome::RolledBack {
        reason: Reason::Denied,
        verified: Verified::Passed,
    };
    assert_eq!(outcome, denied);
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(
        troubles[0].contains("of ada does not count: it was heard before"),
        "{troubles:?}"
    );
}

#[tokio::test]
async fn a_window_that_is_closed_is_known_before_anything_is_done() {
    let now = Clock::new().now();
    let minute = |at: Timestamp| at.to_string()[..16].to_owned();
    let day_ms = 24 * 60 * 60 * 1_000;
    let windows = format!(
        "
windows:
  zone: UTC
  allow: [ {{ days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\" }} ]
  freezes: [ {{ name: sale, from: \"{}\", to: \"{}\" }} ]
  on_window_close: rollback
",
        minute(now.plus_ms(-day_ms)),
        minute(now.plus_ms(day_ms))
    );
    let (outcome, troubles, journal) = conducted(&windows, |_| Vec::new()).await;
    let closed = Outcome::RolledBack {
        reason: Reason::WindowClosed,
        verified: Verified::Passed,
    };
    assert_eq!(outcome, closed, "{troubles:?}");
    let text = String::from_utf8(journal).unwrap();
    assert!(!text.contains("\"intent\""), "nothing was changed: {text}");
}

/// A router that answers nobody any more once people are asked, and whoever then asks it.
struct HangsOnceAsked {
    asked: Arc<AtomicBool>,
    hung: mpsc::Sender<()>,
}

impl Router for HangsOnceAsked {
    async fn apply(&self, _: &Desired) -> Result<(), RouterError> {
        Ok(())
    }

    async fn read(&self) -> Result<Snapshot, RouterError> {
        if self.asked.load(Ordering::Relaxed) {
            let _ = self.hung.send(()).await;
            std::future::pending::<()>().await;
        }
        Obeys(Mutex::new((Split::STABLE, Pools::default())))
            .read()
            .await
    }
}

/// Says that it failed as soon as something is asked, and remembers whether it went back.
struct Fails {
    word: Word,
    to: mpsc::Sender<Order>,
    asked: Arc<AtomicBool>,
    goes_back: bool,
}

impl Reporter for Fails {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Asked { .. } => {
                self.asked.store(true, Ordering::Relaxed);
                let word = Box::new(self.word.clone());
                self.to.try_send(Order::Word(word)).unwrap();
            }
            Event::Notice { notice, .. } => {
                self.goes_back |= matches!(notice, Notice::RollbackBegan { .. });
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_people_say_does_not_wait_for_a_router_that_does_not_answer() {
    let Prepared { plan, digest, .. } = prepared(BY_HAND);
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let (run, line) = Run::begin(plan.clone(), digest, 1, clock.now()).unwrap();
    let (to, mut orders) = mpsc::channel(8);
    let (hung, mut hangs) = mpsc::channel(8);
    let asked = Arc::new(AtomicBool::new(false));
    let mut reporter = Fails {
        word: word(&run, Says::Failed),
        to,
        asked: Arc::clone(&asked),
        goes_back: false,
    };
    let router = HangsOnceAsked { asked, hung };
    let mut conductor = Conductor {
        run,
        journal: JournalFile::create(&dir.path().join("journal.jsonl"), &line).unwrap(),
        hands: Hands::new(router, Arc::new(Stands), digest, plan.fleet.clone(), 1),
        smoker: Arc::new(Passes),
        watchers: Watchers::new(&plan, std::collections::BTreeMap::new()),
        flags: None,
        heard: BTreeSet::new(),
        orders: &mut orders,
        reporter: &mut reporter,
        clock,
        abort_after: None,
        told_back: false,
    };
    tokio::select! {
        biased;
        ended = conductor.conduct(vec![Input::Clock]) => drop(ended.unwrap()),
        _ = hangs.recv() => {}
    }
    assert!(reporter.goes_back, "the router was asked first");
}
