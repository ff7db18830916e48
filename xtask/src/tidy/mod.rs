//! The repository's rules: what the design says about the tree, held by a check.
//!
//! [`law`] holds the tables, [`repo`] the tree as a value, and each file below `rules` one rule.

mod generated;
mod law;
mod package;
mod repo;
mod rules;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use generated::bless;
pub(crate) use repo::Repo;

/// One thing that the tree must be true to.
pub(crate) struct Rule {
    /// A word to call it by.
    pub(crate) name: &'static str,
    /// What is true while the rule holds, for the architecture page.
    pub(crate) holds: &'static str,
    /// All places where it does not hold.
    pub(crate) check: fn(&Repo) -> Vec<Violation>,
}

/// A place where a rule does not hold.
#[derive(Debug)]
pub(crate) struct Violation {
    rule: &'static str,
    path: String,
    line: Option<usize>,
    what: String,
    todo: String,
}

impl Violation {
    pub(crate) fn new(
        path: &str,
        line: Option<usize>,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Violation {
        Violation {
            rule: "",
            path: path.to_owned(),
            line,
            what: what.into(),
            todo: todo.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tidy[{}] {}", self.rule, self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\n    {}", self.what, self.todo)
    }
}

/// Every violation of every rule, in the order of rules, then of files.
pub(crate) fn check(repo: &Repo) -> Vec<Violation> {
    let mut all = Vec::new();
    for rule in rules::RULES {
        let mut found = (rule.check)(repo);
        found.sort_by(|a, b| (&a.path, a.line, &a.what).cmp(&(&b.path, b.line, &b.what)));
        for violation in &mut found {
            violation.rule = rule.name;
        }
        all.append(&mut found);
    }
    all
}

/// How many rules there are.
pub(crate) const fn rule_count() -> usize {
    rules::RULES.len()
}
