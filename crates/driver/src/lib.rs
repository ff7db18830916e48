#![doc = include_str!("../README.md")]

pub mod embedded;
mod router_client;
mod unix_path;

pub use router_client::{Router, RouterClient};

mod clock;
mod conduct;
mod error;
mod event;
mod hands;
mod journal;
mod site;
mod state_dir;
mod suites;
mod view;
mod watcher;
mod archive;
mod summary;
