//! One change of a plan, and how it is noted.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::canonical_json;
use serde::Serialize;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// The plan itself: its format, the plan it replaces, service, environment, owner.
    Plan,
    /// Versions and artifacts.
    Release,
    /// Canary, blue-green, rolling or recreate.
    Strategy,
    /// Router and fleet, by reference.
    Target,
    /// The numbers of the fleet.
    Fleet,
    /// The smoke suites.
    Suites,
    /// The numbers by which the versions are compared.
    Analysis,
    /// Who must agree.
    Approvals,
    /// Feature flags' files.
    Flags,
    /// What users are exposed to.
    Exposure,
    /// When changes may be made.
    Windows,
    /// Who is told.
    Notifications,
    /// The time without service.
    Downtime,
    /// The way back.
    Rollback,
    /// A step that the old plan has not.
    StepAdded,
    /// A step that the new plan has not.
    StepRemoved,
    /// A step that stands elsewhere in the order.
    StepMoved,
    /// A step that does something else, or has another name, bound or outcome.
    StepChanged,
}

/// How much a change matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// More users meet the new version, less is seen of it, or the way back is longer.
    Riskier,
    /// The reverse.
    Safer,
    /// Neither, or it cannot be told from the two values.
    Neutral,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Change {
    /// What it is about.
    pub area: Area,
    /// The thing in words, such as `step traffic-25` or `pause at 5 %`.
    pub about: String,
    /// Which of its values, such as `drain`; empty for a thing as a whole.
    pub field: &'static str,
    /// The step's place from 0: in the new plan, or for a removed step in the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<usize>,
    /// What was; absent for something added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is; absent for something removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Whether it is part of why the plan's shape changed.
    pub shape: bool,
    /// How much it matters.
    pub effect: Effect,
    /// Why it is riskier; empty otherwise.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub why: &'static str,
}

/// Characters that a line shows of something that stands in one plan only; the data has all.
const WHOLE_CHARS_MAX: usize = 60;

/// Values of a step that follow from what the plan does.
const CONSEQUENCES: [&str; 6] = [
    "deadline",
    "name",
    "users exposed",
    "leaves",
    "way back",
    "goes back to",
];

impl Change {
    pub(super) const fn rank(&self) -> (Area, usize) {
        let area = match self.area {
            Area::StepRemoved | Area::StepMoved | Area::StepChanged => Area::StepAdded,
            area => area,
        };
        let place = match self.place {
            Some(place) => place,
            None => 0,
        };
        (area, place)
    }

    pub(super) const fn is_of_order(&self) -> bool {
        matches!(
            self.area,
            Area::StepAdded | Area::StepRemoved | Area::StepMoved
        )
    }

    pub(super) fn is_consequence(&self) -> bool {
        self.area == Area::StepChanged && CONSEQUENCES.contains(&self.field)
    }

    /// Whether both are values of one thing, and so stand in one line.
    pub(super) fn is_same_thing(&self, other: &Change) -> bool {
        !self.field.is_empty()
            && !other.field.is_empty()
            && (self.area, self.place, &self.about) == (other.area, other.place, &other.about)
    }

    pub(super) fn values(&self) -> (&str, Option<&str>, Option<&str>, Effect) {
        let (old, new) = (self.old.as_deref(), self.new.as_deref());
        (self.field, old, new, self.effect)
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, first: bool) -> fmt::Result {
        let consequence = self.is_consequence();
        if first && !consequence {
            write!(f, "{}: ", self.about)?;
        }
        if !self.field.is_empty() {
            write!(f, "{} ", self.field)?;
        }
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{old} → {new}")?,
            (Some(old), None) => write!(f, "removed ({})", cut(old))?,
            (None, Some(new)) => write!(f, "added ({})", cut(new))?,
            (None, None) => write!(f, "changed")?,
        }
        match self.effect {
            Effect::Riskier if self.why.is_empty() => write!(f, " (riskier)")?,
            Effect::Riskier => write!(f, " (riskier: {})", self.why)?,
            Effect::Safer => write!(f, " (safer)")?,
            Effect::Neutral => {}
        }
        if consequence {
            write!(f, ": {}", self.about)?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true)
    }
}

/// What fits a line of something that stands in one plan only.
fn cut(text: &str) -> String {
    match text.char_indices().nth(WHOLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => String::from(text),
    }
}

/// How risky a value is, as a number that grows with it, and why.
pub(super) type Risk<T> = Option<(fn(&T) -> u64, &'static str)>;

/// Notes what changed of one thing.
pub(super) struct Subject<'a> {
    pub(super) changes: &'a mut Vec<Change>,
    pub(super) area: Area,
    pub(super) about: String,
    pub(super) place: Option<usize>,
    /// Whether its values enter the plan's shape.
    pub(super) shape: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn new(changes: &'a mut Vec<Change>, area: Area, about: &str) -> Self {
        Subject {
            changes,
            area,
            about: shown_text(about),
            place: None,
            shape: false,
        }
    }

    /// Notes one value, if it changed.
    pub(super) fn value<T: PartialEq>(
        &mut self,
        field: &'static str,
        (old, new): (&T, &T),
        show: fn(&T) -> String,
        risk: Risk<T>,
    ) {
        if old == new {
            return;
        }
        let (effect, why) = match risk {
            None => (Effect::Neutral, ""),
            Some((risk, why)) => match risk(new).cmp(&risk(old)) {
                core::cmp::Ordering::Greater => (Effect::Riskier, why),
                core::cmp::Ordering::Less => (Effect::Safer, ""),
                core::cmp::Ordering::Equal => (Effect::Neutral, ""),
            },
        };
        self.push(field, (Some(show(old)), Some(show(new))), effect, why);
    }

    /// Notes something that stands in one plan only, or in both with other content.
    pub(super) fn whole(&mut self, values: (Option<String>, Option<String>), effect: Effect) {
        self.push("", values, effect, "");
    }

    fn push(
        &mut self,
        field: &'static str,
        (old, new): (Option<String>, Option<String>),
        effect: Effect,
        why: &'static str,
    ) {
        self.changes.push(Change {
            area: self.area,
            about: self.about.clone(),
            field,
            place: self.place,
            old,
            new,
            shape: self.shape,
            effect,
            why,
        });
    }
}

/// A value as documents write it: a word, a number, or JSON.
pub(super) fn shown<T: Serialize>(value: &T) -> String {
    let json = canonical_json(value).unwrap_or_else(|_| String::from("?"));
    let inner = json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match inner {
        Some(word) if is_plain(word) => word.to_string(),
        _ => escaped(&json),
    }
}

/// A text as it is, or quoted if it could be taken for something else.
pub(super) fn shown_text(text: &str) -> String {
    let words = text.split(' ').all(is_plain);
    if words {
        String::from(text)
    } else {
        escaped(text)
    }
}

fn is_plain(word: &str) -> bool {
    let plain = |it: char| it.is_alphanumeric() || "-_.:/@+%~=<>#()".contains(it);
    !word.is_empty() && word.chars().all(plain)
}

/// Control characters, and those that turn the direction of writing, as escapes.
fn escaped(text: &str) -> String {
    let turns = |it| matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::new();
    for it in text.chars() {
        if it.is_control() || turns(it) {
            out.extend(it.escape_unicode());
        } else {
            out.push(it);
        }
    }
    out
}
