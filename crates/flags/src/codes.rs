//! The codes of this crate's findings.

use alloc::boxed::Box;
use nonevent_document::{Code, Finding};

/// Why something cannot be used. Boxed, as findings are large and errors are rare.
pub(crate) type Refusal = Box<Finding>;

/// Not a flag file, or its dialect is not known.
pub(crate) const NOT_FLAGS: Code = Code::new("NE4001");
/// An operator that does not exist.
pub(crate) const UNKNOWN_OPERATOR: Code = Code::new("NE4002");
/// A reference to an evaluator that is not defined, or that leads back to itself.
pub(crate) const REFERENCE: Code = Code::new("NE4003");
/// A definition of the wrong shape.
pub(crate) const DEFINITION: Code = Code::new("NE4004");
/// A variant is named that is not defined.
pub(crate) const UNDEFINED_VARIANT: Code = Code::new("NE4005");
/// Arguments with which an operator can only give null.
pub(crate) const ARGUMENTS: Code = Code::new("NE4006");
/// Shares that do not sum, or are no shares.
pub(crate) const SPLIT: Code = Code::new("NE4007");
/// Nested too deep or too large.
pub(crate) const TOO_LARGE: Code = Code::new("NE4008");
/// Variants of different types.
pub(crate) const TYPE_CONFLICT: Code = Code::new("NE4009");
/// A field that means nothing here.
pub(crate) const UNKNOWN_FIELD: Code = Code::new("NE4010");
/// Metadata that is not a text, number or boolean.
pub(crate) const METADATA: Code = Code::new("NE4011");
/// A date that cannot be read.
pub(crate) const DATE: Code = Code::new("NE4012");
/// A value in the environment that is probably meant as a boolean.
pub(crate) const ENVIRONMENT: Code = Code::new("NE4013");
/// Nobody answers for the flag.
pub(crate) const NO_OWNER: Code = Code::new("NE4020");
/// Past its cleanup date.
pub(crate) const OVERDUE: Code = Code::new("NE4021");
/// A release flag at 100 % for over two weeks.
pub(crate) const STALE_RELEASE: Code = Code::new("NE4022");
/// A release or experiment flag without a cleanup date.
pub(crate) const NO_CLEANUP_DATE: Code = Code::new("NE4023");
/// A rule after one that decides for everybody.
pub(crate) const UNREACHABLE: Code = Code::new("NE4024");
/// A flag that depends on a flag that depends on another.
pub(crate) const NESTED: Code = Code::new("NE4025");
/// A key that is asked for and not defined.
pub(crate) const UNKNOWN_KEY: Code = Code::new("NE4026");
/// A flag that nobody asks for.
pub(crate) const DEAD: Code = Code::new("NE4027");
/// A flag whose shares may take it from somebody when one of them grows.
pub(crate) const GROWTH: Code = Code::new("NE4030");
/// A stage of a release that cannot be written.
pub(crate) const STAGE: Code = Code::new("NE4028");
/// Who comes first in a release is not said.
pub(crate) const NOBODY_FIRST: Code = Code::new("NE4029");
