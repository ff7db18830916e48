//! The facade re-exports and does nothing else.

use super::super::law::Purity;
use super::super::package::Package;
use super::super::source::{Place, Source, Token};
use super::super::{Repo, Violation};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let is_facade = |source: &&Source| {
        let purity = repo
            .package(&source.folder)
            .and_then(Package::law)
            .map(|l| l.purity);
        matches!(purity, Some(Purity::Facade)) && source.place == Place::Product
    };
    let mut found = Vec::new();
    for source in repo.sources.iter().filter(is_facade) {
        found.extend(strangers(source).into_iter().map(|token| {
            Violation::new(
                &source.path,
                Some(token.line),
                format!("an item that begins with `{}` in the facade", token.text),
                "the facade holds `pub use` only; put this in the crate whose job it is",
            )
        }));
    }
    found
}

/// The first word of every item that is neither `use` nor `extern crate`.
fn strangers(source: &Source) -> Vec<&Token> {
    let mut words = Vec::new();
    let mut begins = true;
    let top: Vec<&Token> = source.tokens.iter().filter(|t| t.depth == 0).collect();
    for (at, token) in top.iter().enumerate() {
        match token.text.as_str() {
            // Attributes and visibility come before the word.
            "#" | "!" | "[" | "]" | "pub" | "(" | ")" => {}
            ";" | "}" => begins = true,
            _ if begins => {
                let next = top.get(at + 1).map(|t| t.text.as_str());
                if token.text != "use" && (token.text != "extern" || next != Some("crate")) {
                    words.push(*token);
                }
                begins = false;
            }
            _ => {}
        }
    }
    words
}
