//! The contest's results as Markdown tables, and what was wanted of them.

use crate::contest::{ALPHA, Cell, Found, NAMES, TESTS, contest};

pub(crate) const VARIATIONS: [f64; 3] = [0.0, 0.5, 1.0];
pub(crate) const RATIOS: [f64; 5] = [1.0, 1.5, 2.0, 3.0, 5.0];

/// All cells of one table, with what was found in them.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) cells: Vec<(Cell, Found)>,
}

impl Table {
    pub(crate) fn run(title: &'static str, requests: [u64; 2], shared: bool, runs: u64) -> Self {
        let variations = VARIATIONS.into_iter().filter(|v| !shared || *v > 0.0);
        let cells = variations.flat_map(|variation| {
            RATIOS.map(|ratio| Cell {
                requests,
                ratio,
                variation,
                shared,
            })
        });
        let cells = cells.map(|cell| (cell, contest(&cell, runs))).collect();
        Self { title, cells }
    }

    pub(crate) fn print(&self) {
        println!(
            "\n### {}\n\n| CV | canary | {} |",
            self.title,
            NAMES.join(" | ")
        );
        println!("|---|---|{}", "---|".repeat(TESTS));
        for (cell, found) in &self.cells {
            let entries: Vec<String> = (0..TESTS).map(|test| entry(cell, found, test)).collect();
            let (variation, ratio) = (cell.variation, cell.ratio);
            println!("| {variation:.1} | {ratio} % | {} |", entries.join(" | "));
        }
    }

    /// What was wanted, cell by cell, and whether it was reached.
    pub(crate) fn print_wanted(&self) {
        for (cell, found) in &self.cells {
            let place = format!(
                "{} requests, CV {}{}, {} %",
                cell.requests[1],
                cell.variation,
                if cell.shared { " shared" } else { "" },
                cell.ratio
            );
            if cell.ratio == 1.0 {
                let (share, least) = (100.0 * found.share(0), 100.0 * found.at_least(0));
                let kept = found.at_least(0) <= ALPHA;
                let limit = 100.0 * ALPHA;
                println!(
                    "- {place}: false alarms {share:.2} %, at least {least:.2} % (99 %), allowed \
                     {limit} %: {}",
                    word(kept)
                );
            }
            if cell.ratio == 3.0 && cell.requests[0] == 500 {
                let [ours, theirs] = [0, 1].map(|test| found.median(test).unwrap_or(usize::MAX));
                let earlier = 1.0 - ours as f64 / theirs as f64;
                println!(
                    "- {place}: minute {ours} where Kayenta has {theirs}, {:.0} % earlier, 40 % \
                     wanted: {}",
                    100.0 * earlier,
                    word(earlier >= 0.4)
                );
            }
            if cell.ratio == 3.0 && cell.requests[0] == 50 {
                let share = found.share(0);
                let wanted = cell.variation < 1.0;
                println!(
                    "- {place}: {:.1} % caught within the hour{}",
                    100.0 * share,
                    if wanted {
                        format!(", 95 % wanted: {}", word(share >= 0.95))
                    } else {
                        String::new()
                    }
                );
            }
        }
    }
}

fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "NOT REACHED" }
}

fn entry(cell: &Cell, found: &Found, test: usize) -> String {
    let share = 100.0 * found.share(test);
    if cell.ratio == 1.0 {
        return format!("{share:.2} %");
    }
    match found.median(test) {
        Some(minute) => format!("{share:.1} %, {minute}"),
        None => format!("{share:.1} %, –"),
    }
}
