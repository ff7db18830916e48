//! Counts of what went wrong, by a name, with some of it in full.

use std::collections::BTreeMap;

/// Endpoints that are shown, with one case each.
const SHOWN_MAX: usize = 60;
/// Characters that are shown of a case.
const SHOWN_CHARS_MAX: usize = 400;

#[derive(Default)]
struct Share {
    of: usize,
    wrong: usize,
}

pub(crate) struct Tally {
    title: &'static str,
    shares: BTreeMap<String, Share>,
    /// The first case of each endpoint and name, with how many there are.
    cases: BTreeMap<(String, String), (usize, String)>,
}

impl Tally {
    pub(crate) fn new(title: &'static str) -> Tally {
        Tally {
            title,
            shares: BTreeMap::new(),
            cases: BTreeMap::new(),
        }
    }

    /// One case, and what went wrong with it.
    pub(crate) fn add(&mut self, name: &str, endpoint: &str, wrong: Option<&str>) {
        let share = self.shares.entry(name.to_owned()).or_default();
        share.of += 1;
        if let Some(wrong) = wrong {
            share.wrong += 1;
            let key = (endpoint.to_owned(), name.to_owned());
            let case = self.cases.entry(key).or_insert((0, wrong.to_owned()));
            case.0 += 1;
        }
    }

    pub(crate) fn of(&self) -> usize {
        self.shares.values().map(|it| it.of).sum()
    }

    fn wrong(&self) -> usize {
        self.shares.values().map(|it| it.wrong).sum()
    }

    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.wrong() as f64 / self.of().max(1) as f64
    }

    pub(crate) fn print(&self) {
        println!("{}", self.title);
        let line = |wrong: usize, of: usize, name: &str| {
            let percent = 100.0 * wrong as f64 / of.max(1) as f64;
            println!("  {wrong:>5} of {of:>5} ({percent:>6.2} %)  {name}");
        };
        for (name, share) in &self.shares {
            line(share.wrong, share.of, name);
        }
        line(self.wrong(), self.of(), "in all");
    }

    /// Some cases in full, so that the rule which is missing can be seen.
    pub(crate) fn print_worst(&self) {
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by_key(|(_, (count, _))| core::cmp::Reverse(*count));
        for ((endpoint, name), (count, case)) in cases.into_iter().take(SHOWN_MAX) {
            let case: String = case.chars().take(SHOWN_CHARS_MAX).collect();
            println!("  {count} x {name} in {endpoint}: {case}");
        }
    }
}
