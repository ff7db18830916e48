//! The rules that a deployment is checked against, as data.

mod around;
mod strategies;
mod values;

use nonevent_document::Rule;

pub(crate) use around::*;
pub(crate) use strategies::*;
pub(crate) use values::*;

/// Every rule, by code.
pub const RULES: &[Rule] =
    &joined::<{ VALUES.len() + STRATEGIES.len() + AROUND.len() }>([VALUES, STRATEGIES, AROUND]);

/// Tables one after another; `N` is the number of all their rules.
const fn joined<const N: usize>(tables: [&[Rule]; 3]) -> [Rule; N] {
    let mut all = [tables[0][0]; N];
    let (mut table, mut at) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[at] = tables[table][row];
            at += 1;
            row += 1;
        }
        table += 1;
    }
    all
}
