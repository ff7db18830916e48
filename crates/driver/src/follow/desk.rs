//! What is asked next, and what the machine is told of an answer: synchronous, and without a clock.

use nonevent_document::Timestamp;
use nonevent_rollout::{
    Command, Effect, HeldBy, Input, Judgement, Mode, Next, Run, SmokeVerdict, TaskVerdict, Wait,
    WaitReason,
};
use nonevent_strategy::{Action, Task};

use super::past::Past;
use super::question::{Answer, Ask, Numbers, Place, Standing};
use super::words::Pages;
use crate::asked::{Asked, Wants};

/// How long after a judgement that decides nothing the next one is asked for, where the plan's
/// analysis does not say, in milliseconds.
const LOOK_AGAIN_MS: i64 = 60_000;
/// How long after instances were counted they are counted again, in milliseconds.
const COUNT_AGAIN_MS: i64 = 5_000;

/// What can be done without a person's hands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Means {
    /// Smoke suites at the service's own address.
    pub(crate) smoke: bool,
    /// Flag files.
    pub(crate) flags: bool,
    /// All of this without asking first.
    pub(crate) unasked: bool,
}

/// What was said of the effect that is out, and is not yet what the machine can be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Talk {
    /// It is done, and what is seen is to be said.
    pub(crate) acted: bool,
    /// It is not done, and why.
    pub(crate) not_done: Option<String>,
    /// It is done by hand, though it could be done from here.
    pub(crate) by_hand: bool,
    /// The effect that was refused last.
    pub(crate) refused: Option<Effect>,
    /// What was asked last is not asked again before.
    pub(crate) patience: Option<Timestamp>,
}

/// What follows now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A person is asked.
    Ask(Ask),
    /// It is done from here.
    Do(Effect),
    /// Time passes.
    Wait(Wait),
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The machine is told this, if anything.
    Told(Vec<Input>),
    /// It is done from here.
    Do(Effect),
    /// Somebody who may agree said something.
    Says { by: String, granted: bool },
    /// Everything is left as it is.
    Left,
}

/// All that is known where a decision is made.
pub(crate) struct Desk<'a> {
    pub(crate) run: &'a Run,
    pub(crate) past: &'a Past,
    pub(crate) pages: &'a Pages,
    pub(crate) means: Means,
}

impl Desk<'_> {
    pub(crate) fn step(&self) -> Option<u16> {
        match self.run.state().mode {
            Mode::Forward { step, .. } => Some(step),
            Mode::Rollback { .. } | Mode::Done(_) => None,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self.run.state().mode {
            Mode::Forward { step, .. } => Place::Step(Box::new(self.pages.text(step))),
            Mode::Rollback { reason, .. } => Place::Back {
                reason,
                to: self.run.plan().release.from.clone(),
            },
            // Nothing is asked any more.
            Mode::Done(_) => Place::Step(Box::new(self.pages.text(u16::MAX))),
        }
    }

    fn action(&self) -> Option<&Action> {
        let step = self.run.plan().steps.get(usize::from(self.step()?))?;
        Some(&step.action)
    }

    /// What follows where the machine waits for `wait`.
    pub(crate) fn next(&self, talk: &Talk, now: Timestamp, wait: Wait) -> Move {
        if let Mode::Rollback { reason, .. } = self.run.state().mode
            && !self.past.back_begun
        {
            let begun = self.past.begun().rev();
            let begun = begun.map(|(step, _)| self.taken_back(step)).collect();
            return Move::Ask(Ask::GoBack { reason, begun });
        }
        if let Some(pending) = self.run.state().pending {
            return self.out(talk, pending.effect);
        }
        if let Some(patience) = talk.patience.filter(|it| now < *it) {
            let until_ms = wait.until_ms.min(patience.unix_ms());
            return Move::Wait(Wait { until_ms, ..wait });
        }
        match wait.reason {
            WaitReason::Ready { .. } | WaitReason::Gone { .. } | WaitReason::Capacity => {
                Move::Ask(Ask::Instances {
                    waits: wait.reason,
                    expected: self.past.stand.settled(),
                })
            }
            WaitReason::Watch if now.unix_ms() >= wait.until_ms => self.judge(),
            WaitReason::Evidence => self.judge(),
            WaitReason::Drain => Move::Ask(Ask::Quiet),
            WaitReason::Approval { .. } => self.approve(wait),
            WaitReason::Person => self.held(wait),
            WaitReason::Watch | WaitReason::Answer | WaitReason::Retry | WaitReason::Window => {
                Move::Wait(wait)
            }
        }
    }

    /// A step that was begun, in the words of whoever takes it back.
    fn taken_back(&self, step: u16) -> String {
        let planned = self.run.plan().steps.get(usize::from(step));
        let by_hand = match planned.map(|it| &it.action) {
            Some(Action::Task(Task::Manual { .. } | Task::Migrate { .. })) => {
                " (done by hand: nothing here takes it back, so look whether somebody has to)"
            }
            _ => "",
        };
        let number = u32::from(step) + 1;
        format!("step {number}: {}{by_hand}", self.pages.title(step))
    }

    /// What is asked about the effect that is out.
    fn out(&self, talk: &Talk, effect: Effect) -> Move {
        let text = self.pages.deed(self.run, self.step(), effect);
        let may_skip = matches!(self.action(), Some(Action::Task(Task::Manual { .. })))
            && self.run.state().held.is_none();
        if let Some(why) = &talk.not_done {
            let why = why.clone();
            return Move::Ask(Ask::NotDone {
                effect,
                text,
                why,
                may_skip,
            });
        }
        if effect == Effect::Observe {
            return Move::Ask(self.stand());
        }
        if self.is_automatic(effect) && !talk.by_hand {
            return match self.means.unasked {
                true => Move::Do(effect),
                false => Move::Ask(Ask::Automatic { effect, text }),
            };
        }
        if let Effect::Smoke { target, suite } = effect {
            return Move::Ask(Ask::Smoke {
                target,
                suite,
                text,
            });
        }
        let said_done = match effect {
            Effect::Task { step } => self.past.done.contains(&step),
            _ => false,
        };
        if talk.acted || said_done {
            return Move::Ask(Ask::Seen {
                effect,
                text: self.pages.sight(self.run, self.step(), effect),
                expected: self.past.stand.after(effect).settled(),
            });
        }
        if self.past.doubt == Some(effect) && matches!(effect, Effect::Task { .. }) {
            return Move::Ask(Ask::Doubt { effect, text });
        }
        let again = (talk.refused == Some(effect))
            .then(|| "by what was seen it was not done, or not as it was asked for".to_owned());
        Move::Ask(Ask::Deed {
            effect,
            text,
            again,
            stands: self.stands(effect),
            may_skip,
        })
    }

    fn is_automatic(&self, effect: Effect) -> bool {
        use nonevent_rollout::Extra;
        use nonevent_strategy::SmokeTarget;
        match effect {
            Effect::Smoke { target, .. } => self.means.smoke && target == SmokeTarget::Router,
            Effect::Task { .. } => {
                self.means.flags && matches!(self.action(), Some(Action::Task(Task::Flag { .. })))
            }
            Effect::Withdraw { extra } => self.means.flags && extra == Extra::Flags,
            _ => false,
        }
    }

    /// Whether by what was said last it stands as `effect` has it.
    fn stands(&self, effect: Effect) -> bool {
        let stand = self.past.stand;
        match effect {
            Effect::Shift { .. } => effect.traffic() == Some(stand.traffic),
            Effect::Scale { arm, count } => stand.fleet.of(arm).kept == count,
            _ => false,
        }
    }

    fn stand(&self) -> Ask {
        let stand = self.past.stand;
        let doubt = self
            .past
            .doubt
            .filter(|effect| matches!(effect, Effect::Shift { .. } | Effect::Scale { .. }));
        match doubt {
            Some(effect) => Ask::Stand {
                expected: stand.after(effect).settled(),
                otherwise: Some(stand),
                doubt: Some(self.pages.deed(self.run, self.step(), effect)),
            },
            None => Ask::Stand {
                expected: stand,
                otherwise: None,
                doubt: None,
            },
        }
    }

    fn judge(&self) -> Move {
        Move::Ask(Ask::Judge {
            analysed: matches!(self.action(), Some(Action::Watch { analyse: true, .. })),
            triggers: self.pages.triggers(),
        })
    }

    fn approve(&self, wait: Wait) -> Move {
        match Asked::of(self.run).map(|it| it.wants) {
            Some(Wants::Approval {
                role,
                count,
                agreed,
                missing,
                ..
            }) => Move::Ask(Ask::Approve {
                role,
                count,
                agreed,
                missing,
            }),
            _ => Move::Wait(wait),
        }
    }

    fn held(&self, wait: Wait) -> Move {
        match self.run.state().held {
            Some(held) if held.by != HeldBy::Window => Move::Ask(Ask::Held {
                by: held.by,
                no_way_back: matches!(held.by, HeldBy::NoReturn(_)),
            }),
            _ => Move::Wait(wait),
        }
    }

    /// What an answer that fits comes to.
    pub(crate) fn take(
        &self,
        talk: &mut Talk,
        now: Timestamp,
        ask: &Ask,
        answer: &Answer,
    ) -> Taken {
        match (ask, answer) {
            (_, Answer::Leave) => Taken::Left,
            (_, Answer::Back) => Taken::Told(self.back()),
            (Ask::Approve { .. }, Answer::Says { by, granted }) => Taken::Says {
                by: by.clone(),
                granted: *granted,
            },
            (Ask::Automatic { effect, .. }, Answer::Yes) => Taken::Do(*effect),
            (Ask::Automatic { .. }, _) => {
                talk.by_hand = true;
                Taken::Told(Vec::new())
            }
            (Ask::Deed { .. } | Ask::Doubt { .. }, Answer::Yes) => {
                talk.acted = true;
                Taken::Told(Vec::new())
            }
            // What was not done is asked for again.
            (Ask::Doubt { .. }, Answer::No(_)) => Taken::Told(Vec::new()),
            (Ask::Deed { .. } | Ask::Seen { .. }, Answer::No(why)) => {
                talk.not_done = Some(why.clone());
                Taken::Told(Vec::new())
            }
            (Ask::NotDone { .. }, Answer::Again) => {
                talk.not_done = None;
                Taken::Told(Vec::new())
            }
            (Ask::NotDone { effect, .. }, Answer::No(_)) => Taken::Told(self.failed(*effect)),
            (_, Answer::Skip(_)) => Taken::Told(vec![Input::Command(Command::Skip)]),
            _ => Taken::Told(self.told(talk, now, ask, answer)),
        }
    }

    /// What the machine is told of an answer.
    fn told(&self, talk: &mut Talk, now: Timestamp, ask: &Ask, answer: &Answer) -> Vec<Input> {
        match ask {
            Ask::Stand {
                expected,
                otherwise,
                ..
            } => self.stood(*expected, *otherwise, answer),
            Ask::Seen {
                effect, expected, ..
            } => self.seen(*effect, *expected, answer),
            Ask::Instances { expected, .. } => {
                if *answer == Answer::Yes {
                    return vec![Input::Fleet(expected.fleet)];
                }
                // What comes or goes takes its time, and that is the plan's to bound.
                talk.patience = Some(now.plus_ms(COUNT_AGAIN_MS));
                match answer {
                    Answer::Saw(numbers) => {
                        let stand = self.past.stand.with(*numbers, self.past.stand);
                        readings(stand, *numbers)
                    }
                    _ => Vec::new(),
                }
            }
            Ask::Quiet => {
                if *answer == Answer::Yes {
                    return vec![Input::Router(self.past.stand.router(true))];
                }
                // The plan's own time to drain decides.
                if let Next::Wait(wait) = self.run.next() {
                    talk.patience = Some(Timestamp::from_unix_ms(wait.until_ms));
                }
                Vec::new()
            }
            Ask::Smoke { .. } => {
                let verdict = match answer {
                    Answer::Yes => SmokeVerdict::Passed,
                    Answer::No(_) => SmokeVerdict::Failed,
                    _ => SmokeVerdict::Unavailable,
                };
                vec![Input::Smoke(verdict)]
            }
            Ask::Judge { .. } => match (self.step(), answer) {
                (Some(step), Answer::Judged(judgement)) => {
                    let decides = matches!(judgement, Judgement::Pass | Judgement::Fail);
                    talk.patience = (!decides).then(|| now.plus_ms(self.look_again_ms()));
                    let judgement = *judgement;
                    vec![Input::Analysis { step, judgement }]
                }
                _ => Vec::new(),
            },
            Ask::Held { .. } => vec![Input::Command(Command::Resume)],
            _ => Vec::new(),
        }
    }

    fn stood(
        &self,
        expected: Standing,
        otherwise: Option<Standing>,
        answer: &Answer,
    ) -> Vec<Input> {
        let stand = match (answer, otherwise) {
            (Answer::Saw(numbers), _) => {
                let asked = match self.past.doubt {
                    Some(effect) => self.past.stand.after(effect),
                    None => self.past.stand,
                };
                expected.with(*numbers, asked)
            }
            (Answer::No(_), Some(before)) => before,
            (Answer::No(_), None) => return vec![Input::RouterFailed, Input::FleetFailed],
            _ => expected,
        };
        vec![
            Input::Router(stand.router(false)),
            Input::Fleet(stand.fleet),
        ]
    }

    fn seen(&self, effect: Effect, expected: Standing, answer: &Answer) -> Vec<Input> {
        let stand = match answer {
            Answer::Saw(numbers) => {
                let stand = expected.with(*numbers, self.past.stand.after(effect));
                return match effect {
                    Effect::Shift { .. } => {
                        let mut told = vec![Input::Router(stand.router(false))];
                        told.extend(fleet(stand, *numbers));
                        told
                    }
                    _ => readings(stand, *numbers),
                };
            }
            _ => expected,
        };
        match effect {
            Effect::Shift { .. } => vec![Input::Router(stand.router(false))],
            Effect::Scale { .. } => vec![Input::Fleet(stand.fleet)],
            Effect::Task { step } => vec![Input::Task {
                step,
                verdict: TaskVerdict::Done,
            }],
            Effect::Withdraw { extra } => vec![Input::Withdrawn { extra, gone: true }],
            Effect::Observe | Effect::Smoke { .. } => Vec::new(),
        }
    }

    /// What the machine is told of something that is given up.
    fn failed(&self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Task { step } => vec![Input::Task {
                step,
                verdict: TaskVerdict::Failed,
            }],
            Effect::Withdraw { extra } => vec![Input::Withdrawn { extra, gone: false }],
            _ if self.step().is_some() => self.back(),
            _ => lost(effect),
        }
    }

    /// The way back. Whether what is out was done is not known; there it is asked what stands.
    pub(crate) fn back(&self) -> Vec<Input> {
        let out = self.run.state().pending.map(|pending| pending.effect);
        let mut told = out.map_or_else(Vec::new, lost);
        told.push(Input::Command(Command::Abort));
        told
    }

    fn look_again_ms(&self) -> i64 {
        let every_ms = match self.action() {
            Some(Action::Watch { analysis, .. }) => {
                let analysis = self.run.plan().analysis_named(analysis.as_deref());
                analysis.and_then(|it| i64::try_from(it.every_ms).ok())
            }
            _ => None,
        };
        every_ms.unwrap_or(LOOK_AGAIN_MS)
    }
}

/// A change of which nobody knows whether it came about.
fn lost(effect: Effect) -> Vec<Input> {
    match effect {
        Effect::Shift { .. } => vec![Input::RouterFailed],
        Effect::Scale { .. } => vec![Input::FleetFailed],
        _ => Vec::new(),
    }
}

fn fleet(stand: Standing, numbers: Numbers) -> Option<Input> {
    let counted = numbers.stable.is_some() || numbers.canary.is_some();
    counted.then_some(Input::Fleet(stand.fleet))
}

/// The instances, and the router if something was said of it.
fn readings(stand: Standing, numbers: Numbers) -> Vec<Input> {
    let mut told = vec![Input::Fleet(stand.fleet)];
    told.extend(numbers.split.map(|_| Input::Router(stand.router(false))));
    told
}
