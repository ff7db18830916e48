//! Any text as a percentage, a duration or a time: refused, or the same again once written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nonevent_document::{DurationMs, Percent, Timestamp, format_duration_ms, parse_duration_ms};

fuzz_target!(|text: &str| {
    if let Ok(percent) = text.parse::<Percent>() {
        assert!(percent.basis_points() <= 10_000);
        assert_eq!(percent.to_string().parse(), Ok(percent));
    }
    if let Ok(ms) = parse_duration_ms(text) {
        assert_eq!(parse_duration_ms(&format_duration_ms(ms)), Ok(ms));
        assert_eq!(parse_duration_ms(&DurationMs(ms).to_string()), Ok(ms));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
});
