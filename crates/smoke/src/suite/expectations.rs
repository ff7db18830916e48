//! What a test asserts of an answer, as the suite writes it.

use http::header::HeaderName;

use crate::bind::template::Template;
use crate::judge::path::JsonPath;
use crate::suite::model::{Field, JsonTemplate};
use crate::suite::status::StatusSet;

/// What a test asserts of an answer.
#[derive(Debug)]
pub(crate) struct Expectations {
    pub(crate) status: Option<StatusSet>,
    pub(crate) body_contains: Vec<Field<Template>>,
    pub(crate) headers: Vec<(HeaderName, HeaderRule)>,
    pub(crate) json: Vec<(JsonPath, JsonRule)>,
    pub(crate) build: Option<Build>,
}

#[derive(Debug)]
pub(crate) enum HeaderRule {
    Equals(Field<Template>),
    Contains(Field<Template>),
    Absent,
}

#[derive(Debug)]
pub(crate) enum JsonRule {
    Equals(Field<JsonTemplate>),
    Exists(bool),
}

/// Build pinning: which build answers, on several fresh connections.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) source: BuildSource,
    pub(crate) equals: Field<Template>,
    /// 1 to [`CONNECTIONS_MAX`].
    pub(crate) connections: u32,
}

/// Where an answer names its build.
#[derive(Debug, Clone)]
pub(crate) enum BuildSource {
    Header(HeaderName),
    Json(JsonPath),
}

/// Fresh connections of one build check.
pub(crate) const CONNECTIONS_MAX: u32 = 1_000;
/// Fresh connections of a build check that does not say.
pub(crate) const CONNECTIONS_DEFAULT: u32 = 5;
