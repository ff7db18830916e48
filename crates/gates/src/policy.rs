//! A gate policy: phases in an order, and what each asks.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nonevent_document::{Digest, Document, Findings, Limits};
use serde::{Deserialize, Serialize};

use crate::checks::Check;
use crate::glob::Glob;

/// How much the lack of a criterion weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Anything but a pass closes the gate.
    Blocking,
    /// It is shown, and closes nothing.
    Warning,
}

/// Which of a phase's two gates is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What must hold before the phase begins.
    Entry,
    /// What must hold before the phase counts as done.
    Exit,
    /// Both lists, entry first.
    Both,
}

impl Side {
    /// The word used in documents and statements.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Side::Entry => "entry",
            Side::Exit => "exit",
            Side::Both => "both",
        }
    }
}

/// Whose signatures a policy accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// Keys of the trust policy, except demonstration keys that a criterion does not list by id.
    Trusted,
    /// Demonstration keys and no others; every verdict carries their label.
    Demonstration,
}

/// A gate policy, read and tried: every criterion in it has been shown to fail on a tree that
/// holds nothing and on trees that only look right.
///
/// There is no way to build one but [`Policy::parse`] and [`Policy::builtin`].
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) digest: Digest,
    pub(crate) keys: Keys,
    pub(crate) waivers: Option<WaiverRule>,
    pub(crate) phases: Vec<Phase>,
}

/// Who may let a criterion pass that is not met, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaiverRule {
    pub(crate) roles: Vec<String>,
    pub(crate) longest_ms: i64,
}

/// A phase of a policy.
#[derive(Clone, Debug)]
pub struct Phase {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) after: Vec<String>,
    pub(crate) entry: Vec<Criterion>,
    pub(crate) exit: Vec<Criterion>,
}

/// One thing a gate asks.
#[derive(Clone, Debug)]
pub struct Criterion {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) why: String,
    pub(crate) weight: Weight,
    pub(crate) owner: String,
    pub(crate) remedy: String,
    pub(crate) applies_when: Option<Vec<Glob>>,
    pub(crate) waivable: bool,
    pub(crate) check: Check,
}

/// One gate of a policy, ready to be evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) phase: &'p Phase,
    pub(crate) side: Side,
}

impl Policy {
    /// Reads `gates.yaml` (or the same as JSON) and tries every criterion.
    ///
    /// `name` is shown in messages and, if it ends in `.json`, asks for strict JSON.
    ///
    /// # Errors
    ///
    /// All findings, with line and column: a text that is no policy, a criterion that asks nothing,
    /// phases in a circle, and criteria that cannot fail (NE3013).
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Policy, Findings> {
        let document = Document::parse(name, bytes, &Limits::default())?;
        crate::read::policy(&document)
    }

    /// The policy for the seven phases from requirements to monitoring.
    ///
    /// Its text is `builtin.yaml` in this crate, a start for a policy of one's own.
    #[must_use]
    pub fn builtin() -> Policy {
        Policy::parse("builtin.yaml", Policy::builtin_text().as_bytes())
            .expect("a test reads and tries the built-in policy")
    }

    /// The text of the built-in policy.
    #[must_use]
    pub const fn builtin_text() -> &'static str {
        include_str!("builtin.yaml")
    }

    /// The policy's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the policy is for, if it says so.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The digest of what the policy says, whatever its comments, order of keys and spacing.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Whose signatures it accepts.
    #[must_use]
    pub const fn keys(&self) -> Keys {
        self.keys
    }

    /// The phases, each after all that it comes after.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The gate of a phase, or `None` if there is no such phase.
    #[must_use]
    pub fn gate(&self, phase: &str, side: Side) -> Option<Gate<'_>> {
        let phase = self.phases.iter().find(|known| known.id == phase)?;
        Some(Gate {
            policy: self,
            phase,
            side,
        })
    }

    /// The patterns of all files that some criterion asks for, each once, in order.
    #[must_use]
    pub fn globs(&self) -> Vec<String> {
        let mut globs = Vec::new();
        for criterion in self.criteria() {
            let mut add = |glob: &Glob, _, _| globs.push(glob.to_string());
            criterion.check.globs(&mut add);
            let applies = criterion.applies_when.iter().flatten();
            globs.extend(applies.map(ToString::to_string));
        }
        globs.sort_unstable();
        globs.dedup();
        globs
    }

    pub(crate) fn has_criterion(&self, phase: &str, id: &str) -> bool {
        let phase = self.phases.iter().find(|known| known.id == phase);
        phase.is_some_and(|phase| {
            let mut criteria = phase.entry.iter().chain(&phase.exit);
            criteria.any(|criterion| criterion.id == id)
        })
    }

    pub(crate) fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        self.phases
            .iter()
            .flat_map(|phase| phase.entry.iter().chain(&phase.exit))
    }
}

impl Phase {
    /// The name by which a phase is asked for.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The phases it comes directly after.
    #[must_use]
    pub fn after(&self) -> &[String] {
        &self.after
    }

    /// What must hold before it begins.
    #[must_use]
    pub fn entry(&self) -> &[Criterion] {
        &self.entry
    }

    /// What must hold before it is done.
    #[must_use]
    pub fn exit(&self) -> &[Criterion] {
        &self.exit
    }
}

impl Criterion {
    /// The name within the phase.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is asked, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Why it is asked.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether its lack closes the gate.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        self.weight
    }

    /// Who sees to it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What to do when it is not met.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// What is checked, in words.
    #[must_use]
    pub fn asked(&self) -> String {
        self.check.asked()
    }
}

impl<'p> Gate<'p> {
    /// The policy it belongs to.
    #[must_use]
    pub const fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// The phase it belongs to.
    #[must_use]
    pub const fn phase(&self) -> &'p Phase {
        self.phase
    }

    /// Which of the phase's gates it is.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Whether somebody may let this criterion pass.
    pub(crate) fn is_waivable(&self, id: &str) -> bool {
        self.criteria()
            .any(|criterion| criterion.id == id && criterion.waivable)
    }

    /// What it asks, in order.
    pub fn criteria(&self) -> impl Iterator<Item = &'p Criterion> + use<'p> {
        let phase = self.phase;
        let entry = matches!(self.side, Side::Entry | Side::Both).then_some(&phase.entry);
        let exit = matches!(self.side, Side::Exit | Side::Both).then_some(&phase.exit);
        entry.into_iter().chain(exit).flatten()
    }
}
