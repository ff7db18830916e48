//! What people say of a step from another terminal: that they agree, or that it is done. A word
//! holds for one step of one run, for a while, and once.

use std::collections::BTreeSet;

use nonevent_document::{Digest, Timestamp, digest_of};
use nonevent_rollout::{Command, Effect, HeldBy, Input, Mode, Reason, Run, TaskVerdict};
use nonevent_strategy::{Action, Plan, Task};
use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// One word of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Word {
    /// The plan's digest.
    pub plan: Digest,
    /// Which run of it: [`Run::attempt`].
    pub attempt: Digest,
    /// The step, by its place from 0.
    pub step: u16,
    /// Who says so, by their own account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// When it was said.
    pub said: Timestamp,
    /// When it is too old to count.
    pub until: Timestamp,
    /// What is said.
    pub says: Says,
}

/// What somebody says of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// They agree.
    Agrees,
    /// They do not.
    Denies,
    /// What was to be done is done, and seen.
    Done,
    /// It failed, or cannot be done.
    Failed,
    /// It is left out.
    Skipped,
}

impl Word {
    /// Names this very word.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_of(self).expect("texts and a small whole number have a canonical form")
    }

    /// What the machine is told of it, if it counts at `now`; `heard` are the words that were taken
    /// before. That whoever wrote it is who they say is not asked: whoever can write in the state
    /// folder can speak for everybody.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn input(
        &self,
        run: &Run,
        now: Timestamp,
        heard: &BTreeSet<Digest>,
    ) -> Result<Input, Refused> {
        self.check_name()?;
        if self.plan != run.digest() {
            return refuse("it is about another plan");
        }
        if self.attempt != run.attempt() {
            return refuse("it was said of another attempt at this plan; say it again of this one");
        }
        let Mode::Forward { step, .. } = run.state().mode else {
            return refuse("the rollout goes forward no more");
        };
        if self.step != step {
            return Err(Refused(format!(
                "it is about step {}, and the rollout is at {}",
                name_of(run.plan(), self.step),
                name_of(run.plan(), step)
            )));
        }
        if now.unix_ms() >= self.until.unix_ms() {
            return Err(Refused(format!("it counted until {} only", self.until)));
        }
        if heard.contains(&self.digest()) {
            return refuse("it was heard before");
        }
        match self.says {
            Says::Agrees | Says::Denies => self.approval(run),
            Says::Done | Says::Failed => self.ended(run),
            Says::Skipped => self.skipped(run),
        }
    }

    fn check_name(&self) -> Result<(), Refused> {
        let Some(by) = &self.by else { return Ok(()) };
        if by.is_empty() || by.len() > NAME_BYTES_MAX || by.chars().any(char::is_control) {
            return Err(Refused(format!(
                "a name has 1 to {NAME_BYTES_MAX} bytes and no control characters"
            )));
        }
        Ok(())
    }

    fn approval(&self, run: &Run) -> Result<Input, Refused> {
        let Some(Task::Approve { approval }) = task(run, self.step) else {
            return refuse("nobody is asked to agree here");
        };
        let held = run.state().held.map(|held| held.by);
        let failed = match held {
            Some(HeldBy::Failure(reason)) => reason != Reason::NotApproved,
            Some(HeldBy::NoReturn(_)) => true,
            Some(HeldBy::Person | HeldBy::Window) | None => false,
        };
        let granted = self.says == Says::Agrees;
        if granted && failed {
            return refuse("what failed has to be taken up again first: `nonevent unpause`");
        }
        let people = run.plan().approvals.get(approval).map(|it| &it.people);
        let Some(by) = &self.by else {
            return refuse("it does not say whose word it is");
        };
        let place = people.and_then(|people| people.iter().position(|it| it == by));
        let Some(person) = place.and_then(|place| u8::try_from(place).ok()) else {
            let people = people.map_or_else(String::new, |it| it.join(", "));
            return Err(Refused(format!(
                "{by} is not among those who are asked ({people})"
            )));
        };
        Ok(Input::Approval {
            step: self.step,
            person,
            granted,
            until_ms: self.until.unix_ms(),
        })
    }

    fn ended(&self, run: &Run) -> Result<Input, Refused> {
        let step = self.step;
        let by_hand = matches!(
            task(run, step),
            Some(Task::Manual { .. } | Task::Migrate { .. })
        );
        let out = run.state().pending.map(|pending| pending.effect);
        if !by_hand || out != Some(Effect::Task { step }) {
            return refuse("nobody is asked to do anything here");
        }
        let verdict = match self.says {
            Says::Failed => TaskVerdict::Failed,
            _ => TaskVerdict::Done,
        };
        Ok(Input::Task { step, verdict })
    }

    fn skipped(&self, run: &Run) -> Result<Input, Refused> {
        if !matches!(task(run, self.step), Some(Task::Manual { .. })) {
            return refuse("only a step that people do by hand can be left out");
        }
        if run.state().held.is_some() {
            return refuse("the rollout is paused: `nonevent unpause` first");
        }
        Ok(Input::Command(Command::Skip))
    }
}

fn task(run: &Run, step: u16) -> Option<&Task> {
    match &run.plan().steps.get(usize::from(step))?.action {
        Action::Task(task) => Some(task),
        _ => None,
    }
}

/// A step's name, or its number where there is none.
fn name_of(plan: &Plan, step: u16) -> String {
    let planned = plan.steps.get(usize::from(step));
    planned.map_or_else(|| format!("{}", u32::from(step) + 1), |it| it.id.clone())
}

fn refuse<T>(why: &str) -> Result<T, Refused> {
    Err(Refused(why.to_owned()))
}

/// Why a word does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nonevent_rollout::{ArmSeen, FleetSeen, RouterSeen, SmokeVerdict};
    use nonevent_router::Split;
    use nonevent_strategy::Ways;

    use super::*;
    use crate::asked::{Asked, Otherwise, Wants};
    use crate::prepare::{Wanted, prepare};

    const DOCUMENT: &str = "
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
manual:
  - { name: tell, how: tell them, expect: they know }
";

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_767_600_000_000 + ms)
    }

    fn tell(run: &mut Run, input: Input) {
        let _ = run.handle(at(0), &input).unwrap();
    }

    /// What router and fleet show before anything was changed.
    fn seen() -> [Input; 2] {
        let stable = ArmSeen {
            present: 2,
            kept: 2,
            ready: 2,
            failed: 0,
        };
        let canary = ArmSeen::default();
        let router = RouterSeen {
            split: Split::STABLE,
            ways: Ways::NONE,
            canary_quiet: true,
        };
        [
            Input::Router(router),
            Input::Fleet(FleetSeen { stable, canary }),
        ]
    }

    /// A run, at the step by hand that comes first.
    fn at_the_step_by_hand(epoch: u64) -> Run {
        at_the_step_by_hand_of(DOCUMENT, epoch)
    }

    fn at_the_step_by_hand_of(document: &str, epoch: u64) -> Run {
        let document = document.as_bytes();
        let wanted = Wanted::default();
        let prepared = prepare("shop.yaml", document, Path::new("."), &wanted);
        let prepared = prepared.unwrap_or_else(|findings| panic!("{findings}"));
        let (mut run, _) = Run::begin(prepared.plan, prepared.digest, epoch, at(0)).unwrap();
        tell(&mut run, Input::Clock);
        for input in seen() {
            tell(&mut run, input);
        }
        tell(&mut run, Input::Smoke(SmokeVerdict::Passed));
        run
    }

    fn at_the_approval() -> Run {
        confirmed(at_the_step_by_hand(1))
    }

    fn confirmed(mut run: Run) -> Run {
        let done = word(&run, None, Says::Done);
        let input = done.input(&run, at(1), &BTreeSet::new()).unwrap();
        tell(&mut run, input);
        run
    }

    fn word(run: &Run, by: Option<&str>, says: Says) -> Word {
        let Mode::Forward { step, .. } = run.state().mode else {
            panic!("it goes forward")
        };
        Word {
            plan: run.digest(),
            attempt: run.attempt(),
            step,
            by: by.map(str::to_owned),
            said: at(0),
            until: at(60_000),
            says,
        }
    }

    fn refused(word: &Word, run: &Run, heard: &BTreeSet<Digest>) -> String {
        word.input(run, at(1), heard).unwrap_err().to_string()
    }

    #[test]
    fn what_is_asked_counts_until_the_time_that_is_said_however_long_nobody_looked() {
        let mut run = at_the_approval();
        let input = Input::Approval {
            step: word(&run, None, Says::Agrees).step,
            person: 0,
            granted: true,
            until_ms: at(86_400_000).unix_ms(),
        };
        tell(&mut run, input);
        let before = Asked::of(&run).unwrap();
        let slept_ms = 8 * 3_600_000;
        let _ = run.handle(at(slept_ms), &Input::Clock).unwrap();
        let asked = Asked::of(&run).unwrap();
        assert_eq!(
            asked.until,
            before.until.plus_ms(slept_ms),
            "the step waits"
        );
        let Wants::Approval { words_until, .. } = asked.wants else {
            panic!("people are asked to agree")
        };
        assert_eq!(words_until, Some(at(86_400_000)), "the word does not");
    }

    #[test]
    fn those_who_are_asked_agree_each_once() {
        let mut run = at_the_approval();
        let mut heard = BTreeSet::new();
        for (person, name) in ["ada", "grace"].into_iter().enumerate() {
            let asked = Asked::of(&run).unwrap();
            assert_eq!(asked.step, "approve-go");
            let Wants::Approval {
                agreed, missing, ..
            } = asked.wants
            else {
                panic!("{:?}", asked.wants)
            };
            assert_eq!(agreed.len(), person);
            assert!(missing.iter().any(|it| it == name));
            let word = word(&run, Some(name), Says::Agrees);
            let input = word.input(&run, at(1), &heard).unwrap();
            let told = Input::Approval {
                step: word.step,
                person: u8::try_from(person).unwrap(),
                granted: true,
                until_ms: at(60_000).unix_ms(),
            };
            assert_eq!(input, told);
            heard.insert(word.digest());
            assert!(refused(&word, &run, &heard).contains("heard before"));
            tell(&mut run, input);
        }
        assert_eq!(Asked::of(&run), None, "all have agreed");
    }

    #[test]
    fn a_word_of_somebody_else_or_of_nobody_does_not_count() {
        let run = at_the_approval();
        let none = BTreeSet::new();
        for (by, part) in [
            (Some("noor"), "not among those who are asked (ada, grace)"),
            (None, "whose word"),
            (Some(""), "a name has"),
            (Some("ada\u{1b}[2J"), "control characters"),
        ] {
            for says in [Says::Agrees, Says::Denies] {
                let text = refused(&word(&run, by, says), &run, &none);
                assert!(text.contains(part), "{by:?}: {text}");
            }
        }
    }

    #[test]
    fn a_word_counts_for_one_step_of_one_attempt_and_for_a_while() {
        let run = at_the_approval();
        let none = BTreeSet::new();
        let good = word(&run, Some("ada"), Says::Agrees);
        assert!(good.input(&run, at(59_999), &none).is_ok());
        let late = good.input(&run, at(60_000), &none).unwrap_err().to_string();
        assert!(late.contains("counted until"), "{late}");
        let other = at_the_step_by_hand(2);
        assert_eq!(other.digest(), run.digest(), "the same plan");
        let changed = |change: &dyn Fn(&mut Word)| {
            let mut word = good.clone();
            change(&mut word);
            refused(&word, &run, &none)
        };
        let text = changed(&|it| it.attempt = other.attempt());
        assert!(text.contains("another attempt"), "{text}");
        let text = changed(&|it| it.plan = Digest::of(b"another"));
        assert!(text.contains("another plan"), "{text}");
        let text = changed(&|it| it.step = 1);
        assert!(text.contains("step manual-tell"), "{text}");
        assert!(text.contains("is at approve-go"), "{text}");
        let text = changed(&|it| it.step = u16::MAX);
        assert!(text.contains("step 65536"), "{text}");
        let text = changed(&|it| it.says = Says::Done);
        assert!(text.contains("nobody is asked to do"), "{text}");
        let text = changed(&|it| it.says = Says::Skipped);
        assert!(text.contains("by hand"), "{text}");
    }

    #[test]
    fn what_is_done_by_hand_is_confirmed_failed_or_left_out() {
        let run = at_the_step_by_hand(1);
        let none = BTreeSet::new();
        let wants = Asked::of(&run).unwrap().wants;
        assert!(
            matches!(wants, Wants::Deed { may_skip: true, .. }),
            "{wants:?}"
        );
        assert_eq!(Asked::of(&run).unwrap().otherwise, Otherwise::GoesBack);
        let step = 1;
        for (says, input) in [
            (
                Says::Done,
                Input::Task {
                    step,
                    verdict: TaskVerdict::Done,
                },
            ),
            (
                Says::Failed,
                Input::Task {
                    step,
                    verdict: TaskVerdict::Failed,
                },
            ),
            (Says::Skipped, Input::Command(Command::Skip)),
        ] {
            let word = word(&run, Some("anybody"), says);
            assert_eq!(word.input(&run, at(1), &none).unwrap(), input);
        }
        let text = refused(&word(&run, Some("ada"), Says::Agrees), &run, &none);
        assert!(text.contains("nobody is asked to agree"), "{text}");
        let mut gone_back = run;
        tell(&mut gone_back, Input::Command(Command::Abort));
        let text = refused(
            &Word {
                step,
                ..word(&at_the_approval(), None, Says::Done)
            },
            &gone_back,
            &none,
        );
        assert!(text.contains("goes forward no more"), "{text}");
    }

    #[test]
    fn what_follows_without_an_answer_is_what_the_machine_does() {
        let otherwise = |run: &Run| Asked::of(run).unwrap().otherwise;
        // In small steps: a machine that slept does not count the time.
        let late = |run: &mut Run, from: i64| {
            for second in 0..=3_700 {
                for input in [Input::Clock].into_iter().chain(seen()) {
                    let _ = run.handle(at(from + second * 1_000), &input).unwrap();
                }
            }
        };
        let mut goes_back = at_the_approval();
        assert_eq!(otherwise(&goes_back), Otherwise::GoesBack);
        late(&mut goes_back, 0);
        assert!(
            !matches!(goes_back.state().mode, Mode::Forward { .. }),
            "{:?}",
            goes_back.state().mode
        );

        let patient = DOCUMENT.replace("timeout: 1h", "timeout: 1h, on_timeout: pause");
        let mut pauses = confirmed(at_the_step_by_hand_of(&patient, 1));
        assert_eq!(otherwise(&pauses), Otherwise::Pauses);
        late(&mut pauses, 0);
        let held = pauses.state().held.map(|held| held.by);
        assert_eq!(held, Some(HeldBy::Failure(Reason::NotApproved)));
        assert_eq!(otherwise(&pauses), Otherwise::GoesBack);
        late(&mut pauses, 3_700_000);
        assert!(
            !matches!(pauses.state().mode, Mode::Forward { .. }),
            "{:?}",
            pauses.state().mode
        );
    }

    #[test]
    fn a_paused_rollout_hears_what_can_still_be_done() {
        let none = BTreeSet::new();
        let mut by_hand = at_the_step_by_hand(1);
        tell(&mut by_hand, Input::Command(Command::Pause));
        assert!(Asked::of(&by_hand).unwrap().paused.is_some());
        let done = word(&by_hand, None, Says::Done);
        assert!(done.input(&by_hand, at(1), &none).is_ok());
        let text = refused(&word(&by_hand, None, Says::Skipped), &by_hand, &none);
        assert!(text.contains("nonevent unpause"), "{text}");
        let mut approval = at_the_approval();
        tell(&mut approval, Input::Command(Command::Pause));
        for name in ["ada", "grace"] {
            let asked = Asked::of(&approval).unwrap();
            assert!(asked.may_resume);
            assert!(matches!(asked.wants, Wants::Approval { .. }), "{asked:?}");
            let word = word(&approval, Some(name), Says::Agrees);
            let input = word.input(&approval, at(1), &none).unwrap();
            tell(&mut approval, input);
        }
        let asked = Asked::of(&approval).unwrap();
        let no_way_back = false;
        assert_eq!(
            asked.wants,
            Wants::Decision { no_way_back },
            "all have agreed"
        );
    }
}
