//! The codes of this crate's findings.

use nonevent_document::Code;

/// The file is not a suite: no object with a list `tests`.
pub(crate) const NOT_A_SUITE: Code = Code::new("NE5001");
/// No test, or none that was selected.
pub(crate) const NO_TEST: Code = Code::new("NE5002");
/// A field has a value of another type than it takes.
pub(crate) const WRONG_TYPE: Code = Code::new("NE5003");
/// A field has the right type and a value that it does not take.
pub(crate) const BAD_VALUE: Code = Code::new("NE5004");
/// A test that no answer could fail.
pub(crate) const ASSERTS_NOTHING: Code = Code::new("NE5005");
/// A field this runner does not know (a note).
pub(crate) const UNKNOWN_FIELD: Code = Code::new("NE5006");
/// A `${…}` that is no reference.
pub(crate) const BAD_REFERENCE: Code = Code::new("NE5007");
/// A variable that was not given.
pub(crate) const UNDEFINED_VARIABLE: Code = Code::new("NE5008");
/// A secret that could not be resolved.
pub(crate) const UNRESOLVED_SECRET: Code = Code::new("NE5009");
/// A request that could act twice is to be sent again or several times.
pub(crate) const NOT_REPEATABLE: Code = Code::new("NE5010");
/// A header that the runner sets itself (a warning).
pub(crate) const OWN_HEADER: Code = Code::new("NE5011");
/// Two tests of one name (a note).
pub(crate) const SAME_NAME: Code = Code::new("NE5012");
/// More of something than a suite may hold.
pub(crate) const TOO_MANY: Code = Code::new("NE5013");
/// A file that the suite names and that cannot be read.
pub(crate) const UNREADABLE_FILE: Code = Code::new("NE5014");
/// A test that goes its own way in a run that asks each backend by itself.
pub(crate) const LEAVES_THE_BACKEND: Code = Code::new("NE5015");
