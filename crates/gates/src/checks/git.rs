//! What the repository must say of the project.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use semver::Version;
use serde_json::Value;

use crate::checks::structured::Syntax;
use crate::checks::{Source, StructuredCheck};
use crate::git::{GitChanges, GitFacts, Related};
use crate::outcome::{Input, Unmet};
use crate::path::visible;
use crate::tree::Tree;

/// Asks about the commit that is checked out. All that is asked must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GitCheck {
    /// Nothing differs from the commit.
    pub(crate) clean: bool,
    /// One of these branches is checked out.
    pub(crate) branches: Vec<String>,
    /// A tag at the commit fits.
    pub(crate) tag: Option<TagPattern>,
    /// The commit is one of these, or comes after it.
    pub(crate) descends_from: Vec<String>,
    /// The commit is a part of these.
    pub(crate) merged_into: Vec<String>,
    pub(crate) max_age_ms: Option<i64>,
}

/// A text with at most one `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagPattern(String);

impl TagPattern {
    pub(crate) fn parse(text: &str) -> Option<TagPattern> {
        let sound = !text.is_empty() && text.matches('*').count() <= 1 && text != "*";
        sound.then(|| TagPattern(text.to_owned()))
    }

    fn fits(&self, tag: &str) -> bool {
        match self.0.split_once('*') {
            None => self.0 == tag,
            Some((start, end)) => {
                tag.len() > start.len() + end.len() && tag.starts_with(start) && tag.ends_with(end)
            }
        }
    }

    /// What stands for the `*`; all of the tag without one.
    fn rest<'t>(&self, tag: &'t str) -> Option<&'t str> {
        let (start, end) = self.0.split_once('*').unwrap_or(("", ""));
        tag.strip_prefix(start)?.strip_suffix(end)
    }
}

impl GitCheck {
    pub(crate) fn asked(&self) -> String {
        let mut asked = Vec::new();
        if self.clean {
            asked.push("nothing that differs from the commit".to_string());
        }
        if !self.branches.is_empty() {
            asked.push(format!("branch {}", self.branches.join(" or ")));
        }
        if let Some(tag) = &self.tag {
            asked.push(format!("a tag {}", tag.0));
        }
        for name in &self.descends_from {
            asked.push(format!("a commit at or after {name}"));
        }
        for name in &self.merged_into {
            asked.push(format!("a commit that is in {name}"));
        }
        if let Some(age) = self.max_age_ms {
            asked.push(format!("a commit no older than {}h", age / 3_600_000));
        }
        format!("in the repository, {}", visible(&asked.join(", ")))
    }

    pub(crate) fn evaluate(
        &self,
        tree: &Tree,
        now: Timestamp,
    ) -> Result<(String, Vec<Input>), Unmet> {
        let facts = facts(tree)?;
        let mut found = vec![format!(
            "commit {}",
            facts.commit.get(..12).unwrap_or(&facts.commit)
        )];
        if self.clean {
            found.push(clean(&facts.changes)?);
        }
        if !self.branches.is_empty() {
            let branch = facts.branch.as_deref();
            let shown = branch.map_or_else(
                || "no branch".to_string(),
                |it| format!("branch {}", visible(it)),
            );
            if !branch.is_some_and(|branch| self.branches.iter().any(|it| it == branch)) {
                return Err(Unmet::fail(shown));
            }
            found.push(shown);
        }
        if let Some(pattern) = &self.tag {
            let tag = facts.tags.iter().find(|tag| pattern.fits(tag));
            let tag = tag.ok_or_else(|| match facts.tags.len() {
                0 => Unmet::fail("the commit has no tag"),
                _ => Unmet::fail(format!(
                    "the commit has {}",
                    visible(&facts.tags.join(", "))
                )),
            })?;
            found.push(format!("tag {}", visible(tag)));
        }
        for name in &self.descends_from {
            found.push(related(facts, name, &[Related::Same, Related::Descendant])?);
        }
        for name in &self.merged_into {
            found.push(related(facts, name, &[Related::Same, Related::Ancestor])?);
        }
        if let Some(max) = self.max_age_ms {
            found.push(age(facts, max, now)?);
        }
        Ok((found.join(", "), vec![input(facts)]))
    }

    /// The branches and tags whose relation to the commit is asked for.
    #[cfg(all(feature = "git", unix))]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.descends_from.iter().chain(&self.merged_into);
        names.map(String::as_str)
    }
}

pub(super) fn facts(tree: &Tree) -> Result<&GitFacts, Unmet> {
    match tree.git() {
        Some(Ok(facts)) => Ok(facts),
        Some(Err(why)) => Err(Unmet::error(format!(
            "the repository could not be read: {}",
            visible(why)
        ))),
        None => Err(Unmet::unknown("no repository was looked at")),
    }
}

fn input(facts: &GitFacts) -> Input {
    Input {
        name: "the repository".to_string(),
        digest: nonevent_document::digest_of(facts).unwrap_or_else(|_| Digest::of(b"")),
    }
}

fn clean(changes: &GitChanges) -> Result<String, Unmet> {
    match changes {
        GitChanges::None => Ok("nothing differs from it".to_string()),
        GitChanges::Some { count, first } => {
            let shown = first.join(", ");
            let more = count.saturating_sub(first.len() as u64);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            Err(Unmet::fail(format!(
                "{count} differ from the commit: {shown}{more}"
            )))
        }
        GitChanges::NotAsked => Err(Unmet::unknown("what differs was not looked for")),
        GitChanges::Unknown(why) => Err(Unmet::unknown(visible(why))),
    }
}

fn related(facts: &GitFacts, name: &str, wanted: &[Related]) -> Result<String, Unmet> {
    let name_shown = visible(name);
    let word = match facts.related.get(name) {
        None | Some(Related::Unknown) => {
            let why = format!("how the commit stands to {name_shown} was not found out");
            return Err(Unmet::unknown(why));
        }
        Some(Related::Missing) => return Err(Unmet::fail(format!("there is no {name_shown}"))),
        Some(found) if wanted.contains(found) => found,
        Some(found) => {
            return Err(Unmet::fail(format!(
                "the commit {} {name_shown}",
                word(*found)
            )));
        }
    };
    Ok(format!("which {} {name_shown}", self::word(*word)))
}

const fn word(related: Related) -> &'static str {
    match related {
        Related::Same => "is",
        Related::Descendant => "comes after",
        Related::Ancestor => "is before",
        Related::Apart => "stands apart from",
        Related::Missing | Related::Unknown => "is not known to be in",
    }
}

fn age(facts: &GitFacts, max_ms: i64, now: Timestamp) -> Result<String, Unmet> {
    let age = now.unix_ms().saturating_sub(facts.committed_at.unix_ms());
    let shown = format!("committed at {}", facts.committed_at);
    if age < 0 {
        return Err(Unmet::fail(format!("{shown}, which is yet to come")));
    }
    if age > max_ms {
        Err(Unmet::fail(shown))
    } else {
        Ok(shown)
    }
}

/// Asks that the version in a document is later than all that were released.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VersionCheck {
    pub(crate) document: StructuredCheck,
    /// Which tags are of releases; what stands for its `*` is the version.
    pub(crate) released: TagPattern,
}

impl VersionCheck {
    pub(crate) fn new(
        source: Source,
        syntax: Syntax,
        pointer: String,
        released: TagPattern,
    ) -> Self {
        let condition = crate::checks::Condition {
            pointer,
            test: crate::checks::Test::Exists,
        };
        VersionCheck {
            document: StructuredCheck {
                source,
                syntax,
                condition,
            },
            released,
        }
    }

    pub(crate) fn asked(&self) -> String {
        let (source, pointer) = (&self.document.source.glob, &self.document.condition.pointer);
        let released = visible(&self.released.0);
        format!("in {source}, at {pointer}, a version later than every tag {released}")
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let facts = facts(tree)?;
        let (values, mut inputs) = self.document.values(tree)?;
        let before = facts.other_tags.iter();
        let before = before.filter(|tag| self.released.fits(tag));
        let versions = before.filter_map(|tag| Version::parse(self.released.rest(tag)?).ok());
        let newest = versions.max_by(Version::cmp_precedence);
        let Some(newest) = newest else {
            let why = format!(
                "there is no tag {} with a version",
                visible(&self.released.0)
            );
            return Err(Unmet::fail(why));
        };
        let mut found = Vec::new();
        for (path, value) in values {
            let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            let version = Version::parse(text).map_err(|error| {
                Unmet::fail(format!("{path}: {} is no version: {error}", visible(text)))
            })?;
            let figure = format!("{path}: {version}, released last {newest}");
            if version.cmp_precedence(&newest).is_le() {
                return Err(Unmet::fail(figure));
            }
            found.push(figure);
        }
        inputs.push(input(facts));
        Ok((found.join("; "), inputs))
    }
}
