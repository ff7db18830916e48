//! What a connection leads to.

use core::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The far end of a connection: `127.0.0.1:8080`, `[::1]:443`, or `unix:/run/app.sock`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix domain socket.
    Unix(PathBuf),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Peer, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Peer::Unix(path.into()));
        }
        text.parse()
            .map(Peer::Tcp)
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is no address")))
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn a_peer_is_read_back_from_what_was_written() {
        for text in ["127.0.0.1:80", "[::1]:8080", "unix:/run/app.sock"] {
            let json = format!("{text:?}");
            let peer: Peer = serde_json::from_str(&json).expect(text);
            assert_eq!(peer.to_string(), text);
            assert_eq!(serde_json::to_string(&peer).expect(text), json);
        }
        assert!(serde_json::from_str::<Peer>("\"shop:80\"").is_err());
    }
}
