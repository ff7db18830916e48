//! The embedded router against servers and clients in this process.

mod control;
mod faults;
mod limits;
mod passing;
mod splitting;
mod support;
