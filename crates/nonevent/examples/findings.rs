//! Reads a document, or shows everything that is wrong with it the way a compiler would.
//!
//! `cargo run --package nonevent --example findings -- FILE`; without a file, two texts of its own.

use std::process::ExitCode;

use nonevent::document::{Digest, Document, Limits};

const SOUND: &str = "service: checkout\nreplicas: 4\n";
const DOUBTFUL: &str = "service: checkout\nreplicas: 4\nreplicas: 010\n";

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        show("sound.yaml", SOUND.as_bytes());
        show("doubtful.yaml", DOUBTFUL.as_bytes());
        return ExitCode::SUCCESS;
    };
    match std::fs::read(&path) {
        Ok(bytes) if show(&path, &bytes) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(2),
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::from(3)
        }
    }
}

/// Prints what the bytes hold; whether they could be read.
fn show(name: &str, bytes: &[u8]) -> bool {
    match Document::parse(name, bytes, &Limits::default()) {
        Ok(document) => {
            println!("{name}: {}", Digest::of(bytes));
            println!("{}\n", document.root().to_json());
            true
        }
        Err(findings) => {
            println!(
                "{}",
                findings.render(name, &String::from_utf8_lossy(bytes), false)
            );
            false
        }
    }
}
