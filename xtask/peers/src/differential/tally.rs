//! Counts pairs and keeps the first few differences of each class.

use std::collections::BTreeMap;
use std::fmt::Display;

/// How many differences of a class are printed.
const SHOWN: usize = 2;
/// How many classes of unexplained differences are told apart.
const CLASSES_MAX: usize = 40;

/// A definition, a context, and what both engines make of them.
pub(crate) struct Pair<'p> {
    pub(crate) definition: &'p dyn Display,
    pub(crate) context: &'p dyn Display,
    pub(crate) ours: &'p str,
    pub(crate) theirs: &'p str,
}

#[derive(Default)]
pub(crate) struct Tally {
    pairs: u64,
    left_out: BTreeMap<&'static str, u64>,
    explained: BTreeMap<&'static str, Class>,
    unexplained: BTreeMap<String, Class>,
}

#[derive(Default)]
struct Class {
    count: u64,
    shown: Vec<String>,
}

impl Tally {
    /// How many pairs were compared.
    pub(crate) const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// A pair that cannot be compared, and why.
    pub(crate) fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }

    /// A pair on which both agree.
    pub(crate) const fn same(&mut self) {
        self.pairs += 1;
    }

    /// A pair on which they differ: of a class with a reason, or of one named by what is in it.
    pub(crate) fn differs(&mut self, pair: &Pair<'_>, reason: Option<&'static str>, class: &str) {
        self.pairs += 1;
        let full = self.unexplained.len() >= CLASSES_MAX;
        let class = match reason {
            Some(reason) => self.explained.entry(reason).or_default(),
            None if full && !self.unexplained.contains_key(class) => {
                self.unexplained.entry("others".to_owned()).or_default()
            }
            None => self.unexplained.entry(class.to_owned()).or_default(),
        };
        class.count += 1;
        if class.shown.len() < SHOWN {
            class.shown.push(format!(
                "    definition {}\n    context    {}\n    ours       {}\n    theirs     {}",
                pair.definition, pair.context, pair.ours, pair.theirs
            ));
        }
    }

    /// Prints everything; whether nothing is unexplained.
    pub(crate) fn report(&self, peer: &str, seed: u64) -> bool {
        for (title, count, shown) in
            self.explained
                .iter()
                .map(|(name, class)| (format!("explained: {name}"), class.count, &class.shown))
                .chain(self.unexplained.iter().map(|(name, class)| {
                    (format!("UNEXPLAINED: {name}"), class.count, &class.shown)
                }))
        {
            println!("{title}: {count}");
            for example in shown {
                println!("{example}\n");
            }
        }
        for (why, count) in &self.left_out {
            println!("not compared: {why}: {count}");
        }
        let unexplained: u64 = self.unexplained.values().map(|class| class.count).sum();
        let explained: u64 = self.explained.values().map(|class| class.count).sum();
        println!(
            "{peer}, seed {seed}: {} pairs, {unexplained} unexplained, {explained} explained",
            self.pairs
        );
        for (name, class) in &self.explained {
            println!("  {name} × {}", class.count);
        }
        unexplained == 0
    }
}
