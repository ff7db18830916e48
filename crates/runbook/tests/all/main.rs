//! Runbooks of real plans, rendered, forged and read back.

mod forged;
mod plans;
mod reading;
mod rendering;
mod templates;
