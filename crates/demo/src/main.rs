//! The `nonevent` command.

fn main() {}
