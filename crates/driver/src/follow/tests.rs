//! People who follow runbooks, scripted: in a world of their own, on a clock of their own, and with a
//! journal in memory that breaks off where the test says.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use nonevent_document::Timestamp;
use nonevent_rollout::{Effect, Input, JournalLine, Judgement, Next, Outcome, Reason, Run};
use nonevent_router::Arm;
use nonevent_strategy::{Action, Deployment, Facts, Plan, StrategyKind, check, plan};
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::*;
use crate::conduct::{Conducted, Order};
use crate::error::{DriverError, DriverErrorKind};
use crate::event::Event;
use crate::prepare::{Wanted, prepare};

/// A document with everything that people do in it.
const MANUAL: &str = "
apiVersion: nonevent/v1
kind: Deployment
service: shop
environment: test
author: noor
release: { from: 1.0.0, to: 1.1.0 }
roles: { lead: [ada, grace] }
fleet: { replicas: 2, spare: 2 }
strategy:
  canary:
    steps:
      - { traffic: 50%, pause: 1m, approval: go }
      - { traffic: 100%, pause: 1m }
approvals:
  go: { role: lead, count: 2, timeout: 1h }
migrations:
  - { name: add-column, kind: expand, reversible: true, how: run it, owner: db }
manual:
  - { name: tell, how: tell them, expect: they know }
";

fn manual_plan() -> Plan {
    let wanted = Wanted::default();
    let prepared = prepare("shop.yaml", MANUAL.as_bytes(), Path::new("."), &wanted);
    prepared
        .unwrap_or_else(|findings| panic!("{findings}"))
        .plan
}

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

/// A plan of the fixtures of `rollout`, with flags, marks, copies, windows and a way without return.
fn fixture(name: &str) -> Plan {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/rollout");
    let path = Path::new(folder).join(name);
    let bytes = std::fs::read(&path).unwrap();
    let prepared = prepare(name, &bytes, Path::new(folder), &Wanted::default());
    prepared
        .unwrap_or_else(|findings| panic!("{findings}"))
        .plan
}

/// Every kind of step that there is.
fn plans() -> Vec<Plan> {
    let mut plans: Vec<Plan> = StrategyKind::ALL.map(default_plan).into();
    plans.extend([manual_plan(), fixture("tasks.yaml")]);
    plans
}

// A Monday at eight in the morning.
const BEGAN_MS: i64 = 1_767_600_000_000;

/// What people can touch.
struct World {
    stand: Standing,
    /// How often each task was done.
    done: BTreeMap<u16, u32>,
    extras: BTreeMap<String, u32>,
    clock: Rc<Cell<i64>>,
}

impl World {
    fn new(plan: &Plan) -> World {
        let clock = Rc::new(Cell::new(BEGAN_MS));
        let past = past::Past::new(plan, Timestamp::from_unix_ms(BEGAN_MS));
        World {
            stand: past.stand,
            done: BTreeMap::new(),
            extras: BTreeMap::new(),
            clock,
        }
    }

    fn does(&mut self, effect: Effect) {
        match effect {
            Effect::Task { step } => *self.done.entry(step).or_default() += 1,
            Effect::Withdraw { extra } => {
                *self.extras.entry(format!("{extra:?}")).or_default() += 1;
            }
            effect => self.stand = self.stand.after(effect).settled(),
        }
    }

    /// All that there is to see.
    fn numbers(&self) -> Numbers {
        let arm = |arm: Arm| {
            let seen = self.stand.fleet.of(arm);
            Some(ArmNumbers {
                ready: seen.ready,
                present: seen.present,
                failed: seen.failed,
            })
        };
        Numbers {
            split: Some(self.stand.traffic.split),
            stable: arm(Arm::Stable),
            canary: arm(Arm::Canary),
        }
    }

    /// What somebody says who does as they are asked and tells what they see.
    fn answers(&mut self, question: &Question) -> Answer {
        match &question.ask {
            Ask::Stand {
                expected,
                otherwise,
                ..
            } => match self.stand {
                stand if stand == *expected => Answer::Yes,
                stand if Some(stand) == *otherwise => Answer::No(String::new()),
                _ => Answer::Saw(self.numbers()),
            },
            Ask::Deed { effect, .. } => {
                self.does(*effect);
                Answer::Yes
            }
            Ask::Doubt { effect, .. } => match effect {
                Effect::Task { step } if self.done.contains_key(step) => Answer::Yes,
                _ => Answer::No(String::new()),
            },
            Ask::Seen {
                effect, expected, ..
            } => match effect {
                Effect::Shift { .. } | Effect::Scale { .. } if self.stand != *expected => {
                    Answer::Saw(self.numbers())
                }
                _ => Answer::Yes,
            },
            Ask::Instances { .. } => Answer::Saw(self.numbers()),
            Ask::Judge { .. } => Answer::Judged(Judgement::Pass),
            Ask::Approve { missing, .. } => Answer::Says {
                by: missing.first().cloned().unwrap_or_default(),
                granted: true,
            },
            Ask::NotDone { .. } => Answer::Again,
            _ => Answer::Yes,
        }
    }
}

/// Somebody who answers by a rule.
struct Scripted<'w, F> {
    world: &'w mut World,
    rule: F,
    asked: Vec<Question>,
    heard: Vec<Event>,
    /// How long each answer takes, in milliseconds.
    thinks_ms: i64,
}

impl<F: FnMut(&mut World, &Question) -> Answer> Person for Scripted<'_, F> {
    async fn ask(&mut self, question: &Question) -> Answer {
        self.asked.push(question.clone());
        assert!(self.asked.len() < 2_000, "it asks for ever: {question:?}");
        let clock = Rc::clone(&self.world.clock);
        clock.set(clock.get() + self.thinks_ms);
        (self.rule)(self.world, question)
    }

    async fn wait(&mut self, countdown: &Countdown) -> Option<Aside> {
        let now = self.world.clock.get();
        assert!(
            countdown.wakes.unix_ms() >= now,
            "it waits for what is over"
        );
        self.world.clock.set(countdown.wakes.unix_ms().max(now + 1));
        None
    }

    fn hear(&mut self, event: &Event) {
        self.heard.push(event.clone());
    }
}

/// A journal in memory, in which there is room for so many lines more.
struct Lines {
    text: String,
    room: usize,
}

impl Ledger for Lines {
    fn append(&mut self, lines: &[JournalLine]) -> Result<(), DriverError> {
        for line in lines {
            if self.room == 0 {
                return Err(DriverError::new(
                    DriverErrorKind::Journal,
                    "the process died",
                ));
            }
            self.room -= 1;
            self.text.push_str(&line.0);
        }
        Ok(())
    }
}

/// What came of one process.
struct Came {
    ended: Result<Conducted, DriverError>,
    asked: Vec<Question>,
    heard: Vec<Event>,
    ticked: Vec<Ticked>,
    run: Run,
}

impl Came {
    fn outcome(&self) -> Outcome {
        match self.ended {
            Ok(Conducted::Ended(outcome)) => outcome,
            ref other => panic!("it has not ended: {other:?}"),
        }
    }

    /// The kinds of the questions, in order.
    fn kinds(&self) -> Vec<&'static str> {
        self.asked.iter().map(|it| it.ask.name()).collect()
    }
}

/// One rollout from its beginning, over as many processes as it takes.
struct Story {
    plan: Plan,
    world: World,
    journal: Lines,
    epoch: u64,
    thinks_ms: i64,
    /// What is said at another terminal when the next process begins.
    elsewhere: Option<Order>,
}

impl Story {
    fn of(plan: Plan) -> Story {
        Story {
            world: World::new(&plan),
            plan,
            journal: Lines {
                text: String::new(),
                room: usize::MAX,
            },
            epoch: 0,
            thinks_ms: 1_000,
            elsewhere: None,
        }
    }

    /// One process that follows it, with somebody who answers by `rule`.
    fn follow(&mut self, rule: impl FnMut(&mut World, &Question) -> Answer) -> Came {
        let clock = Rc::clone(&self.world.clock);
        let now = || Timestamp::from_unix_ms(clock.get());
        self.epoch += 1;
        let (run, first) = if self.journal.text.is_empty() {
            let digest = self.plan.digest().unwrap();
            let (run, line) = Run::begin(self.plan.clone(), digest, self.epoch, now()).unwrap();
            self.journal.append(&[line]).unwrap();
            (run, vec![Input::Clock])
        } else {
            let (mut run, _) = Run::open(self.journal.text.as_bytes()).unwrap();
            let line = run.take_over(self.epoch, now()).unwrap();
            self.journal.room = self.journal.room.saturating_add(1);
            self.journal.append(&[line]).unwrap();
            (run, vec![Input::Restarted])
        };
        let bytes = self.journal.text.clone().into_bytes();
        let mut person = Scripted {
            world: &mut self.world,
            rule,
            asked: Vec::new(),
            heard: Vec::new(),
            thinks_ms: self.thinks_ms,
        };
        let (to, mut orders) = mpsc::channel(1);
        if let Some(order) = self.elsewhere.take() {
            to.try_send(order).unwrap();
        }
        let mut ticked = Vec::new();
        let mut ticks = |it: &Ticked| {
            ticked.push(it.clone());
            Ok(())
        };
        let desktop = Desktop {
            person: &mut person,
            journal: &mut self.journal,
            orders: &mut orders,
            now: &now,
            ticks: &mut ticks,
            by: Some("ada".to_owned()),
            automatic: Automatic::default(),
        };
        let mut follower = Follower::new(run, &bytes, desktop).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let ended = runtime.block_on(follower.follow(first));
        let run = follower.run().clone();
        drop(follower);
        Came {
            ended,
            asked: person.asked,
            heard: person.heard,
            ticked,
            run,
        }
    }
}

fn obeys(world: &mut World, question: &Question) -> Answer {
    world.answers(question)
}

#[test]
fn every_strategy_is_followed_to_its_end() {
    for kind in StrategyKind::ALL {
        let mut story = Story::of(default_plan(kind));
        let target = story.plan.steps.last().unwrap().target;
        let came = story.follow(obeys);
        assert_eq!(came.outcome(), Outcome::Promoted, "{kind}");
        let stand = story.world.stand;
        assert_eq!(stand.traffic, target.traffic(), "{kind}");
        assert_eq!(u32::from(stand.fleet.canary.kept), target.canary, "{kind}");
        assert_eq!(u32::from(stand.fleet.stable.kept), target.stable, "{kind}");
        // Nothing goes on without somebody's look, whether an analysis has to pass or not.
        let watches = story.plan.steps.iter();
        let watches = watches.filter(|it| matches!(it.action, Action::Watch { .. }));
        let looks = came.kinds().into_iter().filter(|it| *it == "judge");
        assert_eq!(looks.count(), watches.count(), "{kind}");
        // Each step has its two ticks, in order.
        assert_eq!(came.ticked.len(), 2 * story.plan.steps.len(), "{kind}");
        let (opened, _) = Run::open(story.journal.text.as_bytes()).unwrap();
        assert_eq!(opened.state(), came.run.state(), "{kind}");
    }
}

#[test]
fn what_people_do_by_hand_is_asked_for_once_and_looked_at() {
    let mut story = Story::of(manual_plan());
    let came = story.follow(obeys);
    assert_eq!(came.outcome(), Outcome::Promoted);
    assert!(story.world.done.values().all(|times| *times == 1));
    assert_eq!(story.world.done.len(), 2, "{:?}", story.world.done);
    let approvals = came.kinds().iter().filter(|it| **it == "approve").count();
    assert_eq!(approvals, 2, "two must agree");
}

#[test]
fn however_long_people_think_no_step_is_late_and_a_pause_is_as_long_as_it_is() {
    let mut story = Story::of(manual_plan());
    // The plan gives most steps seconds or minutes; only an approval counts by the calendar.
    story.thinks_ms = 20 * 60_000;
    let came = story.follow(obeys);
    assert_eq!(came.outcome(), Outcome::Promoted);
    let questions = i64::try_from(came.asked.len()).unwrap();
    let waited_ms = story.world.clock.get() - BEGAN_MS - questions * story.thinks_ms;
    let watches = story.plan.steps.iter().map(|step| match step.action {
        Action::Watch { for_ms, .. } => i64::try_from(for_ms).unwrap(),
        _ => 0,
    });
    assert_eq!(waited_ms, watches.sum::<i64>(), "exactly the pauses");
}

/// Says no to the first question of that number that can be said no to, and gives up there.
fn fails_at(number: usize) -> impl FnMut(&mut World, &Question) -> Answer {
    let mut seen = 0;
    let mut failing: Option<Question> = None;
    move |world, question| {
        if let (Some(_), Ask::NotDone { .. }) = (&failing, &question.ask) {
            return Answer::No("it cannot be done".to_owned());
        }
        let forward = matches!(question.place, Place::Step(_));
        let may = matches!(
            question.ask,
            Ask::Deed { .. } | Ask::Smoke { .. } | Ask::Judge { .. } | Ask::Approve { .. }
        );
        if failing.is_some() || !forward || !may {
            return world.answers(question);
        }
        seen += 1;
        if seen <= number {
            return world.answers(question);
        }
        failing = Some(question.clone());
        match &question.ask {
            Ask::Judge { .. } => Answer::Judged(Judgement::Fail),
            Ask::Approve { missing, .. } => Answer::Says {
                by: missing[0].clone(),
                granted: false,
            },
            _ => Answer::No("it broke".to_owned()),
        }
    }
}

/// The weights of the canary and the counts that people were asked for on the way back.
fn asked_back(came: &Came) -> Vec<Effect> {
    let deeds = came
        .asked
        .iter()
        .filter_map(|it| match (&it.place, &it.ask) {
            (Place::Back { .. }, Ask::Deed { effect, .. }) => Some(*effect),
            _ => None,
        });
    deeds.collect()
}

#[test]
fn a_failure_at_any_step_leads_back_with_the_traffic_first() {
    for plan in plans() {
        for number in 0.. {
            let mut story = Story::of(plan.clone());
            let came = story.follow(fails_at(number));
            let name = format!("{}, failure {number}", plan.strategy);
            if came.outcome() == Outcome::Promoted {
                assert!(number >= plan.steps.len() / 2, "{name}: so few questions");
                break;
            }
            assert!(
                matches!(came.outcome(), Outcome::RolledBack { .. }),
                "{name}: {:?}",
                came.outcome()
            );
            let (stand, origin) = (story.world.stand, plan.origin());
            assert_eq!(stand.traffic, origin.traffic(), "{name}");
            assert_eq!(u32::from(stand.fleet.stable.ready), origin.stable, "{name}");
            let left = u32::from(stand.fleet.canary.present);
            assert!(left <= plan.rollback.keep, "{name}");
            // Nobody is asked to do anything before the way back was offered.
            let kinds = came.kinds();
            assert_eq!(
                kinds.iter().filter(|it| **it == "go_back").count(),
                1,
                "{name}"
            );
            let back = asked_back(&came);
            let shift = back
                .iter()
                .position(|it| matches!(it, Effect::Shift { .. }));
            let stop = back.iter().position(|it| {
                matches!(
                    it,
                    Effect::Scale {
                        arm: Arm::Canary,
                        ..
                    }
                )
            });
            if let (Some(shift), Some(stop)) = (shift, stop)
                && plan.downtime.is_none()
            {
                assert!(shift < stop, "{name}: {back:?}");
            }
        }
    }
}

#[test]
fn the_way_back_names_what_was_begun_the_last_first() {
    let mut story = Story::of(default_plan(StrategyKind::Canary));
    let came = story.follow(|world, question| match &question.ask {
        Ask::Judge { .. } => Answer::Judged(Judgement::Fail),
        _ => world.answers(question),
    });
    let reason = Reason::AnalysisFailed;
    assert!(
        matches!(came.outcome(), Outcome::RolledBack { reason: why, .. } if why == reason),
        "{:?}",
        came.outcome()
    );
    let offered = came.asked.iter().find_map(|it| match &it.ask {
        Ask::GoBack { begun, .. } => Some(begun.clone()),
        _ => None,
    });
    let offered = offered.unwrap();
    assert!(offered[0].starts_with("step 5: Watch at 5%"), "{offered:?}");
    assert!(offered[1].starts_with("step 4: Send 5%"), "{offered:?}");
    assert_eq!(offered.len(), 5);
}

/// Follows a story to its end while the process dies after each `every` lines of its journal.
fn dying_every(plan: &Plan, every: usize) -> (Story, Came, usize) {
    let mut story = Story::of(plan.clone());
    let mut deaths = 0;
    loop {
        // The first records of a process that goes on are written before anybody is asked.
        story.journal.room = every + 2;
        let came = story.follow(obeys);
        if came.ended.is_ok() {
            return (story, came, deaths);
        }
        deaths += 1;
        assert!(deaths < 2_000, "it never ends");
    }
}

#[test]
fn a_process_that_dies_after_any_record_is_gone_on_with_where_it_was() {
    let no_return = fixture("no-return.yaml");
    for plan in plans().into_iter().chain([no_return]) {
        let mut whole = Story::of(plan.clone());
        assert_eq!(whole.follow(obeys).outcome(), Outcome::Promoted);
        let lines = whole.journal.text.lines().count();
        for dies_after in 1..lines {
            let mut story = Story::of(plan.clone());
            story.journal.room = dies_after;
            let first = story.follow(obeys);
            if first.ended.is_ok() {
                continue;
            }
            story.journal.room = usize::MAX;
            let came = story.follow(obeys);
            let name = format!("{}, after {dies_after} lines", plan.strategy);
            assert_eq!(came.outcome(), Outcome::Promoted, "{name}");
            assert_eq!(story.world.stand, whole.world.stand, "{name}");
            let times = story.world.done.values();
            assert!(times.into_iter().all(|it| *it == 1), "{name}: done twice");
            assert_eq!(story.world.done.len(), whole.world.done.len(), "{name}");
        }
    }
}

#[test]
fn a_process_that_dies_on_the_way_back_is_gone_on_with_too() {
    let fails = |world: &mut World, question: &Question| match &question.ask {
        Ask::Judge { .. } => Answer::Judged(Judgement::Fail),
        _ => world.answers(question),
    };
    for plan in plans() {
        let mut whole = Story::of(plan.clone());
        let ended = whole.follow(fails).outcome();
        assert!(matches!(ended, Outcome::RolledBack { .. }), "{ended:?}");
        let lines = whole.journal.text.lines().count();
        for dies_after in 1..lines {
            let mut story = Story::of(plan.clone());
            story.journal.room = dies_after;
            let first = story.follow(fails);
            if first.ended.is_ok() {
                continue;
            }
            story.journal.room = usize::MAX;
            let came = story.follow(fails);
            let name = format!("{}, after {dies_after} lines", plan.strategy);
            assert_eq!(came.outcome(), ended, "{name}");
            assert_eq!(story.world.stand, whole.world.stand, "{name}");
            let times = story.world.done.values();
            assert!(times.into_iter().all(|it| *it == 1), "{name}: done twice");
        }
    }
}

#[test]
fn a_process_that_dies_again_and_again_ends_too() {
    for every in [10, 14, 20] {
        let (story, came, deaths) = dying_every(&manual_plan(), every);
        assert_eq!(came.outcome(), Outcome::Promoted);
        assert!(deaths > 2, "{deaths} deaths");
        assert!(story.world.done.values().all(|times| *times == 1));
    }
}

#[test]
fn of_a_task_in_doubt_it_is_asked_whether_it_was_done() {
    // Somebody did it, and the process died before it heard of that.
    for was_done in [true, false] {
        let mut story = Story::of(manual_plan());
        let came = story.follow(|world, question| match &question.ask {
            Ask::Deed {
                effect: effect @ Effect::Task { .. },
                ..
            } => {
                if was_done {
                    world.does(*effect);
                }
                Answer::Leave
            }
            _ => world.answers(question),
        });
        assert_eq!(came.ended.unwrap(), Conducted::Detached);
        let came = story.follow(obeys);
        assert_eq!(came.outcome(), Outcome::Promoted);
        let tasks = |ask: &&Ask| matches!(ask.effect(), Some(Effect::Task { .. }));
        let about: Vec<&Ask> = came.asked.iter().map(|it| &it.ask).filter(tasks).collect();
        assert!(matches!(about[0], Ask::Doubt { .. }), "{:?}", about[0]);
        match was_done {
            true => assert!(matches!(about[1], Ask::Seen { .. }), "{:?}", about[1]),
            false => assert!(matches!(about[1], Ask::Deed { .. }), "{:?}", about[1]),
        }
        assert!(story.world.done.values().all(|times| *times == 1));
    }
}

#[test]
fn of_a_change_in_doubt_it_is_asked_what_stands() {
    let shifts = |question: &Question| {
        matches!(
            question.ask,
            Ask::Deed {
                effect: Effect::Shift { .. },
                ..
            }
        )
    };
    for was_done in [true, false] {
        let mut story = Story::of(default_plan(StrategyKind::BlueGreen));
        let came = story.follow(|world, question| match &question.ask {
            Ask::Deed { effect, .. } if shifts(question) => {
                if was_done {
                    world.does(*effect);
                }
                Answer::Leave
            }
            _ => world.answers(question),
        });
        assert_eq!(came.ended.unwrap(), Conducted::Detached);
        let came = story.follow(obeys);
        let Ask::Stand {
            doubt: Some(text), ..
        } = &came.asked[0].ask
        else {
            panic!("{:?}", came.asked[0])
        };
        assert!(text.starts_with("Set the router to"), "{text}");
        assert_eq!(came.outcome(), Outcome::Promoted);
    }
}

#[test]
fn what_is_seen_counts_and_not_that_somebody_says_it_is_done() {
    // The first time, the router does not do what it was told.
    let mut lies = 1;
    let mut story = Story::of(default_plan(StrategyKind::BlueGreen));
    let came = story.follow(|world, question| match &question.ask {
        Ask::Deed {
            effect: Effect::Shift { .. },
            ..
        } if lies > 0 => {
            lies -= 1;
            Answer::Yes
        }
        _ => world.answers(question),
    });
    assert_eq!(came.outcome(), Outcome::Promoted);
    let again = came
        .asked
        .iter()
        .filter(|it| matches!(&it.ask, Ask::Deed { again: Some(_), .. }));
    assert_eq!(again.count(), 1);
}

#[test]
fn only_those_who_are_asked_agree() {
    let mut names = vec!["grace", "ada", "noor", "mallory"];
    let mut story = Story::of(manual_plan());
    let came = story.follow(|world, question| match &question.ask {
        Ask::Approve { .. } => Answer::Says {
            by: names.pop().unwrap().to_owned(),
            granted: true,
        },
        _ => world.answers(question),
    });
    assert_eq!(came.outcome(), Outcome::Promoted);
    let troubles: Vec<&String> = came
        .heard
        .iter()
        .filter_map(|it| match it {
            Event::Trouble { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(troubles.len(), 2, "{troubles:?}");
    assert!(troubles[0].contains("mallory is not among"), "{troubles:?}");
    assert!(troubles[1].contains("noor is not among"), "{troubles:?}");
}

/// What came of a rollout that was told this from another terminal at once.
fn told_elsewhere(order: Order) -> (Story, Came) {
    let mut story = Story::of(default_plan(StrategyKind::BlueGreen));
    story.elsewhere = Some(order);
    let came = story.follow(obeys);
    (story, came)
}

#[test]
fn what_is_said_at_another_terminal_counts_while_a_question_is_open() {
    let (_, came) = told_elsewhere(Order::Detach);
    assert_eq!(came.ended.unwrap(), Conducted::Detached);
    let (_, came) = told_elsewhere(Order::Command(nonevent_rollout::Command::Abort));
    let reason = Reason::Aborted;
    assert!(
        matches!(came.outcome(), Outcome::RolledBack { reason: why, .. } if why == reason),
        "{:?}",
        came.outcome()
    );
    let (_, came) = told_elsewhere(Order::Command(nonevent_rollout::Command::Pause));
    assert_eq!(came.outcome(), Outcome::Promoted);
    assert!(came.kinds().contains(&"held"), "{:?}", came.kinds());
    let (_, came) = told_elsewhere(Order::Garbled("noise".to_owned()));
    assert_eq!(came.outcome(), Outcome::Promoted);
}

#[test]
fn past_the_point_of_no_return_people_decide() {
    let plan = fixture("no-return.yaml");
    let first = plan.rollback.no_return_from.unwrap();
    let mut backs = 0;
    let mut story = Story::of(plan);
    let came = story.follow(|world, question| {
        let past = matches!(&question.place, Place::Step(step) if step.index >= first);
        match question.ask {
            Ask::Held { no_way_back, .. } => {
                assert!(no_way_back);
                Answer::Back
            }
            Ask::Deed { .. } | Ask::Judge { .. } if past => {
                backs += 1;
                Answer::Back
            }
            _ => world.answers(question),
        }
    });
    assert_eq!(backs, 1);
    assert!(
        matches!(came.outcome(), Outcome::Stuck { .. }),
        "{:?}",
        came.outcome()
    );
    // Once somebody has taken care, the step begins anew.
    assert_eq!(story.follow(obeys).outcome(), Outcome::Promoted);
    assert!(story.world.done.values().all(|times| *times == 1));
}

#[test]
fn too_little_to_say_is_asked_again_until_the_step_is_late() {
    let mut story = Story::of(default_plan(StrategyKind::Canary));
    let came = story.follow(|world, question| match &question.ask {
        Ask::Judge { .. } => Answer::Judged(Judgement::Inconclusive),
        _ => world.answers(question),
    });
    let last = Some(Judgement::Inconclusive);
    assert!(
        matches!(came.outcome(), Outcome::RolledBack { reason, .. }
            if reason == Reason::NoEvidence { last }),
        "{:?}",
        came.outcome()
    );
    let looks = came.kinds().iter().filter(|it| **it == "judge").count();
    assert!((2..6).contains(&looks), "{looks} looks");
}

fn any_numbers() -> impl Strategy<Value = Numbers> {
    let arm = || {
        prop::option::of(
            (0u16..6, 0u16..6, 0u16..2).prop_map(|(ready, present, failed)| ArmNumbers {
                ready,
                present,
                failed,
            }),
        )
    };
    let split = prop::option::of(prop_oneof![
        Just(nonevent_router::Split::Closed),
        prop::sample::select(vec![0u16, 500, 2_500, 5_000, 10_000])
            .prop_map(|it| nonevent_router::Split::canary(it).unwrap()),
    ]);
    (split, arm(), arm()).prop_map(|(split, stable, canary)| Numbers {
        split,
        stable,
        canary,
    })
}

/// `None`: as somebody who does as they are asked.
fn any_answer() -> impl Strategy<Value = Option<Answer>> {
    let judgements = vec![
        Judgement::Pass,
        Judgement::Fail,
        Judgement::Inconclusive,
        Judgement::NoData,
        Judgement::EnvironmentUnhealthy,
    ];
    prop_oneof![
        12 => Just(None),
        4 => Just(Some(Answer::Yes)),
        2 => Just(Some(Answer::No("no".to_owned()))),
        1 => Just(Some(Answer::Unavailable(String::new()))),
        2 => any_numbers().prop_map(|it| Some(Answer::Saw(it))),
        2 => prop::sample::select(judgements).prop_map(|it| Some(Answer::Judged(it))),
        1 => (prop::sample::select(vec!["ada", "grace", "noor", ""]), any::<bool>())
            .prop_map(|(by, granted)| Some(Answer::Says { by: by.to_owned(), granted })),
        1 => Just(Some(Answer::Again)),
        1 => Just(Some(Answer::Skip("no time".to_owned()))),
        1 => Just(Some(Answer::Back)),
        1 => Just(Some(Answer::Leave)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_answered_it_ends_or_waits_and_asks_for_no_done_task_again(
        which in 0usize..7,
        room in prop::option::of(3usize..200),
        answers in prop::collection::vec(any_answer(), 1..60),
    ) {
        let plan = plans().into_iter().nth(which);
        let plan = plan.unwrap_or_else(|| fixture("no-return.yaml"));
        let mut story = Story::of(plan);
        let mut answers = answers.into_iter();
        // Tasks of which somebody has said that they are done.
        let mut said: std::collections::BTreeSet<u16> = Default::default();
        let mut rule = |world: &mut World, question: &Question| {
            let answer = answers.next().flatten();
            let answer = answer.unwrap_or_else(|| world.answers(question));
            if let Ask::Deed { effect: Effect::Task { step }, .. } = &question.ask {
                assert!(!said.contains(step), "step {step} is asked for again");
            }
            if let Ask::Deed { effect: Effect::Task { step }, .. }
                | Ask::Doubt { effect: Effect::Task { step }, .. } = &question.ask
                && answer == Answer::Yes
            {
                said.insert(*step);
            }
            // Whoever was not heard before the process died can say otherwise afterwards.
            if let (Ask::Doubt { effect: Effect::Task { step }, .. }, Answer::No(_)) =
                (&question.ask, &answer)
            {
                said.remove(step);
            }
            answer
        };
        story.journal.room = room.unwrap_or(usize::MAX);
        for process in 0..80 {
            let came = story.follow(&mut rule);
            story.journal.room = usize::MAX;
            let (opened, _) = Run::open(story.journal.text.as_bytes()).unwrap();
            match came.ended {
                Ok(Conducted::Ended(outcome)) => {
                    prop_assert_eq!(opened.next(), Next::Done(outcome));
                    return Ok(());
                }
                Ok(Conducted::Detached) => {}
                Err(error) => prop_assert_eq!(error.kind(), DriverErrorKind::Journal),
            }
            prop_assert!(process < 79, "it never ends");
        }
    }
}
