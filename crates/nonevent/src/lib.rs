#![doc = include_str!("../README.md")]
#![no_std]

pub use nonevent_document as document;
pub use nonevent_evidence as evidence;
pub use nonevent_page as page;

#[cfg(feature = "analysis")]
pub use nonevent_analysis as analysis;
#[cfg(feature = "driver")]
pub use nonevent_driver as driver;
#[cfg(feature = "flags")]
pub use nonevent_flags as flags;
#[cfg(feature = "gates")]
pub use nonevent_gates as gates;
#[cfg(feature = "rollout")]
pub use nonevent_rollout as rollout;
#[cfg(feature = "router")]
pub use nonevent_router as router;
#[cfg(feature = "runbook")]
pub use nonevent_runbook as runbook;
#[cfg(feature = "smoke")]
pub use nonevent_smoke as smoke;
#[cfg(feature = "strategy")]
pub use nonevent_strategy as strategy;

// The examples of the repository's first page are tests.
#[cfg(all(doctest, feature = "driver"))]
#[doc = include_str!("../../../README.md")]
pub use nonevent_document as first_page;
