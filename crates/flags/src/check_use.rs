//! Flags and the code that asks for them.

use crate::check::warn;
use crate::codes;
use crate::set::FlagSet;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use nonevent_document::{Finding, Findings};

impl FlagSet {
    /// Holds the set against the keys that a source tree asks for: a key that is not defined is an
    /// error (the code gets its own default for ever), a flag that nobody asks for is dead.
    ///
    /// ```
    /// use nonevent_flags::{FlagSet, LoadOptions};
    ///
    /// let text = br#"{"flags": {"basket": true, "old": false}}"#;
    /// let flags = FlagSet::load("flags.json", text, LoadOptions::default())?.set;
    /// let said: Vec<String> = flags
    ///     .check_keys(["basket", "bascet"])
    ///     .iter()
    ///     .map(|finding| finding.message.to_string())
    ///     .collect();
    /// assert!(said[0].contains("\"bascet\"") && said[1].contains("\"old\""), "{said:?}");
    /// # Ok::<(), nonevent_document::Findings>(())
    /// ```
    #[must_use]
    pub fn check_keys<'k>(&self, asked: impl IntoIterator<Item = &'k str>) -> Findings {
        let asked: BTreeSet<&str> = asked.into_iter().collect();
        let unknown = asked.iter().filter(|key| self.get(key).is_none());
        let unknown = unknown.map(|key| {
            let message = format!("the code asks for {key:?}, which is not defined");
            let help = "define it, or take it out of the code: it always gives the code's default";
            Finding::error(codes::UNKNOWN_KEY, "", message, help)
        });
        let dead = self.flags.iter().filter(|flag| !asked.contains(&*flag.key));
        let dead = dead.map(|flag| {
            let message = format!("no code asks for {:?}", flag.key);
            warn(flag, codes::DEAD, message, "remove it")
        });
        unknown
            .chain(dead)
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    }

    /// Holds the set against how often each flag was evaluated in the last `days`: one that was not,
    /// or is not counted, is dead.
    #[must_use]
    pub fn check_usage<'k>(
        &self,
        counts: impl IntoIterator<Item = (&'k str, u64)>,
        days: u32,
    ) -> Findings {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let used: BTreeSet<&str> = counts.map(|(key, _)| key).collect();
        let dead = self.flags.iter().filter(|flag| !used.contains(&*flag.key));
        let dead = dead.map(|flag| {
            let message = format!("nobody evaluated {:?} in the last {days} days", flag.key);
            let help = "remove it with the code that would ask for it";
            warn(flag, codes::DEAD, message, help)
        });
        dead.collect()
    }
}
