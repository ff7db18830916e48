//! The single backends behind a service's name, and how many of them must pass.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One server of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// What reports call it; its address if the caller has no better name.
    pub name: String,
    /// Where it is asked. `Host` and the server name in TLS stay the target's.
    pub address: SocketAddr,
}

impl Backend {
    /// A backend that is called by its address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Backend {
        Backend {
            name: address.to_string(),
            address,
        }
    }
}

/// Which servers of the target are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backends {
    /// Whichever the target's name leads to: one verdict for the service.
    #[default]
    Any,
    /// Every address that the target's name has when the run begins: one verdict each.
    EveryAddress,
    /// These, for example a router's list of servers: one verdict each.
    Listed(Vec<Backend>),
}

/// How many backends must pass for the run to be a yes.
///
/// The others are still shown, and make the run [`Warned`](crate::SuiteVerdict::Warned). Written
/// `all`, a count such as `3`, or a share such as `90%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quorum {
    /// Every one.
    #[default]
    All,
    /// At least this many; a run with fewer backends is no yes.
    AtLeast(usize),
    /// At least this share in percent, 1 to 100, rounded up to whole backends.
    Percent(u8),
}

impl Quorum {
    /// How many of `backends` must pass; never none.
    #[must_use]
    pub fn needed(self, backends: usize) -> usize {
        match self {
            Quorum::All => backends,
            Quorum::AtLeast(count) => count,
            Quorum::Percent(percent) => backends.saturating_mul(usize::from(percent)).div_ceil(100),
        }
        .max(1)
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quorum::All => f.write_str("all"),
            Quorum::AtLeast(count) => count.fmt(f),
            Quorum::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A text that is no [`Quorum`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumError(String);

impl fmt::Display for QuorumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.0;
        write!(
            f,
            "`{text}` is no quorum: write `all`, a count from 1 such as `3`, or a share from 1% \
             to 100%"
        )
    }
}

impl core::error::Error for QuorumError {}

impl FromStr for Quorum {
    type Err = QuorumError;

    fn from_str(text: &str) -> Result<Quorum, QuorumError> {
        let fail = || QuorumError(text.to_owned());
        if text == "all" {
            return Ok(Quorum::All);
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(fail());
        }
        if let Some(percent) = text.strip_suffix('%') {
            return match percent.parse() {
                Ok(percent @ 1..=100) => Ok(Quorum::Percent(percent)),
                _ => Err(fail()),
            };
        }
        match text.parse() {
            Ok(0) | Err(_) => Err(fail()),
            Ok(count) => Ok(Quorum::AtLeast(count)),
        }
    }
}

impl Serialize for Quorum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quorum, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Quorum;

    #[test]
    fn a_quorum_is_read_and_reckoned() {
        let cases = [
            ("all", 8, 8),
            ("3", 8, 3),
            ("9", 8, 9),
            ("90%", 8, 8),
            ("75%", 8, 6),
            ("1%", 8, 1),
            ("100%", 3, 3),
            ("all", 0, 1),
        ];
        for (text, backends, needed) in cases {
            let quorum: Quorum = text.parse().expect(text);
            assert_eq!(quorum.to_string(), text);
            assert_eq!(quorum.needed(backends), needed, "{text} of {backends}");
        }
        for bad in ["", "0", "0%", "101%", "-1", "+3", "most", "3.5", "%"] {
            assert!(bad.parse::<Quorum>().is_err(), "{bad}");
        }
    }
}
