//! Whole runs on a network in memory and a clock that stands still unless something waits: what is
//! asked, of whom, in which order and exactly when.

mod order;
mod requests;
mod times;
mod ways;
mod world;
