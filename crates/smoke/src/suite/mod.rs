//! Smoke suites: how they are written and what they say.

pub(crate) mod assertions;
pub(crate) mod captures;
pub(crate) mod connection;
pub(crate) mod expectations;
pub(crate) mod flow;
pub(crate) mod model;
pub(crate) mod probe;
pub(crate) mod read;
pub(crate) mod reader;
pub(crate) mod repeat;
pub(crate) mod requests;
pub(crate) mod status;
