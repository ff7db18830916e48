//! Any bytes as a flag file of the dialect growthbook.

#![no_main]

mod flags;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flags::run(nonevent_flags::Dialect::GrowthBook, bytes));
