//! Any bytes as a flag file of the dialect launchdarkly.

#![no_main]

mod flags;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flags::run(nonevent_flags::Dialect::LaunchDarkly, bytes));
