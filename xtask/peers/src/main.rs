//! Other engines beside ours: whether they agree, and which is faster.
//!
//! ```text
//! peers differential PEER [--pairs N] [--seed S]
//! peers bench
//! ```
//!
//! `differential` makes random flag definitions in a vendor's form and random contexts, has both
//! engines read the same text and evaluate the same context, and counts differences by class. It
//! exits 1 if there is one that nothing explains. `bench` prints what an evaluation takes in each.

mod bench;
mod differential;
mod engines;
mod random;

use std::process::ExitCode;

const USAGE: &str =
    "usage: peers differential unleash|ufc|launchdarkly|growthbook|jsonlogic [--pairs N] [--seed S]
       peers bench";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["bench"] => {
            bench::run();
            Ok(true)
        }
        ["differential", peer, options @ ..] => {
            differential::Run::from_words(peer, options).map(|run| run.carry_out())
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
