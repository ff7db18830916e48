#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod escape;
mod inline;
mod page;
mod section;
mod style;
pub mod svg;
mod table;

pub use inline::{Html, Inline, Tone};
pub use page::Page;
pub use section::Section;
pub use table::Table;
