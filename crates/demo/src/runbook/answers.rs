//! What somebody types, as an answer.

use nonevent::driver::follow::{Answer, ArmNumbers, Ask, Numbers, Place};
use nonevent::rollout::{Effect, Judgement, WaitReason};
use nonevent::router::{Arm, Split};

/// What `line` says about what is asked, if it says anything.
pub(super) fn answer(ask: &Ask, line: &str) -> Option<Answer> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim().to_owned();
    let word = word.to_ascii_lowercase();
    match word.as_str() {
        "back" => return Some(Answer::Back),
        "leave" | "quit" => return Some(Answer::Leave),
        _ => {}
    }
    match ask {
        Ask::Approve { .. } => return says(line),
        Ask::Judge { .. } => return judged(&line.to_ascii_lowercase()),
        _ => {}
    }
    let said = match (word.as_str(), ask) {
        ("again", _) => Some(Answer::Again),
        ("skip", _) if !rest.is_empty() => Some(Answer::Skip(rest)),
        ("yes" | "y" | "done", _) if rest.is_empty() => Some(Answer::Yes),
        ("passed", Ask::Smoke { .. }) => Some(Answer::Yes),
        ("failed", Ask::Smoke { .. }) => Some(Answer::No(rest)),
        ("unavailable", Ask::Smoke { .. }) => Some(Answer::Unavailable(rest)),
        ("no" | "n", _) => Some(Answer::No(rest)),
        _ => None,
    };
    said.or_else(|| numbers(ask, line).map(Answer::Saw))
}

/// All that can be said about what is asked, in one line.
pub(super) fn ways(place: &Place, ask: &Ask) -> String {
    let back = match (place, ask) {
        (_, Ask::GoBack { .. } | Ask::Item { .. }) | (Place::Back { .. }, _) => "",
        (
            _,
            Ask::Held {
                no_way_back: true, ..
            },
        ) => "; back (it is left to people as it is)",
        _ => "; back (to the old version)",
    };
    format!("{}{back}; leave (as it is)", own(ask))
}

fn own(ask: &Ask) -> &'static str {
    match ask {
        Ask::Item { .. } => "yes, or no WHY",
        Ask::Stand { doubt: Some(_), .. } => {
            "yes (it was done), no (it was not), or what you see: 25% old 3/3 new 1/2"
        }
        Ask::Stand { .. } => "yes (it is so), no WHY, or what you see: 25% old 3/3 new 1/2",
        Ask::Deed { may_skip: true, .. } => "yes (it is done), no WHY, or skip WHY",
        Ask::Deed { .. } => "yes (it is done), or no WHY",
        Ask::Doubt { .. } => "yes (it was done), or no (it was not)",
        Ask::NotDone { may_skip: true, .. } => "again, no (it cannot be done), or skip WHY",
        Ask::NotDone { .. } => "again, or no (it cannot be done)",
        Ask::Seen {
            effect: Effect::Shift { .. },
            ..
        } => "yes (it is so), no WHY, or what you see: 25%, or closed",
        Ask::Seen {
            effect: Effect::Scale { .. },
            ..
        } => "yes (it is so), no WHY, or how many are ready of how many there are: 1/2",
        Ask::Seen { .. } => "yes (it is so), or no WHY",
        Ask::Instances { .. } => {
            "yes (it is so), no (not yet), or how many are ready of how many there are: 1/2"
        }
        Ask::Quiet => "yes (none is open), or no (not yet)",
        Ask::Smoke { .. } => "passed, failed WHAT, or unavailable WHY",
        Ask::Automatic { .. } => "yes (do it), or no (it is done by hand)",
        Ask::Judge { analysed: true, .. } => {
            "pass, fail, unclear, no data, or both (are in trouble)"
        }
        Ask::Judge { .. } => "pass, or fail",
        Ask::Approve { .. } => "NAME agrees, or NAME refuses",
        Ask::Held { .. } => "yes (it goes on)",
        Ask::GoBack { .. } => "yes (it goes back)",
    }
}

/// `ada agrees`, `grace refuses`.
fn says(line: &str) -> Option<Answer> {
    let (by, word) = line.rsplit_once(char::is_whitespace)?;
    let granted = match word {
        "agrees" => true,
        "refuses" => false,
        _ => return None,
    };
    let by = by.trim().to_owned();
    Some(Answer::Says { by, granted })
}

fn judged(line: &str) -> Option<Answer> {
    let judgement = match line {
        "pass" | "passed" => Judgement::Pass,
        "fail" | "failed" => Judgement::Fail,
        "unclear" | "inconclusive" => Judgement::Inconclusive,
        "no data" => Judgement::NoData,
        "both" => Judgement::EnvironmentUnhealthy,
        _ => return None,
    };
    Some(Answer::Judged(judgement))
}

/// `25% old 3/3 new 1/2`: what is read off; `1/2` alone is about the version that is asked about, and
/// `failed 1` behind it says how many of its instances ended by themselves.
fn numbers(ask: &Ask, line: &str) -> Option<Numbers> {
    let mut arm = match ask {
        Ask::Seen {
            effect: Effect::Scale { arm, .. },
            ..
        } => Some(*arm),
        Ask::Instances {
            waits: WaitReason::Ready { arm, .. } | WaitReason::Gone { arm, .. },
            ..
        } => Some(*arm),
        _ => None,
    };
    let mut seen = Numbers::default();
    let line = line.to_ascii_lowercase().replace([',', ';'], " ");
    let mut words = line.split_whitespace();
    let mut said = false;
    while let Some(word) = words.next() {
        match word {
            "closed" => seen.split = Some(Split::Closed),
            "old" | "stable" => {
                arm = Some(Arm::Stable);
                continue;
            }
            "new" | "canary" => {
                arm = Some(Arm::Canary);
                continue;
            }
            "failed" => of(&mut seen, arm?).as_mut()?.failed = words.next()?.parse().ok()?,
            _ => match (word.strip_suffix('%'), word.split_once('/')) {
                (Some(percent), _) => seen.split = Some(share(percent)?),
                (None, Some((ready, present))) => {
                    *of(&mut seen, arm?) = Some(ArmNumbers {
                        ready: ready.parse().ok()?,
                        present: present.parse().ok()?,
                        failed: 0,
                    });
                }
                (None, None) => return None,
            },
        }
        said = true;
    }
    said.then_some(seen)
}

fn of(seen: &mut Numbers, arm: Arm) -> &mut Option<ArmNumbers> {
    match arm {
        Arm::Stable => &mut seen.stable,
        Arm::Canary => &mut seen.canary,
    }
}

/// An exact share: at most two digits behind the point.
fn share(percent: &str) -> Option<Split> {
    let (whole, part) = percent.split_once('.').unwrap_or((percent, "0"));
    if part.is_empty() || part.len() > 2 || !part.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let whole: u16 = whole.parse().ok()?;
    let part: u16 = format!("{part:0<2}").parse().ok()?;
    Split::canary(whole.checked_mul(100)?.checked_add(part)?)
}

#[cfg(test)]
mod tests {
    use nonevent::strategy::Ways;

    use super::*;

    fn shift() -> Ask {
        Ask::Deed {
            effect: Effect::Observe,
            text: String::new(),
            again: None,
            stands: false,
            may_skip: true,
        }
    }

    #[test]
    fn what_is_typed_is_an_answer_or_told_how_to_be_one() {
        let yes_or_no = shift();
        let no = |why: &str| Answer::No(why.to_owned());
        for (line, wanted) in [
            (" yes ", Some(Answer::Yes)),
            ("Y", Some(Answer::Yes)),
            ("no the router refused", Some(no("the router refused"))),
            ("no", Some(no(""))),
            (
                "skip no desk today",
                Some(Answer::Skip("no desk today".to_owned())),
            ),
            ("back", Some(Answer::Back)),
            ("leave", Some(Answer::Leave)),
            ("", None),
            ("skip", None),
            ("yes but", None),
            ("perhaps", None),
        ] {
            assert_eq!(answer(&yes_or_no, line), wanted, "{line:?}");
        }
        let forward = ways(&Place::Before, &yes_or_no);
        assert!(forward.starts_with("yes (it is done), no WHY"), "{forward}");
        assert!(forward.contains("back (to the old version)"), "{forward}");
        let place = Place::Back {
            reason: nonevent::rollout::Reason::Aborted,
            to: "1.0.0".to_owned(),
        };
        let back = ways(&place, &yes_or_no);
        assert!(!back.contains("back (to"), "it goes back already: {back}");
    }

    #[test]
    fn numbers_are_read_off_a_line() {
        let split = Split::canary(2_500);
        let effect = Effect::Shift {
            split: Split::STABLE,
            ways: Ways::NONE,
        };
        let ask = |effect| Ask::Seen {
            effect,
            text: String::new(),
            expected: nonevent::driver::follow::Standing {
                traffic: nonevent::strategy::Traffic::STABLE,
                fleet: nonevent::rollout::FleetSeen {
                    stable: Default::default(),
                    canary: Default::default(),
                },
            },
        };
        let arm = |ready, present, failed| {
            Some(ArmNumbers {
                ready,
                present,
                failed,
            })
        };
        let all = Numbers {
            split,
            stable: arm(3, 3, 0),
            canary: arm(1, 2, 1),
        };
        let none = Numbers::default();
        let scale = Effect::Scale {
            arm: Arm::Canary,
            count: 2,
        };
        for (effect, line, wanted) in [
            (effect, "25% old 3/3 new 1/2 failed 1", Some(all)),
            (effect, "25.00%, stable 3/3; canary 1/2 failed 1", Some(all)),
            (effect, "25%", Some(Numbers { split, ..none })),
            (
                effect,
                "closed",
                Some(Numbers {
                    split: Some(Split::Closed),
                    ..none
                }),
            ),
            (
                scale,
                "1/2",
                Some(Numbers {
                    canary: arm(1, 2, 0),
                    ..none
                }),
            ),
            (effect, "1/2", None),
            (effect, "101%", None),
            (effect, "1.234%", None),
            (effect, "-1%", None),
            (effect, "new", None),
            (effect, "failed 1", None),
            (effect, "new 70000/1", None),
        ] {
            let saw = answer(&ask(effect), line);
            assert_eq!(saw, wanted.map(Answer::Saw), "{line:?}");
        }
    }

    #[test]
    fn words_of_people_and_figures_have_their_own_form() {
        let approve = Ask::Approve {
            role: "lead".to_owned(),
            count: 1,
            agreed: Vec::new(),
            missing: Vec::new(),
        };
        let says = |by: &str, granted| {
            let by = by.to_owned();
            Some(Answer::Says { by, granted })
        };
        assert_eq!(answer(&approve, "ada agrees"), says("ada", true));
        let two = "Ada Lovelace refuses";
        assert_eq!(answer(&approve, two), says("Ada Lovelace", false));
        assert_eq!(answer(&approve, "yes"), None);
        let judge = Ask::Judge {
            analysed: true,
            triggers: Vec::new(),
        };
        let no_data = Answer::Judged(Judgement::NoData);
        assert_eq!(answer(&judge, "No data"), Some(no_data));
        assert_eq!(answer(&judge, "yes"), None, "nobody looked");
    }
}
