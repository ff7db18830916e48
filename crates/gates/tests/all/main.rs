//! What the crate promises, from the outside.

mod checks;
#[cfg(all(feature = "collect", unix))]
mod collect;
mod evidence;
mod mutants;
mod policies;
mod project;
mod reports;
