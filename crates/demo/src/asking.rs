//! What people are asked for, in words, with the command that answers it.

use std::path::Path;

use nonevent::document::{Timestamp, format_duration_ms};
use nonevent::driver::{Asked, Otherwise, Says, Wants};
use nonevent::page::escape::shell_word;

/// Where the state folder is if nobody says so.
const USUAL: &str = ".nonevent";

/// What is asked, by whom it can be given, until when, what follows otherwise, and the command to
/// give; with the time that is left `now`, where that is known.
pub(crate) fn text(asked: &Asked, state: &Path, now: Option<Timestamp>) -> String {
    // A document's texts are no commands to a terminal.
    let shown = |sign: char| match sign {
        '\n' => sign,
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    words(asked, state, now).chars().map(shown).collect()
}

fn words(asked: &Asked, state: &Path, now: Option<Timestamp>) -> String {
    let Asked { step, wants, .. } = asked;
    let until = until(asked, now);
    let otherwise = match asked.otherwise {
        Otherwise::GoesBack => "it goes back",
        Otherwise::Pauses => "it pauses, and people decide",
        Otherwise::HandsOver => "it is left to people as it is",
    };
    let place = if state == Path::new(USUAL) {
        String::new()
    } else {
        format!(" --state {}", shell_word(&state.display().to_string()))
    };
    let word = shell_word(step);
    let paused = asked.paused.as_ref();
    let decides = matches!(wants, Wants::Decision { .. });
    let ends = match asked.may_resume && !decides {
        true => format!("; nonevent unpause{place} ends that"),
        false => String::new(),
    };
    let paused = paused.map_or_else(String::new, |why| format!("\n  paused: {why}{ends}"));
    match wants {
        Wants::Approval {
            role,
            count,
            agreed,
            missing,
            words_until,
        } => {
            let counts =
                words_until.map_or_else(String::new, |it| format!(", which counts until {it}"));
            let agreed = match agreed.as_slice() {
                [] => "nobody has agreed".to_owned(),
                some => format!("agreed: {}{counts}", some.join(", ")),
            };
            format!(
                "{step} waits until {until} for {count} of {role} to agree; otherwise \
                 {otherwise}{paused}\n  {agreed}; may still agree: {}\n  nonevent approve {word} --by NAME{place}\n  nonevent approve \
                 {word} --by NAME --deny{place}",
                missing.join(", ")
            )
        }
        Wants::Deed {
            name,
            how,
            expect,
            owner,
            may_skip,
        } => {
            let owner = owner.as_deref().unwrap_or("somebody");
            let expect = expect.as_ref();
            let expect = expect.map_or_else(String::new, |it| format!("\n  then: {it}"));
            let skip = match may_skip {
                true => format!("\n  nonevent skip {word}{place}   leaves it out"),
                false => String::new(),
            };
            format!(
                "{step} waits until {until} for {owner} to do {name}; otherwise \
                 {otherwise}{paused}\n  do: {how}{expect}\n  \
                 nonevent confirm {word}{place}   it is done\n  nonevent confirm {word} \
                 --failed{place}   it is not{skip}"
            )
        }
        Wants::Decision { no_way_back } => {
            let abort = if *no_way_back {
                "hands it over as it is"
            } else {
                "goes back"
            };
            format!(
                "{step} waits until {until} for somebody to decide; otherwise {otherwise}{paused}\n  \
                 nonevent unpause{place}   \
                 goes on\n  nonevent abort{place}   {abort}"
            )
        }
    }
}

/// When nobody is waited for any more.
fn until(asked: &Asked, now: Option<Timestamp>) -> String {
    let until = asked.until;
    let left = now.and_then(|now| u64::try_from(until.ms_since(now)).ok());
    match left {
        Some(left_ms) => {
            let left = format_duration_ms(left_ms.div_ceil(1_000).saturating_mul(1_000));
            format!("{until} ({left} from now)")
        }
        None => until.to_string(),
    }
}

/// What somebody said of a step.
pub(crate) fn said(step: &str, by: Option<&str>, says: Says) -> String {
    let by = by.unwrap_or("somebody");
    match says {
        Says::Agrees => format!("{by} agrees to {step}"),
        Says::Denies => format!("{by} does NOT agree to {step}"),
        Says::Done => format!("{by} says that {step} is done"),
        Says::Failed => format!("{by} says that {step} FAILED"),
        Says::Skipped => format!("{by} leaves {step} out"),
    }
}
