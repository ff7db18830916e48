//! Regular expressions, compiled at load, searched in time linear in the text.
//!
//! A pattern becomes a table (a dense automaton) where that stays small: searching it takes no
//! memory and no lock. Where it does not (many Unicode classes, repetitions in the hundreds), or
//! where the text has letters outside ASCII next to a word boundary, the pattern's states are
//! followed one by one, still in linear time, but with working memory.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures, pikevm::PikeVM};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

/// The states of one pattern, in bytes.
const STATES_BYTES_MAX: usize = 4 << 20;
/// The table of one pattern, in bytes.
const TABLE_BYTES_MAX: usize = 1 << 18;
/// What building one table may need, in bytes.
const BUILD_BYTES_MAX: usize = 1 << 19;
/// The states of a pattern that is tried to be made a table, in bytes.
const TABLED_STATES_BYTES_MAX: usize = 1 << 17;
/// All states of a file's patterns, in bytes. Patterns beyond it are refused.
const FILE_STATES_BYTES_MAX: usize = 64 << 20;
/// All tables of a file's patterns, in bytes. Patterns beyond it go without.
const FILE_TABLES_BYTES_MAX: usize = 32 << 20;

const FILE_TOO_LARGE: &str = "the patterns of this file are too large together";

/// A compiled pattern. Equal if it was written the same.
#[derive(Clone)]
pub(crate) struct Pattern(Arc<Program>);

struct Program {
    text: Arc<str>,
    ignore_case: bool,
    table: Option<dense::DFA<alloc::vec::Vec<u32>>>,
    states: PikeVM,
}

impl Pattern {
    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether upper and lower case are the same.
    pub(crate) fn ignores_case(&self) -> bool {
        self.0.ignore_case
    }

    /// Whether it occurs in `text`. `spend` is asked first whether there is room for so many
    /// steps: one for 16 bytes in a table, one for 16 states at a byte without.
    pub(crate) fn occurs_in<E>(
        &self,
        text: &str,
        mut spend: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<bool, E> {
        let input = Input::new(text).earliest(true);
        if let Some(table) = &self.0.table {
            spend(text.len() / 16)?;
            if let Ok(found) = table.try_search_fwd(&input) {
                return Ok(found.is_some());
            }
        }
        let states = self.0.states.get_nfa().states().len();
        spend((text.len() + 1).saturating_mul(states) / 16)?;
        let mut cache = self.0.states.create_cache();
        Ok(self.0.states.is_match(&mut cache, input))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.as_str(), self.ignores_case()) == (other.as_str(), other.ignores_case())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())?;
        f.write_str(if self.ignores_case() { "i" } else { "" })
    }
}

/// Compiles the patterns of one file. The same pattern is compiled once.
pub(crate) struct Patterns {
    known: BTreeMap<(Arc<str>, bool), Result<Pattern, Arc<str>>>,
    states_bytes_left: usize,
    tables_bytes_left: usize,
}

impl Default for Patterns {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            states_bytes_left: FILE_STATES_BYTES_MAX,
            tables_bytes_left: FILE_TABLES_BYTES_MAX,
        }
    }
}

impl Patterns {
    /// The pattern `text` means; why not, if it means none.
    pub(crate) fn compile(&mut self, text: &str, ignore_case: bool) -> Result<Pattern, Arc<str>> {
        let key = (Arc::from(text), ignore_case);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let compiled = self
            .build(Arc::clone(&key.0), ignore_case)
            .map_err(|why| Arc::from(why.trim_end()));
        self.known.insert(key, compiled.clone());
        compiled
    }

    fn build(&mut self, text: Arc<str>, ignore_case: bool) -> Result<Pattern, String> {
        let config = thompson::Config::new()
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(STATES_BYTES_MAX));
        if self.states_bytes_left == 0 {
            return Err(FILE_TOO_LARGE.into());
        }
        let syntax = syntax::Config::new().case_insensitive(ignore_case);
        let parsed = syntax::parse_with(&text, &syntax).map_err(|why| last_line(&why))?;
        let nfa = NFA::compiler().configure(config).build_from_hir(&parsed);
        // An attempt that failed took as long as the largest, so it counts as one.
        let bytes = nfa.as_ref().map_or(STATES_BYTES_MAX, NFA::memory_usage);
        let left = self.states_bytes_left.checked_sub(bytes);
        self.states_bytes_left = left.unwrap_or(0);
        let nfa = nfa.map_err(|why| last_line(&why))?;
        left.ok_or(FILE_TOO_LARGE)?;
        let table = self.table(&nfa);
        let states = PikeVM::new_from_nfa(nfa).map_err(|why| last_line(&why))?;
        Ok(Pattern(Arc::new(Program {
            text,
            ignore_case,
            table,
            states,
        })))
    }

    fn table(&mut self, nfa: &NFA) -> Option<dense::DFA<alloc::vec::Vec<u32>>> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .dfa_size_limit(Some(TABLE_BYTES_MAX.min(self.tables_bytes_left)))
            .determinize_size_limit(Some(BUILD_BYTES_MAX));
        if self.tables_bytes_left == 0 || nfa.memory_usage() > TABLED_STATES_BYTES_MAX {
            return None;
        }
        let table = dense::Builder::new()
            .configure(config)
            .build_from_nfa(nfa)
            .ok();
        // An attempt that failed took as long as the largest table, so it counts as one.
        let bytes = table
            .as_ref()
            .map_or(TABLE_BYTES_MAX, dense::DFA::memory_usage);
        self.tables_bytes_left = self.tables_bytes_left.saturating_sub(bytes);
        table
    }
}

/// The last line is the message without the drawing above it.
fn last_line(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or_default()
        .trim_start_matches("error: ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Patterns};
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::convert::Infallible;
    use proptest::prelude::*;

    fn pattern(text: &str, ignore_case: bool) -> Pattern {
        Patterns::default()
            .compile(text, ignore_case)
            .expect("compiles")
    }

    fn occurs(pattern: &Pattern, text: &str) -> bool {
        pattern
            .occurs_in(text, |_| Ok::<(), Infallible>(()))
            .expect("nothing stops it")
    }

    #[test]
    fn patterns_are_looked_for_anywhere() {
        for (text, inside, expected) in [
            ("shop", "my shop", true),
            ("^shop", "my shop", false),
            (r"^[a-z]+\d{2}$", "abc42", true),
            (r"^[[:alpha:]]+$", "abc1", false),
            ("(?i)SHOP", "my shop", true),
            ("", "", true),
            (r"\bün\b", "ein ün da", true),
            (r"\bün\b", "einün da", false),
            (r"\w{60}", "short", false),
        ] {
            assert_eq!(occurs(&pattern(text, false), inside), expected, "{text}");
        }
        assert!(occurs(&pattern("shop", true), "SHOP"));
        assert!(!occurs(&pattern("shop", false), "SHOP"));
    }

    #[test]
    fn small_patterns_have_a_table_and_large_ones_do_without() {
        assert!(pattern(r"^[^@]+@shop\.example$", false).0.table.is_some());
        let large = pattern(r"(\w{30}){4}", false);
        assert!(large.0.table.is_none());
        assert!(occurs(&large, &"a".repeat(200)));
    }

    #[test]
    fn what_is_no_pattern_or_too_large_is_refused_with_a_reason() {
        for (text, part) in [
            ("(open", "unclosed"),
            ("(?=ahead)", "look-around"),
            (r"((\w{99}){99}){99}", "exceed"),
        ] {
            let why = Patterns::default()
                .compile(text, false)
                .expect_err("refused");
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn a_file_of_large_patterns_runs_out_of_tables_and_then_of_states() {
        let mut patterns = Patterns {
            tables_bytes_left: 3 * super::TABLE_BYTES_MAX,
            states_bytes_left: 1 << 20,
            ..Patterns::default()
        };
        let mut compile = |n: u32| patterns.compile(&alloc::format!(r"a{n}\p{{Greek}}+b"), false);
        let all: Vec<_> = (0..2000).map(&mut compile).collect();
        let tables = |pattern: &Result<Pattern, _>| {
            pattern
                .as_ref()
                .is_ok_and(|pattern| pattern.0.table.is_some())
        };
        let with_table = all.iter().filter(|pattern| tables(pattern)).count();
        let compiled = all.iter().filter(|pattern| pattern.is_ok()).count();
        assert!(3 < with_table && with_table < compiled, "{with_table}");
        assert!(compiled < 2000, "{compiled}");
        assert_eq!(patterns.states_bytes_left, 0);
        assert!(patterns.compile("one more", false).is_err());
        assert!(
            patterns.compile(r"a0\p{Greek}+b", false).is_ok(),
            "one that was compiled before costs nothing"
        );
    }

    #[test]
    fn following_states_costs_steps() {
        let large = pattern(r"(\w{30}){4}", false);
        let mut left = 1000_usize;
        let result = large.occurs_in(&"a".repeat(5000), |steps| {
            left = left.checked_sub(steps).ok_or(())?;
            Ok(())
        });
        assert_eq!(result, Err(()));
    }

    proptest! {
        #[test]
        fn table_and_states_agree(text in "[a-c]{0,2}(\\\\b|\\.|[a-c]\\+|\\(a\\|b\\))[a-c]{0,2}", inside in "[abcü ]{0,12}") {
            let with = pattern(&text, false);
            let mut cache = with.0.states.create_cache();
            let expected = with.0.states.is_match(&mut cache, inside.as_str());
            prop_assert_eq!(occurs(&with, &inside), expected);
        }

        #[test]
        fn any_text_is_compiled_or_refused_without_panic(text: String, inside: String) {
            if let Ok(pattern) = Patterns::default().compile(&text, true) {
                let _ = occurs(&pattern, &inside);
            }
        }
    }
}
