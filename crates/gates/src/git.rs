//! What a repository says of the project, as plain data.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// The state of a git repository, as far as a policy asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitFacts {
    /// The id of the commit that is checked out, in hexadecimal.
    pub commit: String,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// The branch that is checked out; none if the head is detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Tags at the commit, in order of their names.
    pub tags: Vec<String>,
    /// Tags elsewhere, in order of their names.
    pub other_tags: Vec<String>,
    /// What differs from the commit, in the index and in tracked files.
    pub changes: GitChanges,
    /// How the commit stands to the branches and tags that the policy names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub related: BTreeMap<String, Related>,
    /// When a commit last changed each file whose age the policy asks for, by the path as it is
    /// shown. Left out: files that are not as they were committed, and those whose last change lies
    /// beyond what there is of the history.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_changes: BTreeMap<String, Timestamp>,
}

/// A name and an address, as a commit gives them: nobody has checked them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// What differs from the commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum GitChanges {
    /// No criterion asks for it, so it was not looked for.
    NotAsked,
    /// Nothing.
    None,
    /// These paths, the first few of so many.
    Some {
        /// How many.
        count: u64,
        /// The first of them, as they are shown to people.
        first: Vec<String>,
    },
    /// It could not be told, for this reason.
    Unknown(String),
}

/// How a commit stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Related {
    /// There is no branch or tag of this name.
    Missing,
    /// The very same.
    Same,
    /// It comes after the other one.
    Descendant,
    /// The other one comes after it.
    Ancestor,
    /// Neither.
    Apart,
    /// It was not found out within the limits.
    Unknown,
}

impl GitFacts {
    /// The commit as the subject of evidence: the SHA-256 of its id in hexadecimal.
    #[must_use]
    pub fn commit_digest(&self) -> Digest {
        Digest::of(self.commit.as_bytes())
    }
}
