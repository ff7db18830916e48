//! All that a verdict rests on in one file, so that another machine can come to the same bytes.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nonevent_document::{Code, Digest, Document, Finding, Findings, Limits, Timestamp};
use nonevent_evidence::TrustPolicy;
use serde::{Deserialize, Serialize};

use crate::evaluate::{Context, evaluate};
use crate::git::GitFacts;
use crate::path::TreePath;
use crate::policy::{Policy, Side};
use crate::tree::{Content, Entry, EntryKind, Tree};
use crate::verdict::Verdict;
use crate::witness::EvidenceSet;

const API_VERSION: &str = "nonevent/v1";
const KIND: &str = "GateBundle";
/// Another version or kind.
const VERSION: Code = Code::new("NE3020");
/// A part that is not what it says it is.
const PART: Code = Code::new("NE3021");

const LIMITS: Limits = Limits {
    bytes_max: 256 << 20,
    depth_max: 32,
    nodes_max: 4_000_000,
};

/// What verdicts were evaluated from, and which they were.
///
/// The same policy, tree, evidence and subjects give the same bundle, byte for byte. It holds the
/// contents of the files that the policy looks into: treat it as you treat those.
#[derive(Clone, Debug)]
pub struct Bundle {
    policy: Policy,
    tree: Tree,
    evidence: EvidenceSet,
    context: Context,
    wire: Wire,
}

/// A verdict come to again, and the digest that the bundle says it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The verdict as it comes out now.
    pub verdict: Verdict,
    /// The digest of the verdict when the bundle was made.
    pub recorded: Digest,
}

impl Replayed {
    /// Whether it came out as it did.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.verdict.digest() == self.recorded
    }
}

impl Bundle {
    /// Puts together what `verdicts` were evaluated from. `policy` is the policy's own text under its
    /// file's name.
    ///
    /// # Errors
    ///
    /// If the text is not that of the policy that the verdicts are by, or the trust policy cannot be
    /// written.
    pub fn of(
        verdicts: &[Verdict],
        policy: (&str, &[u8]),
        tree: &Tree,
        evidence: &EvidenceSet,
        context: &Context,
    ) -> Result<Bundle, Findings> {
        let (name, bytes) = policy;
        let policy = Policy::parse(name, bytes)?;
        if verdicts
            .iter()
            .any(|verdict| verdict.policy_digest() != policy.digest())
        {
            return Err(wrong(PART, "policy", "the verdicts are by another policy"));
        }
        let trust = evidence.trust().to_yaml();
        let trust = trust.map_err(|error| wrong(PART, "trust", error.to_string()))?;
        let gate = |verdict: &Verdict| GateWire {
            phase: verdict.phase().to_owned(),
            side: verdict.side(),
            verdict: verdict.digest(),
        };
        let wire = Wire {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            gates: verdicts.iter().map(gate).collect(),
            asked_at: context.now,
            subjects: *context,
            policy: PolicyWire {
                name: name.to_owned(),
                text: String::from_utf8_lossy(bytes).into_owned(),
            },
            trust,
            evidence: evidence.pieces().map(|(_, piece)| piece).collect(),
            tree: TreeWire::of(tree),
        };
        Ok(Bundle {
            policy,
            tree: tree.clone(),
            evidence: evidence.clone(),
            context: *context,
            wire,
        })
    }

    /// The name of the policy's file.
    #[must_use]
    pub fn policy_name(&self) -> &str {
        &self.wire.policy.name
    }

    /// The bundle as JSON (`kind: GateBundle`).
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(&self.wire)
            .expect("a bundle holds texts, numbers and lists only");
        json.push('\n');
        json
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// If it is none, or a part of it is not what it says it is: a file whose bytes do not have the
    /// digest that is written with them, a policy or trust policy that cannot be read (`NE3020`,
    /// `NE3021`, or those of the part).
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Bundle, Findings> {
        let document = Document::parse(name, bytes, &LIMITS)?;
        let wire: Wire = document.decode()?;
        if wire.api_version != API_VERSION || wire.kind != KIND {
            let what = format!("{} {}", wire.api_version, wire.kind);
            let message = format!("this is {what}, not {API_VERSION} {KIND}");
            return Err(wrong(VERSION, "kind", message));
        }
        let policy = Policy::parse(&wire.policy.name, wire.policy.text.as_bytes())?;
        let trust = TrustPolicy::parse("trust", wire.trust.as_bytes())?;
        let mut evidence = EvidenceSet::new(trust);
        for piece in &wire.evidence {
            piece.add_to(&mut evidence);
        }
        let tree = wire.tree.read()?;
        let mut context = wire.subjects;
        context.now = wire.asked_at;
        Ok(Bundle {
            policy,
            tree,
            evidence,
            context,
            wire,
        })
    }

    /// Evaluates every gate of the bundle again.
    ///
    /// # Errors
    ///
    /// If the policy has no phase of the name that a gate has (`NE3021`).
    pub fn replay(&self) -> Result<Vec<Replayed>, Findings> {
        let replay = |gate: &GateWire| {
            let asked = self.policy.gate(&gate.phase, gate.side).ok_or_else(|| {
                let message = format!("the policy has no phase {:?}", gate.phase);
                wrong(PART, "gates", message)
            })?;
            Ok(Replayed {
                verdict: evaluate(&asked, &self.tree, &self.evidence, &self.context),
                recorded: gate.verdict,
            })
        };
        self.wire.gates.iter().map(replay).collect()
    }
}

fn wrong(code: Code, path: &str, message: impl Into<String>) -> Findings {
    let help = "make the bundle again with `gate --bundle`; nothing in it may be changed by hand";
    Findings::from(Finding::error(code, path, message.into(), help))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    api_version: String,
    kind: String,
    gates: Vec<GateWire>,
    asked_at: Timestamp,
    subjects: Context,
    policy: PolicyWire,
    trust: String,
    evidence: Vec<PieceWire>,
    tree: TreeWire,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateWire {
    phase: String,
    side: Side,
    verdict: Digest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWire {
    name: String,
    text: String,
}

/// A piece of evidence: the JSON of an envelope, or why it is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum PieceWire {
    /// As text, so that it stays what it is to the byte.
    Envelope(String),
    Unreadable {
        digest: Digest,
        why: String,
    },
}

impl PieceWire {
    fn add_to(&self, evidence: &mut EvidenceSet) {
        match self {
            PieceWire::Envelope(text) => evidence.read("bundle", text.as_bytes()),
            PieceWire::Unreadable { digest, why } => evidence.add_unreadable(*digest, why.clone()),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeWire {
    entries: Vec<EntryWire>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<GapWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git: Option<GitWire>,
}

/// What the repository says, or why it could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum GitWire {
    Read(Box<GitFacts>),
    Unread(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntryWire {
    path: PathWire,
    kind: EntryKind,
    tracked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<ReadWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReadWire {
    digest: Digest,
    solid_bytes: u64,
    /// Text as it is; other bytes in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GapWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathWire>,
    why: String,
}

/// A path: as text, or its bytes in base64 where they are none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum PathWire {
    Text(String),
    Bytes { base64: String },
}

impl PathWire {
    fn of(path: &TreePath) -> PathWire {
        match core::str::from_utf8(path.as_bytes()) {
            Ok(text) => PathWire::Text(text.to_owned()),
            Err(_) => PathWire::Bytes {
                base64: STANDARD.encode(path.as_bytes()),
            },
        }
    }

    fn read(&self) -> Result<TreePath, Findings> {
        let bytes = match self {
            PathWire::Text(text) => Some(text.as_bytes().to_vec()),
            PathWire::Bytes { base64 } => STANDARD.decode(base64).ok(),
        };
        let path = bytes.and_then(TreePath::new);
        path.ok_or_else(|| wrong(PART, "tree.entries", "a path is none below the project"))
    }
}

impl TreeWire {
    fn of(tree: &Tree) -> TreeWire {
        let entry = |(path, entry): (&TreePath, &Entry)| {
            let (read, unread) = match &entry.content {
                Content::NotRead => (None, None),
                Content::Unread(why) => (None, Some(why.clone())),
                Content::Read {
                    digest,
                    solid_bytes,
                    bytes,
                } => (
                    Some(ReadWire::of(*digest, *solid_bytes, bytes.as_deref())),
                    None,
                ),
            };
            EntryWire {
                path: PathWire::of(path),
                kind: entry.kind,
                tracked: entry.tracked,
                read,
                unread,
            }
        };
        let gap = |gap: &crate::tree::Gap| GapWire {
            path: gap.path.as_ref().map(PathWire::of),
            why: gap.why.clone(),
        };
        TreeWire {
            entries: tree.iter().map(entry).collect(),
            gaps: tree.gaps().iter().map(gap).collect(),
            git: tree.git().map(|git| match git {
                Ok(facts) => GitWire::Read(Box::new(facts.clone())),
                Err(why) => GitWire::Unread(why.clone()),
            }),
        }
    }

    fn read(&self) -> Result<Tree, Findings> {
        let mut tree = Tree::new();
        for wire in &self.entries {
            let path = wire.path.read()?;
            let content = match (&wire.read, &wire.unread) {
                (Some(read), _) => read.content(&path)?,
                (None, Some(why)) => Content::Unread(why.clone()),
                (None, None) => Content::NotRead,
            };
            let entry = Entry {
                kind: wire.kind,
                tracked: wire.tracked,
                content,
            };
            tree.insert(path, entry);
        }
        for gap in &self.gaps {
            let path = gap.path.as_ref().map(PathWire::read).transpose()?;
            tree.add_gap(path, gap.why.clone());
        }
        match &self.git {
            Some(GitWire::Read(facts)) => tree.set_git(Ok(GitFacts::clone(facts))),
            Some(GitWire::Unread(why)) => tree.set_git(Err(why.clone())),
            None => {}
        }
        Ok(tree)
    }
}

impl ReadWire {
    fn of(digest: Digest, solid_bytes: u64, bytes: Option<&[u8]>) -> ReadWire {
        let (text, base64) = match bytes.map(|bytes| (core::str::from_utf8(bytes), bytes)) {
            None => (None, None),
            Some((Ok(text), _)) => (Some(text.to_owned()), None),
            Some((Err(_), bytes)) => (None, Some(STANDARD.encode(bytes))),
        };
        ReadWire {
            digest,
            solid_bytes,
            text,
            base64,
        }
    }

    fn content(&self, path: &TreePath) -> Result<Content, Findings> {
        let decoded = |text: &String| {
            STANDARD
                .decode(text)
                .map_err(|_| wrong(PART, "tree.entries", format!("{path}: no base64")))
        };
        let bytes = match (&self.text, &self.base64) {
            (Some(text), _) => Some(text.as_bytes().to_vec()),
            (None, Some(base64)) => Some(decoded(base64)?),
            (None, None) => None,
        };
        let Some(bytes) = bytes else {
            return Ok(Content::Read {
                digest: self.digest,
                solid_bytes: self.solid_bytes,
                bytes: None,
            });
        };
        let content = Content::read(&bytes, true);
        let said = Content::Read {
            digest: self.digest,
            solid_bytes: self.solid_bytes,
            bytes: Some(bytes),
        };
        if content != said {
            let message =
                format!("{path}: its bytes are not those of the digest written with them");
            return Err(wrong(PART, "tree.entries", message));
        }
        Ok(content)
    }
}
