#![doc = include_str!("../README.md")]

pub mod embedded;
mod router_client;
mod unix_path;

pub use router_client::{Router, RouterClient};
