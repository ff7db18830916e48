//! The arguments of the two hidden subcommands: `--name value` pairs and nothing else.
//!
//! These command lines are written by this program and read by this program, so they need no
//! help text; what they need is to refuse a value that a newer or older binary meant otherwise.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl UsageError {
    pub(crate) fn new(message: impl Into<String>) -> UsageError {
        UsageError(message.into())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The pairs of one command line, taken out one by one.
pub(crate) struct Arguments(BTreeMap<String, String>);

impl Arguments {
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<Arguments, UsageError> {
        let mut pairs = BTreeMap::new();
        let mut words = words.into_iter();
        while let Some(name) = words.next() {
            if !name.starts_with("--") {
                return Err(UsageError(format!(
                    "`{name}` is not an option: write --name value"
                )));
            }
            let Some(value) = words.next() else {
                return Err(UsageError(format!("{name} has no value")));
            };
            if pairs.insert(name.clone(), value).is_some() {
                return Err(UsageError(format!("{name} is given twice")));
            }
        }
        Ok(Arguments(pairs))
    }

    /// The value of `name`, if given.
    pub(crate) fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, UsageError>
    where
        T::Err: fmt::Display,
    {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(UsageError(format!("{name} `{text}`: {error}"))),
        }
    }

    /// The value of `name`, which must be given.
    pub(crate) fn required<T: FromStr>(&mut self, name: &str) -> Result<T, UsageError>
    where
        T::Err: fmt::Display,
    {
        self.optional(name)?
            .ok_or_else(|| UsageError(format!("{name} is missing")))
    }

    /// Ends the reading: what was not taken is unknown.
    pub(crate) fn finish(self) -> Result<(), UsageError> {
        match self.0.keys().next() {
            Some(name) => Err(UsageError(format!(
                "{name} is not an option of this command"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, UsageError> {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_misuse_is_named() {
        let mut arguments = read("--a 1 --b x").unwrap();
        assert_eq!(arguments.required::<u32>("--a"), Ok(1));
        assert_eq!(arguments.optional::<u32>("--c"), Ok(None));
        assert_eq!(
            arguments.required::<u32>("--c").unwrap_err().to_string(),
            "--c is missing"
        );
        assert_eq!(
            arguments.finish().unwrap_err().to_string(),
            "--b is not an option of this command"
        );
        assert!(read("--a").is_err());
        assert!(read("a b").is_err());
        assert!(read("--a 1 --a 2").is_err());
        assert!(read("--a x").unwrap().required::<u32>("--a").is_err());
    }
}
