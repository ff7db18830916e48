//! From a target to an answer: addresses, connections, TLS, HTTP.

pub(crate) mod address;
pub(crate) mod connect;
pub(crate) mod deadline;
pub(crate) mod exchange;
pub(crate) mod tls;
pub(crate) mod wire;
