//! From the text of a policy to the policy: every finding, then the trial.

mod check;
mod condition;
mod evidence;
mod order;

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Code, Document, Finding, Findings, digest_of};

use check::read_check;
use order::ancestors;

use crate::checks::Check;
use crate::glob::Glob;
use crate::policy::{Criterion, Keys, Phase, Policy, WaiverRule, Weight};
use crate::trial;
use crate::wire::{
    API_VERSION, CriterionWire, KIND, KeysWire, PhaseWire, PolicyWire, PreviousWire, SeverityWire,
    WaiversWire,
};

/// The most criteria a policy may have in all.
const CRITERIA_MAX: usize = 500;
/// The most phases a policy may have.
const PHASES_MAX: usize = 50;
/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 64;

/// Collects findings on the way through the document.
pub(crate) struct Reader {
    findings: Findings,
    policy_digest: nonevent_document::Digest,
}

impl Reader {
    pub(crate) fn refuse(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let code = Code::new(code);
        self.findings
            .push(Finding::error(code, path, message.into(), help.into()));
    }

    /// A glob, or `None` after a finding.
    pub(crate) fn glob(&mut self, text: &str, path: &str) -> Option<Glob> {
        match Glob::parse(text) {
            Ok(glob) => Some(glob),
            Err(why) => {
                self.refuse(
                    "NE3008",
                    path,
                    format!("`{}` is no glob: {why}", crate::path::visible(text)),
                    "write a path from the project's root, such as `docs/*.md`",
                );
                None
            }
        }
    }

    /// Every glob of a list, or `None` after a finding for each that is none.
    pub(crate) fn globs(&mut self, texts: &[String], path: &str) -> Option<Vec<Glob>> {
        let read: Vec<Option<Glob>> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| self.glob(text, &format!("{path}[{index}]")))
            .collect();
        read.into_iter().collect()
    }

    /// A text that people will read must say something.
    fn text(&mut self, text: &str, path: String) {
        if text.trim().is_empty() {
            self.refuse(
                "NE3007",
                path,
                "the text is empty",
                "say it in a few words: it is shown when the gate is closed",
            );
        }
    }

    fn id(&mut self, id: &str, path: String) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > ID_BYTES_MAX || !id.chars().all(allowed) {
            self.refuse(
                "NE3007",
                path,
                "this is no id",
                format!("use 1 to {ID_BYTES_MAX} of a-z, 0-9 and `-`"),
            );
        }
    }
}

/// The policy that `document` holds.
pub(crate) fn policy(document: &Document) -> Result<Policy, Findings> {
    let wire: PolicyWire = document.decode()?;
    let digest = match digest_of(&document.root().to_json()) {
        Ok(digest) => digest,
        Err(error) => {
            let mut findings = Findings::default();
            findings.push(Finding::error(
                Code::new("NE3001"),
                "",
                format!("the policy has no canonical form: {error}"),
                "write whole numbers within 2^53",
            ));
            return Err(findings);
        }
    };
    let mut reader = Reader {
        findings: Findings::default(),
        policy_digest: digest,
    };
    reader.head(&wire);
    let description = wire.description.clone();
    let name = wire.name.clone();
    let keys = match wire.keys {
        KeysWire::Trusted => Keys::Trusted,
        KeysWire::Demonstration => Keys::Demonstration,
    };
    let waivers = wire.waivers.as_ref().map(|wire| reader.waivers(wire));
    let phases = if reader.findings.has_errors() {
        Vec::new()
    } else {
        reader.phases(wire.phases)
    };
    if reader.findings.has_errors() {
        let findings = reader.findings.into_iter();
        return Err(findings.map(|finding| document.resolve(finding)).collect());
    }
    Ok(Policy {
        name,
        description,
        digest,
        keys,
        waivers,
        phases,
    })
}

impl Reader {
    fn head(&mut self, wire: &PolicyWire) {
        if wire.api_version != API_VERSION {
            self.refuse(
                "NE3001",
                "apiVersion",
                format!("this reads `{API_VERSION}` only"),
                format!("write `apiVersion: {API_VERSION}`"),
            );
        }
        if wire.kind != KIND {
            self.refuse(
                "NE3001",
                "kind",
                format!("this is no {KIND}"),
                format!("write `kind: {KIND}`"),
            );
        }
        self.text(&wire.name, "name".to_owned());
        if wire.phases.is_empty() {
            self.refuse(
                "NE3005",
                "phases",
                "the policy has no phase",
                "add a phase with at least one exit criterion",
            );
        }
        let count = |phase: &PhaseWire| phase.exit.len() + phase.entry.criteria.len();
        let criteria: usize = wire.phases.iter().map(count).sum();
        if wire.phases.len() > PHASES_MAX || criteria > CRITERIA_MAX {
            self.refuse(
                "NE3016",
                "phases",
                format!("the policy has more than {PHASES_MAX} phases or {CRITERIA_MAX} criteria"),
                "split it by project",
            );
        }
    }

    fn waivers(&mut self, wire: &WaiversWire) -> WaiverRule {
        if wire.roles.is_empty() || wire.roles.iter().any(|role| role.trim().is_empty()) {
            self.refuse(
                "NE3017",
                "waivers.roles",
                "nobody is named who may waive",
                "name roles of the trust policy, or leave `waivers` out: then nothing is waived",
            );
        }
        let longest_ms = i64::try_from(wire.longest.0).unwrap_or(i64::MAX);
        if longest_ms == 0 {
            self.refuse(
                "NE3014",
                "waivers.longest",
                "a waiver that lasts no time waives nothing",
                "write how long one may last, such as `14d`",
            );
        }
        WaiverRule {
            roles: wire.roles.clone(),
            longest_ms,
        }
    }

    fn phases(&mut self, wires: Vec<PhaseWire>) -> Vec<Phase> {
        let order = self.order(&wires);
        let ancestors = ancestors(&wires, &order);
        let mut phases: BTreeMap<usize, Phase> = BTreeMap::new();
        for (index, wire) in wires.into_iter().enumerate() {
            let path = format!("phases[{index}]");
            self.id(&wire.id, format!("{path}.id"));
            self.text(&wire.title, format!("{path}.title"));
            if wire.exit.is_empty() {
                self.refuse(
                    "NE3005",
                    format!("{path}.exit"),
                    "the phase asks nothing on its way out",
                    "add a criterion: a gate without one would be open to all",
                );
            }
            let before = ancestors.get(&wire.id).cloned().unwrap_or_default();
            let mut ids = BTreeSet::new();
            let mut entry = self.previous(wire.entry.previous_verdicts, &before, &path);
            ids.extend(entry.iter().map(|criterion| criterion.id.clone()));
            let own = format!("{path}.entry.criteria");
            entry.extend(self.criteria(wire.entry.criteria, &own, &mut ids));
            let exit = self.criteria(wire.exit, &format!("{path}.exit"), &mut ids);
            let phase = Phase {
                id: wire.id,
                title: wire.title,
                after: wire.after,
                entry,
                exit,
            };
            phases.insert(index, phase);
        }
        order
            .into_iter()
            .filter_map(|index| phases.remove(&index))
            .collect()
    }

    fn criteria(
        &mut self,
        wires: Vec<CriterionWire>,
        path: &str,
        ids: &mut BTreeSet<String>,
    ) -> Vec<Criterion> {
        let mut criteria = Vec::new();
        for (index, wire) in wires.into_iter().enumerate() {
            let path = format!("{path}[{index}]");
            if !ids.insert(wire.id.clone()) {
                self.refuse(
                    "NE3006",
                    format!("{path}.id"),
                    "another criterion of the phase has this id",
                    "give each criterion an id of its own; `previous-…` ids belong to the verdicts",
                );
            }
            criteria.extend(self.criterion(wire, &path));
        }
        criteria
    }

    fn criterion(&mut self, wire: CriterionWire, path: &str) -> Option<Criterion> {
        self.id(&wire.id, format!("{path}.id"));
        let texts = [
            (&wire.title, "title"),
            (&wire.why, "why"),
            (&wire.owner, "owner"),
            (&wire.remedy, "remedy"),
        ];
        for (text, field) in texts {
            self.text(text, format!("{path}.{field}"));
        }
        let applies_when = match wire.applies_when {
            None => None,
            Some(applies) => {
                let path = format!("{path}.applies_when.any_file");
                if applies.any_file.is_empty() {
                    self.refuse(
                        "NE3009",
                        path.clone(),
                        "no file is named, so the criterion would never apply",
                        "name the files that make it apply, or leave `applies_when` out",
                    );
                }
                Some(self.globs(&applies.any_file, &path)?)
            }
        };
        let path = format!("{path}.check");
        let findings_before = self.findings.len();
        let check = read_check(self, wire.check, &path)?;
        // A check that is wrong in itself would only be refused twice.
        if self.findings.len() == findings_before {
            self.try_out(&check, &path);
        }
        Some(Criterion {
            id: wire.id,
            title: wire.title,
            why: wire.why,
            weight: match wire.severity {
                SeverityWire::Blocking => Weight::Blocking,
                SeverityWire::Warning => Weight::Warning,
            },
            owner: wire.owner,
            remedy: wire.remedy,
            applies_when,
            waivable: wire.waivable,
            check,
        })
    }

    fn try_out(&mut self, check: &Check, path: &str) {
        if let Some(decoy) = trial::passes_on_a_decoy(check) {
            self.refuse(
                "NE3013",
                path,
                format!("the criterion cannot fail: it passes on {decoy}"),
                "ask for something that only the real thing has: a section with text, a value, \
                 a report in which tests ran, or signed evidence",
            );
        }
    }

    /// One criterion for each phase that comes before, directly or through others.
    fn previous(
        &mut self,
        wire: Option<PreviousWire>,
        before: &[String],
        path: &str,
    ) -> Vec<Criterion> {
        let Some(wire) = wire else {
            return Vec::new();
        };
        let path = format!("{path}.entry.previous_verdicts");
        if before.is_empty() {
            self.refuse(
                "NE3003",
                path,
                "the phase comes after no other, so there is no verdict to ask for",
                "name a phase in `after`, or leave `previous_verdicts` out",
            );
            return Vec::new();
        }
        let Some(template) = evidence::previous(self, wire, &path) else {
            return Vec::new();
        };
        let digest = self.policy_digest;
        let criterion = |phase: &String| Criterion {
            id: format!("previous-{phase}"),
            title: format!("The {phase} gate was passed"),
            why: "A phase begins where the ones before it ended.".to_string(),
            weight: Weight::Blocking,
            owner: "whoever leads the phase before".to_string(),
            remedy: format!("Pass the exit gate of {phase} and sign its verdict."),
            applies_when: None,
            waivable: true,
            check: Check::Evidence(template.for_gate(digest, phase)),
        };
        before.iter().map(criterion).collect()
    }
}
