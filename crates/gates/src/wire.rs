//! `gates.yaml` as it stands on disk, version `nonevent/v1`.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, DurationMs, Percent};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const API_VERSION: &str = "nonevent/v1";
pub(crate) const KIND: &str = "GatePolicy";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyWire {
    #[serde(rename = "apiVersion")]
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) keys: KeysWire,
    /// Without it nothing is waived.
    #[serde(default)]
    pub(crate) waivers: Option<WaiversWire>,
    pub(crate) phases: Vec<PhaseWire>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaiversWire {
    pub(crate) roles: Vec<String>,
    pub(crate) longest: DurationMs,
}

/// Whose signatures count.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeysWire {
    #[default]
    Trusted,
    Demonstration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhaseWire {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    #[serde(default)]
    pub(crate) entry: EntryWire,
    pub(crate) exit: Vec<CriterionWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryWire {
    #[serde(default)]
    pub(crate) previous_verdicts: Option<PreviousWire>,
    #[serde(default)]
    pub(crate) criteria: Vec<CriterionWire>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviousWire {
    pub(crate) subjects: Vec<SubjectWire>,
    #[serde(default)]
    pub(crate) trusted: Option<Vec<Digest>>,
    pub(crate) max_age: DurationMs,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CriterionWire {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) why: String,
    pub(crate) severity: SeverityWire,
    pub(crate) owner: String,
    pub(crate) remedy: String,
    #[serde(default)]
    pub(crate) applies_when: Option<AppliesWire>,
    #[serde(default = "yes")]
    pub(crate) waivable: bool,
    pub(crate) check: CheckWire,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeverityWire {
    Blocking,
    Warning,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppliesWire {
    pub(crate) any_file: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckWire {
    All(Vec<CheckWire>),
    Any(Vec<CheckWire>),
    AtLeast(AtLeastWire),
    Files(FilesWire),
    Markdown(MarkdownWire),
    Json(StructuredWire),
    Yaml(StructuredWire),
    Schema(SchemaWire),
    Junit(JunitWire),
    Lcov(CoverageWire),
    Cobertura(CoverageWire),
    Sarif(SarifWire),
    Git(GitWire),
    Version(VersionWire),
    Evidence(EvidenceWire),
    SignOff(SignOffWire),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtLeastWire {
    pub(crate) n: u32,
    pub(crate) of: Vec<CheckWire>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesWire {
    pub(crate) include: Vec<String>,
    #[serde(default)]
    pub(crate) ignored: bool,
    #[serde(default = "one")]
    pub(crate) min_count: u32,
    #[serde(default = "one_byte")]
    pub(crate) min_bytes: u64,
    #[serde(default, rename = "type")]
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) max_age: Option<DurationMs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkdownWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    #[serde(default)]
    pub(crate) heading: Option<String>,
    #[serde(default)]
    pub(crate) words_min: Option<u32>,
    #[serde(default)]
    pub(crate) checklist_complete: bool,
    #[serde(default)]
    pub(crate) table_rows_min: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StructuredWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) equals: Option<Value>,
    #[serde(default)]
    pub(crate) at_least: Option<serde_json::Number>,
    #[serde(default)]
    pub(crate) at_most: Option<serde_json::Number>,
    #[serde(default)]
    pub(crate) exists: Option<bool>,
    #[serde(default)]
    pub(crate) items_at_least: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemaWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    /// The schema itself.
    #[serde(default)]
    pub(crate) schema: Option<Value>,
    /// Or the file that holds it.
    #[serde(default)]
    pub(crate) schema_file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JunitWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    pub(crate) min_tests: u32,
    #[serde(default)]
    pub(crate) max_failures: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoverageWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    #[serde(default)]
    pub(crate) of: Option<String>,
    pub(crate) lines_min: Percent,
    pub(crate) measured_min: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SarifWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    pub(crate) tool: String,
    pub(crate) level: LevelWire,
    #[serde(default)]
    pub(crate) max: u32,
    #[serde(default = "one")]
    pub(crate) rules_min: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LevelWire {
    Error,
    Warning,
    Note,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GitWire {
    #[serde(default)]
    pub(crate) clean: bool,
    #[serde(default)]
    pub(crate) branch: Vec<String>,
    #[serde(default)]
    pub(crate) tag: Option<String>,
    #[serde(default)]
    pub(crate) descends_from: Vec<String>,
    #[serde(default)]
    pub(crate) merged_into: Vec<String>,
    #[serde(default)]
    pub(crate) max_age: Option<DurationMs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionWire {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) ignored: bool,
    pub(crate) path: String,
    pub(crate) later_than_tags: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceWire {
    pub(crate) predicate: String,
    pub(crate) subjects: Vec<SubjectWire>,
    #[serde(default)]
    pub(crate) trusted: Option<Vec<Digest>>,
    /// How many people or keys must have signed the statement.
    #[serde(default = "one")]
    pub(crate) signers: u32,
    pub(crate) max_age: DurationMs,
    /// Which statements are meant, by their fields.
    #[serde(default)]
    pub(crate) which: Vec<ConditionWire>,
    /// What the newest of them must say.
    #[serde(default)]
    pub(crate) require: Vec<ConditionWire>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignOffWire {
    pub(crate) role: String,
    #[serde(default = "one")]
    pub(crate) count: u32,
    pub(crate) subjects: Vec<SubjectWire>,
    #[serde(default)]
    pub(crate) trusted: Option<Vec<Digest>>,
    pub(crate) max_age: DurationMs,
    /// Whether the commit's own author counts.
    #[serde(default)]
    pub(crate) by_author: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubjectWire {
    Plan,
    Shape,
    Runbook,
    Artifact,
    Commit,
    File(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionWire {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) equals: Option<Value>,
    #[serde(default)]
    pub(crate) at_least: Option<serde_json::Number>,
    #[serde(default)]
    pub(crate) at_most: Option<serde_json::Number>,
    #[serde(default)]
    pub(crate) exists: Option<bool>,
    #[serde(default)]
    pub(crate) items_at_least: Option<u32>,
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

const fn one_byte() -> u64 {
    1
}
