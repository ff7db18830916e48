#![doc = include_str!("../README.md")]

mod driven;
pub mod embedded;
mod fleet;
pub mod process;
mod router_client;
mod router_process;
mod unix_path;

pub use fleet::{
    Fleet, FleetError, FleetErrorKind, FleetState, Instance, InstanceId, InstanceIdError,
    InstanceState, Scaled,
};
pub use process::{FleetConfig, Health, Launch, ProcessFleet};
pub use router_client::{Router, RouterClient};
pub use router_process::{RouterProcess, RouterProcessConfig};
