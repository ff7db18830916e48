//! Everything that is tested from outside: one binary, so that it is linked once.

mod authority;
mod compare;
mod fixtures;
mod golden;
mod outputs;
mod schema;
mod secrets;
mod server;
mod tls;
mod verdicts;
