//! The stages of a release as edits of a flag's own file: for internal people, for a growing share
//! of all subjects, for everyone; and the kill switch.
//!
//! Whoever has the feature at one stage has it at the next: those who come first stay in front of
//! the share, and the share only widens at a boundary that it has in every stage.

mod flagd;
mod growthbook;
mod internal;
mod launchdarkly;
mod plain;
mod ufc;
mod unleash;

use crate::codes::{self, Refusal};
use crate::dialect::shape::wrong;
use crate::ir::{Flag, State};
use crate::load::{Dialect, LoadOptions};
use crate::set::FlagSet;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use nonevent_document::{Document, Edit, Finding, Findings, Node, edited, item_path, member_path};
use serde::Serialize;
use serde::ser::Serializer;

pub use internal::{Internal, NotInternal};

/// How far a feature is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// The kill switch: the flag is off, whatever else it says.
    Off,
    /// For those who come first, and nobody else.
    Internal,
    /// For those and this percentage of all subjects, from 1; at 100 for everyone, with or without
    /// a targeting key.
    Percent(u8),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Off => f.write_str("off"),
            Stage::Internal => f.write_str("internal"),
            Stage::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that names no stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stage is internal, off, or a whole percentage from 1 to 100")]
pub struct NoStage(());

impl FromStr for Stage {
    type Err = NoStage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Stage::Off),
            "internal" => Ok(Stage::Internal),
            number => {
                let number = number.strip_suffix('%').unwrap_or(number);
                let percent: u8 = number.parse().map_err(|_| NoStage(()))?;
                if (1..=100).contains(&percent) {
                    Ok(Stage::Percent(percent))
                } else {
                    Err(NoStage(()))
                }
            }
        }
    }
}

/// How a feature is to be released.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePlan {
    internal: Option<Internal>,
    percents: Vec<u8>,
    on: Option<String>,
}

impl Default for StagePlan {
    /// Through 5, 25, 50 and 100 %, after whoever the file says comes first.
    fn default() -> Self {
        Self {
            internal: None,
            percents: vec![5, 25, 50, 100],
            on: None,
        }
    }
}

impl StagePlan {
    /// With these people first.
    #[must_use]
    pub fn internal(mut self, internal: Internal) -> Self {
        self.internal = Some(internal);
        self
    }

    /// Through these percentages, which rise and are from 1 to 100.
    #[must_use]
    pub fn percents(mut self, percents: impl Into<Vec<u8>>) -> Self {
        self.percents = percents.into();
        self
    }

    /// With the variant of this name as the one that is released. Without it, that is the variant
    /// `true`, or of two the one that is not the default.
    #[must_use]
    pub fn on(mut self, variant: impl Into<String>) -> Self {
        self.on = Some(variant.into());
        self
    }
}

/// A file at one stage of a flag's release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Staged {
    /// The stage.
    pub stage: Stage,
    /// What is changed in the file, by its bytes; nothing if it is at this stage already.
    pub edits: Vec<Edit>,
    /// The file with these edits.
    pub text: String,
}

/// The files of a whole release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stages {
    /// From the first to the last. The internal one is left out if nobody is said to come first.
    pub stages: Vec<Staged>,
    /// The kill switch, as one edit of the file that was given.
    pub off: Staged,
}

/// The files for the stages of a flag's release, as edits of the file in `bytes`.
///
/// Everything else in the file stays what it is, to the byte. Every document was loaded again, and
/// the flag is in order in it. `name` and `options` are as for [`FlagSet::load`].
///
/// ```
/// use nonevent_flags::{Context, FlagSet, Internal, LoadOptions, StagePlan, Value, stages};
///
/// let file = "flags:\n  basket: false   # until May\n";
/// let plan = StagePlan::default().internal("email=*@shop.example".parse::<Internal>()?);
/// let made = stages("flags.yaml", file.as_bytes(), LoadOptions::default(), "basket", &plan)?;
/// let names: Vec<String> = made.stages.iter().map(|it| it.stage.to_string()).collect();
/// assert_eq!(names, ["internal", "5%", "25%", "50%", "100%"]);
/// assert!(made.stages[0].text.ends_with("   # until May\n"));
///
/// let set = FlagSet::load("flags.yaml", made.stages[0].text.as_bytes(), LoadOptions::default())?.set;
/// let ann = [("email", Value::from("ann@shop.example"))];
/// assert!(set.bool("basket", false, &Context::new("ann").with(&ann)).value);
/// assert!(!set.bool("basket", false, &Context::new("bob")).value);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the file cannot be read, has no such flag, the flag is wrong in itself, or has rules that a
/// stage would have to take away: a finding says where and what to do. Percentages that do not rise
/// from 1 to at most 100 are an error too.
pub fn stages(
    name: &str,
    bytes: &[u8],
    options: impl Into<LoadOptions>,
    key: &str,
    plan: &StagePlan,
) -> Result<Stages, Findings> {
    let file = File::read(name, bytes, options.into(), key)?;
    let rising = plan
        .percents
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a < b));
    if !rising || plan.percents.iter().any(|it| !(1..=100).contains(it)) {
        let message = "the percentages do not rise from 1 to at most 100";
        let finding = Finding::error(codes::STAGE, "", message, "such as 5, 25, 50, 100");
        return Err(finding.into());
    }
    let internal = match file.at(Stage::Internal, plan) {
        Ok(staged) => Some(staged),
        Err(refusal) if refusal.code == codes::NOBODY_FIRST => None,
        Err(refusal) => return Err((*refusal).into()),
    };
    let mut stages = Vec::from_iter(internal);
    for percent in &plan.percents {
        stages.push(file.staged(Stage::Percent(*percent), plan)?);
    }
    Ok(Stages {
        stages,
        off: file.staged(Stage::Off, plan)?,
    })
}

/// The file for one stage of a flag's release, as edits of the file in `bytes`: see [`stages`].
///
/// ```
/// use nonevent_flags::{LoadOptions, Stage, StagePlan, stage};
///
/// let file = br#"{"flags": {"basket": {"state": "ENABLED", "variants": {"on": true, "off": false}}}}"#;
/// let off = stage("flags.json", file, LoadOptions::default(), "basket", &StagePlan::default(), Stage::Off)?;
/// assert_eq!(off.edits.len(), 1);
/// assert_eq!(off.edits[0].text, "\"DISABLED\"");
/// # Ok::<(), nonevent_document::Findings>(())
/// ```
///
/// # Errors
///
/// As [`stages`]; and for [`Stage::Internal`] if neither the plan nor the file says who comes first.
pub fn stage(
    name: &str,
    bytes: &[u8],
    options: impl Into<LoadOptions>,
    key: &str,
    plan: &StagePlan,
    at: Stage,
) -> Result<Staged, Findings> {
    File::read(name, bytes, options.into(), key)?.staged(at, plan)
}

/// A file and the flag in it.
struct File {
    document: Document,
    options: LoadOptions,
    set: FlagSet,
    key: String,
    /// Whether it begins with a byte order mark, which no position counts.
    has_mark: bool,
}

/// A flag's place in the file, and what it was compiled to.
struct Target<'f> {
    flag: &'f Flag,
    node: &'f Node,
    path: String,
}

impl File {
    fn read(name: &str, bytes: &[u8], options: LoadOptions, key: &str) -> Result<Self, Findings> {
        let limits = options.limits.of_document();
        let document = Document::parse(name, bytes, &limits)?;
        let set = FlagSet::load(name, bytes, options)?.set;
        let Some(flag) = set.get(key) else {
            let message = format!("there is no flag {key:?} here");
            let finding = Finding::error(codes::STAGE, "", message, "name one that is defined");
            return Err(finding.into());
        };
        if let State::Broken(why) | State::Unknown(why) = &flag.state {
            let message = format!("the flag is wrong as it is: {why}");
            let mut finding = Finding::error(
                codes::STAGE,
                &*flag.origin.path,
                message,
                "correct it first",
            );
            finding.at = flag.origin.at;
            return Err(finding.into());
        }
        Ok(Self {
            document,
            options,
            set,
            key: key.into(),
            has_mark: bytes.starts_with(b"\xef\xbb\xbf"),
        })
    }

    fn staged(&self, stage: Stage, plan: &StagePlan) -> Result<Staged, Findings> {
        self.at(stage, plan).map_err(|refusal| (*refusal).into())
    }

    fn at(&self, stage: Stage, plan: &StagePlan) -> Result<Staged, Refusal> {
        let target = self.target()?;
        let changes = match self.set.dialect() {
            Dialect::Flagd => flagd::changes(&target, stage, plan)?,
            Dialect::Plain => plain::changes(&target, stage, plan)?,
            Dialect::Unleash => unleash::changes(&target, stage, plan)?,
            Dialect::Ufc => ufc::changes(&target, stage, plan)?,
            Dialect::GrowthBook => growthbook::changes(&target, stage, plan)?,
            Dialect::LaunchDarkly => launchdarkly::changes(&target, stage, plan)?,
            other => {
                let message = format!("the stages of {other} flags cannot be written");
                let help = "change the file by hand";
                return Err(target.refusal(target.node, "", &message, help));
            }
        };
        let edits = self.document.edits(&changes);
        let mut edits = edits.map_err(|error| Box::new(error.finding(codes::STAGE)))?;
        let mut text = edited(self.document.text(), &edits);
        self.verify(&text, &target)?;
        if self.has_mark {
            text.insert(0, '\u{feff}');
            for edit in &mut edits {
                edit.bytes = edit.bytes.start + 3..edit.bytes.end + 3;
            }
        }
        Ok(Staged { stage, edits, text })
    }

    /// Holds the new text against the loader.
    fn verify(&self, text: &str, target: &Target<'_>) -> Result<(), Refusal> {
        let loaded = FlagSet::load(self.document.name(), text.as_bytes(), self.options);
        let found = loaded.as_ref().ok().and_then(|it| it.set.get(&self.key));
        match found.map(|flag| &flag.state) {
            Some(State::Enabled | State::Disabled(_)) => Ok(()),
            _ => {
                let message = "the flag would not be in order at this stage";
                let help = "change the file by hand";
                Err(target.refusal(target.node, "", message, help))
            }
        }
    }

    fn target(&self) -> Result<Target<'_>, Refusal> {
        let flag = self.set.get(&self.key);
        let found = flag.zip(
            self.document
                .root()
                .at(flag.map_or("", |it| &*it.origin.path)),
        );
        match found {
            Some((flag, node)) => Ok(Target {
                flag,
                node,
                path: flag.origin.path.as_ref().into(),
            }),
            None => Err(Box::new(Finding::error(
                codes::STAGE,
                "",
                format!(
                    "the flag {:?} has no place of its own in the file",
                    self.key
                ),
                "change the file by hand",
            ))),
        }
    }
}

impl<'f> Target<'f> {
    /// The path of a field of the flag, or of something in it.
    fn at(&self, field: &str) -> String {
        member_path(&self.path, field)
    }

    /// Why a stage cannot be written, at `node` in this field.
    fn refusal(&self, node: &Node, field: &str, message: &str, help: &str) -> Refusal {
        let path = match field {
            "" => self.path.clone(),
            field => self.at(field),
        };
        wrong(codes::STAGE, node, path, message, help)
    }

    /// Nobody is said to come first.
    fn nobody_first(&self) -> Refusal {
        let message = "nobody is said to come first, so there is no internal stage";
        let help = "say who is internal, such as email=*@shop.example or group=staff";
        wrong(codes::NOBODY_FIRST, self.node, &*self.path, message, help)
    }

    /// The rules that the file has would be lost, or would keep people from a stage.
    fn other_rules(&self, node: &Node, field: &str) -> Refusal {
        let message = "the flag has rules that are no stage of a release, and a stage would \
                       have to take them away";
        let help = "take them out first, or change the file by hand";
        self.refusal(node, field, message, help)
    }

    /// A list in this field with its path; empty if there is none.
    fn list(&self, field: &str) -> (&'f [Node], String) {
        let items = self.node.get(field).and_then(Node::as_array);
        (items.unwrap_or_default(), self.at(field))
    }

    /// The variant that is released, and the one for everybody else. `default` is served where no
    /// rule decides.
    fn pair(
        &self,
        plan: &StagePlan,
        default: Option<usize>,
    ) -> Result<(usize, Option<usize>), Refusal> {
        let variants = self.flag.variants();
        let named = |on: &String| variants.iter().position(|it| *it.name == **on);
        let valued = |wanted: bool| {
            let mut found = variants.iter().enumerate();
            let found = found.find(|(_, it)| it.value == serde_json::Value::Bool(wanted));
            found.map(|(at, _)| at)
        };
        let other = |than: usize| (variants.len() == 2 && than < 2).then(|| 1 - than);
        let on = match &plan.on {
            Some(on) => named(on),
            None => valued(true).or_else(|| default.and_then(other)),
        };
        let Some(on) = on else {
            let message = match &plan.on {
                Some(on) => format!("there is no variant {on:?}"),
                None => String::from("which variant is released cannot be told"),
            };
            let help = "name the variant that is to be released";
            return Err(self.refusal(self.node, "", &message, help));
        };
        let off = default
            .filter(|default| *default != on)
            .or_else(|| valued(false).filter(|off| *off != on))
            .or_else(|| other(on));
        Ok((on, off))
    }

    fn variant(&self, at: usize) -> &'f str {
        self.flag.variants().get(at).map_or("", |it| it.name())
    }
}

/// The path of an item of a list in a field.
fn item(path: &str, index: usize) -> String {
    item_path(path, index)
}
