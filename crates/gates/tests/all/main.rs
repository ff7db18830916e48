//! What the crate promises, from the outside.

mod admission;
mod checks;
#[cfg(all(feature = "collect", unix))]
mod collect;
#[cfg(all(feature = "collect", unix))]
mod decoy;
mod evidence;
#[cfg(all(feature = "git", unix))]
mod git;
mod mutants;
mod people;
mod policies;
mod project;
mod reports;
