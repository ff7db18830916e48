//! Where an answer may be changed.

use crate::marks::{Text, Tree};

/// Where an answer may be changed.
pub(crate) struct Places {
    /// Whether each header stays as it is.
    pub(crate) headers: Vec<bool>,
    pub(crate) body: Body,
}

/// A body with what of it is free to move.
pub(crate) enum Body {
    Json(Tree),
    Text(Text),
    /// Bytes that stay as they are.
    Bytes,
    /// Bytes that do not.
    Moving,
}
