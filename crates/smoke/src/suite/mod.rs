//! Smoke suites: how they are written and what they say.

pub(crate) mod assertions;
pub(crate) mod model;
pub(crate) mod read;
pub(crate) mod reader;
pub(crate) mod repeat;
pub(crate) mod status;
