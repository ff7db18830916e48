//! What a check holds, as data: a code, a weight and a sentence.

use alloc::string::String;

use crate::finding::{Code, Finding, Severity};

/// One rule of a check. Tables of them are made by [`rules!`](crate::rules!).
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable code.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// The rule in one sentence.
    pub rule: &'static str,
    /// What goes wrong where it is broken, in one to three sentences; empty where that follows
    /// from the rule.
    pub why: &'static str,
}

impl Rule {
    /// A breach of the rule: where in the document's structure, what, and what to do about it.
    #[must_use]
    pub fn finding(
        self,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding {
        let make = match self.severity {
            Severity::Error => Finding::error,
            Severity::Warning => Finding::warning,
            Severity::Note => Finding::note,
        };
        make(self.code, path.into(), message.into(), help.into())
    }
}

/// Declares the rules of a check, each as a constant, and the list of all.
///
/// A row has a name, a code, a severity, the rule in one sentence, and where it does not go without
/// saying, what goes wrong otherwise.
///
/// ```
/// nonevent_document::rules! {
///     /// Every rule, by code.
///     pub RULES;
///     NAME "NE9001" Error "A thing has a name.";
///     LONG "NE9002" Warning "A name is short."
///         "A long name is cut off in tables, and two of them look alike.";
/// }
/// assert_eq!(RULES.len(), 2);
/// assert!(RULES[0].why.is_empty() && RULES[1].why.starts_with("A long name"));
/// let finding = NAME.finding("thing", "there is no name", "add one");
/// assert_eq!(finding.code.as_str(), "NE9001");
/// ```
#[macro_export]
macro_rules! rules {
    (
        $(#[$doc:meta])* pub $all:ident;
        $($name:ident $code:literal $severity:ident $rule:literal $($why:literal)?;)*
    ) => {
        $(pub(crate) const $name: $crate::Rule = $crate::Rule {
            code: $crate::Code::new($code),
            severity: $crate::Severity::$severity,
            rule: $rule,
            why: concat!($($why)?),
        };)*
        $(#[$doc])*
        pub const $all: &[$crate::Rule] = &[$($name),*];
    };
}
