//! From a target to an answer: addresses, connections, TLS, HTTP.

pub(crate) mod address;
pub(crate) mod certificate;
pub(crate) mod connect;
pub(crate) mod deadline;
pub(crate) mod decode;
pub(crate) mod exchange;
pub(crate) mod link;
pub(crate) mod peer;
pub(crate) mod redirect;
pub(crate) mod route;
pub(crate) mod tls;
pub(crate) mod transport;
pub(crate) mod wire;
